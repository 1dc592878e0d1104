"""A small HTTP client that sees every byte, leaves when it is told to, and is quick enough for storms."""
import asyncio
import dataclasses
import json


@dataclasses.dataclass
class Answer:
    status: int = 0  # 0: nothing came
    fields: dict = dataclasses.field(default_factory=dict)
    body: bytes = b""
    complete: bool = False  # it ended as HTTP says that it should

    def json(self):
        return json.loads(self.body)

    def events(self):
        """The data of a stream's events, parsed but for [DONE]."""
        data = [line[5:].strip().decode() for line in self.body.splitlines() if line.startswith(b"data:")]  # of bytes: U+2028 ends no line
        return [text if text == "[DONE]" else json.loads(text) for text in data]

    @property
    def request_id(self):
        return self.fields.get("x-request-id")


def chat(content, model="chat", **fields):
    return {"model": model, "messages": [{"role": "user", "content": content}], **fields}


def request_bytes(method, path, key=None, body=None, fields=()):
    """A request as bytes; `body` is sent as JSON, or as it is."""
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    if key:
        lines.append(f"Authorization: Bearer {key}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in fields]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


class Connection:
    """One keep-alive connection to an address such as '127.0.0.1:8080'."""

    def __init__(self, address):
        self.host, _, self.port = address.rpartition(":")
        self.reader = self.writer = None

    async def exchange(self, request, leave_after=None):
        """Sends the request and reads the answer; leaves (with a RST) once `leave_after` bytes of its body came."""
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, int(self.port), limit=1 << 24)
        answer = Answer()
        try:
            self.writer.write(request)
            await self.writer.drain()
            await self._read_head(answer)
            left = await self._read_body(answer, leave_after)
            if left or answer.fields.get("connection", "").lower() == "close":
                self.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            self.close()
        return answer

    async def _read_head(self, answer):
        while True:
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            answer.status = int(head[0].split(" ")[1])
            if answer.status >= 200:
                break
        for line in head[1:]:
            name, _, value = line.partition(":")
            if name:
                answer.fields[name.lower()] = value.strip()

    async def _read_body(self, answer, leave_after):
        """True if it left before the end."""
        def enough():
            return leave_after is not None and len(answer.body) >= leave_after

        if answer.fields.get("transfer-encoding", "").lower() == "chunked":
            while not enough():
                size = int((await self.reader.readuntil(b"\r\n")).split(b";")[0], 16)
                piece = await self.reader.readexactly(size + 2)
                if size == 0:
                    answer.complete = True
                    return False
                answer.body += piece[:-2]
            return True
        left = int(answer.fields.get("content-length", "0"))
        while left and not enough():
            piece = await self.reader.read(min(left, 65536))
            if not piece:
                raise ConnectionResetError
            answer.body += piece
            left -= len(piece)
        answer.complete = left == 0
        return left > 0

    def close(self):
        if self.writer is not None:
            self.writer.transport.abort()
        self.reader = self.writer = None


def send(address, method, path, key=None, body=None, fields=(), leave_after=None):
    """One request on a connection of its own."""
    async def once():
        connection = Connection(address)
        try:
            return await asyncio.wait_for(connection.exchange(request_bytes(method, path, key, body, fields), leave_after), 60)
        finally:
            connection.close()

    return asyncio.run(once())


def post_chat(daemon, body, key=None, leave_after=None, fields=()):
    return send(daemon.address, "POST", "/v1/chat/completions", key or daemon.key, body, fields, leave_after)


def text_of(answer):
    """The text of a whole answer, streamed or not."""
    if answer.fields.get("content-type", "").startswith("text/event-stream"):
        deltas = [event["choices"][0]["delta"] for event in answer.events() if event != "[DONE]" and event.get("choices")]
        return "".join(delta.get("content") or "" for delta in deltas)
    return answer.json()["choices"][0]["message"]["content"]
