#include "cli/assertions.h"

#include "cli/table.h"
#include "plan/prove/told.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace fairlead::cli {
namespace {

using prove::Counterexample;
using prove::Proof;
using prove::Proofs;
using Verdict = prove::Proof::Verdict;

std::vector<std::string> example_lines(const Counterexample& example, const Snapshot& snapshot) {
  std::vector<std::string> lines{example.target->name + " may be reached:", "  " + prove::explain_command(example, snapshot)};
  for (std::string& line : prove::evaded_lines(example)) lines.push_back(std::move(line));
  for (const Rejection& rejection : example.rejections)
    lines.push_back("this very request would be stopped by " + std::string(to_string(rejection.by)) + " " + rejection.rule + ": " +
                    rejection.reason);
  return lines;
}

}  // namespace

std::string proofs_text(const Proofs& proofs, const Snapshot& snapshot, bool coloured) {
  const auto in = [&](const char* colour, const std::string& text) { return coloured ? colour + text + "\x1b[0m" : text; };
  constexpr const char *green = "\x1b[32m", *red = "\x1b[31m";
  std::string text = "\nassertions\n";
  for (const Proof& proof : proofs.proofs) {
    const bool good = proof.is_proved();
    const std::string verdict = good ? "proved" : proof.verdict == Verdict::fails ? "FAILS" : "UNDECIDED";
    text += "  " + in(good ? green : red, verdict) + "  " + printable(proof.assertion->name);
    if (!good) text += " (" + proof.assertion->place + ")";
    if (proof.verdict == Verdict::nobody) text += ", but of nobody: no request can match its `when`";
    if (proof.verdict == Verdict::undecided) text += ": there are too many cases to decide it";
    text += "\n";
    if (proof.counterexample)
      for (const std::string& line : example_lines(*proof.counterexample, snapshot)) text += "          " + printable(line) + "\n";
  }
  const auto proved = std::count_if(proofs.proofs.begin(), proofs.proofs.end(), std::mem_fn(&Proof::is_proved));
  return text + "  " + std::to_string(proved) + " proved, " +
         std::to_string(static_cast<std::ptrdiff_t>(proofs.proofs.size()) - proved) + " not, for all requests" +
         (proofs.end ? " before " + day_text(*proofs.end) : "") + "\n";
}

bool all_hold(const Proofs& proofs) {
  return std::all_of(proofs.proofs.begin(), proofs.proofs.end(), std::mem_fn(&Proof::is_proved));
}

}  // namespace fairlead::cli
