// fairlead simulate: a provider to rehearse against.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.h"
#include "config/config.h"
#include "simulator/simulator.h"

namespace fairlead::cli {
namespace {
using nlohmann::json;

struct SimulateOptions {
  simulator::Options simulator;
  std::vector<std::string> faults;
};

/// The product's own price list, which the simulator computes its bill from by itself. It bills in USD, and sells what has a price
/// in it.
std::vector<simulator::PricedModel> built_in_models() {
  const auto in_usd = [](const Price& price) { return price.currency == Currency{}; };
  std::vector<simulator::PricedModel> models;
  for (config::ListedModel& model : config::built_in_models())
    if (std::any_of(model.prices.begin(), model.prices.end(), in_usd))
      models.push_back({std::move(model.name), std::move(model.prices)});
  return models;
}

std::string reference_of_words() {
  std::string text = "Words of a fault, for --fault \"PROBABILITY WORD...\" and for [[sim WORD...]] in the last user message:\n";
  for (const simulator::WordHelp& help : simulator::script_words())
    text += "  " + std::string(help.word) + "\n      " + std::string(help.meaning) + "\n";
  return text + "PLACE is before (nothing was sent), head, mid, before_usage or before_done.\n";
}

/// As many connections as the system lets us have.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

int give_up(const std::string& sentence, int exit_code = 1) {
  std::cerr << "simulate: " << sentence << '\n';
  return exit_code;
}

int simulate(SimulateOptions& options) {
  for (const std::string& text : options.faults) {
    auto odds = simulator::read_odds(text);
    if (odds.has_error()) return give_up(odds.error().sentence, 2);
    options.simulator.faults.push_back(*odds);
  }
  options.simulator.models = built_in_models();
  if (options.simulator.models.empty()) return give_up("the built-in price list cannot be read");
  raise_file_limit();
  boost::asio::io_context context{1};
  auto opened = simulator::Simulator::open(context, std::move(options.simulator));
  if (opened.has_error()) return give_up(opened.error().sentence);
  simulator::Simulator& running = **opened;
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (!error) running.stop();
  });
  running.start();
  std::cout << json{{"event", "listening"}, {"address", running.address()}}.dump() << std::endl;
  context.run();
  return 0;
}

}  // namespace

void add_simulate(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand(
      "simulate", "Be a provider to rehearse against: DeepSeek, Qwen, OpenAI, vLLM, SGLang, llama.cpp, Ollama, LM Studio");
  auto options = std::make_shared<SimulateOptions>();
  command->add_option("--listen", options->simulator.listen, "The address; port 0 takes any, and standard output says which")
      ->capture_default_str();
  command->add_option("--bill", options->simulator.bill, "Append the bill to this file, a JSON line for each attempt");
  command->add_option("--seed", options->simulator.seed, "Makes ids and the draws of --fault repeatable")->capture_default_str();
  command
      ->add_option("--fault", options->faults,
                   "\"PROBABILITY WORD...\", such as \"0.02 status=429 retry_after=1\"; may be repeated")
      ->expected(1)
      ->take_all();
  command->footer(reference_of_words());
  command->callback([options, &exit_code] { exit_code = simulate(*options); });
}

}  // namespace fairlead::cli
