"""What a reload changes is what traffic meets, and the row and the metrics name the same snapshot (M60)."""
import json

import pytest

from harness.daemon import CLIENT_KEY, OTHER_KEY, TARGETS, sha256
from harness.http import chat, post_chat, send
from harness.process import run, wait_until

DEEPSEEK, QWEN, OPENAI = TARGETS.values()
DEAR = {"prices": [{"from": "2026-01-01", "input": "11", "output": "12"}]}


def drop_route(config):
    del config["routes"]["qwen"]
    config["keys"][0]["routes"].remove("qwen")


def give_route(config):
    config["routes"]["new"] = {"targets": [OPENAI]}
    config["keys"][0]["routes"].append("new")


def in_cny(config):
    config["fx"] = {"CNY": "0.5"}
    config["providers"]["qwen"]["currency"] = "CNY"
    config["contracts"] = {QWEN: {"prices": [{"from": "2026-01-01", "currency": "CNY", "input": "1", "output": "1"}]}}


def at(*path):
    def put(value):
        def change(config):
            for key in path[:-1]:
                config = config.setdefault(key, {}) if isinstance(config, dict) else config[key]
            config[path[-1]] = value
        return change
    return put


def policy(**rule):
    return lambda config: config["policies"].append({"name": "new", **rule})


def both(*changes):
    def change(config):
        for one in changes:
            one(config)
    return change


def at_some_hours(config):
    config["calendars"] = {"none": {"years": [2026], "days_off": []}}
    window = {"name": "always", "from": "00:00", "to": "00:00", "calendar": "none", "input": "11"}
    config["contracts"] = {OPENAI: {"prices": [{"from": "2026-01-01", "input": "1", "output": "2", "windows": [window]}]}}


NOTHING = [{"usd": "0.000000000001", "per": "day"}]
ONE_TOKEN = {"tokens_per_minute": 1}
ROUTE_CHAT = at("routes", "chat")
# change; the request; what the app gets; what the row of the request, and that of its last attempt, say
CHANGES = {
    "a route comes": (give_route, ("hello", "new"), 200, {"route": "new"}, {"target": OPENAI}),
    "a route goes": (drop_route, ("hello", "qwen"), 404, None, None),
    "a route has other targets": (ROUTE_CHAT({"targets": [OPENAI]}), ("hello", "chat"), 200, {}, {"target": OPENAI}),
    "a route has another strategy": (ROUTE_CHAT({"targets": [QWEN, DEEPSEEK, OPENAI], "strategy": "ordered"}), ("hello", "chat"), 200, {},
                                     {"target": QWEN}),
    "a route pays less": (ROUTE_CHAT({"targets": [OPENAI], "max_price": {"input": "0.000001"}}), ("hello", "chat"), 403, {}, None),
    "a policy comes": (at("policies")([{"name": "none", "deny": {"provider": ["qwen"]}}]), ("hello", "qwen"), 403, {}, None),
    "a key has another team": (at("keys", 0, "team")("research"), ("hello", "qwen"), 200, {"team": "research"}, {}),
    "a key has other routes": (at("keys", 0, "routes")(["chat"]), ("hello", "ordered"), 404, None, None),
    "a key may not name targets": (at("keys", 0, "targets")(False), ("hello", QWEN), 404, None, None),
    "a key has another hash": (at("keys", 0, "hash")(sha256("another")), ("hello", "chat"), 401, None, None),
    "a provider is elsewhere": (at("providers", "qwen", "base_url")("http://127.0.0.1:1"), ("hello", "qwen"), 502, {},
                                {"error": "upstream_connect"}),
    "a provider's key is gone": (at("providers", "qwen", "api_key")("${env:FAIRLEAD_TEST_NO_SUCH}"), ("hello", "qwen"), 503, {}, None),
    "a provider gives a discount": (at("providers", "openai", "discount")(["0.5"]), ("hello", "openai"), 200, {}, {"discount": "0.5"}),
    "a provider's deadlines": (at("providers", "qwen", "timeouts")({"total": 30}), ("[[sim stall=before]] hello", "qwen"), 504, {},
                               {"error": "upstream_timeout"}),
    "all deadlines": (at("timeouts")({"total": 30}), ("[[sim stall=before]] hello", "qwen"), 504, {}, {"error": "upstream_timeout"}),
    "a contract": (at("contracts")({OPENAI: DEAR}), ("hello", "openai"), 200, {}, {"input": "11"}),
    "a price of a model": (at("models")({"openai/gpt-6-luna": DEAR}), ("hello", "openai"), 200, {}, {"input": "11"}),
    "a currency and its rate": (in_cny, ("hello", "qwen"), 200, {}, {"usd_rate_pico": 500_000_000_000}),
    "attempts of a request": (at("limits")({"attempts_max": 1}), ("[[sim status=500]] hello", "chat"), 502, {"attempts": 1}, {}),
    "a policy asks for content": (both(policy(when={"content": ["ours"]}, deny={"provider": ["*"]}), at("content")({"ours": {"words": ["hello"]}})),
                                  ("hello", "qwen"), 403, {"content": '{"ours":1}'}, None),
    "a group of regions": (both(policy(allow={"region": ["polar"]}), at("region_groups")({"polar": ["AQ"]})), ("hello", "qwen"), 403, {}, None),
    "a provider's facts": (both(policy(deny={"retention": ["trains"]}), at("providers", "qwen", "retention")("trains")), ("hello", "qwen"), 403, {},
                           None),
    "a provider's label": (both(policy(allow={"label": ["dpa"]}), at("providers", "qwen", "labels")({"dpa": "2026-01-31"})), ("hello", "qwen"), 403, {},
                           None),
    "a key's tags": (both(policy(when={"tags": ["night"]}, deny={"provider": ["*"]}), at("keys", 0, "tags")(["night"])), ("hello", "qwen"), 403, {}, None),
    "a key's project": (at("keys", 0, "project")("moon"), ("hello", "qwen"), 200, {"project": "moon"}, {}),
    "a key's end": (at("keys", 0, "expires_at")("2026-01-31"), ("hello", "qwen"), 401, None, None),
    "a key's limits": (at("keys", 0, "limits")(ONE_TOKEN), ("hello", "qwen"), 429, {"error": "rate_limited"}, None),
    "a team's limits": (at("teams")({"payments": {"limits": ONE_TOKEN}}), ("hello", "qwen"), 429, {"error": "rate_limited"}, None),
    "a key's budget": (at("keys", 0, "budget")(NOTHING), ("hello", "qwen"), 429, {"error": "over_budget"}, None),
    "a team's budget": (at("teams")({"payments": {"budget": NOTHING}}), ("hello", "qwen"), 429, {"error": "over_budget"}, None),
    "a project's budget": (both(at("keys", 0, "project")("moon"), at("projects")({"moon": {"budget": NOTHING}})), ("hello", "qwen"), 429,
                           {"error": "over_budget"}, None),
    "the installation's budget": (at("budget")(NOTHING), ("hello", "qwen"), 429, {"error": "over_budget"}, None),
    "a team's markup": (at("teams")({"payments": {"markup": "0.5"}}), ("hello", "qwen"), 200, {}, {"markup_pico": 500_000_000_000}),
    "prices to doubt": (both(at("prices")({"strict": True, "stale_days": 1}), at("models")({"qwen/qwen3.8-flash": DEAR})), ("hello", "qwen"), 403, {},
                        None),
    "a calendar and a window": (at_some_hours, ("hello", "openai"), 200, {}, {"input": "11", "window": "always"}),
    "a profile": (at("profiles")({"qwen": {"lacks": ["streaming"], "rename": {"messages": "notes"}}}), ("hello", "qwen"), 400, {}, {}),
    "bytes of a body": (at("limits")({"body_bytes_max": "1KiB"}), ("hello " * 300, "chat"), 413, None, None),
}


def differs(row, expected):
    """What the row, or the price in it, does not say."""
    told = {**row, **(json.loads(row["price"]) if row.get("price") else {})}
    return {name: (told.get(name), value) for name, value in expected.items() if told.get(name) != value}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_what_traffic_meets_M60(daemon, name):
    change, (content, model), status, request_says, attempt_says = CHANGES[name]
    config = daemon.changed_config()
    change(config)
    before = post_chat(daemon, chat(content if "sim" not in content and len(content) < 99 else "hello", model if model != "new" else "chat"))
    assert before.status == 200
    outcome = daemon.admin_reload(config)
    assert outcome["result"] == "taken", outcome
    answer = post_chat(daemon, chat(content, model))
    assert answer.status == status, answer
    assert f'fairlead_config_info{{hash="{outcome["snapshot"]}"}} 1' in daemon.admin_get("/metrics")[1]
    if request_says is None:
        return
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "open rows to settle")
    request = ledger.request(answer.request_id)
    assert request["snapshot_hash"] == outcome["snapshot"] != ledger.request(before.request_id)["snapshot_hash"]
    assert not differs(request, request_says)
    if attempt_says is not None:
        assert not differs(ledger.attempts_of(answer.request_id)[-1], attempt_says)


# Where each section of a configuration is seen to change; what needs a restart is refused by name (test_config_reload_defects).
SEEN = {"providers", "routes", "policies", "region_groups", "content", "keys", "budget", "teams", "projects", "prices", "fx", "contracts", "calendars",
        "models", "profiles", "limits", "timeouts"}  # in CHANGES
ELSEWHERE = {"log": "below", "trusted_proxies": "below", "idempotency": "below", "include": "test_watch", "watch": "test_watch", "notify": "test_budgets",
             "retention": "holds from the next hourly look on", "assertions": "test_assertions", "tests": "only `check` looks"}
RESTART = {"listen", "admin", "ledger", "ledger_sync", "workers"}


def test_no_section_is_forgotten_M60():
    sections = set(json.loads(run("schema").stdout)["properties"])
    assert sections == SEEN | set(ELSEWHERE) | RESTART


def test_whose_word_on_an_address_is_taken_changes_at_once_M60(start):
    daemon = start(policy(when={"network": ["192.0.2.0/24"]}, deny={"provider": ["*"]}))

    def status():
        return send(daemon.address, "POST", "/v1/chat/completions", daemon.key, chat("hello"), [("X-Forwarded-For", "192.0.2.7")]).status

    assert status() == 200, "anybody can write that"
    daemon.admin_reload({**daemon.config, "trusted_proxies": ["127.0.0.0/8"]})
    assert status() == 403
    daemon.admin_reload(daemon.config)
    assert status() == 200


def test_what_a_repeat_is_changes_at_once_M60(daemon):
    def ids():
        return {json.loads(send(daemon.address, "POST", "/v1/chat/completions", daemon.key, chat("hello"), [("Idempotency-Key", "one")]).body)["id"]
                for _ in range(2)}

    assert len(ids()) == 1
    daemon.admin_reload({**daemon.config, "idempotency": {"window": "0s"}})
    assert len(ids()) == 2


def test_what_goes_is_out_of_reach_and_out_of_sight_M60(daemon):
    config = daemon.changed_config()
    drop_route(config)
    config["keys"].pop()
    daemon.admin_reload(config)
    models = send(daemon.address, "GET", "/v1/models", daemon.key)
    assert "qwen" not in [model["id"] for model in models.json()["data"]]
    assert post_chat(daemon, chat("hello"), OTHER_KEY).status == 401
    daemon.admin_reload(daemon.config)
    assert post_chat(daemon, chat("hello"), OTHER_KEY).status == 200
    assert post_chat(daemon, chat("hello", "qwen"), CLIENT_KEY).status == 200


def test_a_policy_that_goes_binds_nobody_any_more_M60(daemon):
    assert post_chat(daemon, chat("hello", "deepseek"), OTHER_KEY).status == 403
    daemon.admin_reload({**daemon.config, "policies": []})
    assert post_chat(daemon, chat("hello", "deepseek"), OTHER_KEY).status == 200


def test_what_is_logged_changes_at_once_M60(daemon):
    assert post_chat(daemon, chat("hello")).status == 200
    daemon.wait_for("request")
    daemon.admin_reload({**daemon.config, "log": {"requests": "none", "level": "warn"}})
    assert post_chat(daemon, chat("hello")).status == 200
    daemon.admin_reload({**daemon.config, "log": {"requests": "all"}})
    last = post_chat(daemon, chat("hello"))
    daemon.wait_for("request", request_id=last.request_id)
    assert len(daemon.events("request")) == 2
