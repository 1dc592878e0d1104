"""Many requests at once, in a seeded mix of every shape, ending and fault."""
import asyncio
import collections
import random

from harness.daemon import PROMPT_CANARY
from harness.http import Connection, chat, request_bytes

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


async def storm(daemon, requests, seed):
    """All requests over some connections, each app one after the other. Gives the answers."""
    chance = random.Random(seed)
    waiting = collections.deque(draw(chance) for _ in range(requests))
    answers = []

    async def app():
        connection = Connection(daemon.address)
        while waiting:
            body, leave_after = waiting.popleft()
            request = request_bytes("POST", "/v1/chat/completions", daemon.key, body)
            try:
                answers.append(await asyncio.wait_for(connection.exchange(request, leave_after), 120))
            except asyncio.TimeoutError:
                raise AssertionError(f"no end after 120 s, of seed {seed}: {body}, left after {leave_after}") from None
        connection.close()

    await asyncio.gather(*(app() for _ in range(APPS)))
    return answers
