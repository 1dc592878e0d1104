"""The official Python SDK under rate limits, and with an Idempotency-Key."""
import concurrent.futures

import openai
import pytest


HELLO = [{"role": "user", "content": "hello"}]
SLOW = [{"role": "user", "content": "[[sim delay_ms=300]] hello"}]


@pytest.fixture
def limited(start):
    """Gives a client of a daemon whose key has these limits."""
    clients = []

    def client(limits, retries):
        daemon = start(lambda config: config["keys"][0].update(limits=limits))
        clients.append(openai.OpenAI(base_url=daemon.base_url, api_key=daemon.key, max_retries=retries))
        return clients[-1]

    yield client
    for one in clients:
        one.close()


def test_a_refusal_is_a_rate_limit_error_that_says_when(limited):
    client = limited({"requests_per_minute": 1}, retries=0)
    raw = client.chat.completions.with_raw_response.create(model="chat", messages=HELLO)
    assert (raw.headers["x-ratelimit-limit-requests"], raw.headers["x-ratelimit-remaining-requests"]) == ("1", "0")
    with pytest.raises(openai.RateLimitError) as refused:
        client.chat.completions.create(model="chat", messages=HELLO, stream=True)
    assert refused.value.code == "rate_limit_exceeded" and 0 < int(refused.value.response.headers["retry-after"]) <= 60


def test_the_sdk_comes_back_by_itself_when_a_place_is_free(limited):
    client = limited({"parallel": 1}, retries=2)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(client.chat.completions.create, model="chat", messages=SLOW) for _ in range(2)]
        assert all(one.result().choices[0].message.content for one in asked)


@pytest.mark.parametrize("stream", [False, True])
def test_a_repeat_is_the_same_answer(daemon, stream):
    def ask(client):
        return client.chat.completions.create(model="chat", messages=HELLO, stream=stream, extra_headers={"Idempotency-Key": "order 17"})

    with openai.OpenAI(base_url=daemon.base_url, api_key=daemon.key) as client:
        if stream:
            first, second = [[chunk.model_dump() for chunk in ask(client)] for _ in range(2)]
        else:
            first, second = [ask(client).model_dump() for _ in range(2)]
        assert first == second
        with pytest.raises(openai.UnprocessableEntityError) as refused:
            client.chat.completions.create(model="chat", messages=SLOW, extra_headers={"Idempotency-Key": "order 17"})
        assert refused.value.code == "idempotency_mismatch"
    assert len(daemon.ledger().attempts) == 1
