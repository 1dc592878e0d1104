"""The official Python SDK on streams that are cut, kept alive, coded and split: it raises where an answer is not whole, not elsewhere."""
import gzip

import openai
import pytest

from harness.daemon import PROMPT_CANARY
from harness.stage import Stage
from harness.upstream import DONE, ROLE, STOP, chunk, event, refusal, said, stream, usage

ASK = [{"role": "user", "content": f"Say hello, {PROMPT_CANARY}"}]
COMMENTS = b"".join(b": keep-alive\n\n" for _ in range(2000))
TOLD = (20, 0, 10)
END = [STOP, event(chunk(usage=usage(20, 10))), DONE]
TEXT = [ROLE, said("Grüße "), said("東京 🦊\u2028")]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    stage = Stage(tmp_path_factory.mktemp("sdk"), {"only": "generic"})
    yield stage
    stage.close()


@pytest.fixture
def provider(made):
    yield made.providers["only"]
    made.audit()


@pytest.fixture
def client(made):
    with openai.OpenAI(base_url=made.daemon.base_url, api_key=made.daemon.key, max_retries=0) as one:
        yield one


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


@pytest.mark.parametrize("events, options", [
    ([COMMENTS, *TEXT, *END], {}),
    ([TEXT[0], COMMENTS, *TEXT[1:], COMMENTS, *END], {}),
    ([*TEXT, b"\n\n\n", *END], {}),
    ([*TEXT, b"event: ping\n\n", b"id: 7\nretry: 100\n\n", *END], {}),
    ([*TEXT, *END], {"segment": 1}),
    ([b"".join([*TEXT, *END]).replace(b"\n", b"\r\n")], {"segment": 1}),
    ([*TEXT, STOP, event(chunk(usage=usage(20, 10)))], {}),  # [DONE] is forgotten
], ids=["comments before", "comments within", "blank lines", "fields without data", "a byte at a time", "CR LF", "no [DONE]"])
def test_a_whole_stream_raises_nothing_M26_M27_M30(provider, client, events, options):
    provider.will(stream(*events, usage=TOLD, **options))
    assert text_of(client.chat.completions.create(model="only", messages=ASK, stream=True)) == "Grüße 東京 🦊\u2028"


def test_a_coded_stream_raises_nothing_M35(provider, client):
    body = b"".join([*TEXT, *END])
    provider.will(stream(gzip.compress(body), fields=[("Content-Encoding", "gzip")], usage=TOLD))
    assert text_of(client.chat.completions.create(model="only", messages=ASK, stream=True)) == "Grüße 東京 🦊\u2028"


@pytest.mark.parametrize("rest, options", [
    ([], {"end": "fin"}), ([], {"end": "rst"}), ([], {"end": "short"}), ([], {}), ([], {"framing": "close"}),
    ([STOP], {"end": "fin"}),
    ([event({"error": {"message": "overloaded", "type": "server_error", "code": None}})], {}),
    ([b"event: error\ndata: {\"message\":\"overloaded\"}\n\n"], {}),
    ([event(b"not JSON"), *END], {"usage": None}),
], ids=["FIN", "RST", "a short chunk", "no finish_reason", "FIN without framing", "FIN after the end", "an error", "an error event",
        "no JSON"])
def test_a_truncated_stream_raises_M32(provider, client, rest, options):
    provider.will(stream(*TEXT, *rest, **options))
    seen = []
    with pytest.raises(openai.APIError) as raised:
        for one in client.chat.completions.create(model="only", messages=ASK, stream=True):
            seen.append(one)
    assert text_of(seen) == "Grüße 東京 🦊\u2028" and raised.value.code.startswith("upstream_")


@pytest.mark.parametrize("status, code, error", [
    (400, "context_length_exceeded", openai.BadRequestError), (422, None, openai.UnprocessableEntityError),
    (429, None, openai.RateLimitError),
    (401, None, openai.InternalServerError), (503, None, openai.InternalServerError),
])
@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_a_refusal_raises_what_openais_own_would_M38(provider, client, status, code, error, streamed):
    provider.will(refusal(status, {"message": "no", "type": "invalid_request_error", "param": "messages", "code": code}))
    with pytest.raises(error) as raised:
        client.chat.completions.create(model="only", messages=ASK, stream=streamed)
    assert raised.value.request_id.startswith("req_")
    if status == 400:
        assert (raised.value.code, raised.value.param, raised.value.type) == (code, "messages", "invalid_request_error")


def test_interleaved_tool_calls_are_put_together_M37(provider, client):
    def call(index, **fields):
        return event(chunk({"tool_calls": [{"index": index, **fields}]}))

    provider.will(stream(
        ROLE, call(0, id="call_a", type="function", function={"name": "weather", "arguments": ""}),
        call(1, id="call_b", type="function", function={"name": "time", "arguments": ""}),
        call(0, function={"arguments": '{"city":'}), call(1, function={"arguments": "{}"}), call(0, function={"arguments": '"Tōkyō"}'}),
        event(chunk(finish="tool_calls")), *END[1:], usage=TOLD))
    tools = [{"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}
             for name in ("weather", "time")]
    with client.chat.completions.stream(model="only", messages=ASK, tools=tools) as opened:
        calls = opened.get_final_completion().choices[0].message.tool_calls
    assert [(call.id, call.function.name, call.function.arguments) for call in calls] == [
        ("call_a", "weather", '{"city":"Tōkyō"}'), ("call_b", "time", "{}")]
