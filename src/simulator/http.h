#pragma once
// HTTP/1.1 as the simulator needs it: requests read leniently, answers written with control of every byte. Pure.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fairlead::simulator {

struct Request {
  std::string head;  ///< as received, with its empty line
  std::string method, target;
  bool http_1_0 = false;
  std::vector<std::pair<std::string, std::string>> fields;  ///< names in lower case
  std::string body;

  /// The value of a field; empty if there is none.
  std::string_view field(std::string_view name) const;
  bool keep_alive() const;
};

/// Reads a head that ends in an empty line. Empty: not HTTP.
std::optional<Request> read_head(std::string_view head);

/// Takes a chunked body apart as it comes. One per body.
class ChunkReader {
 public:
  enum class State : std::uint8_t { size, content, content_end, trailer, done, broken };
  /// Moves what it can from the beginning of `input` into `body`; returns how much of `input` it has used.
  std::size_t take(std::string_view input, std::string& body);
  State state() const { return state_; }

 private:
  State state_ = State::size;
  std::size_t left_ = 0;
};

using Fields = std::vector<std::pair<std::string_view, std::string>>;

/// A status line and fields, with the empty line.
std::string answer_head(int status, const Fields& fields);

/// A gzip member of stored blocks, made piece by piece.
class Gzip {
 public:
  static std::string begin();
  std::string add(std::string_view bytes);
  std::string end() const;

 private:
  std::uint32_t crc_ = 0xffffffff;
  std::uint32_t size_ = 0;
};

}  // namespace fairlead::simulator
