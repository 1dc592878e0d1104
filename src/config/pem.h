#pragma once
// What certificates and keys are good for, looked at before a daemon has to use them. Pure; any thread.
#include <fairlead/time.h>

#include <optional>
#include <string>
#include <string_view>

namespace fairlead::config {

/// What is wrong with a text that should hold PEM certificates, in words that complete "the file 'x' ..."; empty: nothing.
std::string wrong_with_certificates(std::string_view pem);
/// The same of a private key, which the first certificate must be of.
std::string wrong_with_key(std::string_view pem, std::string_view certificate_pem);
/// When the first certificate ends. Empty: there is none.
std::optional<TimePoint> certificate_end(std::string_view pem);

}  // namespace fairlead::config
