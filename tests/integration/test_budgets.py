"""Budgets: two-phase money over sockets. Never overrun, nothing left held, and the ledger has the same sums."""
import asyncio
import contextlib
import datetime
import http.server
import json
import os
import socket
import sqlite3
import threading
import urllib.request
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from harness.books import charged, expect_budgets, usd
from harness.daemon import CLIENT_KEY, OTHER_KEY, Fairlead, config_for, sha256
from harness.http import Connection, chat, post_chat, request_bytes, send
from harness.process import PATIENCE, run, wait_until
from harness.stage import PRICE, Stage
from harness.storm import storm
from harness.upstream import ROLE, Scripted, completion, event, refusal, said, stream, usage, whole

ROUNDS = int(os.environ.get("FAIRLEAD_BUDGET_ROUNDS", "2"))
AT_ONCE = int(os.environ.get("FAIRLEAD_BUDGET_AT_ONCE", "100"))
REQUESTS = int(os.environ.get("FAIRLEAD_BUDGET_REQUESTS", "600"))
PICO = 10**12
HELLO = "[[sim bytes=200]] hello"


def add_priced(config):
    """The route `vllm`: one model at 1 USD per million input tokens, and 4 of output. `mystery` has no price."""
    simulator = config["providers"]["openai"]["base_url"].removesuffix("/openai/v1")
    config.setdefault("models", {})
    Stage.add(config, "vllm", "vllm", f"{simulator}/vllm/v1", "priced")
    Stage.add(config, "unpriced", "vllm", f"{simulator}/vllm/v1", "mystery", price=None)
    config["routes"]["mixed"] = {"targets": ["unpriced/mystery", "vllm/priced"], "strategy": "ordered"}
    config["keys"][0]["routes"].append("mixed")


def worst(body):
    return (len(json.dumps(body)) * 1 + body["max_completion_tokens"] * 4) / Decimal(10**6)


def plain(amount):
    """As fairlead writes it: the shortest decimal."""
    return f"{amount.normalize():f}"


def expect_refused(answer):
    assert answer.status == 429, answer.body
    error = answer.json()["error"]
    assert error["type"] == error["code"] == "insufficient_quota"
    assert answer.fields["x-should-retry"] == "false" and "retry-after" not in answer.fields
    return error["message"]


def expect_wait(answer):
    """Others hold what is not spent."""
    assert answer.status == 429, answer.body
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("rate_limit_error", "budget_held")
    assert answer.fields["retry-after"] == "1" and "x-should-retry" not in answer.fields
    return error["message"]


def top_up(daemon, **fields):
    return send(daemon.admin, "POST", "/admin/v1/credit", body=fields)


def test_the_hold_is_the_worst_cost_and_the_charge_takes_its_place(start, simulator):
    def change(config):
        add_priced(config)
        config["budget"] = {"usd": "1", "per": "month", "time_zone": "Asia/Singapore"}
        config["teams"] = {"payments": {"markup": "0.15", "budget": {"usd": "0.5", "per": "day"}}}

    daemon = start(change)
    body = chat(HELLO, "vllm", max_completion_tokens=50)
    answers = [post_chat(daemon, {**body, "stream": streamed}) for streamed in (False, True)]
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "rows to settle")
    for answer in answers:
        (attempt,) = ledger.attempts_of(answer.request_id)
        assert attempt["charge_usd_pico"] * 100 == attempt["usd_pico"] * 115 and attempt["usd_pico"] > 0  # M01
        assert attempt["markup_pico"] == PICO * 15 // 100
    reserved = ledger.attempts_of(answers[0].request_id)[0]["reserved_usd_pico"]
    assert reserved == worst({**body, "stream": False}) * PICO * 115 / 100
    total = charged(ledger)
    seen = daemon.budgets()
    assert set(seen) == {"installation per month, Asia/Singapore", "team payments per day"}
    assert all(usd(budget, "charged") == total and usd(budget, "held") == 0 for budget in seen.values())
    # A buffered answer knows what it was charged; a stream what it may be charged at worst.
    first = Decimal(ledger.attempts_of(answers[0].request_id)[0]["charge_usd_pico"]) / PICO
    assert Decimal(answers[0].fields["x-fairlead-budget-remaining-usd"]) == Decimal("0.5") - first
    assert Decimal(answers[1].fields["x-fairlead-budget-remaining-usd"]) < Decimal("0.5") - first
    # M24: the month begins by the clocks of Singapore.
    zone = ZoneInfo("Asia/Singapore")
    begin = datetime.datetime.now(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    assert seen["installation per month, Asia/Singapore"]["from"] == begin.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_over_budget_is_refused_before_a_byte_is_sent(start, simulator):
    body = chat(HELLO, "vllm", max_completion_tokens=50)
    limit = worst(body) * Decimal("1.5")

    def change(config):
        add_priced(config)
        config["keys"][0]["budget"] = [{"usd": str(limit), "per": "day"}, {"usd": "100", "per": "all"}]

    daemon = start(change)
    large = post_chat(daemon, {**body, "max_completion_tokens": 200})
    message = expect_refused(large)
    assert f"the budget of key app per day has {plain(limit)} USD left of {plain(limit)}" in message
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    assert large.fields["x-fairlead-budget-reset"] == f"{tomorrow}T00:00:00Z" and f"{tomorrow}T00:00:00Z" in message
    assert Decimal(large.fields["x-fairlead-budget-remaining-usd"]) == limit
    assert simulator.bill() == []
    assert post_chat(daemon, body).status == 200
    row = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "rows").request(large.request_id)
    assert (row["http_status"], row["error"], row["attempts"]) == (429, "over_budget", 0)


def test_a_provider_without_budget_left_gives_way_to_the_next(start, simulator):
    def change(config):
        add_priced(config)
        config["providers"]["vllm"]["budget"] = {"usd": "0.0000001", "per": "month"}
        config["routes"]["two"] = {"targets": ["vllm/priced", "deepseek/deepseek-flash"], "strategy": "ordered"}
        config["keys"][0]["routes"].append("two")

    daemon = start(change)
    answer = post_chat(daemon, chat(HELLO, "two"))
    assert answer.status == 200 and answer.fields["x-fairlead-target"] == "deepseek/deepseek-flash"
    assert answer.fields["x-fairlead-attempts"] == "1"
    expect_refused(post_chat(daemon, chat(HELLO, "vllm")))


def test_a_budget_keeps_requests_from_targets_without_a_price_M06(start, simulator):
    def change(config):
        add_priced(config)
        config["keys"][0]["budget"] = {"usd": "1", "per": "day"}
        config["routes"]["free"] = {"targets": ["unpriced/mystery"], "unpriced": "allow"}
        config["keys"][0]["routes"].append("free")

    daemon = start(change)
    refused = post_chat(daemon, chat(HELLO, "unpriced"))
    assert refused.status == 403 and b"no target of this route has a price" in refused.body
    assert simulator.bill() == []
    assert post_chat(daemon, chat(HELLO, "mixed")).fields["x-fairlead-target"] == "vllm/priced"
    allowed = post_chat(daemon, chat(HELLO, "free"))
    assert allowed.status == 200
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "rows to settle")
    (attempt,) = ledger.attempts_of(allowed.request_id)
    assert attempt["charge_usd_pico"] is None and attempt["reserved_usd_pico"] is None
    (rejection,) = json.loads(ledger.request(refused.request_id)["plan"])["rejections"]
    assert (rejection["by"], rejection["rule"]) == ("budget", "unpriced")


@pytest.mark.parametrize("asked", [{"max_tokens": 10**12}, {"max_tokens": 10**12 + 1}, {"max_tokens": 2**63 - 1}, {"max_tokens": 2**62, "n": 4},
                                   {"max_tokens": 4, "n": 2**62}, {"max_completion_tokens": 2**63 - 1, "n": 2**63 - 1}], ids=str)
def test_no_number_of_tokens_is_too_large_to_be_held(start, simulator, asked):
    def change(config):
        add_priced(config)
        config["keys"][0]["budget"] = {"usd": "1", "per": "day"}
        config["keys"][1].update(routes=["vllm"], credit=True)

    daemon = start(change)
    assert top_up(daemon, key="other", usd="5").status == 200
    assert "this request may cost up to 4000000.0" in expect_refused(post_chat(daemon, chat(HELLO, "vllm", **asked)))
    expect_refused(post_chat(daemon, chat(HELLO, "vllm", **asked), key=OTHER_KEY))
    assert simulator.bill() == []
    assert all(usd(one, "held") == usd(one, "charged") == 0 for one in daemon.budgets().values())


def test_what_nobody_counts_may_ask_for_any_number(start):
    """Its row holds as much of the worst cost as fits."""
    def change(config):
        add_priced(config)
        config["models"]["vllm/priced"] = {"prices": [{**PRICE, "output": "100"}]}

    daemon = start(change)
    answer = post_chat(daemon, chat(HELLO, "vllm", max_tokens=2**63 - 1))
    assert answer.status == 200, answer.body
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "rows to settle")
    assert ledger.attempts_of(answer.request_id)[0]["reserved_usd_pico"] == 2**63 - 1


@pytest.mark.parametrize("told, fields", [(usage(20, 1000), {"service_tier": "priority"}), (usage(20, 1000, reasoning=900), {})],
                         ids=["priority", "thinking"])
def test_an_answer_at_a_dearer_price_than_was_asked_for_was_held_M18(tmp_path, told, fields):
    def change(config):
        config["models"]["one/m"] = {"prices": [{**PRICE, "service_tiers": {"priority": "2"}, "thinking": {"output": "8"}}]}
        config["keys"][0]["budget"] = {"usd": "1", "per": "day"}

    stage = Stage(tmp_path, {"one": "generic"}, change)
    try:
        stage.providers["one"].will(whole(completion(told=told, **fields), told=(20, 0, 1000)))
        answer = post_chat(stage.daemon, chat("hello", "one", max_tokens=1000))
        assert answer.status == 200
        ledger = wait_until(lambda: (rows := stage.daemon.ledger()).all_settled() and rows, "rows to settle")
        (attempt,) = ledger.attempts_of(answer.request_id)
        assert 8 * 1000 * 10**6 <= attempt["charge_usd_pico"] <= attempt["reserved_usd_pico"]
    finally:
        stage.providers["one"].stop()
        stage.daemon.stop()
        stage.simulator.stop()


def test_a_cap_of_0_is_held_as_none_is(tmp_path):
    """Servers differ in what they make of it."""
    stage = Stage(tmp_path, {"one": "generic"}, lambda config: config["keys"][0].update(budget={"usd": "1", "per": "day"}))
    try:
        stage.providers["one"].will(stream(ROLE, said("lorem ipsum " * 200), end="fin"))
        answer = post_chat(stage.daemon, chat("hello", "one", stream=True, max_tokens=0))
        _, (attempt,) = stage.rows(answer)
        assert attempt["reserved_usd_pico"] >= 4096 * 4 * 10**6
        assert 300 < attempt["output_tokens"] and attempt["charge_usd_pico"] <= attempt["reserved_usd_pico"]
    finally:
        stage.close()


def test_a_price_that_ends_before_a_retry_leaves_nothing_that_a_budget_could_count_M06(tmp_path):
    def change(config):
        config["limits"] = {"attempts_max": 2}
        config["keys"][0]["budget"] = {"usd": "1", "per": "day"}

    stage = Stage(tmp_path, {"one": "generic"}, change)
    try:
        config = stage.daemon.changed_config()
        until = datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(seconds=3)
        config["models"]["one/m"]["prices"][0]["until"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert stage.daemon.admin_reload(config)["result"] == "taken"
        down = refusal(503)

        def late(peer):
            peer.watch(max(0, (until - datetime.datetime.now(datetime.UTC)).total_seconds()) + 0.1)
            peer.send(down.head() + down.framed())

        stage.providers["one"].will(Scripted(raw=b"", status=503, then=late))
        answer = post_chat(stage.daemon, chat("hello", "one"))
        assert answer.status == 502 and answer.fields["x-fairlead-attempts"] == "1", answer
        _, (attempt,) = stage.rows(answer)
        assert attempt["reserved_usd_pico"] > 0
        assert post_chat(stage.daemon, chat("hello", "one")).status == 403
    finally:
        stage.close()


def test_parallel_requests_on_all_workers_never_overrun_a_budget_M18_M20(start, simulator):
    body = chat("[[sim bytes=200 delay_ms=20]] hello", "vllm", max_completion_tokens=50)
    limit = worst(body) * 10

    def change(config):
        add_priced(config)
        config["log"]["requests"] = "none"
        for i in range(ROUNDS):
            config["keys"].append({"name": f"round-{i}", "hash": sha256(f"sk-fl-round-{i}"), "routes": ["vllm"],
                                   "budget": {"usd": f"{limit:f}", "per": "all"}})

    daemon = start(change)

    async def together(key):
        connections = [Connection(daemon.address) for _ in range(AT_ONCE)]
        request = request_bytes("POST", "/v1/chat/completions", key, body)
        answers = await asyncio.gather(*(connection.exchange(request) for connection in connections))
        for connection in connections:
            connection.close()
        return answers

    seen, done = [], threading.Event()

    def poll():
        while not done.is_set():
            seen.extend(daemon.budgets().values())

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        rounds = [asyncio.run(together(f"sk-fl-round-{i}")) for i in range(ROUNDS)]
    finally:
        done.set()
        thread.join()
    served = 0
    for answers in rounds:
        well = [answer for answer in answers if answer.status == 200]
        for answer in answers:
            if answer not in well:
                expect_wait(answer) if answer.json()["error"]["code"] == "budget_held" else expect_refused(answer)
        assert any(b"budget_held" in answer.body for answer in answers)
        assert len(well) >= 10
        served += len(well)
    wait_until(lambda: len(simulator.bill()) == served, "the bill of what was served, and of nothing else")
    assert seen and all(usd(one, "charged") + usd(one, "held") <= usd(one, "limit") for one in seen)  # I3
    assert any(usd(one, "held") > 0 for one in seen)
    for budget in daemon.budgets().values():
        assert usd(budget, "held") == 0 and usd(budget, "charged") <= limit


def test_no_ending_leaves_a_hold_and_charges_are_the_ledgers_M10_to_M14_M19(start, simulator):
    """A storm of every ending, with a reload in the middle and a kill -9 at the end."""
    def change(config):
        config["log"]["requests"] = "none"
        config["teams"] = {"payments": {"markup": "0.15", "budget": {"usd": "1000", "per": "month"}}}
        config["budget"] = {"usd": "1000", "per": "all"}
        config["keys"][0]["budget"] = {"usd": "1000", "per": "day", "time_zone": "America/New_York"}
        config["routes"]["chat"]["budget"] = {"usd": "1000", "per": "week"}
        config["providers"]["deepseek"]["budget"] = {"usd": "1000", "per": "month"}

    parts = {
        "installation in all": lambda request, attempt: True,
        "team payments per month": lambda request, attempt: request["team"] == "payments",
        "key app per day, America/New_York": lambda request, attempt: request["key"] == "app",
        "route chat per week": lambda request, attempt: request["route"] == "chat",
        "provider deepseek per month": lambda request, attempt: attempt["provider"] == "deepseek",
        "provider qwen per day": lambda request, attempt: attempt["provider"] == "qwen",
    }

    def expect_sums(daemon):
        wait_until(lambda: all(usd(one, "held") == 0 for one in daemon.budgets().values()), "holds to end")
        ledger = wait_until(lambda: (rows := daemon.ledger()) and all(a["state"] != "open" for a in rows.attempts) and rows, "rows to end")
        assert charged(ledger) > 0
        return expect_budgets(daemon, ledger, parts)

    daemon = start(change)
    asyncio.run(storm(daemon, REQUESTS, seed=20261126))
    assert len(expect_sums(daemon)) == 5
    # A budget that comes with a reload begins with what the ledger has.
    config = daemon.changed_config()
    config["providers"]["qwen"]["budget"] = {"usd": "1000", "per": "day"}
    config["budget"]["usd"] = "2000"
    assert daemon.admin_reload(config)["result"] == "taken"
    seen = expect_sums(daemon)
    assert len(seen) == 6 and usd(seen["installation in all"], "limit") == 2000
    asyncio.run(storm(daemon, REQUESTS // 4, seed=20261127))
    expect_sums(daemon)

    async def leave_open():
        connection = Connection(daemon.address)
        body = chat("[[sim delay_ms=60000]] slow", "deepseek", max_completion_tokens=1000)
        task = asyncio.ensure_future(connection.exchange(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, body)))
        while not any(usd(one, "held") for one in daemon.budgets().values()):
            await asyncio.sleep(0)
        daemon.process.kill()
        await task

    asyncio.run(leave_open())
    daemon.process.wait()
    again = Fairlead(daemon.folder, config)
    try:
        assert any(attempt["state"] == "interrupted" for attempt in again.ledger().attempts)
        after = expect_sums(again)
        assert usd(after["installation in all"], "charged") > usd(seen["installation in all"], "charged")
    finally:
        again.stop()


def test_a_budget_that_comes_with_a_reload_counts_what_the_database_has_not_yet(start, simulator):
    """Settled and not fed, as the database is locked; under way at the reload; and between two reloads that leave it out."""
    daemon = start(add_priced)
    body = chat(HELLO, "vllm", max_completion_tokens=50)
    config = daemon.changed_config()
    config["keys"][0]["budget"] = {"usd": "1", "per": "month"}
    config["providers"]["vllm"]["budget"] = {"usd": "1", "per": "all"}

    async def slow_over(act):
        """A request that begins before, and ends after."""
        slow = chat("[[sim bytes=200 delay_ms=1500]] hello", "vllm", max_completion_tokens=50)
        task = asyncio.ensure_future(Connection(daemon.address).exchange(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, slow)))
        while b"delay_ms=1500" not in await asyncio.to_thread(lambda: urllib.request.urlopen(f"{simulator.url}/_sim/last?n=1", timeout=60).read()):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(act)
        assert (await task).status == 200

    def lock_and_reload():
        assert all(post_chat(daemon, body).status == 200 for _ in range(5))
        assert daemon.admin_reload(config)["result"] == "taken"
        assert all(post_chat(daemon, body).status == 200 for _ in range(3))

    assert post_chat(daemon, body).status == 200
    daemon.ledger()
    with contextlib.closing(sqlite3.connect(daemon.ledger_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asyncio.run(slow_over(lock_and_reload))
        other.execute("ROLLBACK")
    everything = {"key app per month": lambda *_: True, "provider vllm in all": lambda *_: True}

    def expect_sums(requests):
        ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "rows to settle")
        assert len(ledger.requests) == requests and charged(ledger) > 0
        wait_until(lambda: usd(daemon.budgets()["provider vllm in all"], "charged") == charged(ledger), "budgets to be told of the last save")
        assert set(expect_budgets(daemon, ledger, everything)) == set(everything)

    expect_sums(10)
    assert daemon.admin_reload(daemon.config)["result"] == "taken"
    assert post_chat(daemon, body).status == 200
    asyncio.run(slow_over(lambda: daemon.admin_reload(config)))
    assert post_chat(daemon, body).status == 200
    expect_sums(13)


def test_who_always_leaves_before_the_end_pays_until_the_budget_is_spent_M10(start):
    body = chat("[[sim bytes=400 chunks=40 chunk_ms=2]] hello", "vllm", stream=True, max_completion_tokens=100)
    limit = worst(body) * 3

    def change(config):
        add_priced(config)
        config["providers"]["vllm"]["bills_after_close"] = "delivered"
        config["keys"][0]["budget"] = {"usd": f"{limit:f}", "per": "all"}

    daemon = start(change)
    left = 0
    while (answer := post_chat(daemon, body, leave_after=1)).status == 200 or b"budget_held" in answer.body:
        left += answer.status == 200  # what the one before held may not be free yet
        assert left < 200, "nothing is charged to who leaves"
    expect_refused(answer)
    (budget,) = daemon.budgets().values()
    assert left >= 3 and 0 < usd(budget, "charged") <= limit


@pytest.mark.parametrize("content", [False, True])
@pytest.mark.parametrize("end", ["fin", "rst", "error"])
def test_a_stream_that_breaks_is_charged_for_what_came_and_holds_nothing_M12(tmp_path, end, content):
    """Before any content nothing is taken for delivered but the input; after some, that and what came."""
    stage = Stage(tmp_path, {"one": "generic"}, lambda config: config["keys"][0].update(budget={"usd": "1", "per": "day"}))
    try:
        events = [ROLE, *([said("lorem ipsum " * 20)] if content else [])]
        if end == "error":
            events.append(event({"error": {"message": "overloaded"}}))
        stage.providers["one"].will(stream(*events, **({} if end == "error" else {"end": end})))
        answer = post_chat(stage.daemon, chat("hello", "one", stream=True))
        request, (attempt,) = stage.rows(answer)
        assert request["error"] and attempt["usage_source"] == "estimated"
        assert attempt["input_tokens"] > 0 and (attempt["output_tokens"] > 0) == content
        assert attempt["charge_usd_pico"] == attempt["input_tokens"] * 10**6 + attempt["output_tokens"] * 4 * 10**6  # 1 and 4 USD per million
        budget = stage.daemon.budgets()["key app per day"]
        assert usd(budget, "held") == 0 and usd(budget, "charged") == Decimal(attempt["charge_usd_pico"]) / PICO
    finally:
        stage.close()


def test_shares_are_told_once_to_the_log_and_the_webhook_which_is_tried_again(start, simulator):
    heard, tries = [], []

    class Ear(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            tries.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"]))
            if len(tries) > 1:
                heard.append(json.loads(body))
            self.send_response(500 if len(tries) == 1 else 204)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args):
            pass

    ear = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=ear.serve_forever, daemon=True).start()
    body = chat(HELLO, "vllm", max_completion_tokens=50)

    def change(config):
        add_priced(config)
        config["keys"][0]["budget"] = {"usd": f"{worst(body) * 3:f}", "per": "day", "notify_at": [0.1, 0.95]}

    try:
        daemon = start(change)
        daemon.admin_reload({**daemon.config, "notify": {"webhook": f"http://127.0.0.1:{ear.server_port}/hooks/money"}})
        while post_chat(daemon, body).status == 200 and len(daemon.events("budget_share_reached")) < 2 and not heard:
            pass
        wait_until(lambda: heard, "the webhook to be told")
        assert tries[:2] == ["/hooks/money"] * 2
        assert (heard[0]["event"], heard[0]["budget"], heard[0]["share"]) == ("budget_share_reached", "key app per day", "0.1")
        assert Decimal(heard[0]["charged_usd"]) >= Decimal(heard[0]["limit_usd"]) / 10
        told = [event["share"] for event in daemon.events("budget_share_reached")]
        assert len(told) == len(set(told))
        assert daemon.gauge("fairlead_webhook_failed_tries") == 1 and daemon.gauge("fairlead_budget_notices") == len(told)
        metrics = daemon.admin_get("/metrics")[1]
        assert 'fairlead_budget_limit_usd{name="app",of="key",per="day",time_zone="UTC"}' in metrics
    finally:
        ear.shutdown()
        ear.server_close()


def test_a_message_that_is_being_tried_when_the_daemon_stops_is_counted(start):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # it takes connections, and answers none
        deaf.settimeout(PATIENCE)

        def change(config):
            add_priced(config)
            config["keys"][0]["budget"] = {"usd": "100", "per": "day", "notify_at": ["0.0000001"]}
            config["notify"] = {"webhook": f"http://127.0.0.1:{deaf.getsockname()[1]}/"}

        daemon = start(change)
        assert post_chat(daemon, chat(HELLO, "vllm")).status == 200
        connection, _ = deaf.accept()
        with connection:
            daemon.stop()
    assert [event["messages"] for event in daemon.events("webhook_dropped")] == [1]


def test_credit_is_topped_up_from_the_command_line(start):
    def change(config):
        add_priced(config)
        config["keys"][0]["credit"] = True
        config["teams"] = {"treasury": {"credit": True}}

    daemon = start(change)

    def credit(*options):
        return run("credit", *options, "--admin", daemon.admin)

    assert credit("list").stdout == "Nothing was put in.\n"
    done = credit("add", "--key", "app", "--usd", "25.00", "--note", "invoice 7")
    assert (done.returncode, done.stdout) == (0, "key app credit: 25 USD put in, 25 USD left\n")
    done = credit("add", "--team", "treasury", "--usd", "1.5")
    assert (done.returncode, done.stdout) == (0, "team treasury credit: 1.5 USD put in, 1.5 USD left\n")
    assert credit("add", "--key", "app", "--usd=-5").stdout == "key app credit: 20 USD put in, 20 USD left\n"
    assert usd(daemon.budgets()["key app credit"], "limit") == 20
    listed = json.loads(credit("list", "--json").stdout)
    assert [(one.get("key"), one.get("team"), one["usd"], one["note"]) for one in listed] == [
        ("app", None, "25", "invoice 7"), (None, "treasury", "1.5", ""), ("app", None, "-5", "")]
    assert "invoice 7" in credit("list").stdout
    for wrong, code, why in ((["--key", "other", "--usd", "5"], 1, "there is no key 'other' with `credit: true`"),
                             (["--key", "app", "--usd", "lots"], 2, "'lots' is no amount such as 25.00"),
                             (["--key", "app", "--team", "treasury", "--usd", "5"], 2, ""), (["--usd", "5"], 2, "")):
        done = credit("add", *wrong)
        assert done.returncode == code and why in done.stderr and done.stdout == "", done
    assert len(json.loads(credit("list", "--json").stdout)) == 3


def test_credit_pays_until_it_is_spent_and_survives_a_restart(tmp_path, simulator):
    config = config_for(simulator.url)
    add_priced(config)
    config["keys"][0]["credit"] = True
    config["keys"][1]["routes"].append("vllm")
    body = chat(HELLO, "vllm", max_completion_tokens=50)
    daemon = Fairlead(tmp_path, config)
    message = expect_refused(post_chat(daemon, body))
    assert "the credit of key app has 0 USD left" in message and "topped up" in message
    assert top_up(daemon, key="app", usd=f"{worst(body) * 2:f}", note="invoice 7").status == 200
    for wrong, status in (({"key": "app", "usd": 5}, 400), ({"key": "other", "usd": "5"}, 404), ({"team": "app", "usd": "5"}, 404),
                          ({"key": "app"}, 400), ({"key": "app", "usd": "1", "more": 1}, 400), ({"key": "app", "usd": "1e3"}, 400)):
        assert top_up(daemon, **wrong).status == status, wrong
    served = 0
    while (answer := post_chat(daemon, body)).status == 200:
        served += 1
        assert served < 100
    assert "the credit of key app" in expect_refused(answer) and served >= 2
    before = daemon.budgets()
    daemon.stop()
    again = Fairlead(tmp_path, config)
    assert again.budgets() == before and usd(before["key app credit"], "charged") > 0
    assert json.loads(top_up(again, key="app", usd="1").body)["budgets"][0]["limit_usd"] == plain(worst(body) * 2 + 1)
    assert post_chat(again, body).status == 200
    assert post_chat(again, body, key=OTHER_KEY).status == 200, "who does not pay in advance is not asked for credit"
    status, text = again.admin_get("/admin/v1/credit")
    assert status == 200 and [credit["note"] for credit in json.loads(text)["credits"]] == ["invoice 7", ""]
    again.stop()
