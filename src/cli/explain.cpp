// `fairlead explain ID|last`: a request of the past from the ledger: who asked, why it went where it went, and what it cost.
// `fairlead explain --key NAME ...`: the same of a request that nobody has sent, under a configuration.
#include "cli/books.h"
#include "cli/commands.h"
#include "cli/explain_json.h"
#include "cli/explain_text.h"
#include "cli/kept_rows.h"
#include "cli/time.h"
#include "config/config.h"
#include "daemon/estimates_file.h"
#include "plan/hypothetical.h"
#include "plan/plan.h"
#include "state/estimates.h"

#include <fairlead/dialect.h>
#include <fairlead/names.h>
#include <fairlead/network.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

namespace fairlead::cli {
namespace {

struct ExplainWanted {
  BooksChoice books;
  std::string id;
  std::string format = "table";
  Hypothetical asked;
  std::int64_t tokens = usual_input_tokens, output_tokens = 0;
  std::string at, body, endpoint = "chat.completions";
  std::vector<std::string> modalities, headers;
  bool priors = false;
};

int explain_past(const ExplainWanted& wanted) {
  const auto store = open_books(wanted.books);
  if (!store) return 1;
  const auto record = store->request(wanted.id);
  if (!record) return fail(record.error());
  if (!*record) {
    const auto kept = require_kept_rows(*store, {});
    std::cerr << "fairlead: "
              << (wanted.id == "last" ? "the ledger has no request yet" : "no request '" + wanted.id + "' in the ledger")
              << (!kept && kept.error().kind == ErrorKind::config ? "; old ones were archived, it may be among them" : "") << '\n';
    return 1;
  }
  std::cout << (wanted.format == "json" ? explain_json(**record) : explain_text(**record));
  return 0;
}

/// Empty if no file is named. A body without a model is one for the route that is named beside it.
Result<ChatRequest> body_of(const std::string& path, const std::string& route) {
  if (path.empty()) return ChatRequest{};
  const auto wrong = [&](const std::string& what) { return Error(ErrorKind::io, ErrorOrigin::fairlead, path + ": " + what); };
  std::ifstream file(path, std::ios::binary);
  (void)file.peek();  // finds what opens and cannot be read, of which the iterator would throw
  if (!file) return wrong("it cannot be read");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!route.empty() && json.is_object() && !json.contains("model")) {
    json["model"] = route;
    text = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  }
  auto body = find_dialect("openai")->parse_request(Bytes(text));
  if (!body) return wrong(body.error().message() + (body.error().param() == "model" ? " Or name one with --route." : ""));
  return body;
}

/// "x-fairlead-only: deepseek"
std::optional<std::pair<std::string, std::string>> parse_header(const std::string& text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string::npos) return std::nullopt;
  const std::size_t value = text.find_first_not_of(' ', colon + 1);
  return std::pair(text.substr(0, colon), value == std::string::npos ? "" : text.substr(value));
}

/// What the daemon of this ledger has learned, unless it is not wanted, or not there. Says what is taken, in words.
std::string recall(const ExplainWanted& wanted, const Snapshot& snapshot, state::Estimates& estimates) {
  if (wanted.priors) return "the stated priors";
  const std::string file = daemon::estimates_file_beside(wanted.books.ledger.empty() ? snapshot.ledger : wanted.books.ledger);
  std::error_code error;
  if (!std::filesystem::exists(file, error)) return "the stated priors; nothing was learned yet in " + file;
  auto learned = daemon::read_estimates(file);
  if (!learned) return "the stated priors; " + file + ": " + learned.error().message();
  estimates.restore(std::move(*learned));
  return "learned, from " + file;
}

int explain_hypothetical(ExplainWanted wanted, bool tokens_given) {
  const auto snapshot = load_config(wanted.books.config, sources_with_keys(true)).snapshot;
  if (!snapshot) return 1;
  auto body = body_of(wanted.body, wanted.asked.route);
  if (!body) return fail(body.error());
  if (tokens_given || wanted.body.empty()) wanted.asked.input_tokens = wanted.tokens;
  if (wanted.output_tokens > 0) wanted.asked.output_tokens_max = wanted.output_tokens;
  for (const std::string& name : wanted.modalities) wanted.asked.modalities.push_back(*parse_name<Modality>(name, modality_count));
  wanted.asked.endpoint = *parse_name<Endpoint>(wanted.endpoint, endpoint_count);
  for (const std::string& header : wanted.headers) wanted.asked.head.push_back(*parse_header(header));
  const auto facts = facts_of(wanted.asked, *body, *snapshot);
  if (!facts) return fail(facts.error());
  const TimePoint at = time_or_now(wanted.at);
  state::Estimates estimates;
  const std::string believed = recall(wanted, *snapshot, estimates);
  state::Estimates::Reader reader(estimates);
  const Conditions conditions = reader.conditions(*facts, snapshot, true, at);
  const std::string told = explanation(*facts, make_plan(*facts, *snapshot, conditions, at), *snapshot, believed);
  std::cout << (wanted.format == "json" ? told : explain_hypothetical_text(told));
  return 0;
}

CLI::IsMember is_one_of(const std::vector<std::string_view>& names) {
  return CLI::IsMember(std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace

void add_explain(CLI::App& app, int& exit_code) {
  constexpr std::int64_t tokens_max = 1'000'000'000;
  auto* command = app.add_subcommand("explain", "Show why a request went where it went, or where one would go");
  auto wanted = std::make_shared<ExplainWanted>();
  auto* id = command->add_option("id", wanted->id, "A past request: its id (x-request-id), or 'last'");
  add_books_options(*command, wanted->books);
  command->add_option("--format", wanted->format, "The format of the answer")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
  auto* key = command->add_option("--key", wanted->asked.key, "A request that nobody has sent: the name of the key that asks");
  const auto add = [&](const char* name, auto& into, const char* what) {
    return command->add_option(name, into, what)->needs(key)->group("Of a request that nobody has sent");
  };
  add("--route", wanted->asked.route, "The route or target that it asks for; without it, the key's first route");
  auto* tokens = add("--tokens", wanted->tokens, "Its input, in tokens; without it, that of the body, or 1000");
  tokens->check(CLI::Range(std::int64_t{0}, tokens_max));
  add("--output-tokens", wanted->output_tokens, "Its own cap on the output")->check(CLI::Range(std::int64_t{1}, tokens_max));
  add("--tag", wanted->asked.tags, "A tag that it adds to its key's; repeat for more");
  add("--class", wanted->asked.content, "A class of content that its prompt holds; repeat for more");
  add("--modality", wanted->modalities, "What it carries besides text; repeat for more")
      ->check(is_one_of(all_names<Modality>(modality_count)));
  add("--endpoint", wanted->endpoint, "The API that it asks for")->check(is_one_of(all_names<Endpoint>(endpoint_count)));
  add("--network", wanted->asked.client, "The address that it comes from; without it, any")->check([](const std::string& text) {
    return parse_ip(text) ? std::string{} : "'" + text + "' is no address";
  });
  add("--header", wanted->headers, "A header for fairlead, such as 'x-fairlead-only: deepseek'; repeat for more")
      ->check([](const std::string& text) { return parse_header(text) ? std::string{} : "'" + text + "' is no 'NAME: VALUE'"; });
  command->add_flag("--store", wanted->asked.store, "It asks its provider to keep it (\"store\": true)")
      ->needs(key)
      ->group("Of a request that nobody has sent");
  command->add_flag("--priors", wanted->priors, "Plan by the stated priors, not by what the daemon of this ledger has learned")
      ->needs(key)
      ->group("Of a request that nobody has sent");
  add("--at", wanted->at, "When it comes (UTC); without it, now")->check(CLI::Validator(check_time, "TIME"));
  add("--body", wanted->body, "A file with its body, as an app would send it")->check(CLI::ExistingFile);
  command->callback([wanted, id, key, tokens, &exit_code] {
    if (id->count() == 0 && key->count() == 0) throw CLI::RequiredError("a past request's id, or --key");
    if (id->count() > 0 && key->count() > 0) throw CLI::ExcludesError("a past request's id", "--key");
    exit_code = key->count() == 0 ? explain_past(*wanted) : explain_hypothetical(*wanted, tokens->count() > 0);
  });
}

}  // namespace fairlead::cli
