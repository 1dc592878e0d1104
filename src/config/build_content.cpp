// Classes of content: the operator's own, and which of all are looked for.
#include "config/build.h"

#include "content/kinds.h"
#include "content/scanner.h"

#include <algorithm>
#include <set>
#include <utility>

namespace fairlead::config {
namespace {

constexpr std::size_t words_max = 1'000, patterns_max = 100;

/// The good ones of a list; a finding for each other.
template <class FaultOf>
std::vector<std::string> checked(Build& build, const Section& from, std::string_view name, std::size_t most, FaultOf fault_of) {
  const std::vector<const Value*> values = from.values(name);
  if (values.size() > most)
    build.findings.error(*values[most], "these are more than " + std::to_string(most) + " " + std::string(name),
                         "make a second class of the rest");
  std::vector<std::string> good;
  for (const Value* value : values) {
    const std::string fault = fault_of(value->text);
    if (fault.empty())
      good.push_back(value->text);
    else
      build.findings.error(*value, in_quotes(value->raw) + " cannot be looked for: " + fault);
  }
  return good;
}

std::vector<content::OwnClass> own_classes(Build& build) {
  const auto built_in = content::built_in_classes();
  std::vector<content::OwnClass> own;
  for (const Section& from : build.root.sections("content")) {
    if (std::find(built_in.begin(), built_in.end(), from.key()) != built_in.end())
      build.findings.add(Severity::error, from.value().key_place, from.value().path,
                         in_quotes(from.key()) + " is a class of the product", "choose another name");
    own.push_back({from.key(), checked(build, from, "words", words_max, content::fault_of_word),
                   checked(build, from, "patterns", patterns_max, content::fault_of_pattern)});
  }
  return own;
}

/// All that are looked for together.
void check_steps(Build& build, const std::set<std::string>& asked) {
  int steps = 0;
  for (const Section& from : build.root.sections("content")) {
    if (asked.count(from.key()) == 0) continue;
    for (const Value* pattern : from.values("patterns")) {
      const int own = content::steps_of_pattern(pattern->text);
      if (own > 0 && own <= content::pattern_steps_max) steps += own;  // others have an error of their own
      if (steps <= content::patterns_steps_max) continue;
      return build.findings.error(*pattern,
                                  "a long text could make them slow: with this one, all patterns that policies ask for have " +
                                      std::to_string(steps) + " steps, and " + std::to_string(content::patterns_steps_max) +
                                      " are the most",
                                  "repeat less, or narrower classes (`[A-Za-z]` is a step, `\\pL` some 1,200), or look for words");
    }
  }
}

/// The classes that a rule's `when` names; a finding for each that there is not.
std::vector<std::string> classes_of(Build& build, const Section& rule, const std::vector<std::string_view>& known) {
  std::vector<std::string> classes;
  if (rule.find("when") == nullptr) return classes;
  for (const Value* name : rule.section("when").values("content")) {
    classes.push_back(name->text);
    if (std::find(known.begin(), known.end(), name->text) == known.end())
      build.findings.error(*name, "no class of content " + in_quotes(name->text), did_you_mean(name->text, known, "there are"));
  }
  return classes;
}

}  // namespace

void build_content(Build& build) {
  std::vector<content::OwnClass> own = own_classes(build);
  std::vector<std::string_view> known = content::built_in_classes();
  for (const content::OwnClass& one : own) known.push_back(one.name);
  std::set<std::string> asked;
  for (const Section& policy : build.root.sections("policies"))
    for (std::string& name : classes_of(build, policy, known)) asked.insert(std::move(name));
  check_steps(build, asked);
  for (const Section& assertion : build.root.sections("assertions"))
    for (const char* says : {"never", "always"})
      if (assertion.find(says) != nullptr)
        classes_of(build, assertion.section(says), known);  // nothing is looked for because of them
  for (const Section& one : build.root.sections("content"))
    if (asked.count(one.key()) == 0)
      build.findings.add(Severity::warning, one.value().key_place, one.value().path,
                         "no policy asks for the content " + in_quotes(one.key()), "name it in a policy's `when: {content: ...}`");
  if (!asked.empty() && !build.findings.failed()) build.snapshot.content = content::make_scanner({asked.begin(), asked.end()}, own);
}

}  // namespace fairlead::config
