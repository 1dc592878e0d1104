#include "config/options.h"

#include "config/option_rows.h"

#include <stdexcept>
#include <utility>

namespace fairlead::config {
namespace {

Rows all_rows() {
  Rows rows;
  add_server_rows(rows);
  add_idempotency_rows(rows);
  add_provider_rows(rows);
  add_route_rows(rows);
  add_policy_rows(rows);
  add_content_rows(rows);
  add_assertion_rows(rows);
  add_key_rows(rows);
  add_team_rows(rows);
  add_notify_rows(rows);
  add_test_rows(rows);
  add_contract_rows(rows);
  add_calendar_rows(rows);
  add_model_rows(rows);
  add_profile_rows(rows);
  return rows;
}

/// The node that a path's last step is inside of, made by earlier rows.
Node* parent_of(Node& node, std::string_view path, std::string& rest) {
  Node* at = &node;
  while (true) {
    if (path.starts_with("[]") || path.starts_with('*')) {
      const std::size_t step = path.front() == '*' ? 1 : 2;
      if (path.size() == step) return rest = std::string(path), at;
      path.remove_prefix(step);
      at = at->each.get();
    } else {
      const std::size_t end = path.find_first_of(".[");
      if (end == std::string_view::npos) return rest = std::string(path), at;
      at = const_cast<Node*>(at->find(path.substr(0, end)));
      path.remove_prefix(end);
    }
    if (at == nullptr) throw std::logic_error("an option stands before the one it is inside of");
    if (path.front() == '.') path.remove_prefix(1);
  }
}

Node make_tree() {
  Node root;
  root.option.doc = "The configuration of fairlead.";
  for (Option& row : all_rows()) {
    std::string name;
    Node* parent = parent_of(root, row.path, name);
    auto node = std::make_unique<Node>();
    node->option = std::move(row);
    node->name = name;
    if (name == "*" || name == "[]")
      parent->each = std::move(node);
    else
      parent->children.push_back(std::move(node));
  }
  return root;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const auto& child : children)
    if (child->name == key) return child.get();
  return nullptr;
}

const Node& root_node() {
  static const Node root = make_tree();
  return root;
}

}  // namespace fairlead::config
