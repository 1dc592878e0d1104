#include "http_reader.h"

#include <strings.h>

#include <charconv>

namespace {

bool is_field(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' && strncasecmp(line.data(), name.data(), name.size()) == 0;
}

std::uint64_t number(std::string_view text, int base) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

}  // namespace

std::size_t HttpReader::read_head(std::string_view bytes) {
  const std::size_t before = head_.size();
  head_.append(bytes);
  const std::size_t end = head_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) return bytes.size();
  head_.resize(end + 4);
  const std::size_t used = head_.size() - before;
  end_head();
  return used;
}

void HttpReader::end_head() {
  const bool response = head_.starts_with("HTTP/");
  bool chunked = false;
  bool sized = false;
  if (response) status_ = static_cast<int>(number(std::string_view(head_).substr(9, 3), 10));
  for (std::size_t begin = head_.find("\r\n") + 2; begin + 2 < head_.size();) {
    const std::size_t end = head_.find("\r\n", begin);
    const std::string_view line = std::string_view(head_).substr(begin, end - begin);
    if (is_field(line, "content-length")) {
      left_ = number(line.substr(15), 10);
      sized = true;
    } else if (is_field(line, "transfer-encoding")) {
      chunked = true;
    } else if (is_field(line, "connection")) {
      closes_ = line.find("close") != std::string_view::npos;
    }
    begin = end + 2;
  }
  if (response && status_ < 200) return reset();  // an interim answer: the next head follows
  state_ = chunked                      ? State::chunk_size
           : sized                      ? (left_ > 0 ? State::length : State::done)
           : response && status_ != 204 ? State::until_close
                                        : State::done;
}

std::size_t HttpReader::read_line(std::string_view bytes) {
  const std::size_t end = bytes.find('\n');
  const std::size_t used = end == std::string_view::npos ? bytes.size() : end + 1;
  line_.append(bytes.substr(0, used));
  if (end == std::string_view::npos) return used;
  if (state_ == State::chunk_end) {
    state_ = State::chunk_size;
  } else if (state_ == State::chunk_size) {
    left_ = number(line_, 16);
    state_ = left_ > 0 ? State::chunk_data : State::trailer;
  } else if (line_.size() <= 2) {
    state_ = State::done;
  }
  line_.clear();
  return used;
}
