"""Keys that are made, rotated and revoked while the daemon runs: by the command and by the admin side."""
import asyncio
import contextlib
import datetime
import json
import os
import re
import sqlite3
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from harness.daemon import CLIENT_KEY, PROVIDER_KEY
from harness.http import Connection, chat, post_chat, request_bytes
from harness.process import BINARY, PATIENCE, run, wait_until
from harness.stage import SANITIZED

SOON = float(os.environ.get("FAIRLEAD_SOON_SECONDS", "3" if SANITIZED else "1"))  # what the product promises; more under sanitizers
SECONDS_TO_SEE = 12 if SANITIZED else 5  # in which a secret that is about to end is seen to be good
STREAM = "[[sim chunks=60 chunk_ms=40]] a story"


def key_command(daemon, *arguments, code=0):
    done = run("key", *arguments, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
    assert done.returncode == code, done.stdout + done.stderr
    return done


def secret_in(text):
    (secret,) = re.findall(r"sk-fl-[\w-]{43}", text)
    return secret


def new_key(daemon, name, *options):
    return secret_in(key_command(daemon, "new", name, "--config", daemon.config_file, *(options or ("--route", "chat"))).stdout)


def listed(daemon, *options):
    """By name and state."""
    keys = json.loads(key_command(daemon, "list", "--config", daemon.config_file, "--json", *options).stdout)["keys"]
    return {(key["name"], key["state"]): key for key in keys}


def admin(daemon, path="", body=None, fields=None):
    request = urllib.request.Request(f"http://{daemon.admin}/admin/v1/keys{path}", headers=fields or {}, method="GET" if body is None else "POST",
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode()
        return error.code, json.loads(text) if text.startswith("{") else text


def status_with(daemon, secret):
    return post_chat(daemon, chat("hello"), key=secret).status


def expect_soon(daemon, secret, status):
    began = time.monotonic()
    wait_until(lambda: status_with(daemon, secret) == status, f"status {status}")
    assert time.monotonic() - began < SOON


def refusal(daemon, secret):
    """All that an app sees of it, but for its time and id."""
    answer = post_chat(daemon, chat("hello"), key=secret)
    return answer.status, answer.body, {k: v for k, v in answer.fields.items() if k not in ("date", "x-request-id")}


def test_a_key_is_taken_within_a_second_and_rolls_up_to_team_and_project(daemon, settled):
    secret = new_key(daemon, "shop", "--route", "chat", "--team", "sales", "--project", "till", "--note", "for the shop")
    expect_soon(daemon, secret, 200)
    settled()
    for by, name in (("key", "shop"), ("team", "sales"), ("project", "till")):
        done = run("usage", "--config", daemon.config_file, "--by", by, "--format", "json", cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
        (row,) = [row for row in json.loads(done.stdout)["rows"] if row[by] == name]
        assert row["requests"] == 1 and float(row["cost_usd"]) > 0
    key = listed(daemon)["shop", "valid"]
    assert key["from"] == "ledger" and key["note"] == "for the shop" and key["created_by"] and key["last_used_at"]
    table = key_command(daemon, "list", "--config", daemon.config_file).stdout
    assert "shop" in table and "name last used" in table.splitlines()[0]  # of the name: rows do not tell by which secret
    for file in daemon.folder.glob("ledger.db*"):
        assert secret.encode() not in file.read_bytes()
    assert secret not in daemon.output


def test_policies_explain_and_routes_see_it_like_a_key_of_the_file(daemon):
    secret = new_key(daemon, "desk", "--route", "chat", "--team", "treasury")
    expect_soon(daemon, secret, 200)
    assert post_chat(daemon, chat("hello"), key=secret).fields["x-fairlead-target"].startswith("openai/")  # the policy us-only
    assert post_chat(daemon, chat("hello", "qwen"), key=secret).status == 404
    done = run("explain", "--key", "desk", "--config", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
    assert done.returncode == 0 and "us-only" in done.stdout, done.stdout + done.stderr
    assert "desk" in run("check", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"}).stdout


def test_a_replay_knows_it_wherever_the_other_configuration_keeps_its_books(daemon, settled):
    secret = new_key(daemon, "shop", "--team", "sales", "--route", "chat")
    expect_soon(daemon, secret, 200)
    settled()
    config = daemon.changed_config()
    config["ledger"] = "sqlite:another.db"
    other = daemon.folder / "other.yaml"
    other.write_text(json.dumps(config))
    for options in (["--config", daemon.config_file], ["--config", other, "--ledger", f"sqlite:{daemon.ledger_file}"]):
        done = run("replay", *options, "--format", "json", cwd=daemon.folder)
        outcomes = json.loads(done.stdout)["outcomes"]
        assert outcomes["stays"] > 0 and outcomes["cannot be asked"] == 0, done.stdout


def test_revoked_is_refused_within_a_second_on_all_workers_under_load_M25(daemon):
    secret = new_key(daemon, "shop")
    expect_soon(daemon, secret, 200)
    seen, stop = [], []

    async def app():
        connection = Connection(daemon.address)
        request = request_bytes("POST", "/v1/chat/completions", secret, chat("hello"))
        while not stop:
            began = time.monotonic()
            answer = await connection.exchange(request)
            seen.append((began, answer.status, answer.body))
        connection.close()

    async def under_load():
        streaming = Connection(daemon.address)
        stream = asyncio.create_task(streaming.exchange(request_bytes("POST", "/v1/chat/completions", secret, chat(STREAM, stream=True))))
        apps = [asyncio.create_task(app()) for _ in range(24)]
        while len(seen) < 100:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(key_command, daemon, "revoke", "shop", "--config", daemon.config_file, "--note", "lost")
        revoked = time.monotonic()
        while time.monotonic() < revoked + SOON + 0.5:
            await asyncio.sleep(0.01)
        stop.append(True)
        await asyncio.gather(*apps)
        return revoked, await stream

    revoked, stream = asyncio.run(under_load())
    assert stream.status == 200 and stream.events()[-1] == "[DONE]"  # under way: it finishes
    late = [(status, body) for began, status, body in seen if began > revoked + SOON]
    assert len(late) > 50 and len(set(late)) == 1 and late[0][0] == 401
    assert any(status == 200 for _, status, _ in seen) and {status for _, status, _ in seen} == {200, 401}
    assert status_with(daemon, CLIENT_KEY) == 200


def test_revoked_expired_replaced_unknown_and_malformed_look_the_same_M53_M57(daemon):
    replaced, revoked = new_key(daemon, "turned"), new_key(daemon, "gone")
    expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=SECONDS_TO_SEE)
    expired = new_key(daemon, "short", "--route", "chat", "--expires-at", expires.strftime("%Y-%m-%dT%H:%M:%SZ"))
    for secret in (expired, replaced, revoked):
        expect_soon(daemon, secret, 200)
    key_command(daemon, "rotate", "turned", "--config", daemon.config_file)
    key_command(daemon, "revoke", "gone", "--config", daemon.config_file)
    wait_until(lambda: status_with(daemon, replaced) == status_with(daemon, revoked) == 401, "both to be refused")
    last = post_chat(daemon, chat("hello")).request_id
    (running,) = wait_until(lambda: [row["snapshot_hash"] for row in daemon.ledger().requests if row["id"] == last], "its row")
    taken = wait_until(lambda: (events := daemon.events("keys_taken"))[-1]["snapshot"] == running and events, "the log to tell of it")
    wait_until(lambda: status_with(daemon, expired) == 401, "the key to expire")
    assert len(daemon.events("keys_taken")) == len(taken)  # by the clock alone
    assert "the key 'short' expired at" in key_command(daemon, "rotate", "short", "--config", daemon.config_file, code=1).stderr
    constant = refusal(daemon, "sk-fl-nobody-has-this")
    for secret in (replaced, revoked, expired, "sk-fl-", "x", revoked[:-1]):
        assert refusal(daemon, secret) == constant
    told = {event.get("detail") for event in daemon.events("turned_away")}
    assert told == {None, "the key 'gone' was revoked", "the key 'short' has expired", "a former secret of the key 'turned', whose grace is over"}
    assert all(event["error"] == "unauthorized" and event["peer"].startswith("127.0.0.1:") for event in daemon.events("turned_away"))
    assert not any(secret in daemon.output for secret in (replaced, revoked, expired))
    assert constant[0] == 401 and {state for _, state in listed(daemon, "--all")} == {"valid", "expired", "replaced", "revoked"}


def test_a_rotation_lets_the_secret_before_hold_for_its_grace(daemon):
    before = new_key(daemon, "shop")
    done = key_command(daemon, "rotate", "shop", "--grace", f"{SECONDS_TO_SEE}s", "--config", daemon.config_file)
    after = secret_in(done.stdout)
    expect_soon(daemon, after, 200)
    assert status_with(daemon, before) == 200
    assert {row["key"] for row in daemon.ledger().requests} == {"shop"}
    wait_until(lambda: status_with(daemon, before) == 401, "the grace to end")
    assert status_with(daemon, after) == 200
    assert {("shop", "valid"), ("shop", "replaced")} < set(listed(daemon, "--all"))


def test_what_was_revoked_stays_so_over_reload_and_restart_and_a_name_can_be_made_anew(start):
    daemon = start()
    kept, gone = new_key(daemon, "kept"), new_key(daemon, "gone")
    expect_soon(daemon, kept, 200)
    expect_soon(daemon, gone, 200)
    key_command(daemon, "revoke", "gone", "--config", daemon.config_file)
    expect_soon(daemon, gone, 401)
    daemon.reload(daemon.config)
    assert (status_with(daemon, kept), status_with(daemon, gone)) == (200, 401)
    daemon.kill()
    again = start()
    assert (status_with(again, kept), status_with(again, gone)) == (200, 401)
    anew = new_key(again, "gone")
    expect_soon(again, anew, 200)
    assert status_with(again, gone) == 401


def test_keys_can_be_made_and_revoked_while_no_daemon_runs(start):
    daemon = start()
    daemon.stop()
    kept, gone = new_key(daemon, "kept"), new_key(daemon, "gone")
    key_command(daemon, "revoke", "gone", "--config", daemon.config_file)
    again = start()
    assert (status_with(again, kept), status_with(again, gone)) == (200, 401)


def test_the_admin_side_does_the_same_and_its_changes_hold_at_once(daemon):
    status, made = admin(daemon, body={"name": "shop", "routes": ["chat"], "team": "sales", "note": "by hand"})
    assert status == 201 and made["hash"].startswith("sha256:") and status_with(daemon, made["key"]) == 200
    status, turned = admin(daemon, "/shop/rotate", {"grace": "1h"})
    assert status == 201 and status_with(daemon, turned["key"]) == status_with(daemon, made["key"]) == 200
    status, told = admin(daemon)
    assert status == 200 and {(k["name"], k["state"]) for k in told["keys"]} >= {("app", "valid"), ("shop", "valid"), ("shop", "former")}
    assert made["key"] not in json.dumps(told) and made["hash"] not in json.dumps(told)
    assert admin(daemon, "/shop/revoke", {"note": "lost"})[0] == 200
    assert status_with(daemon, turned["key"]) == status_with(daemon, made["key"]) == 401
    (row,) = [k for k in admin(daemon)[1]["keys"] if k["state"] == "revoked" and k["hash"] == turned["hash"][:15]]
    assert row["revoked_by"] == "admin API" and row["revoked_because"] == "lost" and row["revoked_at"] and row["note"] == ""
    assert admin(daemon, body={"name": "a@b:c+d", "routes": ["chat"]})[0] == 201
    assert admin(daemon, "/a%40b%3Ac%2Bd/revoke", {})[0] == 200


@pytest.mark.parametrize("path, body, status, words", [
    ("", {"routes": ["chat"]}, 400, "name"), ("", {"name": "a b", "routes": ["chat"]}, 400, "name"), ("", {"name": "x"}, 400, "routes"),
    ("", {"name": "x", "routes": ["chatt"]}, 400, "chat"), ("", {"name": "x", "routes": ["chat"], "tem": "y"}, 400, "team"),
    ("", {"name": "x", "routes": ["chat"], "hash": "sha256:" + 64 * "0"}, 400, "hash"), ("", [], 400, "object"),
    ("", {"name": "x", "routes": ["chat"], "expires_at": "soon"}, 400, "expires_at"), ("", {"name": "app", "routes": ["chat"]}, 400, "name"),
    ("/none/revoke", {}, 404, "none"), ("/none/rotate", {}, 404, "none"), ("/app/revoke", {}, 404, "the key 'app' is under `keys:` of"),
    ("/app/rotate", {}, 404, "another `hash`, and the one so far under `former`, there, and reload"), ("/x/melt", {}, 404, "revoke"),
    ("", {"name": "x", "routes": ["chat"], "note": "y" * 501}, 400, "the note has 501 bytes, and may have 500"),
    ("/x/rotate", {"grace": "long"}, 400, "grace"), ("/x/revoke", {"because": "y"}, 400, "note"), ("/x/revoke", None, 405, "POST"),
])
def test_the_admin_side_says_what_is_wrong(shared, path, body, status, words):
    seen, told = admin(shared, path, body)
    assert seen == status and words in told["error"]["message"], told


def test_no_page_of_a_browser_may_make_a_key(shared):
    assert admin(shared, body={"name": "x", "routes": ["chat"]}, fields={"Origin": "http://evil.example"})[0] == 403


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    from harness.daemon import Fairlead, config_for
    daemon = Fairlead(tmp_path_factory.mktemp("shared"), config_for("http://127.0.0.1:1"))
    yield daemon
    daemon.stop()


def test_the_command_says_what_is_wrong(shared, tmp_path):
    config = ("--config", shared.config_file)
    for arguments, words in [(("new", "app", "--route", "chat"), "name"), (("new", "x", "--route", "chatt"), "chat"), (("new", "x"), "routes"),
                             (("revoke", "none"), "none"), (("rotate", "none"), "none"), (("rotate", "none", "--grace", "99999h"), "year"),
                             (("new", "x", "--route", "chat", "--set", "tem=y"), "tem")]:
        assert words in key_command(shared, *arguments, *config, code=1).stderr
    assert key_command(shared, "new", "x", "--route", "chat", "--set", "hash=y", *config, code=2).stderr
    done = run("key", "list", "--ledger", f"sqlite:{tmp_path}/none.db")
    assert done.returncode == 1 and "none.db" in done.stderr


def test_what_key_lacks_or_does_not_know_is_told_with_what_there_is():
    for arguments, words in [(("foo",), ("there is no command 'key foo'",)), (("rotat", "x"), ("'key rotat'", "did you mean 'rotate'? key has")), ((), ()),
                             (("foo", "revoke", "x"), ("'key foo'",)), (("check",), ())]:
        done = run("key", *arguments)
        assert done.returncode == 2 and not done.stdout and "key has the commands new, list, rotate and revoke" in done.stderr, done
        assert all(word in done.stderr for word in words) and "A subcommand is required" not in done.stderr, done
    assert "credit has the commands add and list" in run("credit", "foo").stderr
    assert run("key", "rotate", "--help").returncode == run("key", "--help").returncode == 0


def test_a_key_of_the_file_is_ended_in_the_file_and_the_command_says_so(shared):
    config = ("--config", shared.config_file)
    for change in ("revoke", "rotate"):
        told = key_command(shared, change, "app", *config, code=1).stderr
        assert f"the key 'app' is under `keys:` of {shared.config_file}, and not in the ledger" in told and "reload" in told
        assert "the ledger has no valid key 'none'" in key_command(shared, change, "none", *config, code=1).stderr
        assert "the ledger has no valid key 'app'" in key_command(shared, change, "app", "--ledger", f"sqlite:{shared.ledger_file}", code=1).stderr


def test_a_key_that_was_not_made_is_not_told_as_if_it_were(shared):
    config = ("--config", shared.config_file)
    for options, words in [(("x", "--route", "chat", "--route", "chatt"), "no key was made: routes: no route 'chatt'; did you mean 'chat'?"),
                           (("app", "--route", "chat"), "no key was made: the configuration has one of the name 'app'"),
                           (("x", "--route", "chat", "--expires-at", "2020-01-01"), "no key was made: expires_at: 2020-01-01 is past")]:
        told = key_command(shared, "new", *options, *config, code=1).stderr
        assert words in told and "holds" not in told and "by it" not in told, told
    assert not any(name == "x" for name, _ in listed(shared, "--all"))


def test_a_secret_that_cannot_be_printed_is_told_to_be_lost(shared):
    reading, left = os.pipe()
    os.close(reading)

    def into_nothing(output, *arguments):
        done = subprocess.run(["sh", "-c", f'exec "$@" {output}', "sh", BINARY, "key", *arguments, "--config", shared.config_file], cwd=shared.folder,
                              stdout=left, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, env={**os.environ, "FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY})
        assert done.returncode == 1 and "the output could not be written" in done.stderr
        return done.stderr

    for output in (">/dev/full", ">&-", ""):
        name = f"lost{len(output)}"
        assert f"the key '{name}' was made all the same" in into_nothing(output, "new", name, "--route", "chat")
        assert f"the key '{name}' was replaced all the same, and nobody has its new secret: rotate it again" in into_nothing(output, "rotate", name)
        key_command(shared, "revoke", name, "--config", shared.config_file)
    os.close(left)


def test_the_file_wins_when_both_name_one_and_drift_is_shown(start):
    daemon = start()
    secret = new_key(daemon, "shop")
    expect_soon(daemon, secret, 200)
    config = daemon.changed_config()
    config["keys"].append({"name": "shop", "hash": "sha256:" + 64 * "5", "routes": ["chat"]})
    daemon.reload(config)
    assert status_with(daemon, secret) == 401
    assert any("ledger key shop" in e["finding"] and "that one holds" in e["finding"] for e in daemon.events("config_warning"))
    assert "ledger key shop" in run("check", daemon.config_file, cwd=daemon.folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"}).stderr
    assert ("shop", "shadowed") in listed(daemon)
    assert "shop" in key_command(daemon, "list", "--config", daemon.config_file).stderr
    assert "which stays in force" in key_command(daemon, "revoke", "shop", "--config", daemon.config_file).stderr


def test_a_change_of_keys_takes_no_edit_of_the_file_along(start):
    daemon = start()
    config = daemon.changed_config()
    del config["routes"]["chat"]["targets"][1:]
    config["keys"] = []
    daemon.write_config(config)  # and nobody asks for a reload
    secret = admin(daemon, body={"name": "shop", "routes": ["chat"]})[1]["key"]
    assert status_with(daemon, secret) == status_with(daemon, CLIENT_KEY) == 200
    daemon.write_config("broken: [")
    assert admin(daemon, "/shop/revoke", {})[0] == 200
    assert (status_with(daemon, secret), status_with(daemon, CLIENT_KEY)) == (401, 200)
    daemon.write_config(daemon.config)


def test_known_keys_work_while_another_program_holds_the_database_M64(daemon):
    secret, gone = new_key(daemon, "shop"), new_key(daemon, "gone")
    expect_soon(daemon, secret, 200)
    expect_soon(daemon, gone, 200)
    assert admin(daemon, "/gone/revoke", {})[0] == 200
    with contextlib.closing(sqlite3.connect(daemon.ledger_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert admin(daemon, "/shop/revoke", {})[0] == 503
        assert status_with(daemon, secret) == status_with(daemon, CLIENT_KEY) == 200
        assert status_with(daemon, gone) == 401  # M25: an outage brings nobody back
        assert admin(daemon)[0] == 200 and status_with(daemon, "sk-fl-nobody-has-this") == 401
        other.execute("ROLLBACK")
    assert admin(daemon, "/shop/revoke", {})[0] == 200 and status_with(daemon, secret) == 401


def test_without_a_ledger_the_lines_for_the_file_are_printed(tmp_path):
    done = run("key", "new", "shop", "--route", "chat", "--team", "sales", "--tag", "a", "--expires-at", "2027-01-31", "--set", "former=[]", cwd=tmp_path)
    assert done.returncode == 2  # `former` is the command's own matter
    done = run("key", "new", "shop", "--route", "chat", "--team", "sales", "--tag", "a", "--expires-at", "2027-01-31", cwd=tmp_path)
    assert done.returncode == 0 and secret_in(done.stdout) and not list(tmp_path.iterdir())
    for line in ("- name: shop", "hash: sha256:", "team: sales", 'tags: ["a"]', "2027-01-31", "routes: [chat]"):
        assert line in done.stdout
