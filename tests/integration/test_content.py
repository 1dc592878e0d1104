"""What a prompt holds decides where it may go, whatever fails, and is written down as class and count alone."""
import json
import urllib.request

import pytest

from harness.daemon import Simulator, TARGETS
from harness.http import chat, post_chat, send, text_of
from harness.process import run, wait_until

pytestmark = pytest.mark.alone

CARD = "4111111111111111"
PRINTED = "4111 1111 1111 1111"
HOME = "home/m"
TOOL = {"type": "function", "function": {"name": "pay", "parameters": {"type": "object", "properties": {}}}}


def as_parts(text):
    return [{"type": "text", "text": "My card:"}, {"type": "text", "text": text}]


def with_call(arguments):
    call = {"id": "c1", "type": "function", "function": {"name": "pay", "arguments": arguments}}
    return {"messages": [{"role": "user", "content": "Pay."}, {"role": "assistant", "tool_calls": [call]},
                         {"role": "tool", "tool_call_id": "c1", "content": "done"}], "tools": [TOOL]}


@pytest.fixture
def home(tmp_path):
    """Our own machine; the simulator of the other fixtures is the cloud."""
    folder = tmp_path / "home"
    folder.mkdir()
    program = Simulator(folder)
    yield program
    program.stop()


@pytest.fixture
def guarded(start, home, tmp_path):
    """The cloud is cheaper; `chat` may go everywhere, `cloudy` to the cloud alone, and card data home."""
    def change(config):
        config["providers"]["home"] = {
            "profile": "vllm", "base_url": f"{home.url}/vllm/v1", "price_list": "home", "hosting": "self", "operator": "ZA", "region": "ZA", "retention": "none"}
        config["models"] = {HOME: {"prices": [{"from": "2020-01-01", "input": "90", "output": "90"}]}}
        config["routes"]["chat"]["targets"] = [*TARGETS.values(), HOME]
        config["routes"]["cloudy"] = {"targets": list(TARGETS.values())}
        config["keys"][0]["routes"].append("cloudy")
        config["content"] = {"projects": {"words": ["Blue Harbour"], "patterns": ["PRJ-[0-9]{4}"]}}
        config["policies"] = [
            {"name": "card-data-stays-home", "when": {"content": ["payment_card"]}, "allow": {"hosting": ["self"]}},
            {"name": "projects-stay-home", "when": {"content": "projects"}, "allow": {"hosting": "self"}},
        ]

    daemon = start(change)
    yield daemon
    daemon.stop()
    places = {"log": daemon.output.encode(), **{file.name: file.read_bytes() for file in tmp_path.glob("ledger.db*")}}
    for name, content in places.items():
        for text in (CARD, PRINTED, "1111 1111", "Blue Harbour", "PRJ-0007"):
            assert text.encode() not in content, f"{text} is in the {name}"


def asked(simulator):
    """All that ever reached it."""
    with urllib.request.urlopen(f"{simulator.url}/_sim/last?n=50", timeout=60) as answer:
        return json.load(answer)


def row_of(daemon, answer):
    ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "open rows to settle")
    return ledger.request(answer.request_id), ledger.attempts_of(answer.request_id)


def counts_of(row):
    return json.loads(row["content"])


def test_harmless_prompts_go_where_it_is_cheap(guarded, simulator, home):
    answer = post_chat(guarded, chat("My card is lost. Call 4111 1111 1111 1112."))
    assert answer.status == 200 and answer.fields["x-fairlead-target"] in TARGETS.values()
    row, _ = row_of(guarded, answer)
    assert counts_of(row) == {"payment_card": 0, "projects": 0}
    assert asked(home) == []


HIDDEN = {
    "in_one_piece": chat(f"Charge {CARD} please"),
    "as_printed": chat(f"Charge {PRINTED}."),
    "streamed": chat(f"Charge {PRINTED}.", stream=True),
    "in_a_part": {**chat("x"), "messages": [{"role": "user", "content": as_parts(PRINTED)}]},
    "in_the_past": {**chat("x"), "messages": [{"role": "user", "content": PRINTED}, {"role": "assistant", "content": "Noted."},
                                               {"role": "user", "content": "Thanks"}]},
    "in_a_call": {**chat("x"), **with_call(json.dumps({"card": CARD}))},
    "in_a_call_with_escapes": {**chat("x"), **with_call('{"card":"\\u0034' + CARD[1:] + '"}')},
    "in_a_tool": {**chat("x"), "tools": [{**TOOL, "function": {**TOOL["function"], "description": f"Uses {CARD}."}}]},
    "as_a_number": {**chat("x"), "metadata": {"card": int(CARD)}},
    "in_a_field_that_nobody_knows": {**chat("x"), "of_tomorrow": [{"deep": [CARD]}]},
    "as_a_name": {**chat("x"), "metadata": {CARD: "x"}},
    "in_full_width": chat("".join(chr(ord(c) + 0xFEE0) for c in CARD)),
    "with_zero_width_spaces": chat("\u200b".join(CARD)),
    "with_no_break_spaces": chat(PRINTED.replace(" ", "\u00a0")),
    "with_json_escapes": json.dumps(chat(f"Charge {CARD}")).replace("4111", "\\u0034\\u0031\\u00311").encode(),
}


@pytest.mark.parametrize("body", HIDDEN.values(), ids=HIDDEN.keys())
def test_card_data_goes_to_our_own_machines_alone(guarded, simulator, home, body):
    answer = post_chat(guarded, body)
    assert answer.status == 200 and answer.fields["x-fairlead-target"] == HOME and text_of(answer)
    row, attempts = row_of(guarded, answer)
    assert counts_of(row) == {"payment_card": 1, "projects": 0}
    assert {(r["target"], r["rule"]) for r in json.loads(row["plan"])["rejections"]} == {
        (target, "card-data-stays-home") for target in TARGETS.values()}
    assert [attempt["target"] for attempt in attempts] == [HOME] and len(asked(home)) == 1
    assert asked(simulator) == []


@pytest.mark.parametrize("fault", ["status=500", "status=429", "reset=before", "close=mid"])
def test_no_fallback_takes_it_to_the_cloud(guarded, simulator, home, fault):
    answer = post_chat(guarded, chat(f"[[sim only=vllm {fault}]] Charge {PRINTED}"))
    assert answer.status >= 400
    row, attempts = row_of(guarded, answer)
    assert attempts and {attempt["target"] for attempt in attempts} == {HOME} and counts_of(row)["payment_card"] == 1
    assert asked(simulator) == []


def test_nor_does_a_home_that_is_down(guarded, simulator, home):
    home.stop()
    answer = post_chat(guarded, chat(f"Charge {PRINTED}"))
    assert answer.status == 502
    _, attempts = row_of(guarded, answer)
    assert attempts and {attempt["target"] for attempt in attempts} == {HOME}
    assert asked(simulator) == []


@pytest.mark.parametrize("model", ["cloudy", "deepseek", TARGETS["deepseek"]])
def test_where_no_target_may_have_it_nothing_is_sent(guarded, simulator, home, model):
    answer = post_chat(guarded, chat(f"Charge {PRINTED}", model))
    assert answer.status == 403 and answer.fields["x-should-retry"] == "false"
    assert "card-data-stays-home" in answer.json()["error"]["message"] and "4111" not in answer.body.decode()
    row, attempts = row_of(guarded, answer)
    assert row["error"] == "policy" and counts_of(row)["payment_card"] == 1 and attempts == []
    assert asked(simulator) == asked(home) == []


def test_words_and_patterns_of_ones_own(guarded, simulator):
    answer = post_chat(guarded, chat("BLUE  HARBOUR is late, and so are PRJ-0007 and Blue Harbours"))
    assert answer.status == 200 and answer.fields["x-fairlead-target"] == HOME
    assert counts_of(row_of(guarded, answer)[0]) == {"payment_card": 0, "projects": 2}
    assert asked(simulator) == []


def test_explain_shows_classes_and_counts(guarded):
    answer = post_chat(guarded, chat(f"Charge {PRINTED}, or {CARD}"))
    row_of(guarded, answer)
    books = ["--ledger", f"sqlite:{guarded.ledger_file}"]
    told = run("explain", answer.request_id, *books).stdout
    assert "\n  content  2 payment_card, no projects\n" in told and "card-data-stays-home" in told and "1111" not in told
    assert json.loads(run("explain", answer.request_id, "--format", "json", *books).stdout)["content"] == {"payment_card": 2, "projects": 0}


def test_what_cannot_be_looked_through_goes_nowhere(guarded, simulator, home):
    answer = post_chat(guarded, chat("word " * (17 << 18)))
    assert answer.status == 403 and "could not be looked through" in answer.json()["error"]["message"]
    assert asked(simulator) == asked(home) == []


def test_a_rule_that_is_reloaded_holds_at_once(start, simulator, home):
    daemon = start()
    assert post_chat(daemon, chat(f"Charge {PRINTED}")).status == 200
    row, = daemon.ledger().requests
    assert row["content"] == ""  # nobody asked
    config = daemon.changed_config()
    config["policies"] = [{"name": "card-data-stays-home", "when": {"content": "payment_card"}, "allow": {"hosting": "self"}}]
    daemon.reload(config)
    assert post_chat(daemon, chat(f"Charge {PRINTED}")).status == 403
    assert post_chat(daemon, chat("Charge it")).status == 200
    assert send(daemon.address, "GET", "/v1/models", daemon.key).status == 200


def test_a_class_that_is_mistyped_is_refused(daemon, tmp_path):
    config = daemon.changed_config()
    config["policies"] = [{"name": "p", "when": {"content": "payment_crad"}, "allow": {"hosting": "self"}}]
    file = tmp_path / "wrong.yaml"
    file.write_text(json.dumps(config))
    done = run("check", file, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
    assert done.returncode == 1 and "did you mean 'payment_card'?" in done.stdout + done.stderr
