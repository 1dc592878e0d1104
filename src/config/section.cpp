#include "config/section.h"

#include <stdexcept>

namespace fairlead::config {

const Node& Section::described(std::string_view name) const {
  const Node* node = node_->find(name);
  if (node == nullptr) throw std::logic_error("no option " + node_->option.path + "." + std::string(name) + " is described");
  return *node;
}

const Value* Section::find(std::string_view name) const {
  described(name);
  const Value* value = value_ == nullptr ? nullptr : value_->find(name);
  return value != nullptr && value->good && value->missing.empty() ? value : nullptr;
}

std::string Section::text(std::string_view name) const {
  const Value* value = find(name);
  return value == nullptr ? described(name).option.fallback : value->text;
}

std::optional<Int128> Section::decimal(std::string_view name) const {
  auto amount = parse_decimal(text(name));
  if (!amount) return std::nullopt;
  return *amount;
}

Currency Section::currency(std::string_view name) const {
  auto currency = parse_currency(text(name));
  return currency ? *currency : Currency{};
}

Section Section::section(std::string_view name) const { return {find(name), described(name)}; }

std::vector<const Value*> Section::values(std::string_view name) const {
  std::vector<const Value*> good;
  if (const Value* value = find(name))
    for (const Value& child : value->children)
      if (child.good && child.missing.empty()) good.push_back(&child);
  return good;
}

std::vector<std::string> Section::texts(std::string_view name) const {
  std::vector<std::string> out;
  for (const Value* value : values(name)) out.push_back(value->text);
  return out;
}

std::vector<Section> Section::sections(std::string_view name) const {
  std::vector<Section> out;
  if (const Value* value = find(name))
    for (const Value& child : value->children) out.emplace_back(&child, *described(name).each);
  return out;
}

std::vector<Section> Section::items() const {
  std::vector<Section> out;
  for (const Value& child : value_->children) out.emplace_back(&child, *node_->each);
  return out;
}

}  // namespace fairlead::config
