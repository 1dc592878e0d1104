"""Assertions: `fairlead check` proves them, or prints a request that breaks one, and that request can be explained. What is not proved is
refused by a start and by a reload, and a key that would break one is not made."""
import json
import re
import shlex

import pytest

from harness.daemon import PROVIDER_KEY
from harness.http import chat, post_chat
from harness.process import Program, run, wait_until

pytestmark = pytest.mark.alone

CONFIGURATION = """
listen: ["127.0.0.1:0"]
ledger: sqlite:none.db
providers:
  deepseek: {base_url: "http://127.0.0.1:1/v1", operator: CN, region: CN, retention: provider}
  own: {base_url: "http://127.0.0.1:2/v1", operator: ZA, region: ZA, hosting: self, retention: none}
models:
  generic/flash: {origin: CN, prices: [{from: 2026-01-01, input: "0.1", output: "0.2"}]}
  generic/luna: {origin: US, context_window: 4000, prices: [{from: 2026-01-01, input: "0.1", output: "0.2"}]}
routes:
  chat: {targets: [deepseek/flash, own/luna]}
keys:
  - {name: bunker, team: defence, hash: "${env:FAIRLEAD_TEST_HASH}", request_tags: [drill], routes: [chat], targets: true}
  - {name: site, team: public, hash: "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", routes: [chat]}
policies:
%s
assertions:
%s
"""
ASSERTION = "  - {name: no-cn, never: {when: {team: [defence]}, target: {origin: [CN]}}}"


@pytest.fixture
def check(tmp_path):
    def write_and_check(policies, assertions=ASSERTION):
        file = tmp_path / "f.yaml"
        file.write_text(CONFIGURATION % (policies, assertions))
        return run("check", file)
    return write_and_check


def explained(output):
    """The plan of the request that the output tells to explain."""
    command = shlex.split(re.search(r"^ *(fairlead explain .*)$", output, re.M).group(1))
    done = run(*command[1:], "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["plan"]


def test_what_policies_see_to_is_proved(check):
    done = check("  - {name: memo, when: {team: defence}, deny: {origin: CN}}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "  proved  no-cn\n" in done.stdout and "  1 proved, 0 not, for all requests\n" in done.stdout


@pytest.mark.parametrize("when, request_is", [
    ("team: public", "--key bunker --route chat --at "),
    ("tags: drill", "--key bunker --route chat --at "),
    ("modality: image", "--key bunker --route chat --at "),
    ("modality: text, endpoint: [completions, embeddings, responses]", "--endpoint chat.completions"),
    ("content: [payment_card]", "--key bunker --route chat --at "),
    ("input_tokens: {up_to: 100000}", "--tokens 100001"),
    ("network: [0.0.0.0/1, 128.0.0.0/2, 192.0.0.0/24]", "--network 192.0.2.1"),
    ("time: {weekdays: [mon, tue, wed, thu, fri, sat], zone: Africa/Johannesburg}", "--at "),
])
def test_a_failing_assertion_prints_a_request_that_explain_shows_to_reach_the_target(check, when, request_is):
    done = check(f"  - {{name: memo, when: {{{when}}}, deny: {{origin: CN}}}}")
    assert done.returncode == 1, done.stdout
    assert re.search(r"  FAILS  no-cn \(.*f\.yaml:\d+:5\)\n {10}deepseek/flash may be reached:\n", done.stdout), done.stdout
    assert re.search(request_is, done.stdout), done.stdout
    assert "not refused by memo (when " in done.stdout and "  0 proved, 1 not, for all requests" in done.stdout
    assert "deepseek/flash" in [candidate["target"] for candidate in explained(done.stdout)["candidates"]]


def test_content_is_among_the_request_where_the_assertion_asks_for_it(check):
    assertion = "  - {name: no-cn, never: {when: {content: [iban, payment_card]}, target: {origin: [CN]}}}"
    done = check("  - {name: memo, when: {content: [iban]}, deny: {origin: CN}}\n"
                 "  - {name: cards, when: {content: [payment_card], tags: [drill]}, deny: {origin: CN}}", assertion)
    assert done.returncode == 1 and " --class payment_card " in done.stdout, done.stdout
    assert "deepseek/flash" in [candidate["target"] for candidate in explained(done.stdout)["candidates"]]
    done = check("  - {name: memo, when: {content: [payment_card, iban]}, deny: {origin: CN}}", assertion)
    assert done.returncode == 0, done.stdout


def test_what_stops_that_very_request_beside_policy_is_told(check):
    done = check("  - {name: memo, when: {input_tokens: {up_to: 5000}}, deny: {provider: own}}",
                 "  - {name: out, never: {target: {provider: own}}}")
    assert done.returncode == 1
    assert "this very request would be stopped by capability context_window: about 5001 tokens" in done.stdout
    assert [r["by"] for r in explained(done.stdout)["rejections"] if r["target"] == "own/luna"] == ["capability"]


def test_an_assertion_about_nobody_is_told(check):
    done = check("  - {name: memo, deny: {origin: CN}}", "  - {name: a, never: {when: {team: navy}, target: {origin: CN}}}")
    assert done.returncode == 0
    assert "nothing here has the team 'navy'" in done.stderr
    assert "  proved  a, but of nobody: no request can match its `when`\n" in done.stdout


TREASURY = {"when": {"team": ["treasury"]}, "target": {"operator": ["CN"]}}  # of the usual configuration: the policy us-only sees to it
PAYMENTS = {"when": {"team": ["payments"]}, "target": {"operator": ["CN"]}}


def asserting(daemon, *says):
    return {**daemon.changed_config(), "assertions": [{"name": f"a{i}", "never": one} for i, one in enumerate(says)]}


def test_a_reload_that_breaks_an_assertion_is_refused_with_the_counterexample(daemon):
    assert daemon.admin_reload(asserting(daemon, TREASURY))["result"] == "taken"
    before = daemon.gauge("fairlead_config_last_reload_success_timestamp_seconds")
    opened = asserting(daemon, TREASURY)
    opened["policies"] = []
    outcome = daemon.admin_reload(opened)
    assert outcome["result"] == "refused"
    (told,) = [finding for finding in outcome["findings"] if finding["severity"] == "error"]
    assert told["path"] == "assertions[0]" and told["line"] > 1
    assert re.fullmatch(r"the assertion 'a0' does not hold: deepseek/deepseek-flash may be reached, as by `fairlead explain --config "
                        r"\S+ --key other --route chat --at \S+`", told["message"]), told
    assert told["hint"] == "no policy refuses this target to anybody"
    command = shlex.split(re.search("`(.*)`", told["message"]).group(1))
    done = run(*command[1:], cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    assert done.returncode == 0 and "deepseek/deepseek-flash" in done.stdout, done.stderr
    for config in (asserting(daemon, TREASURY, PAYMENTS), opened):
        daemon.reload(config, event="reload_refused")
        assert any("does not hold" in event["finding"] for event in daemon.events("config_error"))
    assert daemon.gauge("fairlead_config_last_reload_successful") == 0
    assert daemon.gauge("fairlead_config_last_reload_success_timestamp_seconds") == before
    assert post_chat(daemon, chat("hello")).status == 200


def test_a_start_that_breaks_an_assertion_is_refused(daemon):
    file = daemon.folder / "other.yaml"
    file.write_text(json.dumps({**asserting(daemon, TREASURY, PAYMENTS), "ledger": "sqlite:other.db"}))
    program = Program(["serve", "--config", file], cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    assert program.wait() == 1
    assert program.events("not_started")
    (told,) = program.events("config_error")
    assert "assertions[1]: the assertion 'a1' does not hold: deepseek/deepseek-flash may be reached, as by `fairlead explain " in told["finding"]
    assert not (daemon.folder / "other.db").exists()


def test_a_key_by_which_an_assertion_would_be_broken_is_not_made_and_left_out_once_it_is_asserted(daemon):
    def key(name, *options, code=0):
        done = run("key", "new", name, "--config", daemon.config_file, "--route", "chat", *options, cwd=daemon.folder,
                   env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr if code else re.search(r"sk-fl-[\w-]{43}", done.stdout).group()

    def status(secret):
        return post_chat(daemon, chat("hello"), key=secret).status

    sales = {"when": {"team": ["sales"]}, "target": {"operator": ["CN"]}}
    secret = key("shop", "--team", "sales")
    wait_until(lambda: status(secret) == 200, "the key to hold")
    outcome = daemon.admin_reload(asserting(daemon, sales))
    assert outcome["result"] == "taken"  # a key of the database keeps no configuration from holding
    assert [finding["message"].split(": ")[0] for finding in outcome["findings"] if finding["file"] == "ledger key shop"] == [
        "with this key the assertion 'a0' does not hold", "the key is refused until this is mended"]
    assert status(secret) == 401
    listed = run("key", "list", "--config", daemon.config_file, "--json", cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    assert [one["state"] for one in json.loads(listed.stdout)["keys"] if one["name"] == "shop"] == ["refused"]
    refused = key("till", "--team", "sales", code=1)
    assert ("with this key the assertion 'a0' does not hold: deepseek/deepseek-flash may be reached, as by `--key till --route chat --at "
            in refused), refused
    done = run("check", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    assert done.returncode == 0 and "ledger key shop: warning: with this key the assertion 'a0'" in done.stderr, done.stdout
    daemon.admin_reload(daemon.config)
    assert status(secret) == 200
