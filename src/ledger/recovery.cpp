#include "ledger/recovery.h"

#include "ledger/intake.h"
#include "ledger/segment.h"

#include <algorithm>
#include <cerrno>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fairlead {
namespace {

constexpr std::size_t batch_requests = 4'096;
constexpr std::uint64_t no_end = ~std::uint64_t{0};

class Replay {
 public:
  Replay(Store& store, JournalFiles& files) : files_(files), prefix_(store.journal()), intake_(store), store_(store) {}

  Result<Recovered> run(TimePoint now) {
    auto segments = find_segments(files_, prefix_);
    if (!segments) return segments.error();
    const auto bounds = bounds_of(*segments);
    if (!bounds) return bounds.error();
    for (std::size_t i = 0; i < segments->size(); ++i)
      if (auto done = replay((*segments)[i], (*bounds)[i]); !done) return done.error();
    if (auto done = intake_.save_ended(); !done) return done.error();
    if (auto done = intake_.save_open(Intake::Clock::time_point::max()); !done) return done.error();
    const auto interrupted = store_.recover(now);
    if (!interrupted) return interrupted.error();
    if (auto done = store_.sync(); !done) return done.error();
    // Beyond this point the journal says nothing that the store does not have on the disk.
    if (auto done = let_go(*segments); !done) return done.error();
    const auto next = store_.next_number();
    if (!next) return next.error();
    (void)store_.keep_from(*next);  // if it fails, old rows stay for a while
    found_.next_number = *next;
    found_.interrupted_attempts = *interrupted;
    found_.replayed_rows = intake_.taken_rows();
    if (intake_.refused_rows() > 0)
      found_.notices.push_back(std::to_string(intake_.refused_rows()) + " rows of the journal have no place in the ledger");
    if (!segments->empty()) found_.next_sequence = segments->back().sequence + 1;
    return std::move(found_);
  }

 private:
  /// What the headers of later segments say of one: up to where its frames were acknowledged for sure, and from where on none
  /// counts.
  struct Bounds {
    std::uint64_t least = 0, end = no_end;
  };

  /// From the newest on, as a segment of which no frame counts says nothing of an end.
  Result<std::vector<Bounds>> bounds_of(const std::vector<FoundSegment>& segments) {
    std::vector<Bounds> bounds(segments.size());
    for (std::size_t i = segments.size(); i-- > 0;) {
      const auto& header = segments[i].header;
      if (!header || header->previous == 0) continue;
      auto reader = SegmentReader::open(files_, prefix_, segments[i].sequence, Trust::found);
      if (!reader) return reader.error();
      const auto first = reader->next(bounds[i].end);
      if (!first) return first.error();
      for (std::size_t before = 0; before < i; ++before) {
        if (segments[before].sequence < header->previous) continue;
        const bool previous = segments[before].sequence == header->previous;
        if (previous) bounds[before].least = std::max(bounds[before].least, header->previous_end);
        if (*first) bounds[before].end = std::min(bounds[before].end, previous ? header->previous_end : segment_header_bytes);
      }
    }
    return bounds;
  }

  Result<void> replay(FoundSegment& segment, const Bounds& bounds) {
    // Without a header the process died before anything was written here, or it is the header alone that is damaged: each frame has
    // a checksum of its own.
    auto reader = SegmentReader::open(files_, prefix_, segment.sequence, Trust::found);
    if (!reader) return reader.error();
    intake_.begin_segment(segment.sequence);
    bool whole = true;
    while (whole) {
      const auto frame = reader->next(bounds.end);
      if (!frame) return frame.error();
      if (!*frame) break;
      whole = intake_.take(**frame, Intake::Clock::time_point());
      if (intake_.ended() < batch_requests) continue;
      if (auto done = intake_.save_ended(); !done) return done;
    }
    return look_behind(segment, *reader, bounds, whole);
  }

  /// Says what is wrong after the last good frame.
  Result<void> look_behind(FoundSegment& segment, SegmentReader& reader, const Bounds& bounds, bool whole) {
    const std::string at = segment.path + " at byte " + std::to_string(reader.position());
    if (!whole || reader.position() < std::min(bounds.least, bounds.end)) {
      const auto kept_as = name_to_keep(segment.path);
      if (!kept_as) return kept_as.error();
      found_.notices.push_back("the journal is damaged: " + at + ", and what follows there is lost. The file is kept as " +
                               *kept_as);
      damaged_.emplace(segment.path, *kept_as);
      return {};
    }
    if (bounds.end != no_end) return {};
    const auto behind = reader.bytes_behind();
    if (!behind) return behind.error();
    if (*behind > 0)
      found_.notices.push_back("the journal's end is torn, as after a crash: " + at + ", " + std::to_string(*behind) +
                               " bytes that were never acknowledged are ignored");
    return {};
  }

  /// Numbers begin anew once all files are gone, so an earlier damaged one may have had the same.
  Result<std::string> name_to_keep(const std::string& path) {
    std::vector<std::string> taken;
    if (files_.list(path, taken) != 0) return journal_error("list the files beside", path);
    std::string rest = ".damaged";
    for (int n = 2; std::find(taken.begin(), taken.end(), rest) != taken.end(); ++n) rest = ".damaged." + std::to_string(n);
    return path + rest;
  }

  Result<void> let_go(const std::vector<FoundSegment>& segments) {
    for (const FoundSegment& segment : segments) {
      const auto damaged = damaged_.find(segment.path);
      const int done = damaged == damaged_.end() ? files_.remove(segment.path) : files_.rename(segment.path, damaged->second);
      if (done != 0 && errno != ENOENT) return journal_error("remove", segment.path);
    }
    if (!segments.empty() && files_.sync_folder_of(prefix_) != 0) return journal_error("sync the folder of", prefix_);
    return {};
  }

  JournalFiles& files_;
  std::string prefix_;
  Intake intake_;
  Store& store_;
  Recovered found_;
  std::map<std::string, std::string> damaged_;  ///< by path, the name under which it is kept
};

}  // namespace

Result<Recovered> recover_journal(Store& store, JournalFiles& files, TimePoint now) { return Replay(store, files).run(now); }

}  // namespace fairlead
