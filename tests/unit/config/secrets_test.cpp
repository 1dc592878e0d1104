// What was written in the wrong place, and may be a secret, is not repeated by any finding: findings go to screens, logs and CI.
#include "config/config.h"
#include "config/findings.h"
#include "world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fairlead::config {
namespace {

using testing::HasSubstr;
using testing::Not;

// Shapes of keys as providers give them out; none of them was ever one.
const char* const secrets[] = {
    "sk-canary4f9d0c2b8a7e6d5c4b3a",
    "sk-proj-canary_4f9d-0c2b8a7e",
    "4f9d0c2bcanary8a7e6d5c4b3a291807",
    "AKIACANARY4F9D0C2B8A",
    "4f9d0c2b8a7e6d5c4b3a29180716abcd.canaryX",
    "0c2b8a7e-4f9d-4b3a-9180-caca7f6e5d4c",
    "Bearer eyJhbGciOi.canary.4f9d0c2b",
    "AIzaSyCanary4f9d0c2b8a7e6d5c4b3a",
};
// Where a hand may slip: `@` is the secret.
const char* const places[] = {
    "providers: {x: {base_url: 'http://h', api_key: '@'}}\n",
    "providers: {x: {base_url: 'http://h', api_key: ['@']}}\n",
    "providers: {x: {base_url: 'http://h', api_key: {'@': 1}}}\n",
    "providers: {x: {base_url: 'http://h', api_key: '${@}'}}\n",
    "providers: {x: {base_url: 'http://h', api_key: '${env:@}'}}\n",
    "providers: {x: {base_url: 'http://h', api_key: '${file:@}'}}\n",
    "providers: {x: {base_url: '@'}}\n",
    "providers: {x: {base_url: 'http://@/v1?key=@'}}\n",
    "providers: {x: {base_url: 'http://h', proxy: 'http://me:@@h:x'}}\n",
    "providers: {x: {base_url: 'http://h', '@': y}}\n",
    "providers: {x: {base_url: 'http://h', profile: '@'}}\n",
    "providers: {x: {base_url: 'http://h', ca_file: '@'}}\n",
    "providers: {x: '@'}\n",
    "providers: {'@': {base_url: 'http://h'}}\n",
    "providers: ['@']\n",
    "providers: '@'\n",
    "keys: ['@']\n",
    "keys: [{name: a, hash: '@', routes: [chat]}]\n",
    "keys: [{name: a, hash: 'sha256:@', routes: ['@']}]\n",
    "keys: [{name: ['@'], routes: '@'}]\n",
    "routes: {chat: {targets: ['@']}}\n",
    "routes: {chat: {targets: ['x/@'], strategy: '@', fallback: '@'}}\n",
    "policies: [{name: a, when: {key: '@', '@': 1}, deny: {provider: '@'}}]\n",
    "limits: {attempts_max: '@'}\n",
    "admin: '@'\n",
    "ledger: '@'\n",
    "fx: {'@': 1, EUR: '@'}\n",
    "'@': 1\n",
    "'@': 1\n'@': 2\n",
    "a: !@ 1\n",
    "'@'\n",
    "- '@'\n",
    "include: ['@']\n",
    "include: [key.txt]\n",
};

TEST(Secrets, none_is_repeated_wherever_it_was_written) {
  for (const char* secret : secrets)
    for (const char* place : places) {
      World world;
      std::string text = place;
      for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at + std::string(secret).size()))
        text.replace(at, 1, secret);
      world.files = {{"f.yaml", text}, {"key.txt", std::string(secret) + "\n"}};
      const auto loaded = world.load();
      ASSERT_FALSE(errors(loaded).empty()) << text;
      for (const Finding& finding : loaded.findings)
        for (const char* part : {"anary", "ANARY", "caca7f", "4f9d", "4F9D"})
          EXPECT_THAT(format(finding), Not(HasSubstr(part))) << text;
    }
}

TEST(Secrets, a_file_of_another_kind_that_is_included_is_not_repeated) {
  for (const char* content : {"-----BEGIN PRIVATE KEY-----\nMIIcanaryBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----\n",
                              "OPENAI_API_KEY=sk-canary\nOTHER=canary\n", "canary hunter2\n", "user:canary@host\n", "\"canary",
                              "{canary", "canary: {", "[core]\n  token = canary\n"}) {
    World world;
    world.files = {{"f.yaml", small_config + "include: [other]\n"}, {"other", content}};
    const auto loaded = world.load();
    ASSERT_FALSE(errors(loaded).empty()) << content;
    for (const std::string& told : errors(loaded)) {
      EXPECT_THAT(told, HasSubstr("other")) << "it names the file";
      EXPECT_THAT(told, Not(HasSubstr("canary"))) << content;
    }
  }
}

TEST(Secrets, names_as_people_give_them_look_like_none) {
  for (const char* name :
       {"gpt-6-luna", "claude-opus-4-5-20251101", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "deepseek-r1-distill-qwen-32b",
        "accounts/fireworks/models/llama4-maverick-instruct-basic", "Meta-Llama-3.1-405B-Instruct-Turbo",
        "Qwen3-235B-A22B-Thinking-2507", "payments-checkout-production-eu-west-1", "/etc/fairlead/credentials/deepseek",
        "DEEPSEEK_API_KEY_OF_PRODUCTION_2026", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "99999999999999999999",
        "internationalization-department", "sk-short", "2026-09-10T04:00:00Z", "sqlite:/var/lib/fairlead/ledger.db",
        "expected: 0.000001"})
    EXPECT_FALSE(looks_secret(name)) << name;
}

}  // namespace
}  // namespace fairlead::config
