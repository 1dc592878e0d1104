#include "ledger/codec.h"

#include "ledger/fields.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <type_traits>
#include <utility>

namespace fairlead {
namespace {

constexpr std::size_t varint_bytes_max = 10;
constexpr std::size_t numbers_max = 48;  ///< of one row: fields that are not raw texts, with their flags
constexpr std::string_view id_prefix = "req_";
constexpr std::size_t id_bytes = 16;
enum class IdForm : char { binary, text };

std::uint64_t zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>(value >> 1 ^ (~(value & 1) + 1)); }

char* put_varint(char* at, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) *at++ = static_cast<char>(value | 0x80);
  *at++ = static_cast<char>(value);
  return at;
}

int hex_digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

/// "req_" and 32 hex digits are 16 bytes. False for any other id.
bool pack_id(std::string_view id, char* to) {
  if (id.size() != id_prefix.size() + 2 * id_bytes || id.substr(0, id_prefix.size()) != id_prefix) return false;
  id.remove_prefix(id_prefix.size());
  for (std::size_t i = 0; i < id_bytes; ++i) {
    const int high = hex_digit(id[2 * i]), low = hex_digit(id[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    to[i] = static_cast<char>(high << 4 | low);
  }
  return true;
}

const std::string& id_of(const Write& row) {
  struct Id {
    const std::string& operator()(const RequestOpen& r) const { return r.id; }
    const std::string& operator()(const RequestSettle& r) const { return r.id; }
    const std::string& operator()(const AttemptOpen& r) const { return r.request_id; }
    const std::string& operator()(const AttemptSettle& r) const { return r.request_id; }
  };
  return std::visit(Id{}, row);
}

RowKind kind_of(const Write& row) {
  constexpr std::array kinds = {RowKind::request_open, RowKind::attempt_open, RowKind::attempt_settle, RowKind::request_settle};
  static_assert(std::is_same_v<std::variant_alternative_t<2, Write>, AttemptSettle>);
  return kinds.at(row.index());
}

std::size_t raw_bytes(const Write& row) {
  if (const auto* open = std::get_if<RequestOpen>(&row)) return open->id.size() + open->expected.size();
  if (const auto* settle = std::get_if<AttemptSettle>(&row)) return settle->request_id.size() + settle->upstream_id.size();
  return id_of(row).size();
}

std::uint32_t little_endian(const char* bytes) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; --i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

/// Reads fields; what does not fit makes it bad, and everything after it empty.
class Input {
 public:
  template <class Row>
  using Of = Row;

  Input(std::string_view bytes, const Texts* texts) : rest_(bytes), texts_(texts) {}
  bool bad() const { return bad_; }
  std::string_view rest() const { return rest_; }

  std::string_view take(std::size_t count) {
    if (count > rest_.size()) {
      bad_ = true;
      rest_ = {};
      return {};
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < varint_bytes_max; ++i) {
      const unsigned char byte = this->byte();
      value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
      if (byte < 0x80) return value;
    }
    bad_ = true;
    return 0;
  }
  unsigned char byte() {
    const std::string_view taken = take(1);
    return taken.empty() ? 0 : static_cast<unsigned char>(taken[0]);
  }
  /// The bytes of an id, as they are.
  std::string_view id() {
    const std::string_view from = rest_;
    if (static_cast<IdForm>(byte()) == IdForm::binary)
      take(id_bytes);
    else
      take(varint());
    return bad_ ? std::string_view() : from.substr(0, from.size() - rest_.size());
  }

  void time(TimePoint& value) { value = TimePoint(std::chrono::microseconds(unzigzag(varint()))); }
  template <class Integer>
  void integer(Integer& value) {
    value = static_cast<Integer>(unzigzag(varint()));
  }
  void amount(Int128& value) { value = unzigzag(varint()); }
  template <class Enum>
  void small(Enum& value) {
    value = static_cast<Enum>(byte());
  }
  void flag(bool& value) { value = byte() != 0; }
  template <class Value>
  void maybe(std::optional<Value>& value) {
    value.reset();
    if (byte() != 0) value = static_cast<Value>(unzigzag(varint()));
  }
  void money(std::optional<Money>& value) {
    value.reset();
    if (byte() == 0) return;
    Money read;
    amount(read.pico);
    const std::string_view code = take(read.currency.code.size());
    std::copy(code.begin(), code.end(), read.currency.code.begin());
    value = read;
  }
  void raw(std::string& value) { value.assign(take(varint())); }
  void text(std::string& value) {
    const std::uint64_t number = varint();
    value.clear();
    if (number == 0) return;
    if (number > texts_->size())
      bad_ = true;
    else
      value.assign((*texts_)[number - 1]);
  }

 private:
  std::string_view rest_;
  const Texts* texts_;
  bool bad_ = false;
};

}  // namespace

void append_row(std::string& out, RowKind kind, std::string_view body) {
  const std::size_t size = body.size();
  const char head[] = {static_cast<char>(kind), static_cast<char>(size), static_cast<char>(size >> 8),
                       static_cast<char>(size >> 16), static_cast<char>(size >> 24)};
  out.append(head, sizeof head).append(body);
}

/// Writes fields into `row_`, which has room for them.
class RowEncoder::Output {
 public:
  template <class Row>
  using Of = const Row;

  Output(RowEncoder& encoder, std::string& out) : encoder_(encoder), out_(out), at_(encoder.row_.data()) {}
  std::size_t size() const { return static_cast<std::size_t>(at_ - encoder_.row_.data()); }
  const std::optional<Int128>& misfit() const { return misfit_; }

  void id(const std::string& id) {
    if (pack_id(id, at_ + 1)) {
      *at_ = static_cast<char>(IdForm::binary);
      at_ += 1 + id_bytes;
      return;
    }
    *at_++ = static_cast<char>(IdForm::text);
    raw(id);
  }
  void time(TimePoint value) { integer(value.time_since_epoch().count()); }
  void integer(std::int64_t value) { at_ = put_varint(at_, zigzag(value)); }
  void amount(Int128 value) {
    using Limits = std::numeric_limits<std::int64_t>;
    if (value < Limits::min() || value > Limits::max()) misfit_ = value;
    integer(static_cast<std::int64_t>(value));
  }
  template <class Enum>
  void small(Enum value) {
    *at_++ = static_cast<char>(value);
  }
  void flag(bool value) { *at_++ = value ? 1 : 0; }
  template <class Value>
  void maybe(const std::optional<Value>& value) {
    flag(value.has_value());
    if (value) amount(*value);
  }
  void money(const std::optional<Money>& value) {
    flag(value.has_value());
    if (!value) return;
    amount(value->pico);
    at_ = std::copy(value->currency.code.begin(), value->currency.code.end(), at_);
  }
  void raw(const std::string& value) {
    at_ = put_varint(at_, value.size());
    at_ = std::copy(value.begin(), value.end(), at_);
  }
  void text(const std::string& value) { at_ = put_varint(at_, value.empty() ? 0 : 1 + encoder_.number_of(value, out_)); }

 private:
  RowEncoder& encoder_;
  std::string& out_;
  char* at_;
  std::optional<Int128> misfit_;
};

RowEncoder::Known& RowEncoder::known(const std::string& text) {
  std::uint64_t tail = 0;
  const std::size_t bytes = std::min(text.size(), sizeof tail);
  std::memcpy(&tail, text.data() + text.size() - bytes, bytes);
  Numbers::value_type*& lately = lately_[(tail + text.size()) * 0x9e3779b97f4a7c15 >> 56];
  if (lately && lately->first == text) return lately->second;
  auto found = texts_.find(text);
  if (found == texts_.end()) {
    if (texts_.size() >= texts_max || texts_bytes_ > texts_bytes_max) {
      texts_.clear();
      texts_bytes_ = 0;
      lately_.fill(nullptr);
    }
    texts_bytes_ += text.size();
    found = texts_.emplace(text, Known()).first;
  }
  lately = &*found;
  return found->second;
}

std::uint32_t RowEncoder::number_of(const std::string& text, std::string& out) {
  Known& written = known(text);
  if (written.epoch == epoch_) return written.number;
  written = {epoch_, next_++};
  std::array<char, 1 + 2 * varint_bytes_max> head{};
  char* at = head.data();
  *at++ = static_cast<char>(RowKind::text);
  at = put_varint(at, written.number);
  at = put_varint(at, text.size());
  out.append(head.data(), static_cast<std::size_t>(at - head.data())).append(text);
  return written.number;
}

Result<void> RowEncoder::add(const Write& row, std::string& out) {
  if (const std::size_t room = raw_bytes(row) + numbers_max * varint_bytes_max; row_.size() < room) row_.resize(room);
  Output output(*this, out);
  output.id(id_of(row));
  std::visit([&output](const auto& r) { each_field(output, r); }, row);
  if (output.misfit())
    return Error(ErrorKind::internal, ErrorOrigin::fairlead, "a line cannot be written to the ledger",
                 "an amount of " + format_decimal(*output.misfit()) + " does not fit a row");
  append_row(out, kind_of(row), std::string_view(row_).substr(0, output.size()));
  return {};
}

void RowEncoder::begin_segment() {
  ++epoch_;
  next_ = 0;
}

void RowEncoder::forget_frame() {
  ++epoch_;
  next_ = frame_begin_;
}

bool RowScanner::next(EncodedRow& row) {
  while (!rest_.empty() && !damaged_) {
    Input input(rest_, nullptr);
    row.kind = static_cast<RowKind>(input.byte());
    if (row.kind == RowKind::text) {
      const std::uint64_t number = input.varint();
      const std::string_view text = input.take(input.varint());
      damaged_ = input.bad() || number != texts_.size();
      if (!damaged_) texts_.emplace_back(text);
      rest_ = input.rest();
      continue;
    }
    const std::string_view length = input.take(4);
    if (!input.bad()) row.body = input.take(little_endian(length.data()));
    rest_ = input.rest();
    Input body(row.body, nullptr);
    row.id = body.id();
    damaged_ = input.bad() || body.bad() || row.kind > RowKind::request_settle;
    if (!damaged_) return true;
  }
  return false;
}

std::string id_text(std::string_view encoded_id) {
  Input input(encoded_id, nullptr);
  if (static_cast<IdForm>(input.byte()) == IdForm::text) return std::string(input.take(input.varint()));
  std::string id(id_prefix);
  for (const char byte : input.take(id_bytes)) {
    id += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4];
    id += "0123456789abcdef"[static_cast<unsigned char>(byte) & 0xf];
  }
  return id;
}

void RecordBuilder::begin() {
  record_.state = RowState::open;
  record_.open.id.clear();
  attempts_ = 0;
}

void RecordBuilder::begin(const RequestRecord& base) {
  record_ = base;
  attempts_ = record_.attempts.size();
}

RequestRecord::Attempt* RecordBuilder::find_attempt(int number) {
  for (std::size_t i = 0; i < attempts_; ++i)
    if (record_.attempts[i].open.number == number) return &record_.attempts[i];
  return nullptr;
}

bool RecordBuilder::apply(const EncodedRow& row, const Texts& texts) {
  Input input(row.body, &texts);
  const std::string_view id = input.id();
  const bool is_attempt = row.kind == RowKind::attempt_open || row.kind == RowKind::attempt_settle;
  int number = 0;
  if (is_attempt) Input(input).integer(number);
  RequestRecord::Attempt* attempt = is_attempt ? find_attempt(number) : nullptr;
  switch (row.kind) {
    case RowKind::request_open:
      record_.open.id = id_text(id);
      each_field(input, record_.open);
      break;
    case RowKind::request_settle:
      if (record_.state != RowState::open) return true;
      record_.state = RowState::settled;
      record_.settle.id = record_.open.id;
      each_field(input, record_.settle);
      break;
    case RowKind::attempt_open:
      if (attempt != nullptr) return true;
      if (attempts_ == record_.attempts.size()) record_.attempts.emplace_back();
      attempt = &record_.attempts[attempts_++];
      attempt->state = RowState::open;
      attempt->open.request_id = record_.open.id;
      each_field(input, attempt->open);
      break;
    case RowKind::attempt_settle:
      if (attempt == nullptr) return false;
      if (attempt->state != RowState::open) return true;
      attempt->state = RowState::settled;
      attempt->settle.request_id = record_.open.id;
      each_field(input, attempt->settle);
      break;
    case RowKind::text: return false;
  }
  return !input.bad();
}

const RequestRecord& RecordBuilder::finish() {
  record_.attempts.resize(attempts_);
  if (record_.state == RowState::open) record_.settle = {};
  for (auto& attempt : record_.attempts)
    if (attempt.state == RowState::open) attempt.settle = {};
  return record_;
}

}  // namespace fairlead
