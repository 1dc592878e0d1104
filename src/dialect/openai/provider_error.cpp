#include "dialect/openai/provider_error.h"

#include "wire/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <optional>

namespace fairlead::openai {
namespace {

using Json = nlohmann::json;

constexpr std::size_t error_bytes_max = 65'536;
constexpr std::size_t logged_bytes_max = 64;  ///< of a code or type that the log may know

/// A provider's error as it came; each part may be empty.
struct ProviderError {
  std::string message, code, type, param;
  int status = 0;  ///< where the code is a number like an HTTP status; else 0
};

std::string as_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.dump();
  return {};
}

/// The first of these members that says something.
std::string first_of(const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto at = object.find(name);
    if (at == object.end()) continue;
    if (std::string text = as_text(*at); !text.empty()) return text;
    if (at->is_object())
      if (std::string text = first_of(*at, {"message", "detail", "msg"}); !text.empty()) return text;  // old vLLM
    if (at->is_array() && !at->empty() && at->front().is_object())
      if (std::string text = first_of(at->front(), {"msg", "message"}); !text.empty()) return text;  // FastAPI
  }
  return {};
}

ProviderError read_object(const Json& object) {
  ProviderError error;
  error.message = first_of(object, {"message", "Message", "error_msg", "status_msg", "detail", "msg"});
  error.code = first_of(object, {"code", "Code", "error_code", "status_code", "statusCode"});
  error.type = first_of(object, {"type"});
  error.param = first_of(object, {"param"});
  return error;
}

/// The object that speaks of the error, inside what wraps it.
ProviderError read_json(const Json& json) {
  if (json.is_string()) return {json.get<std::string>(), {}, {}, {}, 0};
  if (json.is_array() && !json.empty() && json.front().is_object()) return read_json(json.front());  // Google
  if (!json.is_object()) return {};
  if (const auto response = json.find("Response"); response != json.end() && response->is_object() && response->contains("Error"))
    return read_json(response->at("Error"));                                                                         // Tencent
  if (const auto base = json.find("base_resp"); base != json.end() && base->is_object()) return read_object(*base);  // MiniMax
  const auto inner = json.find("error");
  if (inner == json.end() || !(inner->is_object() || inner->is_string())) return read_object(json);
  ProviderError error = inner->is_object() ? read_object(*inner) : ProviderError{inner->get<std::string>(), {}, {}, {}, 0};
  if (error.code.empty()) error.code = first_of(json, {"code"});  // xAI
  return error;
}

/// Empty if the text is not JSON, or larger than any error is.
std::optional<ProviderError> read_provider_error(std::string_view text) {
  if (text.size() > error_bytes_max) return std::nullopt;
  wire::JsonReader strict(text);  // which limits the nesting
  strict.skip();
  if (!strict.finish()) return std::nullopt;
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return std::nullopt;
  ProviderError error = read_json(json);
  if (error.code.size() == 3 && error.code.find_first_not_of("0123456789") == std::string::npos)
    error.status = std::stoi(error.code);
  return error;
}

/// The meaning by the profile's first rule that matches; empty if none does.
std::string_view meaning_by_rule(const Profile& profile, int status, const ProviderError& error) {
  const std::string message = lower(error.message);
  const auto matches = [&](const Profile::ErrorRule& rule) {
    return (rule.status == 0 || rule.status == status) &&
           (rule.code.empty() || rule.code == error.code || rule.code == error.type) &&
           (rule.text.empty() || message.find(rule.text) != std::string::npos);
  };
  const auto rule = std::find_if(profile.errors.begin(), profile.errors.end(), matches);
  return rule == profile.errors.end() ? std::string_view{} : rule->meaning;
}

std::string_view meaning_by_status(int status) {
  switch (status) {
    case 401:
    case 403: return "auth";
    case 402: return "no_money";
    case 408:
    case 409:
    case 424:
    case 425:
    case 498:
    case 499: return "unavailable";
    case 429: return "rate_limit";
    default: break;
  }
  if (status >= 500) return "unavailable";
  if (status >= 400) return "refused";
  return status >= 300 ? "redirect" : "protocol";
}

struct Meaning {
  std::string_view name;
  ErrorKind kind;
  Retry retry;
  std::string_view message;  ///< for the app; where `own_words`, only if the provider gave none
  bool own_words = false;    ///< the provider's text is about the request, and the app needs it
};

constexpr Meaning meanings[] = {
    {"rate_limit", ErrorKind::upstream_rate_limit, Retry::before_commit, "The provider asks to slow down."},
    {"no_money", ErrorKind::upstream_no_money, Retry::before_commit, "The provider does not serve this gateway at the moment."},
    {"auth", ErrorKind::upstream_auth, Retry::before_commit, "The provider does not serve this gateway at the moment."},
    {"refused", ErrorKind::upstream_refused, Retry::never, "The provider refused the request.", true},
    {"context", ErrorKind::upstream_refused, Retry::larger_window, "The request is longer than the model's context.", true},
    {"filtered", ErrorKind::upstream_filtered, Retry::never, "The provider's content filter refused the request.", true},
    {"unfit", ErrorKind::upstream_refused, Retry::before_commit, "The provider refused the request.", true},
    {"unavailable", ErrorKind::upstream_unavailable, Retry::before_commit, "The provider failed."},
    {"redirect", ErrorKind::upstream_protocol, Retry::before_commit,
     "The provider answered with a redirect, which is not followed."},
    {"protocol", ErrorKind::upstream_protocol, Retry::before_commit, "The provider gave an answer that is none."},
};

const Meaning& meaning_of(std::string_view name) {
  const auto at = std::find_if(std::begin(meanings), std::end(meanings), [&](const Meaning& m) { return m.name == name; });
  return at == std::end(meanings) ? meanings[std::size(meanings) - 1] : *at;
}

bool is_name(std::string_view text) {
  constexpr std::string_view others = "_-.:";
  return !text.empty() && text.size() <= logged_bytes_max && std::all_of(text.begin(), text.end(), [&](unsigned char c) {
    return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// What the log may know: a provider's words may quote the prompt, whatever they are about, and stay out of it. So does a code or
/// type that is no name.
std::string log_detail(int status, const ProviderError& error, std::string_view api_key) {
  std::string detail = "status " + std::to_string(status);
  if (is_name(error.code)) detail += ", code " + error.code;
  if (is_name(error.type)) detail += ", type " + error.type;
  return safe_text(detail, api_key);
}

Error make_error(int status, const ProviderError& error, const Meaning& meaning, std::string_view api_key) {
  Error out(meaning.kind, ErrorOrigin::provider, std::string(meaning.message), log_detail(status, error, api_key), meaning.retry);
  if (meaning.name == "context")
    out.set_code("context_length_exceeded");
  else if (error.status == 0)  // else it only says the status again
    out.set_code(safe_text(error.code, api_key));
  if (!meaning.own_words) return out;
  if (!error.message.empty()) out.set_message(safe_text(error.message, api_key));
  out.set_param(safe_text(error.param, api_key));
  return out;
}

}  // namespace

Error read_refusal(int status, std::string_view body, const Target& target) {
  const ProviderError error = read_provider_error(body).value_or(ProviderError{});
  const std::string_view by_rule = meaning_by_rule(*target.provider->profile, status, error);
  const Meaning& meaning = meaning_of(by_rule.empty() ? meaning_by_status(status) : by_rule);
  Error out = make_error(status, error, meaning, target.provider->api_key);
  // A model or path that this provider does not have is the target's fault: another may have it.
  if (status == 404) out.retry = Retry::before_commit;
  return out;
}

Error error_in_answer(std::string_view text, const Target& target) {
  const ProviderError error = read_provider_error(text).value_or(ProviderError{std::string(text), {}, {}, {}, 0});
  const std::string_view by_rule = meaning_by_rule(*target.provider->profile, error.status, error);
  const std::string& key = target.provider->api_key;
  if (!by_rule.empty()) return make_error(200, error, meaning_of(by_rule), key);
  Meaning meaning{"", ErrorKind::upstream_error_event, Retry::before_commit, "The provider broke off its answer with an error.",
                  true};
  const std::string_view by_status = meaning_by_status(error.status);
  if (by_status == "auth" || by_status == "no_money") meaning.own_words = false;
  return make_error(200, error, meaning, key);
}

}  // namespace fairlead::openai
