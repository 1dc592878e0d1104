#include "cli/reconcile/reconciliation.h"

#include <algorithm>
#include <utility>

namespace fairlead::cli {
namespace {

constexpr std::array<std::string_view, verdict_count> verdict_names{"equal", "within tolerance", "differs", "only in the bill",
                                                                    "only in the ledger"};

Int128 size_of(Int128 value) { return value < 0 ? -value : value; }

Int128 figure_of(const Figures& figures, Measure measure) { return figures[static_cast<std::size_t>(measure)].value_or(0); }

/// A share of a figure, in two steps so that neither leaves 128 bits.
Int128 part_of(Int128 figure, Int128 share) { return (size_of(figure) / 1'000'000'000) * (share / 1'000'000'000); }

Verdict verdict_of(Int128 billed, Int128 booked, Measure measure, const Tolerance& tolerance) {
  const Int128 apart = size_of(billed - booked);
  if (apart == 0) return Verdict::equal;
  const Int128 absolute = measure == Measure::cost ? tolerance.cost : tolerance.tokens;
  return apart <= absolute || apart <= part_of(billed, tolerance.share) ? Verdict::tolerated : Verdict::differs;
}

}  // namespace

std::string_view to_string(Verdict verdict) { return verdict_names[static_cast<std::size_t>(verdict)]; }

BookSums::BookSums(const Bill& bill, std::string provider, std::string first, std::string last)
    : bill_(bill), provider_(std::move(provider)), first_(std::move(first)), last_(std::move(last)) {
  for (const auto& line : bill.lines) {
    billed_models_.insert(line.first.model);
    if (bill.by_attempt) billed_attempts_.emplace(line.first.attempt, line.first);
  }
}

void BookSums::add(const RequestRecord& record) {
  for (const RequestRecord::Attempt& attempt : record.attempts) {
    if (attempt.state == RowState::open || (!provider_.empty() && attempt.open.provider != provider_)) continue;
    const std::string day = bill_day(attempt.open.sent_at, bill_.zone_minutes);
    if (day >= first_ && day <= last_) add(attempt);
  }
}

/// A provider may bill under the name that its answer had, or under the one that was asked for.
BillKey BookSums::key_of(const RequestRecord::Attempt& attempt) const {
  const AttemptOpen& open = attempt.open;
  const bool by_answer = billed_models_.contains(attempt.settle.reported_model);
  BillKey key{bill_day(open.sent_at, bill_.zone_minutes), by_answer ? attempt.settle.reported_model : open.model, {}};
  if (!bill_.by_attempt) return key;
  key.attempt = open.request_id + "-" + std::to_string(open.number);
  // The attempt names the line; what day and model it is filed under is the bill's.
  if (const auto billed = billed_attempts_.find(key.attempt); billed != billed_attempts_.end()) return billed->second;
  return key;
}

void BookSums::add(const RequestRecord::Attempt& attempt) {
  const AttemptSettle& settle = attempt.settle;
  // What never reached the provider, or was refused by it, is on no bill but one that has a line for each attempt.
  if (settle.usage_source == UsageSource::none && (!bill_.by_attempt || settle.status == 0)) return;
  providers_.insert(attempt.open.provider);
  const bool estimated = settle.usage_source == UsageSource::estimated || settle.usage_source == UsageSource::invalid;
  Line& line = lines_[key_of(attempt)];
  ++line.attempts;
  line.estimated_attempts += estimated;
  const auto add_to = [&](Measure measure, std::int64_t count) {
    add_figure(line.figures, measure, Int128{count} * attos_per_unit);
    if (estimated) add_figure(line.estimated, measure, Int128{count} * attos_per_unit);
  };
  const Usage& usage = settle.usage;
  // Kinds that the bill does not tell apart are a part of its input.
  const auto input_kind = [&](Measure measure) { return bill_.has(measure) ? measure : Measure::input; };
  add_to(Measure::requests, 1);
  add_to(Measure::input, usage.input.value_or(0));
  add_to(input_kind(Measure::cached_input), usage.cached_input.value_or(0));
  add_to(input_kind(Measure::cache_write), usage.cache_write.value_or(0));
  add_to(Measure::output, usage.output_total());
  add_cost(line, settle, estimated);
}

void BookSums::add_cost(Line& line, const AttemptSettle& settle, bool estimated) {
  if (!bill_.has(Measure::cost)) return;
  add_figure(line.figures, Measure::cost, 0);
  if (!settle.cost) {
    ++unpriced_;
    return;
  }
  if (settle.cost->pico != 0 && settle.cost->currency.view() != bill_.currency) {
    ++other_currency_;
    return;
  }
  add_figure(line.figures, Measure::cost, settle.cost->pico * attos_per_pico);
  if (estimated) add_figure(line.estimated, Measure::cost, settle.cost->pico * attos_per_pico);
}

bool Reconciliation::agrees() const {
  const auto count = [this](Verdict verdict) { return counts[static_cast<std::size_t>(verdict)]; };
  return count(Verdict::differs) + count(Verdict::only_billed) + count(Verdict::only_booked) == 0;
}

Reconciliation reconcile(const Bill& bill, const BookSums& books, const Tolerance& tolerance) {
  Reconciliation result;
  std::set<BillKey> keys;
  for (const auto& line : bill.lines) keys.insert(line.first);
  for (const auto& line : books.lines()) keys.insert(line.first);
  for (const BillKey& key : keys) {
    const auto billed = bill.lines.find(key);
    const auto booked = books.lines().find(key);
    for (std::size_t i = 0; i < measure_count; ++i) {
      const auto measure = static_cast<Measure>(i);
      if (!bill.has(measure)) continue;
      Compared line{key, measure, {}, {}, 0, Verdict::equal};
      if (billed != bill.lines.end()) line.billed = figure_of(billed->second, measure);
      if (booked != books.lines().end()) {
        line.booked = figure_of(booked->second.figures, measure);
        line.estimated = figure_of(booked->second.estimated, measure);
        add_figure(result.estimated, measure, line.estimated);
      }
      line.verdict = verdict_of(line.billed.value_or(0), line.booked.value_or(0), measure, tolerance);
      if (line.verdict == Verdict::differs && !line.booked) line.verdict = Verdict::only_billed;
      if (line.verdict == Verdict::differs && !line.billed) line.verdict = Verdict::only_booked;
      add_figure(result.billed, measure, line.billed.value_or(0));
      add_figure(result.booked, measure, line.booked.value_or(0));
      ++result.counts[static_cast<std::size_t>(line.verdict)];
      result.lines.push_back(std::move(line));
    }
  }
  return result;
}

}  // namespace fairlead::cli
