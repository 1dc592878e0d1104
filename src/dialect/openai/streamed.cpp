// An answer as a stream of chunks: each is read once, and passes as the bytes that came unless something in it must change.
//
// What changes, and nothing else does:
//  - an app that did not ask for usage sees none: chunks that are only usage go, and in others the member `usage` goes, as in a
//    stream of OpenAI's own that was not asked for it. An app that asked gets every report where its provider puts it, with
//    `cost_usd` added to each where that can be told (so the last one has the total);
//  - `model` and `reasoning`, as AnswerKeeper says;
//  - events with fields other than `data` are written anew without them: OpenAI's streams have none, and SDKs take an `id` or a
//    `retry` for a reason to read an empty event at the next blank line. Blank lines and comments with nothing else are kept apart:
//    comments pass as they are, each block with its blank line, which fires no event; blank lines alone go.
//
// The end: `data: [DONE]` waits for finish(). A provider that forgets it has still ended well if every choice that it began has its
// finish_reason. One that says [DONE] without a finish_reason is believed too if it said anything: the end is its own word, and the
// app sees that the reason is missing. With both, the answer has ended() whatever its body does. All else that ends is cut off.
//
// What comes before the first content (a role, a content filter's verdict) waits with it, up to `lead_bytes_max`: so another target
// can still answer from the start when this one fails.
#include "dialect/openai/coders.h"
#include "dialect/openai/provider_error.h"
#include "wire/sse.h"

#include <algorithm>
#include <list>

namespace fairlead::openai {
namespace {

constexpr std::size_t lead_bytes_max = 4096;
constexpr std::string_view done_event = "data: [DONE]\n\n";

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t") == std::string_view::npos; }

bool ends_in_blank_line(std::string_view text) {
  return text.ends_with("\n\n") || text.ends_with("\r\r") || text.ends_with("\r\n\r\n");
}

class StreamedCoder final : public AnswerCoder {
 public:
  StreamedCoder(const ChatRequest& request, const Target& target, AnswerOptions options)
      : target_(target),
        wants_usage_(request.include_usage),
        events_(options.event_bytes_max),
        keeper_(target, std::move(options)) {}

  Result<void> feed(std::string_view bytes, Pieces& out) override {
    owned_.clear();
    events_.feed(bytes);
    return take_events(out);
  }

  Result<void> finish(Pieces& out) override {
    owned_.clear();
    events_.feed({});
    events_.finish();
    if (auto taken = take_events(out); !taken) return taken;
    if (!out.empty() && !ends_in_blank_line(out.back())) append_piece(out, "\n\n");
    if (!complete()) return provider_failure(ErrorKind::upstream_closed, "The provider's answer ended before it was complete.");
    keeper_.summary.choices = count_of(choices_seen_);
    append_piece(out, done_event);
    return boost::system::in_place_value;
  }

  bool ended() const override { return done_ && all_finished(); }
  const AnswerSummary& summary() const override { return keeper_.summary; }
  TextBytes content() const override { return keeper_.content(); }

 private:
  Result<void> take_events(Pieces& out) {
    wire::SseEvent event;
    while (events_.next(event))
      if (auto taken = take(event, out); !taken) return taken;
    if (events_.too_large())
      return provider_failure(ErrorKind::upstream_protocol, "An event of the provider's answer is too large.");
    return boost::system::in_place_value;
  }

  Result<void> take(const wire::SseEvent& event, Pieces& out) {
    if (done_) return boost::system::in_place_value;
    if (!event.error.empty()) return error_in_answer(event.error, target_);
    if (event.event == "error" && event.has_data) return error_in_answer(event.data, target_);
    if (event.raw.starts_with('{')) return no_stream(event.raw);
    if (!event.has_data || is_blank(event.data)) {
      if (event.has_comment && !event.has_other && !event.has_data) append_piece(out, event.raw);
      return boost::system::in_place_value;
    }
    if (event.data.starts_with("[DONE]") && is_blank(event.data.substr(6))) {
      done_ = true;
      keeper_.summary.usage_of_whole = true;
      return boost::system::in_place_value;
    }
    if (auto read = keeper_.read_chunk(event.data); !read) return read;
    choices_seen_ |= keeper_.text().choices_seen;
    choices_finished_ |= keeper_.text().choices_finished;
    if (!keeper_.text().usages.empty()) keeper_.summary.usage_of_whole = all_finished();
    if (!is_only_usage() || wants_usage_) pass(event, out);
    return boost::system::in_place_value;
  }

  /// Some providers answer a stream's request with plain JSON when they refuse it, under a 200.
  Result<void> no_stream(std::string_view json) {
    if (auto read = keeper_.read(json); !read) return read;
    keeper_.summary.usage_of_whole = true;
    return provider_failure(ErrorKind::upstream_protocol, "The provider's answer is not a stream.");
  }

  /// Not every chunk without choices is: Azure's first one holds the content filter's verdict on the prompt.
  bool is_only_usage() const { return keeper_.text().choices_seen == 0 && !keeper_.text().usage_value.empty(); }

  bool complete() const {
    if (done_) return keeper_.summary.content_started;
    return all_finished();
  }
  bool all_finished() const { return choices_seen_ != 0 && (choices_seen_ & ~choices_finished_) == 0; }

  void pass(const wire::SseEvent& event, Pieces& out) {
    edits_.clear();
    keeper_.add_edits(edits_);
    if (!wants_usage_)
      for (const Range& member : keeper_.text().usage_members) edits_.push_back({member, {}});
    else if (!keeper_.text().usage_value.empty())
      add_cost(event.data);
    std::erase_if(edits_, [](const Edit& edit) { return edit.range.empty() && edit.text.empty(); });

    AnswerSummary& summary = keeper_.summary;
    if (summary.content_started) return write(event, out);
    summary.content_started = keeper_.text().has_content || lead_.size() + event.raw.size() > lead_bytes_max;
    if (summary.content_started) {
      release_lead(out);
      return write(event, out);
    }
    Pieces waiting;
    write(event, waiting);
    for (const std::string_view piece : waiting) lead_ += piece;
  }

  void release_lead(Pieces& out) {
    if (!lead_.empty()) append_piece(out, owned_.emplace_back(std::move(lead_)));
    lead_.clear();
  }

  /// As the last member of the usage object; where the provider is a fairlead too, its figure gives way to ours.
  void add_cost(std::string_view data) {
    const AnswerSummary& summary = keeper_.summary;
    if (!keeper_.options().cost_usd || summary.usage_source != UsageSource::reported) return;
    const std::string cost = keeper_.options().cost_usd(summary);
    if (cost.empty()) return;
    const Range range = keeper_.text().usage_value;
    const std::string_view object = data.substr(range.begin, range.end - range.begin);
    wire::JsonReader json(object);
    bool empty = true;
    Range theirs;
    json.object([&](wire::JsonString key) {
      empty = false;
      const bool ours = key.is("cost_usd");
      json.peek();
      const std::size_t begin = range.begin + json.offset();
      json.skip();
      if (ours) theirs = {begin, range.begin + json.offset()};
    });
    std::string text;
    if (theirs.empty()) text = empty ? R"("cost_usd":)" : R"(,"cost_usd":)";
    wire::append_quoted(text, cost);
    if (theirs.empty()) theirs = {range.end - 1, range.end - 1};
    edits_.push_back({theirs, owned_.emplace_back(std::move(text))});
  }

  void write(const wire::SseEvent& event, Pieces& out) {
    if (!event.has_other && edits_.empty()) return append_piece(out, event.raw);
    if (!event.has_other && event.one_line) {
      const auto base = static_cast<std::size_t>(event.data.data() - event.raw.data());
      for (Edit& edit : edits_) edit.range = {edit.range.begin + base, edit.range.end + base};
      return splice(event.raw, edits_, out);
    }
    Pieces pieces;
    splice(event.data, edits_, pieces);
    std::string text = "data: ";
    for (const std::string_view piece : pieces) text += piece;
    std::replace(text.begin(), text.end(), '\n', ' ');  // in JSON a line break can only be white space
    text += "\n\n";
    append_piece(out, owned_.emplace_back(std::move(text)));
  }

  const Target& target_;
  bool wants_usage_;
  bool done_ = false;
  ChoiceSet choices_seen_ = 0, choices_finished_ = 0;
  std::list<std::string> owned_;  ///< what the pieces of this call point to
  wire::SseReader events_;
  AnswerKeeper keeper_;
  std::string lead_;                             ///< what waits for the first content
  static thread_local std::vector<Edit> edits_;  ///< of the event that is read: the thread's, which reads one after the other
};

thread_local std::vector<Edit> StreamedCoder::edits_;

}  // namespace

std::unique_ptr<AnswerCoder> streamed_coder(const ChatRequest& request, const Target& target, AnswerOptions options) {
  return std::make_unique<StreamedCoder>(request, target, std::move(options));
}

}  // namespace fairlead::openai
