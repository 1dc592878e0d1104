"""A provider that does, to the byte, what a test tells it: which bytes, in which segments, with which end. It keeps a bill of its own."""
import collections
import dataclasses
import json
import socket
import struct
import threading
from decimal import Decimal

from harness.process import PATIENCE

DONE = b"data: [DONE]\n\n"
# All that a provider may get to see of a request's head (oracle I5).
FIELDS = {"host", "content-length", "content-type", "accept", "accept-encoding", "user-agent", "authorization", "x-client-request-id"}
RATES = {"input": Decimal("1"), "cached_input": Decimal("0.1"), "output": Decimal("4")}  # USD per million tokens


def cost_at_rates(prompt, cached, output):
    """A decimal of USD; cached tokens are inside the prompt."""
    return str(((prompt - cached) * RATES["input"] + cached * RATES["cached_input"] + output * RATES["output"]) / 10**6)


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def usage(prompt=20, completion=10, cached=None, reasoning=None, **more):
    """A usage object of OpenAI's shape."""
    told = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **more}
    if cached is not None:
        told["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        told["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    return told


def event(value):
    """One event of a stream; `value` is JSON, or bytes as they are."""
    return b"data: " + (value if isinstance(value, bytes) else compact(value)) + b"\n\n"


def chunk(delta=None, finish=None, **fields):
    """An object of a stream. Without a delta and an end it has no choices."""
    choices = [] if delta is None and finish is None else [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    return {"id": "chatcmpl-scripted", "object": "chat.completion.chunk", "created": 1790000000, "model": "m", "choices": choices, **fields}


ROLE = event(chunk({"role": "assistant", "content": ""}))
STOP = event(chunk(finish="stop"))


def said(text, **fields):
    return event(chunk({"content": text}, **fields))


def completion(text="hello", told=None, **fields):
    """A buffered answer's object."""
    message = {"role": "assistant", "content": text}
    return {"id": "chatcmpl-scripted", "object": "chat.completion", "created": 1790000000, "model": "m",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], **({"usage": told} if told else {}), **fields}


class Gone(Exception):
    """fairlead has closed the connection."""


class Peer:
    """One request that has come, and the connection on which it can be answered."""

    def __init__(self, connection, line, fields, body):
        self.connection, self.line, self.fields, self.body = connection, line, fields, body

    def field(self, name):
        return next((value for field, value in self.fields if field.lower() == name), "")

    def json(self):
        return json.loads(self.body)

    def send(self, content, segment=None):
        """Sends all of it, `segment` bytes to a packet."""
        try:
            for begin in range(0, len(content), segment or max(len(content), 1)):
                self.connection.sendall(content[begin:begin + segment] if segment else content)
        except OSError as error:
            raise Gone from error

    def watch(self, seconds):
        """Waits that long, unless fairlead hangs up before."""
        self.connection.settimeout(seconds)
        try:
            if self.connection.recv(1) == b"":
                raise Gone
        except TimeoutError:
            pass
        except OSError as error:
            raise Gone from error
        finally:
            self.connection.settimeout(PATIENCE)

    def close(self):
        self.connection.close()

    def reset(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


@dataclasses.dataclass
class Scripted:
    """An answer. `end`: whole, or cut after the body by fin, rst, or short (a chunk, or a length, that promises more than comes)."""
    body: bytes = b""
    status: int = 200
    fields: tuple = ()
    content_type: str = "application/json"
    framing: str = "length"  # or chunked, or close
    piece: int = 0       # bytes to a chunk; 0: all in one
    segment: int = 0     # bytes to a packet; 0: as the system likes
    end: str = "whole"
    usage: tuple = None  # (prompt, cached, completion) for the bill: what the answer reports
    raw: bytes = None    # sent in place of everything else
    then: object = None  # called with the peer after the body, before the end
    billed: int = None   # status in the bill, where it is not `status`
    early: bool = False  # answered, and the connection closed, with the request's body unread

    def head(self):
        fields = [("Content-Type", self.content_type), *self.fields]
        if self.framing == "chunked":
            fields.append(("Transfer-Encoding", "chunked"))
        elif self.framing == "length":
            fields.append(("Content-Length", len(self.body) + (10 if self.end == "short" else 0)))
        return "\r\n".join([f"HTTP/1.1 {self.status} Scripted", *(f"{name}: {value}" for name, value in fields)]).encode() + b"\r\n\r\n"

    def framed(self):
        if self.framing != "chunked":
            return self.body
        size = self.piece or max(len(self.body), 1)
        pieces = [self.body[at:at + size] for at in range(0, len(self.body), size)]
        return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)

    def play(self, peer):
        """True if the connection may serve another request."""
        if self.raw is not None:
            peer.send(self.raw, self.segment)
        else:
            peer.send(self.head() + self.framed(), self.segment)
        if self.then:
            self.then(peer)
        if self.end == "rst":
            peer.reset()
        if self.end != "whole" or self.raw is not None or self.framing == "close" or self.early:
            if self.end == "short" and self.framing == "chunked":
                peer.send(b"400\r\nshort")
            return False
        if self.framing == "chunked":
            peer.send(b"0\r\n\r\n", self.segment)
        return True


def whole(value=None, told=None, **options):
    """A buffered answer: bytes, or JSON."""
    body = value if isinstance(value, bytes) else compact(completion() if value is None else value)
    return Scripted(body, **{"usage": told, **options})


def stream(*events, **options):
    return Scripted(b"".join(events), **{"content_type": "text/event-stream", "framing": "chunked", **options})


def refusal(status, error=None, fields=(), **options):
    """`error`: the members of the error object, or the whole body as bytes."""
    body = error if isinstance(error, bytes) else compact({"error": error or {"message": "scripted", "type": "scripted", "code": None}})
    return Scripted(body, status=status, fields=tuple(fields), **options)


def good_stream(text="hello", told=(20, 0, 10), **options):
    """Role, content, end, usage, [DONE]."""
    return stream(ROLE, said(text), STOP, event(chunk(usage=usage(told[0], told[2], cached=told[1]))), DONE, usage=told, **options)


class Provider:
    """Answers its requests with what was scripted, in order. What nobody scripted gets a 500, and fails the audit."""

    def __init__(self):
        self.requests = []
        self.failures = []
        self._script = collections.deque()
        self._always = None
        self._bill = []
        self._open = set()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def will(self, *answers):
        """The next requests get these, one each."""
        with self._lock:
            self._script.extend(answers)

    def always(self, answer):
        """What a request gets when nothing else is scripted."""
        self._always = answer

    def bill(self):
        with self._lock:
            return list(self._bill)

    def forget_unplayed(self):
        """How many answers nobody came for."""
        with self._lock:
            left = len(self._script)
            self._script.clear()
            return left

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection.makefile("rb") as reader:
                while (peer := self._read(connection, reader)) and self._take(peer):
                    pass
        except (Gone, OSError, ValueError):
            pass
        finally:
            connection.close()
            with self._lock:
                self._open.discard(connection)

    def _read(self, connection, reader):
        line = reader.readline()
        if not line:
            return None
        fields = []
        while (field := reader.readline()) not in (b"\r\n", b""):
            name, _, value = field.decode("latin-1").rstrip("\r\n").partition(":")
            fields.append((name, value.strip()))
        with self._lock:
            early = bool(self._script) and self._script[0].early
        length = 0 if early else next((int(value) for name, value in fields if name.lower() == "content-length"), 0)
        return Peer(connection, line.decode("latin-1").strip(), fields, reader.read(length))

    def _take(self, peer):
        with self._lock:
            self.requests.append(peer)
            answer = self._script.popleft() if self._script else self._always
            if answer is None:
                self.failures.append("a request that nobody expected")
                answer = refusal(500)
            self._bill.append(self._line(peer, answer))
        return answer.play(peer)

    def _line(self, peer, answer):
        prompt, cached, output = answer.usage or (0, 0, 0)
        return {"client_request_id": peer.field("x-client-request-id"),
                "status": answer.status if answer.billed is None else answer.billed,
                "reported": answer.usage is not None, "prompt_tokens": prompt, "cached_tokens": cached, "cache_write_tokens": 0,
                "completion_tokens": output, "cost": cost_at_rates(prompt, cached, output),
                "end": "done" if answer.end == "whole" else "cut"}

    def expect_nothing_unasked(self):
        """Oracle I5: no field but those of the allow-list, each once; and no request that the test did not foresee."""
        failures, self.failures = self.failures, []
        assert not failures, failures
        for request in self.requests:
            names = [name.lower() for name, _ in request.fields]
            assert set(names) <= FIELDS and len(set(names)) == len(names), request.fields

    def stop(self):
        # shutdown wakes a thread that waits in accept; close alone would not.
        with self._lock:
            waiting = [self._socket, *self._open]
        for one in waiting:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()
