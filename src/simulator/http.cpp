#include "simulator/http.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace fairlead::simulator {
namespace {

constexpr std::size_t chunk_line_bytes_max = 1'024;

std::string lower(std::string_view text) {
  std::string low(text);
  std::transform(low.begin(), low.end(), low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return low;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 307: return "Temporary Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 402: return "Payment Required";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Payload Too Large";
    case 422: return "Unprocessable Entity";
    case 429: return "Too Many Requests";
    case 500: return "Internal Server Error";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Status";
  }
}

std::string little_endian(std::uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

const std::array<std::uint32_t, 256>& crc_table() {
  static const std::array<std::uint32_t, 256> table = [] {
    std::array<std::uint32_t, 256> rows{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t crc = i;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
      rows[i] = crc;
    }
    return rows;
  }();
  return table;
}

}  // namespace

std::string_view Request::field(std::string_view name) const {
  for (const auto& [key, value] : fields)
    if (key == name) return value;
  return {};
}

bool Request::keep_alive() const {
  const std::string connection = lower(field("connection"));
  return http_1_0 ? connection == "keep-alive" : connection != "close";
}

std::optional<Request> read_head(std::string_view head) {
  Request request;
  request.head = head;
  std::size_t line_end = head.find("\r\n");
  const std::string_view first = head.substr(0, line_end);
  const std::size_t one = first.find(' '), two = first.rfind(' ');
  if (one == std::string_view::npos || two <= one || first.substr(two + 1, 7) != "HTTP/1.") return std::nullopt;
  request.method = first.substr(0, one);
  request.target = first.substr(one + 1, two - one - 1);
  request.http_1_0 = first.substr(two + 1) == "HTTP/1.0";
  while (line_end != std::string_view::npos) {
    head.remove_prefix(line_end + 2);
    line_end = head.find("\r\n");
    const std::string_view line = head.substr(0, line_end);
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    request.fields.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  return request;
}

std::size_t ChunkReader::take(std::string_view input, std::string& body) {
  std::size_t used = 0;
  while (state_ != State::done && state_ != State::broken) {
    const std::string_view rest = input.substr(used);
    if (state_ == State::content) {
      const std::size_t now = std::min(left_, rest.size());
      body += rest.substr(0, now);
      used += now;
      left_ -= now;
      if (left_ > 0) return used;
      state_ = State::content_end;
      continue;
    }
    const std::size_t line_end = rest.find("\r\n");
    if (line_end == std::string_view::npos) {
      if (rest.size() > chunk_line_bytes_max) state_ = State::broken;
      return used;
    }
    const std::string_view line = rest.substr(0, line_end);
    used += line_end + 2;
    if (state_ == State::content_end) {
      state_ = line.empty() ? State::size : State::broken;
    } else if (state_ == State::trailer) {
      if (line.empty()) state_ = State::done;
    } else {
      const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
      if (error != std::errc{} || end == line.data()) {
        state_ = State::broken;
      } else {
        state_ = left_ == 0 ? State::trailer : State::content;
      }
    }
  }
  return used;
}

std::string answer_head(int status, const Fields& fields) {
  std::string head = "HTTP/1.1 " + std::to_string(status) + " ";
  head += reason(status);
  head += "\r\n";
  for (const auto& [name, value] : fields) {
    head += name;
    head += ": ";
    head += value;
    head += "\r\n";
  }
  return head + "\r\n";
}

std::string Gzip::begin() { return {"\x1f\x8b\x08\0\0\0\0\0\0\x03", 10}; }

std::string Gzip::add(std::string_view bytes) {
  std::string out;
  size_ += static_cast<std::uint32_t>(bytes.size());
  for (char c : bytes) crc_ = crc_table()[(crc_ ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc_ >> 8);
  for (; !bytes.empty(); bytes.remove_prefix(std::min<std::size_t>(bytes.size(), 0xffff))) {
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(bytes.size(), 0xffff));
    out += '\0';  // a stored block, not the last
    out += little_endian(length, 2) + little_endian(~length, 2);
    out += bytes.substr(0, length);
  }
  return out;
}

std::string Gzip::end() const { return std::string("\x01\0\0\xff\xff", 5) + little_endian(~crc_, 4) + little_endian(size_, 4); }

}  // namespace fairlead::simulator
