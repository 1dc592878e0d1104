#pragma once
// The rows of the description, in the order of the reference; a row stands after the one it is inside of. For options.cpp alone.
#include "config/options.h"

#include <string>
#include <vector>

namespace fairlead::config {

using Rows = std::vector<Option>;

void add_server_rows(Rows& rows);
void add_idempotency_rows(Rows& rows);
/// `at`: "budget", "teams.*.budget" and so on; `whose`: completes "What may be charged for ...".
void add_budget_rows(Rows& rows, const std::string& at, const std::string& whose);
void add_credit_row(Rows& rows, const std::string& at);
void add_provider_rows(Rows& rows);
void add_route_rows(Rows& rows);
void add_policy_rows(Rows& rows);
void add_content_rows(Rows& rows);
void add_assertion_rows(Rows& rows);
void add_key_rows(Rows& rows);
void add_team_rows(Rows& rows);
void add_notify_rows(Rows& rows);
void add_test_rows(Rows& rows);
void add_contract_rows(Rows& rows);
void add_calendar_rows(Rows& rows);
/// A weekly window inside of `at`. `whole_days`: begin and end need not be stated. `in_unknown_years`: a sentence.
void add_window_rows(Rows& rows, const std::string& at, bool whole_days, const std::string& in_unknown_years);
void add_model_rows(Rows& rows);
void add_profile_rows(Rows& rows);
/// Inside of `at`; `whose`: completes "Rate limits of ...".
void add_rate_limit_rows(Rows& rows, const std::string& at, const std::string& whose);

}  // namespace fairlead::config
