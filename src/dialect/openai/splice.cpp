#include "dialect/openai/splice.h"

#include <algorithm>

namespace fairlead::openai {

void append_piece(Pieces& out, std::string_view piece) {
  if (piece.empty()) return;
  if (!out.empty() && out.back().data() + out.back().size() == piece.data()) {
    out.back() = {out.back().data(), out.back().size() + piece.size()};
    return;
  }
  out.push_back(piece);
}

void splice(std::string_view original, std::vector<Edit>& edits, Pieces& out) {
  if (edits.size() > 1)
    std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.range.begin < b.range.begin; });
  std::size_t at = 0;
  for (const Edit& edit : edits) {
    append_piece(out, original.substr(at, edit.range.begin - at));
    if (!edit.text.empty()) out.push_back(edit.text);
    at = edit.range.end;
  }
  append_piece(out, original.substr(at));
}

}  // namespace fairlead::openai
