"""Many requests at once, in a seeded mix of every shape, ending and fault."""
import asyncio
import collections
import dataclasses
import random

from harness.daemon import PROMPT_CANARY
from harness.http import Connection, chat, request_bytes

APPS = 64  # connections at a time

# With these, every answer that comes whole tells its usage.
TELLING = (
    "status=429", "status=500", "status=400", "only=deepseek status=503", "times=1 status=502", "code=insufficient_quota",
    "usage=every", "usage=before_last", "usage=choices", "usage=delta", "nodone", "split", "crlf", "unicode", "gzip",
)
# With these, an attempt may end without usage, or with an absurd one.
SILENT = (
    "close=before", "reset=before", "close=head", "close=mid", "reset=mid", "close=before_usage", "close=before_done",
    "usage=none", "usage=zero", "usage=invalid", "error=mid", "garbage=mid",
)
ROUTES = ("chat", "ordered", "deepseek", "qwen", "openai")


@dataclasses.dataclass
class Draw:
    body: dict
    leave_after: int = None  # bytes of the answer, after which its app leaves
    silent: bool = False     # what happens to it may leave no usage


def draw(chance, routes=ROUTES):
    kind = chance.choices(("buffered", "streamed", "streamed with usage", "aborted", "faulty"), (35, 25, 10, 15, 15))[0]
    words = [f"bytes={chance.randrange(20, 3000)}"]
    fields, leave_after, silent = {}, None, False
    if kind == "faulty":
        fault = chance.choice(TELLING + SILENT)
        words.append(fault)
        silent = fault in SILENT
        fields["stream"] = chance.random() < 0.6
    elif kind == "aborted":
        words = ["chunks=200 chunk_ms=2"]
        fields["stream"] = chance.random() < 0.8
        leave_after, silent = chance.randrange(0, 3000), True
    elif kind != "buffered":
        fields["stream"] = True
        if kind == "streamed with usage":
            fields["stream_options"] = {"include_usage": True}
    if chance.random() < 0.3:
        fields["max_completion_tokens"] = chance.randrange(16, 400)
    filler = "lorem ipsum " * chance.randrange(1, 60)
    body = chat(f"[[sim {' '.join(words)}]] {PROMPT_CANARY} {filler}", chance.choice(routes), **fields)
    return Draw(body, leave_after, silent)


async def storm(daemon, requests, seed, routes=ROUTES, meanwhile=None):
    """All requests over some connections, each app one after the other. Gives (draw, answer) of each. `meanwhile` is called once for each
    twentieth part of them."""
    chance = random.Random(seed)
    waiting = collections.deque(draw(chance, routes) for _ in range(requests))
    told = []

    async def app():
        connection = Connection(daemon.address)
        while waiting:
            drawn = waiting.popleft()
            request = request_bytes("POST", "/v1/chat/completions", daemon.key, drawn.body)
            try:
                told.append((drawn, await asyncio.wait_for(connection.exchange(request, drawn.leave_after), 120)))
            except asyncio.TimeoutError:
                raise AssertionError(f"no end after 120 s, of seed {seed}: {drawn}") from None
            if meanwhile and len(told) % max(requests // 20, 1) == 0:
                await asyncio.to_thread(meanwhile)
        connection.close()

    await asyncio.gather(*(app() for _ in range(APPS)))
    return told
