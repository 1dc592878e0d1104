#include "chat_request.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace {

constexpr std::size_t picture_bytes_min = 1'000'000;

/// The same numbers in each run.
class Dice {
 public:
  std::uint32_t next() { return state_ = state_ * 1664525 + 1013904223; }

 private:
  std::uint32_t state_ = 1;
};

std::string picture(std::size_t bytes) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve(bytes);
  for (Dice dice; text.size() < bytes;) text += alphabet[dice.next() >> 26];
  return text;
}

std::string prose(std::size_t bytes) {
  static constexpr std::array<std::string_view, 9> words = {"the ",   "model ",           "answers ", "a ",      "question ",
                                                            "about ", "\\\"latency\\\" ", "and ",     "cost.\\n"};
  static constexpr std::size_t longest = 12;
  std::string text;
  for (Dice dice; text.size() + longest < bytes;) text += words[(dice.next() >> 24) % words.size()];
  if (text.size() < bytes) text.append(bytes - text.size(), '.');
  return text;
}

std::string body_of(const ChatRequest& request) {
  std::string begin = R"({"model":")" + request.model +
                      R"(","messages":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":)";
  std::string end = R"(}],"max_tokens":512,"temperature":0.7)";
  end += request.stream ? R"(,"stream":true,"stream_options":{"include_usage":true}})" : "}";
  const bool pictured = request.body_bytes >= picture_bytes_min;
  if (pictured) {
    begin += R"([{"type":"text","text":"What is this?"},{"type":"image_url","image_url":{"url":"data:image/png;base64,)";
    end = "\"}}]" + end;
  } else {
    begin += '"';
    end = '"' + end;
  }
  const std::size_t frame = begin.size() + end.size();
  const std::size_t room = request.body_bytes > frame ? request.body_bytes - frame : 0;
  return begin + (pictured ? picture(room) : prose(room)) + end;
}

}  // namespace

std::string bytes_of(const ChatRequest& request) {
  const std::string body = body_of(request);
  std::string head = "POST " + request.path + " HTTP/1.1\r\nHost: " + request.host + "\r\nContent-Type: application/json\r\n";
  for (const std::string& header : request.headers) head += header + "\r\n";
  return head + "Accept: */*\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}
