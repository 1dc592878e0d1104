"""`fairlead explain` of requests that nobody has sent, and the same of the running daemon."""
import json
import urllib.error
import urllib.request

import pytest

from harness.daemon import OTHER_KEY, TARGETS
from harness.http import chat, post_chat
from harness.process import PATIENCE, run, wait_until

pytestmark = pytest.mark.alone


def explain(daemon, *options, **settings):
    done = run("explain", "--config", daemon.config_file, "--format", "json", *options, **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ask_admin(daemon, asked):
    body = asked if isinstance(asked, bytes) else json.dumps(asked).encode()
    request = urllib.request.Request(f"http://{daemon.admin}/admin/v1/explain", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def test_a_hypothetical_request_goes_where_the_real_one_does(daemon, tmp_path, settled):
    body = chat("How high is the tide?", max_tokens=50)
    (tmp_path / "body.json").write_text(json.dumps(body))
    for key, name in ((None, "app"), (OTHER_KEY, "other")):
        answer = post_chat(daemon, body, key=key)
        told = explain(daemon, "--key", name, "--body", tmp_path / "body.json")
        assert told["outcome"]["target"] == answer.fields["x-fairlead-target"]
        rows = settled()
        real = json.loads(run("explain", answer.request_id, "--format", "json", "--ledger", f"sqlite:{daemon.ledger_file}").stdout)["plan"]
        assert told["plan"]["rejections"] == real["rejections"]
        assert [c["target"] for c in told["plan"]["candidates"]] == [c["target"] for c in real["candidates"]]
        assert rows


def test_the_table_shows_the_arithmetic_and_each_rejection_with_its_rule(daemon):
    done = run("explain", "--config", daemon.config_file, "--key", "other", "--route", "chat", "--tokens", "2000", "--output-tokens", "100",
               "--at", "2026-11-24T12:00:00Z")
    assert done.returncode == 0, done.stderr
    for part in ("A request of key other for chat at 2026-11-24T12:00:00Z, about 2000 tokens of input", f"outcome  {TARGETS['openai']}",
                 "policies us-only", "2000 input x ", " + 100 output x ", "its operator is CN, allowed is US: a test of policies"):
        assert part in done.stdout, done.stdout


def test_the_arithmetic_of_a_foreign_currency_ends_in_usd(start):
    def change(config):
        config["fx"] = {"CNY": "0.14"}
        config["providers"]["qwen"]["currency"] = "CNY"
        config["contracts"] = {TARGETS["qwen"]: {"prices": [{"from": "2026-01-01", "currency": "CNY", "input": "1", "output": "4"}]}}

    daemon = start(change)
    told = explain(daemon, "--key", "app", "--route", "qwen", "--priors")["plan"]["candidates"][0]
    assert (told["amount"], told["usd_rate"], told["expected_usd"]) == ("0.0026", "0.14", "0.000364")
    answer = post_chat(daemon, chat("hello", "qwen"))
    daemon.ledger()  # has all rows
    assert " CNY per million, at 0.14 USD" in run("explain", answer.request_id, "--ledger", f"sqlite:{daemon.ledger_file}").stdout


def test_facts_of_the_request_decide(start):
    def change(config):
        config["keys"][0]["request_tags"] = ["secret"]
        config["policies"] = [
            {"name": "secret", "when": {"tags": ["secret"]}, "allow": {"region": ["US"]}},
            {"name": "office", "when": {"network": ["10.0.0.0/8"]}, "deny": {"region": ["CN"]}},
            {"name": "pictures", "when": {"modality": ["image"]}, "deny": {"operator": ["SG"]}},
            {"name": "long", "when": {"input_tokens": {"above": 50000}}, "max_cost": "0.000001"},
            {"name": "sundays", "when": {"time": {"weekdays": ["sun"]}}, "deny": {"provider": ["*"]}},
        ]

    daemon = start(change)
    usual = {"--key": "app", "--route": "chat", "--network": "192.0.2.1", "--at": "2026-11-24"}

    def applied(*options):
        chosen = {**usual, **dict(zip(options[::2], options[1::2]))}
        told = explain(daemon, *(word for option in chosen.items() for word in option))
        return told["policies"], told["outcome"].get("target"), told["outcome"].get("policies")

    assert applied()[0] == []
    assert applied("--tag", "secret") == (["secret"], TARGETS["openai"], None)
    assert applied("--network", "10.1.1.1")[0] == ["office"]
    assert applied("--modality", "image")[0] == ["pictures"]
    assert applied("--tokens", "60000") == (["long"], None, ["long"])
    assert applied("--at", "2026-11-22") == (["sundays"], None, ["sundays"])
    assert explain(daemon, "--key", "app", "--route", "chat", "--at", "2026-11-24")["policies"] == ["office"], "it may come from anywhere"


def test_the_policies_that_applied_are_told_of_past_and_hypothetical_requests_alike(start, simulator):
    def change(config):
        config["policies"] += [
            {"name": "not-trained-on", "deny": {"retention": ["trains"]}},
            {"name": "of-nobody-here", "when": {"network": ["192.0.2.0/24"]}, "deny": {"provider": ["*"]}},
            {"name": "small", "when": {"input_tokens": {"up_to": 5000}}, "max_cost": "1"},
        ]

    daemon = start(change)
    for key, name, applied in ((None, "app", ["not-trained-on", "small"]), (OTHER_KEY, "other", ["us-only", "not-trained-on", "small"])):
        request_id = post_chat(daemon, chat("hello", "chat"), key=key).request_id
        daemon.ledger()  # has all rows
        for options in ((request_id, "--ledger", f"sqlite:{daemon.ledger_file}"), ("--config", daemon.config_file, "--key", name, "--route", "chat", "--network", "127.0.0.1")):
            assert f"  policies {', '.join(applied)}\n" in run("explain", *options).stdout
            assert json.loads(run("explain", *options, "--format", "json").stdout)["plan"]["policies"] == applied
        assert ask_admin(daemon, {"key": name, "route": "chat", "network": "127.0.0.1"})[1]["plan"]["policies"] == applied
    changed = daemon.changed_config()
    changed["policies"] = []
    daemon.reload(changed)
    answer = post_chat(daemon, chat("hello", "chat"))
    daemon.ledger()
    assert "  policies none applies\n" in run("explain", answer.request_id, "--ledger", f"sqlite:{daemon.ledger_file}").stdout


def test_a_key_that_lets_nobody_in_is_told(daemon):
    def fairlead(*arguments):
        return run(*arguments, "--config", daemon.config_file, cwd=daemon.folder)  # where its ledger is

    for arguments in (["new", "short", "--route", "chat", "--expires-at", "2100-01-31"], ["new", "gone", "--route", "chat"],
                      ["new", "turned", "--route", "chat"], ["revoke", "gone"], ["rotate", "turned"]):
        assert fairlead("key", *arguments).returncode == 0
    asked = ("explain", "--key", "short", "--at")
    assert "refused" not in fairlead(*asked, "2100-01-30T23:59:59Z").stdout
    told = fairlead(*asked, "2100-01-31")
    expired = "The key 'short' has expired at 2100-01-31T00:00:00Z: nobody gets in by it. What its plan would be is told all the same."
    assert told.returncode == 0 and f"outcome  refused: {expired}" in told.stdout and TARGETS["openai"] in told.stdout
    wait_until(lambda: ask_admin(daemon, {"key": "short"})[0] == 200, "the daemon to take the keys in")
    assert ask_admin(daemon, {"key": "short", "at": "2100-01-31"})[1]["outcome"] == {"refused": "unauthorized", "policies": [], "message": expired}
    revoked = "the key 'gone' lets nobody in: it was revoked, or cannot be taken in (`fairlead key list --all` says which)"
    told = fairlead("explain", "--key", "gone")
    assert told.returncode == 1 and revoked in told.stderr
    wait_until(lambda: revoked in ask_admin(daemon, {"key": "gone"})[1]["error"]["message"], "the daemon to let it go")
    assert fairlead("explain", "--key", "turned").returncode == 0


@pytest.mark.parametrize("options, said", [
    ([], "--key"),
    (["--route", "chat"], "--key"),
    (["last", "--key", "app"], "exclude"),
    (["--key", "app", "--at", "yesterday"], "yesterday"),
    (["--key", "app", "--endpoint", "images"], "images"),
    (["--key", "app", "--header", "qwen"], "NAME: VALUE"),
    (["--key", "app", "--formt", "json"], "--formt"),
    (["--key", "app", "--network", "10.0.0.0/8"], "'10.0.0.0/8' is no address"),
])
def test_wrong_arguments_are_told(daemon, options, said):
    done = run("explain", "--config", daemon.config_file, *options)
    assert done.returncode == 2 and said in done.stdout + done.stderr


@pytest.mark.parametrize("options, said", [
    (["--key", "nobody"], "there is no key 'nobody'"),
    (["--key", "other", "--route", "ordered"], "may not ask for 'ordered'"),
    (["--key", "app", "--tag", "x"], "may not set the tag 'x'"),
    (["--key", "other", "--route", "caht"], "may not ask for 'caht', or there is no such route or target; did you mean 'chat'?"),
    (["--key", "app", "--class", "payment_card"], "no policy asks for the content 'payment_card', so it changes nothing"),
    (["--key", "othre"], "there is no key 'othre'; did you mean 'other'?"),
    (["--key", "app", "--header", "accept: x"], "the header 'accept' says nothing to routing"),
    (["--key", "app", "--header", "x-fairlead-onyl: qwen"], "'x-fairlead-onyl' is not known here"),
])
def test_what_is_not_there_is_told(daemon, options, said):
    done = run("explain", "--config", daemon.config_file, *options)
    assert done.returncode == 1 and said in done.stderr


def test_wishes_of_the_head_can_be_asked_about(daemon):
    told = explain(daemon, "--key", "app", "--route", "chat", "--header", "x-fairlead-only: qwen,openai", "--header", "X-Fairlead-Order:openai")
    assert [c["target"] for c in told["plan"]["candidates"]] == [TARGETS["openai"], TARGETS["qwen"]]
    (rejected,) = told["plan"]["rejections"]
    assert (rejected["target"], rejected["rule"]) == (TARGETS["deepseek"], "provider.only")
    status, same = ask_admin(daemon, {"key": "app", "route": "chat", "headers": {"x-fairlead-only": "qwen,openai", "x-fairlead-order": "openai"}})
    assert status == 200 and same["outcome"] == told["outcome"]


def test_what_the_daemon_has_learned_is_used_unless_it_is_not_wanted(start):
    daemon = start(lambda config: None)
    answers = [post_chat(daemon, chat("word " * 400, "chat")) for _ in range(8)]
    assert {answer.status for answer in answers} == {200}
    options = ("--key", "app", "--route", "chat", "--output-tokens", "5000")
    learned_by_daemon = ask_admin(daemon, {"key": "app", "route": "chat", "tokens": 1000, "output_tokens": 5000})[1]
    daemon.stop()

    def output_tokens(told):
        return told["plan"]["candidates"][0]["output_tokens"]

    file = f"{daemon.ledger_file}.estimates"
    learned = explain(daemon, *options, cwd=daemon.folder)
    assert learned["estimates"] == "learned, from ledger.db.estimates" and output_tokens(learned) == output_tokens(learned_by_daemon)
    priors = explain(daemon, *options, "--priors", cwd=daemon.folder)
    assert priors["estimates"] == "the stated priors" and output_tokens(priors) == 400 != output_tokens(learned)
    table = run("explain", "--config", daemon.config_file, *options, cwd=daemon.folder).stdout
    assert "\n  estimate learned, from ledger.db.estimates\n" in table
    with open(file, "w") as damaged:
        damaged.write("{")
    told = explain(daemon, *options, cwd=daemon.folder)
    assert "the file is damaged" in told["estimates"] and output_tokens(told) == 400


def test_that_no_network_is_given_is_said_where_a_policy_asks(start):
    daemon = start(lambda config: config["policies"].append({"name": "office", "when": {"network": ["10.0.0.0/8"]}, "deny": {"region": ["CN"]}}))
    usual = ("--key", "app", "--route", "chat")
    (note,) = explain(daemon, *usual)["notes"]
    assert "no network is given" in note
    assert f"  note     {note}\n" in run("explain", "--config", daemon.config_file, *usual).stdout
    given = explain(daemon, *usual, "--network", "192.0.2.7")
    assert given["notes"] == [] and given["network"] == "192.0.2.7"


def test_nothing_is_noted_of_networks_where_no_policy_asks(daemon):
    assert explain(daemon, "--key", "app", "--route", "chat")["notes"] == []


def test_a_body_is_told_by_its_file(daemon, tmp_path):
    body = tmp_path / "body.json"
    for text, options, said in (("", (), "is not valid JSON"), ("[]", (), "must be a JSON object"),
                                (json.dumps({"messages": [{"role": "user", "content": "x"}]}), (), "'model' is missing"),
                                (json.dumps({"model": "chat", "messages": 3}), (), "'messages' must be an array"),
                                (json.dumps(chat("x", "nothing")), (), "may not ask for 'nothing'")):
        body.write_text(text)
        done = run("explain", "--config", daemon.config_file, "--key", "app", "--body", body, *options)
        assert done.returncode == 1 and said in done.stderr, done.stderr
        assert str(body) in done.stderr or "may not ask" in done.stderr
    done = run("explain", "--config", daemon.config_file, "--key", "app", "--body", "/proc/self/mem")  # opens, and cannot be read
    assert done.returncode == 1 and "/proc/self/mem: it cannot be read" in done.stderr, done.stderr
    body.write_text(json.dumps({"messages": [{"role": "user", "content": "x"}]}))
    assert explain(daemon, "--key", "app", "--body", body, "--route", "qwen")["outcome"]["target"] == TARGETS["qwen"]


def test_secrets_are_not_needed_to_explain(daemon):
    told = explain(daemon, "--key", "app", "--route", "chat", env={"FAIRLEAD_TEST_PROVIDER_KEY": ""})
    assert len(told["plan"]["candidates"]) == 3


def test_the_admin_side_explains_under_the_running_configuration(daemon):
    asked = {"key": "other", "route": "chat", "tokens": 2000, "output_tokens": 100, "at": "2026-11-24T12:00Z"}
    status, told = ask_admin(daemon, asked)
    assert status == 200
    same = explain(daemon, "--key", "other", "--route", "chat", "--tokens", "2000", "--output-tokens", "100", "--at", "2026-11-24T12:00:00Z")
    assert told.pop("snapshot_hash") != same.pop("snapshot_hash"), "the secrets are not there for the command"
    assert told.pop("estimates") == "learned by the daemon" and same.pop("estimates").startswith("the stated priors; nothing was learned yet")
    assert told == same
    changed = daemon.changed_config()
    changed["policies"] = []
    daemon.write_config(changed)
    assert ask_admin(daemon, asked)[1]["policies"] == ["us-only"], "the file is not what runs"
    daemon.reload(changed)
    assert ask_admin(daemon, asked)[1]["policies"] == []
    status, told = ask_admin(daemon, {"key": "app", "body": chat("hello", "chat", provider={"only": ["qwen"]})})
    assert (status, told["outcome"]["target"]) == (200, TARGETS["qwen"])


@pytest.mark.parametrize("asked, said", [
    (b"{", "JSON object"), ([], "JSON object"), ({}, "the name of a key is asked for"), ({"key": "ap"}, "there is no key 'ap'; did you mean 'app'?"),
    ({"key": "app", "headers": {"x-fairlead-only": 1}}, "headers"), ({"key": "app", "headers": {"accept": "x"}}, "'accept'"),
    ({"key": "app", "headers": {"x-fairlead-only": "qwne"}}, "did you mean 'qwen'?"), ({"key": "app", "tokens": -1}, "'tokens'"),
    ({"key": "app", "tokens": 2**63}, "'tokens' is above 9223372036854775807"), ({"key": "app", "output_tokens": 2**64 - 1}, "'output_tokens' is above"),
    ({"key": "app", "tag": ["x"]}, "'tag' is not known here"), ({"key": "app", "modality": ["smell"]}, "smell"),
    ({"key": "app", "at": "soon"}, "'at'"), ({"key": "app", "tags": [1]}, "tags"), ({"key": "app", "body": {"model": "chat"}}, "messages"),
])
def test_the_admin_side_tells_what_is_wrong(daemon, asked, said):
    status, told = ask_admin(daemon, asked)
    assert status == 400 and said in told["error"]["message"], told
    assert daemon.admin_get("/admin/v1/explain")[0] == 405
