#pragma once
// Rows <-> the bytes of the journal. Numbers are varints; a text that recurs is written once per segment, and by its number after.
#include <fairlead/result.h>
#include <fairlead/row.h>
#include <fairlead/store.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fairlead {

/// The texts of one segment, by number from 0. Kept for as long as rows refer to them.
using Texts = std::vector<std::string>;

enum class RowKind : std::uint8_t { text, request_open, attempt_open, attempt_settle, request_settle };

/// One row in its bytes, which refer to the texts of its segment.
struct EncodedRow {
  RowKind kind = RowKind::text;
  std::string_view id;    ///< of the request, in its bytes: good for comparing
  std::string_view body;  ///< what follows the kind, the id included
};

/// As RowScanner reads it.
void append_row(std::string& out, RowKind kind, std::string_view body);

class RowEncoder {
 public:
  static constexpr std::size_t texts_max = 16'384;
  static constexpr std::size_t texts_bytes_max = 8 << 20;  ///< above either, all are forgotten and written again when they recur

  /// Appends the row, after the texts that it is the first of its segment to use.
  /// Errors: internal for an amount beyond 64 bits; then, as after a frame that could not be written, call forget_frame().
  Result<void> add(const Write& row, std::string& out);
  /// A new segment begins: numbers begin at 0.
  void begin_segment();
  void begin_frame() { frame_begin_ = next_; }
  /// The frame was not written, nor were its texts.
  void forget_frame();

 private:
  struct Known {
    std::uint64_t epoch = 0;
    std::uint32_t number = 0;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  class Output;
  std::uint32_t number_of(const std::string& text, std::string& out);

  using Numbers = std::unordered_map<std::string, Known, Hash, std::equal_to<>>;
  Known& known(const std::string& text);

  Numbers texts_;
  /// Of `texts_`, those that came last, by a few of their bytes: most texts are those of the request before, and a comparison is
  /// cheaper than a hash.
  std::array<Numbers::value_type*, 256> lately_{};
  std::size_t texts_bytes_ = 0;
  std::uint64_t epoch_ = 1;
  std::uint32_t next_ = 0, frame_begin_ = 0;
  std::string row_;
};

/// Takes the rows out of a frame one by one, and its texts into `texts`.
class RowScanner {
 public:
  RowScanner(std::string_view frame, Texts& texts) : rest_(frame), texts_(texts) {}
  /// False at the end, or at bytes that are no row; then damaged().
  bool next(EncodedRow& row);
  bool damaged() const { return damaged_; }

 private:
  std::string_view rest_;
  Texts& texts_;
  bool damaged_ = false;
};

/// Puts rows together into a record. The memory of the record before is used again, since this is done for every request.
class RecordBuilder {
 public:
  /// Begins with nothing, or with what is known already.
  void begin();
  void begin(const RequestRecord& base);
  /// The row becomes the newest state. A second open of the same row, and a settlement of what is settled, change nothing.
  /// False: it is no row, or the settlement of an attempt that was not opened.
  bool apply(const EncodedRow& row, const Texts& texts);
  /// Good until the next begin().
  const RequestRecord& finish();

 private:
  RequestRecord::Attempt* find_attempt(int number);
  RequestRecord record_;
  std::size_t attempts_ = 0;  ///< of the record's; those behind are of a record before
};

/// The id as text.
std::string id_text(std::string_view encoded_id);

}  // namespace fairlead
