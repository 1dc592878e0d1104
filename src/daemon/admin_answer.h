#pragma once
// What the admin side answers in JSON, and how it says that something went wrong. Pure.
#include <fairlead/result.h>

#include <string>

namespace fairlead::daemon {

struct AdminAnswer {
  int status = 200;
  std::string body;  ///< JSON
};

/// {"error":{"message","code"}}, under the status of its kind.
AdminAnswer error_answer(const Error& error);

}  // namespace fairlead::daemon
