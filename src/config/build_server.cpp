// The parts of the snapshot that are about the daemon itself.
#include "config/build.h"
#include "config/pem.h"

#include <chrono>

namespace fairlead::config {
namespace {

constexpr std::chrono::days certificate_end_soon{14};

void read_identity(Build& build, const Section& tls, Listener& made) {
  const Value *certificate = tls.find("certificate"), *key = tls.find("key");
  std::string chain;
  if (certificate != nullptr) {
    auto file = build.reading.option_file(*certificate);
    if (const std::string wrong = wrong_with_certificates(file.text); !wrong.empty() && !file.text.empty())
      build.findings.error(*certificate, "the file " + in_quotes(file.path) + " " + wrong,
                           "write the path of the chain, leaf first");
    made.certificate = std::move(file.path);
    chain = std::move(file.text);
  }
  if (key != nullptr) {
    auto file = build.reading.option_file(*key);
    if (const std::string wrong = wrong_with_key(file.text, chain); !wrong.empty() && !file.text.empty())
      build.findings.error(*key, "the file " + in_quotes(file.path) + " " + wrong, "");
    made.private_key = std::move(file.path);
  }
  const auto end = certificate_end(chain);
  if (end && build.now && *end < *build.now + certificate_end_soon)
    build.findings.warning(*certificate,
                           *end < *build.now ? "the certificate has expired" : "the certificate ends within two weeks",
                           "apps refuse what has expired");
}

void build_listeners(Build& build) {
  std::map<std::string, std::string> taken;  // by address: by whom
  const auto take = [&](const std::string& address, const Value* at) {
    if (at == nullptr || address.ends_with(":0")) return;  // refused, or any free port
    const auto [first, fresh] = taken.emplace(address, "it is already used at " + build.findings.where(at->place));
    if (!fresh) build.findings.error(*at, "the address " + address + " is taken", first->second);
  };
  for (const Section& listener : build.root.sections("listen")) {
    Listener made;
    made.address = listener.text("address");
    take(made.address, listener.find("address"));
    read_identity(build, listener.section("tls"), made);
    build.snapshot.listen.push_back(std::move(made));
  }
  if (build.snapshot.listen.empty()) {
    const std::string usual = build.root.text("listen");
    build.snapshot.listen.push_back({usual, "", ""});
    if (build.root.value().find("listen") == nullptr) taken.emplace(usual, "it is the default of `listen`");
  }
  build.snapshot.admin = build.root.text("admin");
  const Value* admin = build.root.find("admin");
  take(build.snapshot.admin, admin);
  if (admin != nullptr && admin->good && !is_loopback_address(build.snapshot.admin))
    build.findings.error(*admin, build.snapshot.admin + " is no loopback address, and the admin side asks nobody for a key",
                         "write 127.0.0.1 or [::1], and let what may reach it come through a tunnel");
}

void build_limits(Build& build, const Section& from, Limits& to) {
  to.head_bytes_max = from.bytes("head_bytes_max");
  to.body_bytes_max = from.bytes("body_bytes_max");
  to.bodies_bytes_max = from.bytes("bodies_bytes_max");
  if (const Value* all = from.find("bodies_bytes_max"); all != nullptr && to.bodies_bytes_max < to.body_bytes_max)
    build.findings.error(*all, "a body of body_bytes_max would never find room", "write at least body_bytes_max");
  to.answer_bytes_max = from.bytes("answer_bytes_max");
  to.event_bytes_max = from.bytes("event_bytes_max");
  to.connections_max = static_cast<int>(from.integer("connections_max"));
  to.attempts_max = static_cast<int>(from.integer("attempts_max"));
  to.head_ms_max = from.duration("head_ms_max");
  to.body_ms_max = from.duration("body_ms_max");
  to.keep_alive_ms_max = from.duration("keep_alive_ms_max");
  to.write_ms_max = from.duration("write_ms_max");
  to.drain_ms_max = from.duration("drain_ms_max");
}

constexpr Int128 usd_max = Int128{100'000} * pico_per_unit;  // for one unit: as build_models.cpp counts on

UsdRates usd_rates_of(Build& build, const Section& list) {
  const std::string& currency = list.key();
  UsdRates rates;
  for (const Section& from : list.items()) {
    UsdRate rate;
    const Value* usd = from.find("usd");
    rate.usd = from.decimal("usd").value_or(0);
    if (usd != nullptr && rate.usd == 0)
      build.findings.error(*usd, "a rate of 0 would make everything free", "write what one " + currency + " is in USD");
    if (usd != nullptr && rate.usd > usd_max)
      build.findings.error(*usd, "a rate of more than 100000 USD", "write what one " + currency + " is in USD");
    if (usd != nullptr && currency == "USD" && rate.usd != pico_per_unit)
      build.findings.error(*usd, "one USD is 1 USD", "remove this line");
    rate.from = from.instant("from");
    if (!rates.dated.empty() && (!rate.from || rates.dated.back().from >= rate.from))
      build.findings.error(from.find("from") == nullptr ? from.value() : *from.find("from"), "rates must ascend by their dates",
                           "write `from` later than that of the rate before");
    rates.dated.push_back(rate);
  }
  return rates;
}

void build_rates_of_exchange(Build& build) {
  build.snapshot.usd_per["USD"] = pico_per_unit;
  for (const Section& list : build.root.sections("fx"))
    if (list.value().good) build.snapshot.usd_per[list.key()] = usd_rates_of(build, list);
}

void build_retention(Build& build) {
  const Section from = build.root.section("retention");
  Retention& to = build.snapshot.retention;
  if (from.find("detail_days") != nullptr) to.detail = std::chrono::days(from.integer("detail_days"));
  const Value* archive = from.find("archive");
  if (archive == nullptr || !archive->good) return;
  to.archive = archive->text;
  if (to.archive.front() != '/')
    build.findings.error(*archive, in_quotes(to.archive) + " is not an absolute path",
                         "write it from the root: the daemon's working directory may be another one tomorrow");
  else if (from.find("detail_days") == nullptr)
    build.findings.error(*archive, "nothing is archived, as rows stay for ever", "say detail_days beside it, or remove this line");
  else if (!build.reading.is_writable_folder(to.archive))
    build.findings.warning(*archive, "there is no folder " + in_quotes(to.archive) + " that can be written here",
                           "make it for the account that the daemon runs as; until then old rows stay");
}

}  // namespace

void build_server(Build& build) {
  build_listeners(build);
  build.snapshot.ledger = build.root.text("ledger");
  build.snapshot.ledger_on_disk = build.root.text("ledger_sync") == "disk";
  build_retention(build);
  build.snapshot.workers = static_cast<int>(build.root.integer("workers"));
  build.snapshot.watch = build.root.boolean("watch");
  build_limits(build, build.root.section("limits"), build.snapshot.limits);
  build.snapshot.log = {build.root.section("log").text("level"), build.root.section("log").text("requests")};
  build_rates_of_exchange(build);
  const Section prices = build.root.section("prices");
  build.snapshot.price_rules = {std::chrono::days(prices.integer("stale_days")), prices.boolean("strict")};
}

}  // namespace fairlead::config
