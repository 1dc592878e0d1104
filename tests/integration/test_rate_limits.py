"""Limits of keys and routes: what is admitted, what is refused and until when, and that nothing of it is ever left behind."""
import asyncio
import collections
import json
import os
import random
import re

import pytest

from harness.daemon import Fairlead, sha256
from harness.http import Connection, chat, post_chat, request_bytes
from harness.process import wait_until
from harness.stage import Stage
from harness.upstream import ROLE, Provider, Scripted, completion, good_stream, refusal, said, stream, usage, whole

STORM = int(os.environ.get("FAIRLEAD_LIMIT_REQUESTS", "500"))
KEYS = {name: f"sk-fl-{name}" for name in ("busy", "tokens", "narrow", "single", "small", "daily")}


def limits_of(daemon):
    """(by, name, limit) -> (max, used, refused)"""
    status, text = daemon.admin_get("/admin/v1/limits")
    assert status == 200
    return {(row["by"], row["name"], row["limit"]): (row["max"], row["used"], row["refused"]) for row in json.loads(text)["limits"]}


def metric(daemon, gauge, /, **labels):
    for line in daemon.admin_get("/metrics")[1].splitlines():
        if line.startswith(gauge + "{") and all(f'{label}="{value}"' in line for label, value in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(f"no metric {gauge} {labels}")


def seconds(text):
    """What an x-ratelimit-reset-* header says."""
    assert re.fullmatch(r"(\d+h)?(\d+m)?(\d+(\.\d{1,3})?s|\d+ms)", text), text
    if text.endswith("ms"):
        return int(text[:-2]) / 1000
    return sum(float(number) * {"h": 3600, "m": 60, "s": 1}[unit] for number, unit in re.findall(r"([\d.]+)([hms])", text))


def expect_refused(answer, whose, limit):
    error = answer.json()["error"]
    assert answer.status == 429 and answer.complete, answer
    assert error["type"] == "rate_limit_error" and error["code"] == "rate_limit_exceeded"
    assert error["message"].startswith(f"Rate limit reached for {whose}: {limit}"), error
    return error


def post_all(daemon, bodies, key, at_once):
    """Their answers, in no order."""
    async def worker(left, answers):
        connection = Connection(daemon.address)
        while left:
            body, leave_after = left.pop()
            request = request_bytes("POST", "/v1/chat/completions", key, body)
            answers.append(await connection.exchange(request, leave_after))
            if leave_after is not None:
                connection.close()
        connection.close()

    async def run():
        left, answers = list(bodies), []
        await asyncio.gather(*(worker(left, answers) for _ in range(at_once)))
        return answers

    return asyncio.run(run())


@pytest.fixture
def stage(tmp_path):
    def change(config):
        routes = ["one", "quick"]
        limits = {
            "busy": {"requests_per_minute": 10, "requests_per_day": 1000},
            "tokens": {"tokens_per_minute": 1000},
            "narrow": {"requests_per_day": 100},
            "single": {"parallel": 1},
            "small": {"tokens_per_day": 20},
            "daily": {"requests_per_day": 5, "tokens_per_day": 1000},
        }
        config["routes"]["quick"] = {"targets": ["one/m"], "limits": {"requests_per_minute": 3}}
        config["keys"] += [{"name": name, "hash": sha256(key), "routes": routes, "limits": limits[name]} for name, key in KEYS.items()]

    made = Stage(tmp_path, {"one": "generic"}, change)
    yield made
    made.close()


def test_of_many_at_once_exactly_the_limit_is_admitted_and_all_have_a_row(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.always(good_stream(told=(5, 0, 2)))
    answers = post_all(daemon, [(chat("hello", "one", stream=True), None)] * 40, KEYS["busy"], at_once=20)
    assert collections.Counter(answer.status for answer in answers) == {200: 10, 429: 30}
    assert len(provider.requests) == 10
    for answer in answers:
        fields = answer.fields
        assert fields["x-ratelimit-limit-requests"] == "10"
        assert "x-ratelimit-limit-tokens" not in fields
        assert 0 < seconds(fields["x-ratelimit-reset-requests"]) <= 60
        if answer.status == 429:
            expect_refused(answer, "key 'busy'", "10 requests per minute")
            assert fields["x-ratelimit-remaining-requests"] == "0" and "x-should-retry" not in fields
            assert 50 <= int(fields["retry-after"]) <= 60
        else:
            assert "retry-after" not in fields
    assert {answer.fields["x-ratelimit-remaining-requests"] for answer in answers if answer.status == 200} == {str(n) for n in range(10)}
    assert limits_of(daemon)["key", "busy", "requests_per_day"] == (1000, 10, 0)
    assert limits_of(daemon)["key", "busy", "requests_per_minute"] == (10, 10, 30)
    assert metric(daemon, "fairlead_limit_refused", name="busy", limit="requests_per_minute") == 30
    ledger = stage.settled()
    refused = [row for row in ledger.requests if row["http_status"] == 429]
    assert len(refused) == 30 and len(ledger.requests) == 40
    for row in refused:
        assert (row["error"], row["attempts"], row["ended_by"], row["phase"], row["usd_pico"]) == ("rate_limited", 0, "fairlead", "plan", 0)


def test_streams_count_by_their_tokens_M23(stage):
    """A limit of 1,000 tokens a minute, streams of 400: the third is refused, and told to come back within 60 s."""
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good_stream(told=(100, 50, 300)), good_stream(told=(100, 0, 300)))
    body = chat("hello", "one", stream=True)
    for _ in range(2):
        answer = post_chat(daemon, body, KEYS["tokens"])
        assert answer.status == 200 and answer.fields["x-ratelimit-limit-tokens"] == "1000"
    refused = post_chat(daemon, body, KEYS["tokens"])
    expect_refused(refused, "key 'tokens'", "1000 tokens per minute")
    assert refused.fields["x-ratelimit-remaining-tokens"] == "200"
    wait = int(refused.fields["retry-after"])
    assert 50 <= wait <= 60 and seconds(refused.fields["x-ratelimit-reset-tokens"]) <= 60
    assert limits_of(daemon)["key", "tokens", "tokens_per_minute"] == (1000, 800, 1)
    # A smaller one still fits: what it may take is the app's to say.
    provider.will(good_stream(told=(10, 0, 50)))
    assert post_chat(daemon, chat("hello", "one", stream=True, max_tokens=100), KEYS["tokens"]).status == 200
    assert limits_of(daemon)["key", "tokens", "tokens_per_minute"] == (1000, 860, 1)
    # What counts is kept over a reload, and other limits hold at once.
    config = daemon.changed_config()
    next(key for key in config["keys"] if key["name"] == "tokens")["limits"] = {"tokens_per_minute": 5000}
    daemon.reload(config)
    provider.will(good_stream(told=(100, 0, 300)))
    answer = post_chat(daemon, body, KEYS["tokens"])
    assert answer.status == 200 and answer.fields["x-ratelimit-limit-tokens"] == "5000"
    assert limits_of(daemon)["key", "tokens", "tokens_per_minute"] == (5000, 1260, 1)


def test_what_one_limit_refuses_consumes_none_of_another_M22(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.always(whole(completion(told=usage(5, 2)), (5, 0, 2)))
    answers = post_all(daemon, [(chat("hello", "quick"), None)] * 50, KEYS["narrow"], at_once=10)
    assert collections.Counter(answer.status for answer in answers) == {200: 3, 429: 47}
    expect_refused(next(a for a in answers if a.status == 429), "route 'quick'", "3 requests per minute")
    now = limits_of(daemon)
    assert now["key", "narrow", "requests_per_day"] == (100, 3, 0)
    assert now["route", "quick", "requests_per_minute"] == (3, 3, 47)
    limited = [event for event in daemon.events("request") if event.get("error") == "rate_limited"]
    assert len(limited) == 47 and all("Rate limit reached for route 'quick': 3 requests per minute" in event["detail"] for event in limited)
    # Nor does what is refused before it, or has no attempt.
    assert post_chat(daemon, chat("hello", "nowhere"), KEYS["narrow"]).status == 404
    assert post_chat(daemon, b"{", KEYS["narrow"]).status == 400
    assert daemon.wait_for("request", error="bad_request")["detail"]
    assert limits_of(daemon)["key", "narrow", "requests_per_day"] == (100, 3, 0)


def test_what_never_fits_is_told_not_to_try_again(stage):
    answer = post_chat(stage.daemon, chat("hello " * 200, "one"), KEYS["small"])
    expect_refused(answer, "key 'small'", "20 tokens per day. This request alone asks for more.")
    assert answer.fields["x-should-retry"] == "false" and "retry-after" not in answer.fields


@pytest.mark.parametrize("asked", [{"max_tokens": 2**63 - 1}, {"max_tokens": 2**62, "n": 4}, {"max_tokens": 10**12}], ids=str)
def test_no_number_of_tokens_is_so_large_that_it_voids_a_limit(stage, asked):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good_stream(told=(100, 0, 700)))
    body = chat("hello", "one", stream=True)
    for answer in (post_chat(daemon, {**body, **asked}, KEYS["tokens"]) for _ in range(2)):
        assert expect_refused(answer, "key 'tokens'", "1000 tokens per minute")["message"].endswith("This request alone asks for more.")
        assert answer.fields["x-should-retry"] == "false" and answer.fields["x-ratelimit-remaining-tokens"] == "1000"
    assert limits_of(daemon)["key", "tokens", "tokens_per_minute"] == (1000, 0, 2)
    assert post_chat(daemon, body, KEYS["tokens"]).status == 200
    assert limits_of(daemon)["key", "tokens", "tokens_per_minute"] == (1000, 800, 2)
    assert post_chat(daemon, body, KEYS["tokens"]).status == 429


def test_the_next_request_finds_the_place_free_as_soon_as_an_answer_has_ended(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.always(good_stream(told=(5, 0, 2)))
    for _ in range(50):
        assert post_chat(daemon, chat("hello", "one", stream=True), KEYS["single"]).status == 200
    (used,) = [used for (_, name, _), (_, used, _) in limits_of(daemon).items() if name == "single"]
    assert used == 0 and metric(daemon, "fairlead_limit_used", name="single", limit="parallel") == 0


def test_a_place_is_free_again_however_a_request_ends_M21(start):
    """Timeouts, aborts, resets, refusals and good ends; then nothing is held, and as many as may are admitted at once."""
    hold = stream(ROLE, said("x" * 3000), then=lambda peer: peer.watch(30), end="fin")
    endings = {
        "slow": Scripted(raw=b"", then=lambda peer: peer.watch(30)),
        "left": hold,
        "reset": Scripted(raw=b"", end="rst"),
        "cut": stream(ROLE, said("hel"), end="rst"),
        "wrong": refusal(400),
        "down": refusal(503),
        "good": good_stream(told=(5, 0, 2)),
    }
    providers = {name: Provider() for name in endings}
    for name, provider in providers.items():
        provider.always(endings[name])

    def change(config):
        config["limits"] = {"attempts_max": 1}
        config["models"] = {}
        for name, provider in providers.items():
            Stage.add(config, name, "generic", provider.url + "/v1", "m")
        config["providers"]["slow"]["timeouts"] = {"first_byte": "100ms"}
        config["keys"].append({"name": "crowd", "hash": sha256("sk-fl-crowd"), "routes": list(providers), "limits": {"parallel": 16}})

    daemon = start(change)
    try:
        dice = random.Random(5)
        bodies = [(chat("hello", name, stream=True), 100 if name == "left" else None)
                  for name in (dice.choice(list(endings)) for _ in range(STORM))]
        answers = post_all(daemon, bodies, "sk-fl-crowd", at_once=8)  # a place that was left is free a moment later
        statuses = collections.Counter(answer.status for answer in answers)
        assert statuses[429] < STORM / 4
        assert statuses[200] > 0 and statuses[504] > 0 and statuses[502] > 0 and statuses[400] > 0, statuses
        held = lambda: metric(daemon, "fairlead_limit_used", name="crowd", limit="parallel")  # noqa: E731
        wait_until(lambda: held() == 0, "every place to be free")
        again = post_all(daemon, [(chat("hello", "good", stream=True), None)] * 200, "sk-fl-crowd", at_once=16)
        assert collections.Counter(answer.status for answer in again) == {200: 200}
        assert held() == 0
        ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "the rows")
        assert len(ledger.requests) == STORM + 200
        assert sum(row["error"] == "rate_limited" for row in ledger.requests) == statuses[429]
    finally:
        for provider in providers.values():
            provider.stop()


def test_what_counts_for_a_day_outlives_the_process(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.always(good_stream(told=(5, 0, 2)))
    body = chat("hello", "one", stream=True, max_tokens=10)
    for _ in range(3):
        assert post_chat(daemon, body, KEYS["daily"]).status == 200
    daemon.kill()
    stage.daemon = daemon = Fairlead(daemon.folder, daemon.config)
    assert limits_of(daemon)["key", "daily", "requests_per_day"] == (5, 3, 0)
    assert limits_of(daemon)["key", "daily", "tokens_per_day"] == (1000, 21, 0)
    for status in (200, 200, 429):
        answer = post_chat(daemon, body, KEYS["daily"])
        assert answer.status == status, answer
    expect_refused(answer, "key 'daily'", "5 requests per day")
    assert 86_000 < int(answer.fields["retry-after"]) <= 86_400
