#pragma once
// The columns of lines and of what they refer to, in the order in which they are saved and hashed.
#include <array>
#include <cstdint>
#include <string_view>

namespace fairlead::sqlite {

/// What a column's number refers to; `none`: it is a value.
enum class Refers : std::uint8_t { none, texts, asks, endings, terms, outcomes };

struct LineColumn {
  std::string_view name;
  Refers refers = Refers::none;
};

inline constexpr std::array request_columns = std::to_array<LineColumn>({
    {"id"},
    {"ask", Refers::asks},
    {"started_at"},
    {"expected"},
    {"content", Refers::texts},
    {"facts", Refers::texts},
    {"ending", Refers::endings},
    {"ended_at"},
    {"first_byte_us"},
    {"usd_pico"},
    {"charge_usd_pico"},
});

inline constexpr std::array attempt_columns = std::to_array<LineColumn>({
    {"terms", Refers::terms},
    {"sent_at"},
    {"reserved_usd_pico"},
    {"input_tokens_estimate"},
    {"estimate_cost_pico"},
    {"estimate_usd_pico"},
    {"outcome", Refers::outcomes},
    {"attempt_ended_at"},
    {"upstream_id"},
    {"input_tokens"},
    {"cached_input_tokens"},
    {"cache_write_tokens"},
    {"output_tokens"},
    {"reasoning_tokens"},
    {"audio_tokens"},
    {"image_tokens"},
    {"cost_pico"},
    {"attempt_usd_pico"},
    {"attempt_charge_usd_pico"},
    {"reported_usd_pico"},
    {"connect_us"},
    {"attempt_first_byte_us"},
    {"duration_us"},
});

inline constexpr std::array text_columns = std::to_array<LineColumn>({{"text"}});
inline constexpr std::array ask_columns = std::to_array<LineColumn>({
    {"key"},
    {"team"},
    {"project"},
    {"route"},
    {"endpoint"},
    {"requested_model"},
    {"stream"},
    {"snapshot_hash"},
    {"plan", Refers::texts},
});
inline constexpr std::array ending_columns = std::to_array<LineColumn>({
    {"state"},
    {"http_status"},
    {"ended_by"},
    {"phase"},
    {"error"},
    {"target"},
    {"attempts"},
});
inline constexpr std::array terms_columns = std::to_array<LineColumn>({
    {"provider"},
    {"model"},
    {"target"},
    {"estimate_cost_currency"},
    {"estimate_usd_rate_pico"},
    {"markup_pico"},
    {"price", Refers::texts},
});
inline constexpr std::array outcome_columns = std::to_array<LineColumn>({
    {"state"},
    {"ended_by"},
    {"phase"},
    {"error"},
    {"status"},
    {"unconfirmed"},
    {"connection_reused"},
    {"reported_model"},
    {"finish_reason"},
    {"usage_source"},
    {"cost_currency"},
    {"usd_rate_pico"},
    {"price", Refers::texts},
});

}  // namespace fairlead::sqlite
