"""Failures of providers: never told as a success, never tried again once the app has seen something, and told as OpenAI would."""
import asyncio
import gzip
import socket
from decimal import Decimal

import pytest

from harness.daemon import CLIENT_KEY, PROMPT_CANARY, PROVIDER_KEY
from harness.http import Connection, chat, post_chat, request_bytes, send, text_of
from harness.process import wait_until
from harness.shim import preloaded
from harness.stage import Stage
from harness.upstream import DONE, ROLE, STOP, Scripted, chunk, compact, completion, event, good_stream, refusal, said, stream, usage, whole

pytestmark = pytest.mark.alone

HELLO = f"Say hello, {PROMPT_CANARY}"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Two attempts to a request: `pair` can fall back once, and the simulator's providers too."""
    def change(config):
        config["limits"].update(attempts_max=2, body_bytes_max="64KiB", head_bytes_max="8KiB")
        config["timeouts"] = {"first_byte": "2s", "idle": "2s"}

    stage = Stage(tmp_path_factory.mktemp("failures"), {"first": "generic", "second": "generic"}, change)
    yield stage
    stage.close()


@pytest.fixture
def stage(made):
    yield made
    made.audit()


def expect_openai_error(answer, status, kind=None, code=None):
    error = answer.json()["error"]
    assert answer.status == status and answer.complete, answer
    assert set(answer.json()) == {"error"} and set(error) == {"message", "type", "param", "code"}
    assert answer.fields["content-type"] == "application/json" and error["message"] and isinstance(error["type"], str)
    assert error["param"] is None or isinstance(error["param"], str)
    assert kind is None or error["type"] == kind
    assert code is None or error["code"] == code
    return error


def test_a_kept_connection_that_was_closed_costs_nothing(tmp_path):
    def change(config):
        config["workers"] = 1  # whose connection it is
        config["limits"]["attempts_max"] = 2

    stage = Stage(tmp_path, {"one": "generic"}, change)
    try:
        told = whole(completion(told=usage()), (20, 0, 10))
        stage.providers["one"].will(told, Scripted(raw=b"", billed=0), told)
        answers = [post_chat(stage.daemon, chat(HELLO, "one")) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        _, (stale, again) = stage.rows(answers[1])
        assert stale["error"] == "upstream_closed" and stale["connection_reused"] == 1 and again["connection_reused"] == 0
        assert (stale["usage_source"], stale["usd_pico"], stale["input_tokens"], stale["unconfirmed"]) == ("none", 0, None, 0)
        assert again["usage_source"] == "reported"
    finally:
        stage.close()


# --- truncated answers -------------------------------------------------------------------------------------------------

TEXT = [ROLE, said("hel"), said("lo")]
# what comes after some content -> kind of error in the books
CUTS = {
    "FIN": (dict(end="fin"), [], "upstream_closed"),
    "RST": (dict(end="rst"), [], "upstream_closed"),
    "a chunk that is too short": (dict(end="short"), [], "upstream_closed"),
    "FIN of a body without framing": (dict(framing="close"), [], "upstream_closed"),
    "FIN within an event": (dict(framing="close"), [b'data: {"choices":[{"ind'], "upstream_closed"),
    "a proper end within an event": ({}, [b'data: {"choices":[{"ind'], "upstream_closed"),
    "a proper end without finish_reason": ({}, [], "upstream_closed"),
    "FIN after the finish_reason": (dict(end="fin"), [STOP], "upstream_closed"),
    "RST after the finish_reason": (dict(end="rst"), [STOP, event(chunk(usage=usage()))], "upstream_closed"),
    "a length that is too short": (dict(framing="length", end="short"), [], "upstream_closed"),
    "an error as data": ({}, [event({"error": {"message": "overloaded", "type": "server_error", "code": None}}), DONE],
                         "upstream_error_event"),
    "an error as text": ({}, [event({"error": "overloaded"})], "upstream_error_event"),
    "an error as an event": ({}, [b"event: error\ndata: {\"message\":\"overloaded\"}\n\n"], "upstream_error_event"),
    "an error as a field": ({}, [b"error: {\"message\":\"overloaded\"}\n\n"], "upstream_error_event"),
    "an error with choices": (
        {}, [event({**chunk({"content": ""}, finish="error"), "error": {"code": 502, "message": "overloaded"}}), DONE],
        "upstream_error_event"),
    "an error as an object": ({}, [event({"object": "error", "message": "overloaded", "code": 500})], "upstream_error_event"),
    "a reason that is an error": ({}, [event(chunk({}, finish="insufficient_system_resource")), DONE], "upstream_unavailable"),
    "words": ({}, [event(b"Internal Server Error"), DONE], "upstream_protocol"),
    "a page": ({}, [b"<html><body>502 Bad Gateway</body></html>\n\n"], "upstream_closed"),
    "JSON that is no object": ({}, [event(b"[1,2]"), STOP, DONE], "upstream_protocol"),
    "JSON with garbage behind it": ({}, [event(b'{"choices":[]} x'), STOP, DONE], "upstream_protocol"),
    "JSON in broken UTF-8": ({}, [event(b'{"choices":[{"index":0,"delta":{"content":"\xff\xfe"}}]}'), STOP, DONE], "upstream_protocol"),
}
# After content, whether the content reached the app depends on how the bytes came: what came together with it may go with it.
UNFRAMED = {"a chunk size that is none": (dict(then=lambda peer: peer.send(b"xyz\r\nhello\r\n"), end="fin"), [], "upstream_protocol")}


@pytest.mark.parametrize("cut", CUTS)
def test_a_truncated_stream_never_ends_well_M32_M33(stage, cut):
    options, rest, kind = CUTS[cut]
    told = (20, 0, 10) if any(b"usage" in one for one in rest) else None
    stage.providers["first"].will(stream(*TEXT, *rest, **{"usage": told, **options}))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True))
    events = answer.events()
    assert answer.status == 200 and "[DONE]" not in events and answer.body.endswith(b"\n\n")
    error = events[-1]["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["type"] == "server_error" and error["code"].startswith("upstream_")
    # What came before it came whole, and once; and nobody else was asked.
    assert answer.body.startswith(b"".join(TEXT)) and answer.body.count(b"data:") == len(events)
    request, (attempt,) = stage.rows(answer)
    assert request["error"] == attempt["error"] == kind and attempt["phase"] == "relay" and attempt["ended_by"] == "provider"
    assert request["target"] == "first/m" and request["http_status"] == 200
    assert attempt["usage_source"] == ("reported" if told else "estimated") and attempt["usd_pico"] > 0


def hold(peer):
    """Keeps the connection, and says nothing more, until fairlead hangs up."""
    try:
        peer.connection.recv(1)
    except OSError:
        pass


# what comes after a [DONE] that ends a whole answer
BEHIND_THE_END = {
    "FIN": dict(end="fin"),
    "RST": dict(end="rst"),
    "a chunk that is too short": dict(end="short"),
    "a length that is too short": dict(framing="length", end="short"),
    "nothing": dict(then=hold, end="fin"),
    "nothing, of a body without framing": dict(framing="close", then=hold),
}


@pytest.mark.parametrize("end", BEHIND_THE_END)
def test_what_goes_wrong_behind_done_takes_nothing_from_a_whole_answer(stage, end):
    wait_until(lambda: stage.daemon.gauge("fairlead_upstream_idle_connections") == 0, "connections of earlier tests to go")
    stage.providers["first"].will(good_stream(**BEHIND_THE_END[end]), good_stream("again"))
    for text in ("hello", "again"):
        answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True))
        assert answer.status == 200 and answer.complete and answer.body == ROLE + said(text) + STOP + DONE
        request, (attempt,) = stage.rows(answer)
        assert request["error"] == attempt["error"] == "" and request["ended_by"] == "provider" and request["phase"] == "done"
        assert attempt["usage_source"] == "reported"
    assert attempt["connection_reused"] == 0


BEFORE_CONTENT = {
    "nothing": [], "comments": [b": queued\n\n" * 9], "the role": [ROLE],
    "the role and empty words": [ROLE, said(""), event(chunk({"content": None})), event(chunk({"tool_calls": []}))],
    "a filter's verdict": [event({"choices": [], "id": "", "model": "", "object": "", "prompt_filter_results": []})],
}


@pytest.mark.parametrize("lead", BEFORE_CONTENT)
@pytest.mark.parametrize("cut", [*UNFRAMED, *(cut for cut in CUTS if "after the finish_reason" not in cut)])
def test_before_any_content_another_provider_answers_in_one_voice_M32_M33(stage, cut, lead):
    options, rest, _ = {**CUTS, **UNFRAMED}[cut]
    stage.providers["first"].will(stream(*BEFORE_CONTENT[lead], *rest, **options))
    stage.providers["second"].will(good_stream("from the second"))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True))
    data = answer.body[answer.body.index(b"data:"):]
    assert answer.status == 200 and answer.complete
    assert data == ROLE + said("from the second") + STOP + DONE  # one role, one id, nothing of the first
    request, attempts = stage.rows(answer)
    assert answer.fields["x-fairlead-target"] == request["target"] == "second/m" and answer.fields["x-fairlead-attempts"] == "2"
    assert attempts[0]["error"] and attempts[1]["error"] == "" and request["error"] == ""


BUFFERED_CUTS = {
    "FIN before anything": (Scripted(raw=b"", billed=0), "upstream_closed"),
    "FIN within the head": (Scripted(raw=b"HTTP/1.1 200 OK\r\nContent-Le", billed=0), "upstream_closed"),
    "FIN within the body": (whole(compact(completion())[:40], end="short"), "upstream_closed"),
    "RST within the body": (whole(compact(completion())[:40], end="rst", framing="chunked"), "upstream_closed"),
    "half a JSON": (whole(compact(completion())[:40]), "upstream_closed"),
    "an empty body": (whole(b""), "upstream_closed"),
    "blank lines": (whole(b"\n\n\n   \n"), "upstream_closed"),
    "no JSON": (whole(b"<html>oops</html>"), "upstream_protocol"),
    "no object": (whole(b'"hello"'), "upstream_protocol"),
    "no choices": (whole(b'{"id":"x","object":"chat.completion"}'), "upstream_protocol"),
    "two answers": (whole(compact(completion()) * 2), "upstream_protocol"),
    "an error under 200": (whole({"error": {"message": "overloaded", "type": "server_error", "code": None}}), "upstream_error_event"),
    "no HTTP": (Scripted(raw=b"SSH-2.0-OpenSSH_9.2\r\n", billed=0), "upstream_protocol"),
    "two lengths": (Scripted(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", billed=0), "upstream_protocol"),
    "switching protocols": (Scripted(raw=b"HTTP/1.1 101 No\r\nUpgrade: h2c\r\n\r\n", billed=0), "upstream_protocol"),
}


@pytest.mark.parametrize("route", ["first", "pair"])
@pytest.mark.parametrize("cut", BUFFERED_CUTS)
def test_a_broken_buffered_answer_is_an_error_or_anothers_answer_M32(stage, cut, route):
    answer_of_first, kind = BUFFERED_CUTS[cut]
    retried = route == "first" and kind == "upstream_error_event"
    stage.providers["first"].will(*[answer_of_first] * (2 if retried else 1))
    if route == "pair":
        stage.providers["second"].will(whole(completion("from the second", told=usage()), told=(20, 0, 10)))
    answer = post_chat(stage.daemon, chat(HELLO, route))
    request, attempts = stage.rows(answer)
    assert attempts[0]["error"] == kind
    if route == "pair":
        assert answer.status == 200 and text_of(answer) == "from the second" and request["error"] == ""
    else:
        expect_openai_error(answer, 502, "server_error")
        assert request["error"] == kind and request["http_status"] == 502


@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_provider_finds_wrong_keeps_its_code_under_200_too(stage, streamed):
    error = {"error": {"message": "too long", "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}}
    stage.providers["first"].will(stream(event(error)) if streamed else whole(error))
    answer = post_chat(stage.daemon, chat(HELLO, "first", stream=streamed))
    assert answer.status == 400
    assert answer.json()["error"] == error["error"]


@pytest.mark.parametrize("said_nothing, message", [
    (whole(b""), "The provider's answer is empty."),
    (whole(b"\n\n"), "The provider's answer is empty."),
    (Scripted(status=204), "The provider's answer is empty."),
    (refusal(302, b"", fields=[("Location", "/elsewhere")]), "The provider answered with a redirect, which is not followed."),
], ids=["nothing", "blank lines", "204", "a redirect"])
def test_the_app_is_told_how_an_answer_was_none(stage, said_nothing, message):
    stage.providers["first"].will(said_nothing)
    answer = post_chat(stage.daemon, chat(HELLO, "first"))
    assert expect_openai_error(answer, 502, "server_error")["message"] == message


def test_an_answer_to_nobodys_request_is_not_taken_for_one_I7(stage):
    """Bytes after a whole answer would be read as the answer to the next request on that connection."""
    stage.providers["first"].will(whole(completion("mine", told=usage()), told=(20, 0, 10),
                                        then=lambda peer: peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")))
    assert text_of(post_chat(stage.daemon, chat(HELLO, "first"))) == "mine"
    for _ in range(3):
        stage.providers["first"].will(whole(completion("next", told=usage()), told=(20, 0, 10)))
        assert text_of(post_chat(stage.daemon, chat(HELLO, "first"))) == "next"


# --- failures when the answer is opened --------------------------------------------------------------------------------

@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("status", [401, 402, 403, 404, 408, 409, 429, 500, 502, 503, 504, 529])
def test_a_healthy_second_provider_answers_for_the_first_M34(stage, status, streamed):
    stage.providers["first"].will(refusal(status))
    stage.providers["second"].will(good_stream("from the second") if streamed
                                   else whole(completion("from the second", told=usage()), told=(20, 0, 10)))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=streamed))
    assert answer.status == 200 and text_of(answer) == "from the second" and answer.fields["x-fairlead-target"] == "second/m"
    _, attempts = stage.rows(answer)
    assert [attempt["status"] for attempt in attempts] == [status, 200] and attempts[0]["usd_pico"] == 0


@pytest.mark.parametrize("first, second, status", [(503, 503, 502), (503, 429, 429), (429, 500, 502), (500, 504, 504), (503, 401, 502)])
def test_when_all_fail_a_streams_request_gets_the_status_of_a_failure_M34(stage, first, second, status):
    stage.providers["first"].will(refusal(first))
    stage.providers["second"].will(refusal(second))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True))
    expect_openai_error(answer, status)
    assert answer.fields["x-fairlead-attempts"] == "2"
    request, attempts = stage.rows(answer)
    assert request["http_status"] == status and [attempt["status"] for attempt in attempts] == [first, second]


def test_what_one_target_alone_refuses_does_not_hide_that_another_asks_to_wait(stage):
    stage.providers["first"].will(refusal(429, fields=[("Retry-After", "1.5")]))
    stage.providers["second"].will(refusal(401))
    answer = post_chat(stage.daemon, chat(HELLO, "pair"))
    expect_openai_error(answer, 429)
    assert answer.fields["retry-after"] == "2" and answer.fields["x-fairlead-attempts"] == "2"
    assert "x-should-retry" not in answer.fields


def test_a_stream_tells_the_cost_of_all_its_attempts(stage):
    stage.providers["first"].will(stream(ROLE, event(chunk(usage=usage(20, 10))), end="rst", usage=(20, 0, 10)))
    stage.providers["second"].will(good_stream("from the second"))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True, stream_options={"include_usage": True}))
    request, attempts = stage.rows(answer)
    assert [attempt["usd_pico"] for attempt in attempts] == [attempts[1]["usd_pico"]] * 2
    (told,) = [value["usage"]["cost_usd"] for value in answer.events() if value != "[DONE]" and value.get("usage")]
    assert Decimal(told) * 10**12 == request["usd_pico"] == 2 * attempts[0]["usd_pico"]


def test_first_byte_is_no_limit_of_a_whole_answer_that_is_coming(stage):
    """2 s here. A buffered answer shows nothing before it is there, or nearly so."""
    for words in ("delay_ms=2300", "delay_ms=1100 stall=mid stall_ms=1100"):
        answer = post_chat(stage.daemon, chat(f"hello [[sim {words}]]", "chat"))
        assert answer.status == 200 and answer.fields["x-fairlead-attempts"] == "1"
    assert post_chat(stage.daemon, chat("hello [[sim delay_ms=2300]]", "openai", stream=True)).status == 504


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_wrong_with_the_request_itself_is_nobody_elses_to_answer_M34(stage, status):
    stage.providers["first"].will(refusal(status, {"message": "bad temperature", "type": "invalid_request_error", "param": "temperature",
                                                   "code": None}))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True))
    assert expect_openai_error(answer, status)["param"] == "temperature"
    assert answer.fields["x-fairlead-attempts"] == "1" and answer.fields["x-should-retry"] == "false"


def test_what_one_model_alone_does_not_take_is_anothers_to_answer(stage):
    stage.providers["first"].will(refusal(400, {"message": "'temperature' does not support 0.3", "type": "invalid_request_error",
                                                "param": "temperature", "code": "unsupported_value"}))
    stage.providers["second"].will(whole(completion("from the second", told=usage()), told=(20, 0, 10)))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", temperature=0.3))
    assert answer.status == 200 and text_of(answer) == "from the second" and answer.fields["x-fairlead-attempts"] == "2"


@pytest.mark.parametrize("code, falls_back", [("context_length_exceeded", True), ("content_filter", True), ("invalid_value", False)])
def test_a_route_may_say_which_refusals_another_target_is_to_answer(stage, code, falls_back):
    config = stage.daemon.changed_config()
    config["routes"]["pair"]["fallback_on_refusal"] = ["context", "filtered"]
    stage.daemon.reload(config)
    try:
        stage.providers["first"].will(refusal(400, {"message": "no", "type": "invalid_request_error", "param": "messages", "code": code}))
        if falls_back:
            stage.providers["second"].will(whole(completion("from the second", told=usage()), told=(20, 0, 10)))
        answer = post_chat(stage.daemon, chat(HELLO, "pair"))
        assert answer.fields["x-fairlead-attempts"] == ("2" if falls_back else "1")
        assert text_of(answer) == "from the second" if falls_back else answer.json()["error"]["code"] == code
    finally:
        stage.daemon.reload(stage.daemon.config)


FAILED = {
    "refused, twice": ([refusal(503), refusal(503)], "upstream_unavailable", "wait"),
    "cut": ([stream(ROLE, said("hel"), end="rst")], "upstream_closed", "relay"),
    "no HTTP": ([Scripted(raw=b"SSH-2.0-OpenSSH_9.2\r\n", billed=0)], "upstream_protocol", "wait"),
}


@pytest.mark.parametrize("failure", FAILED)
def test_the_row_of_a_failed_request_tells_where_it_went_and_why_it_failed_M66(stage, failure):
    answers, kind, phase = FAILED[failure]
    stage.providers["first"].will(*answers)
    answer = post_chat(stage.daemon, chat(HELLO, "first", stream=True))
    request, attempts = stage.rows(answer)
    assert (request["key"], request["team"], request["requested_model"], request["route"]) == ("app", "payments", "first", "first")
    assert (request["error"], request["state"], request["attempts"]) == (kind, "settled", len(answers))
    assert [attempt["number"] for attempt in attempts] == list(range(1, len(answers) + 1))
    for attempt in attempts:
        assert (attempt["provider"], attempt["model"], attempt["target"]) == ("first", "m", "first/m")
        assert (attempt["error"], attempt["phase"], attempt["ended_by"]) == (kind, phase, "provider")
        assert request["started_at"] <= attempt["sent_at"] <= attempt["ended_at"] <= request["ended_at"]
        assert attempt["duration_us"] > 0
        assert (attempt["connect_us"] is None) == bool(attempt["connection_reused"])


def test_nothing_is_sent_that_no_app_has_asked_for_M17(stage):
    """What is known of a target comes from the requests of apps: none that failed is probed, and no look of an operator asks it anything."""
    first, second = stage.providers["first"], stage.providers["second"]
    before = len(first.requests), len(second.requests), len(stage.simulator.bill())
    for _ in range(3):
        first.will(refusal(503), refusal(503))
        assert post_chat(stage.daemon, chat(HELLO, "first")).status == 502
    assert stage.daemon.admin_reload(stage.daemon.changed_config())["result"] == "taken"
    for path in ("/healthz", "/readyz", "/metrics", "/admin/v1/estimates", "/admin/v1/limits", "/admin/v1/budgets", "/admin/v1/keys"):
        assert stage.daemon.admin_get(path)[0] == 200, path
    assert post_chat(stage.daemon, {**chat(HELLO, "first"), "messages": []}).status == 400
    first.will(good_stream())
    assert post_chat(stage.daemon, chat(HELLO, "first", stream=True)).status == 200
    stage.settled()
    assert (len(first.requests), len(second.requests), len(stage.simulator.bill())) == (before[0] + 7, *before[1:])


NO_SOCKETS = """
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int socket(int domain, int type, int protocol) {
  if (domain == AF_INET && access(getenv("NO_SOCKETS"), F_OK) == 0) return errno = EMFILE, -1;
  return ((int (*)(int, int, int))dlsym(RTLD_NEXT, "socket"))(domain, type, protocol);
}
"""


def test_what_fairlead_lacks_itself_is_no_providers_failure(tmp_path):
    """Sockets alone are lacking: without any descriptor, sanitizers report what is none of the program's."""
    lacking = tmp_path / "lacking"
    stage = Stage(tmp_path, {"first": "generic", "second": "generic"}, under=preloaded(tmp_path, NO_SOCKETS, NO_SOCKETS=lacking))
    try:
        lacking.touch()
        answer = post_chat(stage.daemon, chat(HELLO, "pair"))
        lacking.unlink()
        expect_openai_error(answer, 503, "server_error", "overloaded")
        assert answer.fields["retry-after"] == "1" and "x-should-retry" not in answer.fields
        request, attempts = stage.rows(answer)
        assert (request["ended_by"], request["error"]) == ("fairlead", "overloaded")
        assert [(attempt["target"], attempt["error"], attempt["usage_source"]) for attempt in attempts] == [
            ("first/m", "overloaded", "none"), ("second/m", "overloaded", "none")]
        assert stage.daemon.wait_for("request", error="overloaded")["detail"] == "connecting: Too many open files"
        assert stage.daemon.wait_for("connections_lacking")["attempts"] == 2
        stage.providers["first"].will(whole(completion(told=usage()), (20, 0, 10)))
        assert post_chat(stage.daemon, chat(HELLO, "pair")).status == 200
        stage.audit()
    finally:
        stage.close()


def test_a_provider_that_is_not_there_is_anothers_turn_M34(stage):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = listener.getsockname()[1]

    def change(config):
        config["providers"]["gone"] = {**config["providers"]["first"], "base_url": f"http://127.0.0.1:{free}/v1", "price_list": "first"}
        config["routes"]["gone"] = {"targets": ["gone/m"]}
        config["routes"]["pair"]["targets"][0] = "gone/m"
        config["keys"][0]["routes"].append("gone")

    config = stage.daemon.changed_config()
    change(config)
    stage.daemon.reload(config)
    try:
        # The same address is tried twice, since nothing was sent; so, with a limit of 2, no attempt is left for another.
        answer = post_chat(stage.daemon, chat(HELLO, "gone"))
        expect_openai_error(answer, 502, "server_error", "upstream_connect")
        _, attempts = stage.rows(answer)
        ends = [(attempt["error"], attempt["phase"], attempt["usage_source"], attempt["status"]) for attempt in attempts]
        assert ends == [("upstream_connect", "connect", "none", 0)] * 2
        config["limits"]["attempts_max"] = 3
        stage.daemon.reload(config)
        stage.providers["second"].will(whole(completion("from the second", told=usage()), told=(20, 0, 10)))
        assert text_of(post_chat(stage.daemon, chat(HELLO, "pair"))) == "from the second"
    finally:
        stage.daemon.reload(stage.daemon.config)


# --- what the app is told ----------------------------------------------------------------------------------------------

def error(message="the provider's words", kind="invalid_request_error", code=None, param=None):
    return {"message": message, "type": kind, "param": param, "code": code}


# profile, provider's status, error object or body, fields -> status, type, code, Retry-After, retry at all
OUTCOMES = [
    ("openai", 400, error(), (), (400, "invalid_request_error", None, None, False)),
    ("openai", 400, error(code="context_length_exceeded"), (), (400, "invalid_request_error", "context_length_exceeded", None, False)),
    ("openai", 400, error(code="unsupported_parameter", param="max_tokens"), (),
     (400, "invalid_request_error", "unsupported_parameter", None, False)),
    ("openai", 400, error(code="content_policy_violation"), (), (400, "invalid_request_error", "content_filter", None, False)),
    ("openai", 413, error(), (), (413, "invalid_request_error", None, None, False)),
    ("openai", 415, error(), (), (415, "invalid_request_error", None, None, False)),
    ("openai", 422, error(), (), (422, "invalid_request_error", None, None, False)),
    ("openai", 404, error(code="model_not_found"), (), (502, "server_error", "upstream_model_not_found", None, False)),
    ("openai", 405, error(), (), (400, "invalid_request_error", None, None, False)),
    ("openai", 418, b"short and stout", (), (400, "invalid_request_error", None, None, False)),
    ("openai", 401, error(code="invalid_api_key"), (), (502, "server_error", "upstream_auth", None, False)),
    ("openai", 403, error(), (), (502, "server_error", "upstream_auth", None, False)),
    ("openai", 402, error(), (), (502, "server_error", "upstream_no_money", None, False)),
    ("openai", 429, error(kind="tokens", code="rate_limit_exceeded"), (("Retry-After", "7"),),
     (429, "rate_limit_error", "rate_limit_exceeded", "7", True)),
    ("openai", 429, error(code="rate_limit_exceeded"), (), (429, "rate_limit_error", "rate_limit_exceeded", None, True)),
    ("openai", 429, error(), (("retry-after-ms", "6200"), ("Retry-After", "99")),
     (429, "rate_limit_error", "rate_limit_exceeded", "7", True)),
    ("openai", 429, error(), (("Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"),),
     (429, "rate_limit_error", "rate_limit_exceeded", None, True)),
    ("openai", 429, error(), (("Retry-After", "-5"),), (429, "rate_limit_error", "rate_limit_exceeded", None, True)),
    ("openai", 429, error(kind="insufficient_quota", code="insufficient_quota"), (("Retry-After", "7"),),
     (502, "server_error", "upstream_no_money", None, False)),
    ("openai", 408, error(), (), (504, "server_error", "upstream_timeout", None, True)),
    ("openai", 409, error(), (), (502, "server_error", "upstream_unavailable", None, True)),
    ("openai", 500, error(kind="server_error"), (), (502, "server_error", "upstream_unavailable", None, True)),
    ("openai", 500, b"<html><h1>Internal Server Error</h1></html>", (), (502, "server_error", "upstream_unavailable", None, True)),
    ("openai", 502, b"", (), (502, "server_error", "upstream_unavailable", None, True)),
    ("openai", 503, error(code="slow_down"), (("Retry-After", "30"),), (429, "rate_limit_error", "rate_limit_exceeded", "30", True)),
    ("openai", 503, error(), (("Retry-After", "30"),), (502, "server_error", "upstream_unavailable", "30", True)),
    ("openai", 504, b"upstream request timeout", (), (504, "server_error", "upstream_timeout", None, True)),
    ("openai", 529, error(kind="overloaded_error"), (), (502, "server_error", "upstream_unavailable", None, True)),
    ("openai", 599, b"{", (), (502, "server_error", "upstream_unavailable", None, True)),
    ("openai", 301, b"", (("Location", "http://169.254.169.254/"),), (502, "server_error", "upstream_protocol", None, True)),
    ("openai", 307, b"", (("Location", "/elsewhere"),), (502, "server_error", "upstream_protocol", None, True)),
    ("openai", 304, b"", (), (502, "server_error", "upstream_protocol", None, True)),
    ("deepseek", 402, error("Insufficient Balance", "unknown_error", "invalid_request_error"), (),
     (502, "server_error", "upstream_no_money", None, False)),
    ("deepseek", 400, error("This model's maximum context length is 1000000 tokens."), (),
     (400, "invalid_request_error", "context_length_exceeded", None, False)),
    ("deepseek", 400, error("Content Exists Risk"), (), (400, "invalid_request_error", "content_filter", None, False)),
    ("deepseek", 503, error("busy", "server_error"), (), (502, "server_error", "upstream_unavailable", None, True)),
    ("qwen", 429, error(kind="insufficient_quota", code="insufficient_quota"), (),
     (429, "rate_limit_error", "rate_limit_exceeded", None, True)),
    ("qwen", 400, error("Access denied, overdue", "Arrearage", "Arrearage"), (), (502, "server_error", "upstream_no_money", None, False)),
    ("qwen", 403, error(code="AllocationQuota.FreeTierOnly"), (), (502, "server_error", "upstream_no_money", None, False)),
    ("qwen", 400, error(code="data_inspection_failed"), (), (400, "invalid_request_error", "content_filter", None, False)),
    ("qwen", 400, error("Range of input length should be [1, 98304]"), (),
     (400, "invalid_request_error", "context_length_exceeded", None, False)),
    ("llamacpp", 400, {"code": 400, "message": "too long", "type": "exceed_context_size_error"}, (),
     (400, "invalid_request_error", "context_length_exceeded", None, False)),
    ("llamacpp", 501, {"code": 501, "message": "not started for this", "type": "not_supported_error"}, (),
     (400, "invalid_request_error", None, None, False)),
    ("generic", 400, b'{"detail":"plain"}', (), (400, "invalid_request_error", None, None, False)),
    ("generic", 400, b'{"object":"error","message":"bad","type":"BadRequestError","param":null,"code":400}', (),
     (400, "invalid_request_error", None, None, False)),
]


@pytest.fixture(scope="module")
def told_made(tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("told"), {profile: profile for profile in ("openai", "deepseek", "qwen", "llamacpp", "generic")},
                  lambda config: config["limits"].update(attempts_max=1))
    yield stage
    stage.close()


@pytest.fixture
def told(told_made):
    yield told_made
    told_made.audit()


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("profile, status, body, fields, expected", OUTCOMES)
def test_the_app_is_told_as_openai_would_tell_it_M38(told, profile, status, body, fields, expected, streamed):
    told.providers[profile].will(refusal(status, body, fields))
    answer = post_chat(told.daemon, chat(HELLO, profile, stream=streamed))
    seen_status, kind, code, retry_after, should_retry = expected
    seen = expect_openai_error(answer, seen_status, kind)
    assert seen["code"] == code
    assert answer.fields.get("retry-after") == retry_after and "location" not in answer.fields
    assert answer.fields.get("x-should-retry") == (None if should_retry else "false")
    if isinstance(body, dict) and seen_status in (400, 413, 415, 422):
        assert seen["message"] == body["message"] and seen["param"] == body.get("param")
    request, (attempt,) = told.rows(answer)
    assert request["http_status"] == seen_status and attempt["status"] == status and attempt["ended_by"] == "provider"
    assert (attempt["usage_source"], attempt["usd_pico"], attempt["unconfirmed"]) == ("none", 0, 0)


@pytest.mark.parametrize("words, expected", [
    ("status=429 retry_after=2", (429, "rate_limit_error", "2")), ("status=429 retry_after_ms=1200", (429, "rate_limit_error", "2")),
    ("code=insufficient_quota", (502, "server_error", None)), ("status=500 body=html", (502, "server_error", None)),
    ("status=503 body=empty", (502, "server_error", None)), ("redirect=307", (502, "server_error", None)),
    ("close=before", (502, "server_error", None)), ("reset=before", (502, "server_error", None)),
    ("close=head", (502, "server_error", None)), ("garbage=mid", (502, "server_error", None)),
    ("error=mid", (502, "server_error", None)), ("reset=mid", (502, "server_error", None)),
    ("close=before_done", (502, "server_error", None)), ("stall=before", (504, "server_error", None)),
    ("stall=head", (504, "server_error", None)),
])
def test_the_simulators_faults_are_told_as_what_they_are_M38(simulated, words, expected):
    answer = post_chat(simulated.daemon, chat(f"[[sim {words}]] {HELLO}", "openai"))
    status, kind, retry_after = expected
    expect_openai_error(answer, status, kind)
    assert answer.fields.get("retry-after") == retry_after
    simulated.audit()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    def change(config):
        config["limits"]["attempts_max"] = 1
        config["timeouts"] = {"total": "2s", "idle": "700ms"}

    stage = Stage(tmp_path_factory.mktemp("simulated"), change=change)
    yield stage
    stage.close()


def test_a_provider_that_says_no_without_listening_to_the_end_is_heard_M38(told):
    """The request is larger than what the connection's buffers hold, so that it cannot be sent whole."""
    told.providers["generic"].will(refusal(413, error("too large for us"), early=True))
    answer = post_chat(told.daemon, chat(HELLO + "x" * (24 << 20), "generic"))
    assert expect_openai_error(answer, 413)["message"] == "too large for us"
    _, (attempt,) = told.rows(answer)
    assert (attempt["status"], attempt["usage_source"], attempt["usd_pico"], attempt["unconfirmed"]) == (413, "none", 0, 0)


def test_no_secret_of_ours_is_in_what_the_app_is_told_M56(told):
    words = f"Incorrect API key provided: {PROVIDER_KEY}. Bearer {PROVIDER_KEY}"
    for status, kind in ((400, "invalid_request_error"), (401, "invalid_request_error"), (500, "server_error")):
        told.providers["generic"].will(refusal(status, error(words, kind, code=PROVIDER_KEY, param=PROVIDER_KEY)))
        answer = post_chat(told.daemon, chat(HELLO, "generic"))
        assert PROVIDER_KEY not in str(answer) and answer.json()["error"]["message"]


# --- what never became a request ---------------------------------------------------------------------------------------

def raw(daemon, content):
    async def once():
        connection = Connection(daemon.address)
        try:
            return await asyncio.wait_for(connection.exchange(content), 60)
        finally:
            connection.close()

    return asyncio.run(once())


CHAT = "/v1/chat/completions"


@pytest.mark.parametrize("content, status, code", [
    (request_bytes("GET", "/v1/no-such-path"), 404, "unknown_url"),
    (request_bytes("POST", "/v1/embeddings", body={}), 404, "unknown_url"),
    (request_bytes("GET", "/"), 404, "unknown_url"),
    (request_bytes("GET", CHAT), 405, "method_not_allowed"),
    (request_bytes("DELETE", "/v1/models"), 405, "method_not_allowed"),
    (request_bytes("POST", "/v1/models/chat", body={}), 405, "method_not_allowed"),
    (request_bytes("POST", CHAT, body=b"x" * 70_000), 413, "request_too_large"),
    (request_bytes("POST", CHAT, fields=[("Content-Length", str(10**12))]), 413, "request_too_large"),
    (request_bytes("POST", CHAT, fields=[("Transfer-Encoding", "chunked")]) + b"11170\r\n" + b"x" * 70_000 + b"\r\n0\r\n\r\n",
     413, "request_too_large"),
    (request_bytes("POST", CHAT, CLIENT_KEY, body=gzip.compress(b"x" * 70_000), fields=[("Content-Encoding", "gzip")]),
     413, "request_too_large"),
    (request_bytes("POST", CHAT, body=b"x", fields=[("Content-Encoding", "br")]), 415, "unsupported_media_type"),
    (request_bytes("GET", "/v1/models", fields=[("X-Large", "x" * 9000)]), 431, "request_header_fields_too_large"),
    (request_bytes("GET", "/v1/models", fields=[(f"X-{n}", "x") for n in range(300)]), 431, "request_header_fields_too_large"),
    (request_bytes("POST", CHAT, body={}), 401, "invalid_api_key"),
    (request_bytes("GET", "/v1/models", "sk-wrong"), 401, "invalid_api_key"),
    (b"hello\r\n\r\n", 400, "invalid_request"),
    (b"GET /v1/models HTTP/1.1\r\n\r\n", 400, "invalid_request"),
    (b"GET /v1/models HTTP/2.0\r\nHost: x\r\n\r\n", 400, "invalid_request"),
    (b"GET  /v1/models HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid_request"),
    (b"GET /v1/../v1/models HTTP/1.1\r\nHost: x\r\n\r\n", 400, "invalid_request"),
    (b"GET /v1/models HTTP/1.1\r\nHost : x\r\n\r\n", 400, "invalid_request"),
    (b"GET /v1/models HTTP/1.1\nHost: x\n\n", 400, "invalid_request"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "invalid_request"),  # TLS to a listener that has none
    (request_bytes("POST", CHAT, fields=[("Content-Length", "5"), ("Transfer-Encoding", "chunked")]) + b"0\r\n\r\n",
     400, "invalid_request"),
    (request_bytes("POST", CHAT, fields=[("Transfer-Encoding", "chunked")]) + b"zz\r\nhello\r\n", 400, "invalid_request"),
    (request_bytes("POST", CHAT, fields=[("Content-Length", "-1")]), 400, "invalid_request"),
])
def test_what_is_no_request_of_ours_is_refused_in_openais_shape_M38(stage, content, status, code):
    answer = raw(stage.daemon, content)
    message = expect_openai_error(answer, status, "invalid_request_error", code)["message"]
    assert answer.fields["x-should-retry"] == "false"
    if status == 413:
        assert "limits.body_bytes_max is 65536 bytes" in message
    if status == 431:
        assert "limits.head_bytes_max is 8192 bytes" in message or "more than 100 header fields" in message
    if status == 405:
        assert answer.fields["allow"] in ("GET, HEAD", "POST")
    if status == 401:
        assert answer.fields["www-authenticate"] == "Bearer"


def test_what_is_not_there_is_named(stage):
    model = expect_openai_error(post_chat(stage.daemon, chat(HELLO, "no\n" + "x" * 200)), 404, code="model_not_found")
    assert f"'no?{'x' * 125}...'" in model["message"]
    listed = send(stage.daemon.address, "GET", "/v1/models/no-such", stage.daemon.key)
    assert "'no-such'" in expect_openai_error(listed, 404, code="model_not_found")["message"]
    path = expect_openai_error(send(stage.daemon.address, "PUT", "/v2/nowhere?key=x", stage.daemon.key), 404, code="unknown_url")
    assert "PUT /v2/nowhere here" in path["message"]


@pytest.mark.parametrize("body, param", [
    (b"", None), (b"{", None), (b"[]", None), (b"null", None), (b'{"model":"pair"', None),
    (b'{"model":"pair","model":"first","messages":[]}', "model"),
    (b'\xff{}', None), (b'{"model":"pair","messages":[{"role":"user","content":"\xff"}]}', None), (b"[" * 50_000, None),
    ({"model": 1, "messages": [{}]}, "model"), ({"model": "pair"}, "messages"), ({"model": "pair", "messages": []}, "messages"),
    ({"model": "pair", "messages": ["x"]}, "messages[0]"), ({"model": "pair", "messages": [{}], "stream": "yes"}, "stream"),
    ({"model": "pair", "messages": [{}], "n": 0}, "n"), ({"model": "pair", "messages": [{}], "max_tokens": "9"}, "max_tokens"),
    ({"model": "pair", "messages": [{}], "stream": True, "stream_options": {"include_usage": 1}}, "stream_options.include_usage"),
])
def test_a_request_that_cannot_be_read_is_refused_with_the_field_at_fault_M38(stage, body, param):
    asked = sum(len(provider.requests) for provider in stage.providers.values())
    answer = post_chat(stage.daemon, body)
    error = expect_openai_error(answer, 400, "invalid_request_error")
    assert error["param"] == param and ("'messages' is missing" in error["message"]) == (body == {"model": "pair"})
    assert answer.fields["x-should-retry"] == "false"
    request, attempts = stage.rows(answer)
    assert request["http_status"] == 400 and request["error"] == "bad_request" and not attempts
    assert sum(len(provider.requests) for provider in stage.providers.values()) == asked
