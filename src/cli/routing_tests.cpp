#include "cli/routing_tests.h"

#include "cli/table.h"
#include "plan/hypothetical.h"
#include "plan/plan.h"
#include "plan/reasons.h"
#include "plan/refusal.h"

#include <algorithm>
#include <utility>

namespace fairlead::cli {
namespace {

using Names = std::vector<std::string>;

bool holds(const Names& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

Names candidates_of(const Plan& plan) {
  Names names;
  for (const Candidate& candidate : plan.candidates) names.push_back(candidate.target->name);
  return names;
}

std::string listed(const Names& names) { return names.empty() ? "none" : joined(names); }

/// Compares a plan with what a test expects of it.
class Comparison {
 public:
  Comparison(const config::RoutingTest& test, const Plan& plan) : test_(test), plan_(plan), candidates_(candidates_of(plan)) {}

  std::vector<std::string> differences() {
    if (test_.target && (candidates_.empty() || candidates_.front() != *test_.target))
      differ("target", *test_.target + why_not(*test_.target), candidates_.empty() ? refusal() : candidates_.front());
    if (test_.order && *test_.order != candidates_) differ("order", listed(*test_.order), listed(candidates_));
    if (test_.allowed) compare_sets("allowed", *test_.allowed, candidates_);
    if (test_.refused_by) compare_refusal(*test_.refused_by);
    if (test_.cost) compare_cost(*test_.cost);
    return std::move(differences_);
  }

 private:
  void differ(const std::string& what, const std::string& expected, const std::string& came) {
    differences_.push_back(what);
    differences_.push_back("- " + expected);
    differences_.push_back("+ " + came);
  }

  /// Names that are there twice or in another order are no difference.
  void compare_sets(const std::string& what, const Names& expected, const Names& came) {
    std::vector<std::string> lines;
    for (const std::string& name : expected)
      if (!holds(came, name)) lines.push_back("- " + name + why_not(name));
    for (const std::string& name : came)
      if (!holds(expected, name)) lines.push_back("+ " + name);
    if (lines.empty()) return;
    differences_.push_back(what);
    differences_.insert(differences_.end(), lines.begin(), lines.end());
  }

  void compare_refusal(const Names& policies) {
    if (!candidates_.empty())
      differ("refused_by", listed(policies), "not refused: " + listed(candidates_));
    else
      compare_sets("refused_by", policies, refusing_policies(plan_));
  }

  void compare_cost(Int128 cost) {
    const bool known = !plan_.candidates.empty() && plan_.candidates.front().expected;
    if (known && plan_.candidates.front().expected->usd_pico == cost) return;
    differ("cost", format_decimal(cost) + " USD",
           known ? format_decimal(plan_.candidates.front().expected->usd_pico) + " USD for " + candidates_.front() : "not known");
  }

  /// The first reason that stands against a target, in brackets.
  std::string why_not(const std::string& target) const {
    for (const Rejection& reason : plan_reasons(plan_))
      if (reason.target->name == target)
        return " (" + std::string(to_string(reason.by)) + " " + reason.rule + ": " + reason.reason + ")";
    return "";
  }

  std::string refusal() const { return "refused: " + refusal_of(plan_, "(hypothetical)").message(); }

  const config::RoutingTest& test_;
  const Plan& plan_;
  const Names candidates_;
  std::vector<std::string> differences_;
};

TestOutcome run(const config::RoutingTest& test, const Snapshot& snapshot, TimePoint now) {
  const Conditions conditions;
  ChatRequest body;
  const auto facts = facts_of(test.asked, body, snapshot);
  if (!facts) return {&test, {facts.error().message()}};
  const Plan plan = make_plan(*facts, snapshot, conditions, test.at.value_or(now));
  return {&test, Comparison(test, plan).differences()};
}

}  // namespace

std::vector<TestOutcome> run_tests(const std::vector<config::RoutingTest>& tests, const Snapshot& snapshot, TimePoint now) {
  std::vector<TestOutcome> outcomes;
  for (const config::RoutingTest& test : tests) outcomes.push_back(run(test, snapshot, now));
  return outcomes;
}

std::string outcomes_text(const std::vector<TestOutcome>& outcomes, bool coloured) {
  const auto in = [&](const char* colour, const std::string& text) { return coloured ? colour + text + "\x1b[0m" : text; };
  constexpr const char *green = "\x1b[32m", *red = "\x1b[31m";
  std::string text = "\ntests\n";
  std::int64_t failed = 0;
  for (const TestOutcome& outcome : outcomes) {
    const std::string name = printable(outcome.test->name);
    if (outcome.differences.empty()) {
      text += "  " + in(green, "pass") + "  " + name + "\n";
      continue;
    }
    ++failed;
    text += "  " + in(red, "FAIL") + "  " + name + " (" + outcome.test->place + ")\n";
    for (const std::string& line : outcome.differences) {
      const char* colour = line.front() == '-' ? green : line.front() == '+' ? red : "";
      const std::string shown = (line.front() == '-' || line.front() == '+' ? "          " : "        ") + printable(line);
      text += (*colour == '\0' ? shown : in(colour, shown)) + "\n";
    }
  }
  return text + "  " + std::to_string(static_cast<std::int64_t>(outcomes.size()) - failed) + " passed, " + std::to_string(failed) +
         " failed\n";
}

}  // namespace fairlead::cli
