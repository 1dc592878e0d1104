#include "content/secrets.h"

#include "content/check_digits.h"

#include <re2/re2.h>
#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>

namespace fairlead::content {
namespace {

constexpr std::size_t secret_bytes_max = 4096;  ///< longer ones are recognised by this much of them; tokens have any length

constexpr std::string_view token_begins = "eyJ";  ///< of a JSON Web Token: {" in base64
constexpr std::string_view token_characters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// How it begins, and what follows (RE2). `mixed`: words look like this too, so there must be letters and at least two digits.
struct Row {
  std::string_view begins, follows;
  bool mixed = false;
};

// The shapes are those that the makers document, or that their keys have had so far. No beginning is the beginning of another.
constexpr Row rows[] = {
    {"-----BEGIN ", "(?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"},  // PEM, OpenSSH, PGP
    {"PuTTY-User-Key-File-", "[0-9]+:"},
    {"AGE-SECRET-KEY-1", "[0-9A-Z]{50,}"},
    {token_begins, R"([A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)"},  // JWT: RFC 7519
    {"AKIA", "[A-Z0-9]{16}\\b"},                                                   // AWS
    {"ASIA", "[A-Z0-9]{16}\\b"},
    {"aws_secret_access_key", R"(["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{40})"},
    {"AIza", "[A-Za-z0-9_-]{35}"},  // Google
    {"GOCSPX-", "[A-Za-z0-9_-]{28}"},
    {"ya29.", "[A-Za-z0-9_-]{20,}"},
    {"AccountKey=", "[A-Za-z0-9+/]{86}=="},  // Azure
    {"SharedAccessKey=", "[A-Za-z0-9+/]{43}="},
    {"LTAI", "[A-Za-z0-9]{12,26}\\b", true},  // Alibaba, Tencent, Volcengine, Baidu
    {"AKID", "[A-Za-z0-9]{32}\\b", true},
    {"AKLT", "[A-Za-z0-9]{20,}", true},
    {"bce-v3/ALTAK-", "[A-Za-z0-9]{20,}/[0-9a-f]{40}"},
    {"sk-", "[A-Za-z0-9_-]{20,}", true},  // OpenAI, Anthropic, DeepSeek, DashScope, OpenRouter, fairlead
    {"gsk_", "[A-Za-z0-9]{40,}"},         // Groq
    {"xai-", "[A-Za-z0-9]{60,}"},
    {"pplx-", "[A-Za-z0-9]{40,}"},
    {"hf_", "[A-Za-z0-9]{34,}"},
    {"r8_", "[A-Za-z0-9]{35,}", true},
    {"ghp_", "[A-Za-z0-9]{36,}"},  // GitHub
    {"gho_", "[A-Za-z0-9]{36,}"},
    {"ghu_", "[A-Za-z0-9]{36,}"},
    {"ghs_", "[A-Za-z0-9]{36,}"},
    {"ghr_", "[A-Za-z0-9]{36,}"},
    {"github_pat_", "[A-Za-z0-9_]{60,}"},
    {"glpat-", "[A-Za-z0-9_-]{20,}"},  // GitLab
    {"glrt-", "[A-Za-z0-9_-]{20,}"},
    {"gldt-", "[A-Za-z0-9_-]{20,}"},
    {"ATATT3", "[A-Za-z0-9_=-]{100,}"},    // Atlassian
    {"xoxb-", "[A-Za-z0-9-]{20,}", true},  // Slack
    {"xoxp-", "[A-Za-z0-9-]{20,}", true},
    {"xoxa-", "[A-Za-z0-9-]{20,}", true},
    {"xoxs-", "[A-Za-z0-9-]{20,}", true},
    {"xapp-", "[0-9]-[A-Za-z0-9-]{20,}", true},
    {"hooks.slack.com/services/", "T[A-Z0-9]+/B[A-Z0-9]+/[A-Za-z0-9]{20,}"},
    {"sk_live_", "[A-Za-z0-9]{16,}"},  // Stripe
    {"sk_test_", "[A-Za-z0-9]{16,}"},
    {"rk_live_", "[A-Za-z0-9]{16,}"},
    {"rk_test_", "[A-Za-z0-9]{16,}"},
    {"whsec_", "[A-Za-z0-9+/=]{32,}"},
    {"SG.", R"([A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43})"},  // SendGrid
    {"SK", "[0-9a-f]{32}\\b"},                           // Twilio
    {"key-", "[0-9a-f]{32}\\b"},                         // Mailgun
    {"npm_", "[A-Za-z0-9]{36}"},
    {"pypi-", "AgE[A-Za-z0-9_-]{50,}"},
    {"dckr_pat_", "[A-Za-z0-9_-]{20,}"},
    {"dapi", "[0-9a-f]{32}\\b"},     // Databricks
    {"dop_v1_", "[0-9a-f]{64}"},     // DigitalOcean
    {"shpat_", "[0-9a-fA-F]{32}"},   // Shopify
    {"hvs.", "[A-Za-z0-9_-]{24,}"},  // Vault
    {"lin_api_", "[A-Za-z0-9]{40}"},
    {"ntn_", "[A-Za-z0-9]{40,}"},
    {"sbp_", "[0-9a-f]{40}"},
    {"NRAK-", "[A-Z0-9]{27}"},
    {"Bearer ", "[A-Za-z0-9._~+/-]{20,}", true},  // RFC 6750
    {"bearer ", "[A-Za-z0-9._~+/-]{20,}", true},
    {"://", R"([^\s/:@'"<>]{1,256}:[^\s/@'"<>{}$]{3,256}@[A-Za-z0-9\[])"},  // a password in a URL: RFC 3986
};

bool is_mixed(std::string_view text) {
  return std::count_if(text.begin(), text.end(), is_digit) >= 2 && std::any_of(text.begin(), text.end(), is_letter);
}

}  // namespace

struct SecretFinder::Shape {
  bool mixed;
  std::unique_ptr<const re2::RE2> whole;
};

SecretFinder::SecretFinder() {
  std::string beginnings;
  for (const Row& row : rows) {
    const std::string begins = re2::RE2::QuoteMeta(row.begins);
    beginnings += (beginnings.empty() ? "" : "|") + begins;
    shapes_.emplace(row.begins, Shape{row.mixed, std::make_unique<const re2::RE2>(begins + std::string(row.follows))});
  }
  beginning_ = std::make_unique<const re2::RE2>(beginnings);
}

SecretFinder::~SecretFinder() = default;

void SecretFinder::find(std::string_view text, Tally& tally) const {
  re2::StringPiece begins, whole;
  std::size_t no_token_before = 0;
  for (std::size_t at = 0; beginning_->Match(text, at, text.size(), re2::RE2::UNANCHORED, &begins, 1);) {
    const std::size_t begin = static_cast<std::size_t>(begins.data() - text.data());
    at = begin + 1;
    // "task-" is no "sk-"; but "://" stands behind a scheme.
    if (begin > 0 && is_alphanumeric(text[begin - 1]) && begins != re2::StringPiece("://")) continue;
    const std::string_view beginning(begins.data(), begins.size());
    const bool token = beginning == token_begins;
    if (token && begin < no_token_before) continue;
    const Shape& shape = shapes_.at(beginning);
    const std::string_view rest = text.substr(begin, token ? text.size() : secret_bytes_max);
    if (!shape.whole->Match(rest, 0, rest.size(), re2::RE2::ANCHOR_START, &whole, 1)) {
      // What has no end from here has none from a later place in the same row of characters: each row is read once.
      if (token) no_token_before = begin + std::min(rest.find_first_not_of(token_characters), rest.size());
      continue;
    }
    at = begin + whole.size();
    if (!shape.mixed || is_mixed(std::string_view(whole.data(), whole.size()).substr(beginning.size()))) tally.add(secret);
  }
}

}  // namespace fairlead::content
