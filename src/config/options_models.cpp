// The rows of the description: models with their prices, and profiles.
#include "config/option_rows.h"

#include <fairlead/names.h>
#include <fairlead/price.h>
#include <fairlead/request.h>

namespace fairlead::config {
namespace {

/// In an entry itself input and output must be stated; in its tiers and windows, what is not stated is as in the entry.
void add_rates(Rows& rows, const std::string& at, bool base) {
  const std::string inside = base ? "" : "as in the entry", cache = base ? "as input" : inside;
  rows.push_back({.path = at + "input", .type = Type::decimal, .doc = "Input.", .otherwise = inside, .required = base});
  rows.push_back(
      {.path = at + "cached_input", .type = Type::decimal, .doc = "Input read from the provider's cache.", .otherwise = cache});
  rows.push_back(
      {.path = at + "cache_write", .type = Type::decimal, .doc = "Input written to the provider's cache.", .otherwise = cache});
  rows.push_back(
      {.path = at + "output", .type = Type::decimal, .doc = "Output, reasoning included.", .otherwise = inside, .required = base});
}

/// The amounts of an entry, a tier or a window, and those of a request that thinks.
void add_amounts(Rows& rows, const std::string& at, bool base) {
  add_rates(rows, at, base);
  rows.push_back({.path = at + "thinking",
                  .type = Type::object,
                  .doc = base ? "Amounts that differ when the request thinks, outside of tiers and windows."
                              : "Amounts that differ when the request thinks.",
                  .otherwise = "the same"});
  for (const RateKind& kind : rate_kinds)
    rows.push_back({.path = at + "thinking." + std::string(kind.name),
                    .type = Type::decimal,
                    .doc = "When it thinks.",
                    .otherwise = "the same"});
}

/// Where and how served: what an entry holds for, and what its amounts are multiplied by.
void add_service_rows(Rows& rows, const std::string& price) {
  rows.push_back({.path = price + "regions",
                  .type = Type::list,
                  .doc = "It is for providers with this `region`, and wins there over entries for all; for a provider that states "
                         "no region, every entry counts.",
                  .otherwise = "every one",
                  .short_for = "[]"});
  rows.push_back({.path = price + "regions[]", .type = Type::word, .doc = "A region."});
  rows.push_back({.path = price + "except_regions",
                  .type = Type::list,
                  .doc = "It is not for providers with this `region`.",
                  .otherwise = "none",
                  .short_for = "[]"});
  rows.push_back({.path = price + "except_regions[]", .type = Type::word, .doc = "A region."});
  rows.push_back({.path = price + "service_tiers",
                  .type = Type::object,
                  .doc = "What all amounts are multiplied by in a service tier that is not the standard one. A tier that is not "
                         "listed costs what the standard one costs."});
  for (const char* tier : {"flex", "priority", "batch"})
    rows.push_back(
        {.path = price + "service_tiers." + tier, .type = Type::decimal, .doc = "A factor such as \"0.5\".", .otherwise = "none"});
  rows.push_back({.path = price + "regional",
                  .type = Type::decimal,
                  .doc = "What all amounts are multiplied by at a provider with `regional: true`.",
                  .otherwise = "1"});
}

void add_price_rows(Rows& rows, const std::string& price) {
  rows.push_back({.path = price + "from", .type = Type::instant, .doc = "In force from here on.", .required = true});
  rows.push_back({.path = price + "until", .type = Type::instant, .doc = "The end of a promotion.", .otherwise = "open"});
  rows.push_back({.path = price + "currency", .type = Type::currency, .doc = "Of the amounts.", .fallback = "USD"});
  add_amounts(rows, price, true);
  rows.push_back({.path = price + "tiers",
                  .type = Type::list,
                  .doc = "Amounts for the whole request when its input is long; ascending. They win over windows."});
  rows.push_back({.path = price + "tiers[]", .type = Type::object, .doc = "A tier."});
  rows.push_back({.path = price + "tiers[].above_input_tokens",
                  .type = Type::integer,
                  .doc = "It is for requests with more input tokens than this.",
                  .min = 1,
                  .max = 1'000'000'000,
                  .required = true});
  add_amounts(rows, price + "tiers[].", false);
  rows.push_back({.path = price + "windows",
                  .type = Type::list,
                  .doc = "Amounts inside weekly windows; of several that overlap, the first counts."});
  rows.push_back({.path = price + "windows[]", .type = Type::object, .doc = "A window."});
  rows.push_back({.path = price + "windows[].name", .type = Type::name, .doc = "For example peak.", .required = true});
  add_window_rows(rows, price + "windows[]", false,
                  "In a year that the calendar does not know, the dearer of inside and outside is taken, and `check` warns.");
  add_amounts(rows, price + "windows[].", false);
  add_service_rows(rows, price);
  rows.push_back({.path = price + "seen",
                  .type = Type::instant,
                  .doc = "When the figures were last seen in force.",
                  .otherwise = "at `from`"});
  rows.push_back({.path = price + "source", .type = Type::text, .doc = "Where the figures were read.", .otherwise = "none"});
  rows.push_back({.path = price + "confidence",
                  .type = Type::choice,
                  .doc = "How sure they are.",
                  .otherwise = "not stated",
                  .allowed = {"high", "medium", "low"}});
  rows.push_back({.path = price + "plausible",
                  .type = Type::boolean,
                  .doc = "You vouch for the figures: they are not doubted as implausible.",
                  .fallback = "false"});
}

}  // namespace

void add_window_rows(Rows& rows, const std::string& at, bool whole_days, const std::string& in_unknown_years) {
  rows.push_back({.path = at + ".weekdays",
                  .type = Type::list,
                  .doc = "The days on which it begins.",
                  .otherwise = "every day",
                  .min = 1,
                  .short_for = "[]"});
  rows.push_back({.path = at + ".weekdays[]",
                  .type = Type::choice,
                  .doc = "A day.",
                  .allowed = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"}});
  rows.push_back({.path = at + ".from",
                  .type = Type::time_of_day,
                  .doc = "Its beginning.",
                  .fallback = whole_days ? "00:00" : "",
                  .required = !whole_days});
  rows.push_back({.path = at + ".to",
                  .type = Type::time_of_day,
                  .doc = "Its end, not included; on the next day if it is not after the beginning.",
                  .fallback = whole_days ? "24:00" : "",
                  .required = !whole_days});
  rows.push_back({.path = at + ".zone",
                  .type = Type::word,
                  .doc = "The time zone of its days and times, with its summer time, for example Asia/Shanghai.",
                  .otherwise = "UTC"});
  rows.push_back({.path = at + ".calendar",
                  .type = Type::name,
                  .doc = "It does not begin on the days off of this calendar. " + in_unknown_years,
                  .otherwise = "none"});
  rows.push_back({.path = at + ".on_work_days",
                  .type = Type::boolean,
                  .doc = "It begins on the calendar's work days too, whatever their weekday.",
                  .fallback = "false"});
}

void add_model_rows(Rows& rows) {
  rows.push_back({.path = "models",
                  .type = Type::map,
                  .doc = "Facts and prices by `price list/model`; an entry replaces a built-in one of the same name as a whole.",
                  .key_type = Type::target});
  rows.push_back({.path = "models.*", .type = Type::object, .doc = "A model as a provider sells it."});
  rows.push_back({.path = "models.*.origin",
                  .type = Type::word,
                  .doc = "The legal home of its maker, for example CN.",
                  .otherwise = "not stated"});
  rows.push_back({.path = "models.*.context_window",
                  .type = Type::integer,
                  .doc = "Tokens.",
                  .otherwise = "not stated",
                  .min = 1,
                  .max = 1'000'000'000});
  rows.push_back({.path = "models.*.output_tokens_max",
                  .type = Type::integer,
                  .doc = "Tokens.",
                  .otherwise = "not stated",
                  .min = 1,
                  .max = 1'000'000'000});
  rows.push_back({.path = "models.*.capabilities",
                  .type = Type::list,
                  .doc = "What it can do; `streaming` and several `choices` need not be listed.",
                  .otherwise = "not stated: taken to have all",
                  .short_for = "[]"});
  rows.push_back({.path = "models.*.capabilities[]",
                  .type = Type::choice,
                  .doc = "A capability.",
                  .allowed = all_names<Capability>(capability_count)});
  rows.push_back({.path = "models.*.thinks_by_default",
                  .type = Type::boolean,
                  .doc = "It thinks unless the request says otherwise; for prices that differ by that.",
                  .fallback = "false"});
  rows.push_back({.path = "models.*.aliases",
                  .type = Type::list,
                  .doc = "Other names of the same model, in the same price list.",
                  .short_for = "[]"});
  rows.push_back({.path = "models.*.aliases[]", .type = Type::path_name, .doc = "A model's name."});
  rows.push_back({.path = "models.*.prices",
                  .type = Type::list,
                  .doc = "Dated entries; each holds until the next of its currency begins.",
                  .otherwise = "unpriced"});
  rows.push_back(
      {.path = "models.*.prices[]", .type = Type::object, .doc = "Decimal amounts **per million tokens**; a 0 is free."});
  add_price_rows(rows, "models.*.prices[].");
}

void add_contract_rows(Rows& rows) {
  rows.push_back({.path = "contracts",
                  .type = Type::map,
                  .doc = "Prices by contract, by target: they replace the listed ones while they are in force.",
                  .key_type = Type::target});
  rows.push_back({.path = "contracts.*", .type = Type::object, .doc = "The contract of a target."});
  rows.push_back({.path = "contracts.*.prices",
                  .type = Type::list,
                  .doc = "Dated entries; each holds until the next of its currency begins.",
                  .required = true});
  rows.push_back(
      {.path = "contracts.*.prices[]", .type = Type::object, .doc = "Decimal amounts **per million tokens**; a 0 is free."});
  add_price_rows(rows, "contracts.*.prices[].");
}

void add_calendar_rows(Rows& rows) {
  rows.push_back({.path = "calendars",
                  .type = Type::map,
                  .doc = "Days off, for price windows; an entry replaces a built-in one of the same name as a whole."});
  rows.push_back({.path = "calendars.*", .type = Type::object, .doc = "A calendar."});
  rows.push_back({.path = "calendars.*.source", .type = Type::text, .doc = "Where the days were read.", .otherwise = "none"});
  rows.push_back({.path = "calendars.*.years",
                  .type = Type::list,
                  .doc = "The years that it knows, whole.",
                  .min = 1,
                  .required = true,
                  .short_for = "[]"});
  rows.push_back({.path = "calendars.*.years[]", .type = Type::integer, .doc = "A year.", .min = 2020, .max = 2049});
  rows.push_back({.path = "calendars.*.days_off", .type = Type::list, .doc = "Its public holidays.", .short_for = "[]"});
  rows.push_back({.path = "calendars.*.days_off[]", .type = Type::instant, .doc = "A day."});
  rows.push_back({.path = "calendars.*.work_days",
                  .type = Type::list,
                  .doc = "Days of a weekend that are worked to make up for others.",
                  .short_for = "[]"});
  rows.push_back({.path = "calendars.*.work_days[]", .type = Type::instant, .doc = "A day."});
}

void add_profile_rows(Rows& rows) {
  rows.push_back({.path = "profiles",
                  .type = Type::map,
                  .doc = "Habits of kinds of providers, as data (config/profiles.yaml); an entry replaces a built-in one of the "
                         "same name as a whole."});
  rows.push_back({.path = "profiles.*", .type = Type::object, .doc = "A profile."});
  rows.push_back({.path = "profiles.*.output_limit_field",
                  .type = Type::choice,
                  .doc = "The app's cap on output is renamed to this.",
                  .otherwise = "left as it is",
                  .allowed = {"max_tokens", "max_completion_tokens"}});
  rows.push_back(
      {.path = "profiles.*.rename", .type = Type::map, .doc = "Top-level request fields: ours to theirs.", .key_type = Type::word});
  rows.push_back({.path = "profiles.*.rename.*", .type = Type::word, .doc = "Their name."});
  rows.push_back({.path = "profiles.*.drop",
                  .type = Type::list,
                  .doc = "Top-level request fields that it refuses or ignores.",
                  .short_for = "[]"});
  rows.push_back({.path = "profiles.*.drop[]", .type = Type::word, .doc = "A field."});
  rows.push_back({.path = "profiles.*.stream_usage_on_request",
                  .type = Type::boolean,
                  .doc = "Ask for usage with `stream_options.include_usage`.",
                  .fallback = "true"});
  rows.push_back({.path = "profiles.*.stream_options_refused",
                  .type = Type::boolean,
                  .doc = "Remove `stream_options` altogether.",
                  .fallback = "false"});
  rows.push_back({.path = "profiles.*.developer_role",
                  .type = Type::boolean,
                  .doc = "It knows the role `developer`; otherwise that becomes `system`.",
                  .fallback = "false"});
  rows.push_back({.path = "profiles.*.reasoning_field",
                  .type = Type::word,
                  .doc = "What it calls `reasoning_content` in messages and deltas.",
                  .otherwise = "the same"});
  rows.push_back({.path = "profiles.*.reasoning_outside_output",
                  .type = Type::boolean,
                  .doc = "Its count of output leaves reasoning out.",
                  .fallback = "false"});
  rows.push_back({.path = "profiles.*.bills_after_close",
                  .type = Type::choice,
                  .doc = "What it bills of an answer whose connection was closed before its end ([accounting](accounting.md)).",
                  .fallback = "unknown",
                  .allowed = {"whole", "delivered", "nothing", "unknown"}});
  rows.push_back({.path = "profiles.*.thinking_switches",
                  .type = Type::list,
                  .doc = "The fields by which requests turn thinking on or off; if several do, the first in this order: "
                         "enable_thinking, thinking, reasoning_effort.",
                  .otherwise = "all of them",
                  .short_for = "[]"});
  rows.push_back({.path = "profiles.*.thinking_switches[]",
                  .type = Type::choice,
                  .doc = "A field.",
                  .allowed = all_names<ThinkingSwitch>(thinking_switch_count)});
  rows.push_back({.path = "profiles.*.models_path",
                  .type = Type::word,
                  .doc = "Its list of models, after the base URL.",
                  .fallback = "/models"});
  rows.push_back(
      {.path = "profiles.*.cache",
       .type = Type::duration,
       .doc =
           "How long its prompt cache keeps a conversation that nobody continues: until then, staying is expected to be cheaper.",
       .fallback = "5m"});
  rows.push_back(
      {.path = "profiles.*.lacks", .type = Type::list, .doc = "What no model behind such a provider can do.", .short_for = "[]"});
  rows.push_back({.path = "profiles.*.lacks[]",
                  .type = Type::choice,
                  .doc = "A capability.",
                  .allowed = all_names<Capability>(capability_count)});
  rows.push_back({.path = "profiles.*.errors",
                  .type = Type::list,
                  .doc = "What its refusals mean where the status alone does not say; the first rule that matches counts."});
  rows.push_back(
      {.path = "profiles.*.errors[]", .type = Type::object, .doc = "It matches if every part stated matches.", .min = 2});
  rows.push_back({.path = "profiles.*.errors[].status",
                  .type = Type::integer,
                  .doc = "The HTTP status.",
                  .otherwise = "any",
                  .min = 100,
                  .max = 599});
  rows.push_back(
      {.path = "profiles.*.errors[].code", .type = Type::word, .doc = "`error.code` or `error.type`.", .otherwise = "any"});
  rows.push_back({.path = "profiles.*.errors[].text",
                  .type = Type::text,
                  .doc = "A part of the message; case does not count.",
                  .otherwise = "any"});
  rows.push_back({.path = "profiles.*.errors[].meaning",
                  .type = Type::choice,
                  .doc = "What it means; `unfit`: another target may take the request.",
                  .required = true,
                  .allowed = {"rate_limit", "no_money", "auth", "refused", "filtered", "unavailable", "context", "unfit"}});
}

}  // namespace fairlead::config
