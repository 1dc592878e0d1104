#pragma once
// Rows of an imaginary day, and a folder for their ledger.
#include <fairlead/store.h>

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fairlead::test {

/// A fresh folder, gone with its contents at the end.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fairlead-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline constexpr TimePoint noon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::hours(12)};

inline RequestOpen request_open(const std::string& id, TimePoint at = noon) {
  RequestOpen row;
  row.id = id;
  row.started_at = at;
  row.key = "checkout";
  row.team = "payments";
  row.project = "till";
  row.route = "chat";
  row.endpoint = "/v1/chat/completions";
  row.requested_model = "chat";
  row.stream = true;
  row.snapshot_hash = "5f1c";
  row.plan = R"({"strategy":"cheapest","candidates":[],"rejections":[]})";
  row.content = R"({"payment_card":2,"secret":0})";
  row.facts = R"({"tags":["batch"]})";
  row.expected = R"([{"usd":"0.000029"}])";
  return row;
}

inline AttemptOpen attempt_open(const std::string& id, int number = 1, const std::string& provider = "deepseek",
                                TimePoint at = noon) {
  AttemptOpen row;
  row.request_id = id;
  row.number = number;
  row.sent_at = at;
  row.provider = provider;
  row.model = provider + "-chat";
  row.target = provider + "/" + provider + "-chat";
  row.reserved_usd_pico = 9'000'000'000;
  row.input_tokens_estimate = 120;
  row.estimate_cost = Money{240'000'000, {{'C', 'N', 'Y'}}};
  row.estimate_usd_pico = 33'600'000;
  row.estimate_usd_rate = 140'000'000'000;
  row.markup = 250'000'000'000;
  row.price = R"({"currency":"CNY","input":"2"})";
  return row;
}

inline AttemptSettle attempt_settle(const std::string& id, int number = 1) {
  AttemptSettle row;
  row.request_id = id;
  row.number = number;
  row.ended_at = noon + std::chrono::seconds(2);
  row.ended_by = EndedBy::provider;
  row.phase = Phase::done;
  row.status = 200;
  row.reported_model = "deepseek-v3.2";
  row.upstream_id = "chatcmpl-1";
  row.finish_reason = "stop";
  row.usage.input = 36;
  row.usage.cached_input = 64;
  row.usage.output = 40;
  row.usage_source = UsageSource::reported;
  row.cost = Money{204'800'000, {{'C', 'N', 'Y'}}};
  row.usd_pico = 28'672'000;
  row.charge_usd_pico = 35'840'000;
  row.reported_usd_pico = 28'000'000;
  row.usd_rate = 140'000'000'000;
  row.price = R"({"currency":"CNY","input":"2","cached_input":"0.2","output":"3"})";
  row.connect_us = 20'000;
  row.first_byte_us = 150'000;
  row.duration_us = 2'000'000;
  return row;
}

inline RequestSettle request_settle(const std::string& id, int attempts = 1) {
  RequestSettle row;
  row.id = id;
  row.ended_at = noon + std::chrono::seconds(2);
  row.http_status = 200;
  row.ended_by = EndedBy::provider;
  row.phase = Phase::done;
  row.target = "deepseek/deepseek-chat";
  row.attempts = attempts;
  row.first_byte_us = 151'000;
  row.usd_pico = 28'672'000;
  row.charge_usd_pico = 35'840'000;
  return row;
}

/// A request as the store gets it: open, or settled if `settle` is given.
inline RequestRecord record_of(RequestOpen open, std::vector<RequestRecord::Attempt> attempts = {},
                               std::optional<RequestSettle> settle = {}) {
  RequestRecord record;
  record.open = std::move(open);
  record.attempts = std::move(attempts);
  if (settle) {
    record.state = RowState::settled;
    record.settle = std::move(*settle);
  }
  return record;
}
inline RequestRecord::Attempt open_attempt(AttemptOpen open) { return {RowState::open, std::move(open), {}}; }
inline RequestRecord::Attempt settled_attempt(AttemptOpen open, AttemptSettle settle) {
  return {RowState::settled, std::move(open), std::move(settle)};
}

class Records final : public RecordSource {
 public:
  explicit Records(const std::vector<RequestRecord>& records) : records_(records) {}
  const RequestRecord* next() override { return at_ == records_.size() ? nullptr : &records_[at_++]; }

 private:
  const std::vector<RequestRecord>& records_;
  std::size_t at_ = 0;
};

inline Result<void> save(Store& store, const std::vector<RequestRecord>& records) {
  Records source(records);
  return store.save(source);
}

}  // namespace fairlead::test
