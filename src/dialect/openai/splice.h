#pragma once
// Changes to a text without a copy of it: the pieces between the edits stay views of the original. Used by both halves of the
// dialect.
#include <fairlead/dialect.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace fairlead::openai {

/// A part of a text. Offsets, half open; empty parts are allowed.
struct Range {
  std::size_t begin = 0, end = 0;
  bool empty() const { return begin == end; }
};

/// Put `text`, which outlives the pieces, in the place of `range`.
struct Edit {
  Range range;
  std::string_view text;
};

/// Appends a view; one that continues the last is joined to it.
void append_piece(Pieces& out, std::string_view piece);

/// Appends `original` with the edits made. They do not overlap; their order is made here.
void splice(std::string_view original, std::vector<Edit>& edits, Pieces& out);

}  // namespace fairlead::openai
