"""Idempotency-Key: a request is done once, its repeats get the same answer, and what failed is done anew."""
import asyncio
import collections
import concurrent.futures
import json
import threading

import pytest

from harness.daemon import CLIENT_KEY, OTHER_KEY, Fairlead
from harness.http import Connection, chat, post_chat, request_bytes, text_of
from harness.process import run, wait_until
from harness.stage import Stage
from harness.upstream import ROLE, completion, good_stream, refusal, said, stream, usage, whole

ANSWER_CANARY = "canary-of-the-answer-4e1d"


def good(text="hello"):
    return whole(completion(text, usage(5, 2)), (5, 0, 2))


def ask(daemon, name, body=None, key=None, **options):
    return post_chat(daemon, body or chat("hello", "one"), key, fields=[("Idempotency-Key", name)], **options)


def expect_replay(answer, first):
    assert answer.status == 200 and answer.body == first.body and answer.complete
    assert answer.fields["content-type"] == first.fields["content-type"]
    assert answer.fields["x-fairlead-replayed"] == "true" and answer.fields["x-fairlead-replay-of"] == first.request_id
    assert answer.fields["x-fairlead-target"] == first.fields["x-fairlead-target"]
    assert answer.fields["x-fairlead-attempts"] == "0" and answer.request_id != first.request_id
    assert "x-fairlead-replayed" not in first.fields


def expect_refused(answer, status, code, again):
    error = answer.json()["error"]
    assert (answer.status, error["type"], error["code"]) == (status, "invalid_request_error", code), answer
    assert answer.fields.get("x-should-retry") == (None if again else "false")


@pytest.fixture
def stage(tmp_path):
    def change(config):
        config["keys"][1]["routes"].append("one")
        config["policies"] = []
        config["keys"][0]["project"] = "tills"
        config["idempotency"] = {"answer_bytes_max": "8KiB"}

    made = Stage(tmp_path, {"one": "generic"}, change)
    yield made
    made.close()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_repeat_gets_the_same_bytes_and_nothing_is_done_M41(stage, streamed):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good_stream("hel" + ANSWER_CANARY, told=(5, 0, 2)) if streamed else good(ANSWER_CANARY))
    body = chat("hello", "one", stream=streamed, **({"stream_options": {"include_usage": True}} if streamed else {}))
    first = ask(daemon, "abc", body)
    assert first.status == 200 and ANSWER_CANARY.encode() in first.body
    for _ in range(3):
        expect_replay(ask(daemon, "abc", body), first)
    assert len(provider.requests) == 1
    ledger = stage.settled()
    assert len(ledger.requests) == 4 and len(ledger.attempts) == 1
    original = ledger.request(first.request_id)
    for row in ledger.requests:
        assert (row["http_status"], row["error"], row["target"]) == (200, "", "one/m")
        assert json.loads(row["facts"])["idempotency"] == json.loads(original["facts"])["idempotency"]
        if row is not original:
            assert (row["attempts"], row["usd_pico"], row["ended_by"]) == (0, 0, "fairlead")
    # Neither the answer nor the name is on the disk.
    for file in daemon.folder.glob("ledger.db*"):
        assert ANSWER_CANARY.encode() not in file.read_bytes()
    assert json.loads(daemon.admin_get("/admin/v1/limits")[1])["idempotency"]["replayed"] == 3
    assert daemon.gauge("fairlead_idempotency_replayed") == 3
    replays = [row["id"] for row in ledger.requests if row is not original]
    for request_id, is_replay in ((replays[0], True), (first.request_id, False)):
        told = run("explain", request_id, "--ledger", f"sqlite:{daemon.ledger_file}").stdout
        assert ("its answer is that of an earlier request with the same Idempotency-Key" in told) == is_replay
        assert ("one/m was configured as origin not stated, operator US, region US, hosting " in told) != is_replay
        assert "team payments, project tills for model one" in told


def test_while_it_runs_a_repeat_is_told_to_wait_M41(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    go_on = threading.Event()
    rest = good_stream("lo", told=(5, 0, 2)).framed()

    def wait_then_end(peer):
        go_on.wait(30)
        peer.send(rest)

    provider.will(stream(ROLE, said("hel"), then=wait_then_end, usage=(5, 0, 2)))
    body = chat("hello", "one", stream=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        running = pool.submit(ask, daemon, "abc", body)
        wait_until(lambda: provider.requests, "the request to reach the provider")
        expect_refused(ask(daemon, "abc", body), 409, "idempotency_in_progress", again=True)
        expect_refused(ask(daemon, "abc", chat("other", "one", stream=True)), 422, "idempotency_mismatch", again=False)
        go_on.set()
        first = running.result()
    assert first.status == 200 and first.body.endswith(b"data: [DONE]\n\n")
    expect_replay(ask(daemon, "abc", body), first)
    assert len(provider.requests) == 1


def test_another_body_is_refused_and_another_key_is_another_scope_M41(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good("first"), good("second"))
    first = ask(daemon, "abc", key=CLIENT_KEY)
    expect_refused(ask(daemon, "abc", chat("other", "one"), key=CLIENT_KEY), 422, "idempotency_mismatch", again=False)
    other = ask(daemon, "abc", key=OTHER_KEY)
    assert other.status == 200 and b"second" in other.body and "x-fairlead-replayed" not in other.fields
    expect_replay(ask(daemon, "abc", key=CLIENT_KEY), first)


def test_of_many_at_once_one_is_done_M41(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good())
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: ask(daemon, "abc"), range(60)))
    assert len(provider.requests) == 1
    counts = collections.Counter((answer.status, answer.fields.get("x-fairlead-replayed")) for answer in answers)
    assert counts[200, None] == 1 and set(counts) <= {(200, None), (200, "true"), (409, None)}
    assert len(stage.settled().requests) == 60


@pytest.mark.parametrize("failure", ["refused", "down", "cut", "left"])
def test_what_failed_is_done_anew(stage, failure):
    daemon, provider = stage.daemon, stage.providers["one"]
    streamed = failure in ("cut", "left")
    body = chat("hello", "one", stream=streamed)
    provider.will({
        "refused": refusal(400), "down": refusal(503), "cut": stream(ROLE, said("hel"), end="rst"),
        "left": stream(ROLE, said("x" * 3000), then=lambda peer: peer.watch(30), end="fin"),
    }[failure])
    ask(daemon, "abc", body, leave_after=100 if failure == "left" else None)
    provider.will(good_stream(told=(5, 0, 2)) if streamed else good())
    again = lambda: (answer := ask(daemon, "abc", body)).status != 409 and answer  # noqa: E731
    second = wait_until(again, "the first to have ended") if failure == "left" else again()
    assert second.status == 200 and "x-fairlead-replayed" not in second.fields
    expect_replay(ask(daemon, "abc", body), second)


@pytest.mark.parametrize("streamed", [False, True])
def test_what_was_drained_for_an_app_that_left_is_its_repeats(tmp_path, streamed):
    stage = Stage(tmp_path, {"one": "generic"},
                  lambda config: (config.update(workers=1, policies=[]), config["providers"]["one"].update(on_cancel="drain")))
    daemon, provider = stage.daemon, stage.providers["one"]
    go_on, body = threading.Event(), chat("hello", "one", stream=streamed)
    rest = good_stream("lo", told=(5, 0, 2))

    def wait_then_end(peer):
        go_on.wait(30)
        peer.send(rest.framed() if streamed else b"")

    if streamed:
        provider.will(stream(ROLE, said("hel"), then=wait_then_end, usage=(5, 0, 2)))
        ask(daemon, "abc", body, leave_after=10)
    else:
        provider.will(whole(completion("hello", usage(5, 2)), (5, 0, 2), framing="chunked", then=wait_then_end))

        async def leave():
            connection = Connection(daemon.address)
            asking = asyncio.create_task(connection.exchange(
                request_bytes("POST", "/v1/chat/completions", daemon.key, body, [("Idempotency-Key", "abc")])))
            await asyncio.to_thread(wait_until, lambda: provider.requests, "the provider to be asked")
            asking.cancel()
            connection.close()

        asyncio.run(leave())
    expect_refused(ask(daemon, "abc", body), 409, "idempotency_in_progress", again=True)
    go_on.set()
    again = lambda: (answer := ask(daemon, "abc", body)).status != 409 and answer  # noqa: E731
    repeat = wait_until(again, "the drain to have ended")
    assert repeat.status == 200 and repeat.complete and repeat.fields["x-fairlead-replayed"] == "true"
    assert text_of(repeat) == "hello" and (not streamed or repeat.body.endswith(b"data: [DONE]\n\n"))
    assert len(provider.requests) == 1
    [attempt] = stage.settled().attempts
    assert (attempt["usage_source"], attempt["output_tokens"]) == ("reported", 2)
    assert attempt["error"] in ("app_gone", ""), "the app was seen to leave before the answer's end, or with it"
    stage.close()


def test_what_is_too_large_to_keep_is_not_done_twice(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good("x" * 10_000))
    assert ask(daemon, "abc").status == 200
    expect_refused(ask(daemon, "abc"), 409, "idempotency_gone", again=False)
    assert len(provider.requests) == 1


def test_names_that_are_refused(stage):
    for name in ("", "x" * 256, "a\tb"):
        answer = ask(stage.daemon, name)
        assert answer.status == 400 and answer.json()["error"]["param"] == "Idempotency-Key", name
    answer = post_chat(stage.daemon, chat("hello", "one"), fields=[("Idempotency-Key", "a"), ("idempotency-key", "b")])
    assert answer.status == 400 and answer.json()["error"]["param"] == "Idempotency-Key", "which of the two?"


def test_the_header_means_nothing_where_the_window_is_nothing(stage):
    daemon, provider = stage.daemon, stage.providers["one"]
    config = daemon.changed_config()
    config["idempotency"] = {"window": "0s"}
    daemon.reload(config)
    provider.will(good(), good())
    for _ in range(2):
        answer = ask(daemon, "abc")
        assert answer.status == 200 and "x-fairlead-replayed" not in answer.fields


def test_what_was_done_before_a_restart_is_not_done_twice_M41(stage):
    """Answers are in memory alone; that there was one is in the rows, also of a process that was killed."""
    daemon, provider = stage.daemon, stage.providers["one"]
    provider.will(good(), refusal(503))
    assert ask(daemon, "done").status == 200
    assert ask(daemon, "failed").status == 502
    daemon.kill()
    stage.daemon = daemon = Fairlead(daemon.folder, daemon.config)
    expect_refused(ask(daemon, "done"), 409, "idempotency_gone", again=False)
    expect_refused(ask(daemon, "done", chat("other", "one")), 422, "idempotency_mismatch", again=False)
    provider.will(good())
    assert ask(daemon, "failed").status == 200
