#include "dialect/openai/alike.h"

namespace fairlead::openai {
namespace {

/// One string is all that it says, and nothing in it is for this chunk alone.
bool says_one_thing(const AnswerText& answer) {
  return answer.well_formed && answer.contents.size() == 1 && answer.usages.empty() && answer.choices_finished == 0 &&
         answer.finish_reason.raw.empty() && !answer.error && answer.has_content && answer.reasoning_keys.size() <= 1 &&
         answer.usage_members.size() <= 1;
}

/// The string whose opening quote stands before `at`; false if it is none.
bool read_string(std::string_view text, std::size_t at, std::string_view& string) {
  wire::JsonReader json(text.substr(at - 1));
  string = json.string().raw;
  return !json.failed();
}

}  // namespace

void AlikeChunks::know(std::string_view text, const AnswerText& answer) {
  known_.clear();
  if (!says_one_thing(answer)) return;
  const std::string_view said = answer.contents.front();
  const auto begin = static_cast<std::size_t>(said.data() - text.data()), end = begin + said.size();
  if (text[begin - 1] != '"') return;  // Mistral's arrays
  const Range padding = answer.padding.begin != 0 ? answer.padding : Range{text.size(), text.size()};
  known_.reserve(text.size() - said.size() - (padding.end - padding.begin));
  known_.append(text, 0, begin);
  known_.append(text, end, padding.begin - end);
  gaps_ = {begin, known_.size()};
  known_.append(text, padding.end);
  said_bytes_ = said.size();
  choices_seen_ = answer.choices_seen;
  model_value_ = answer.model_value;
  usage_member_ = answer.usage_members.empty() ? Range() : answer.usage_members.front();
  reasoning_key_ = answer.reasoning_keys.empty() ? Range() : answer.reasoning_keys.front();
  has_reasoning_ = answer.has_reasoning;
}

bool AlikeChunks::read(std::string_view text, AnswerText& answer) const {
  if (known_.empty()) return false;
  const std::string_view known = known_, before = known.substr(0, gaps_[0]), between = known.substr(gaps_[0], gaps_[1] - gaps_[0]),
                         after = known.substr(gaps_[1]);
  std::string_view said, padding;
  if (!text.starts_with(before) || !read_string(text, before.size(), said) || said.empty()) return false;
  const std::size_t end = before.size() + said.size();
  if (!text.substr(end).starts_with(between)) return false;
  const std::size_t rest = end + between.size();
  if (!after.empty() && !read_string(text, rest, padding)) return false;
  if (text.substr(rest + padding.size()) != after) return false;

  const std::size_t longer = said.size() - said_bytes_;  // less than 0 wraps, and wraps back
  const auto moved = [&](const Range& range) {
    return range.begin > before.size() ? Range{range.begin + longer, range.end + longer} : range;
  };
  answer.clear();
  answer.well_formed = answer.has_choices = answer.has_content = true;
  answer.contents.push_back(said);
  answer.content_bytes = said.size();
  answer.has_reasoning = has_reasoning_;
  answer.choices_seen = choices_seen_;
  answer.model_value = moved(model_value_);
  if (!usage_member_.empty()) answer.usage_members.push_back(moved(usage_member_));
  if (!reasoning_key_.empty()) answer.reasoning_keys.push_back(moved(reasoning_key_));
  return true;
}

}  // namespace fairlead::openai
