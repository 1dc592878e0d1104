#include "wire/inflate.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <new>
#include <utility>

namespace fairlead::wire {
namespace {

constexpr int window_bits_any = MAX_WBITS + 32;  // gzip or zlib, by the first bytes
constexpr int window_bits_gzip = MAX_WBITS + 16;
constexpr char gzip_first_byte = '\x1f';

Error corrupt(const char* why) { return {ErrorKind::bad_request, ErrorOrigin::app, "The compressed content is corrupt.", why}; }

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  delete stream;
}

Inflater::Inflater() : stream_(new z_stream_s{}) {
  if (inflateInit2(stream_.get(), window_bits_any) != Z_OK) throw std::bad_alloc();
}

// After the end only a further gzip member may come.
Result<void> Inflater::begin_member() {
  if (!gzip_) return corrupt("bytes after the end of zlib data");
  inflateReset2(stream_.get(), window_bits_gzip);
  finished_ = false;
  return {};
}

Result<void> Inflater::feed(std::string_view in, std::string& out, std::size_t out_max) {
  if (in.empty()) return {};
  if (!std::exchange(started_, true)) gzip_ = in.front() == gzip_first_byte;
  std::array<char, 16384> block;
  z_stream_s& z = *stream_;
  do {
    if (finished_) {
      if (auto begun = begin_member(); !begun) return begun;
    }
    const auto taken = std::min<std::size_t>(in.size(), std::numeric_limits<uInt>::max());
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // zlib's old signature: it does not write there
    z.avail_in = static_cast<uInt>(taken);
    z.next_out = reinterpret_cast<Bytef*>(block.data());
    z.avail_out = static_cast<uInt>(block.size());
    const int code = inflate(&z, Z_NO_FLUSH);
    in.remove_prefix(taken - z.avail_in);
    if (code == Z_MEM_ERROR) throw std::bad_alloc();
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) return corrupt(z.msg ? z.msg : "preset dictionary");
    const std::size_t made = block.size() - z.avail_out;
    if (made > out_max - std::min(out.size(), out_max)) {
      return Error{ErrorKind::body_too_large, ErrorOrigin::app, "The content is too large after decompression."};
    }
    out.append(block.data(), made);
    finished_ = code == Z_STREAM_END;
  } while (!in.empty() || (!finished_ && z.avail_out == 0));
  return {};
}

}  // namespace fairlead::wire
