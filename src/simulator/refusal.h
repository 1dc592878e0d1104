#pragma once
// How each provider says no: statuses, types, codes and the shape of the error's JSON. Pure.
#include <string>
#include <string_view>

#include "simulator/kind.h"

namespace fairlead::simulator {

struct Refusal {
  int status = 400;
  std::string message;
  std::string type;   ///< empty: what the provider calls this status
  std::string code;   ///< empty: null, or the status where codes are numbers
  std::string param;  ///< empty: null
};

/// What the provider says when it has this status and code to give. Status 0: the one that belongs to the code.
Refusal refusal_of(const Habits& habits, int status, std::string_view code);

/// The body of a refusal. `request_id` is shown where the provider does.
std::string refusal_json(const Habits& habits, const Refusal& refusal, std::string_view request_id);

/// The JSON that breaks off a stream which had begun.
std::string stream_error_json(const Habits& habits, std::string_view request_id);

}  // namespace fairlead::simulator
