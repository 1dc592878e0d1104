#include "daemon/estimates_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "daemon/estimates_json.h"

namespace fairlead::daemon {
namespace {

constexpr std::uintmax_t bytes_max = 256 << 20;

Error failure(const std::string& what) { return {ErrorKind::io, ErrorOrigin::fairlead, what + ": " + std::strerror(errno)}; }

}  // namespace

std::string estimates_file_beside(const std::string& ledger) { return ledger.substr(ledger.find(':') + 1) + ".estimates"; }

Result<state::Everything> read_estimates(const std::string& file) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(file, error);
  if (error == std::errc::no_such_file_or_directory) return state::Everything{};
  if (error) return Error(ErrorKind::io, ErrorOrigin::fairlead, "it cannot be read: " + error.message());
  if (bytes > bytes_max) return Error(ErrorKind::io, ErrorOrigin::fairlead, "the file is damaged: it is too large");
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in && !in.eof()) return failure("it cannot be read");
  return parse_estimates(text);
}

Result<void> write_estimates(const std::string& file, const state::Everything& everything) {
  const std::string fresh = file + ".new";
  {
    std::ofstream out(fresh, std::ios::binary | std::ios::trunc);
    ::chmod(fresh.c_str(), S_IRUSR | S_IWUSR);
    out << estimates_sums(everything);
    out.close();
    if (!out) return failure(fresh + " cannot be written");
  }
  if (std::rename(fresh.c_str(), file.c_str()) != 0) return failure(file + " cannot be replaced");
  return {};
}

}  // namespace fairlead::daemon
