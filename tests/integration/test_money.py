"""Money: whatever way a provider tells its usage, the same tokens cost the same; and an unknown price is not a price of 0."""
import csv
import io
import json
from decimal import Decimal

import pytest

from harness.daemon import PROMPT_CANARY, TARGETS
from harness.http import chat, post_chat, text_of
from harness.process import run, wait_until
from harness.stage import SELF_HOSTED, Stage
from harness.upstream import (
    DONE, ROLE, STOP, chunk, compact, completion, cost_at_rates, event, good_stream, said, stream, usage, whole)

pytestmark = pytest.mark.alone

HELLO = f"Say hello, {PROMPT_CANARY}"
PICO = 10**12
COUNTS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_tokens")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All kinds of providers as the simulator speaks them, and scripted ones of three profiles."""
    def change(config):
        simulator = config["providers"]["openai"]["base_url"].removesuffix("/openai/v1")
        for kind in SELF_HOSTED:
            Stage.add(config, kind, kind, f"{simulator}/{kind}/v1", "priced")
        Stage.add(config, "unpriced", "vllm", f"{simulator}/vllm/v1", "mystery", price=None)
        Stage.add(config, "free", "vllm", f"{simulator}/vllm/v1", "gift", price={"from": "2020-01-01", "input": "0", "output": "0"})
        config["routes"]["mixed"] = {"targets": ["unpriced/mystery", TARGETS["openai"], "free/gift", TARGETS["deepseek"]]}
        config["keys"][0]["routes"].append("mixed")

    stage = Stage(tmp_path_factory.mktemp("money"), {"generic": "generic", "counters": "deepseek", "outside": "ollama"}, change)
    stage.priced_here = {"priced"}
    stage.unpriced = {"unpriced/mystery"}
    yield stage
    stage.close()


@pytest.fixture
def stage(made):
    yield made
    made.audit()


def attempt_of(stage, body):
    """The row of a request's one attempt, which must have ended well."""
    answer = post_chat(stage.daemon, body)
    assert answer.status == 200 and answer.complete, answer.body
    _, (attempt,) = stage.rows(answer)
    assert attempt["error"] == ""
    return attempt


def counts(attempt):
    return tuple(attempt[name] or 0 for name in COUNTS)


@pytest.mark.parametrize("thinking", ["", " thinking"])
@pytest.mark.parametrize("provider", [*TARGETS, *SELF_HOSTED])
def test_a_stream_costs_what_the_same_buffered_answer_costs_M01(stage, provider, thinking):
    words = f"[[sim bytes=700 cached=16{thinking}]] {HELLO}"
    buffered, streamed = (attempt_of(stage, chat(words, provider, stream=streamed)) for streamed in (False, True))
    assert counts(buffered) == counts(streamed)
    assert buffered["usd_pico"] == streamed["usd_pico"] > 0
    assert buffered["usage_source"] == streamed["usage_source"] == "reported"


@pytest.mark.parametrize("place", ["every", "before_last", "same", "delta", "choices"])
@pytest.mark.parametrize("provider", [*TARGETS, "vllm", "llamacpp"])
def test_usage_counts_wherever_the_stream_tells_it_M02_M03(stage, provider, place):
    word = f" usage={place}"
    prompts = f"[[sim chunks=9 bytes=300 cached=16]] {HELLO}{' ' * len(word)}", f"[[sim chunks=9 bytes=300 cached=16{word}]] {HELLO}"
    usual, elsewhere = (attempt_of(stage, chat(prompt, provider, stream=True)) for prompt in prompts)
    assert counts(usual) == counts(elsewhere) and usual["usd_pico"] == elsewhere["usd_pico"] > 0
    assert elsewhere["usage_source"] == "reported"


USAGE = usage(40, 12, cached=8, reasoning=5)
PLACES = {
    "in a chunk without choices": [ROLE, said("hello"), STOP, event(chunk(usage=USAGE)), DONE],
    "in the chunk of the end": [ROLE, said("hello"), event(chunk(finish="stop", usage=USAGE)), DONE],
    "in a chunk with an empty delta": [ROLE, said("hello"), STOP, event(chunk({}, usage=USAGE)), DONE],
    "in the chunk before the last": [ROLE, said("hello", usage=USAGE), STOP, DONE],
    "in the first chunk": [event(chunk({"role": "assistant", "content": ""}, usage=USAGE)), said("hello"), STOP, DONE],
    "null everywhere else": [event(chunk({"content": "hello"}, usage=None)), event(chunk(finish="stop", usage=None)),
                             event(chunk(usage=USAGE)), DONE],
    "null after it": [said("hello"), event(chunk(finish="stop", usage=USAGE)), event(chunk({}, usage=None)), DONE],
    "inside of choices": [
        said("hello"), event({**chunk(), "choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]}), DONE],
    "under x_groq": [said("hello"), event(chunk(finish="stop", x_groq={"id": "r", "usage": USAGE})), DONE],
    "twice": [said("hello"), event(chunk(finish="stop", usage=USAGE)), event(chunk(usage=USAGE)), DONE],
    "without [DONE] after it": [said("hello"), STOP, event(chunk(usage=USAGE))],
    "its input first, its output last": [
        event(chunk({"content": "hello"}, usage={"prompt_tokens": 40, "prompt_tokens_details": {"cached_tokens": 8}})), STOP,
        event(chunk(usage={"completion_tokens": 12, "completion_tokens_details": {"reasoning_tokens": 5}})), DONE],
    "rising with every chunk": [event(chunk({"content": "x"}, usage=usage(40, n, cached=8, reasoning=min(n, 5)))) for n in range(13)] +
                               [STOP, DONE],
    "with the keys of the Responses API": [said("hello"), STOP, event(chunk(usage={
        "input_tokens": 40, "input_tokens_details": {"cached_tokens": 8}, "output_tokens": 12,
        "output_tokens_details": {"reasoning_tokens": 5}})), DONE],
}


@pytest.mark.parametrize("asked", [False, True], ids=["unasked", "asked"])
@pytest.mark.parametrize("place", PLACES)
def test_usage_is_the_same_wherever_it_stands_M02_M03(stage, place, asked):
    stage.providers["generic"].will(stream(*PLACES[place], usage=(40, 8, 12)))
    options = {"stream_options": {"include_usage": True}} if asked else {}
    answer = post_chat(stage.daemon, chat(HELLO, "generic", stream=True, **options))
    _, (attempt,) = stage.rows(answer)
    assert counts(attempt) == (32, 8, 7, 5)
    assert attempt["usd_pico"] == int(Decimal(cost_at_rates(40, 8, 12)) * PICO)
    assert answer.events()[-1] == "[DONE]"
    # Unasked, the app sees no usage in its usual place, and asked it sees what there is, with the cost of all of it last.
    told = [seen["usage"] for seen in answer.events()[:-1] if seen.get("usage")]
    if not asked:
        assert not told
    elif "choices" not in place and "groq" not in place:
        assert told[-1]["cost_usd"] == cost_at_rates(40, 8, 12)


# provider -> usage as it tells it -> uncached input, cached input, output, reasoning
COUNTERS = [
    ("counters", {"prompt_tokens": 100, "completion_tokens": 10, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36},
     (36, 64, 10, 0)),
    ("counters", {"prompt_tokens": 100, "completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 64}}, (36, 64, 10, 0)),
    ("counters", {"prompt_tokens": 100, "completion_tokens": 10, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36,
                  "prompt_tokens_details": {"cached_tokens": 64}}, (36, 64, 10, 0)),
    ("counters", {"completion_tokens": 10, "prompt_cache_hit_tokens": 64, "prompt_cache_miss_tokens": 36}, (36, 64, 10, 0)),
    ("counters", {"prompt_tokens": 100, "completion_tokens": 10, "prompt_cache_hit_tokens": 0, "prompt_cache_miss_tokens": 100},
     (100, 0, 10, 0)),
    ("counters", {"prompt_tokens": 100, "completion_tokens": 10, "prompt_cache_hit_tokens": 100, "prompt_cache_miss_tokens": 0},
     (0, 100, 10, 0)),
    ("counters", {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150, "prompt_cache_hit_tokens": 64,
                  "completion_tokens_details": {"reasoning_tokens": 30}}, (36, 64, 20, 30)),
    ("generic", {"prompt_tokens": 100, "completion_tokens": 50, "prompt_tokens_details": None, "completion_tokens_details": None},
     (100, 0, 50, 0)),
    ("generic", {"prompt_tokens": 100, "completion_tokens": 50, "cached_tokens": 64}, (36, 64, 50, 0)),
    # xAI and others count reasoning beside the output; the total tells.
    ("generic", {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 150, "completion_tokens_details": {"reasoning_tokens": 30}},
     (100, 0, 20, 30)),
    ("outside", {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150, "completion_tokens_details": {"reasoning_tokens": 30}},
     (100, 0, 20, 30)),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("provider, told, expected", COUNTERS)
def test_cache_and_reasoning_counters_are_counted_once_M04(stage, provider, told, expected, streamed):
    fresh, cached, output, reasoning = expected
    bill = (fresh + cached, cached, output + reasoning)
    stage.providers[provider].will(stream(ROLE, said("hello"), STOP, event(chunk(usage=told)), DONE, usage=bill) if streamed
                                   else whole(completion(told=told), told=bill))
    attempt = attempt_of(stage, chat(HELLO, provider, stream=streamed))
    assert counts(attempt) == expected
    assert attempt["usd_pico"] == int(Decimal(cost_at_rates(*bill)) * PICO)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("told", [
    {"prompt_tokens": -1, "completion_tokens": 5},
    {"prompt_tokens": 10, "completion_tokens": 99999999999999999999},
    {"prompt_tokens": "10", "completion_tokens": 5},
    {"prompt_tokens": 10.5, "completion_tokens": 5},
    {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 11}},
    {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 11},
    {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "completion_tokens_details": {"reasoning_tokens": 6}},
    {"prompt_tokens": 10, "completion_tokens": 0},  # although something was said
    {"prompt_tokens": 300_000, "completion_tokens": 5},  # of a request of some hundred bytes
    {"prompt_tokens": 10, "completion_tokens": 3_000_000},
])
def test_absurd_usage_is_estimated_and_says_so_M04(stage, told, streamed):
    stage.providers["generic"].will(stream(ROLE, said("hello"), STOP, event(chunk(usage=told)), DONE) if streamed
                                    else whole(completion(told=told)))
    attempt = attempt_of(stage, chat(HELLO, "generic", stream=streamed))
    assert attempt["usage_source"] == "invalid" and 0 < attempt["input_tokens"] < 1000 and 0 < attempt["output_tokens"] < 10
    # The app and the books have it before the metrics do.
    wait_until(lambda: 'fairlead_usage_total{source="invalid",target="generic/m"}' in stage.daemon.admin_get("/metrics")[1], "the metric")
    assert attempt["usd_pico"] == int(Decimal(cost_at_rates(attempt["input_tokens"], 0, attempt["output_tokens"])) * PICO)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_an_estimate_never_exceeds_the_apps_own_limit_M09(stage, streamed):
    text = "word " * 2000
    stage.providers["generic"].will(stream(ROLE, said(text), STOP, DONE) if streamed else whole(completion(text)))
    attempt = attempt_of(stage, chat(HELLO, "generic", stream=streamed, max_tokens=50))
    assert attempt["usage_source"] == "estimated" and attempt["output_tokens"] == 50


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_the_words_of_an_error_are_not_billed_as_output_M09(stage, streamed):
    error = {"error": {"message": "overloaded " * 3000, "type": "server_error", "code": 500}}
    # A buffered answer can be tried again, as often as the limit says.
    stage.providers["generic"].will(*[stream(ROLE, said("four"), event(error))] if streamed else [whole(error)] * 3)
    answer = post_chat(stage.daemon, chat(HELLO, "generic", stream=streamed))
    _, attempts = stage.rows(answer)
    for attempt in attempts:
        assert attempt["error"] == "upstream_error_event" and attempt["usage_source"] == "estimated"
        # 4 letters: how many tokens depends on what other tests have taught, but no token is less than a byte.
        assert attempt["output_tokens"] in (range(1, 5) if streamed else (0,))


def test_a_failed_attempt_keeps_its_own_model_price_and_usage_M13(stage):
    told = event(chunk(usage=usage(1000, 1)))
    stage.providers["generic"].will(stream(ROLE, told, event({"error": {"message": "no"}}), usage=(1000, 0, 1)))
    stage.providers["counters"].will(good_stream(told=(20, 0, 10)))
    answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=True))
    request, attempts = stage.rows(answer)
    assert [attempt["target"] for attempt in attempts] == ["generic/m", "counters/m"]
    costs = [int(Decimal(cost_at_rates(*bill)) * PICO) for bill in ((1000, 0, 1), (20, 0, 10))]
    assert [attempt["usd_pico"] for attempt in attempts] == costs and request["usd_pico"] == sum(costs)
    assert all(json.loads(attempt["price"])["model"] == attempt["target"] for attempt in attempts)


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_an_unpriced_target_costs_an_unknown_amount_not_nothing_M06(stage, streamed):
    options = {"stream_options": {"include_usage": True}} if streamed else {}
    answer = post_chat(stage.daemon, chat(HELLO, "unpriced", stream=streamed, **options))
    assert answer.status == 200 and "x-fairlead-cost-usd" not in answer.fields and b"cost_usd" not in answer.body
    _, (attempt,) = stage.rows(answer)
    assert attempt["usage_source"] == "reported" and attempt["input_tokens"] > 0
    assert attempt["cost_pico"] is None and attempt["usd_pico"] is None and attempt["reserved_usd_pico"] is None and attempt["price"] == ""


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_an_explicit_price_of_0_is_a_price_M06(stage, streamed):
    options = {"stream_options": {"include_usage": True}} if streamed else {}
    answer = post_chat(stage.daemon, chat(HELLO, "free", stream=streamed, **options))
    told = answer.events()[-2]["usage"]["cost_usd"] if streamed else answer.fields["x-fairlead-cost-usd"]
    _, (attempt,) = stage.rows(answer)
    assert told == "0" and attempt["usd_pico"] == attempt["cost_pico"] == 0 and json.loads(attempt["price"])["input"] == "0"


def test_free_ranks_first_and_unpriced_last_M06(stage):
    answer = post_chat(stage.daemon, chat(HELLO, "mixed"))
    request, _ = stage.rows(answer)
    ranked = [candidate["target"] for candidate in json.loads(request["plan"])["candidates"]]
    assert answer.fields["x-fairlead-target"] == ranked[0] == "free/gift" and ranked[-1] == "unpriced/mystery"
    assert set(ranked[1:-1]) == {TARGETS["openai"], TARGETS["deepseek"]}


def test_unpriced_attempts_stand_out_in_the_report_M06(stage):
    post_chat(stage.daemon, chat(HELLO, "unpriced"))
    stage.settled()
    done = run("usage", "--by", "target", "--format", "csv", "--ledger", f"sqlite:{stage.daemon.ledger_file}")
    rows = {row["target"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
    (column,) = [name for name in rows["unpriced/mystery"] if "unpriced" in name]
    assert int(rows["unpriced/mystery"][column]) > 0
    assert all(int(row[column] or 0) == 0 for target, row in rows.items() if target != "unpriced/mystery")


@pytest.mark.parametrize("fields, output", [({"max_tokens": 5, "max_completion_tokens": 300}, 300),
                                            ({"max_tokens": 300, "max_completion_tokens": 5}, 300), ({"max_tokens": 5}, 5)])
def test_where_both_limits_are_sent_the_larger_is_expected_and_reserved(stage, fields, output):
    """Which of the two a server of no known kind heeds, nobody knows."""
    stage.providers["generic"].will(whole(completion(told=usage(20, 10)), told=(20, 0, 10)))
    answer = post_chat(stage.daemon, chat(HELLO, "generic", **fields))
    row, (attempt,) = stage.rows(answer)
    assert stage.providers["generic"].requests[-1].json().items() >= fields.items(), "both are sent on"
    explained = json.loads(run("explain", answer.request_id, "--format", "json", "--ledger", f"sqlite:{stage.daemon.ledger_file}").stdout)
    (candidate,) = explained["plan"]["candidates"]
    assert candidate["output_tokens"] <= output, "what answers were long so far may be less"
    body_bytes_max = 200  # of which each may be a token
    least, most = (int(Decimal(cost_at_rates(tokens, 0, output)) * PICO) for tokens in (candidate["input_tokens"], body_bytes_max))
    assert least <= attempt["reserved_usd_pico"] <= most


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_the_asked_routed_and_reported_names_are_kept_and_the_routed_one_is_priced_M07(stage, streamed):
    attempt = attempt_of(stage, chat(f"[[sim model=gpt-6-sol-2026-01-01]] {HELLO}", "ordered", stream=streamed))
    ledger = stage.settled()
    assert ledger.request(attempt["request_id"])["requested_model"] == "ordered"
    assert attempt["target"] == TARGETS["deepseek"] and attempt["model"] == TARGETS["deepseek"].split("/")[1]
    assert attempt["reported_model"] == "gpt-6-sol-2026-01-01"
    assert json.loads(attempt["price"])["model"] == TARGETS["deepseek"]  # and the audit compares the cost with the bill
    told = run("explain", attempt["request_id"], "--ledger", f"sqlite:{stage.daemon.ledger_file}").stdout
    assert "  reported  the answer names another model: gpt-6-sol-2026-01-01\n" in told


def test_a_target_that_is_asked_for_by_name_is_priced_as_itself_M07(stage):
    attempt = attempt_of(stage, chat(HELLO, TARGETS["qwen"]))
    ledger = stage.settled()
    assert ledger.request(attempt["request_id"])["requested_model"] == attempt["target"] == TARGETS["qwen"]
    assert attempt["reported_model"] == attempt["model"]
    assert "another model" not in run("explain", attempt["request_id"], "--ledger", f"sqlite:{stage.daemon.ledger_file}").stdout


def test_what_a_provider_says_that_it_costs_stands_beside_what_we_compute(tmp_path):
    stage = Stage(tmp_path, {"one": "generic"})
    try:
        one = stage.providers["one"]
        one.will(whole(completion("hello", usage(100, 50, cost=0.00031)), (100, 0, 50)), whole(completion("hello", usage(100, 50)), (100, 0, 50)),
                 stream(ROLE, said("hello"), STOP, event(chunk(usage=usage(100, 50, cost_in_usd_ticks=3000000))), DONE, usage=(100, 0, 50)))
        answers = [post_chat(stage.daemon, chat(HELLO, "one", stream=streamed)) for streamed in (False, False, True)]
        attempts = [stage.rows(answer)[1][0] for answer in answers]
        assert [attempt["reported_usd_pico"] for attempt in attempts] == [310_000_000, None, 300_000_000]
        assert {attempt["usd_pico"] for attempt in attempts} == {300_000_000}, "by the price list, whatever they say"
        ledger = f"sqlite:{stage.daemon.ledger_file}"
        told = run("audit", "--ledger", ledger)
        assert "of 2 attempts the provider said the cost: 0.00061 USD, and the ledger has 0.0006; 1 differ\n" in told.stdout and told.returncode == 0
        assert json.loads(run("audit", "--format", "json", "--ledger", ledger).stdout)["told_by_providers"] == {
            "attempts": 2, "differing": 1, "told_usd": "0.00061", "cost_usd": "0.0006"}
        assert "; the provider says 0.00031 USD" in run("explain", answers[0].request_id, "--ledger", ledger).stdout
    finally:
        stage.close()


def test_a_stream_tells_the_cost_that_is_booked_or_none(tmp_path):
    """Figures that are filled up or not believed are booked otherwise than they say."""
    stage = Stage(tmp_path, {"one": "generic"})
    try:
        for told, source in ((usage(20, 10), "reported"), ({"completion_tokens": 10}, "estimated"), ({"prompt_tokens": 20}, "estimated"),
                             (usage(20, 9_000_000), "invalid"), (usage(0, 0), "invalid")):
            reported = {"usage": (20, 0, 10)} if source == "reported" else {}
            stage.providers["one"].will(stream(ROLE, said("hello"), STOP, event(chunk(usage=told)), DONE, **reported))
            answer = post_chat(stage.daemon, chat(HELLO, "one", stream=True, stream_options={"include_usage": True}))
            _, (attempt,) = stage.rows(answer)
            assert attempt["usage_source"] == source and attempt["usd_pico"] > 0
            seen = answer.events()[-2]["usage"]
            if source == "reported":
                assert Decimal(seen["cost_usd"]) * PICO == attempt["usd_pico"]
            else:
                assert seen == told
    finally:
        stage.providers["one"].stop()
        stage.daemon.stop()
        stage.simulator.stop()


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
def test_no_cost_is_told_where_that_of_an_attempt_before_is_unknown(tmp_path, streamed):
    def change(config):
        config["models"]["first/m"] = {"prices": []}

    stage = Stage(tmp_path, {"first": "generic", "second": "generic"}, change)
    try:
        error = {"error": {"message": "no"}}
        stage.providers["first"].will(stream(ROLE, event(chunk(usage=usage(1000, 1))), event(error), usage=(1000, 0, 1)) if streamed
                                      else whole({**completion(told=usage(1000, 1)), **error}, told=(1000, 0, 1)))
        stage.providers["second"].will(good_stream(told=(20, 0, 10)) if streamed else whole(completion(told=usage(20, 10)), told=(20, 0, 10)))
        options = {"stream_options": {"include_usage": True}} if streamed else {}
        answer = post_chat(stage.daemon, chat(HELLO, "pair", stream=streamed, **options))
        _, attempts = stage.rows(answer)
        assert answer.status == 200 and [(a["target"], a["usage_source"]) for a in attempts] == [("first/m", "reported"), ("second/m", "reported")]
        assert attempts[0]["usd_pico"] is None and attempts[1]["usd_pico"] > 0
        assert "x-fairlead-cost-usd" not in answer.fields and b"cost_usd" not in answer.body
    finally:  # without an audit: the bill knows a price of the first
        for provider in stage.providers.values():
            provider.stop()
        stage.daemon.stop()
        stage.simulator.stop()


@pytest.mark.parametrize("streamed", [False, True], ids=["buffered", "streamed"])
@pytest.mark.parametrize("model, seen", [("deepseek", "provider-says"), ("renamed", "renamed")])
def test_the_answers_model_is_the_providers_or_as_asked(tmp_path, model, seen, streamed):
    def change(config):
        config["routes"]["renamed"] = {"targets": [TARGETS["deepseek"]], "answer_model": "asked"}
        config["keys"][0]["routes"].append("renamed")

    stage = Stage(tmp_path, change=change)
    try:
        answer = post_chat(stage.daemon, chat(f"[[sim model=provider-says]] {HELLO}", model, stream=streamed))
        told = {e["model"] for e in answer.events()[:-1]} if streamed else {answer.json()["model"]}
        assert told == {seen} and text_of(answer)
        _, (attempt,) = stage.rows(answer)
        assert attempt["reported_model"] == "provider-says" and attempt["model"] == "deepseek-flash"
    finally:
        stage.close()


def test_a_model_of_any_text_is_quoted_well(stage):
    stage.providers["generic"].will(whole(compact(completion(told=usage())).replace(b'"m"', b'"m\\u00e9\\n\\"x"'), told=(20, 0, 10)))
    attempt = attempt_of(stage, chat(HELLO, "generic"))
    assert attempt["reported_model"] == 'mé "x'  # of what cannot be printed, a blank is kept
