#include "ledger/intake.h"

#include <algorithm>
#include <thread>
#include <utility>

namespace fairlead {
namespace {

constexpr std::size_t saved_between_yields = 4;

bool apply_all(std::string_view rows, const Texts& texts, RecordBuilder& builder) {
  Texts none;
  RowScanner scanner(rows, none);
  bool whole = true;
  for (EncodedRow row; scanner.next(row);) whole = builder.apply(row, texts) && whole;
  return whole;
}

}  // namespace

/// The requests as records, one at a time in the same place.
class Intake::Batch final : public RecordSource {
 public:
  Batch(Intake& intake, std::span<Request* const> requests) : intake_(intake), requests_(requests) {}
  const RequestRecord* next() override {
    if (at_ == requests_.size()) return nullptr;
    // A worker may wait for this core. Schedulers that preempt lazily would let it wait out our slice, some milliseconds. Each
    // time costs the caches' warmth too, so some requests are saved together.
    if (intake_.yields_ && at_ % saved_between_yields == 0) std::this_thread::yield();
    if (!intake_.assemble(*requests_[at_++])) ++incomplete_;
    return &intake_.builder_.finish();
  }
  /// Of those that were given: with a row that had no place, such as the settlement of an attempt that was never opened.
  std::uint64_t incomplete() const { return incomplete_; }

 private:
  Intake& intake_;
  std::span<Request* const> requests_;
  std::size_t at_ = 0;
  std::uint64_t incomplete_ = 0;
};

void Intake::begin_segment(std::uint64_t sequence) {
  sequence_ = sequence;
  texts_ = std::make_shared<Texts>();
}

bool Intake::take(std::string_view frame, Clock::time_point now) {
  RowScanner scanner(frame, *texts_);
  for (EncodedRow row; scanner.next(row);) {
    ++taken_rows_;
    ++unsaved_rows_;
    auto found = open_.find(row.id);
    if (found == open_.end()) {
      found = open_.try_emplace(std::string(row.id)).first;
      found->second.since = now;
      found->second.continues = row.kind != RowKind::request_open;
    }
    add(found->second, row);
    if (row.kind != RowKind::request_settle) continue;
    found->second.ended = true;
    ended_.push_back(open_.extract(found));
  }
  return !scanner.damaged();
}

void Intake::add(Request& request, const EncodedRow& row) {
  if (request.last.texts != texts_) {
    if (request.last.texts) request.earlier.push_back(std::move(request.last));
    request.last.texts = texts_;
    request.last.rows.clear();
    request.last.rows.reserve(2 * row.body.size());
  }
  append_row(request.last.rows, row.kind, row.body);
  if (request.unsaved_from == 0) request.unsaved_from = sequence_;
  ++request.unsaved_rows;
}

/// In the builder. False: some of it is not there or makes no sense.
bool Intake::assemble(const Request& request) {
  request.base ? builder_.begin(*request.base) : builder_.begin();
  bool whole = true;
  for (const Part& part : request.earlier) whole = apply_all(part.rows, *part.texts, builder_) && whole;
  whole = apply_all(request.last.rows, *request.last.texts, builder_) && whole;
  return whole && (request.base || !request.continues);
}

/// A settlement whose open row is in the store: of a segment that is gone, or of a request that had ended.
Result<void> Intake::fetch_bases(std::span<Request* const> batch, std::span<const std::string_view> ids) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    Request& request = *batch[i];
    if (!request.continues || request.base) continue;
    auto record = store_.request(id_text(ids[i]));
    if (!record) return record.error();
    if (*record) request.base = std::make_unique<RequestRecord>(std::move(**record));
  }
  return {};
}

Result<void> Intake::save(std::span<Request* const> batch) {
  if (batch.empty()) return {};
  Batch records(*this, batch);
  auto done = store_.save(records);
  if (done) {
    for (Request* request : batch) saved(*request);
    refused_rows_ += records.incomplete();
    return done;
  }
  if (done.error().kind != ErrorKind::internal) return done;
  if (batch.size() == 1) {
    refuse(*batch.front());
    return {};
  }
  const std::size_t half = batch.size() / 2;
  if (auto first = save(batch.first(half)); !first) return first;
  return save(batch.subspan(half));
}

void Intake::saved(Request& request) {
  unsaved_rows_ -= std::exchange(request.unsaved_rows, 0);
  request.unsaved_from = 0;
}

void Intake::refuse(Request& request) {
  refused_rows_ += request.unsaved_rows;
  saved(request);
}

Result<void> Intake::save_ended() {
  std::vector<Request*> batch;
  std::vector<std::string_view> ids;
  for (auto& node : ended_) {
    batch.push_back(&node.mapped());
    ids.push_back(node.key());
  }
  if (auto fetched = fetch_bases(batch, ids); !fetched) return fetched;
  std::erase_if(batch, [this](Request* request) {
    if (request->unsaved_rows == 0) return true;  // saved by a try that failed later
    if (!request->continues || assemble(*request)) return false;
    refuse(*request);
    return true;
  });
  if (auto done = save(batch); !done) return done;
  ended_.clear();
  return {};
}

Result<void> Intake::save_open(Clock::time_point before) {
  std::vector<Request*> batch;
  std::vector<std::string_view> ids;
  for (auto& [id, request] : open_)
    if (request.unsaved_rows > 0 && request.since <= before) {
      batch.push_back(&request);
      ids.push_back(id);
    }
  if (auto fetched = fetch_bases(batch, ids); !fetched) return fetched;
  std::vector<std::string_view> over;  // they had ended before, or never were
  for (std::size_t i = 0; i < batch.size(); ++i)
    if (batch[i]->continues) {
      const bool whole = assemble(*batch[i]);
      if (!whole) refuse(*batch[i]);
      if (!whole || builder_.finish().state != RowState::open) over.push_back(ids[i]);
    }
  std::erase_if(batch, [](const Request* request) { return request->unsaved_rows == 0; });
  if (auto done = save(batch); !done) return done;
  for (const std::string_view id : over) open_.erase(open_.find(id));
  return {};
}

std::uint64_t Intake::needed_from() const {
  std::uint64_t oldest = sequence_;
  const auto look = [&oldest](const Request& request) {
    if (request.unsaved_from != 0) oldest = std::min(oldest, request.unsaved_from);
  };
  for (const auto& [id, request] : open_) look(request);
  for (const auto& node : ended_) look(node.mapped());
  return oldest;
}

}  // namespace fairlead
