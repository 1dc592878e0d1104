#pragma once
// What an app gets to see of an Error: status, OpenAI's type and code, and whether its SDK should try again. Pure.
#include <fairlead/result.h>

#include "net/app.h"

#include <chrono>
#include <optional>
#include <string_view>

namespace fairlead::exchange {

struct AppError {
  int status = 500;
  std::string_view type, code;  ///< OpenAI's error.type and error.code; no code: null, as a provider said it
  bool should_retry = true;     ///< false: SDKs are told `x-should-retry: false`
  std::optional<std::chrono::milliseconds> retry_after = {};  ///< of what is over in a moment
};

/// By the kind; `provider_status` (0: none) and the error's own code where the provider's finding about the request passes
/// through. `code` may point into `error`.
AppError app_error(const Error& error, int provider_status = 0);

/// Header fields of an error answer beside the request id. `retry_after`: as a provider or a limit has it; else it is the error's
/// own.
net::Fields error_fields(const AppError& app_error, std::optional<std::chrono::milliseconds> retry_after = {});

}  // namespace fairlead::exchange
