"""The worked examples: each is a good configuration, and where its requests go is tested beside it."""
import re

import pytest

from harness.process import ROOT, run

pytestmark = pytest.mark.alone

EXAMPLES = sorted(path for path in (ROOT / "config/examples").glob("*.yaml") if not path.name.endswith(".test.yaml"))


def secrets_of(example):
    """Something for every reference in the file."""
    names = re.findall(r"\$\{env:(\w+)\}", example.read_text())
    return {name: "sha256:" + f"{number:064x}" if name.endswith("_HASH") else "x" for number, name in enumerate(names)}


def test_there_are_examples():
    assert [example.stem for example in EXAMPLES] == ["bank", "government", "reseller", "university"]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("secrets", [True, False])
def test_an_example_is_good_and_its_routing_tests_hold_with_and_without_secrets(example, secrets):
    done = run("check", example, env=secrets_of(example) if secrets else {name: "" for name in secrets_of(example)})
    assert done.returncode == 0, done.stdout + done.stderr
    # Whether there is a folder for the archive is the machine's affair.
    warnings = [line for line in done.stderr.splitlines() if ": warning: retention.archive: " not in line]
    assert ": good, " in done.stdout and (not secrets or not warnings), done.stderr
    expected = len(re.findall(r"^  - name:", example.with_suffix(".test.yaml").read_text(), re.M))
    assert f"  {expected} passed, 0 failed" in done.stdout and expected >= 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_each_policy_of_an_example_is_shown_by_a_routing_test(example, tmp_path):
    """Without what it says, some test fails."""
    head, rest = example.read_text().split("\npolicies:\n")
    written, tail = rest.split("\nkeys:\n")
    rules = re.split(r"(?m)^(?=  - name: )", written)[1:]
    assert len(rules) >= 3
    (tmp_path / f"{example.stem}.test.yaml").write_text(example.with_suffix(".test.yaml").read_text())
    for mute in range(len(rules)):
        name = re.match(r"  - name: (\S+)", rules[mute]).group(1)
        narrows_nothing = f'  - name: {name}\n    max_cost: "999999"\n'
        changed = "".join(narrows_nothing if index == mute else rule for index, rule in enumerate(rules))
        (tmp_path / example.name).write_text(f"{head}\npolicies:\n{changed}\nkeys:\n{tail}")
        done = run("check", tmp_path / example.name, env=secrets_of(example))
        assert done.returncode == 1 and "  FAIL  " in done.stdout, f"nothing fails without {name}:\n{done.stdout}{done.stderr}"


def test_a_failing_routing_test_is_shown_as_a_difference_with_its_place(tmp_path):
    example = ROOT / "config/examples/bank.yaml"
    (tmp_path / "bank.yaml").write_text(example.read_text())
    tests = example.with_suffix(".test.yaml").read_text()
    (tmp_path / "bank.test.yaml").write_text(tests.replace("expect: {target: frankfurt/DeepSeek-V4-Flash}",
                                                           "expect: {target: deepseek/deepseek-flash}"))
    done = run("check", tmp_path / "bank.yaml", env=secrets_of(example))
    assert done.returncode == 1
    assert "FAIL  an analyst who says that it is customers' data is bound by the same rule" in done.stdout
    assert "bank.test.yaml:" in done.stdout and "1 failed" in done.stdout
    assert "- deepseek/deepseek-flash (policy customer-data-near: its region is CN, allowed is ZA, EEA" in done.stdout
    assert "+ frankfurt/DeepSeek-V4-Flash" in done.stdout and "\x1b" not in done.stdout


def test_a_routing_test_that_names_what_is_not_there_is_an_error(tmp_path):
    example = ROOT / "config/examples/bank.yaml"
    (tmp_path / "bank.yaml").write_text(example.read_text())
    (tmp_path / "bank.test.yaml").write_text("tests:\n  - {name: t, key: ap, expect: {target: vault/Qwen3-32B}}\n")
    done = run("check", tmp_path / "bank.yaml", env=secrets_of(example))
    assert done.returncode == 1 and "bank.test.yaml:2:" in done.stderr and "did you mean 'app'?" in done.stderr
