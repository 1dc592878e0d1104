"""Streams and bytes: however an answer is cut into segments it is the same answer, and what need not change does not."""
import gzip
import json
import re
import socket
import time
import zlib

import pytest

from harness.daemon import PROMPT_CANARY, TARGETS
from harness.http import chat, post_chat, request_bytes, text_of
from harness.process import wait_until
from harness.stage import SANITIZED, Stage
from harness.upstream import (
    DONE, ROLE, STOP, Gone, Scripted, chunk, compact, completion, event, good_stream, refusal, said, stream, usage, whole)

HELLO = f"Say hello, {PROMPT_CANARY}"
MIB = 1 << 20
EVENT_MAX = 2 * MIB   # of the stage `small`
SLACK = 8 * MIB if not SANITIZED else 512 * MIB  # what a sanitizer keeps of freed memory tells nothing of ours
TOLD = (20, 4, 10)
USAGE_EVENT = event(chunk(usage=usage(20, 10, cached=4)))
KEEP_ALIVE_CHUNK = b"e\r\n: keep-alive\n\n\r\n"
WORDS = "Größe, 東京タワー, 🦊🏳️‍🌈, \u2028 end"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("streams"), {
        "generic": "generic", "deepseek-like": "deepseek", "qwen-like": "qwen", "openai-like": "openai", "vllm-like": "vllm",
        "ollama-like": "ollama"}, lambda config: config["limits"].update(attempts_max=1))
    yield stage
    stage.close()


@pytest.fixture
def stage(made):
    yield made
    made.audit()


@pytest.fixture
def small(tmp_path):
    """Small limits, and two providers to fall back between."""
    def change(config):
        config["limits"].update(event_bytes_max=EVENT_MAX, answer_bytes_max=EVENT_MAX, body_bytes_max=EVENT_MAX)
        config["timeouts"] = {"first_byte": "30s", "idle": "2s" if SANITIZED else "500ms"}
        for name in ("first", "second"):
            config["providers"][name]["idle_connection_ms_max"] = "50ms"  # so that the end of each test waits for little

    made = Stage(tmp_path, {"first": "generic", "second": "generic"}, change)
    yield made
    made.close()


def ask(stage, model="generic", content=HELLO, **fields):
    return post_chat(stage.daemon, chat(content, model, stream=True, **fields))


def row_of(stage, answer):
    _, (attempt,) = stage.rows(answer)
    return {name: attempt[name] for name in ("input_tokens", "cached_input_tokens", "output_tokens", "usd_pico", "usage_source", "error",
                                             "finish_reason", "reported_model", "upstream_id")}


# --- segments ----------------------------------------------------------------------------------------------------------

# A comment before the content is a sign of life, which passes only if the app has waited; one after it passes always.
BODY = b"".join([ROLE, said(WORDS), b": a comment\n\n", *(said(WORDS) for _ in range(19)), event(chunk(finish="stop", usage=None)), DONE])
EXPECTED = BODY.replace(b',"usage":null', b"")


@pytest.mark.parametrize("piece", [0, 1, 5], ids=["one chunk", "1 byte a chunk", "5 bytes a chunk"])
@pytest.mark.parametrize("segment", [0, 1, 3, 65536], ids=["whole", "1 byte", "3 bytes", "64 KiB"])
def test_a_stream_is_the_same_in_any_segments_M26_M27(stage, segment, piece):
    stage.providers["generic"].will(
        stream(BODY.removesuffix(DONE), USAGE_EVENT, DONE, segment=segment, piece=piece, usage=TOLD))
    answer = ask(stage)
    assert answer.body == EXPECTED and answer.complete
    assert text_of(answer) == WORDS * 20
    assert row_of(stage, answer) == {
        "input_tokens": 16, "cached_input_tokens": 4, "output_tokens": 10, "usd_pico": 56_400_000, "usage_source": "reported", "error": "",
        "finish_reason": "stop", "reported_model": "m", "upstream_id": "chatcmpl-scripted"}


@pytest.mark.parametrize("ending", [b"\r\n", b"\r"], ids=["CR LF", "CR"])
@pytest.mark.parametrize("segment", [0, 1])
def test_line_ends_of_any_kind_end_lines_M27(stage, segment, ending):
    body = b"".join([ROLE, said(WORDS), STOP, USAGE_EVENT, DONE]).replace(b"\n", ending)
    stage.providers["generic"].will(stream(body, segment=segment, usage=TOLD))
    answer = ask(stage)
    assert answer.complete and text_of(answer) == WORDS and answer.events()[-1] == "[DONE]"
    assert row_of(stage, answer)["output_tokens"] == 10


@pytest.mark.parametrize("segment", [0, 1, 65536])
def test_a_buffered_answer_is_the_same_in_any_segments_M26(stage, segment):
    body = compact(completion(WORDS * 50, told=usage(20, 10, cached=4)))
    for framing in ("length", "chunked", "close"):
        stage.providers["generic"].will(whole(body, told=TOLD, segment=segment, framing=framing, piece=7))
        answer = post_chat(stage.daemon, chat(HELLO, "generic"))
        assert answer.body == body and answer.complete
        assert row_of(stage, answer)["output_tokens"] == 10


@pytest.mark.parametrize("words", ["unicode", "unicode split", "unicode split crlf", "unicode split gzip"])
@pytest.mark.parametrize("provider", TARGETS)
def test_the_providers_own_habits_survive_one_byte_a_write_M26_M27(stage, provider, words):
    prompt = f"[[sim bytes=400 cached=16 {words}]] {HELLO}"
    buffered, streamed = post_chat(stage.daemon, chat(prompt, provider)), ask(stage, provider, prompt)
    assert text_of(buffered) == text_of(streamed) and len(text_of(streamed)) > 100
    rows = [row_of(stage, answer) for answer in (buffered, streamed)]
    assert rows[0]["usd_pico"] == rows[1]["usd_pico"] > 0 and rows[0]["output_tokens"] == rows[1]["output_tokens"]


# --- size --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("segment", [0, 65536])
def test_a_line_of_8_MiB_passes_M28(stage, segment):
    line = said("x" * (8 * MIB))
    stage.providers["generic"].will(stream(ROLE, line, STOP, USAGE_EVENT, DONE, segment=segment, piece=segment, usage=TOLD))
    stage.forget_peak()
    answer = ask(stage)
    assert answer.body == ROLE + line + STOP + DONE
    assert stage.peak_growth() <= 3 * len(line) + SLACK


def test_a_chunk_of_8_MiB_of_a_provider_passes_M28(stage):
    answer = ask(stage, "openai", f"[[sim line_mb=8]] {HELLO}")
    assert answer.complete and answer.events()[-1] == "[DONE]" and len(answer.body) > 8 * MIB


def test_an_app_that_reads_slowly_gets_all_and_holds_its_provider_back(stage):
    lines = [said(f"{i} " + "x" * MIB) for i in range(48)]
    tail = STOP + USAGE_EVENT + DONE
    sent = []

    def more(peer):
        for line in [*lines, tail]:
            peer.send(b"%x\r\n%b\r\n" % (len(line), line))
            sent.append(line)

    stage.providers["generic"].will(stream(ROLE, then=more, usage=TOLD))
    stage.forget_peak()
    with socket.socket() as app:
        app.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        app.settimeout(60)
        host, _, port = stage.daemon.address.rpartition(":")
        app.connect((host, int(port)))
        app.sendall(request_bytes("POST", "/v1/chat/completions", stage.daemon.key, chat(HELLO, "generic", stream=True)))
        wait_until(lambda: sent, "the first of it to be on its way")  # and nobody reads
        raw = bytearray()
        while not raw.endswith(b"\r\n0\r\n\r\n"):
            piece = app.recv(32768)
            assert piece, "cut"
            raw += piece
            assert len(sent) <= len(raw) // MIB + 24, "what the app has not read is with its provider, but for what the sockets hold"
    assert unchunked(bytes(raw)) == ROLE + b"".join(lines) + STOP + DONE
    assert stage.peak_growth() <= SLACK


def unchunked(raw):
    _, _, rest = raw.partition(b"\r\n\r\n")
    body = bytearray()
    while True:
        line, _, rest = rest.partition(b"\r\n")
        size = int(line, 16)
        if size == 0:
            return bytes(body)
        body += rest[:size]
        rest = rest[size + 2:]


def endless(lead, filler=b"x" * 65536, **options):
    """`lead`, and then bytes until fairlead hangs up. `sent` tells how many went out, at the end."""
    sent = []

    def more(peer):
        count = 0
        try:
            while True:
                peer.send(b"%x\r\n%b\r\n" % (len(filler), filler))
                count += len(filler)
        finally:
            sent.append(count)

    return sent, stream(*lead, then=more, end="fin", **options)


def test_an_endless_line_is_cut_off_at_the_limit_M29(small):
    sent, answer_of_provider = endless([ROLE, said("hello"), b'data: {"choices":[{"delta":{"content":"'])
    small.providers["first"].will(answer_of_provider)
    small.forget_peak()
    answer = ask(small, "pair")
    assert answer.status == 200 and answer.complete and text_of_prefix(answer) == "hello"
    assert answer.events()[-1]["error"]["code"] == "upstream_protocol" and b"[DONE]" not in answer.body
    assert small.peak_growth() <= 2 * EVENT_MAX + SLACK
    wait_until(lambda: sent, "the provider to see the end of its connection")
    assert sent[0] < EVENT_MAX + 16 * MIB  # what the kernel's buffers hold
    attempt = row_of(small, answer)
    assert attempt["error"] == "upstream_protocol" and attempt["usage_source"] == "estimated" and attempt["output_tokens"] == 2


def text_of_prefix(answer):
    """The text of a stream that ended in an error."""
    return "".join(e["choices"][0]["delta"].get("content") or "" for e in answer.events() if e != "[DONE]" and e.get("choices"))


@pytest.mark.parametrize("lead", [[b"data: "], [b": "], [b"event: "], [b'{"error":"'], [ROLE, b"data: "]],
                         ids=["data", "comment", "event", "no stream at all", "after the role"])
def test_an_endless_line_before_any_content_is_another_providers_turn_M29(small, lead):
    small.providers["first"].will(endless(lead)[1])
    small.providers["second"].will(good_stream("from the second"))
    answer = ask(small, "pair")
    assert answer.events()[-1] == "[DONE]" and text_of(answer) == "from the second"
    _, attempts = small.rows(answer)
    assert [attempt["error"] for attempt in attempts] == ["upstream_protocol", ""]


def test_endless_data_lines_of_one_event_are_one_event_M29(small):
    sent, answer_of_provider = endless([ROLE, said("hello")], filler=b"data: \n" * 9000)
    small.providers["first"].will(answer_of_provider)
    answer = ask(small, "first")
    assert answer.events()[-1]["error"]["code"] == "upstream_protocol" and b"[DONE]" not in answer.body
    wait_until(lambda: sent, "the provider to see the end of its connection")


def test_a_refusal_whose_words_hardly_come_holds_up_no_other_provider(small):
    def drip(peer):
        for _ in range(300):
            peer.watch(0.1)
            peer.send(b" ")

    small.providers["first"].will(Scripted(
        raw=b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", then=drip, billed=503))
    small.providers["second"].will(good_stream("from the second"))
    began = time.monotonic()
    assert text_of(ask(small, "pair")) == "from the second"
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("body", ["buffered", "head", "error body"])
def test_an_endless_answer_of_any_other_kind_ends_too_M29(small, body):
    sent = []

    def more(peer):
        try:
            while True:
                peer.send(b"x" * 65536)
                sent.append(65536)
        except Gone:
            sent.append(0)
            raise

    head = {"buffered": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":\"",
            "head": b"HTTP/1.1 200 OK\r\nX-Endless: ",
            "error body": b"HTTP/1.1 500 No\r\nContent-Type: application/json\r\n\r\n{\"error\":\""}[body]
    small.providers["first"].will(Scripted(raw=head, then=more, billed=0 if body == "head" else 500 if body == "error body" else 200))
    small.providers["second"].will(whole(completion("from the second", told=usage()), told=(20, 0, 10)))
    small.forget_peak()
    answer = post_chat(small.daemon, chat(HELLO, "pair"))
    assert answer.status == 200 and text_of(answer) == "from the second"
    assert small.peak_growth() <= 2 * EVENT_MAX + SLACK
    wait_until(lambda: sent and sent[-1] == 0, "the provider to see the end of its connection")
    _, attempts = small.rows(answer)
    assert [attempt["error"] for attempt in attempts] == [
        {"buffered": "upstream_protocol", "head": "upstream_protocol", "error body": "upstream_unavailable"}[body], ""]


# --- signs of life -----------------------------------------------------------------------------------------------------

def test_comments_pass_within_a_stream_and_fire_no_event_M30(stage):
    comments = b"".join(b": keep-alive %d\n\n" % n for n in range(5000))
    stage.providers["generic"].will(
        stream(comments, ROLE, comments, said("hel"), comments, b": one\n: two\n\n\n\n", said("lo"), STOP, comments, USAGE_EVENT, DONE,
               comments, usage=TOLD))
    answer = ask(stage)
    assert answer.complete and answer.body.endswith(DONE) and text_of(answer) == "hello"
    assert comments + b": one\n: two\n\n" + said("lo") in answer.body
    # An SDK fires an event at each blank line after a field: so each must end a comment or data, and never stand alone.
    assert b"\n\n\n" not in answer.body
    assert set(re.findall(rb"(?m)^[^:\n]*", answer.body)) == {b"", b"data"}
    assert row_of(stage, answer)["output_tokens"] == 10


@pytest.mark.parametrize("provider", TARGETS)
def test_the_providers_own_signs_of_life_do_no_harm_M30(stage, provider):
    prompt = f"[[sim keepalive=500 delay_ms=50 bytes=40]] {HELLO}"
    buffered, streamed = post_chat(stage.daemon, chat(prompt, provider)), ask(stage, provider, prompt)
    assert text_of(buffered) == text_of(streamed) and json.loads(buffered.body)["object"] == "chat.completion"
    assert row_of(stage, streamed)["usage_source"] == "reported"


def test_comments_keep_a_stream_alive_beyond_the_idle_limit_M30(small):
    """The idle limit is 500 ms (2 s where a sanitizer slows things down), and the silence between two words is four times that."""
    pause = 0.4 if SANITIZED else 0.1

    def work(peer):
        for _ in range(20):
            peer.watch(pause)
            peer.send(KEEP_ALIVE_CHUNK)
        rest = said("lo") + STOP + USAGE_EVENT + DONE
        peer.send(b"%x\r\n%b\r\n" % (len(rest), rest))

    small.providers["first"].will(stream(ROLE, said("hel"), then=work, usage=TOLD))
    answer = ask(small, "first")
    assert answer.complete and text_of(answer) == "hello" and answer.body.count(b": keep-alive\n\n") == 20


def test_silence_within_a_stream_is_a_declared_end_M31(small):
    seen = []

    def silence(peer):
        try:
            peer.watch(30)
        finally:
            seen.append(True)

    small.providers["first"].will(stream(ROLE, said("hel"), then=silence, end="fin"))
    answer = ask(small, "pair")
    told = answer.events()[-1]["error"]
    assert told["code"] == "upstream_timeout" and b"[DONE]" not in answer.body
    assert told["message"] == "The provider's answer did not come to its end in time."
    wait_until(lambda: seen, "the provider to see the end of its connection")
    assert row_of(small, answer)["error"] == "upstream_timeout"


def test_signs_of_life_reach_a_waiting_app_and_another_provider_can_still_answer_M30(small):
    """Within 15 s the app hears something; what it hears is no content, so the answer may come from elsewhere."""
    def work(peer):
        for _ in range(26):
            peer.watch(0.45)
            peer.send(KEEP_ALIVE_CHUNK)

    small.providers["first"].will(stream(b": queued\n\n", then=work, end="fin"))
    small.providers["second"].will(good_stream("from the second"))
    answer = ask(small, "pair")
    comments, _, rest = answer.body.partition(b"data:")
    assert 1 <= comments.count(b": keep-alive\n\n") < 26 and comments == b": keep-alive\n\n" * comments.count(b"\n\n")
    assert b"data:" + rest == ROLE + said("from the second") + STOP + DONE and answer.complete
    request, attempts = small.rows(answer)
    assert [attempt["error"] for attempt in attempts] == ["upstream_closed", ""] and request["error"] == ""
    assert "x-fairlead-target" not in answer.fields, "nobody had answered when the head went out"


# --- codings -----------------------------------------------------------------------------------------------------------

CODINGS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress, "GZIP": gzip.compress,
           "identity": lambda body: body}


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("kind", ["buffered", "streamed", "streamed by 1 byte", "refused"])
def test_a_coded_answer_comes_decoded_M35(stage, kind, coding):
    fields = (("Content-Encoding", coding),)
    if kind == "buffered":
        body = compact(completion(WORDS, told=usage(20, 10, cached=4)))
        scripted = whole(CODINGS[coding](body), told=TOLD, fields=fields)
    elif kind == "refused":
        body = compact({"error": {"message": "the message of the provider", "type": "invalid_request_error", "param": "n", "code": None}})
        scripted = refusal(400, CODINGS[coding](body), fields=fields)
    else:
        body = ROLE + said(WORDS) + STOP + DONE
        coded = CODINGS[coding](body.replace(DONE, USAGE_EVENT + DONE))
        scripted = stream(coded, fields=fields, usage=TOLD, segment=1 if "1" in kind else 0)
    stage.providers["generic"].will(scripted)
    answer = post_chat(stage.daemon, chat(HELLO, "generic", stream="streamed" in kind), fields=[("Accept-Encoding", "gzip, deflate, br")])
    assert "content-encoding" not in answer.fields and answer.complete
    if kind == "refused":
        assert answer.status == 400 and answer.json()["error"]["message"] == "the message of the provider"
    else:
        assert answer.body == body and row_of(stage, answer)["output_tokens"] == 10
    assert stage.providers["generic"].requests[-1].field("accept-encoding") == "identity"


@pytest.mark.parametrize("words", ["gzip", "gzip status=400", "gzip status=429"])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_a_provider_that_codes_unasked_is_understood_M35(stage, words, streamed):
    plain, coded = (post_chat(stage.daemon, chat(f"[[sim bytes=99 cached=16 {word}]] {HELLO}", "openai", stream=streamed))
                    for word in (words.replace("gzip", "").strip(), words))
    assert plain.status == coded.status and "content-encoding" not in coded.fields
    if plain.status == 200:
        assert text_of(plain) == text_of(coded)
    else:
        assert plain.json()["error"]["code"] == coded.json()["error"]["code"]


@pytest.mark.parametrize("fault", ["cut", "corrupt", "unknown coding", "bomb"])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_a_coded_answer_that_cannot_be_decoded_is_a_failure_M35(small, fault, streamed):
    # without [DONE], which would end the answer before the fault is seen
    body = (ROLE + said(WORDS) + STOP) if streamed else compact(completion(WORDS))
    coded = gzip.compress(body, mtime=0)
    coding = "gzip"
    if fault == "cut":
        coded = coded[:-9]
    elif fault == "corrupt":
        coded = coded[:10] + b"\xff" * 20
    elif fault == "unknown coding":
        coding = "br"
    else:
        coded = gzip.compress((b"data: " if streamed else b'{"a":"') + b"x" * (64 * MIB))
    small.providers["first"].will(stream(coded, fields=[("Content-Encoding", coding)]) if streamed
                                  else whole(coded, fields=[("Content-Encoding", coding)]))
    small.forget_peak()
    answer = post_chat(small.daemon, chat(HELLO, "first", stream=streamed))
    if answer.status == 200:  # some content came before the fault was seen
        assert fault == "cut" and streamed and "error" in answer.events()[-1] and b"[DONE]" not in answer.body
    else:
        assert answer.status == 502 and answer.json()["error"]["code"] in ("upstream_protocol", "upstream_closed")
    assert small.peak_growth() <= 32 * MIB + SLACK
    assert row_of(small, answer)["error"] in ("upstream_protocol", "upstream_closed")


@pytest.mark.parametrize("coding", CODINGS)
def test_a_coded_request_is_understood_and_goes_on_plain_M36(stage, coding):
    body = compact(chat(HELLO, "generic", temperature=0.5))
    stage.providers["generic"].will(whole(completion(told=usage()), told=(20, 0, 10)))
    answer = post_chat(stage.daemon, CODINGS[coding](body), fields=[("Content-Encoding", coding)])
    assert answer.status == 200 and text_of(answer) == "hello"
    received = stage.providers["generic"].requests[-1]
    assert received.body == body.replace(b'"generic"', b'"m"') and received.field("content-encoding") == ""


BOMB = gzip.compress(b"x" * (2 * EVENT_MAX), 9, mtime=0)  # about 1:1000


@pytest.mark.parametrize("coding, body, status", [
    ("br", b"anything", 415), ("zstd", b"anything", 415), ("gzip, gzip", b"anything", 415), ("compress", b"anything", 415),
    ("gzip", b"not gzip at all", 400), ("gzip", gzip.compress(b"{}" * 99, mtime=0)[:-6], 400), ("deflate", b"\x00\x01\x02", 400),
    ("gzip", gzip.compress(b"[1,2", mtime=0), 400), ("gzip", b"", 400),
    ("gzip", BOMB, 413), ("deflate", zlib.compress(b"x" * (2 * EVENT_MAX)), 413),
])
def test_a_coded_request_that_cannot_be_read_is_refused_before_anything_is_sent_M36(small, coding, body, status):
    assert len(BOMB) * 900 < 2 * EVENT_MAX
    small.forget_peak()
    answer = post_chat(small.daemon, body, fields=[("Content-Encoding", coding)])
    assert answer.status == status and answer.json()["error"]["type"] == "invalid_request_error"
    assert small.peak_growth() <= EVENT_MAX + SLACK
    assert not any(provider.requests for provider in small.providers.values()) and not small.daemon.ledger().attempts


# --- bytes that need not change ----------------------------------------------------------------------------------------

ODD_MEMBERS = (b'"zeta" : 1 ,  "unknown":{"b":[1,2.50,1e400,-0.0],"a":null,"":{}},\t"big":12345678901234567890123,'
               b'"exact":0.1000000000000000055511151,'
               b'"escaped":"\\u00e9\\/\\ud83e\\udd8a\\u0041","raw":"\xc3\xa9\xf0\x9f\xa6\x8a"')


def odd_request(model, extra=b""):
    return (b'{ ' + ODD_MEMBERS + b' ,\r\n "messages" : [ {"content":"' + PROMPT_CANARY.encode() +
            b' \\u4e1c\\ud83d\\ude00","role":"user","odd":[ ]} ],'
            b' "mod\\u0065l" : "' + model.encode() + b'"' + extra + b',"seed_of_ours":18446744073709551616 }\n')


@pytest.mark.parametrize("provider", ["generic", "deepseek-like", "qwen-like", "openai-like", "vllm-like", "ollama-like"])
def test_a_request_goes_up_as_it_came_but_for_the_model(stage, provider):
    stage.providers[provider].will(whole(completion(told=usage()), told=(20, 0, 10)))
    assert post_chat(stage.daemon, odd_request(provider)).status == 200
    assert stage.providers[provider].requests[-1].body == odd_request("m")


@pytest.mark.parametrize("provider", ["generic", "deepseek-like", "qwen-like", "openai-like", "vllm-like", "ollama-like"])
@pytest.mark.parametrize("asked, sent", [
    (b',"stream" : true', None),
    (b',"stream":true,"stream_options":{"x":1}', b',"stream":true,"stream_options":{"include_usage":true,"x":1}'),
    (b',"stream":true,"stream_options":{"include_usage" : false,"x":1}', b',"stream":true,"stream_options":{"include_usage" : true,"x":1}'),
    (b',"stream":true,"stream_options":{"include_usage" : true}', b',"stream":true,"stream_options":{"include_usage" : true}'),
])
def test_a_streams_request_goes_up_with_nothing_but_usage_asked_for(stage, provider, asked, sent):
    stage.providers[provider].will(good_stream())
    assert post_chat(stage.daemon, odd_request(provider, asked)).status == 200
    expected = odd_request("m", sent or asked)
    if sent is None:
        expected = expected.replace(b'"m"', b'"m","stream_options":{"include_usage":true}')
    assert stage.providers[provider].requests[-1].body == expected


@pytest.mark.parametrize("kind", TARGETS)
def test_what_the_simulator_received_is_what_the_app_sent(stage, kind):
    body = odd_request(kind).replace(b"1e400", b"1e40")  # its reader of JSON knows no larger numbers
    assert post_chat(stage.daemon, body).status == 200
    (received,) = stage.last()
    assert received["kind"] == kind
    assert received["body"].encode() == body.replace(f'"{kind}"'.encode(), f'"{TARGETS[kind].split("/")[1]}"'.encode())


@pytest.mark.parametrize("given, sent", [
    ({"max_tokens": 7}, {"deepseek-like": {"max_tokens": 7}, "openai-like": {"max_completion_tokens": 7}, "generic": {"max_tokens": 7}}),
    ({"max_completion_tokens": 7}, {"deepseek-like": {"max_tokens": 7}, "openai-like": {"max_completion_tokens": 7},
                                    "generic": {"max_completion_tokens": 7}}),
    ({"max_tokens": 9, "max_completion_tokens": 7}, {"deepseek-like": {"max_tokens": 7}, "openai-like": {"max_completion_tokens": 7},
                                                     "generic": {"max_tokens": 9, "max_completion_tokens": 7}}),
    ({"seed": 1}, {"deepseek-like": {}, "openai-like": {"seed": 1}, "generic": {"seed": 1}}),
])
def test_the_profiles_edits_are_all_that_changes(stage, given, sent):
    for provider, expected in sent.items():
        stage.providers[provider].will(whole(completion(told=usage()), told=(20, 0, 10)))
        body = chat(HELLO, provider, **given, after=[1, 2])
        assert post_chat(stage.daemon, body).status == 200
        assert stage.providers[provider].requests[-1].json() == {**chat(HELLO, "m"), **expected, "after": [1, 2]}


def test_the_role_developer_is_said_as_each_provider_knows_it(stage):
    for provider, role in (("openai-like", "developer"), ("deepseek-like", "system"), ("vllm-like", "system")):
        stage.providers[provider].will(whole(completion(told=usage()), told=(20, 0, 10)))
        messages = [{"role": "developer", "content": "be brief, \"developer\""}, {"role": "user", "content": HELLO}]
        assert post_chat(stage.daemon, {"model": provider, "messages": messages}).status == 200
        assert stage.providers[provider].requests[-1].json()["messages"] == [{**messages[0], "role": role}, messages[1]]


ODD_ANSWER = (b' {"zeta":1, "choices" : [ {"message":{"role":"assistant",'
              b'"content":"\\u00e9\\ud83e\\udd8a\xc3\xa9 12345678901234567890123","odd":{}},'
              b' "index":0,"finish_reason":"stop","logprobs":{"content":[{"token":"a","logprob":-0.10000000000000000001}]}} ],\r\n'
              b' "created" : 12345678901234567890123, "model":"m" ,'
              b' "usage":{"prompt_tokens":20,"completion_tokens":10,"new_thing":1e400},"id":"a\\/b" } ')


def test_a_buffered_answer_comes_down_as_it_was_sent(stage):
    stage.providers["generic"].will(whole(ODD_ANSWER, told=(20, 0, 10)))
    answer = post_chat(stage.daemon, chat(HELLO, "generic"))
    assert answer.body.strip() == ODD_ANSWER.strip()
    assert row_of(stage, answer)["upstream_id"] == "a/b"


ODD_EVENTS = [
    b'data: {"zeta":1, "choices" : [ {"delta":{"role":"assistant","content":"\\u00e9\xc3\xa9","odd":1e400},"index":0,'
    b'"finish_reason":null} ] }\n\n',
    b'data:{"model":"m","choices":[{"index":0,"delta":{"content":" 12345678901234567890123"}}],"big":12345678901234567890123}\n\n',
    b'data: \t {"choices":[{"index":0,"delta":{},"finish_reason":"stop","stop_reason":128009}],"a":{"usage":{"prompt_tokens":999}}}\n\n',
]


@pytest.mark.parametrize("asked", [False, True], ids=["unasked", "asked"])
def test_a_stream_comes_down_as_it_was_sent(stage, asked):
    stage.providers["generic"].will(stream(*ODD_EVENTS, USAGE_EVENT, DONE, usage=TOLD))
    answer = ask(stage, **({"stream_options": {"include_usage": True}} if asked else {}))
    with_cost = USAGE_EVENT.replace(b"}}}\n", b'},"cost_usd":"0.0000564"}}\n')
    assert answer.body == b"".join(ODD_EVENTS) + (with_cost if asked else b"") + DONE


# --- tools and reasoning -----------------------------------------------------------------------------------------------

def call(**fields):
    return {"tool_calls": [{**fields}]}


TOOL_DELTAS = [
    call(index=0, id="call_a", type="function", function={"name": "weather", "arguments": ""}),
    call(index=1, id="call_b", type="function", function={"name": "time", "arguments": ""}),
    call(index=0, function={"arguments": '{"city":'}),
    call(index=1, function={"arguments": '{"zone":'}),
    call(index=0, id="call_a", type="function", function={"name": "weather", "arguments": ' "Tōkyō"'}),  # says it all again
    call(index=0, id="call_c", type="function", function={"name": "third", "arguments": ""}),  # the index of another call
    call(id="call_d", type="function", function={"name": "no_index", "arguments": "{}"}),
    call(index=None, function={"arguments": "}"}),
    call(index=-1, function={"arguments": "x"}),
    call(index=7, id="", function={"name": None, "arguments": " \\u007d\\"}),
    {"tool_calls": []}, {"tool_calls": None}, {"tool_calls": [None, 3, "x"]}, {"tool_calls": {"index": 0}},
    {"function_call": {"name": "old", "arguments": "{}"}},
    {"content": None, "tool_calls": [{"index": 2}, {"index": 1, "function": {"arguments": "}"}}, {"index": 0, "function": None}]},
]


@pytest.mark.parametrize("segment", [0, 1])
def test_deltas_of_tool_calls_pass_as_they_are_M37(stage, segment):
    events = [ROLE, *(event(chunk(delta)) for delta in TOOL_DELTAS), event(chunk(finish="tool_calls"))]
    stage.providers["generic"].will(stream(*events, USAGE_EVENT, DONE, segment=segment, usage=TOLD))
    tools = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("weather", "time")]
    answer = ask(stage, tools=tools)
    assert answer.body == b"".join(events) + DONE
    row = row_of(stage, answer)
    assert row["finish_reason"] == "tool_calls" and row["output_tokens"] == 10


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_interleaved_choices_pass_and_each_must_end_M37(stage, order):
    def of(index, **fields):
        return event({**chunk(), "choices": [{"index": index, "delta": {}, "finish_reason": None, **fields}]})

    events = [of(index, delta={"content": str(index)}) for index in order * 3] + [of(index, finish_reason="stop") for index in order]
    stage.providers["generic"].will(stream(*events, DONE), stream(*events), stream(*events[:-1]))
    for complete in (True, True, False):  # with [DONE]; without; with one choice that never ends
        answer = ask(stage, n=3)
        assert ("[DONE]" in answer.events()) == complete and ("error" in answer.events()[-1]) != complete
        assert answer.body.startswith(b"".join(events[:-1]))


@pytest.mark.parametrize("provider, theirs", [("deepseek-like", "reasoning_content"), ("qwen-like", "reasoning_content"),
                                              ("vllm-like", "reasoning"), ("ollama-like", "reasoning")])
def test_reasoning_goes_up_and_down_under_one_name(stage, provider, theirs):
    thought = 'so "reasoning": they\\ ask'
    message = {"role": "assistant", "content": "hello", theirs: thought}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    answers = [whole({**completion(told=usage()), "choices": [choice]}, told=(20, 0, 10)),
               stream(ROLE, event(chunk({theirs: thought})), said("hello"), STOP, USAGE_EVENT, DONE, usage=TOLD)]
    stage.providers[provider].will(*answers)
    before = {"role": "assistant", "content": 'my "reasoning_content"', "reasoning_content": thought}
    body = {"model": provider, "messages": [{"role": "user", "content": HELLO}, before, {"role": "user", "content": "go on"}]}
    buffered = post_chat(stage.daemon, body).json()["choices"][0]["message"]
    streamed = post_chat(stage.daemon, {**body, "stream": True}).events()
    assert buffered == {"role": "assistant", "content": "hello", "reasoning_content": thought}
    assert [e["choices"][0]["delta"] for e in streamed[:-1]][1] == {"reasoning_content": thought}
    for request in stage.providers[provider].requests[-2:]:
        sent = request.json()["messages"][1]
        assert sent == {"role": "assistant", "content": 'my "reasoning_content"', theirs: thought}


@pytest.mark.parametrize("kind", ["deepseek", "qwen"])
def test_thinking_of_the_providers_reaches_the_app(stage, kind):
    prompt = f"[[sim thinking bytes=40]] {HELLO}"
    buffered = post_chat(stage.daemon, chat(prompt, kind)).json()["choices"][0]["message"]["reasoning_content"]
    streamed = "".join(e["choices"][0]["delta"].get("reasoning_content") or "" for e in ask(stage, kind, prompt).events()[:-1])
    assert buffered == streamed != ""
