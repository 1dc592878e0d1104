// For the comment on a pull request.
#include "cli/comparison.h"
#include "cli/table.h"

#include <algorithm>
#include <utility>

namespace fairlead::cli {
namespace {

/// A text of the files, which may not become markup.
std::string code(std::string_view text) {
  std::string out = printable(text);
  std::replace(out.begin(), out.end(), '`', '\'');
  return "`" + out + "`";
}

/// In a table a '|' ends the cell, in code too.
std::string in_cell(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '|' ? "\\|" : std::string(1, c));
  return out;
}

std::string codes(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + code(name);
  return text;
}

std::string targets_cell(const Effect& effect) {
  if (!effect.before) return "now theirs: " + (effect.after->targets.empty() ? "nothing" : codes(effect.after->targets));
  if (!effect.after) return "no more theirs";
  std::string text;
  const auto line = [&](const std::string& what) { text += (text.empty() ? "" : "<br>") + what; };
  if (effect.after->targets.empty()) line("**every request is refused**");
  for (const TargetChange& gained : effect.gained) line("**+** " + code(gained.target) + " " + code(gained.why));
  for (const TargetChange& lost : effect.lost) line("**-** " + code(lost.target) + " " + code(lost.why));
  if (effect.reordered) line("order: " + codes(effect.after->targets));
  return text;
}

std::string stated(const std::string& value) { return value.empty() ? "not stated" : code(value); }

std::string change_item(const Change& change) {
  std::string text = "- " + std::string(to_string(change.kind)) + " " + code(change.name);
  std::string separator = ": ";
  for (const FieldChange& field : change.fields) {
    text += std::exchange(separator, "; ") + field.field + " ";
    if (change.kind == ChangeKind::added)
      text += code(field.after);
    else if (change.kind == ChangeKind::removed)
      text += code(field.before);
    else
      text += stated(field.before) + " → " + stated(field.after);
  }
  return text + "\n";
}

}  // namespace

std::string comparison_markdown(const Comparison& comparison, const Told& told) {
  std::string text = "### " + code(told.before) + " → " + code(told.after) + "\n\nBy a request of " +
                     std::to_string(told.reference.input_tokens) + " input and " + std::to_string(told.reference.output_tokens) +
                     " output tokens at " + minute_text(told.reference.at) +
                     (comparison.asked_from.empty() ? "" : ", from " + codes(comparison.asked_from)) +
                     ". Secrets that are missing here count as there.\n";
  if (!comparison.any())
    return text + "\nNothing differs in policies, keys, routes, providers, prices and plans.\n" + unseen_text(comparison);
  if (!comparison.needs_restart.empty())
    text += "\n**A reload cannot change** " + codes(comparison.needs_restart) + ": restart for it.\n";
  if (comparison.effects.empty()) {
    text += "\nNobody's requests go elsewhere or cost something else.\n";
  } else {
    text += "\n| route | keys | cost of 1,000 requests | targets |\n| --- | --- | --- | --- |\n";
    for (const Effect& effect : comparison.effects)
      text += "| " + in_cell(code(effect.route)) + " | " +
              in_cell(codes(effect.keys) + (effect.from.empty() ? "" : "<br>from " + codes(effect.from))) + " | " +
              cost_text(effect, " → ") + " | " + in_cell(targets_cell(effect)) + " |\n";
  }
  for (const Section& section : comparison.sections) {
    text += "\n**What is written of " + section.title + "**\n\n";
    for (const Change& change : section.changes) text += change_item(change);
  }
  return text;
}

}  // namespace fairlead::cli
