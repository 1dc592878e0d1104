"""What is put right by hand, by corrections and by credit; and what reaches which of them."""
import json
from decimal import Decimal

import pytest

from harness.daemon import PROVIDER_KEY
from harness.http import chat, post_chat
from harness.process import run, wait_until


def fairlead(daemon, *arguments):
    return run(*arguments, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})


def correct(daemon, *arguments):
    return fairlead(daemon, "correct", "--config", daemon.config_file, *arguments)


def charged(daemon):
    report = fairlead(daemon, "usage", "--config", daemon.config_file, "--by", "key", "--format", "json")
    return Decimal(json.loads(report.stdout)["total"]["charge_usd"])


@pytest.fixture
def prepaid(start):
    def change(config):
        config["keys"][0]["credit"] = True
        config["teams"] = {"payments": {"budget": {"usd": "100", "per": "month"}}}

    return start(change)


def credit(daemon, usd, *more):
    return run("credit", "add", "--key", "app", f"--usd={usd}", "--admin", daemon.admin, *more)


def money(daemon):
    return {name: (budget["limit_usd"], budget["charged_usd"], budget["left_usd"]) for name, budget in daemon.budgets().items()}


def test_no_more_credit_is_taken_back_than_is_left(prepaid):
    assert credit(prepaid, "-1").returncode == 1
    assert credit(prepaid, "5").returncode == 0
    done = credit(prepaid, "-5.01")
    assert (done.returncode, done.stdout) == (1, "") and "of key app credit 5 USD are left, so 5.01 cannot be taken back" in done.stderr
    assert post_chat(prepaid, chat("hello")).status == 200
    wait_until(lambda: money(prepaid)["key app credit"][1] != "0", "the charge")
    assert "cannot be taken back" in credit(prepaid, "-5").stderr
    left = money(prepaid)["key app credit"][2]
    assert credit(prepaid, f"-{left}").stdout.endswith(" USD put in, 0 USD left\n")


@pytest.mark.parametrize("command", [("credit", "add", "--key", "app", "--usd", "5"), ("credit", "list"), ("reload",)])
def test_a_file_that_is_not_there_is_told_once(tmp_path, command):
    done = run(*command, "-c", tmp_path / "nope.yaml")
    assert done.returncode == 1 and done.stderr.count("nope.yaml") == 1 and len(done.stderr.splitlines()) == 1, done.stderr
