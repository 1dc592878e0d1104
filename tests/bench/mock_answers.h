#pragma once
// What the mock upstream answers, made once for each change of its settings, so that an answer costs it next to nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

struct MockSettings {
  long chunks = 100;         ///< deltas in a stream
  long chunk_bytes = 24;     ///< text in each
  long interval_us = 0;      ///< between two chunks; 0: back to back
  long delay_us = 0;         ///< before an answer begins
  long answer_bytes = 1024;  ///< body of a buffered answer
  long per_write = 1;        ///< chunks in one write, of streams without an interval

  /// Takes what a query such as "chunks=100&interval_us=0" names; unknown names are left aside.
  void take(std::string_view query);
};

class MockAnswers {
 public:
  explicit MockAnswers(const MockSettings& settings);

  const std::string& buffered() const { return buffered_; }
  const std::string& stream_head() const { return stream_head_; }
  const std::string& stream_end() const { return stream_end_; }  ///< finish reason, usage, [DONE]

  /// Appends one chunk, whose text begins with '@' and the 19 digits of this time.
  void append_chunk(std::string& out, std::uint64_t sent_ns) const;

 private:
  std::string buffered_;
  std::string stream_head_;
  std::string chunk_;
  std::size_t stamp_at_ = 0;
  std::string stream_end_;
};

/// A 200 with this JSON.
std::string json_response(std::string_view body);
