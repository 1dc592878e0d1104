"""Sizes, slowness and departures: what is too much is refused in time, and whoever leaves takes everything along."""
import asyncio
import contextlib
import json
import os
import socket
import struct
import threading
import time

import pytest

from harness import books
from harness.daemon import CLIENT_KEY, PROMPT_CANARY, PROVIDER_KEY, Fairlead, config_for
from harness.http import Connection, chat, post_chat, request_bytes, send
from harness.process import Program, wait_until
from harness.shim import preloaded
from harness.stage import SANITIZED
from harness.street import Recorder, answers_in, config_of, dial, expect_openai_error, read_to_end, serving, talk

ABORTED = int(os.environ.get("FAIRLEAD_ABORTED_REQUESTS", "500"))
SOON = float(os.environ.get("FAIRLEAD_SOON_SECONDS", "3" if SANITIZED else "1"))  # within a second, but for sanitizers on busy machines
MB = 1_000_000


def body_of(size):
    """A chat request of exactly this size, as pictures make them."""
    frame = (b'{"model":"openai","messages":[{"role":"user","content":[{"type":"text","text":"hello"},'
             b'{"type":"image_url","image_url":{"url":"data:image/png;base64,%s"}}]}]}')
    return frame % (b"A" * (size - len(frame) + 2))


def chunked(body, chunk=1 << 20):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                    for piece in (body[at:at + chunk] for at in range(0, len(body), chunk))) + b"0\r\n\r\n"


def head_of(framing):
    return (f"POST /v1/chat/completions HTTP/1.1\r\nHost: fairlead\r\nAuthorization: Bearer {CLIENT_KEY}\r\n"
            f"Content-Type: application/json\r\n{framing}\r\n\r\n").encode()


def exchange(address, request):
    """Sends it all, or as much as is taken, and reads one answer. (answer, whether it all was sent)."""
    with dial(address) as connection:
        sent = []

        def write():
            with contextlib.suppress(OSError):
                connection.sendall(request)
                sent.append(True)

        writer = threading.Thread(target=write)
        writer.start()
        received = b""
        while not (answers := answers_in(received) if b"\r\n\r\n" in received else []) or not answers[0].complete:
            piece = connection.recv(65536)
            assert piece, received
            received += piece
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        writer.join()
        return answers[0], bool(sent)


# --- bodies ---

@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("size, status", [(0.9, 200), (1.1, 200), (8, 200), (20, 200), (60, 413)])
def test_bodies_pass_up_to_the_limit_and_no_further_M63(daemon, simulator, settled, size, status, framing):
    body = body_of(int(size * MB))
    head = head_of(f"Content-Length: {len(body)}" if framing == "length" else "Transfer-Encoding: chunked")
    answer, _ = exchange(daemon.address, head + (body if framing == "length" else chunked(body)))
    if status == 413:
        assert expect_openai_error(answer, 413)["code"] == "request_too_large"
        assert answer.fields["connection"] == "close"
        assert simulator.bill() == [] and daemon.ledger().requests == []
    else:
        assert answer.status == 200, answer
        (line,) = wait_until(simulator.bill, "the bill")
        assert line["request_bytes"] >= size * MB - 100
        books.expect_balance(settled(), [line])
    assert post_chat(daemon, chat("hello")).status == 200


def test_the_limit_is_exact_M63(start):
    daemon = start(lambda config: config.update(limits={"body_bytes_max": "4KiB"}))
    for body, status in ((body_of(4096), 200), (body_of(4097), 413)):
        for request in (head_of(f"Content-Length: {len(body)}") + body, head_of("Transfer-Encoding: chunked") + chunked(body, 100)):
            assert exchange(daemon.address, request)[0].status == status


def test_an_announced_length_is_refused_before_the_body_comes_M63(daemon):
    for length in (60 * MB, 2**63 - 1):
        (answer,) = talk(daemon.address, head_of(f"Content-Length: {length}"))  # not one byte of the body follows
        expect_openai_error(answer, 413)


def test_endless_chunks_are_refused_at_the_limit_M63(start):
    """The last chunk never comes: the refusal does not wait for it."""
    daemon = start(lambda config: config.update(limits={"body_bytes_max": "1MiB"}))
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with dial(daemon.address) as connection:
        connection.sendall(head_of("Transfer-Encoding: chunked") + chunk * 17)
        expect_openai_error(answers_in(connection.recv(65536))[0], 413)


def test_a_thousand_small_chunks_and_one_byte_chunks_pass_M63(daemon):
    body = body_of(3000)
    assert exchange(daemon.address, head_of("Transfer-Encoding: chunked") + chunked(body, 1))[0].status == 200


@pytest.mark.parametrize("extra, status", [
    ("X-Long: " + "x" * 40_000, 431), ("\r\n".join(f"X-{n}: y" for n in range(120)), 431), ("X-Long: " + "x" * 20_000, 200),
], ids=["bytes", "fields", "within"])
def test_heads_have_limits(daemon, extra, status):
    first = f"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {CLIENT_KEY}\r\nConnection: close\r\n"
    (answer,) = talk(daemon.address, f"{first}{extra}\r\n\r\n".encode())
    assert answer.status == status
    assert answer.json()


def test_an_endless_head_is_refused_at_the_limit(daemon):
    for sent in (b"GET /" + b"a" * 200_000, b"G" * 200_000, b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 30_000):
        (answer,) = talk(daemon.address, sent)
        expect_openai_error(answer, 431)


# --- Expect ---

def test_expect_100_continue_is_answered_before_the_body(daemon):
    body = body_of(2000)
    with dial(daemon.address) as connection:
        connection.sendall(head_of(f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        (answer,) = answers_in(read_to_end(connection))
        assert answer.status == 200


def test_expect_100_continue_of_what_is_refused_anyway_gets_the_refusal(daemon):
    (answer,) = talk(daemon.address, head_of(f"Content-Length: {60 * MB}\r\nExpect: 100-continue"))
    expect_openai_error(answer, 413)


def test_a_body_that_did_not_wait_for_100_continue_is_read(daemon):
    body = body_of(2000)
    (answer,) = talk(daemon.address, head_of(f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\nConnection: close") + body)
    assert answer.status == 200


# --- slowness ---

def trickle(connection, first, then, answer_within):
    """Sends `then` byte by byte until the other side is heard; what it says, and after how long."""
    begun = time.monotonic()
    connection.sendall(first)
    connection.setblocking(False)
    received = b""
    while time.monotonic() - begun < answer_within:
        with contextlib.suppress(BlockingIOError):
            piece = connection.recv(65536)
            received += piece
            if not piece:
                return received, time.monotonic() - begun
        with contextlib.suppress(BlockingIOError, ConnectionError):
            connection.send(then)
        threading.Event().wait(0.02)  # the pace of a slow sender
    raise AssertionError(f"still open after {answer_within} s: {received}")


@pytest.mark.parametrize("first, then", [
    (b"POST /v1/chat", b"x"), (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X"),
    (b"", b"G"),
    (b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 100000\r\n\r\n{" % CLIENT_KEY.encode(), b" "),
    (b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
], ids=["line", "field", "from the first byte", "body", "chunks"])
def test_a_slow_sender_is_cut_off_in_time(start, first, then):
    daemon = start(lambda config: config.update(limits={"head_ms_max": "300ms", "body_ms_max": "300ms"}))
    with dial(daemon.address) as connection:
        received, seconds = trickle(connection, first, then, 30)
        expect_openai_error(answers_in(received)[0], 408)
        assert seconds >= 0.25
    assert post_chat(daemon, chat("hello")).status == 200


def test_a_hundred_slow_senders_keep_nobody_out(start):
    daemon = start(lambda config: config.update(limits={"head_ms_max": "30s"}))
    files = daemon.open_files()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(dial(daemon.address)).sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost")
        wait_until(lambda: daemon.open_files() >= files + 100, "the slow ones")
        assert post_chat(daemon, chat("hello")).status == 200
    wait_until(lambda: daemon.open_files() <= files + 1, "the slow ones to be gone")


def test_an_idle_connection_is_closed_without_a_word(start):
    daemon = start(lambda config: config.update(limits={"keep_alive_ms_max": "200ms"}))
    with dial(daemon.address) as connection:
        assert connection.recv(100) == b""
    with dial(daemon.address) as connection:
        connection.sendall(request_bytes("GET", "/v1/models", CLIENT_KEY))
        assert [answer.status for answer in answers_in(read_to_end(connection))] == [200]


def test_connections_beyond_the_limit_are_refused_and_the_others_served(start):
    daemon = start(lambda config: config.update(limits={"connections_max": 3}, workers=1))
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(dial(daemon.address)) for _ in range(3)]
        for connection in kept:
            connection.sendall(request_bytes("GET", "/v1/models", CLIENT_KEY))
            assert b" 200 " in connection.recv(65536)
        with dial(daemon.address) as one_more:
            assert read_to_end(one_more) == b""
        assert daemon.gauge("fairlead_refused_connections") == 1
        kept[0].sendall(request_bytes("GET", "/v1/models", CLIENT_KEY))
        assert b" 200 " in kept[0].recv(65536)
    wait_until(lambda: send_models(daemon) == 200, "room")


def test_few_descriptors_are_shared_and_the_admin_side_answers(tmp_path, simulator):
    daemon = Fairlead(tmp_path, config_for(simulator.url), under=["prlimit", "--nofile=96"])
    assert daemon.events("descriptors_few")[0]["descriptors"] == 96
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(dial(daemon.address)) for _ in range(60)]
        wait_until(lambda: daemon.gauge("fairlead_refused_connections") > 30, "those beyond the room to be closed")
        assert daemon.admin_get("/readyz")[0] == 200
        served = 0
        for connection in idle:
            with contextlib.suppress(ConnectionError):
                connection.sendall(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("hello", "openai")))
                answer = connection.recv(65536)
                assert answer == b"" or b" 200 " in answer, answer
                served += answer != b""
        assert served >= 10
    daemon.wait_for("connections_refused")
    daemon.stop()


NO_SIGNALFD = """
#include <errno.h>
#include <signal.h>
int signalfd(int descriptor, const sigset_t* mask, int flags) {
  return errno = EMFILE, -1;
}
"""


def test_a_start_that_lacks_one_descriptor_says_so_and_ends(tmp_path, simulator):
    """Signals' alone is lacking: without any descriptor, sanitizers report what is none of the program's."""
    (tmp_path / "fairlead.yaml").write_text(json.dumps(config_for(simulator.url)))
    program = Program(["serve", "--config", "fairlead.yaml"], cwd=tmp_path, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY},
                      under=preloaded(tmp_path, NO_SIGNALFD))
    assert program.wait() == 1
    assert "Too many open files" in program.events("not_started")[0]["reason"], program.output


def send_models(daemon):
    return send(daemon.address, "GET", "/v1/models", CLIENT_KEY).status


def test_an_app_that_does_not_read_is_left_and_its_attempt_settled(start, simulator):
    daemon = start(lambda config: config.update(limits={"write_ms_max": "300ms"}))
    with dial(daemon.address) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("[[sim endless]] hello", "openai", stream=True)))
        ledger = wait_until(lambda: (rows := daemon.ledger()).attempts and rows.all_settled() and rows, "the attempt to settle")
        assert ledger.attempts[0]["ended_by"] == "app" and ledger.attempts[0]["usage_source"] == "estimated"
        books.expect_balance(ledger, wait_until(simulator.bill, "the bill"))


# --- departures ---

class Dripping:
    """A provider's answer that does not end by itself: an event every few milliseconds, or nothing at all."""

    def __init__(self, silent=False):
        self.silent = silent
        self.begun, self.closed_at = threading.Event(), None

    def __call__(self, connection):
        connection.settimeout(None)
        if not self.silent:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.begun.set()
        event = (b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m",'
                 b'"choices":[{"index":0,"delta":{"content":"drop "}}]}\n\n')
        connection.settimeout(0.01)
        with contextlib.suppress(ConnectionError):
            while True:
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1) == b"":
                        break
                if not self.silent:
                    connection.sendall(b"%x\r\n%s\r\n" % (len(event), event))
        self.closed_at = time.monotonic()


def leave(connection, how):
    if how == "RST":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    else:
        connection.shutdown(socket.SHUT_WR)


@pytest.mark.parametrize("how", ["FIN", "RST"])
@pytest.mark.parametrize("when", ["before the first byte", "mid-answer", "with another request waiting"])
def test_a_departure_is_passed_on_within_a_second_and_settled_M44(tmp_path, how, when):
    silent = when != "mid-answer"
    dripping = Dripping(silent)
    with Recorder(lambda request: dripping) as provider, serving(tmp_path, config_of(near=provider.url, second=provider.url)) as daemon:
        files = daemon.open_files()
        with dial(daemon.address) as connection:
            connection.sendall(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("x", "all", stream=True)))
            assert dripping.begun.wait(60)
            if when == "with another request waiting":
                connection.sendall(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("y", "all", stream=True)))
            if not silent:
                assert b"drop" in connection.recv(65536)
            left_at = time.monotonic()
            leave(connection, how)
            wait_until(lambda: dripping.closed_at, "the provider's connection to be closed")
            assert dripping.closed_at - left_at < SOON
            ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows.attempts and rows, "the attempt to settle")
            assert time.monotonic() - left_at < 2 * SOON
            (attempt,), (request,) = ledger.attempts, ledger.requests
            assert attempt["ended_by"] == request["ended_by"] == "app" and attempt["error"] == "app_gone"
            assert attempt["usage_source"] == "estimated" and attempt["input_tokens"] > 0
            assert (attempt["output_tokens"] or 0) > 0 if not silent else not attempt["output_tokens"]
            assert len(provider.requests) == 1, "no other attempt begins"
        wait_until(lambda: daemon.open_files() <= files, "the connections to close")


def test_a_departure_during_a_backoff_ends_it_M44(daemon, simulator):
    with dial(daemon.address) as connection:
        connection.sendall(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("[[sim status=429 retry_after=3]] x", "openai")))
        wait_until(simulator.bill, "the first refusal")
        leave(connection, "RST")
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows.requests and rows, "the request to settle")
    assert len(ledger.attempts) == len(simulator.bill(at_least=1)) == 1
    assert ledger.requests[0]["ended_by"] == "app" or ledger.requests[0]["http_status"] == 0


def test_five_hundred_aborted_requests_leave_nothing_open_I6(daemon, simulator):
    for _ in range(8):
        post_chat(daemon, chat("hello"))
    wait_until(lambda: idle(daemon), "the pool to be empty")
    files, threads = daemon.open_files(), thread_count(daemon)
    kinds = [({"stream": True}, "[[sim chunks=500 chunk_ms=5]]", 300), ({"stream": True}, "[[sim stall=head]]", 0),
             ({}, "[[sim delay_ms=2000]]", 0), ({"stream": True}, "[[sim stall=before]]", 0), ({}, "[[sim chunks=100 chunk_ms=20]]", 0)]

    async def abort(number):
        fields, words, after = kinds[number % len(kinds)]
        connection = Connection(daemon.address)
        request = request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat(f"{words} {PROMPT_CANARY}", "openai", **fields))
        if after:
            return await connection.exchange(request, after)
        connection.reader, connection.writer = await asyncio.open_connection(connection.host, int(connection.port))
        connection.writer.write(request[:-1 - number % 7] if number % 10 == 4 else request)
        await connection.writer.drain()
        if number % 2:
            await asyncio.sleep(0)
            connection.writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(connection.reader.read(), 60)
        connection.close()

    async def all_of_them():
        gate = asyncio.Semaphore(50)

        async def one(number):
            async with gate:
                await abort(number)

        await asyncio.gather(*(one(number) for number in range(ABORTED)))

    asyncio.run(all_of_them())
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "all rows to settle")
    reached = {f"{a['request_id']}-{a['number']}" for a in ledger.attempts if a["phase"] not in ("connect", "send")}
    bill = wait_until(lambda: len(lines := simulator.bill()) >= len(reached) and lines, "the bill")
    books.expect_balance(ledger, bill)
    wait_until(lambda: idle(daemon) and daemon.open_files() <= files, "open files to return to where they were")
    assert thread_count(daemon) == threads
    assert post_chat(daemon, chat("hello")).status == 200


def gauge(daemon, name):
    (value,) = [float(line.split()[-1]) for line in daemon.admin_get("/metrics")[1].splitlines() if line.startswith(name + " ")]
    return value


def idle(daemon):
    return gauge(daemon, "fairlead_app_connections") == gauge(daemon, "fairlead_upstream_connections") == 0


def thread_count(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/task"))
