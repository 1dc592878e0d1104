// load(): the list of what happens to a configuration, in order.
#include "config/build.h"
#include "config/config.h"
#include "config/validate.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>
#include <utility>

namespace fairlead {
extern const std::string_view embedded_profiles, embedded_calendars, embedded_prices;
}

namespace fairlead::config {
namespace {

std::optional<std::string> read_real_file(const std::string& path) {
  // A pipe without a writer would hold up a reload, and with it the signals that end the daemon.
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  // One byte more than any file may have, so that endless ones end here and are refused by their size.
  std::string text(file_bytes_max + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) return std::nullopt;
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

/// The product's own lists, which never change: read once, since yaml-cpp takes its time. Their findings are the first of every
/// load.
struct BuiltIn {
  Findings findings;
  std::vector<Value> roots;
  BuiltIn() {
    const Sources nothing;
    Reading reading(nothing, findings);
    roots.push_back(reading.read_built_in("builtin:profiles.yaml", embedded_profiles));
    roots.push_back(reading.read_built_in("builtin:calendars.yaml", embedded_calendars));
    roots.push_back(reading.read_built_in("builtin:prices.yaml", embedded_prices));
  }
};

const BuiltIn& built_in() {
  static const BuiltIn lists;
  return lists;
}

std::shared_ptr<Snapshot> build_snapshot(const std::string& file, const Sources& sources, Findings& findings,
                                         std::vector<RoutingTest>& tests) {
  Reading reading(sources, findings);
  reading.add_to_hash(embedded_profiles);
  reading.add_to_hash(embedded_calendars);
  reading.add_to_hash(embedded_prices);
  const Value whole = reading.read_files(file);
  if (findings.failed() && whole.children.empty()) return nullptr;  // there was nothing to read
  validate_whole(whole, findings);

  auto snapshot = std::make_shared<Snapshot>();
  Build build{*snapshot, findings, reading, Section(&whole, root_node()), sources.assume_secrets};
  for (const Value& root : built_in().roots) build.built_in.emplace_back(&root, root_node());
  build_server(build);
  build_profiles(build);
  build_calendars(build);
  build_models(build);
  build_providers(build);
  build_routes(build);
  build_contracts(build);
  build_keys(build);
  build_policies(build);
  build_trusted_proxies(build);
  tests = build_tests(build);
  lint(build, sources.now ? std::optional(sources.now()) : std::nullopt);
  snapshot->file = file;
  snapshot->hash = reading.hash();
  return snapshot;
}

}  // namespace

Sources real_sources() {
  return {read_real_file,
          [](const std::string& name) -> std::optional<std::string> {
            const char* value = std::getenv(name.c_str());
            if (value == nullptr) return std::nullopt;
            return value;
          },
          [] { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }};
}

Loaded load(const std::string& file, const Sources& sources) {
  Findings findings;
  std::shared_ptr<Snapshot> snapshot;
  std::vector<RoutingTest> tests;
  try {
    findings = built_in().findings;
    snapshot = build_snapshot(file, sources, findings, tests);
  } catch (const std::exception& e) {
    findings.add(Severity::error, {findings.add_file(file), 0, 0}, "", std::string("it could not be read: ") + e.what());
  }
  const bool failed = findings.failed();
  return {failed ? nullptr : std::move(snapshot), findings.take(), std::move(tests)};
}

std::vector<ListedModel> built_in_models() {
  Findings findings;
  Reading reading({[](const std::string&) { return std::nullopt; }, [](const std::string&) { return std::nullopt; }}, findings);
  const Value calendars = reading.read_built_in("builtin:calendars.yaml", embedded_calendars),
              prices = reading.read_built_in("builtin:prices.yaml", embedded_prices), nothing{};
  Snapshot snapshot;
  Build build{snapshot, findings, reading, Section(&nothing, root_node())};
  build.built_in = {Section(&calendars, root_node()), Section(&prices, root_node())};
  build_calendars(build);
  build_models(build);
  std::vector<ListedModel> models;
  for (const auto& [name, model] : build.models) models.push_back({name, model->prices});
  return models;
}

}  // namespace fairlead::config
