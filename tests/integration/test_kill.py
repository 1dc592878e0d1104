"""kill -9 under load, again and again on one ledger: what an app has seen the end of is in the books, and the next start is quick.

FAIRLEAD_KILLS=1000 is the long run (some twenty minutes); the default is a few."""
import asyncio
import os
import random
import statistics
import time

from harness import books
from harness.daemon import Fairlead, config_for
from harness.http import Connection, request_bytes
from harness.process import wait_until
from harness.stage import SANITIZED
from harness.storm import draw

KILLS = int(os.environ.get("FAIRLEAD_KILLS", "5"))
APPS = 24
READY_SECONDS_MAX = 1.0


async def killed_under_load(daemon, chance):
    """Answers whose last byte came before the kill."""
    whole = []

    async def app():
        connection = Connection(daemon.address)
        try:
            while daemon.process.poll() is None:
                drawn = draw(chance)
                request = request_bytes("POST", "/v1/chat/completions", daemon.key, drawn.body)
                answer = await connection.exchange(request, drawn.leave_after)
                if answer.complete and answer.request_id:
                    whole.append(answer)
        except OSError:
            pass  # refused: it is dead
        finally:
            connection.close()

    apps = [asyncio.create_task(app()) for _ in range(APPS)]
    first = chance.randrange(1, 120)  # the kill comes after so many answers: any moment of the load
    while len(whole) < first:
        await asyncio.sleep(0.001)
    daemon.process.kill()
    await asyncio.gather(*apps)
    return whole


def test_what_an_app_saw_the_end_of_survives_every_kill(tmp_path, simulator):
    chance = random.Random(20261126)
    seen, starts = {}, []
    for _ in range(KILLS):
        began = time.monotonic()
        daemon = Fairlead(tmp_path, config_for(simulator.url))
        starts.append(time.monotonic() - began)
        for answer in asyncio.run(killed_under_load(daemon, chance)):
            seen[answer.request_id] = answer
        daemon.kill()

    began = time.monotonic()
    daemon = Fairlead(tmp_path, config_for(simulator.url))
    starts.append(time.monotonic() - began)
    ledger = wait_until(lambda: (rows := daemon.ledger()) and not any(r["state"] == "open" for r in rows.attempts) and rows,
                        "rows of the dead to be closed")
    daemon.stop()
    daemon.expect_no_secrets()
    state = {request["id"]: request["state"] for request in ledger.requests}
    assert len(state) == len(ledger.requests), "a request is there twice"
    lost = [answer for id, answer in seen.items() if state.get(id) != "settled"]
    assert not lost, f"{len(lost)} of {len(seen)} answers are without their row: {lost[:3]}"

    # What reached the provider has its row; and where the provider told its usage before the kill, the row says the same.
    rows = {f"{a['request_id']}-{a['number']}": a for a in ledger.attempts}
    bill = wait_until(lambda: len(lines := simulator.bill()) >= len([a for a in rows.values() if a["status"]]) and lines, "the bill")
    assert len({line["client_request_id"] for line in bill}) == len(bill)
    missing = [line for line in bill if line["client_request_id"] not in rows]
    assert not missing, f"{len(missing)} lines of the bill have no row: {missing[:3]}"
    wrong = [complaint for line in bill if rows[line["client_request_id"]]["state"] == "settled"
             for complaint in books.complaints_about(rows[line["client_request_id"]], line)]
    assert not wrong, wrong[:5]

    interrupted = sum(a["state"] == "interrupted" for a in ledger.attempts)
    print(f"{KILLS} kills: {len(seen)} whole answers, {len(rows)} attempts, {interrupted} interrupted; start to ready "
          f"{statistics.median(starts) * 1000:.0f} ms, at most {max(starts) * 1000:.0f} ms")
    if not SANITIZED:
        assert statistics.median(starts) < READY_SECONDS_MAX
