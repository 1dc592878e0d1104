"""Reloads at full load: no request is lost, and each runs wholly under one snapshot, from its plan to the price of its last attempt.

FAIRLEAD_RELOADS tells how many reloads; ./dev test sets fewer for slow builds."""
import asyncio
import json
import os
import random
import signal
import threading

from harness.daemon import TARGETS
from harness.http import Connection, chat, request_bytes
from harness.process import wait_until

RELOADS = int(os.environ.get("FAIRLEAD_RELOADS", "1000"))
APPS = 24
DEEPSEEK, QWEN, OPENAI = TARGETS.values()

# What each version of the file says of the route `chat`: its targets in order, and what each charges for input.
VERSIONS = [{DEEPSEEK: "1", QWEN: "2"}, {OPENAI: "3"}, {QWEN: "4", OPENAI: "5", DEEPSEEK: "6"}, {DEEPSEEK: "7"}]

KINDS = [("hello", {}), ("hello", {"stream": True}), ("[[sim chunks=30 chunk_ms=10]] a story", {"stream": True}),
         ("[[sim delay_ms=40]] wait", {}), ("[[sim times=1 status=502]] stumble", {"stream": True})]


def version(config, prices):
    config = json.loads(json.dumps(config))
    config["routes"]["chat"] = {"targets": list(prices), "strategy": "ordered"}
    config["routes"]["all"] = {"targets": list(TARGETS.values())}  # so that contracts of all have a target
    config["contracts"] = {target: {"prices": [{"from": "2020-01-01", "input": rate, "output": "1"}]} for target, rate in prices.items()}
    config["log"] = {"requests": "none"}
    return config


async def ask(daemon, stop, seed, answers):
    chance, connection = random.Random(seed), Connection(daemon.address)
    while not stop.is_set():
        content, fields = chance.choice(KINDS)
        request = request_bytes("POST", "/v1/chat/completions", daemon.key, chat(content, **fields))
        answers.append(await asyncio.wait_for(connection.exchange(request), 120))
    connection.close()


def under_load(daemon, work):
    """Runs `work` while apps ask one after the other; gives their answers."""
    stop, answers = threading.Event(), []

    async def all_apps():
        await asyncio.gather(*(ask(daemon, stop, seed, answers) for seed in range(APPS)))

    load = threading.Thread(target=lambda: asyncio.run(all_apps()))
    load.start()
    try:
        wait_until(lambda: len(answers) > APPS, "the load to begin")
        work()
    finally:
        stop.set()
        load.join()
    return answers


def expect_of_one_version(request, attempts, prices):
    plan = json.loads(request["plan"])
    assert [(c["target"], c["rates"]["input"]) for c in plan["candidates"]] == list(prices.items()), request
    for attempt in attempts:
        assert attempt["target"] in prices, attempt
        if attempt["usage_source"] != "none":
            assert json.loads(attempt["price"])["input"] == prices[attempt["target"]], attempt


def test_no_request_is_lost_and_each_runs_under_one_snapshot_M62(daemon):
    files = [version(daemon.config, prices) for prices in VERSIONS]
    prices_of = {daemon.admin_reload(file)["snapshot"]: prices for file, prices in zip(files, VERSIONS)}
    assert len(prices_of) == len(VERSIONS)
    before = len(daemon.events("reloaded"))

    def reload_many():
        for number in range(RELOADS):
            daemon.put_config(files[number % len(files)])
            if number % 10 == 9:
                daemon.signal(signal.SIGHUP)
                daemon.wait_for("reloaded", count=before + number + 1)
            else:
                assert daemon.admin_post("/admin/v1/reload")[0] == 200

    answers = under_load(daemon, reload_many)
    for answer in answers:
        assert answer.status == 200 and answer.complete, answer
        assert not answer.fields["content-type"].startswith("text/event-stream") or answer.events()[-1] == "[DONE]"
    assert f'fairlead_config_reloads_total{{result="ok"}} {1 + len(VERSIONS) + RELOADS}' in daemon.admin_get("/metrics")[1]

    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "open rows to settle")
    assert {request["id"] for request in ledger.requests} == {answer.request_id for answer in answers}
    by_request = {}
    for attempt in ledger.attempts:
        by_request.setdefault(attempt["request_id"], []).append(attempt)
    target_of = {answer.request_id: answer.fields["x-fairlead-target"] for answer in answers}
    for request in ledger.requests:
        expect_of_one_version(request, by_request[request["id"]], prices_of[request["snapshot_hash"]])
        assert target_of[request["id"]] in prices_of[request["snapshot_hash"]]
    assert {request["snapshot_hash"] for request in ledger.requests} == set(prices_of), "each version served some"
    assert any(len(attempts) > 1 for attempts in by_request.values()), "some were tried twice"
