"""The street outside: raw bytes to fairlead's door, and a listener that keeps every byte which fairlead sends out."""
import contextlib
import dataclasses
import json
import socket
import ssl
import threading

from harness.daemon import CLIENT_KEY, OTHER_KEY, Fairlead, sha256
from harness.http import Answer
from harness.process import PATIENCE

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}


def http_answer(status=200, body=b"", fields=(("Content-Type", "application/json"),), close=False):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join(lines + (["Connection: close"] if close else [])).encode() + b"\r\n\r\n" + content


def completion(text="hello", **fields):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": USAGE, **fields}


@dataclasses.dataclass
class Received:
    """A request as it came: the line, the fields in their order, the body."""
    line: str
    fields: list
    body: bytes
    connection: int

    def values(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]


class Listener:
    """Takes connections on a free port of loopback, one thread each; counts them and closes them all in the end."""

    def __init__(self):
        self.connections = 0
        self._open = set()
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(PATIENCE)
            with self._lock:
                self.connections += 1
                number = self.connections
                self._open.add(connection)
            threading.Thread(target=self._run, args=(connection, number), daemon=True).start()

    def _run(self, connection, number):
        with contextlib.suppress(OSError, ValueError):
            self.serve(connection, number)
        with self._lock:
            self._open.discard(connection)
        with contextlib.suppress(OSError):
            connection.close()

    def serve(self, connection, number):
        raise NotImplementedError

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Recorder(Listener):
    """A provider in a few lines. `answer` is a function from a Received to the answer's bytes; None stands for a completion.

    A function may take a second parameter, the socket, and write to it itself. With a `context` it speaks TLS.
    """

    def __init__(self, answer=None, context=None):
        self.answer = answer or (lambda request: http_answer(body=completion()))
        self.context = context
        self.requests, self.malformed, self.handshake_failures, self.resumed = [], [], [], []
        super().__init__()
        self.url = f"{'https' if context else 'http'}://{self.address}/v1"

    def serve(self, connection, number):
        if self.context:
            try:
                connection = self.context.wrap_socket(connection, server_side=True)
            except (ssl.SSLError, OSError) as error:
                self.handshake_failures.append(error)
                return
            self.resumed.append(connection.session_reused)
        with connection, connection.makefile("rb") as reader:
            while request := self._read(reader, number):
                self.requests.append(request)
                answer = self.answer(request)
                if callable(answer):
                    answer(connection)
                    return
                connection.sendall(answer)
                if b"\r\nConnection: close\r\n" in answer:
                    return

    def _read(self, reader, number):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = reader.readline(1 << 16)
            if not line:
                if head:
                    self.malformed.append(head)
                return None
            head += line
        lines = head.decode("latin-1").split("\r\n")[:-2]
        fields = [tuple(line.split(": ", 1)) for line in lines[1:]]
        length = [value for name, value in fields if name == "Content-Length"]
        if any(len(field) != 2 for field in fields) or len(length) != 1 or "\n" in "".join(lines):
            self.malformed.append(head)
            return None
        return Received(lines[0], fields, reader.read(int(length[0])), number)


def config_of(**providers):
    """Providers by name, each a base_url or its section; the route of each has its name, and `all` has them in order."""
    def section(given):
        given = {"base_url": given} if isinstance(given, str) else given
        return {"profile": "openai", "api_key": "${env:FAIRLEAD_TEST_PROVIDER_KEY}", "idle_connection_ms_max": "1s", **given}

    targets = {name: f"{name}/m" for name in providers}
    return {
        "listen": ["127.0.0.1:0"], "admin": "127.0.0.1:0", "ledger": "sqlite:ledger.db", "workers": 1, "log": {"requests": "all"},
        "providers": {name: section(given) for name, given in providers.items()},
        "routes": {"all": {"targets": list(targets.values()), "strategy": "ordered"},
                   **{name: {"targets": [target], "fallback": False} for name, target in targets.items()}},
        "keys": [{"name": "app", "hash": sha256(CLIENT_KEY), "team": "payments", "routes": ["all", *targets], "targets": True},
                 {"name": "other", "hash": sha256(OTHER_KEY), "team": "treasury", "routes": ["all"]}],
    }


@contextlib.contextmanager
def serving(folder, config):
    """A fairlead with this configuration; audited for secrets and stopped in the end."""
    daemon = Fairlead(folder, config)
    try:
        yield daemon
        daemon.expect_no_secrets()
    finally:
        daemon.stop()


def dial(address, context=None, name=None):
    host, _, port = address.rpartition(":")
    connection = socket.create_connection((host, int(port)), timeout=PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(connection, server_hostname=name) if context else connection


def read_to_end(connection):
    """All bytes until the other side closes, be it hard."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(65536):
            received += piece
    return received


def talk(address, sent, pieces=0, context=None, name=None):
    """Sends the bytes (in pieces of this size) and gives the answers until the connection is closed."""
    with dial(address, context, name) as connection:
        with contextlib.suppress(ConnectionError):
            for at in range(0, len(sent), pieces or len(sent)):
                connection.sendall(sent[at:at + (pieces or len(sent))])
        return answers_in(read_to_end(connection))


def answers_in(received):
    """The HTTP answers in these bytes; those of status 100 are left out. What is no answer is an assertion."""
    answers = []
    while received:
        head, found, received = received.partition(b"\r\n\r\n")
        assert found and head.startswith(b"HTTP/1."), f"this is no head: {head[:200]}"
        lines = head.decode("latin-1").split("\r\n")
        answer = Answer(status=int(lines[0].split(" ")[1]), complete=True)
        answer.fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if answer.fields.get("transfer-encoding") == "chunked":
            while True:
                size, found, received = received.partition(b"\r\n")
                answer.complete = bool(found) and len(received) >= int(size, 16) + 2
                if not answer.complete:
                    received = b""
                    break
                answer.body += received[:int(size, 16)]
                received = received[int(size, 16) + 2:]
                if int(size, 16) == 0:
                    break
        else:
            length = int(answer.fields.get("content-length", "0"))
            answer.body, received = received[:length], received[length:]
            answer.complete = len(answer.body) == length
        if answer.status >= 200:
            answers.append(answer)
    return answers


def expect_openai_error(answer, status):
    """An error as OpenAI's SDKs know it."""
    assert answer.status == status, (answer.status, answer.body[:300])
    assert answer.fields["content-type"] == "application/json"
    error = answer.json()["error"]
    assert set(error) >= {"message", "type", "param", "code"} and error["message"]
    return error
