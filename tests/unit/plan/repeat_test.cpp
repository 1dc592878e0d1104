#include "plan/repeat.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace fairlead {
namespace {

TEST(Repeat, marks_tell_keys_names_and_bodies_apart) {
  const RepeatMarks one = *repeat_marks("app", "abc", "{}");
  EXPECT_EQ(one, *repeat_marks("app", "abc", "{}"));
  EXPECT_EQ(one.name, repeat_marks("app", "abc", "{ }")->name);
  EXPECT_NE(one.body, repeat_marks("app", "abc", "{ }")->body);
  const std::set<decltype(one.name)> names{one.name, repeat_marks("app2", "abc", "")->name, repeat_marks("ap", "pabc", "")->name,
                                           repeat_marks("app", "abd", "")->name, repeat_marks("appabc", " ", "")->name};
  EXPECT_EQ(names.size(), 5U);
}

TEST(Repeat, names_that_are_refused) {
  for (const std::string& name :
       {std::string(), std::string(256, 'a'), std::string("a\tb"), std::string("\xc3\xa4"), std::string(1, '\0')}) {
    const auto marks = repeat_marks("app", name, "{}");
    ASSERT_FALSE(marks) << name;
    EXPECT_EQ(marks.error().kind, ErrorKind::bad_request);
    EXPECT_EQ(marks.error().param(), "Idempotency-Key");
  }
  EXPECT_TRUE(repeat_marks("app", std::string(255, 'a'), "{}"));
  EXPECT_TRUE(repeat_marks("app", "stainless-node-retry-8c1f0f52 \"quoted\"", "{}"));
}

TEST(Repeat, a_row_tells_its_marks) {
  const RepeatMarks marks = *repeat_marks("app", "abc", "{}");
  const std::string facts = facts_text(marks);
  EXPECT_EQ(marks_in(facts), marks);
  EXPECT_EQ(marks_in("{\"tags\":[\"a\"]," + facts.substr(1)), marks);
  for (const std::string& other :
       {std::string(), std::string("{}"), facts.substr(0, 60), "{\"idempotency\":\"" + std::string(64, 'g') + "\"}"})
    EXPECT_FALSE(marks_in(other)) << other;
}

}  // namespace
}  // namespace fairlead
