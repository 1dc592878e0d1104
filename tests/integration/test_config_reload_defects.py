"""Reloads of every wrong file (M61): the old configuration keeps serving, the log says where and why, and the metric is raised."""
import copy
import json
import os
import re
import signal

import pytest

from harness.daemon import TARGETS, config_for
from harness.http import chat, post_chat
from harness.process import run, wait_until


def reload_and_expect_refusal(daemon, count):
    """SIGHUP for what now lies at the path: the count-th refusal, with a reason."""
    daemon.signal(signal.SIGHUP)
    refused = daemon.wait_for("reload_refused", count=count)
    assert refused["reason"] and refused["snapshot"] == daemon.wait_for("ready")["snapshot"]
    return refused


def expect_still_serving(daemon):
    assert post_chat(daemon, chat("hello")).status == 200
    assert daemon.admin_get("/readyz")[0] == 200
    metrics = daemon.admin_get("/metrics")[1]
    assert "fairlead_config_last_reload_successful 0" in metrics
    (refused,) = re.findall(r'fairlead_config_reloads_total\{result="refused"\} (\d+)', metrics)
    assert int(refused) == len(daemon.events("reload_refused")) and not daemon.events("reloaded")
    assert f'fairlead_config_info{{hash="{daemon.wait_for("ready")["snapshot"]}"}} 1' in metrics


def expect_healed(daemon):
    """After all that, the right file is taken."""
    config = daemon.changed_config()
    config["routes"]["chat"]["strategy"] = "ordered"
    daemon.reload(config)
    assert "fairlead_config_last_reload_successful 1" in daemon.admin_get("/metrics")[1]
    assert post_chat(daemon, chat("hello")).fields["x-fairlead-target"] == TARGETS["deepseek"]


def paths_of(node, path=()):
    """Every path into a configuration."""
    yield path
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from paths_of(child, (*path, key))


def at(config, path):
    for key in path:
        config = config[key]
    return config


def changed(config, path, change):
    config = copy.deepcopy(config)
    change(at(config, path[:-1]), path[-1])
    return config


def remove(parent, key):
    del parent[key]


def put(value):
    def change(parent, key):
        parent[key] = value
    return change


def misspell(parent, key):
    parent[f"{key}x"] = parent.pop(key)


def variants_of(config):
    """Wrong files by name: each one thing wrong. A variant that is right after all is not among them."""
    unlike = {dict: [None, "text", 7, ["list"]], list: [{"map": 1}, 7],
              str: [{"map": 1}, [["nested"]], "", "\u0000", "${env:FAIRLEAD_TEST_NOTHING_HERE}"],
              bool: ["perhaps", {"map": 1}, 2], int: ["many", -1, 10**30, 1.5, {"map": 1}]}
    may_go = {(), ("listen",), ("admin",), ("ledger",), ("workers",), ("log",), ("policies",), ("keys",)}
    for path in list(paths_of(config)):
        if not path:
            continue
        name = ".".join(map(str, path))
        for number, value in enumerate(unlike[type(at(config, path))]):
            # Disabled with a warning is what an absent secret gets; one fact or a short reason may be any word.
            absent = value == "${env:FAIRLEAD_TEST_NOTHING_HERE}" and path[-1] in ("base_url", "api_key", "hash")
            if not absent and path[-1] not in ("team", "operator", "reason"):
                yield f"{name} is another thing {number}", changed(config, path, put(value))
        if isinstance(path[-1], str) and path not in may_go:
            yield f"{name} is misspelt", changed(config, path, misspell)
    for path in (("providers",), ("routes",), ("providers", "deepseek"), ("providers", "deepseek", "base_url"), ("routes", "deepseek"),
                 ("routes", "chat", "targets"), ("keys", 0, "hash"), ("keys", 0, "name"), ("keys", 0, "routes"), ("policies", 0, "name")):
        yield f"{'.'.join(map(str, path))} is missing", changed(config, path, remove)
    for url in ("ftp://x", "http://", "http://a b/", "http://x/?q=1", "http://x/#f", "//x", "x", "http://user:pw@x/", "http://x:99999",
                "http://x:-1", "http://[::1"):
        yield f"base_url {url}", changed(config, ("providers", "qwen", "base_url"), put(url))
    for address in ("localhost:80", "127.0.0.1", "127.0.0.1:99999", ":80", "0.0.0.0:-1", "256.1.1.1:80", "[::1:80"):
        yield f"listen {address}", changed(config, ("listen", 0), put(address))
    for hash_ in ("sha256:", "sha256:" + "g" * 64, "sha256:" + "0" * 63, "sk-fl-a-key-in-the-open", "md5:" + "0" * 32):
        yield f"hash {hash_}", changed(config, ("keys", 0, "hash"), put(hash_))
    yield "a key in the open", changed(config, ("providers", "openai", "api_key"), put("sk-in-the-open-0123456789"))
    for limit, value in (("body_bytes_max", "0"), ("body_bytes_max", "-1MiB"), ("body_bytes_max", "2TiB"), ("head_ms_max", "never"),
                         ("attempts_max", 0), ("attempts_max", 99)):
        yield f"{limit} {value}", {**config, "limits": {limit: value}}
    yield "an unknown section", {**config, "lisen": []}
    yield "the same key twice", {**config, "keys": config["keys"] + config["keys"][:1]}
    yield "an unknown target", changed(config, ("routes", "chat", "targets", 0), put("nobody/nothing"))
    yield "an unknown route of a key", changed(config, ("keys", 0, "routes", 0), put("nowhere"))
    yield "admin beyond loopback", {**config, "admin": "0.0.0.0:0"}
    for what, value in (("workers", 3), ("ledger", "sqlite:other.db"), ("listen", ["127.0.0.1:0", "127.0.0.1:1"]),
                        ("admin", "127.0.0.1:1")):
        yield f"{what} needs a restart", {**config, what: value}


NOT_YAML = ["routes: [", "{", "}", "a: b: c", "\t- x", "- \n  - [", "&a [*a]", "*nobody", "!!python/object:os.system {}",
            "%YAML 9.9\n---\na: 1", "'", '"\\x"', "a: 1\na: 2",
            "--- 1\n--- 2", "\x00", "\xff\xfe", "[" * 5000, "{a: " * 5000, "\n" * 10, "# nothing", "null", "7", "[]", "{}", "text", "- a",
            "? [a]\n: b", "<<: 1",
            "a: &a [x,x]\n" + "".join(f"{new}: &{new} [{','.join(8 * [f'*{old}'])}]\n" for old, new in zip("abcdefgh", "bcdefghi")),
            "include: fairlead.yaml", "include: nowhere.yaml",
            "include: /dev/zero", "include: [.]", "a" * 100_000]


def outcome(daemon, before):
    """What was told from this line on, once it ends in the outcome of a reload."""
    told = [json.loads(line) for line in daemon.lines[before:]]
    return told if told and told[-1]["event"] in ("reload_refused", "reloaded") else None


def test_two_hundred_wrong_files_change_nothing_and_are_told_by_line_M61(daemon):
    files = daemon.open_files()
    variants = list(variants_of(daemon.config)) + [(f"text {text[:30]!r}", text) for text in NOT_YAML]
    assert len(variants) >= 200
    for name, config in variants:
        before = len(daemon.lines)
        daemon.config_file.write_text(config if isinstance(config, str) else json.dumps(config, indent=1), encoding="utf-8",
                                      errors="surrogateescape")
        daemon.signal(signal.SIGHUP)
        told = wait_until(lambda: outcome(daemon, before), f"an outcome of '{name}'")
        assert told[-1]["event"] == "reload_refused", f"'{name}' was taken"
        findings = [event["finding"] for event in told if event["event"] == "config_error"]
        if "restart" in name:
            assert "restart" in told[-1]["reason"] and not findings, (name, findings)
            continue
        # Each names its place in the file; what is not there, or holds no text at all, has no line.
        nowhere = re.compile(r"\S*/fairlead\.yaml: (providers|routes|it holds|is empty)")
        assert findings and all(re.match(r"\S*/fairlead\.yaml:\d+:\d+: \S", finding) or nowhere.match(finding)
                                for finding in findings), (name, findings)
        assert len(findings) <= 201
    expect_still_serving(daemon)
    expect_healed(daemon)
    wait_until(lambda: daemon.open_files() <= files + 12, "no file to stay open")


def test_a_file_cut_at_any_kilobyte_is_refused_M61(daemon):
    text = json.dumps({**daemon.config, "models": {f"own/m{n}": {"prices": [{"from": "2026-01-01", "input": "1", "output": "2"}]}
                                                   for n in range(100)}}, indent=1)
    cuts = range(0, len(text), 1024)
    assert len(cuts) > 10
    for count, size in enumerate(cuts, 1):
        daemon.config_file.write_text(text[:size])
        refused = reload_and_expect_refusal(daemon, count)
        assert "fairlead.yaml" in refused["reason"]
    expect_still_serving(daemon)
    daemon.config_file.write_text(text)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for("reloaded")
    expect_healed_after_one(daemon)


def expect_healed_after_one(daemon):
    assert post_chat(daemon, chat("hello")).status == 200
    assert "fairlead_config_last_reload_successful 1" in daemon.admin_get("/metrics")[1]


def no_file(path):
    path.unlink()


def a_folder(path):
    path.unlink()
    path.mkdir()


def a_link_to(target):
    def make(path):
        path.unlink()
        path.symlink_to(target)
    return make


def a_pipe(path):
    path.unlink()
    os.mkfifo(path)


def forbidden(path):
    path.chmod(0)


def binary(path):
    path.write_bytes(bytes(range(256)) * 64)


STRANGE_FILES = {
    "empty": lambda path: path.write_text(""), "missing": no_file, "a folder": a_folder, "a pipe that nobody writes": a_pipe,
    "binary": binary,
    "too large": lambda path: path.write_text("# " + "x" * (5 << 20)), "a link to nowhere": a_link_to("nowhere"),
    "a link to itself": a_link_to("fairlead.yaml"),
    "endless": a_link_to("/dev/zero"), "nothing": a_link_to("/dev/null"), "that cannot be read": a_link_to("/proc/self/mem"),
    **({} if os.geteuid() == 0 else {"not ours to read": forbidden}),
}


@pytest.mark.parametrize("kind", STRANGE_FILES)
def test_a_strange_file_is_refused_at_a_reload_and_by_check_M61(daemon, kind):
    STRANGE_FILES[kind](daemon.config_file)
    try:
        refused = reload_and_expect_refusal(daemon, 1)
        assert "fairlead.yaml" in refused["reason"]
        assert any("fairlead.yaml" in event["finding"] for event in daemon.events("config_error"))
        expect_still_serving(daemon)
        checked = run("check", daemon.config_file)
        assert checked.returncode == 1 and "fairlead.yaml" in checked.stdout + checked.stderr
    finally:
        if daemon.config_file.is_dir():
            daemon.config_file.rmdir()
        daemon.config_file.unlink(missing_ok=True)
    expect_healed(daemon)


def test_a_file_put_in_place_by_rename_is_taken_or_refused_whole_M61(daemon):
    right, wrong = daemon.changed_config(), daemon.changed_config()
    right["routes"]["chat"]["strategy"] = "ordered"
    wrong["routes"]["chat"]["targets"] = ["nobody/nothing"]
    new = daemon.folder / "new.yaml"
    new.write_text(json.dumps(wrong))
    new.rename(daemon.config_file)
    reload_and_expect_refusal(daemon, 1)
    expect_still_serving(daemon)
    new.write_text(json.dumps(right))
    new.rename(daemon.config_file)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for("reloaded")
    assert post_chat(daemon, chat("hello")).fields["x-fairlead-target"] == TARGETS["deepseek"]


def test_a_link_that_is_led_elsewhere_is_followed_anew_M61(tmp_path, start):
    """As orchestrators mount configurations: a link to a folder of a version is swapped."""
    daemon = start()
    for version, change in (("v1", {}), ("v2", {"limits": {"attempts_max": "many"}}), ("v3", {"limits": {"attempts_max": 2}})):
        (tmp_path / version).mkdir()
        (tmp_path / version / "fairlead.yaml").write_text(json.dumps({**daemon.config, **change}))

    def lead_to(version):
        link = tmp_path / "swap"
        link.symlink_to(version)
        link.rename(tmp_path / "current")

    lead_to("v1")
    daemon.config_file.unlink()
    daemon.config_file.symlink_to("current/fairlead.yaml")
    daemon.signal(signal.SIGHUP)
    first = daemon.wait_for("reloaded")["snapshot"]
    lead_to("v2")
    daemon.signal(signal.SIGHUP)
    assert daemon.wait_for("reload_refused")["snapshot"] == first
    assert post_chat(daemon, chat("hello")).status == 200
    lead_to("v3")
    daemon.signal(signal.SIGHUP)
    assert daemon.wait_for("reloaded", count=2)["snapshot"] != first
    assert post_chat(daemon, chat("[[sim status=500]] hello")).fields["x-fairlead-attempts"] == "2"


def test_a_wrong_included_file_is_told_by_its_own_name_M61(daemon):
    (daemon.folder / "part.yaml").write_text("routes:\n  more:\n    targets: [nobody/nothing]\n")
    daemon.config_file.write_text(json.dumps({**daemon.config, "include": ["part.yaml"]}))
    reload_and_expect_refusal(daemon, 1)
    assert any("part.yaml:3:" in event["finding"] and "nobody" in event["finding"] for event in daemon.events("config_error"))
    expect_still_serving(daemon)


def test_a_reload_tells_no_secret_M56(daemon):
    """A key in the open is refused, and the refusal does not quote it."""
    secret = "sk-canary-in-the-open-4711"
    for path in (("providers", "openai", "api_key"), ("keys", 0, "hash")):
        config = changed(daemon.config, path, put(secret))
        daemon.reload(config, event="reload_refused")
    assert secret not in daemon.output
    checked = run("check", daemon.config_file)
    assert checked.returncode == 1 and secret not in checked.stdout + checked.stderr


def test_the_same_wrong_files_do_not_start_a_daemon_M61(tmp_path):
    config = config_for("http://127.0.0.1:1")
    for name, wrong in list(variants_of(config))[::25] + [("text", text) for text in NOT_YAML[::7]]:
        if "restart" in name:
            continue
        (tmp_path / "fairlead.yaml").write_text(wrong if isinstance(wrong, str) else json.dumps(wrong), errors="surrogateescape")
        done = run("serve", "--config", tmp_path / "fairlead.yaml", cwd=tmp_path, env={"FAIRLEAD_TEST_PROVIDER_KEY": "x"})
        assert done.returncode == 1 and "fairlead.yaml" in done.stderr, name
        assert not (tmp_path / "ledger.db").exists()
