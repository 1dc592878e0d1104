"""What is put right by hand, by corrections and by credit; and what reaches which of them."""
import contextlib
import json
import sqlite3
from decimal import Decimal

import pytest

from harness.daemon import PROVIDER_KEY, TARGETS
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


def test_a_correction_is_refused_or_booked_whole_while_the_daemon_runs(daemon, settled):
    answer = post_chat(daemon, chat("hello", "openai"))
    settled()
    request = answer.fields["x-request-id"]
    of_it = ("--request", request, "--amount", "1")
    for wrong, why in ((("--reason", ""), "the reason is empty"), (("--reason", " "), "the reason is empty"),
                       (("--reason", "a\x1b[2Jb"), "control characters"),
                       (("--reason", "why", "--provider", "deepseek"), f"its attempts went to {TARGETS['openai']}"),
                       (("--reason", "why", "--team", "tresury"), "did you mean 'treasury'?")):
        done = correct(daemon, *of_it, *wrong)
        assert (done.returncode, done.stdout) == (2, "") and why in done.stderr and "\x1b" not in done.stderr, done
    done = correct(daemon, *of_it, "--reason", "invoice 17")
    assert done.returncode == 0 and done.stdout == "Booked: 1 USD (1 USD), charge 0 USD: invoice 17\n", done
    report = fairlead(daemon, "usage", "--config", daemon.config_file, "--by", "provider", "--format", "json")
    assert [(row["provider"], row["correction"]) for row in json.loads(report.stdout)["rows"] if "correction" in row] == [("openai", "invoice 17")]


def test_the_audit_names_what_was_booked_and_changed_since(prepaid):
    assert credit(prepaid, "5").returncode == 0
    assert correct(prepaid, "--reason", "invoice 17", "--amount", "1", "--day", "2026-11-01", "--provider", "openai").returncode == 0

    def audit():
        done = fairlead(prepaid, "audit", "--config", prepaid.config_file)
        return done.returncode, done.stdout

    code, shown = audit()
    assert code == 0 and "booked    2 corrections, credits and closings\n" in shown, shown
    for change in ("UPDATE credits SET usd_pico = 2 * usd_pico",
                   "DROP TRIGGER correction_delete; DELETE FROM corrections"):
        with contextlib.closing(sqlite3.connect(prepaid.ledger_file)) as connection:
            connection.executescript(change)
    code, shown = audit()
    assert code == 1 and 'link 1: what was booked is not there, or says something else: {"credit":1,' in shown, shown
    assert 'WRONG     it was not booked, or not so: {"credit":1,' in shown and 'says something else: {"correction":1,' in shown


def test_the_charge_of_a_correction_is_in_reports_and_in_no_budget_or_credit(prepaid, start):
    assert credit(prepaid, "5").returncode == 0
    assert post_chat(prepaid, chat("hello")).status == 200
    wait_until(lambda: prepaid.ledger().all_settled(), "open rows to settle")
    reported, counted = charged(prepaid), money(prepaid)
    done = correct(prepaid, "--provider", "openai", "--day", "2026-11-01", "--amount", "0", "--charge", "-1", "--key", "app", "--team",
                   "payments", "--reason", "goodwill")
    assert done.returncode == 0, done.stderr
    assert charged(prepaid) == reported - 1 and money(prepaid) == counted
    folder, config = prepaid.folder, prepaid.config
    prepaid.stop()
    again = start(lambda fresh: fresh.update(config), folder)
    assert money(again) == counted
    assert credit(again, "1", "--note", "goodwill").returncode == 0
    (before,), (after,) = ([v for k, v in of.items() if k == "key app credit"] for of in (counted, money(again)))
    assert Decimal(after[2]) == Decimal(before[2]) + 1


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
