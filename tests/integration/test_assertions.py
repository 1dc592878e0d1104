"""Assertions: `fairlead check` proves them, or prints a request that breaks one, and that request can be explained."""
import json
import re
import shlex

import pytest

from harness.process import run

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
