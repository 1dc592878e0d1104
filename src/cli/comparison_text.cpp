// For people at a terminal.
#include "cli/comparison.h"
#include "cli/table.h"

#include <algorithm>

namespace fairlead::cli {
namespace {

constexpr Int128 least_shown_pico = pico_per_unit / 10'000;

/// Rounded half up to 10^-4 USD; exact where that would show nothing.
std::string usd_text(const std::optional<Int128>& pico) {
  if (!pico) return "no price";
  const Int128 rounded = (*pico + least_shown_pico / 2) / least_shown_pico * least_shown_pico;
  return format_decimal(rounded == 0 ? *pico : rounded) + " USD";
}

/// " (+12.3 %)"; empty where there is nothing to compare by, or less than that to tell.
std::string share_text(const std::optional<Int128>& before, const std::optional<Int128>& after) {
  if (!before || !after || *before == 0 || *before == *after) return "";
  const Int128 change = (*after - *before) * 1'000;
  const Int128 half = *before / 2;
  const Int128 tenths = (change < 0 ? change - half : change + half) / *before;
  if (tenths == 0) return "";
  return " (" + std::string(tenths < 0 ? "" : "+") + format_decimal(tenths * (pico_per_unit / 10)) + " %)";
}

std::string offered(const Offer& offer) {
  return offer.targets.empty() ? "nothing: every request is refused" : joined(offer.targets);
}

std::string effect_text(const Effect& effect) {
  std::string text = "  " + effect.route + ", for " + (effect.keys.size() == 1 ? "key " : "keys ") + joined(effect.keys) +
                     (effect.from.empty() ? "" : ", from " + joined(effect.from)) + "\n";
  const auto line = [&](const std::string& what) { text += "    " + what + "\n"; };
  if (!effect.before) line("now theirs to ask for: " + offered(*effect.after));
  if (!effect.after) line("no more theirs to ask for; it was " + offered(*effect.before));
  if (effect.before && effect.after && effect.after->targets.empty()) line("every request is refused now");
  line("1,000 requests: " + cost_text(effect, " -> "));
  for (const TargetChange& gained : effect.gained) line("+ " + gained.target + "  (" + gained.why + ")");
  for (const TargetChange& lost : effect.lost) line("- " + lost.target + "  (" + lost.why + ")");
  if (effect.reordered) line("order: " + joined(effect.before->targets) + " -> " + joined(effect.after->targets));
  return text;
}

std::string change_text(const Change& change) {
  const std::string mark = change.kind == ChangeKind::added ? "+ " : change.kind == ChangeKind::removed ? "- " : "~ ";
  std::string text = "  " + mark + change.name + "\n";
  for (const FieldChange& field : change.fields) {
    text += "      " + field.field + ": ";
    if (change.kind == ChangeKind::added)
      text += field.after;
    else if (change.kind == ChangeKind::removed)
      text += field.before;
    else
      text += (field.before.empty() ? "not stated" : field.before) + " -> " + (field.after.empty() ? "not stated" : field.after);
    text += "\n";
  }
  return text;
}

/// As a whole, printable: names come from files that somebody else wrote.
std::string printable_lines(const std::string& text) {
  std::string safe;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    safe += printable(std::string_view(text).substr(at, end - at)) + "\n";
    at = end + 1;
  }
  return safe;
}

}  // namespace

std::string cost_text(const Effect& effect, std::string_view arrow) {
  const auto cost = [](const std::optional<Offer>& offer) {
    return !offer ? std::string("none") : offer->targets.empty() ? std::string("refused") : usd_text(offer->usd_pico);
  };
  std::string before = cost(effect.before), after = cost(effect.after);
  if (!effect.before) return after;
  if (!effect.after || before == after) return before;
  return before + std::string(arrow) + after + share_text(effect.before->usd_pico, effect.after->usd_pico);
}

std::string comparison_text(const Comparison& comparison, const Told& told) {
  std::string text = told.before + " -> " + told.after + "\nBy a request of " + std::to_string(told.reference.input_tokens) +
                     " input and " + std::to_string(told.reference.output_tokens) + " output tokens at " +
                     minute_text(told.reference.at) +
                     (comparison.asked_from.empty() ? "" : ", from " + joined(comparison.asked_from)) +
                     ". Secrets that are missing here count as there.\n";
  if (!comparison.any())
    return printable_lines(text + "\nNothing differs in policies, keys, routes, providers, prices and plans.\n" +
                           unseen_text(comparison));
  if (!comparison.needs_restart.empty())
    text += "\nA reload cannot change " + joined(comparison.needs_restart) + ": restart for it.\n";
  text += comparison.effects.empty() ? "\nNobody's requests go elsewhere or cost something else.\n" : "\nWhat changes for whom\n";
  for (const Effect& effect : comparison.effects) text += effect_text(effect);
  for (const Section& section : comparison.sections) {
    text += "\nWhat is written of " + section.title + "\n";
    for (const Change& change : section.changes) text += change_text(change);
  }
  return printable_lines(text);
}

}  // namespace fairlead::cli
