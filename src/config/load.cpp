// load(): the list of what happens to a configuration, in order.
#include "config/build.h"
#include "config/config.h"
#include "config/validate.h"
#include "config/written.h"

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
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
  // Up to more than any file may have, so that endless ones end here and are refused by their size.
  constexpr std::size_t block_bytes = 64 << 10;
  std::string text;
  while (file && text.size() <= file_bytes_max) {
    const std::size_t before = text.size();
    text.resize(before + block_bytes);
    file.read(text.data() + before, block_bytes);
    text.resize(before + static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return std::nullopt;
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
    roots.push_back(reading.read_text("builtin:profiles.yaml", embedded_profiles));
    roots.push_back(reading.read_text("builtin:calendars.yaml", embedded_calendars));
    roots.push_back(reading.read_text("builtin:prices.yaml", embedded_prices));
  }
};

const BuiltIn& built_in() {
  static const BuiltIn lists;
  return lists;
}

std::vector<Section> built_in_sections() {
  std::vector<Section> sections;
  for (const Value& root : built_in().roots) sections.emplace_back(&root, root_node());
  return sections;
}

/// What is given to a build, and what comes of it beside findings.
struct Building {
  std::set<std::string> left_out;  ///< keys of the ledger's database that are not taken in
  std::set<std::string> faulty;    ///< those in which an error was found
  std::vector<RoutingTest> tests;
  std::vector<WrittenOption> written;
};

/// Keys of the ledger's database, behind those of the files. Gives what has ended: names that stand for no key, and secrets.
StoredKeys read_stored_keys(const Sources& sources, const Building& building, Reading& reading, Value& whole) {
  if (!sources.stored_keys) return {};
  StoredKeys stored = sources.stored_keys(Section(&whole, root_node()).text("ledger"));
  for (const StoredKeyText& key : stored.texts)
    if (building.left_out.count(key.name) == 0)
      reading.read_stored_key(key, whole);
    else
      stored.ended.push_back(key.name);
  return stored;
}

/// What one load has asked of the world: each once, however often it builds, so that what it builds is one state of the files.
class Answers {
 public:
  /// `files` gets the paths. The answers must outlive what is returned.
  Sources remembered(const Sources& sources, std::vector<std::string>& files) {
    Sources asked = sources;
    asked.read_file = [this, read = sources.read_file, &files](const std::string& path) {
      const auto known = files_.find(path);
      if (known != files_.end()) return known->second;
      files.push_back(path);
      return files_[path] = read(path);
    };
    if (sources.stored_keys)
      asked.stored_keys = [this, read = sources.stored_keys](const std::string& ledger) {
        if (!keys_) keys_ = read(ledger);
        return *keys_;
      };
    return asked;
  }

 private:
  std::map<std::string, std::optional<std::string>> files_;
  std::optional<StoredKeys> keys_;
};

/// What policies do not see to is as wrong as what is mistyped. A key of the ledger's database by which alone an assertion is
/// broken is at fault itself.
void prove_assertions(const Sources& sources, Build& build) {
  if (!sources.prove || !build.now || build.findings.failed()) return;
  for (const Unproved& one : sources.prove(build.snapshot, *build.now)) {
    const std::string said = "the assertion " + in_quotes(one.assertion->name) + " " + one.why;
    const auto number = static_cast<std::size_t>(one.assertion - build.snapshot.assertions.data());
    if (one.key == nullptr) build.findings.error(*build.assertion_places.at(number), said, one.hint);
    for (const auto& [file, name] : build.reading.stored_keys())
      if (one.key != nullptr && one.key->name == name)
        build.findings.add(Severity::error, {file, 0, 0}, "", "with this key " + said, one.hint);
  }
}

std::shared_ptr<Snapshot> build_snapshot(const std::string& file, const Sources& sources, Findings& findings, Building& building) {
  Reading reading(sources, findings);
  reading.add_to_hash(embedded_profiles);
  reading.add_to_hash(embedded_calendars);
  reading.add_to_hash(embedded_prices);
  Value whole = reading.read_files(file);
  if (findings.failed() && whole.children.empty()) return nullptr;  // there was nothing to read
  StoredKeys stored = read_stored_keys(sources, building, reading, whole);
  validate_whole(whole, findings);

  auto snapshot = std::make_shared<Snapshot>();
  Build build{*snapshot, findings, reading, Section(&whole, root_node()), built_in_sections()};
  snapshot->ended_keys = std::move(stored.ended);
  build.ended_secrets = std::move(stored.ended_secrets);
  if (sources.now) build.now = sources.now();
  build_server(build);
  build_idempotency(build);
  build_profiles(build);
  build_calendars(build);
  build_models(build);
  build_providers(build);
  build_routes(build);
  build_contracts(build);
  build_keys(build);
  build_teams(build);
  build_policies(build);
  build_content(build);
  build_assertions(build);
  build_trusted_proxies(build);
  building.tests = build_tests(build);
  building.written = written_options(whole);
  lint(build);
  snapshot->file = file;
  prove_assertions(sources, build);
  snapshot->hash = reading.hash();
  for (const auto& [index, name] : reading.stored_keys())
    if (findings.forgiven(index)) building.faulty.insert(name);
  return snapshot;
}

/// Keys of which not all is understood might do more than they should: they are left out whole, and all else holds. Without them
/// others may stand that they stood before, and errors that nobody has told of.
std::shared_ptr<Snapshot> build_without_faulty_keys(const std::string& file, const Sources& sources, Findings& findings,
                                                    Building& building) {
  std::shared_ptr<Snapshot> snapshot = build_snapshot(file, sources, findings, building);
  while (snapshot && !building.faulty.empty()) {  // one key less each time
    for (const std::string& name : building.faulty)
      findings.add(Severity::warning, {findings.add_file(stored_key_file(name)), 0, 0}, "",
                   "the key is refused until this is mended", "revoke it and make it anew");
    building.left_out.merge(building.faulty);
    building.faulty.clear();
    Findings again = built_in().findings;
    snapshot = build_snapshot(file, sources, again, building);
    if (!findings.failed()) findings.add_errors_of(again);
  }
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
          [] { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }, false,
          [](const std::string& path) {
            std::error_code error;
            return std::filesystem::is_directory(path, error) && ::access(path.c_str(), W_OK | X_OK) == 0;
          }};
}

Loaded load(const std::string& file, const Sources& sources) {
  Loaded loaded;
  Findings findings;
  std::shared_ptr<Snapshot> snapshot;
  Answers answers;
  try {
    findings = built_in().findings;
    Building building;
    snapshot = build_without_faulty_keys(file, answers.remembered(sources, loaded.files), findings, building);
    loaded.tests = std::move(building.tests);
    loaded.written = std::move(building.written);
  } catch (const std::exception& e) {
    findings.add(Severity::error, {findings.add_file(file), 0, 0}, "", std::string("it could not be read: ") + e.what());
  }
  loaded.readable = snapshot != nullptr;
  if (snapshot) loaded.admin = snapshot->admin;
  if (!findings.failed()) loaded.snapshot = std::move(snapshot);
  loaded.findings = findings.take(file);
  return loaded;
}

std::vector<ListedModel> built_in_models() {
  Findings findings = built_in().findings;
  const Sources no_files;
  Reading reading(no_files, findings);
  Snapshot snapshot;
  Build build{snapshot, findings, reading, Section(nullptr, root_node()), built_in_sections()};
  build_calendars(build);
  build_models(build);
  std::vector<ListedModel> models;
  for (const auto& [name, model] : build.models) models.push_back({name, model->prices});
  return models;
}

}  // namespace fairlead::config
