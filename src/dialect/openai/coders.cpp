#include "dialect/openai/coders.h"

#include "dialect/openai/provider_error.h"

#include <algorithm>
#include <utility>

namespace fairlead::openai {
namespace {

constexpr std::size_t word_bytes_max = 256;        // of what an answer calls itself, its model and its end
constexpr std::size_t word_read_bytes_max = 2048;  // more, so that no credential is cut before it is masked

std::string beginning(wire::JsonString said) {
  std::size_t end = 0;
  while (end < said.raw.size() && end < word_read_bytes_max) end += said.raw[end] != '\\' ? 1 : said.raw[end + 1] == 'u' ? 6 : 2;
  said.raw = said.raw.substr(0, end);
  return said.text();
}

/// So much of a provider's word as the books keep: the usual one as it is, and of any other what can be printed, and no credential.
std::string short_word(const wire::JsonString& said, const std::string& api_key) {
  const auto printable = [](char c) { return c >= 0x20 && c < 0x7F; };
  const bool usual = !said.escaped && said.raw.size() <= word_bytes_max && std::all_of(said.raw.begin(), said.raw.end(), printable);
  if (usual && (api_key.empty() || said.raw.find(api_key) == std::string_view::npos)) return std::string(said.raw);
  std::string word = safe_text(beginning(said), api_key);
  wire::cut_utf8(word, word_bytes_max);
  return word;
}

}  // namespace

Error provider_failure(ErrorKind kind, std::string message, std::string detail) {
  return {kind, ErrorOrigin::provider, std::move(message), std::move(detail), Retry::before_commit};
}

thread_local AnswerText AnswerKeeper::text_;

AnswerKeeper::AnswerKeeper(const Target& target, AnswerOptions options) : target_(target), options_(std::move(options)) {
  if (options_.answer_model == AnswerModel::asked && !options_.asked_model.empty())
    wire::append_quoted(quoted_model_, options_.asked_model);
}

Result<void> AnswerKeeper::read(std::string_view text) {
  text_.read(text);
  if (!text_.well_formed) {
    if (text_.truncated) return provider_failure(ErrorKind::upstream_closed, "The provider's answer was cut off.");
    return provider_failure(ErrorKind::upstream_protocol, "The provider's answer is not a JSON object.");
  }
  // First, since what a failed answer used is billed. What an error says is no content, and is not counted.
  if (!text_.usages.empty()) take_usages();
  if (text_.error) return error_in_answer(text, target_);
  keep();
  if (!text_.broken_off.empty())
    return provider_failure(ErrorKind::upstream_unavailable, "The provider broke off its answer.",
                            "finish_reason " + std::string(text_.broken_off));
  return boost::system::in_place_value;
}

Result<void> AnswerKeeper::read_chunk(std::string_view text) {
  if (alike_.read(text, text_)) {
    keep_content();
    return boost::system::in_place_value;
  }
  auto read = this->read(text);
  if (read) alike_.know(text, text_);
  return read;
}

void AnswerKeeper::take_usages() {
  if (!report_) report_ = std::make_unique<UsageReport>();
  for (const std::string_view usage : text_.usages) report_->merge(usage);
  summary.reported_usd_pico = report_->reported_usd_pico();
  if (!report_->any()) return;
  const auto usage = report_->disjoint(target_.provider->profile->reasoning_outside_output);
  summary.usage = usage.value_or(Usage{});
  summary.usage_source = usage ? UsageSource::reported : UsageSource::invalid;
}

void AnswerKeeper::keep() {
  const auto last_known = [&](std::string& known, const wire::JsonString& said) {
    if (!said.raw.empty() && said.raw != known) known = short_word(said, target_.provider->api_key);
  };
  last_known(summary.id, text_.id);
  last_known(summary.model, text_.model);
  last_known(summary.finish_reason, text_.finish_reason);
  if (!text_.service_tier.raw.empty()) summary.service_tier = parse_service_tier(text_.service_tier.raw);
  summary.reasoning_shown |= text_.has_reasoning;
  keep_content();
}

void AnswerKeeper::keep_content() {
  summary.content_bytes += text_.content_bytes;
  for (const std::string_view said : text_.contents) scripts_.add(said);
}

void AnswerKeeper::add_edits(std::vector<Edit>& edits) const {
  if (!quoted_model_.empty() && !text_.model_value.empty()) edits.push_back({text_.model_value, quoted_model_});
  if (target_.provider->profile->reasoning_field != "reasoning") return;
  for (const Range& key : text_.reasoning_keys) edits.push_back({key, "reasoning_content"});
}

}  // namespace fairlead::openai
