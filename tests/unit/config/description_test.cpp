// The parser, the JSON Schema and the reference come from one description.
#include "config/options.h"

#include "config/config.h"
#include "config/scalar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <functional>
#include <regex>
#include <sstream>

namespace fairlead::config {
namespace {

using Json = nlohmann::json;

std::string file_text(const std::string& path) {
  std::ifstream file(std::string(FAIRLEAD_SOURCE_DIR) + "/" + path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Description, the_reference_in_docs_is_current) {
  EXPECT_TRUE(file_text("docs/configuration.md") == reference_markdown())
      << "run: fairlead schema --markdown > docs/configuration.md";
}

void each_node(const Node& node, const std::function<void(const Node&)>& visit) {
  visit(node);
  for (const auto& child : node.children) each_node(*child, visit);
  if (node.each) each_node(*node.each, visit);
}

TEST(Description, every_option_is_described_and_its_default_is_right) {
  each_node(root_node(), [](const Node& node) {
    const Option& option = node.option;
    SCOPED_TRACE(option.path);
    EXPECT_FALSE(option.doc.empty());
    EXPECT_EQ(option.doc.find('|'), std::string::npos) << "it would break the table";
    EXPECT_FALSE(option.required && !option.fallback.empty());
    if (option.fallback.empty() || option.type == Type::list) return;
    EXPECT_TRUE(facts_of(option.type).accepts(option.fallback));
    if (option.allowed.empty()) return;
    EXPECT_THAT(option.allowed, testing::Contains(option.fallback));
  });
}

TEST(Description, the_reference_tells_how_every_type_is_written) {
  const std::string reference = reference_markdown(), types = reference.substr(reference.find("\n## Types"));
  each_node(root_node(), [&](const Node& node) {
    const TypeFacts& facts = facts_of(node.option.type);
    if (facts.pattern.empty()) return;  // made of others, or one of the words that stand in its row
    EXPECT_NE(types.find("\n| " + std::string(facts.name) + " | "), std::string::npos) << node.option.path;
  });
}

TEST(Description, every_option_that_is_not_required_says_what_holds_without_it) {
  each_node(root_node(), [](const Node& node) {
    const Option& option = node.option;
    const bool container = option.type == Type::object || option.type == Type::map || option.type == Type::list;
    if (container || option.required || node.name == "[]" || node.name == "*") return;
    EXPECT_FALSE(option.fallback.empty() && option.otherwise.empty()) << option.path;
  });
}

/// Every `properties` of the schema, whatever it stands in.
void each_object(const Json& schema, const std::function<void(const Json&)>& visit) {
  if (schema.is_object() && schema.contains("properties")) visit(schema);
  if (schema.is_structured())
    for (const Json& child : schema) each_object(child, visit);
}

TEST(Description, the_schema_knows_every_option_and_nothing_else) {
  const Json schema = Json::parse(json_schema());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  std::size_t objects = 0, described = 0;
  each_object(schema, [&](const Json& object) {
    ++objects;
    EXPECT_EQ(object["additionalProperties"], false);
  });
  each_node(root_node(),
            [&](const Node& node) { described += node.option.type == Type::object && !node.children.empty() ? 1 : 0; });
  EXPECT_GE(objects, described);
  EXPECT_EQ(schema["properties"]["limits"]["properties"]["attempts_max"]["default"], 4);
  EXPECT_EQ(schema["properties"]["providers"]["additionalProperties"]["required"], Json::array({"base_url"}));
  EXPECT_EQ(schema["properties"]["log"]["properties"]["level"]["anyOf"][0]["enum"],
            Json::array({"debug", "info", "warn", "error"}));
}

/// The same words for the parser and for the pattern that editors check by.
TEST(Description, parser_and_schema_agree_on_what_a_word_may_be) {
  const std::vector<std::string> samples{"",
                                         " ",
                                         "a",
                                         "a b",
                                         "a/b",
                                         "a/b/c",
                                         "/a",
                                         "-a",
                                         "true",
                                         "false",
                                         "yes",
                                         "0",
                                         "7",
                                         "007",
                                         "-1",
                                         "1.5",
                                         "1.",
                                         ".5",
                                         "1e3",
                                         "0.000000000001",
                                         "0.0000000000001",
                                         "32KiB",
                                         "32 KiB",
                                         "32MB",
                                         "15s",
                                         "2m",
                                         "1h",
                                         "500ms",
                                         "5 s",
                                         "2026-09-10",
                                         "2026-09-10T04:00Z",
                                         "2026-09-10T04:00:30Z",
                                         "2026-9-1",
                                         "2026-09-10T04:00",
                                         "01:00",
                                         "1:00",
                                         "23:59",
                                         "24:00",
                                         "24:01",
                                         "25:00",
                                         "USD",
                                         "usd",
                                         "USDT",
                                         "http://x",
                                         "https://x/v1",
                                         "ftp://x",
                                         "http://",
                                         "http://x?y",
                                         "127.0.0.1:80",
                                         "[::1]:80",
                                         "localhost:80",
                                         ":80",
                                         "127.0.0.1",
                                         "sqlite:x",
                                         "sqlite:",
                                         "postgres://x",
                                         "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
                                         "sha256:00",
                                         "deepseek-v4.1@x:8b+y"};
  each_node(root_node(), [&](const Node& node) {
    const TypeFacts& facts = facts_of(node.option.type);
    if (facts.pattern.empty() || node.option.type == Type::secret) return;
    const std::regex pattern{std::string(facts.pattern)};
    for (const std::string& sample : samples)
      EXPECT_EQ(facts.accepts(sample), std::regex_search(sample, pattern))
          << node.option.path << " (" << facts.name << "): '" << sample << "'";
  });
}

}  // namespace
}  // namespace fairlead::config
