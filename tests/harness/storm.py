"""Many requests at once, in a seeded mix of every shape, ending and fault."""
import asyncio
import collections
import dataclasses
import random

from harness.daemon import PROMPT_CANARY
from harness.http import Connection, chat, request_bytes

APPS = 64  # connections at a time
PATIENCE = 300  # seconds; an answer of a byte to a segment takes long on a busy machine

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
NAMES = ("fresh", "twin", "repeat", "collision")


@dataclasses.dataclass
class Draw:
    body: dict
    leave_after: int = None  # bytes of the answer, after which its app leaves
    silent: bool = False     # what happens to it may leave no usage
    name: str = None         # its Idempotency-Key
    name_is: str = None      # of NAMES


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
        silent = silent or "usage=before_last" in words  # thinking that is hidden may use it up: there is no chunk before the last then
    filler = "lorem ipsum " * chance.randrange(1, 60)
    body = chat(f"[[sim {' '.join(words)}]] {PROMPT_CANARY} {filler}", chance.choice(routes), **fields)
    return Draw(body, leave_after, silent)


def name_some(draws, chance):
    """A third of them carry an Idempotency-Key: a fresh one, that of the request just before with its body (the twin runs beside it), or that
    of one which was sent a while ago, with its body or another."""
    named, ago = [], 4 * APPS
    for place, drawn in enumerate(draws):
        kind = chance.choice(NAMES) if chance.random() < 0.33 else None
        if kind == "twin" and named and named[-1] == place - 1:
            draws[place] = dataclasses.replace(draws[place - 1], name_is=kind)
        elif kind in ("repeat", "collision") and (old := [one for one in named[-2 * ago:] if one < place - ago]):
            first = draws[chance.choice(old)]
            if kind == "repeat":
                draws[place] = dataclasses.replace(first, name_is=kind, leave_after=chance.choice((None, first.leave_after)))
            else:
                drawn.name, drawn.name_is = first.name, kind
        elif kind:
            drawn.name, drawn.name_is = f"name-{place}", "fresh"
            named.append(place)


async def storm(daemon, requests, seed, routes=ROUTES, meanwhile=None, names=False):
    """All requests over some connections, each app one after the other. Gives (draw, answer) of each. `meanwhile` is called once for each
    twentieth part of them; with `names`, some carry an Idempotency-Key."""
    chance = random.Random(seed)
    draws = [draw(chance, routes) for _ in range(requests)]
    if names:
        name_some(draws, chance)
    waiting = collections.deque(draws)
    told = []

    async def app():
        connection = Connection(daemon.address)
        while waiting:
            drawn = waiting.popleft()
            fields = [("Idempotency-Key", drawn.name)] if drawn.name else ()
            request = request_bytes("POST", "/v1/chat/completions", daemon.key, drawn.body, fields)
            try:
                told.append((drawn, await asyncio.wait_for(connection.exchange(request, drawn.leave_after), PATIENCE)))
            except asyncio.TimeoutError:
                raise AssertionError(f"no end after {PATIENCE} s, of seed {seed}: {drawn}") from None
            if meanwhile and len(told) % max(requests // 20, 1) == 0:
                await asyncio.to_thread(meanwhile)
        connection.close()

    await asyncio.gather(*(app() for _ in range(APPS)))
    return told
