"""LangChain, changed in its base URL and key alone."""
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI


@pytest.fixture
def model(daemon):
    return ChatOpenAI(model="chat", base_url=daemon.base_url, api_key=daemon.key, stream_usage=True)


@tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return "fair"


def test_invoke(model):
    answer = model.invoke("hello")
    assert answer.content and answer.usage_metadata["total_tokens"] > 0


def test_stream(model):
    pieces = list(model.stream("hello"))
    assert "".join(piece.content for piece in pieces)
    assert sum((piece.usage_metadata or {}).get("total_tokens", 0) for piece in pieces) > 0


def test_tools(model):
    answer = model.bind_tools([get_weather], parallel_tool_calls=True).invoke("[[sim tools=2]] weather?")
    assert [call["name"] for call in answer.tool_calls] == ["get_weather", "get_weather"]


def test_tools_streamed(model):
    whole = None
    for piece in model.bind_tools([get_weather]).stream("[[sim tools=1]] weather?"):
        whole = piece if whole is None else whole + piece
    assert [call["name"] for call in whole.tool_calls] == ["get_weather"]
