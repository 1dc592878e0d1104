// An answer in one piece: kept until its end, since a 200 and white space are no promise of it.
#include "dialect/openai/coders.h"

namespace fairlead::openai {
namespace {

class BufferedCoder final : public AnswerCoder {
 public:
  BufferedCoder(const Target& target, AnswerOptions options) : keeper_(target, std::move(options)) {}

  Result<void> feed(std::string_view bytes, Pieces&) override {
    if (body_.empty()) {
      // DeepSeek sends blank lines for as long as the request waits.
      const std::size_t begin = bytes.find_first_not_of(" \t\r\n");
      bytes.remove_prefix(begin == std::string_view::npos ? bytes.size() : begin);
    }
    if (body_.size() + bytes.size() > keeper_.options().answer_bytes_max)
      return provider_failure(ErrorKind::upstream_protocol, "The provider's answer is too large.");
    body_ += bytes;
    keeper_.summary.content_bytes =
        body_.size();  // all that can be known of an answer that breaks off: it was generated, and is billed
    return boost::system::in_place_value;
  }

  Result<void> finish(Pieces& out) override {
    if (body_.empty()) return provider_failure(ErrorKind::upstream_closed, "The provider's answer is empty.");
    keeper_.summary.content_bytes = 0;
    auto read = keeper_.read(body_);
    if (!read && !keeper_.text().well_formed) keeper_.summary.content_bytes = body_.size();
    if (!read) return read;
    if (!keeper_.text().has_choices)
      return provider_failure(ErrorKind::upstream_protocol, "The provider's answer is not a chat completion.");
    keeper_.summary.content_started = keeper_.summary.usage_of_whole = true;
    keeper_.summary.choices = count_of(keeper_.text().choices_seen);
    std::vector<Edit> edits;
    keeper_.add_edits(edits);
    splice(body_, edits, out);
    return boost::system::in_place_value;
  }

  const AnswerSummary& summary() const override { return keeper_.summary; }
  TextBytes content() const override {
    if (keeper_.summary.content_bytes != body_.size()) return keeper_.content();
    const std::string_view all = body_;
    return wire::sample_scripts({&all, 1}, all.size());
  }

 private:
  AnswerKeeper keeper_;
  std::string body_;
};

}  // namespace

std::unique_ptr<AnswerCoder> buffered_coder(const Target& target, AnswerOptions options) {
  return std::make_unique<BufferedCoder>(target, std::move(options));
}

}  // namespace fairlead::openai
