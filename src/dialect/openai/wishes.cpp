#include "dialect/openai/wishes.h"

#include <set>
#include <string>
#include <utility>

#include "wire/json.h"

namespace fairlead::openai {
namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonString;

constexpr std::size_t names_max = 64;  ///< of one list
constexpr std::size_t name_bytes_max = 512;

class WishReader {
 public:
  WishReader(std::string_view value, Wishes& wishes) : json_(value), wishes_(wishes) {}

  Result<void> read(std::string_view field) {
    if (json_.peek() != JsonKind::null) {
      if (field == "models")
        names("models", wishes_.models);
      else
        provider();
    }
    if (!error_.message().empty()) return error_;
    return boost::system::in_place_value;
  }

 private:
  void provider() {
    if (json_.peek() != JsonKind::object) return note("provider", "must be an object");
    json_.object([&](JsonString key) {
      const std::string name = key.text(), path = "provider." + name;
      if (!seen_.insert(name).second) return note(path, "is given twice");
      if (json_.peek() == JsonKind::null) return void(json_.skip());
      if (name == "only") return names(path, wishes_.only);
      if (name == "ignore") return names(path, wishes_.ignore);
      if (name == "order") return names(path, wishes_.order);
      if (name == "allow_fallbacks") return boolean(path, wishes_.fallbacks);
      if (name == "require_parameters") return boolean(path, wishes_.require_parameters);
      if (name == "data_collection") return data_collection(path);
      if (name == "zdr") return keep_nothing(path);
      if (name == "sort") return sort(path);
      if (name == "max_price") return max_price();
      note(path, "is not a wish that is known here");
    });
  }

  void names(const std::string& path, std::vector<std::string>& into) {
    if (json_.peek() != JsonKind::array) return note(path, "must be an array of strings");
    json_.array([&] {
      if (json_.peek() != JsonKind::string) return note(path, "must be an array of strings");
      std::string name = json_.string().text();
      if (name.empty() || name.size() > name_bytes_max || into.size() == names_max)
        return note(path, "is too long, or holds an empty name");
      into.push_back(std::move(name));
    });
    if (into.empty()) note(path, "is empty");
  }

  void boolean(const std::string& path, bool& into) {
    if (json_.peek() != JsonKind::boolean) return note(path, "must be a boolean");
    into = json_.boolean();
  }

  /// OpenRouter's "zero data retention": the same as to deny data collection.
  void keep_nothing(const std::string& path) {
    bool wished = false;
    boolean(path, wished);
    wishes_.keep_nothing |= wished;
  }

  void data_collection(const std::string& path) {
    const std::string word = json_.peek() == JsonKind::string ? json_.string().text() : "";
    if (word == "deny") wishes_.keep_nothing = true;
    if (word != "deny" && word != "allow") note(path, "must be 'allow' or 'deny'");
  }

  void sort(const std::string& path) {
    const std::string word = json_.peek() == JsonKind::string ? json_.string().text() : "";
    if (word == "price")
      wishes_.sort = Wishes::Sort::price;
    else if (word == "throughput")
      wishes_.sort = Wishes::Sort::throughput;
    else if (word == "latency")
      wishes_.sort = Wishes::Sort::latency;
    else
      note(path, "must be 'price', 'throughput' or 'latency'");
  }

  void max_price() {
    if (json_.peek() != JsonKind::object) return note("provider.max_price", "must be an object");
    json_.object([&](JsonString key) {
      const std::string name = key.text(), path = "provider.max_price." + name;
      if (name == "prompt" || name == "input") return price(path, wishes_.max_input_price);
      if (name == "completion" || name == "output") return price(path, wishes_.max_output_price);
      note(path, "is not a price that is known here; there are prompt and completion");
    });
  }

  /// In USD per million tokens: a number, or the same as a string.
  void price(const std::string& path, std::optional<Int128>& into) {
    const JsonKind kind = json_.peek();
    if (kind != JsonKind::number && kind != JsonKind::string) return note(path, "must be a number");
    if (into) return note(path, "is given twice");
    const auto parsed = parse_decimal(kind == JsonKind::string ? json_.string().text() : std::string(json_.skip()));
    if (!parsed) return note(path, "must be a plain decimal, such as 0.15");
    into = *parsed;
  }

  /// Keeps the first thing that is wrong, and reads no further.
  void note(const std::string& path, const std::string& what) {
    if (error_.message().empty()) {
      error_ = Error(ErrorKind::bad_request, ErrorOrigin::app, "The field '" + path + "' " + what + ".");
      error_.set_param(path);
    }
    json_.stop();
  }

  JsonReader json_;
  Wishes& wishes_;
  std::set<std::string> seen_;
  Error error_;
};

}  // namespace

Result<void> read_wishes(std::string_view field, std::string_view value, Wishes& wishes) {
  return WishReader(value, wishes).read(field);
}

}  // namespace fairlead::openai
