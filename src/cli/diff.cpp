// `fairlead diff OLD NEW`: what a change of the configuration changes for whom, before it is live.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/comparison.h"
#include "cli/time.h"
#include "config/config.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

namespace fairlead::cli {
namespace {

constexpr std::int64_t tokens_max = 1'000'000'000;

struct DiffWanted {
  std::string before, after;
  std::string tokens = "1000,400";
  std::string at;
  std::string network;
  std::string format = "text";
  bool exit_code = false;
};

/// "1000,400"
bool parse_tokens(std::string_view text, std::int64_t& input, std::int64_t& output) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, input);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',') return false;
  const auto second = std::from_chars(first.ptr + 1, end, output);
  return second.ec == std::errc{} && second.ptr == end && input >= 0 && output >= 0 && input <= tokens_max && output <= tokens_max;
}

std::string check_tokens(const std::string& text) {
  std::int64_t input = 0, output = 0;
  return parse_tokens(text, input, output) ? "" : "'" + text + "' is not two numbers of tokens, such as 1000,400";
}

int diff(const DiffWanted& wanted) {
  const int trouble = wanted.exit_code ? 2 : 1;
  // Facts matter here, not credentials: missing secrets count as there, as in CI.
  const config::Sources sources = sources_with_keys(true);
  const config::Loaded before = load_config(wanted.before, sources), after = load_config(wanted.after, sources);
  if (!before.snapshot || !after.snapshot) return trouble;
  Told told{wanted.before, wanted.after, {}};
  parse_tokens(wanted.tokens, told.reference.input_tokens, told.reference.output_tokens);
  told.reference.at = time_or_now(wanted.at);
  told.reference.client = parse_ip(wanted.network);
  const Comparison comparison = compare(before, after, told.reference);
  std::cout << (wanted.format == "json"       ? comparison_json(comparison, told)
                : wanted.format == "markdown" ? comparison_markdown(comparison, told)
                                              : comparison_text(comparison, told));
  return wanted.exit_code && comparison.any() ? 1 : 0;
}

}  // namespace

void add_diff(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("diff", "Show what another configuration would change, and for whom; sends nothing");
  auto wanted = std::make_shared<DiffWanted>();
  command->add_option("old", wanted->before, "The configuration as it is")->required();
  command->add_option("new", wanted->after, "The configuration as it would be")->required();
  command->add_option("--tokens", wanted->tokens, "Input and output tokens of the reference request")
      ->check(CLI::Validator(check_tokens, "IN,OUT"))
      ->capture_default_str();
  command->add_option("--at", wanted->at, "The time of that request (UTC); without it, now")
      ->check(CLI::Validator(check_time, "TIME"));
  command
      ->add_option("--network", wanted->network,
                   "The address that it comes from; without it, one of each network that a policy names")
      ->check([](const std::string& text) { return parse_ip(text) ? std::string{} : "'" + text + "' is no address"; });
  command->add_option("--format", wanted->format, "The format of the report")
      ->check(CLI::IsMember({"text", "markdown", "json"}))
      ->capture_default_str();
  command->add_flag("--exit-code", wanted->exit_code, "Exit with 1 if anything differs, and with 2 if a file is wrong");
  command->callback([wanted, &exit_code] { exit_code = diff(*wanted); });
}

}  // namespace fairlead::cli
