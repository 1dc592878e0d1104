#include "content/numbers.h"

#include "content/cards.h"
#include "content/check_digits.h"
#include "content/ibans.h"
#include "content/national_ids.h"
#include "content/phones.h"

#include <re2/re2.h>
#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <optional>
#include <string>

namespace fairlead::content {
namespace {

constexpr std::size_t npos = std::string_view::npos;
constexpr std::size_t group_max = 32;  ///< longer groups begin no layout
constexpr std::size_t separators_max = 3;
constexpr std::size_t bare_min = 8;  ///< a shorter group is nothing, or is followed by digits

/// How cards are printed: groups of digits.
constexpr std::array<std::array<std::size_t, 5>, 6> card_groups = {
    {{4, 4, 4, 4, 3}, {4, 4, 4, 4, 0}, {4, 6, 5, 0, 0}, {4, 6, 4, 0, 0}, {4, 3, 3, 3, 0}, {6, 13, 0, 0, 0}}};

bool is_separator(char c) { return c == ' ' || c == '-' || c == '.' || c == '/' || c == '_' || c == '(' || c == ')'; }

/// After one to three separators; npos if there is none.
std::size_t after_separators(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && end - at < separators_max && is_separator(text[end])) ++end;
  return end == at ? npos : end;
}

template <class Is>
std::size_t end_of_run(std::string_view text, std::size_t at, Is is) {
  while (at < text.size() && is(text[at])) ++at;
  return at;
}

/// Where a group of digits, after separators, begins and ends; empty if there is none.
std::string_view next_digits(std::string_view text, std::size_t at) {
  const std::size_t begin = after_separators(text, at);
  if (begin == npos) return {};
  return text.substr(begin, end_of_run(text, begin, is_digit) - begin);
}

std::size_t end_in(std::string_view text, std::string_view part) {
  return static_cast<std::size_t>(part.data() - text.data()) + part.size();
}

/// Of a layout: its first two groups, as one number.
std::size_t index_of(std::size_t first, std::size_t second) { return first * group_max + second; }
std::size_t index_of(std::string_view layout) {
  const auto is_group = [](char c) { return c == 'd' || c == 'L' || c == 'W'; };
  const std::size_t first = end_of_run(layout, 0, is_group);
  if (first == layout.size()) return index_of(first, 0);
  return index_of(first, end_of_run(layout, first + 1, is_group) - first - 1);
}

/// Reads one text, from one group of letters and digits to the next.
class Search {
 public:
  Search(std::string_view text, const std::vector<std::vector<Shape>>& shapes, Tally& tally)
      : text_(text), shapes_(shapes), tally_(tally) {}

  void run() {
    std::size_t done = 0, group_end = 0;
    for (std::size_t at = 0; (at = next_digit(at)) < text_.size(); done = at) {
      std::size_t begin = at;
      while (begin > done && is_alphanumeric(text_[begin - 1])) --begin;
      if (at >= group_end) {  // a group of many cards is looked through once, not once for each
        group_end = end_of_run(text_, at, is_alphanumeric);
        hexadecimal_ = is_hexadecimal(text_.substr(begin, group_end - begin));
      }
      at = find_at(begin, group_end);
    }
  }

 private:
  static bool is_hexadecimal(std::string_view group) {
    const auto is_hex = [](char c) { return is_digit(c) || (upper(c) >= 'A' && upper(c) <= 'F'); };
    return std::any_of(group.begin(), group.end(), is_letter) && std::all_of(group.begin(), group.end(), is_hex);
  }
  std::size_t next_digit(std::size_t at) const {
    while (at < text_.size() && !is_digit(text_[at])) ++at;
    return at;
  }
  bool digit_at(std::size_t at) const { return at < text_.size() && is_digit(text_[at]); }
  bool joined_before(std::size_t begin, std::string_view by) const {
    return begin >= 2 && by.find(text_[begin - 1]) != npos && is_digit(text_[begin - 2]);
  }
  bool joined_after(std::size_t end, std::string_view by) const {
    return end < text_.size() && by.find(text_[end]) != npos && digit_at(end + 1);
  }

  /// "X-1234567-L": a letter that stands for itself may belong to the digits behind it.
  bool after_lone_letter(std::size_t begin) const {
    return begin >= 2 && is_letter(text_[begin - 2]) && !is_alphanumeric(text_[begin - 1]) &&
           (begin == 2 || !is_alphanumeric(text_[begin - 3]));
  }

  /// Where the next group begins, after separators or the + of a Swede of a hundred years; npos: this one stands alone.
  std::size_t next_group(std::size_t end) const {
    return end < text_.size() && text_[end] == '+' ? end + 1 : after_separators(text_, end);
  }

  /// Counts what the group from `begin` to `end` begins; it may be several things at once. Gives where to look on: behind an IBAN,
  /// whose other groups are nothing else; behind this group alone in all other cases, as what is right by chance hides no other
  /// kind.
  std::size_t find_at(std::size_t begin, std::size_t end) {
    if (after_lone_letter(begin)) find_shapes(begin - 2, begin - 1);
    const std::size_t next = next_group(end);
    if (is_digit(text_[begin]) && end - begin < bare_min && (next == npos || !digit_at(next))) return end;  // most numbers end here
    if (const std::size_t iban_end = end_of_iban(text_, begin); iban_end != npos) return tally_.add(iban), iban_end;
    find_card(begin, end);
    find_international_phone(begin);
    find_shapes(begin, end);
    return card_end_ > begin ? std::min(card_end_, end) : end;
  }

  void find_card(std::size_t begin, std::size_t end) {
    const std::size_t found = begin < card_end_ ? npos : card_in(begin, end);
    if (found == npos) return;
    card_end_ = found;
    phone_end_ = std::max(phone_end_, found);  // digits of a card are no telephone number
    tally_.add(payment_card);
  }

  std::size_t card_in(std::size_t begin, std::size_t end) {
    if (hexadecimal_) return npos;  // some of its digits stand alone by chance; words stand before cards
    for (std::size_t at = begin; at < end;) {
      const std::size_t run_end = end_of_run(text_, at, is_digit);
      if (run_end == at) {
        ++at;
        continue;
      }
      const std::size_t card_end = joined_before(at, ".") ? npos : card_at(at, run_end);
      if (card_end != npos && !joined_after(card_end, ".")) return card_end;
      at = run_end;
    }
    return npos;
  }

  std::size_t card_at(std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    if (size >= 12) return is_payment_card(text_.substr(begin, size)) ? end : npos;
    if (size <= 2) return chain_at(begin, end);
    for (const auto& sizes : card_groups)
      if (sizes[0] == size)
        if (const std::size_t card_end = grouped_card(begin, end, sizes); card_end != npos) return card_end;
    return npos;
  }

  std::size_t grouped_card(std::size_t begin, std::size_t end, const std::array<std::size_t, 5>& sizes) const {
    std::string digits(text_.substr(begin, end - begin));
    for (std::size_t i = 1; i < sizes.size() && sizes.at(i) != 0; ++i) {
      const std::string_view group = next_digits(text_, end);
      if (group.size() != sizes.at(i)) return npos;
      digits += group;
      end = end_in(text_, group);
    }
    return is_payment_card(digits) ? end : npos;
  }

  /// Digits one by one, or in pairs, as one row: nothing of the kind before or after it.
  std::size_t chain_at(std::size_t begin, std::size_t end) {
    if (begin < chain_end_) return npos;
    const std::size_t size = end - begin;
    std::string digits(text_.substr(begin, size));
    for (;;) {
      const std::string_view group = next_digits(text_, end);
      if (group.size() != size) break;
      if (digits.size() < 20) digits += group;
      end = end_in(text_, group);
    }
    if (is_payment_card(digits)) return end;
    if (!joined_before(begin, ":,")) chain_end_ = end;  // minutes and cents are of no row
    return npos;
  }

  /// '+', or 00 and separators, then groups of digits: as many of them as make a number.
  void find_international_phone(std::size_t begin) {
    if (begin < phone_end_ || begin < id_end_) return;
    const std::size_t bracket = begin > 0 && text_[begin - 1] == '(' ? 1 : 0;
    const bool plus = begin > bracket && text_[begin - 1 - bracket] == '+' &&
                      (begin < bracket + 2 || !is_alphanumeric(text_[begin - 2 - bracket]));
    // "120,00" and "18:00" end in no dialling prefix.
    const bool zeros = !plus && text_.substr(begin, 2) == "00" && !joined_before(begin, digit_at(begin + 2) ? "-./" : "-./:,");
    if (!plus && !zeros) return;
    std::string digits;
    std::string_view group = text_.substr(begin, end_of_run(text_, begin, is_digit) - begin);
    for (int groups = 1; !group.empty() && digits.size() + group.size() <= 17; ++groups) {
      digits += group;
      const std::size_t end = end_in(text_, group);
      if (end < text_.size() && is_letter(text_[end])) break;
      if ((plus || groups > 1) && is_international_phone(std::string_view(digits).substr(zeros ? 2 : 0))) phone_end_ = end;
      group = next_digits(text_, end);
    }
    if (phone_end_ > begin) tally_.add(phone);
  }

  void find_shapes(std::size_t begin, std::size_t end) {
    const std::size_t size = end - begin;
    if (size >= group_max || joined_before(begin, "-.") || (begin > 0 && text_[begin - 1] == '+')) return;
    Kinds kinds = 0;
    const auto try_all = [&](std::size_t index) {
      for (const Shape& shape : shapes_[index]) {
        std::size_t& kinds_end =
            shape.kind == phone ? phone_end_ : id_ends_.at(static_cast<std::size_t>(std::countr_zero(shape.kind)));
        if (begin < kinds_end && (kinds & shape.kind) == 0) continue;
        const std::size_t shape_end = end_of(shape, begin);
        if (shape_end == npos) continue;
        kinds |= shape.kind;
        kinds_end = std::max(kinds_end, shape_end);
        if (shape.kind != phone) id_end_ = std::max(id_end_, shape_end);
      }
    };
    try_all(index_of(size, 0));
    const std::size_t next = next_group(end);
    const std::size_t second = next == npos ? 0 : end_of_run(text_, next, is_alphanumeric) - next;
    if (second > 0 && second < group_max) try_all(index_of(size, second));
    if (kinds != 0) tally_.add(kinds);
  }

  std::size_t after_separator(std::size_t at, std::string_view any) const {
    return at < text_.size() && any.find(text_[at]) != npos ? at + 1 : npos;
  }

  std::size_t end_of(const Shape& shape, std::size_t begin) {
    std::string characters;
    std::size_t at = begin;
    for (const char wanted : shape.layout) {
      if (wanted == ' ' || wanted == '_') {
        at = shape.kind == phone ? after_separators(text_, at) : after_separator(at, wanted == ' ' ? " -./" : " -");
        if (at == npos) return npos;
        continue;
      }
      if (at >= text_.size()) return npos;
      const char c = text_[at++];
      const bool fits = wanted == 'd'   ? is_digit(c)
                        : wanted == 'L' ? is_letter(c)
                        : wanted == 'W' ? is_alphanumeric(c)
                                        : c == wanted || (wanted == '-' && c == '+');
      if (!fits) return npos;
      if (is_alphanumeric(c)) characters += upper(c);
    }
    // A slash parts two numbers, but for those that are written with slashes themselves.
    const std::string_view joins = text_.substr(begin, at - begin).find('/') == npos ? "-." : "-./";
    if ((at < text_.size() && is_alphanumeric(text_[at])) || joined_before(begin, joins) || joined_after(at, joins)) return npos;
    return shape.check(characters) && (!shape.words || names(*shape.words)) ? at : npos;
  }

  /// Does the text have these words somewhere?
  bool names(const re2::RE2& words) {
    auto [known, fresh] = named_.emplace(&words, false);
    if (fresh) known->second = re2::RE2::PartialMatch(text_, words);
    return known->second;
  }

  std::string_view text_;
  const std::vector<std::vector<Shape>>& shapes_;
  Tally& tally_;
  bool hexadecimal_ = false;  ///< the group that is looked at
  std::size_t chain_end_ = 0;
  std::size_t card_end_ = 0, phone_end_ = 0, id_end_ = 0;  ///< of the last one: none of the kind begins before
  std::array<std::size_t, 64> id_ends_{};                  ///< of ids of one country each
  std::map<const re2::RE2*, bool> named_;
};

}  // namespace

NumberFinder::NumberFinder(Kinds wanted) : shapes_(group_max * group_max) {
  Kinds kind = Kinds{1} << first_national_id;
  const auto add = [&](std::string_view layout, auto check, const std::shared_ptr<const re2::RE2>& words) {
    const bool weak = layout.front() == '?';
    if (weak) layout.remove_prefix(1);
    if ((kind & wanted) != 0) shapes_[index_of(layout)].push_back({kind, layout, check, weak ? words : nullptr});
  };
  for (const NationalId& id : national_ids()) {
    const auto words = std::make_shared<const re2::RE2>("(?i)" + std::string(id.words));
    for (const std::string_view layout : id.layouts) add(layout, id.check, words);
    kind <<= 1;
  }
  kind = phone;
  const auto words = std::make_shared<const re2::RE2>("(?i)" + std::string(phone_words));
  for (const PhoneLayout& one : phone_layouts()) add(one.layout, one.check, words);
}

void NumberFinder::find(std::string_view text, Tally& tally) const { Search(text, shapes_, tally).run(); }

}  // namespace fairlead::content
