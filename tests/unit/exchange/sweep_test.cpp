// The sweep: one exchange over fake streams, repeated with the k-th I/O operation failing, for every k. Every run ends in exactly
// one request row with a settled row for each attempt, nothing spawned is left, and the app got a well-formed answer or a close.
#include "exchange/exchange.h"

#include <gtest/gtest.h>

#include <openssl/sha.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cerrno>
#include <map>
#include <stdexcept>

#include "ledger/segment.h"
#include "unit/ledger/memory_world.h"

namespace fairlead::exchange {
namespace {

constexpr std::string_view key_text = "sk-test";

/// Counts every I/O operation of a run and fails the one it was told to.
struct Faults {
  int fail_at = 0, count = 0;
  bool hit() { return ++count == fail_at; }
  void throw_if_hit() {
    if (hit()) throw std::runtime_error("thrown on purpose");
  }
};

Error io_error(ErrorKind kind, ErrorOrigin origin, Retry retry = Retry::never) {
  return {kind, origin, "failed on purpose", "", retry};
}

/// A journal in memory, of which every commit may fail.
class FakeFiles : public test::MemoryFiles {
 public:
  FakeFiles(test::Faults& none, Faults& faults) : MemoryFiles(none), faults_(faults) {}
  std::int64_t write(int file, const void* bytes, std::size_t count, std::uint64_t offset) override {
    const bool frame = offset >= segment_header_bytes && count > frame_header_bytes;
    if (!frame || !faults_.hit()) return MemoryFiles::write(file, bytes, count, offset);
    errno = ENOSPC;
    return -1;
  }

 private:
  Faults& faults_;
};

/// What reached the store. What has ended does so once.
struct Rows {
  std::map<std::string, int> request_opens, request_settles;
  std::map<std::pair<std::string, int>, int> attempt_opens, attempt_settles;
  RequestRecord last;
};

class FakeStore : public Store {
 public:
  explicit FakeStore(Rows& books) : books_(books) {}
  Result<void> save(RecordSource& records) override {
    while (const RequestRecord* record = records.next()) {
      books_.last = *record;
      books_.request_opens[record->open.id] = 1;
      if (record->state == RowState::settled) ++books_.request_settles[record->open.id];
      for (const auto& attempt : record->attempts) {
        const std::pair key(record->open.id, attempt.open.number);
        books_.attempt_opens[key] = 1;
        if (attempt.state == RowState::settled && record->state == RowState::settled) ++books_.attempt_settles[key];
      }
    }
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<std::int64_t> next_number() override { return 1; }
  Result<void> keep_from(std::int64_t) override { return {}; }
  Result<std::int64_t> recover(TimePoint) override { return 0; }
  Result<std::vector<ReportRow>> report(const ReportQuery&) override { return std::vector<ReportRow>{}; }
  Result<std::optional<RequestRecord>> request(std::string_view) override { return std::optional<RequestRecord>{}; }
  Result<ChainCheck> check_chain(const std::vector<ChainLink>&) override { return ChainCheck(); }
  Result<SumsCheck> check_sums() override { return SumsCheck(); }
  Result<void> visit(const Period&, const std::function<void(const RequestRecord&)>&) override { return {}; }
  Result<std::vector<ServedRequest>> served(std::string_view, TimePoint, std::size_t) override {
    return std::vector<ServedRequest>{};
  }
  Result<std::vector<Consumed>> consumed(TimePoint, std::chrono::microseconds, std::int64_t) override {
    return std::vector<Consumed>{};
  }
  std::string journal() const override { return "journal-"; }

 private:
  Rows& books_;
};

constexpr std::string_view stream_events[] = {
    "data: "
    "{\"id\":\"a1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_"
    "reason\":null}]}\n\n",
    "data: {\"id\":\"a1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n",
    "data: {\"id\":\"a1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1,\"total_tokens\":6}}\n\n",
    "data: [DONE]\n\n"};
constexpr std::string_view buffered_answer =
    "{\"id\":\"a1\",\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},\"finish_"
    "reason\":\"stop\"}],"
    "\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":1,\"total_tokens\":6}}";

class FakeUpstreamAnswer : public net::UpstreamAnswer {
 public:
  FakeUpstreamAnswer(bool stream, Faults& faults, Faults& throws) : faults_(faults), throws_(throws) {
    if (stream)
      parts_.assign(std::begin(stream_events), std::end(stream_events));
    else
      parts_ = {buffered_answer};
  }
  int status() const override { return 200; }
  std::string_view field(std::string_view) const override { return {}; }
  Task<Result<void>> read(net::BodySink& sink) override {
    for (auto part = parts_.begin();; ++part) {
      throws_.throw_if_hit();
      if (faults_.hit()) co_return io_error(ErrorKind::upstream_closed, ErrorOrigin::provider);
      if (part == parts_.end()) co_return boost::system::in_place_value;
      std::optional<bool> more = sink.take(*part);
      if (!more) more = co_await sink.rest();
      if (!*more) co_return boost::system::in_place_value;
    }
  }
  void first_content() override {}
  void end_within(std::chrono::milliseconds) override {}

 private:
  Faults& faults_;
  Faults& throws_;
  std::vector<std::string_view> parts_;
};

class FakeUpstream : public net::Upstream {
 public:
  FakeUpstream(Faults& faults, Faults& throws) : faults_(faults), throws_(throws) {}
  Task<Result<std::unique_ptr<net::UpstreamAnswer>>> send(const net::UpstreamRequest& request, net::SendReport& report,
                                                          net::Cancel&) override {
    throws_.throw_if_hit();
    if (faults_.hit()) co_return io_error(ErrorKind::upstream_connect, ErrorOrigin::provider, Retry::before_commit);
    report.bytes_sent = true;
    if (faults_.hit()) co_return io_error(ErrorKind::upstream_closed, ErrorOrigin::provider);
    report.sent_whole = true;
    if (faults_.hit()) co_return io_error(ErrorKind::upstream_timeout, ErrorOrigin::provider, Retry::before_commit);
    report.answer_began = true;
    co_return std::make_unique<FakeUpstreamAnswer>(request.stream, faults_, throws_);
  }

 private:
  Faults& faults_;
  Faults& throws_;
};

class FakeAnswer : public net::AppAnswer {
 public:
  explicit FakeAnswer(Faults& faults) : faults_(faults) {}
  Task<Result<void>> send(int status, const net::Fields&, std::span<const std::string_view> body) override {
    co_return put(status, body, true);
  }
  Result<void> start(int status, const net::Fields&) override {
    started_ = true;
    status_ = status;
    return {};
  }
  /// Every other time, it has to wait.
  std::optional<Result<void>> write_now(std::span<const std::string_view> pieces) override {
    waits_ = !waits_;
    if (!waits_) return put(status_, pieces, false);
    later_.assign(pieces.begin(), pieces.end());
    return std::nullopt;
  }
  Task<Result<void>> write_on() override { co_return put(status_, later_, false); }
  Task<Result<void>> finish(std::span<const std::string_view> pieces) override { co_return put(status_, pieces, true); }
  void abort() override { closed_ = true; }
  bool committed() const override { return committed_; }
  void watch(net::Cancel& cancel) override { cancel_ = &cancel; }

  int status() const { return status_; }
  const std::string& body() const { return body_; }
  bool ended() const { return ended_; }
  bool closed() const { return closed_; }

 private:
  Result<void> put(int status, std::span<const std::string_view> pieces, bool end) {
    EXPECT_FALSE(ended_) << "nothing may follow the end";
    if (faults_.hit()) {
      closed_ = true;
      if (cancel_) cancel_->request();
      return io_error(ErrorKind::app_gone, ErrorOrigin::app);
    }
    committed_ = true;
    status_ = status;
    for (const auto piece : pieces) body_ += piece;
    ended_ = end;
    return {};
  }
  Faults& faults_;
  net::Cancel* cancel_ = nullptr;
  bool started_ = false, committed_ = false, ended_ = false, closed_ = false, waits_ = false;
  Pieces later_;
  int status_ = 0;
  std::string body_;
};

struct Ends : Observer {
  int ended_count = 0, turned_away_count = 0;
  Int128 charged = 0;
  void ended(const Ended& exchange) override {
    ++ended_count;
    charged = exchange.settle.charge_usd_pico;
  }
  void turned_away(const Error&, const std::string&) override { ++turned_away_count; }
};

/// Two targets of one route, for a key that may use it.
std::shared_ptr<Snapshot> make_snapshot(bool drain) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->usd_per["USD"] = pico_per_unit;
  snapshot->profiles.push_back(std::make_unique<Profile>());
  snapshot->models.push_back(std::make_unique<Model>());
  snapshot->models[0]->name = "m";
  Price price;
  price.rates.input = price.rates.output = pico_per_unit;
  snapshot->models[0]->prices.push_back(price);
  Budget budget;
  budget.per = BudgetPeriod::all;
  budget.usd_pico = pico_per_unit;
  budget.id = id_of(budget);
  snapshot->budgets.push_back(budget);
  snapshot->budgeted = true;
  snapshot->routes.push_back(std::make_unique<Route>());
  Route& route = *snapshot->routes[0];
  route.name = "chat";
  for (const char* name : {"one", "two"}) {
    snapshot->providers.push_back(std::make_unique<Provider>());
    Provider& provider = *snapshot->providers.back();
    provider.name = name;
    provider.dialect = "openai";
    if (drain) provider.drain_ms_max = Milliseconds(60'000);
    provider.profile = snapshot->profiles[0].get();
    snapshot->targets.push_back(std::make_unique<Target>());
    Target& target = *snapshot->targets.back();
    target.name = std::string(name) + "/m";
    target.provider = &provider;
    target.model = snapshot->models[0].get();
    target.index = static_cast<int>(snapshot->targets.size()) - 1;
    route.targets.push_back(&target);
    snapshot->target_by_name[target.name] = &target;
  }
  snapshot->route_by_name["chat"] = &route;
  Key key;
  key.name = "k";
  SHA256(reinterpret_cast<const unsigned char*>(key_text.data()), key_text.size(), key.sha256.data());
  key.routes.push_back(&route);
  snapshot->keys.push_back(key);
  index_secrets(*snapshot);
  return snapshot;
}

struct Run {
  Rows books;
  Ends ends;
  int operations = 0, throwing = 0;
  int status = 0;
  std::string body;
  bool ended = false, closed = false;
  Int128 held = -1, charged = -1;  ///< of the budget, at rest
};

TimePoint wall_clock() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

std::unique_ptr<Run> run_once(bool stream, std::shared_ptr<const Snapshot> snapshot, int fail_at, int throw_at,
                              std::function<TimePoint()> now) {
  auto run = std::make_unique<Run>();
  Faults faults{fail_at, 0}, throws{throw_at, 0};
  {
    asio::io_context io{1};
    test::Faults none;
    FakeFiles files(none, faults);
    LedgerLimits ledger_limits;
    ledger_limits.segment_bytes = 64 << 10;
    const auto started = Ledger::start(std::make_unique<FakeStore>(run->books), TimePoint(), ledger_limits, files);
    Books to_ledger(io.get_executor(), **started);
    FakeUpstream upstream(faults, throws);
    const config::Cell cell(std::move(snapshot));
    state::Estimates estimates;
    state::Budgets budgets;
    state::Limits limits;
    state::Replays replays;
    World world{io.get_executor(),
                config::Cell::Reader(cell),
                to_ledger,
                upstream,
                run->ends,
                std::move(now),
                [] { return std::chrono::steady_clock::now(); },
                std::mt19937_64(1),
                {},
                state::Estimates::Reader(estimates),
                budgets,
                limits,
                replays};
    auto request = std::make_unique<net::AppRequest>();
    request->method = "POST";
    request->path = "/v1/chat/completions";
    request->fields = {{"authorization", "Bearer sk-test"}};
    request->body =
        std::string(R"({"model":"chat","messages":[{"role":"user","content":"x"}],"stream":)") + (stream ? "true}" : "false}");
    FakeAnswer answer(faults);
    asio::co_spawn(io, run_exchange(world, std::move(request), answer), asio::detached);
    io.run();  // returns when nothing is left to do: nothing spawned may be left
    run->status = answer.status();
    run->body = answer.body();
    run->ended = answer.ended();
    run->closed = answer.closed();
    const Budget everything = cell.get()->budgets[0];
    const Budget* budget = &everything;
    for (const state::BudgetState& at_rest : budgets.look({&budget, 1}, TimePoint())) {
      run->held = at_rest.held;
      run->charged = at_rest.charged;
    }
  }  // the ledger writes what it still holds
  run->operations = faults.count;
  run->throwing = throws.count;
  return run;
}

std::unique_ptr<Run> run_once(bool stream, int fail_at, bool drain, int throw_at = 0) {
  return run_once(stream, make_snapshot(drain), fail_at, throw_at, wall_clock);
}

/// Of the last record's first attempt.
Int128 reserved(const Run& run) { return run.books.last.attempts.at(0).open.reserved_usd_pico.value_or(0); }

void expect_in_order(const Run& run, bool stream, int k) {
  const std::string where = std::string(stream ? "stream" : "buffered") + ", operation " + std::to_string(k);
  EXPECT_EQ(run.ends.ended_count, 1) << where;
  // M19: no ending leaves a hold behind, and what was charged is what the row says.
  EXPECT_TRUE(run.held == 0) << where;
  EXPECT_TRUE(run.charged == run.ends.charged) << where;
  ASSERT_LE(run.books.request_opens.size(), 1U) << where;
  EXPECT_EQ(run.books.request_settles.size(), run.books.request_opens.size()) << where;
  for (const auto& [id, count] : run.books.request_opens) EXPECT_EQ(count, 1) << where;
  for (const auto& [id, count] : run.books.request_settles) EXPECT_EQ(count, 1) << where;
  EXPECT_EQ(run.books.attempt_opens.size(), run.books.attempt_settles.size()) << where;
  for (const auto& [id, count] : run.books.attempt_opens) {
    EXPECT_EQ(count, 1) << where;
    EXPECT_EQ(run.books.attempt_settles.count(id), 1U) << where;
  }
  for (const auto& [id, count] : run.books.attempt_settles) EXPECT_EQ(count, 1) << where;

  if (run.closed) return;
  ASSERT_TRUE(run.ended) << where;
  const bool error = run.body.find("\"error\"") != std::string::npos;
  if (run.status != 200) {
    EXPECT_TRUE(error) << where;
    EXPECT_TRUE(run.books.request_opens.empty() || run.status == 503)
        << where << ": only our own books may end a request with two targets";
  } else if (stream) {
    EXPECT_NE(error, run.body.ends_with("data: [DONE]\n\n")) << where << ": " << run.body;
  } else {
    EXPECT_EQ(run.body, buffered_answer) << where;
  }
}

class Sweep : public testing::TestWithParam<bool> {};

TEST_P(Sweep, EveryFailingOperationLeavesTheBooksInOrder) {
  const bool stream = GetParam();
  for (const bool drain : {false, true}) {
    const auto happy = run_once(stream, 0, drain);
    ASSERT_EQ(happy->status, 200) << happy->body;
    ASSERT_TRUE(happy->ended);
    ASSERT_EQ(happy->books.request_opens.size(), 1U);
    expect_in_order(*happy, stream, 0);
    ASSERT_GE(happy->operations, stream ? 10 : 7);
    for (int k = 1; k <= happy->operations; ++k) {
      const auto run = run_once(stream, k, drain);
      expect_in_order(*run, stream, k);
      // The first commit is the only one whose failure may leave no row: nothing had been spent.
      EXPECT_GE(run->books.request_opens.size(), k > 1 ? 1U : 0U) << k;
    }
  }
}

TEST_P(Sweep, WhatThrowsEndsTheRequestAndIsChargedAsEstimated) {
  const bool stream = GetParam();
  const int operations = run_once(stream, 0, false)->throwing;
  ASSERT_GE(operations, stream ? 5 : 3);
  for (int k = 1; k <= operations; ++k) {
    const auto run = run_once(stream, 0, false, k);
    EXPECT_EQ(run->ends.ended_count, 1) << k;
    EXPECT_EQ(run->books.request_settles.size(), 1U) << k;
    EXPECT_EQ(run->books.attempt_opens.size(), 1U) << k;
    EXPECT_TRUE(run->books.attempt_settles.empty()) << k << ": nobody knows how it ended";
    EXPECT_TRUE(run->held == 0) << k;
    EXPECT_TRUE(run->charged > 0) << k;
    EXPECT_TRUE(run->ended) << k;
    EXPECT_NE(run->body.find("\"error\""), std::string::npos) << k;
    EXPECT_EQ(run->body.find("[DONE]"), std::string::npos) << k;
  }
}

/// Each look at the clock is a second after the one before, and each second is dearer than the one before.
TEST_P(Sweep, TheHoldTheRowAndThePriceAreOfOneInstant) {
  const auto snapshot = make_snapshot(false);
  std::vector<Price>& prices = snapshot->models[0]->prices;
  for (int second = 2; second <= 60; ++second) {
    Price price = prices.front();
    price.from = TimePoint(std::chrono::seconds(second));
    price.rates.input = price.rates.output = second * pico_per_unit;
    prices.push_back(price);
  }
  const auto ticking = [looks = 0]() mutable { return TimePoint(std::chrono::seconds(++looks)); };
  const auto run = run_once(GetParam(), snapshot, 0, 0, ticking);
  ASSERT_EQ(run->books.last.attempts.size(), 1U);
  const RequestRecord::Attempt& attempt = run->books.last.attempts.front();
  const std::chrono::microseconds sent_at = attempt.open.sent_at.time_since_epoch();
  ASSERT_GT(sent_at, std::chrono::seconds(1));
  EXPECT_NE(attempt.settle.price.find("\"from_us\":" + std::to_string(sent_at.count()) + ","), std::string::npos)
      << attempt.settle.price << ", sent at " << sent_at.count();
  EXPECT_EQ(attempt.open.price, attempt.settle.price);
  const auto flat = run_once(GetParam(), 0, false);
  EXPECT_TRUE(reserved(*run) == reserved(*flat) * (sent_at / std::chrono::seconds(1)));
}

INSTANTIATE_TEST_SUITE_P(BothShapes, Sweep, testing::Bool(), [](const auto& p) { return p.param ? "stream" : "buffered"; });

}  // namespace
}  // namespace fairlead::exchange
