"""kill -9 at any moment loses no line of the books."""
import asyncio
import json

import pytest

from harness import books
from harness.daemon import CLIENT_KEY, config_for
from harness.http import Connection, chat, post_chat, request_bytes, send
from harness.process import Program, run, wait_until


async def streams_under_way(daemon, count):
    """Begins streams that last, waits until the books know them all, then kills the daemon."""
    async def stream():
        connection = Connection(daemon.address)
        body = chat("[[sim chunks=5000 chunk_ms=20]] a long story", stream=True)
        return await connection.exchange(request_bytes("POST", "/v1/chat/completions", daemon.key, body))

    before = len(daemon.ledger().attempts)
    tasks = [asyncio.create_task(stream()) for _ in range(count)]
    await asyncio.to_thread(wait_until, lambda: len(daemon.ledger().attempts) == before + count, f"{count} streams")
    await asyncio.to_thread(daemon.kill)
    return await asyncio.gather(*tasks)


@pytest.mark.parametrize("sync", ["disk", "os"])
def test_open_rows_become_interrupted_with_an_estimate(start, simulator, sync):
    daemon = start(lambda config: config.update(ledger_sync=sync))
    whole = post_chat(daemon, chat("hello"))
    answers = asyncio.run(streams_under_way(daemon, 20))
    assert not any(b"[DONE]" in answer.body for answer in answers)

    again = start(lambda config: config.update(ledger_sync=sync))
    assert again.wait_for("ledger_recovered")["interrupted_attempts"] == 20
    ledger = again.ledger()
    assert ledger.request(whole.request_id)["state"] == "settled"
    interrupted = [attempt for attempt in ledger.attempts if attempt["state"] == "interrupted"]
    assert len(interrupted) == 20
    assert all(a["usage_source"] == "estimated" and a["usd_pico"] > 0 and a["input_tokens"] > 0 for a in interrupted)
    assert {r["state"] for r in ledger.requests} == {"settled", "interrupted"}
    bill = wait_until(lambda: len(lines := simulator.bill()) == 21 and lines, "the bill")
    assert {line["client_request_id"] for line in bill} == {f"{a['request_id']}-{a['number']}" for a in ledger.attempts}
    assert post_chat(again, chat("hello")).status == 200


def test_of_two_that_start_together_on_a_new_ledger_one_serves_M65(tmp_path, simulator):
    def begin(name):
        config = tmp_path / f"{name}.yaml"
        config.write_text(json.dumps(config_for(simulator.url)))
        return Program(["serve", "--config", config], cwd=tmp_path, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})

    both = [begin("a"), begin("b")]
    wait_until(lambda: any(one.process.poll() is not None for one in both) and any(one.events("ready") for one in both), "one of them to serve")
    (refused,), (serving,) = ([one for one in both if (one.process.poll() is None) is alive] for alive in (False, True))
    assert refused.wait() == 1 and "another fairlead" in refused.output
    address = serving.wait_for("listening", side="apps")["address"]
    assert send(address, "POST", "/v1/chat/completions", CLIENT_KEY, chat("hello")).status == 200
    serving.stop()
    assert len(books.Ledger(tmp_path / "ledger.db").requests) == 1


def test_a_second_daemon_is_refused_on_the_same_ledger(daemon):
    done = run("serve", "--config", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
    assert done.returncode == 1 and "ledger.db" in done.stderr
    assert post_chat(daemon, chat("hello")).status == 200
