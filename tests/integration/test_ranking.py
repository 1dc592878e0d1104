"""Where requests go by each strategy, what is learned on the way, and that it outlives the process."""
import collections
import json
import urllib.request

import pytest

from harness.daemon import OTHER_KEY, TARGETS
from harness.http import chat, post_chat
from harness.process import PATIENCE, run, wait_until
from harness.stage import Stage
from harness.upstream import completion, usage, whole

pytestmark = pytest.mark.alone

DEEPSEEK, QWEN, OPENAI = TARGETS["deepseek"], TARGETS["qwen"], TARGETS["openai"]


def route(name, strategy, targets=tuple(TARGETS.values()), **options):
    """A change to the configuration: one more route, for the usual key."""
    def change(config):
        config["routes"][name] = {"targets": list(targets), "strategy": strategy, **options}
        config["keys"][0]["routes"].append(name)

    return change


def plan_of(daemon, answer, form="json"):
    """What `explain` tells of an answer's plan."""
    wait_until(lambda: any(row["id"] == answer.request_id for row in daemon.ledger().requests), "the row")
    done = run("explain", answer.request_id, "--format", form, "--ledger", f"sqlite:{daemon.ledger_file}")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["plan"] if form == "json" else done.stdout


def estimates(daemon):
    status, text = daemon.admin_get("/admin/v1/estimates")
    assert status == 200
    return json.loads(text)


def of_target(daemon, name):
    (found,) = [target for target in estimates(daemon)["targets"] if target["target"] == name]
    return found


def ask(daemon, model, text="hello", **fields):
    answer = post_chat(daemon, chat(text, model, **fields))
    assert answer.status == 200
    return answer


def test_estimates_begin_with_the_priors_and_are_learned_from_answers(daemon):
    begun = of_target(daemon, DEEPSEEK)
    assert begun["bytes_per_token"] == estimates(daemon)["priors"]["bytes_per_token"]
    assert not begun["measured"] and begun["first_token_ms"] is None
    for _ in range(5):
        ask(daemon, "deepseek", "word " * 400, stream=True)
    learned = of_target(daemon, DEEPSEEK)
    # The simulator's tokens are 4 bytes each, and the prior of letters is above it.
    assert 4 < learned["bytes_per_token"]["letters"] < begun["bytes_per_token"]["letters"] - 0.2
    assert learned["bytes_per_token"]["cjk"] == begun["bytes_per_token"]["cjk"]
    assert learned["measured"] and 0 < learned["first_token_ms"]["p50"] <= learned["first_token_ms"]["p90"]
    assert of_target(daemon, QWEN)["bytes_per_token"] == begun["bytes_per_token"]
    (output,) = [row for row in estimates(daemon)["outputs"] if (row["route"], row["key"]) == ("deepseek", "app")]
    assert output["answers"] > 4 and output["output_tokens"] < 300
    metrics = daemon.admin_get("/metrics")[1]
    assert f'fairlead_estimate_bytes_per_token{{script="letters",target="{DEEPSEEK}"}}' in metrics
    assert f'fairlead_estimate_first_token_seconds{{quantile="0.9",target="{DEEPSEEK}"}}' in metrics
    # How far the estimates were off is told apart for input and output, and not before something was reported.
    for kind in ("input", "output"):
        assert f'fairlead_estimate_error_ratio{{kind="{kind}",quantile="0.5",target="{DEEPSEEK}"}}' in metrics
    assert begun["input_error"] is None and begun["answer_error"] is None
    assert 0 <= learned["input_error"]["p50"] <= learned["input_error"]["p90"] < 1
    assert learned["answer_bytes_per_token"] != begun["answer_bytes_per_token"]
    assert f'fairlead_usage_total{{source="reported",target="{DEEPSEEK}"}} 5' in metrics


def test_the_plan_uses_what_was_learned(daemon):
    text = "word " * 400
    before = plan_of(daemon, ask(daemon, "deepseek", text))["candidates"][0]
    for _ in range(20):
        ask(daemon, "deepseek", text)
    after = plan_of(daemon, ask(daemon, "deepseek", text))["candidates"][0]
    tokens = [candidate["input_tokens"] + candidate["cached_tokens"] for candidate in (before, after)]
    billed = daemon.ledger().attempts[-1]
    actual = billed["input_tokens"] + (billed["cached_input_tokens"] or 0)
    assert abs(tokens[1] - actual) < abs(tokens[0] - actual) and abs(tokens[1] / actual - 1) < 0.03
    assert before["output_tokens"] == 400 and after["output_tokens"] < 200


def test_what_was_learned_outlives_the_process(start):
    first = start()
    for _ in range(5):
        ask(first, "deepseek", "word " * 400, stream=True)
    learned = estimates(first)
    first.stop()
    again = start()
    assert not again.events("estimates_not_read")
    for before, after in zip(learned["targets"], estimates(again)["targets"], strict=True):
        assert before == after
    assert learned["outputs"] == estimates(again)["outputs"]


def test_without_the_file_or_with_a_damaged_one_the_priors_hold(start):
    first = start()
    ask(first, "deepseek")
    first.stop()
    file = first.folder / "ledger.db.estimates"
    whole = file.read_text()
    assert json.loads(whole)["targets"]
    file.unlink()
    daemon = start()
    assert not daemon.events("estimates_not_read") and not of_target(daemon, DEEPSEEK)["measured"]
    daemon.stop()
    for damaged in (whole[: len(whole) // 2], "", "[]", whole.replace('"version":1', '"version":2'),
                    whole.replace('"factor":[', '"factor":[-'), whole.replace('"output":', '"output":1e300,"old":')):
        assert damaged != whole
        file.write_text(damaged)
        daemon = start()
        (event,) = daemon.events("estimates_not_read")
        assert "priors" in event["reason"] and event["file"] == "ledger.db.estimates"
        assert of_target(daemon, DEEPSEEK)["input_evidence"] == dict.fromkeys(("letters", "marks", "cjk", "other", "words", "digits", "rest"), 0)
        ask(daemon, "deepseek")
        daemon.stop()
        assert json.loads(file.read_text())["targets"], "and it is whole again"


def test_a_conversation_stays_where_it_is_cached(start):
    # The first target costs half as much again as the second, and its cache next to nothing.
    def change(config):
        route("pair", "cheapest", (DEEPSEEK, OPENAI))(config)
        config["contracts"] = {DEEPSEEK: {"prices": [{"from": "2020-01-01", "input": "1.5", "cached_input": "0.02", "output": "0"}]},
                               OPENAI: {"prices": [{"from": "2020-01-01", "input": "1", "cached_input": "1", "output": "0"}]}}

    daemon = start(change)
    system = {"role": "system", "content": "You answer in one short sentence. " * 200}
    messages = [system, {"role": "user", "content": "Hello, and what is the tallest tree?"}]
    assert ask_all(daemon, "pair", messages).fields["x-fairlead-target"] == OPENAI, "a new conversation goes where it is cheap"
    assert ask_all(daemon, "deepseek", messages).fields["x-fairlead-target"] == DEEPSEEK
    more = [*messages, {"role": "assistant", "content": "A redwood."}, {"role": "user", "content": "And the oldest?"}]
    answer = ask_all(daemon, "pair", more)
    assert answer.fields["x-fairlead-target"] == DEEPSEEK
    stayed, moved = plan_of(daemon, answer)["candidates"]
    assert stayed["target"] == DEEPSEEK and stayed["cached_tokens"] > stayed["input_tokens"] * 0.9 > 0, "half of it by the prior"
    assert float(stayed["expected_usd"]) < float(moved["expected_usd"])
    assert " cached_input x 0.02" in plan_of(daemon, answer, "table")
    assert ask_all(daemon, "pair", [{"role": "user", "content": "Hello"}]).fields["x-fairlead-target"] == OPENAI


@pytest.mark.parametrize("trouble", ["status=400", "status=413", "status=422", "leaves"])
def test_what_is_the_apps_own_fault_moves_nobody_elses_requests_M46(start, trouble):
    """100 bad requests, and 100 apps that leave early: other keys' plans stay as they were, to the last figure."""
    def change(config):
        route("quick", "fastest")(config)
        config["keys"][1].update(routes=["chat", "quick"], team="neighbours")

    daemon = start(change)
    for name in TARGETS:
        ask(daemon, name, stream=True)

    def neighbours():
        return [daemon_plan(daemon, {"key": "other", "route": name, "at": "2026-11-26"}) for name in ("chat", "quick")]

    before, learned = neighbours(), estimates(daemon)
    if trouble == "leaves":
        answers = [post_chat(daemon, chat("[[sim chunks=50 chunk_ms=20]] hello", "quick", stream=True), leave_after=1) for _ in range(100)]
        assert not any(answer.complete for answer in answers)
    else:
        answers = [post_chat(daemon, chat(f"[[sim {trouble}]] hello", "quick")) for _ in range(100)]
        assert {answer.status for answer in answers} == {int(trouble.removeprefix("status="))}
    wait_until(lambda: (rows := daemon.ledger()).all_settled() and len(rows.requests) == 103, "the rows")
    assert estimates(daemon)["targets"] == learned["targets"]
    assert neighbours() == before
    assert post_chat(daemon, chat("hello", "chat"), OTHER_KEY).status == 200


def daemon_plan(daemon, asked):
    """The plan that the running daemon would make."""
    request = urllib.request.Request(f"http://{daemon.admin}/admin/v1/explain", json.dumps(asked).encode())
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)["plan"]


def ask_all(daemon, model, messages):
    answer = post_chat(daemon, {"model": model, "messages": messages})
    assert answer.status == 200
    return answer


def measure(daemon, delays):
    """Streams through each provider's own route, which tell how fast it is."""
    for name, delay in delays.items():
        for _ in range(3):
            ask(daemon, name, f"[[sim delay_ms={delay} chunks=10 bytes=400]] hello", stream=True)


def test_fastest_prefers_what_was_measured_to_be_fast_and_explores_the_rest(start):
    daemon = start(route("quick", "fastest"))
    measure(daemon, {"deepseek": 400, "openai": 1})
    firsts, explored = collections.Counter(), 0
    for _ in range(40):
        answer = ask(daemon, "quick", stream=True)
        plan = plan_of(daemon, answer)
        order = [candidate["target"] for candidate in plan["candidates"]]
        assert answer.fields["x-fairlead-target"] == order[0]
        assert isinstance(plan["seed"], int)
        if plan["candidates"][0].get("explored"):
            assert order == [QWEN, OPENAI, DEEPSEEK]
            explored += 1
            break  # from now on it is measured too
        assert order == [OPENAI, DEEPSEEK, QWEN], "what is not measured comes last"
        times = [candidate.get("first_token_us_p50") for candidate in plan["candidates"]]
        assert times[0] < 300_000 < 390_000 < times[1] and times[2] is None
        firsts[order[0]] += 1
    assert set(firsts) <= {OPENAI}
    text = plan_of(daemon, answer, "table")
    assert "by strategy fastest with seed" in text and "not measured" in text and "9 times in 10" in text


def test_balanced_takes_the_cheapest_within_the_latency(start):
    daemon = start(route("even", "balanced", latency_ms_max="200ms"))
    cheapest = ask(daemon, "chat").fields["x-fairlead-target"]
    names = {target: name for name, target in TARGETS.items()}
    second = plan_of(daemon, ask(daemon, "chat"))["candidates"][1]["target"]
    measure(daemon, {name: 500 if name == names[cheapest] else 1 for name in TARGETS})
    answer = ask(daemon, "even", stream=True)
    plan = plan_of(daemon, answer)
    assert answer.fields["x-fairlead-target"] == second
    assert plan["candidates"][-1]["target"] == cheapest and plan["first_token_ms_max"] == 200
    assert "balanced within 200 ms" in plan_of(daemon, answer, "table")


def test_weighted_spreads_requests_and_its_plan_tells_seed_and_weights(start):
    targets = ({"target": DEEPSEEK, "weight": 3}, QWEN, {"target": OPENAI, "weight": 0})
    daemon = start(route("spread", "weighted", targets))
    answers = [ask(daemon, "spread") for _ in range(60)]
    seen = collections.Counter(answer.fields["x-fairlead-target"] for answer in answers)
    assert set(seen) == {DEEPSEEK, QWEN}, "without weight, only when the others failed"
    assert seen[DEEPSEEK] > seen[QWEN]
    plan = plan_of(daemon, answers[0])
    assert plan["candidates"][0]["target"] == answers[0].fields["x-fairlead-target"]
    assert {c["target"]: c.get("weight", 1) for c in plan["candidates"]} == {DEEPSEEK: 3, QWEN: 1, OPENAI: 0}
    assert f"with seed {plan['seed']}" in plan_of(daemon, answers[0], "table")
    failing = ask(daemon, "spread", "[[sim only=deepseek status=500]] [[sim only=qwen status=500]] hello")
    assert failing.fields["x-fairlead-target"] == OPENAI


def test_a_floor_of_quality_refuses_what_states_too_little(start):
    targets = ({"target": DEEPSEEK, "quality": 60}, QWEN, {"target": OPENAI, "quality": 90})
    def change(config):
        route("good", "cheapest", targets, quality_min=70)(config)
        route("best", "cheapest", targets, quality_min=95)(config)

    daemon = start(change)
    answer = ask(daemon, "good")
    assert answer.fields["x-fairlead-target"] == OPENAI
    assert {r["target"]: r["by"] for r in plan_of(daemon, answer)["rejections"]} == {DEEPSEEK: "quality", QWEN: "quality"}
    refused = post_chat(daemon, chat("hello", "best"))
    assert refused.status == 403 and "quality_min" in refused.json()["error"]["message"]


def test_one_long_answer_does_not_lock_a_route_with_a_max_cost(tmp_path):
    stage = Stage(tmp_path, {"one": "generic"}, lambda config: config["routes"]["one"].update(max_cost="0.02"))
    try:
        stage.providers["one"].will(*[whole(completion(told=usage(20, tokens)), (20, 0, tokens)) for tokens in (12_000, 5)])
        for _ in range(2):
            assert post_chat(stage.daemon, chat("hello", "one")).status == 200
    finally:
        stage.close()
