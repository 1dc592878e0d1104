"""Books: whatever happens to many requests at once, the ledger equals the provider's bill, line by line."""
import asyncio
import collections
import os
import random

from harness import books
from harness.daemon import PROMPT_CANARY
from harness.http import Connection, chat, request_bytes
from harness.process import wait_until

REQUESTS = int(os.environ.get("FAIRLEAD_BOOKS_REQUESTS", "10000"))
APPS = 64  # connections at a time

FAULTS = (
    "status=429", "status=500", "status=400", "only=deepseek status=503", "times=1 status=502", "code=insufficient_quota",
    "close=before", "reset=before", "close=head", "close=mid", "reset=mid", "close=before_usage", "close=before_done",
    "usage=none", "usage=every", "usage=invalid", "usage=before_last", "usage=choices", "error=mid", "nodone", "split", "crlf", "unicode", "gzip",
)


def draw(chance):
    """A request, and after how many bytes its app leaves (or None)."""
    kind = chance.choices(("buffered", "streamed", "streamed with usage", "aborted", "faulty"), (35, 25, 10, 15, 15))[0]
    route = chance.choice(("chat", "ordered", "deepseek", "qwen", "openai"))
    words = [f"bytes={chance.randrange(20, 3000)}"]
    fields, leave_after = {}, None
    if kind == "faulty":
        words.append(chance.choice(FAULTS))
        fields["stream"] = chance.random() < 0.6
    elif kind == "aborted":
        words = ["chunks=200 chunk_ms=2"]
        fields["stream"] = chance.random() < 0.8
        leave_after = chance.randrange(0, 3000)
    elif kind != "buffered":
        fields["stream"] = True
        if kind == "streamed with usage":
            fields["stream_options"] = {"include_usage": True}
    if chance.random() < 0.3:
        fields["max_completion_tokens"] = chance.randrange(16, 400)
    filler = "lorem ipsum " * chance.randrange(1, 60)
    return chat(f"[[sim {' '.join(words)}]] {PROMPT_CANARY} {filler}", route, **fields), leave_after


async def storm(daemon):
    """All requests over some connections, each app one after the other. Gives the answers."""
    chance = random.Random(20261123)
    waiting = collections.deque(draw(chance) for _ in range(REQUESTS))
    answers = []

    async def app():
        connection = Connection(daemon.address)
        while waiting:
            body, leave_after = waiting.popleft()
            request = request_bytes("POST", "/v1/chat/completions", daemon.key, body)
            answers.append(await asyncio.wait_for(connection.exchange(request, leave_after), 120))
        connection.close()

    await asyncio.gather(*(app() for _ in range(APPS)))
    return answers


def test_the_ledger_equals_the_bill_line_by_line(start, simulator):
    daemon = start(lambda config: config["log"].update(requests="none"))
    files_before = daemon.open_files()
    answers = asyncio.run(storm(daemon))

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
