"""How a request is served moves its price: thinking, service tiers, and prices that are not to be relied on. The simulator keeps its own bill."""
import json

import pytest

from harness.daemon import PROMPT_CANARY, sha256
from harness.http import chat, post_chat
from harness.process import run
from harness.stage import PRICE, Stage
from harness.upstream import completion, usage, whole

pytestmark = pytest.mark.alone

WORDS = f"[[sim bytes=700 cached=16]] Say hello, {PROMPT_CANARY}"
ROUTES = {"plus": "qwen/qwen-plus", "luna": "openai/gpt-6-luna"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    def change(config):
        for name, target in ROUTES.items():
            config["routes"][name] = {"targets": [target], "fallback": False}
            config["keys"][0]["routes"].append(name)
        config["models"]["tiered/m"] = {"prices": [{**PRICE, "service_tiers": {"priority": "2"}}]}

    stage = Stage(tmp_path_factory.mktemp("modes"), {"tiered": "openai"}, change)
    yield stage
    stage.close()


@pytest.fixture
def stage(made):
    yield made
    made.audit()


def price_of(stage, body):
    """The price that the row of a request's one attempt keeps."""
    answer = post_chat(stage.daemon, body)
    assert answer.status == 200 and answer.complete, answer.body
    _, (attempt,) = stage.rows(answer)
    assert attempt["usage_source"] == "reported"
    return json.loads(attempt["price"])


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_thinking_costs_what_it_costs(stage, stream):
    for asked, thinks in (({"enable_thinking": True}, True), ({"enable_thinking": False}, False), ({}, False), ({"reasoning_effort": "high"}, False)):
        price = price_of(stage, chat(WORDS, "plus", stream=stream, **asked))
        assert (price.get("thinking", False), price["output"]) == ((True, "4") if thinks else (False, "1.2")), asked


@pytest.mark.parametrize("stream", [False, True], ids=["buffered", "streamed"])
def test_the_service_tier_that_served_is_paid(stage, stream):
    for asked, tier, factor, output in (("flex", "flex", "0.5", "0.25"), ("priority", "priority", "2", "1"), ("auto", None, None, "0.5")):
        price = price_of(stage, chat(WORDS, "luna", stream=stream, service_tier=asked))
        assert (price.get("service_tier"), price.get("service_factor"), price["output"]) == (tier, factor, output)


def test_explain_says_how_it_was_to_be_served(stage):
    answer = post_chat(stage.daemon, chat(WORDS, "plus", enable_thinking=True))
    stage.rows(answer)
    assert "(thinking)" in run("explain", answer.request_id, "--ledger", f"sqlite:{stage.daemon.ledger_file}").stdout
    answer = post_chat(stage.daemon, chat(WORDS, "luna", service_tier="flex"))
    stage.rows(answer)
    assert "(flex)" in run("explain", answer.request_id, "--ledger", f"sqlite:{stage.daemon.ledger_file}").stdout


def test_a_tier_that_was_asked_for_and_not_given_is_not_paid(stage):
    stage.providers["tiered"].will(whole(completion(told=usage(20, 10), service_tier="default"), told=(20, 0, 10)))
    price = price_of(stage, chat(f"Say hello, {PROMPT_CANARY}", "tiered", service_tier="priority"))
    assert "service_tier" not in price and price["output"] == str(PRICE["output"])


def test_a_strict_configuration_sends_nothing_at_a_stale_price(stage):
    daemon, stale = stage.daemon, 'fairlead_prices_doubted{doubt="stale"}'
    before = daemon.gauge(stale)
    assert before >= 1  # the scripted provider's price is of 2020
    usual, strict = daemon.changed_config(), daemon.changed_config()
    strict["prices"] = {"strict": True}
    daemon.reload(strict)
    try:
        refused = post_chat(daemon, chat(f"Say hello, {PROMPT_CANARY}", "tiered"))
        assert refused.status == 403 and "price to rely on" in refused.json()["error"]["message"]
        row, attempts = stage.rows(refused)
        assert not attempts and "prices.strict" in row["plan"] and "2020-01-01" in row["plan"]
    finally:
        daemon.reload(usual)
    assert daemon.gauge(stale) == before


def write_prices(folder, text):
    """A configuration that nobody serves, with a key."""
    (folder / "f.yaml").write_text(text + f'keys: [{{name: app, hash: "{sha256("k")}", routes: [chat]}}]\n')


def listed_at(folder, at, form="json"):
    """What `fairlead prices` says of the targets then; the table's text, if that is asked for."""
    done = run("prices", "--config", folder / "f.yaml", "--at", at, "--format", form)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["targets"] if form == "json" else done.stdout


def test_check_and_prices_tell_of_doubts_M08(tmp_path):
    write_prices(tmp_path, """
providers:
  tencent: {base_url: "http://127.0.0.1:9/v1", price_list: tencent, currency: CNY, operator: CN, region: CN, retention: provider}
fx: {CNY: [{from: 2025-01-01, usd: "0.1378"}, {from: 2026-10-01, usd: "0.14"}]}
routes: {chat: {targets: [tencent/hunyuan-lite, tencent/hunyuan-t1-latest]}}
""")
    checked = run("check", tmp_path / "f.yaml")
    assert checked.returncode == 0, checked.stderr
    said = checked.stdout + checked.stderr
    assert "its price is 0, at low confidence" in said and "its price was last seen in force on 2025-06-01, more than 180 days ago" in said
    table = listed_at(tmp_path, "2026-11-26", "table")
    assert "stale, implausible" in table and "1 CNY is 0.14 USD, since 2026-10-01." in table
    assert "1 CNY has no rate to USD; 0.1378 from 2025-01-01." in listed_at(tmp_path, "2024-12-31", "table")
    lite, t1 = listed_at(tmp_path, "2025-07-01")
    assert [doubt["doubt"] for doubt in lite["doubts"]] == ["implausible"] and t1["doubts"] == []
    assert t1["usd"] == {"rate": "0.1378", "from": "2025-01-01T00:00:00.000000Z"} and t1["price"]["built_in"] is True


def test_an_implausible_price_of_ones_own_needs_a_word_where_the_configuration_is_strict_M08(tmp_path):
    def told(word):
        write_prices(tmp_path, f"""
providers:
  own: {{base_url: "http://127.0.0.1:9/v1", price_list: own, operator: ZA, region: ZA, retention: none}}
models: {{own/small: {{prices: [{{from: 2026-09-01, input: "0.0005", output: "0.0006"{word}}}]}}}}
routes: {{chat: {{targets: [own/small]}}}}
prices: {{strict: true}}
""")
        checked = run("check", tmp_path / "f.yaml")
        assert checked.returncode == 0, checked.stderr
        asked = run("explain", "--config", tmp_path / "f.yaml", "--key", "app", "--at", "2026-11-26", "--format", "json")
        return checked.stdout + checked.stderr, json.loads(asked.stdout)["outcome"]

    for word in ("", ", plausible: false"):
        said, outcome = told(word)
        assert "has input at 0.0005, which is below 0.001 USD; amounts are per million tokens; if it is what is charged, add plausible: true" in said
        assert "target" not in outcome and "price to rely on" in outcome["message"]
    said, outcome = told(", plausible: true")
    assert "below 0.001" not in said and outcome["target"] == "own/small"


def test_what_begins_and_ends_soon_is_told_beside_what_comes_every_day(tmp_path):
    write_prices(tmp_path, """
providers:
  google: {base_url: "http://127.0.0.1:9/v1", price_list: google-gemini, operator: US, region: US, retention: provider, discount: [{share: "0.5", from: 2026-12-24, until: 2026-12-27}]}
routes: {chat: {targets: [google/gemini-3.8-flash]}}
""")
    (flash,) = listed_at(tmp_path, "2026-11-26")
    assert flash["price"]["input"] == "0.75" and flash["price"]["until"] == "2027-01-01T00:00:00.000000Z"
    assert [(then["at"][:10], then["input"]) for then in flash["soon"]] == [("2026-12-24", "0.375"), ("2026-12-27", "0.75"), ("2027-01-01", "1.5")]
    table = listed_at(tmp_path, "2026-11-26", "table")
    assert "2026-12-24: 0.375 / 1.875, 2026-12-27: 0.75 / 3.75, 2027-01-01: 1.5 / 7.5" in table
    promotion = listed_at(tmp_path, "2026-12-31T23:59:59", "table")
    assert "0.75" in promotion and "until 2027-01-01" in promotion


def test_rates_of_exchange_to_come_are_told(tmp_path):
    write_prices(tmp_path, """
providers:
  qwen: {base_url: "http://127.0.0.1:9/v1", price_list: own, currency: CNY, operator: CN, region: CN, retention: provider}
models: {own/m: {prices: [{from: 2025-01-01, currency: CNY, input: "1", output: "2"}]}}
fx: {CNY: [{from: 2025-01-01, usd: "0.1378"}, {from: 2026-12-01, usd: "0.14"}, {from: 2027-06-01, usd: "0.15"}]}
routes: {chat: {targets: [qwen/m]}}
""")
    assert "1 CNY is 0.1378 USD, since 2025-01-01; 0.14 from 2026-12-01.\n" in listed_at(tmp_path, "2026-11-26", "table")
    (listed,) = listed_at(tmp_path, "2026-11-26")
    assert listed["usd_soon"] == [{"rate": "0.14", "from": "2026-12-01T00:00:00.000000Z"}]
    assert "1 CNY is 0.14 USD, since 2026-12-01.\n" in listed_at(tmp_path, "2026-12-24", "table")


@pytest.mark.parametrize("at, window, unknown", [
    ("2026-10-02T04:00", None, False),  # a day off in China
    ("2026-11-26T04:00", "peak", False),
    ("2030-10-02T04:00", "peak", True),  # a weekday of a year that the calendar does not know: the dearer
    ("2030-10-02T12:00", None, False),
    ("2026-12-31T15:00", "late", False), ("2026-12-31T17:00", "late", False),  # of the day on which it began, in Shanghai
    ("2027-12-31T17:00", "late", True),
])
def test_a_year_that_a_calendar_does_not_know_is_told_where_it_makes_the_price(tmp_path, at, window, unknown):
    """M24: local days of a zone, over midnight and the year's end."""
    write_prices(tmp_path, """
providers: {own: {base_url: "http://127.0.0.1:9/v1", price_list: own, operator: CN, region: CN, retention: provider}}
models:
  own/m:
    prices:
      - from: 2025-01-01
        input: "1"
        output: "2"
        windows:
          - {name: peak, weekdays: [mon, tue, wed, thu, fri], from: "09:00", to: "18:00", zone: Asia/Shanghai, calendar: cn-public-holidays, input: "2", output: "4"}
          - {name: late, weekdays: [mon, tue, wed, thu, fri], from: "22:00", to: "02:00", zone: Asia/Shanghai, calendar: cn-public-holidays, input: "3", output: "6"}
routes: {chat: {targets: [own/m]}}
""")
    (listed,) = listed_at(tmp_path, at)
    assert (listed["price"]["window"], listed["price"]["calendar_unknown"]) == (window, unknown)
    assert ("its calendar does not know the year" in listed_at(tmp_path, at, "table")) == unknown
