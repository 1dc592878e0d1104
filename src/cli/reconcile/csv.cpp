#include "cli/reconcile/csv.h"

#include <utility>

namespace fairlead::cli {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {
    if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
  }

  Result<std::vector<CsvRow>> read() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row;
      const int line = line_;
      if (auto done = read_row(row); !done) return done.error();
      if (row.size() == 1 && row.front().text.empty()) continue;
      if (!rows.empty() && row.size() != rows.front().size())
        return wrong(line, 1, std::to_string(row.size()) + " cells, and the first row has " + std::to_string(rows.front().size()));
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  static Error wrong(int line, int column, const std::string& what) {
    return {ErrorKind::config, ErrorOrigin::fairlead, std::to_string(line) + ":" + std::to_string(column) + ": " + what};
  }
  int column() const { return static_cast<int>(at_ - line_begin_) + 1; }
  bool at_end_of_line() const { return at_ == text_.size() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n"; }

  void next_line() {
    at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
    line_begin_ = at_;
  }

  Result<void> read_row(CsvRow& row) {
    for (;;) {
      CsvCell cell{{}, line_, column()};
      const bool quoted = at_ < text_.size() && text_[at_] == '"';
      if (auto done = quoted ? read_quoted(cell) : read_plain(cell); !done) return done;
      row.push_back(std::move(cell));
      if (at_ < text_.size() && text_[at_] == ',') {
        ++at_;
        continue;
      }
      if (at_ < text_.size()) next_line();
      return {};
    }
  }

  Result<void> read_plain(CsvCell& cell) {
    for (; !at_end_of_line() && text_[at_] != ','; ++at_) {
      if (text_[at_] == '"') return wrong(line_, column(), "a quote inside of a cell that does not begin with one");
      if (text_[at_] == '\r') return wrong(line_, column(), "a carriage return without a line feed");
      cell.text += text_[at_];
    }
    return {};
  }

  Result<void> read_quoted(CsvCell& cell) {
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c != '"') {
        cell.text += c;
        if (c == '\n') ++line_, line_begin_ = at_ + 1;
      } else if (text_.substr(at_ + 1, 1) == "\"") {
        cell.text += '"';
        ++at_;
      } else {
        ++at_;
        if (!at_end_of_line() && text_[at_] != ',') return wrong(line_, column(), "text behind the closing quote of a cell");
        return {};
      }
    }
    return wrong(cell.line, cell.column, "the quote that begins here never ends");
  }

  std::string_view text_;
  std::size_t at_ = 0, line_begin_ = 0;
  int line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> read_csv(std::string_view text) { return CsvReader(text).read(); }

}  // namespace fairlead::cli
