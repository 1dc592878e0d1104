"""Books: whatever happens to many requests at once, the ledger equals the provider's bill, line by line.

FAIRLEAD_BOOKS_REQUESTS=200000 is the long storm (half an hour on two cores); the seed is always the same."""
import asyncio
import itertools
import os
import signal

from harness import books
from harness.process import wait_until
from harness.storm import storm

REQUESTS = int(os.environ.get("FAIRLEAD_BOOKS_REQUESTS", "10000"))


def test_the_ledger_equals_the_bill_line_by_line(start, simulator):
    def change(config):
        config["log"].update(requests="none")
        # One provider of each way to treat an answer whose app has left.
        config["providers"]["qwen"].update(on_cancel="drain")
        config["providers"]["openai"].update(bills_after_close="whole")

    daemon = start(change)
    files_before = daemon.open_files()
    reloads = itertools.count(1)

    def reload():
        config = daemon.changed_config()
        config["limits"] = {"attempts_max": 3 + next(reloads) % 2}
        daemon.put_config(config)
        daemon.signal(signal.SIGHUP)

    told = asyncio.run(storm(daemon, REQUESTS, seed=20261123, meanwhile=reload))
    answers = [answer for _, answer in told]
    assert daemon.events("reloaded") and not daemon.events("reload_refused")

    def balanced_size():
        ledger, bill = daemon.ledger(), simulator.bill()
        reached = [a for a in ledger.attempts if a["phase"] not in ("plan", "connect", "send")]
        return ledger.all_settled() and len(bill) >= len(reached) and (ledger, bill)

    ledger, bill = wait_until(balanced_size, "all rows and all lines of the bill")
    books.expect_balance(ledger, bill)

    # I1: every request that an app got an id for is one row, and there are no others than those whose app left before its answer.
    seen = [answer.request_id for answer in answers if answer.request_id]
    ids = {request["id"] for request in ledger.requests}
    assert len(set(seen)) == len(seen) and set(seen) <= ids
    assert len(seen) <= len(ids) <= REQUESTS
    # I7: what ended well for the app ended well in the books.
    for answer in answers:
        if answer.status == 200 and answer.complete and b"data: [DONE]" in answer.body:
            assert ledger.request(answer.request_id)["error"] == ""
    # The storm was a storm: each kind of end occurs.
    assert {"app", "provider"} <= {attempt["ended_by"] for attempt in ledger.attempts}
    assert {"reported", "estimated", "none"} <= {attempt["usage_source"] for attempt in ledger.attempts}

    # Where nothing that may silence a provider was drawn, its figures are in the books; and no more is estimated than was drawn.
    unsure = {a["request_id"] for a in ledger.attempts if a["usage_source"] in ("estimated", "invalid")}
    sound = {answer.request_id for drawn, answer in told if not drawn.silent}
    assert not unsure & sound, sorted(unsure & sound)[:5]
    assert len(unsure) <= sum(drawn.silent for drawn, _ in told)
    report = {source: sum(a["usage_source"] == source for a in ledger.attempts) for source in ("reported", "estimated", "invalid", "none")}
    print(f"{REQUESTS} requests, {len(ledger.attempts)} attempts {report}, {len(daemon.events('reloaded'))} reloads")

    # I6: nothing stays open once idle connections are gone.
    wait_until(lambda: daemon.open_files() <= files_before, "connections to close")
