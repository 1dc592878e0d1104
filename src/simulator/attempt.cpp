#include "simulator/attempt.h"

#include <algorithm>

// What a condition awaits has a name here: GCC 12.2 makes wrong code of it otherwise (src/README.md).

namespace fairlead::simulator {
namespace {

constexpr std::size_t held_bytes_max = 4 << 10;
constexpr std::int64_t forever_ms = 24 * 3'600'000;  // the client's patience and ours end before
constexpr std::string_view wrong_key = "Bearer sk-wrong";

std::optional<Refusal> key_refusal(const Habits& habits, const Request& request) {
  const std::string_view authorization = request.field("authorization");
  const bool missing = authorization.size() <= 7 || !authorization.starts_with("Bearer ");
  if ((habits.cloud && missing) || authorization.starts_with(wrong_key)) return refusal_of(habits, 401, {});
  return std::nullopt;
}

std::int64_t created_at(TimePoint at) { return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count(); }

}  // namespace

std::vector<std::vector<std::string>> sold_by_kind(const std::vector<PricedModel>& models) {
  std::vector<std::vector<std::string>> sold;
  for (const Habits& habits : all_kinds()) {
    const std::string prefix = std::string(habits.name) + "/";
    std::vector<std::string>& names = sold.emplace_back();
    for (const PricedModel& model : models)
      if (model.name.starts_with(prefix)) names.push_back(model.name.substr(prefix.size()));
  }
  return sold;
}

Attempt::Attempt(World& world, Connection& connection, const Request& request, const Habits& habits)
    : world_(world),
      connection_(connection),
      request_(request),
      habits_(habits),
      number_(world.seed * 1'000'003 + ++world.attempts) {
  line_.kind = habits.name;
  line_.client_request_id = request.field("x-client-request-id");
  line_.at = world.now();
  line_.request_bytes = request.body.size();
}

Task<bool> Attempt::run() {
  const bool whole = co_await perform();
  if (!whole && line_.end == "done") {
    line_.end = world_.stopping ? "fault:shutdown" : "client_closed";
    bill_after_close();
  }
  line_.delivered = whole && line_.end == "done";
  line_.reported = told_sent_ == line_.tokens;
  world_.bill.add(line_);
  co_return whole&& request_.keep_alive();
}

/// Delivered is what was generated until its leaving showed.
void Attempt::bill_after_close() {
  if (script_.bills == BilledAfterClose::nothing) line_.tokens = {};
  if (script_.bills != BilledAfterClose::whole) return;
  line_.tokens.completion = line_.tokens.reasoning = 0;
  for (const Piece& piece : answer_.pieces) count(piece);
}

void Attempt::count(const Piece& piece) {
  line_.tokens.completion += piece.tokens;
  if (piece.what == Piece::What::reasoning) line_.tokens.reasoning += piece.tokens;
}

/// Reads the request and its script. A refusal here is the provider's own.
std::optional<Refusal> Attempt::read() {
  if (std::optional<Refusal> refusal = key_refusal(habits_, request_)) return refusal;
  auto chat = read_chat(habits_, request_.body);
  if (chat.has_error()) return chat.error();
  chat_ = std::move(*chat);
  line_.model = chat_.model;
  line_.stream = chat_.stream;
  auto script = world_.director.direct(habits_.name, chat_.markers);
  if (script.has_error()) return Refusal{400, script.error().sentence, {}, {}, "messages"};
  script_ = std::move(*script);
  return std::nullopt;
}

Task<bool> Attempt::perform() {
  std::optional<Refusal> refusal = read();
  if (refusal) co_return co_await refuse(*refusal);
  if (const bool here = co_await reach(Place::before); !here) co_return false;
  if (script_.status != 0 || script_.redirect != 0 || !script_.code.empty()) co_return co_await refuse_as_told();
  refusal = objection(habits_, chat_, world_.models_of(habits_));
  if (!refusal) refusal = schema_objection(chat_, script_);
  if (refusal) co_return co_await refuse(*refusal);
  begin_answer();  // From here on the prompt is on the bill.
  if (chat_.stream) co_return co_await answer_stream();
  co_return co_await answer_whole();
}

Fields Attempt::fields_of(int status, std::string type) const {
  Fields fields{{"content-type", std::move(type)}};
  const std::string trace = random_id(number_, 32, true);
  switch (habits_.kind) {
    case Kind::deepseek: fields.emplace_back("x-ds-trace-id", trace); break;
    case Kind::qwen:
      fields.emplace_back("x-request-id", trace);
      fields.emplace_back("x-dashscope-call-gateway", "true");
      break;
    case Kind::openai:
      fields.emplace_back("x-request-id", "req_" + trace);
      fields.emplace_back("openai-processing-ms", "12");
      fields.emplace_back("openai-version", "2020-10-01");
      fields.emplace_back("x-ratelimit-limit-requests", "10000");
      fields.emplace_back("x-ratelimit-remaining-requests", status == 429 ? "0" : "9999");
      fields.emplace_back("x-ratelimit-reset-requests", "6ms");
      break;
    case Kind::vllm:
    case Kind::sglang: fields.emplace_back("server", "uvicorn"); break;
    case Kind::llamacpp: fields.emplace_back("server", "llama.cpp"); break;
    case Kind::ollama:
    case Kind::lmstudio: break;
  }
  return fields;
}

Task<bool> Attempt::refuse(const Refusal& refusal) {
  std::string type = "application/json", body = refusal_json(habits_, refusal, random_id(number_, 32, true));
  if (script_.body == "html") {
    type = "text/html";
    body = "<html><body><h1>" + std::to_string(refusal.status) + "</h1></body></html>\n";
  } else if (script_.body == "empty") {
    body.clear();
  }
  Fields fields = fields_of(refusal.status, std::move(type));
  if (!script_.retry_after.empty()) fields.emplace_back("retry-after", script_.retry_after);
  if (!script_.retry_after_ms.empty()) fields.emplace_back("retry-after-ms", script_.retry_after_ms);
  if (script_.redirect != 0) fields.emplace_back("location", "/_sim/redirected");
  line_.status = refusal.status;
  writer_.emplace(connection_, AnswerWriter::Framing::length, AnswerWriter::Habit{script_.split, false});
  writer_->head(refusal.status, std::move(fields), body.size());
  writer_->body(body);
  co_return co_await flush();
}

Task<bool> Attempt::refuse_as_told() {
  if (const bool here = co_await pause(script_.delay_ms); !here) co_return false;
  const Refusal refusal = refusal_of(habits_, script_.redirect != 0 ? script_.redirect : script_.status, script_.code);
  const bool written = co_await refuse(refusal);
  if (written) line_.end = script_.redirect != 0 ? "fault:redirect" : "fault:status";
  co_return written;
}

void Attempt::begin_answer() {
  line_.tokens = world_.cache.take(habits_, chat_, script_);
  line_.id = answer_id(habits_, number_);
  answer_ = compose(habits_, chat_, script_, number_);
  Frame frame;
  frame.id = line_.id;
  frame.model = script_.model.empty() ? answering_model(habits_, chat_.model) : script_.model;
  frame.created = created_at(line_.at);
  frame.thinking = !answer_.choices.front().reasoning.empty();
  line_.thinking = frame.thinking;
  line_.service_tier = chat_.service_tier;
  if (chat_.service_tier != ServiceTier::standard) frame.service_tier = to_string(chat_.service_tier);
  frame.obfuscation = chat_.obfuscation;
  frame.prompt_tokens = line_.tokens.prompt;
  shape_.emplace(habits_, std::move(frame));

  const bool by_habit =
      script_.usage == UsageTold::habit || script_.usage == UsageTold::invalid || script_.usage == UsageTold::zero;
  usage_ = script_.usage;
  if (by_habit) usage_ = chat_.continuous_usage ? UsageTold::every : habits_.usage_with_finish ? UsageTold::same : UsageTold::habit;
  if (by_habit && chat_.stream && !chat_.include_usage) usage_ = UsageTold::none;
  if (script_.keepalive < 0) script_.keepalive = habits_.kind == Kind::deepseek ? 1 : 0;
}

void Attempt::begin_head(std::string_view type, std::size_t body_bytes) {
  const bool chunked = chat_.stream || script_.keepalive > 0 || script_.endless;
  writer_.emplace(connection_, chunked ? AnswerWriter::Framing::chunked : AnswerWriter::Framing::length,
                  AnswerWriter::Habit{script_.split, script_.gzip});
  writer_->head(200, fields_of(200, std::string(type)), body_bytes);
  line_.status = 200;
}

/// The time before the answer is generated, and what the provider sends meanwhile, if anything.
Task<bool> Attempt::wait_in_queue(std::string_view type) {
  if (script_.keepalive == 0) co_return co_await pause(script_.delay_ms);
  begin_head(type, 0);
  const std::string_view comment = script_.crlf ? ": keep-alive\r\n\r\n" : ": keep-alive\n\n";
  const std::int64_t times = script_.keepalive;
  for (std::int64_t i = 0; i < times; ++i) {
    writer_->body(chat_.stream ? comment : "\n");
    if (writer_->held() > held_bytes_max) {
      if (const bool here = co_await flush(); !here) co_return false;
    }
    const std::int64_t share = script_.delay_ms * (i + 1) / times - script_.delay_ms * i / times;
    if (const bool here = co_await pause(share); !here) co_return false;
  }
  co_return true;
}

/// One piece of thought: takes its time, and goes on the bill.
Task<bool> Attempt::generate(const Piece& piece) {
  const bool here = co_await pause(script_.chunk_ms);
  if (!here) co_return false;
  count(piece);
  co_return true;
}

/// What the script wants here: nothing, a stall, or an end of the connection (`false`).
Task<bool> Attempt::reach(Place place) {
  bool here = true;
  const std::int64_t stall_ms = script_.stall_ms > 0 ? script_.stall_ms : forever_ms;
  if (script_.stall == place) here = co_await pause(stall_ms);
  if (!here) co_return false;
  if (script_.reset == place) co_return co_await cut("reset");
  if (script_.close == place) co_return co_await cut("close");
  co_return true;
}

Task<bool> Attempt::cut(std::string_view how) {
  const bool here = co_await flush();
  if (!here) co_return false;
  line_.end = "fault:" + std::string(how);
  if (how == "reset") {
    connection_.reset();
  } else {
    connection_.close();
  }
  co_return false;
}

Task<bool> Attempt::pause(std::int64_t milliseconds) {
  if (milliseconds == 0) co_return true;
  const bool here = co_await flush();
  if (!here) co_return false;
  co_return co_await connection_.pause(std::chrono::milliseconds(milliseconds));
}

Task<bool> Attempt::flush() {
  const std::optional<Tokens> told = told_;
  bool sent = true;
  if (writer_) sent = co_await writer_->flush();
  if (sent) told_sent_ = told;
  co_return sent;
}

// Buffered.

Task<bool> Attempt::answer_whole() {
  constexpr std::string_view type = "application/json";
  if (const bool here = co_await wait_in_queue(type); !here) co_return false;
  for (const Piece& piece : answer_.pieces)
    if (const bool here = co_await generate(piece); !here) co_return false;
  std::string body = script_.error_mid ? stream_error_json(habits_, random_id(number_, 32, true))
                                       : shape_->whole(answer_, final_usage(), usage_ == UsageTold::choices);
  const std::optional<Tokens> told = std::exchange(told_, std::nullopt);  // only with the last byte
  const std::size_t middle = body.size() / 2;
  if (script_.garbage_mid) body.insert(middle, "\n}{garbage\n");
  if (!writer_) begin_head(type, body.size());
  if (const bool here = co_await reach(Place::head); !here) co_return false;
  const std::string_view view = body;
  writer_->body(view.substr(0, middle));
  if (const bool here = co_await reach(Place::mid); !here) co_return false;
  if (const bool here = co_await reach(Place::before_usage); !here) co_return false;
  while (script_.endless) {
    writer_->body(view.substr(0, middle));
    if (const bool here = co_await flush(); !here) co_return false;
    if (connection_.client_left()) co_return false;
  }
  writer_->body(view.substr(middle, body.size() - middle - 1));
  if (const bool here = co_await reach(Place::before_done); !here) co_return false;
  told_ = told;
  writer_->body(view.substr(body.size() - 1));
  writer_->end();
  if (const bool here = co_await flush(); !here) co_return false;
  if (script_.error_mid) line_.end = "fault:error";
  if (script_.garbage_mid) line_.end = "fault:garbage";
  co_return true;
}

// Streamed.

void Attempt::event(std::string_view json) {
  const std::string_view end = script_.crlf ? "\r\n\r\n" : "\n\n";
  std::string text = "data: ";
  text += json;
  text += end;
  writer_->body(text);
}

bool Attempt::usage_with_ending() const { return usage_ == UsageTold::same || usage_ == UsageTold::choices; }

/// The usage of chunks before the last: running figures, null, or nothing, as the provider does.
std::string Attempt::running_usage() {
  if (usage_ == UsageTold::every) return final_usage();
  const bool null = habits_.null_usage == NullUsage::always || (habits_.null_usage == NullUsage::when_asked && chat_.include_usage);
  return null ? "null" : "";
}

std::string Attempt::final_usage() {
  if (usage_ == UsageTold::none) return {};
  const bool untrue = script_.usage == UsageTold::invalid || script_.usage == UsageTold::zero;
  if (!untrue && !script_.error_mid) told_ = line_.tokens;
  return usage_json(habits_, line_.tokens, line_.tokens.reasoning > 0, script_.usage);
}

Task<bool> Attempt::answer_stream() {
  const bool plain = habits_.kind == Kind::llamacpp || habits_.kind == Kind::ollama;
  const std::string_view type = plain ? "text/event-stream" : "text/event-stream; charset=utf-8";
  if (const bool here = co_await wait_in_queue(type); !here) co_return false;
  if (!writer_) begin_head(type, 0);
  if (const bool here = co_await reach(Place::head); !here) co_return false;
  if (const bool here = co_await stream_opening(); !here) co_return false;
  if (const bool here = co_await stream_pieces(); !here) co_return false;
  if (line_.end != "done") co_return true;  // broken off by an error
  co_return co_await stream_ending();
}

Task<bool> Attempt::stream_opening() {
  for (std::size_t i = 0; i < answer_.choices.size(); ++i)
    event(shape_->opening(static_cast<int>(i), !answer_.choices[i].calls.empty(), running_usage()));
  if (script_.chunk_ms == 0) co_return true;
  co_return co_await flush();
}

Task<bool> Attempt::stream_pieces() {
  const std::size_t count = answer_.pieces.size(), middle = std::max<std::size_t>(count / 2, 1);
  for (std::size_t i = 0; i < count || (script_.endless && count > 0); ++i) {
    const Piece& piece = answer_.pieces[i % count];
    if (const bool here = co_await generate(piece); !here) co_return false;
    const bool last_of_all = i + 1 == count && usage_ == UsageTold::before_last;
    const std::optional<Tokens> told = told_;
    const std::string json = shape_->piece(answer_, piece, last_of_all ? final_usage() : running_usage());
    if (json.empty())
      told_ = told;  // a thought that the provider hides: no event, and so no usage in one
    else
      event(json);
    if (writer_->held() > held_bytes_max) {
      if (const bool here = co_await flush(); !here) co_return false;
      if (connection_.client_left()) co_return false;
    }
    if (script_.endless && (i + 1) % count == 0) {  // it may be that nothing of it is ever shown
      if (const bool here = co_await pause(1); !here) co_return false;
    }
    if (i + 1 != middle) continue;
    if (const bool here = co_await reach(Place::mid); !here) co_return false;
    if (const bool here = co_await stream_trouble(); !here) co_return false;
    if (line_.end != "done") break;
  }
  co_return true;
}

/// An error object ends the stream, as the provider ends it; garbage does not.
Task<bool> Attempt::stream_trouble() {
  if (script_.garbage_mid) event("{garbage");
  if (!script_.error_mid) co_return true;
  if (habits_.kind == Kind::lmstudio) writer_->body("event: error\n");
  event(stream_error_json(habits_, random_id(number_, 32, true)));
  if (habits_.kind == Kind::vllm || habits_.kind == Kind::sglang) event("[DONE]");
  writer_->end();
  const bool sent = co_await flush();
  if (sent) line_.end = "fault:error";
  co_return sent;
}

Task<bool> Attempt::stream_ending() {
  if (usage_with_ending()) {
    if (const bool here = co_await reach(Place::before_usage); !here) co_return false;
  }
  const std::size_t count = answer_.choices.size();
  for (std::size_t i = 0; i < count; ++i) {
    const bool here = usage_ == UsageTold::choices ? i == 0 : usage_ == UsageTold::same && i + 1 == count;
    const std::string usage = here ? final_usage() : running_usage();
    event(shape_->ending(static_cast<int>(i), answer_.choices[i].finish_reason, usage, here && usage_ == UsageTold::choices));
  }
  if (!usage_with_ending()) {
    if (const bool here = co_await reach(Place::before_usage); !here) co_return false;
  }
  if (usage_ == UsageTold::delta) event(shape_->empty_delta(0, final_usage()));
  if (usage_ == UsageTold::habit || (usage_ == UsageTold::every && chat_.include_usage)) event(shape_->usage_only(final_usage()));
  if (const bool here = co_await reach(Place::before_done); !here) co_return false;
  if (!script_.nodone) event("[DONE]");
  writer_->end();
  if (const bool here = co_await flush(); !here) co_return false;
  if (script_.nodone) line_.end = "fault:nodone";
  if (script_.garbage_mid) line_.end = "fault:garbage";
  co_return true;
}

}  // namespace fairlead::simulator
