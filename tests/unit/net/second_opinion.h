#pragma once
// The gate and Beast must understand a head alike: what the gate lets pass means the same to a parser that is lenient elsewhere.
#include "net/framing.h"

#include <boost/beast/http/basic_parser.hpp>

#include <limits>
#include <string_view>

namespace fairlead::net {

namespace http = boost::beast::http;
using boost::beast::string_view;
using boost::system::error_code;

/// Compares what Beast reads with what the gate read, part by part; keeps nothing.
class Comparison final : public http::basic_parser<true> {
 public:
  explicit Comparison(const Head& head) : head_(head) {
    header_limit(std::numeric_limits<std::uint32_t>::max());  // the connection limits it
    body_limit(boost::none);
  }

  bool agrees_on(std::string_view bytes) {
    error_code error;
    const std::size_t taken = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    const auto length = content_length();
    return !error && taken == bytes.size() && alike_ && is_header_done() && fields_ == head_.fields.size() &&
           chunked() == head_.chunked && length.has_value() == head_.content_length.has_value() &&
           (!length || *length == *head_.content_length);
  }

 private:
  void on_request_impl(http::verb, string_view method, string_view target, int version, error_code&) override {
    alike_ = alike_ && method == head_.method && target == head_.target && version == (head_.http_1_0 ? 10 : 11);
  }
  void on_field_impl(http::field, string_view name, string_view value, error_code&) override {
    alike_ = alike_ && fields_ < head_.fields.size() && name == head_.fields[fields_].name && value == head_.fields[fields_].value;
    ++fields_;
  }
  void on_response_impl(int, string_view, int, error_code&) override { alike_ = false; }
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  std::size_t on_body_impl(string_view body, error_code&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code&) override { return body.size(); }
  void on_finish_impl(error_code&) override {}

  const Head& head_;
  std::size_t fields_ = 0;
  bool alike_ = true;
};

/// Does Beast read these bytes as `head` tells them, in all that frames or routes a request?
inline bool beast_agrees(const Head& head, std::string_view bytes) { return Comparison(head).agrees_on(bytes); }

}  // namespace fairlead::net
