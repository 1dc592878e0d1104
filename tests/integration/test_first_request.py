"""The main job: an app asks, a provider answers, and the ledger knows what it cost."""
import datetime
import json
import os
import pathlib
import socket
import subprocess
from decimal import Decimal

import pytest

from harness import books
from harness.daemon import OTHER_KEY, PROMPT_CANARY, TARGETS
from harness.http import chat, post_chat, request_bytes, send, text_of
from harness.process import BINARY, run, wait_until

HELLO = f"Say hello, {PROMPT_CANARY}"


def bill_of(simulator, count):
    """The bill, once it has as many lines."""
    return wait_until(lambda: len(lines := simulator.bill()) >= count and lines, f"{count} lines of the bill")


def test_a_buffered_answer_comes_with_its_target_and_cost(daemon, simulator, settled):
    answer = post_chat(daemon, chat(HELLO))
    assert answer.status == 200 and answer.complete and text_of(answer)
    (line,) = bill_of(simulator, 1)
    ledger = settled()
    books.expect_balance(ledger, [line])
    (attempt,) = ledger.attempts
    assert answer.fields["x-fairlead-target"] == attempt["target"] == ledger.request(answer.request_id)["target"]
    assert answer.fields["x-fairlead-attempts"] == "1"
    assert Decimal(answer.fields["x-fairlead-cost-usd"]) == Decimal(line["cost"]) > 0


def test_the_cheapest_target_is_taken_and_the_plan_is_kept(daemon, settled):
    answer = post_chat(daemon, chat(HELLO))
    settled()
    plan = json.loads(run("explain", answer.request_id, "--format", "json", "--ledger", f"sqlite:{daemon.ledger_file}").stdout)["plan"]
    costs = [Decimal(candidate["expected_usd"]) for candidate in plan["candidates"]]
    assert {candidate["target"] for candidate in plan["candidates"]} == set(TARGETS.values())
    assert costs == sorted(costs) and costs[0] > 0
    assert answer.fields["x-fairlead-target"] == plan["candidates"][0]["target"]


@pytest.mark.parametrize("provider", TARGETS)
def test_a_stream_costs_what_the_same_buffered_answer_costs_M01(daemon, simulator, settled, provider):
    words = f"[[sim bytes=700 cached=0]] {HELLO}"
    buffered, streamed = (post_chat(daemon, chat(words, provider, stream=stream)) for stream in (False, True))
    assert text_of(buffered) == text_of(streamed)
    bill = bill_of(simulator, 2)
    ledger = settled()
    books.expect_balance(ledger, bill)
    costs = {ledger.request(answer.request_id)["usd_pico"] for answer in (buffered, streamed)}
    assert len(costs) == 1 and costs.pop() > 0


@pytest.mark.parametrize("provider", TARGETS)
def test_usage_is_asked_for_and_hidden_unless_the_app_asked_M05(daemon, settled, provider):
    silent = post_chat(daemon, chat(HELLO, provider, stream=True)).events()
    asked = post_chat(daemon, chat(HELLO, provider, stream=True, stream_options={"include_usage": True})).events()
    assert silent[-1] == asked[-1] == "[DONE]"
    assert not [event for event in silent[:-1] if event.get("usage") or not event["choices"]]
    assert len([event for event in asked[:-1] if event.get("usage")]) == 1
    assert {attempt["usage_source"] for attempt in settled().attempts} == {"reported"}


def test_a_failing_target_falls_back_while_nothing_was_sent_down(daemon, simulator, settled):
    answer = post_chat(daemon, chat(f"[[sim only=deepseek status=500]] {HELLO}", "ordered", stream=True))
    assert answer.status == 200 and answer.events()[-1] == "[DONE]"
    ledger = settled()
    attempts = ledger.attempts_of(answer.request_id)
    assert attempts[0]["target"] == TARGETS["deepseek"] and attempts[0]["status"] == 500 and not attempts[0]["usd_pico"]
    assert attempts[-1]["target"] == TARGETS["qwen"] == answer.fields["x-fairlead-target"]
    assert answer.fields["x-fairlead-attempts"] == str(len(attempts))
    books.expect_balance(ledger, bill_of(simulator, len(attempts)))


def test_a_label_that_ends_meanwhile_ends_for_the_next_attempt_too(daemon, settled):
    config, ends = daemon.changed_config(), datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=5)
    for provider in config["providers"].values():
        provider["labels"] = {"dpa": "2099-01-01"}
    config["providers"]["qwen"]["labels"] = {"dpa": ends.strftime("%Y-%m-%dT%H:%M:%SZ")}
    config["policies"] = [{"name": "with-dpa", "allow": {"label": ["dpa"]}}]
    daemon.admin_reload(config)
    answer = post_chat(daemon, chat(f"[[sim only=deepseek status=500 delay_ms=5100]] {HELLO}", "ordered"))
    ledger = settled()
    (request,) = ledger.requests
    assert [candidate["target"] for candidate in json.loads(request["plan"])["candidates"]][:2] == [TARGETS["deepseek"], TARGETS["qwen"]]
    assert [attempt["target"] for attempt in ledger.attempts] == [TARGETS["deepseek"], TARGETS["openai"]]
    assert answer.status == 200 and answer.fields["x-fairlead-target"] == TARGETS["openai"]


@pytest.mark.parametrize("fault", ["close=mid", "reset=mid"])
def test_a_broken_stream_never_ends_well(daemon, settled, fault):
    answer = post_chat(daemon, chat(f"[[sim {fault} chunks=20]] {HELLO}", stream=True))
    assert answer.status == 200
    events = answer.events()
    assert "[DONE]" not in events and "error" in events[-1]
    (attempt,) = settled().attempts
    assert attempt["usage_source"] == "estimated" and attempt["usd_pico"] > 0 and attempt["ended_by"] == "provider"


def test_an_app_that_leaves_is_recorded_with_what_it_consumed(daemon, simulator, settled):
    post_chat(daemon, chat(f"[[sim chunks=2000 chunk_ms=5]] {HELLO}", stream=True), leave_after=400)
    (line,) = bill_of(simulator, 1)
    assert line["end"] == "client_closed"  # the provider was told at once
    (attempt,) = wait_until(lambda: settled().attempts, "its row")  # SQLite is fed a moment later
    assert attempt["ended_by"] == "app" and attempt["usage_source"] == "estimated" and attempt["usd_pico"] > 0


@pytest.mark.parametrize("key, body, status", [
    (None, b"{", 400),
    (None, {"model": "chat"}, 400),
    (None, chat(HELLO, "no-such-route"), 404),
    ("sk-wrong", chat(HELLO), 401),
    (OTHER_KEY, chat(HELLO, "deepseek"), 403),   # the policy of its team leaves no target
    (OTHER_KEY, chat(HELLO, "ordered"), 404),    # not its route: the same as none
])
def test_what_is_refused_is_refused_in_openais_shape_and_sent_nowhere(daemon, simulator, key, body, status):
    answer = post_chat(daemon, body, key=key)
    assert answer.status == status
    assert set(answer.json()["error"]) >= {"message", "type", "param", "code"} and answer.json()["error"]["message"]
    assert simulator.bill() == []


def test_a_refusal_names_the_policies_and_the_request_and_nothing_else(daemon, settled):
    answer = post_chat(daemon, chat(HELLO, "deepseek"), key=OTHER_KEY)
    assert answer.json()["error"] == {"message": f"request {answer.request_id} is refused by policy 'us-only'", "type": "permission_error",
                                      "param": None, "code": "policy_refused"}
    assert not {"x-fairlead-target"} & set(answer.fields)
    (rejection,) = json.loads(settled().request(answer.request_id)["plan"])["rejections"]
    assert rejection["reason"] == "its operator is CN, allowed is US: a test of policies", "the operator can see why"


def test_a_policy_narrows_what_is_left_for_a_key(daemon, settled):
    answer = post_chat(daemon, chat(HELLO), key=OTHER_KEY)
    assert answer.status == 200 and answer.fields["x-fairlead-target"] == TARGETS["openai"]
    plan = json.loads(settled().request(answer.request_id)["plan"])
    assert {(rejection["target"], rejection["rule"]) for rejection in plan["rejections"]} == {
        (TARGETS["deepseek"], "us-only"), (TARGETS["qwen"], "us-only")}


def test_several_choices_are_asked_only_of_who_gives_them(daemon):
    """DeepSeek is known to give one, and Qwen says so itself; OpenAI comes last."""
    answer = post_chat(daemon, chat(HELLO, "ordered", n=2))
    assert answer.status == 200 and answer.fields["x-fairlead-target"] == TARGETS["openai"]
    assert len(answer.json()["choices"]) == 2 and answer.fields["x-fairlead-attempts"] == "2"
    refused = post_chat(daemon, chat(HELLO, "deepseek", n=2))
    assert refused.status == 400 and refused.json()["error"]["param"] == "n" and refused.fields["x-fairlead-attempts"] == "0"


def test_models_lists_what_the_key_may_use(daemon):
    listed = send(daemon.address, "GET", "/v1/models", OTHER_KEY).json()
    assert listed["object"] == "list" and {model["id"] for model in listed["data"]} == {"chat", "deepseek"}
    assert send(daemon.address, "GET", "/v1/models/chat", OTHER_KEY).json()["id"] == "chat"
    assert send(daemon.address, "GET", "/v1/models/ordered", OTHER_KEY).status == 404
    assert send(daemon.address, "GET", "/v1/models").status == 401


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/chat", "/v1/models/no-such"])
def test_head_is_answered_as_get_without_the_body(daemon, path):
    whole, (line, *fields) = send(daemon.address, "GET", path, OTHER_KEY), head_of(daemon, path)
    assert int(line.split()[1]) == whole.status
    assert f"content-length: {len(whole.body)}" in [field.lower() for field in fields]


def head_of(daemon, path):
    """Its lines; nothing comes behind it."""
    host, _, port = daemon.address.rpartition(":")
    with socket.create_connection((host, int(port)), 60) as peer, peer.makefile("rb") as answer:
        peer.sendall(request_bytes("HEAD", path, OTHER_KEY, fields=[("Connection", "close")]))
        head, _, body = answer.read().partition(b"\r\n\r\n")
        assert body == b""
        return head.decode().split("\r\n")


def test_a_request_is_pipelined_and_answered_in_order(daemon):
    import socket

    from harness.http import request_bytes
    host, port = daemon.address.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        slow = chat("[[sim delay_ms=300 bytes=20]] first", "deepseek")
        last = request_bytes("GET", "/v1/models", daemon.key, fields=[("Connection", "close")])
        connection.sendall(request_bytes("POST", "/v1/chat/completions", daemon.key, slow) + last)
        received = b""
        while piece := connection.recv(65536):
            received += piece
    assert received.count(b"HTTP/1.1 200") == 2
    assert received.index(b"chat.completion") < received.index(b'"object":"list"')


def test_health_and_metrics_are_on_the_admin_side_alone(daemon):
    assert daemon.admin_get("/healthz")[0] == daemon.admin_get("/readyz")[0] == 200
    post_chat(daemon, chat(HELLO))
    status, text = daemon.admin_get("/metrics")
    assert status == 200 and "fairlead_" in text
    for path in ("/metrics", "/healthz", "/readyz"):
        assert send(daemon.address, "GET", path, daemon.key).status == 404


@pytest.mark.parametrize("words", ["close=mid", "close=before_done", "reset=mid", "garbage=mid"])
def test_a_buffered_answer_that_breaks_off_is_booked_by_what_came_of_it(daemon, simulator, settled, words):
    answer = post_chat(daemon, chat(f"[[sim bytes=30000 {words}]] {HELLO}", "qwen"))
    assert answer.status == 502
    (line,) = bill_of(simulator, 1)
    ledger = settled()
    books.expect_balance(ledger, [line])
    (attempt,) = ledger.attempts
    assert attempt["usage_source"] == "estimated" and 0.3 < attempt["output_tokens"] / line["completion_tokens"] < 1.5


@pytest.mark.parametrize("stream", [False, True])
def test_no_tokens_for_an_answer_with_content_are_not_believed(daemon, settled, stream):
    assert text_of(post_chat(daemon, chat(f"[[sim usage=zero bytes=300]] {HELLO}", "openai", stream=stream)))
    (attempt,) = settled().attempts
    assert attempt["usage_source"] == "invalid" and attempt["output_tokens"] > 50 and attempt["usd_pico"] > 0


def test_threads_are_named_for_whoever_looks_what_is_busy(daemon):
    names = [(task / "comm").read_text().strip() for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()]
    assert {"fairlead", "worker", "ledger-writer", "ledger-feeder"} <= set(names)


def test_a_second_daemon_does_not_share_the_ports(daemon, tmp_path):
    for side in ("listen", "admin"):
        folder = tmp_path / side
        folder.mkdir()
        config = daemon.changed_config()
        config[side] = [daemon.address] if side == "listen" else daemon.admin
        (folder / "fairlead.yaml").write_text(json.dumps(config))
        done = run("serve", "--config", folder / "fairlead.yaml", cwd=folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
        assert done.returncode == 1 and "Address already in use" in done.stderr


def test_output_that_cannot_be_written_is_a_failure(daemon):
    with open("/dev/full", "w") as full:
        for command in (("usage", "--format", "csv", "--by", "day"), ("check",)):
            done = subprocess.run([BINARY, *command, *(["--ledger", f"sqlite:{daemon.ledger_file}"] if command[0] == "usage" else [daemon.config_file])],
                                  stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, env={**os.environ, "FAIRLEAD_TEST_PROVIDER_KEY": "x"})
            assert done.returncode == 1 and "could not be written" in done.stderr
