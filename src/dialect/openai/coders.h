#pragma once
// The two ways in which an answer comes. Both as AnswerCoder says; one object per attempt.
#include <fairlead/dialect.h>

#include "dialect/openai/alike.h"
#include "dialect/openai/answer.h"
#include "dialect/openai/usage.h"
#include "wire/script.h"

#include <memory>
#include <string>

namespace fairlead::openai {

std::unique_ptr<AnswerCoder> buffered_coder(const Target& target, AnswerOptions options);
std::unique_ptr<AnswerCoder> streamed_coder(const ChatRequest& request, const Target& target, AnswerOptions options);

/// What both coders do with a JSON text of the answer: keep the summary, find the edits that every app gets, tell failures.
class AnswerKeeper {
 public:
  AnswerKeeper(const Target& target, AnswerOptions options);

  /// Reads one text. Errors: upstream_error_event, upstream_unavailable (the provider broke off), upstream_protocol (no JSON
  /// object), upstream_closed (its JSON was cut off).
  Result<void> read(std::string_view text);
  /// The same for a chunk of a stream, which is compared with the one before first.
  Result<void> read_chunk(std::string_view text);
  /// The model's name as the app asked, and reasoning under one name, where the last text needs it.
  void add_edits(std::vector<Edit>& edits) const;

  /// The one that was read last. It is the thread's, which reads one after the other: a stream that waits holds none.
  static const AnswerText& text() { return text_; }
  const AnswerOptions& options() const { return options_; }
  TextBytes content() const { return scripts_.total(); }
  AnswerSummary summary;

 private:
  void take_usages();
  void keep();
  void keep_content();

  static thread_local AnswerText text_;
  const Target& target_;
  AlikeChunks alike_;
  wire::ScriptCounter scripts_;
  std::unique_ptr<UsageReport> report_;  ///< null: no usage came yet
  AnswerOptions options_;
  std::string quoted_model_;  ///< empty: the provider's stays
};

/// An error of the provider's making, which another target or a second try may mend while the app has seen nothing.
Error provider_failure(ErrorKind kind, std::string message, std::string detail = {});

}  // namespace fairlead::openai
