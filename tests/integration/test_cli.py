"""The commands beside `serve`, as their users see them."""
import contextlib
import csv
import hashlib
import io
import json
import re
import sqlite3
from decimal import Decimal

import pytest

from harness.daemon import OTHER_KEY, config_for
from harness.http import chat, post_chat
from harness.process import ROOT, run

ENVIRONMENT = {"FAIRLEAD_REHEARSAL_URL": "http://127.0.0.1:1", "FAIRLEAD_REHEARSAL_KEY": "x", "FAIRLEAD_LOCAL_URL": "http://127.0.0.1:1/v1", "DEEPSEEK_API_KEY": "x",
               "DASHSCOPE_API_KEY": "x", "OPENAI_API_KEY": "x", "FAIRLEAD_KEY_HASH": "sha256:" + 64 * "0"}


@pytest.mark.parametrize("name", ["fairlead.yaml", "rehearsal.yaml"])
def test_the_worked_configurations_pass_check_without_a_warning(name):
    done = run("check", ROOT / "config" / name, env=ENVIRONMENT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": good, 0 warnings;" in done.stdout
    assert "deepseek/deepseek-flash" in done.stdout


def test_the_worked_configuration_stands_without_any_credential():
    missing = {name: "" for name in ENVIRONMENT}
    done = run("check", ROOT / "config/fairlead.yaml", env=missing)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "DEEPSEEK_API_KEY" in done.stdout + done.stderr


def test_check_names_every_mistake_with_its_place(tmp_path):
    file = tmp_path / "wrong.yaml"
    file.write_text("listen: [\"127.0.0.1:0\"]\nprovders: {}\nroutes:\n  chat:\n    targets: [deepsek/x]\n    stratgy: cheapest\n")
    done = run("check", file)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    for place in (":2:", ":5:", ":6:"):
        assert f"wrong.yaml{place}" in said, said
    assert "providers" in said and "strategy" in said  # did you mean


def test_check_says_good_where_all_is_and_strict_takes_no_warning(tmp_path):
    file = tmp_path / "fairlead.yaml"
    target = "providers: {p: {base_url: 'http://127.0.0.1:1', profile: generic, operator: US}}\nmodels: {p/m: {}}\nroutes: {r: {targets: [p/m]}}\n"
    keys = f"keys: [{{name: app, hash: 'sha256:{'0' * 64}', routes: [r]}}]\n"

    def checked(text, *options, code):
        file.write_text(target + keys + text)
        done = run("check", *options, str(file))
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout.splitlines()[0].split("; snapshot")[0].removeprefix(f"{file}: ")

    verdict = checked("", code=0)
    assert verdict.startswith("good, ") and "0 warnings" not in verdict
    assert checked("", "--strict", code=1) == verdict.removeprefix("good, ")
    failing = "tests: [{name: t, key: app, expect: {cost: '1'}}]\nassertions: [{name: a, never: {target: {provider: [p]}}}]\n"
    assert checked(failing, code=1).startswith("routing tests fail, assertions are not proved, ")


def test_an_archive_that_is_not_there_is_told_before_anything_is_due(start):
    daemon = start(lambda config: config.update(retention={"detail_days": 90, "archive": "/nowhere/archive"}))
    why = "retention.archive: there is no folder '/nowhere/archive' that can be written here"
    assert any(why in event["finding"] for event in daemon.events("config_warning"))
    assert why in run("check", str(daemon.config_file)).stderr
    archive = daemon.folder / "archive"
    archive.mkdir()
    config = daemon.changed_config()
    config["retention"]["archive"] = str(archive)
    daemon.write_config(config)
    assert "retention.archive" not in run("check", str(daemon.config_file)).stderr


def test_what_is_disabled_for_want_of_a_secret_is_counted(start):
    def change(config):
        config["providers"]["qwen"]["api_key"] = "${env:NOBODY_HAS_SET_THIS}"
        config["keys"][1]["hash"] = "${env:NOBODY_HAS_SET_THIS}"

    daemon = start(change)
    assert (daemon.gauge('fairlead_disabled{kind="provider"}'), daemon.gauge('fairlead_disabled{kind="key"}')) == (1, 1)
    config = daemon.changed_config()
    config["providers"]["qwen"]["api_key"] = "${env:FAIRLEAD_TEST_PROVIDER_KEY}"
    daemon.reload(config)
    assert daemon.gauge('fairlead_disabled{kind="provider"}') == 0


def test_check_of_a_missing_file_fails_plainly(tmp_path):
    done = run("check", tmp_path / "none.yaml")
    assert done.returncode == 1 and "none.yaml" in done.stdout + done.stderr


def test_key_new_prints_a_key_and_the_hash_of_it():
    done = run("key", "new", "checkout")
    assert done.returncode == 0
    (key,) = re.findall(r"sk-[\w-]+", done.stdout)
    assert f"hash: sha256:{hashlib.sha256(key.encode()).hexdigest()}" in done.stdout
    assert key not in run("key", "new", "checkout").stdout


def test_schema_is_json_and_describes_routes():
    schema = json.loads(run("schema").stdout)
    assert "routes" in schema["properties"]


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["usage", "--since", "colour"], ["serve", "--no-such-option"],
                                       ["usage", "--top", "0"], ["explain", "--key", "app", "--network", "300.1.1.1"],
                                       ["credit", "add", "--key", "app", "--usd", "1e3"]])
def test_wrong_arguments_exit_with_2(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr and not done.stdout
    assert max(map(len, done.stderr.splitlines())) < 200


def test_a_mistyped_name_is_told_with_what_it_may_have_meant(daemon):
    assert "there is no command 'chekc'; did you mean 'check'?" in run("chekc", daemon.config_file).stderr
    assert "fairlead --help" in run("\x1b[2Jxyzzy").stderr and "\x1b" not in run("\x1b[2Jxyzzy").stderr
    done = run("prices", "--config", daemon.config_file, "deepseek/deepseek-falsh")
    assert done.returncode == 1 and "did you mean 'deepseek/deepseek-flash'?" in done.stderr


def test_usage_adds_up_to_the_bill_while_the_daemon_runs(daemon, simulator, settled):
    for provider in ("deepseek", "qwen", "openai", "openai"):
        post_chat(daemon, chat("hello", provider))
    settled()
    where = {"cwd": daemon.folder, "env": {"FAIRLEAD_TEST_PROVIDER_KEY": "x"}}
    config = ["--config", daemon.config_file]
    total = sum(Decimal(line["cost"]) for line in simulator.bill(at_least=4))

    as_json = run("usage", *config, "--by", "provider", "--format", "json", **where)
    assert as_json.returncode == 0, as_json.stderr
    assert sum(Decimal(row["cost_usd"]) for row in json.loads(as_json.stdout)["rows"]) == total
    as_csv = run("usage", *config, "--by", "provider", "--format", "csv", **where)
    rows = list(csv.DictReader(io.StringIO(as_csv.stdout)))
    assert {row["provider"]: row["requests"] for row in rows} == {"deepseek": "1", "qwen": "1", "openai": "2"}
    assert sum(Decimal(row["cost_usd"]) for row in rows) == total
    assert "deepseek" in run("usage", *config, **where).stdout


def test_the_documented_queries_run_on_a_ledger_with_a_request_that_was_never_planned(daemon, settled):
    for model, key in [("chat", None), ("no-such-model", None), ("chat", OTHER_KEY)]:
        post_chat(daemon, chat("hello", model), key=key)
    settled()
    statements = [statement for block in re.findall(r"```sql\n(.*?)```", (ROOT / "docs/ledger.md").read_text(), re.S)
                  for statement in block.split(";") if "SELECT" in statement]
    assert len(statements) == 4
    with contextlib.closing(sqlite3.connect(daemon.ledger_file)) as ledger:
        assert [count for count, in ledger.execute("SELECT count(*) FROM requests WHERE plan = ''")] == [1]
        rows = {statement: list(ledger.execute(statement)) for statement in statements}
    (rejections,) = [found for statement, found in rows.items() if "$.rejections" in statement]
    assert ("us-only", "deepseek/deepseek-flash", 1) in rejections


def test_explain_last_shows_the_candidates_the_cost_and_the_row(daemon, simulator, settled):
    answer = post_chat(daemon, chat("hello"))
    settled()
    where = {"cwd": daemon.folder, "env": {"FAIRLEAD_TEST_PROVIDER_KEY": "x"}}
    done = run("explain", "last", "--config", daemon.config_file, **where)
    assert done.returncode == 0, done.stderr
    for part in (answer.request_id, "deepseek/deepseek-flash", "qwen/qwen3.8-flash", "openai/gpt-6-luna", simulator.bill(at_least=1)[0]["cost"]):
        assert part in done.stdout, done.stdout
    by_id = run("explain", answer.request_id, "--config", daemon.config_file, **where)
    assert by_id.stdout == done.stdout
    assert run("explain", "req_none", "--config", daemon.config_file, **where).returncode == 1


def test_a_wrong_configuration_does_not_serve(tmp_path):
    config = config_for("http://127.0.0.1:1")
    config["routes"]["chat"]["targets"] = ["nobody/nothing"]
    (tmp_path / "wrong.yaml").write_text(json.dumps(config))
    done = run("serve", "--config", tmp_path / "wrong.yaml", cwd=tmp_path, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
    assert done.returncode == 1 and "nobody" in done.stderr and not (tmp_path / "ledger.db").exists()


def test_a_period_that_ends_before_it_begins_is_an_error(tmp_path):
    for until in ("2026-11-01", "2026-10-31T23:59"):
        done = run("usage", "--ledger", "sqlite:none.db", "--since", "2026-11-01", "--until", until, cwd=tmp_path)
        assert done.returncode == 2 and not done.stdout
        assert f"--until {until} is not after --since 2026-11-01" in done.stderr


def test_a_damaged_ledger_is_told_by_its_path(daemon, settled):
    post_chat(daemon, chat("hello"))
    settled()
    daemon.stop()
    damaged = bytearray(daemon.ledger_file.read_bytes())
    damaged[8192:] = b"\xa5" * (len(damaged) - 8192)  # all but the first page, which says whose it is
    daemon.ledger_file.write_bytes(damaged)
    for command in (["usage"], ["explain", "last"]):
        done = run(*command, "--ledger", f"sqlite:{daemon.ledger_file}", cwd=daemon.folder)
        assert done.returncode == 1 and not done.stdout
        assert "malformed" in done.stderr and str(daemon.ledger_file) in done.stderr
