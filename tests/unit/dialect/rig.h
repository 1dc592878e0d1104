#pragma once
// A target of a built-in profile, and one answer run through its coder: what the tests of dialects stand on.
#include <fairlead/dialect.h>

#include "config/config.h"

#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fairlead {

const Dialect& dialect_openai();

inline constexpr std::string_view test_api_key = "test-key-0123456789abcdef";

/// A target "there/<model>" at a provider of this profile, read by the configuration's own reader.
class TargetRig {
 public:
  explicit TargetRig(const std::string& profile, const std::string& model = "the-model") {
    static std::map<std::string, std::shared_ptr<const Snapshot>> read;
    std::shared_ptr<const Snapshot>& known = read[profile + "/" + model];
    if (!known) known = read_snapshot(profile, model);
    snapshot_ = known;
  }
  const Target& target() const { return *snapshot_->targets.front(); }

 private:
  static std::shared_ptr<const Snapshot> read_snapshot(const std::string& profile, const std::string& model) {
    const std::string yaml =
        "listen: ['127.0.0.1:0']\nproviders: {there: {profile: " + profile +
        ", base_url: 'https://there.example/v1', api_key: '${env:TEST_KEY}'}}\nroutes: {chat: {targets: [there/" + model + "]}}\n";
    config::Sources sources;
    sources.read_file = [yaml](const std::string&) { return yaml; };
    sources.environment = [](const std::string&) { return std::string(test_api_key); };
    config::Loaded loaded = config::load("test.yaml", sources);
    if (!loaded.snapshot)
      throw std::runtime_error(loaded.findings.empty() ? "no snapshot" : config::format(loaded.findings.front()));
    return loaded.snapshot;
  }

  std::shared_ptr<const Snapshot> snapshot_;
};

inline std::string joined(const Pieces& pieces) {
  std::string out;
  for (const std::string_view piece : pieces) out += piece;
  return out;
}

/// What an app saw of an answer, and what the coder made of it.
struct Outcome {
  std::string seen;
  AnswerSummary summary;
  Error error;
  bool failed = false;
};

/// Feeds each part from memory of its own that is gone afterwards, as a socket's buffer is.
inline Outcome run_answer(const ChatRequest& request, const Target& target, const AnswerOptions& options,
                          const std::vector<std::string_view>& parts) {
  Outcome outcome;
  const auto coder = dialect_openai().answer_coder(request, target, options);
  const auto note = [&](const Result<void>& result, const Pieces& out) {
    outcome.seen += joined(out);
    if (!result) outcome.error = result.error();
    outcome.failed = !result;
  };
  for (const std::string_view part : parts) {
    const auto bytes = std::make_unique<std::string>(part);
    Pieces out;
    const auto fed = coder->feed(*bytes, out);
    note(fed, out);
    if (outcome.failed) break;
  }
  if (!outcome.failed) {
    Pieces out;
    const auto finished = coder->finish(out);
    note(finished, out);
  }
  outcome.summary = coder->summary();
  return outcome;
}

inline ChatRequest parsed(std::string body) {
  auto request = dialect_openai().parse_request(std::move(body));
  if (!request) throw std::runtime_error(request.error().message());
  return std::move(*request);
}

inline ChatRequest stream_request(bool include_usage = false) {
  return parsed(std::string(R"({"model":"chat","messages":[{"role":"user","content":"hi"}],"stream":true)") +
                (include_usage ? R"(,"stream_options":{"include_usage":true}})" : "}"));
}

inline ChatRequest buffered_request() { return parsed(R"({"model":"chat","messages":[{"role":"user","content":"hi"}]})"); }

}  // namespace fairlead
