#pragma once
// Cuts a stream of server-sent events (the WHATWG's grammar) into events, wherever its bytes were cut on the way.
// Used by the dialects that stream so. One reader per stream; not shared between threads.
#include <cstddef>
#include <string>
#include <string_view>

namespace fairlead::wire {

/// What stood before one blank line. Views stay valid until the next SseReader::feed(), but those of a multi-line `data`
/// only until the next next().
struct SseEvent {
  std::string_view raw;    ///< all its bytes, with the blank line
  std::string_view data;   ///< of the `data` fields, joined by \n
  std::string_view event;  ///< of the `event` field
  std::string_view error;  ///< of the `error` field, which llama.cpp knows, and nobody else
  bool has_data = false;
  bool one_line = false;  ///< there is one data field: `data` lies within `raw`
  bool has_comment = false;
  bool has_other = false;  ///< fields that are neither data nor comments: event, id, retry, error, unknown ones
};

/// Lines may end in \n, \r\n or \r. Linear in the bytes fed; complete events are views of the bytes fed, and only the tail
/// that was cut off is copied.
class SseReader {
 public:
  explicit SseReader(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  /// Takes the next bytes of the stream; next() must have said false before.
  void feed(std::string_view bytes);
  /// The stream ended: what is left counts as an event, though its blank line is missing.
  void finish() { ended_ = true; }
  /// The next event. False: there is none yet, or one is too large.
  bool next(SseEvent& event);
  /// An event is larger than event_bytes_max; there will be no more.
  bool too_large() const { return too_large_; }

 private:
  std::size_t end_of_event(std::string_view bytes);
  void read_fields(std::string_view raw, SseEvent& event);
  void read_line(std::string_view line, SseEvent& event);
  bool take(std::string_view raw, SseEvent& event);

  std::size_t event_bytes_max_;
  std::string_view bytes_;        ///< fed, and not yet looked at
  std::size_t lines_ = 0;         ///< of the current event, without the blank one
  bool saw_cr_ = false;           ///< in it
  bool any_cr_ = false;           ///< in the bytes so far: most streams have none
  bool line_empty_ = true;        ///< the current line has no byte yet
  bool after_cr_ = false;         ///< a \r ended a line, and a \n may belong to it
  bool blank_before_cr_ = false;  ///< that line was blank
  bool first_ = true;
  bool ended_ = false;
  bool too_large_ = false;
  std::string tail_;       ///< the event that was cut off
  std::string completed_;  ///< the one of the last feed, of which there may be views
  std::string joined_;     ///< multi-line data
};

}  // namespace fairlead::wire
