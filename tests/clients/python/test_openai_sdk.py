"""The official Python SDK, changed in its base URL and key alone."""
import json

import openai
import pytest

from harness import books
from harness.process import wait_until

TOOLS = [{"type": "function", "function": {"name": name, "description": name, "parameters": {"type": "object", "properties": {
    "city": {"type": "string"}}}}} for name in ("get_weather", "get_time")]
SCHEMA = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}}}


@pytest.fixture
def client(daemon):
    with openai.OpenAI(base_url=daemon.base_url, api_key=daemon.key) as made:
        yield made


def ask(text):
    return [{"role": "user", "content": text}]


def test_chat(client):
    answer = client.chat.completions.create(model="chat", messages=ask("hello"))
    assert answer.choices[0].message.content and answer.usage.total_tokens > 0


def test_stream_with_usage(client, settled):
    chunks = list(client.chat.completions.create(model="chat", messages=ask("hello"), stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
    (attempt,) = settled().attempts
    assert usage.completion_tokens == books.tokens(attempt["output_tokens"], attempt["reasoning_tokens"])


@pytest.mark.parametrize("provider", ["deepseek", "qwen", "openai"])
def test_tools_in_parallel(client, provider):
    answer = client.chat.completions.create(model=provider, messages=ask("[[sim tools=2]] weather and time?"), tools=TOOLS, parallel_tool_calls=True)
    calls = answer.choices[0].message.tool_calls
    assert len(calls) == 2 and len({call.id for call in calls}) == 2
    assert all(isinstance(json.loads(call.function.arguments), dict) for call in calls)


@pytest.mark.parametrize("provider", ["deepseek", "qwen", "openai"])
def test_tools_streamed(client, provider):
    with client.chat.completions.stream(model=provider, messages=ask("[[sim tools=2]] weather and time?"), tools=TOOLS, parallel_tool_calls=True) as stream:
        for _ in stream:
            pass
        calls = stream.get_final_completion().choices[0].message.tool_calls
    assert len(calls) == 2 and all(isinstance(json.loads(call.function.arguments), dict) for call in calls)


def test_json_schema(client):
    answer = client.chat.completions.create(model="openai", messages=ask("which city?"), response_format=SCHEMA)
    assert set(json.loads(answer.choices[0].message.content)) == {"city"}


def test_abort_in_mid_stream(client, daemon, simulator):
    stream = client.chat.completions.create(model="chat", messages=ask("[[sim chunks=2000 chunk_ms=5]] a story"), stream=True)
    for _, _chunk in zip(range(5), stream):
        pass
    stream.close()
    rows = wait_until(lambda: (ledger := daemon.ledger()).all_settled() and ledger.attempts, "the abort in the books")
    assert [row["ended_by"] for row in rows] == ["app"] and rows[0]["usd_pico"] > 0
    wait_until(lambda: [line["end"] for line in simulator.bill()] == ["client_closed"], "the provider to notice")


@pytest.mark.parametrize("words, error, requests", [
    ("status=400", openai.BadRequestError, 1),
    ("status=500", openai.InternalServerError, 3),   # the SDK tries 3 times
    ("status=429", openai.RateLimitError, 3),
])
def test_errors_and_retries(daemon, settled, words, error, requests):
    client = openai.OpenAI(base_url=daemon.base_url, api_key=daemon.key, max_retries=2)
    with pytest.raises(error):
        client.chat.completions.create(model="openai", messages=ask(f"[[sim {words}]] hello"))
    assert len(settled().requests) == requests


def test_errors_before_any_provider(client, daemon, simulator):
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="no-such-route", messages=ask("hello"))
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").models.list()
    assert simulator.bill() == []


def test_a_broken_stream_raises(client):
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="chat", messages=ask("[[sim close=mid chunks=20]] hello"), stream=True))


def test_models(client):
    assert {model.id for model in client.models.list()} >= {"chat", "ordered"}
    assert client.models.retrieve("chat").id == "chat"
