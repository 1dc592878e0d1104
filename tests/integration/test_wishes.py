"""What a request may wish of its routing, in its body and in its head: it is heeded, it is never sent on, and it opens no door."""
import json

import pytest

from harness.daemon import CLIENT_KEY, OTHER_KEY, TARGETS
from harness.http import chat, post_chat, send

pytestmark = pytest.mark.alone

PATH = "/v1/chat/completions"


def ask(daemon, wishes=None, fields=(), key=CLIENT_KEY, model="chat"):
    return send(daemon.address, "POST", PATH, key, chat("hello", model, **(wishes or {})), list(fields))


@pytest.mark.parametrize("wishes, fields", [
    ({"provider": {"only": ["qwen"]}}, []),
    ({"provider": {"order": ["qwen", "openai"]}}, []),
    ({"provider": {"ignore": ["deepseek", "openai"]}}, []),
    ({"provider": {"order": [TARGETS["qwen"]], "allow_fallbacks": False}}, []),
    ({"models": [TARGETS["qwen"]]}, []),
    ({"models": ["qwen"]}, []),
    ({}, [("x-fairlead-only", "qwen")]),
    ({}, [("X-Fairlead-Order", "qwen, openai")]),
    ({}, [("x-fairlead-models", "qwen3.8-flash")]),
])
def test_a_wish_is_heeded_and_not_sent_on(daemon, simulator, settled, wishes, fields):
    answer = ask(daemon, wishes, fields)
    assert answer.status == 200, answer.body
    assert answer.fields["x-fairlead-target"] == TARGETS["qwen"]
    (line,) = simulator.bill(at_least=1)
    assert line["kind"] == "qwen"
    assert json.loads(settled().request(answer.request_id)["plan"])["candidates"][0]["target"] == TARGETS["qwen"]


@pytest.mark.parametrize("wishes, fields, param", [
    ({"provider": {"onyl": ["qwen"]}}, [], "provider.onyl"),
    ({"provider": ["qwen"]}, [], "provider"),
    ({"models": ["no-such-model"]}, [], "models[0]"),
    ({"provider": {"only": ["nobody"]}}, [], "provider.only"),
    ({"provider": {"ignore": ["depseek"]}}, [], "provider.ignore"),
    ({"provider": {"order": ["qwen", "openai/gpt-6-lunar"]}}, [], "provider.order"),
    ({}, [("x-fairlead-ignore", "deepseek/deepseek-falsh")], "provider.ignore"),
    ({"provider": {"max_price": {"prompt": 1, "input": 2}}}, [], "provider.max_price.input"),
    ({"provider": {"max_price": {"prompt": 0.0001}}}, [], "provider.max_price.input"),
    ({}, [("x-fairlead-onyl", "qwen")], "x-fairlead-onyl"),
    ({}, [("x-fairlead-tags", "internal")], "x-fairlead-tags"),
    ({"provider": {"only": ["qwen"]}}, [("x-fairlead-only", "openai")], "x-fairlead-only"),
])
def test_a_wish_that_cannot_be_met_is_refused_with_its_field(daemon, simulator, wishes, fields, param):
    answer = ask(daemon, wishes, fields)
    assert answer.status == 400
    assert answer.json()["error"]["param"] == param and answer.json()["error"]["type"] == "invalid_request_error"
    assert simulator.bill() == []


def test_a_mistyped_name_is_told_with_what_may_have_been_meant_and_the_row_knows_the_route(daemon, settled):
    answer = ask(daemon, {"provider": {"ignore": ["depseek"]}})
    assert answer.json()["error"]["message"] == "There is no provider or target 'depseek'; did you mean 'deepseek'?"
    row = settled().request(answer.request_id)
    assert (row["route"], row["http_status"], row["error"]) == ("chat", 400, "bad_request")
    # What is closed to a key anyway may be ignored all the same.
    assert ask(daemon, {"provider": {"ignore": ["qwen"]}}, key=OTHER_KEY, model="chat").status == 200


def test_a_wish_may_be_said_twice_but_not_in_two_ways(daemon):
    body = {"provider": {"only": ["qwen"], "max_price": {"prompt": 3}}}
    assert ask(daemon, body, [("x-fairlead-only", "qwen"), ("x-fairlead-max-price-input", "3.0")]).status == 200
    answer = ask(daemon, body, [("x-fairlead-max-price-input", "2")])
    assert answer.status == 400 and "contradicts" in answer.json()["error"]["message"]
    # Of two words the narrower holds, whichever says it.
    for wishes, fields in (({"provider": {"allow_fallbacks": False}}, [("x-fairlead-allow-fallbacks", "true")]),
                           ({"provider": {"allow_fallbacks": True}}, [("x-fairlead-allow-fallbacks", "false")])):
        answer = ask(daemon, wishes, fields)
        assert answer.status == 200


def test_a_tag_of_the_request_makes_more_rules_apply(start, simulator):
    def change(config):
        config["policies"].append({"name": "secrets-stay", "when": {"tags": ["secret"]}, "allow": {"region": ["US"]}})
        config["keys"][0]["request_tags"] = ["secret", "batch"]

    daemon = start(change)
    assert ask(daemon).fields["x-fairlead-target"] != TARGETS["openai"]
    tagged = ask(daemon, fields=[("x-fairlead-tags", "batch, Secret")])
    assert tagged.fields["x-fairlead-target"] == TARGETS["openai"]
    refused = ask(daemon, fields=[("x-fairlead-tags", "secret")], model="deepseek")
    assert refused.status == 403 and "'secrets-stay'" in refused.json()["error"]["message"]


def test_where_nothing_may_be_kept_no_provider_is_asked_to_keep_it(start, simulator):
    def change(config):
        config["policies"] = [{"name": "zero-retention", "when": {"key": ["app"]}, "allow": {"retention": ["none"]}}]
        config["providers"]["openai"]["retention"] = "none"

    daemon = start(change)
    why = "the request asks the provider to keep it ("
    assert ask(daemon, {"store": False}).fields["x-fairlead-target"] == TARGETS["openai"]
    for keeping in ({"store": True}, {"prompt_cache_retention": "24h"}):
        for model in ("chat", TARGETS["openai"]):
            refused = ask(daemon, keeping, model=model)
            assert refused.status == 403, refused.body
            assert refused.json()["error"]["message"].endswith(f"policy 'zero-retention': {why}{next(iter(keeping))})")
            assert daemon.wait_for("request", request_id=refused.request_id)["detail"] == refused.json()["error"]["message"]
    unkept = ask(daemon, {"store": True, "provider": {"data_collection": "deny"}}, key=OTHER_KEY)
    assert unkept.status == 400 and why in unkept.json()["error"]["message"]
    assert ask(daemon, {"store": True}, key=OTHER_KEY).status == 200, "no policy on retention applies to it"
    assert len(simulator.bill(at_least=2)) == 2


def test_the_network_of_the_connection_counts_and_a_header_only_from_a_trusted_proxy(start):
    def change(config):
        config["policies"] = [{"name": "outside", "when": {"network": ["203.0.113.0/24"]}, "allow": {"region": ["US"]}},
                              {"name": "here", "when": {"network": ["127.0.0.0/8"]}, "deny": {"region": ["SG"]}}]

    forwarded = [("X-Forwarded-For", "198.51.100.1, 203.0.113.9")]
    daemon = start(change)
    assert ask(daemon, model="deepseek", fields=forwarded).status == 200, "an app's word is no address"
    assert ask(daemon, model="qwen", fields=forwarded).status == 403, "it comes from here"
    daemon.reload({**daemon.changed_config(), "trusted_proxies": ["127.0.0.1"]})
    assert ask(daemon, model="deepseek", fields=forwarded).status == 403, "the proxy says that it comes from outside"
    assert ask(daemon, model="qwen", fields=forwarded).status == 403, "which allows the US alone"
    assert ask(daemon, model="openai", fields=forwarded).status == 200
    assert ask(daemon, model="deepseek").status == 403, "whom does the proxy speak for? Both rules apply"


def test_wishes_open_no_door(daemon, simulator):
    for wishes in ({"provider": {"order": ["deepseek"]}}, {"provider": {"order": ["deepseek", "qwen"], "sort": "price"}}):
        assert ask(daemon, wishes, key=OTHER_KEY).fields["x-fairlead-target"] == TARGETS["openai"]
    assert ask(daemon, {"provider": {"only": ["deepseek"]}}, key=OTHER_KEY).status in (400, 403)
    assert post_chat(daemon, chat("hello", "chat", models=[TARGETS["deepseek"]]), key=OTHER_KEY).status in (400, 403)
    assert {line["kind"] for line in simulator.bill(at_least=2)} == {"openai"}
