#include "daemon/reload.h"

#include <nlohmann/json.hpp>

namespace fairlead::daemon {
namespace {

using Json = nlohmann::ordered_json;

Json finding_json(const config::Finding& finding) {
  return {{"severity", finding.severity == config::Severity::error ? "error" : "warning"},
          {"file", finding.file},
          {"line", finding.line},
          {"column", finding.column},
          {"path", finding.path},
          {"message", finding.message},
          {"hint", finding.hint},
          {"text", config::format(finding)}};
}

}  // namespace

std::string reload_json(const Reload& reload) {
  Json json{{"result", reload.taken ? "taken" : "refused"},
            {"changed", reload.changed},
            {"reason", reload.reason.empty() ? Json(nullptr) : Json(reload.reason)},
            {"file", reload.file},
            {"snapshot", reload.snapshot},
            {"findings", Json::array()}};
  for (const config::Finding& finding : reload.findings) json["findings"].push_back(finding_json(finding));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace fairlead::daemon
