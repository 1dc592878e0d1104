"""Books: whatever happens to many requests at once, the ledger equals the provider's bill, line by line."""
import asyncio
import os

from harness import books
from harness.process import wait_until
from harness.storm import storm

REQUESTS = int(os.environ.get("FAIRLEAD_BOOKS_REQUESTS", "10000"))


def test_the_ledger_equals_the_bill_line_by_line(start, simulator):
    daemon = start(lambda config: config["log"].update(requests="none"))
    files_before = daemon.open_files()
    answers = asyncio.run(storm(daemon, REQUESTS, seed=20261123))

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

    # I6: nothing stays open once idle connections are gone.
    wait_until(lambda: daemon.open_files() <= files_before, "connections to close")
