// What a provider is sent: the app's bytes, with the few edits that the target and its profile ask for.
#include "dialect/openai/request.h"
#include "dialect/openai/splice.h"
#include "wire/json.h"

#include <algorithm>
#include <string_view>

namespace fairlead::openai {
namespace {

using wire::JsonReader;
using wire::JsonString;

constexpr std::string_view ask_for_usage = R"("include_usage":true)";

class RequestEncoder {
 public:
  RequestEncoder(const ChatRequest& request, const Target& target)
      : request_(request), profile_(*target.provider->profile), target_(target), removed_(request.members.size(), false) {}

  EncodedRequest encode() {
    encoded_.path = "/chat/completions";
    encoded_.fields.reserve(4);
    encoded_.body.reserve(4);
    encoded_.fields.emplace_back("Content-Type", "application/json");
    if (!target_.provider->api_key.empty()) encoded_.fields.emplace_back("Authorization", "Bearer " + target_.provider->api_key);
    output_limit();
    for (const auto& [ours, theirs] : profile_.rename) rename(ours, theirs);
    for (const std::string& key : profile_.drop) remove(key);
    if (request_.wishes)
      for (const char* ours : {"provider", "models"}) remove(ours);
    usage_in_stream();
    model();
    messages();
    remove_members();
    splice(request_.body, edits_, encoded_.body);
    return std::move(encoded_);
  }

 private:
  const Member* find(std::string_view key) const {
    const auto at = std::find_if(request_.members.begin(), request_.members.end(), [&](const Member& m) { return m.key == key; });
    return at == request_.members.end() ? nullptr : &*at;
  }
  std::string_view value(const Member& member) const {
    return std::string_view(request_.body).substr(member.value_begin, member.value_end - member.value_begin);
  }
  bool is_set(const Member* member) const { return member != nullptr && value(*member) != "null"; }
  std::string_view keep(std::string text) { return *encoded_.owned.emplace_back(std::make_unique<std::string>(std::move(text))); }
  std::string_view quoted(std::string_view text) {
    std::string out;
    wire::append_quoted(out, text);
    return keep(std::move(out));
  }
  void replace(Range range, std::string_view text) { edits_.push_back({range, text}); }

  void remove(std::string_view key) {
    if (key == "model" || key == "messages") return;
    if (const Member* member = find(key)) removed_[static_cast<std::size_t>(member - request_.members.data())] = true;
  }

  void rename(std::string_view ours, std::string_view theirs) {
    const Member* member = find(ours);
    if (member == nullptr || ours == theirs) return;
    if (find(theirs) != nullptr) return remove(ours);
    rename(*member, theirs);
  }

  void rename(const Member& member, std::string_view theirs) {
    JsonReader key(std::string_view(request_.body).substr(member.key_begin));
    key.string();
    replace({member.key_begin, member.key_begin + key.offset()}, quoted(theirs));
  }

  void output_limit() {
    if (profile_.output_limit_field.empty()) return;
    const Member* newer = find("max_completion_tokens");
    const Member* older = find("max_tokens");
    if (newer != nullptr && older != nullptr) {
      const Member*& loser = is_set(newer) ? older : newer;
      remove(loser->key);
      loser = nullptr;
    }
    const Member* kept = newer != nullptr ? newer : older;
    if (kept != nullptr && kept->key != profile_.output_limit_field) rename(*kept, profile_.output_limit_field);
  }

  void usage_in_stream() {
    if (profile_.stream_options_refused) return remove("stream_options");
    if (!request_.stream || request_.include_usage || !profile_.stream_usage_on_request) return;
    const Member* options = find("stream_options");
    if (options == nullptr) {
      after_model_ = R"(,"stream_options":{"include_usage":true})";
    } else if (!is_set(options)) {
      replace({options->value_begin, options->value_end}, keep("{" + std::string(ask_for_usage) + "}"));
    } else {
      add_to_stream_options(*options);
    }
  }

  void add_to_stream_options(const Member& options) {
    JsonReader json(value(options));
    bool empty = true, there = false;
    json.object([&](JsonString key) {
      empty = false;
      json.peek();
      const std::size_t begin = options.value_begin + json.offset();
      json.skip();
      if (!key.is("include_usage")) return;
      there = true;
      replace({begin, options.value_begin + json.offset()}, "true");
    });
    const std::size_t inside = options.value_begin + 1;
    if (!there) replace({inside, inside}, keep(std::string(ask_for_usage) + (empty ? "" : ",")));
  }

  void model() {
    const Member& model = *find("model");
    std::string text;
    wire::append_quoted(text, target_.model->name);
    text += after_model_;
    replace({model.value_begin, model.value_end}, keep(std::move(text)));
  }

  void messages() {
    const Member& messages = *find("messages");
    const std::string_view text = value(messages);
    const bool developer = !profile_.developer_role && request_.developer_role;
    const bool reasoning = renames_reasoning() && request_.reasoning_content;
    if (!developer && !reasoning) return;
    JsonReader json(text);
    json.array([&] { message(json, messages.value_begin, developer, reasoning); });
  }

  bool renames_reasoning() const { return !profile_.reasoning_field.empty() && profile_.reasoning_field != "reasoning_content"; }

  void message(JsonReader& json, std::size_t base, bool developer, bool reasoning) {
    Range ours;
    bool theirs = false;
    json.object([&](JsonString key) {
      if (reasoning && key.is("reasoning_content"))
        ours = {base + json.offset_of(key.raw), base + json.offset_of(key.raw) + key.raw.size()};
      if (key.is(profile_.reasoning_field)) theirs = true;
      json.peek();
      const std::size_t begin = base + json.offset();
      const std::string_view role = json.skip();
      if (developer && key.is("role") && role == "\"developer\"") replace({begin, begin + role.size()}, "\"system\"");
    });
    if (!ours.empty() && !theirs) replace(ours, profile_.reasoning_field);
  }

  /// A member goes with the comma before it, or, if all before it go too, with the one after it. `model` always stays.
  void remove_members() {
    const auto& members = request_.members;
    bool kept_one = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (!removed_[i]) {
        kept_one = true;
        continue;
      }
      const Range range =
          kept_one ? Range{members[i - 1].value_end, members[i].value_end} : Range{members[i].key_begin, members[i + 1].key_begin};
      std::erase_if(edits_, [&](const Edit& edit) { return edit.range.begin >= range.begin && edit.range.end <= range.end; });
      replace(range, {});
    }
  }

  const ChatRequest& request_;
  const Profile& profile_;
  const Target& target_;
  std::vector<bool> removed_;
  std::vector<Edit> edits_;
  std::string_view after_model_;
  EncodedRequest encoded_;
};

}  // namespace

EncodedRequest encode_request(const ChatRequest& request, const Target& target) { return RequestEncoder(request, target).encode(); }

}  // namespace fairlead::openai
