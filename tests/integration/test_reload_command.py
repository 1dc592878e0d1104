"""`fairlead reload` and POST /admin/v1/reload: they end when the new configuration holds, or tell why it does not."""
import json
import re
import socket

import pytest

from harness.daemon import TARGETS
from harness.http import chat, post_chat, send
from harness.process import run


def reload(daemon, *options, config=None):
    if config is not None:
        daemon.put_config(config)
    return run("reload", *(options or ("--admin", daemon.admin)))


def with_strategy(daemon, strategy):
    config = daemon.changed_config()
    config["routes"]["chat"]["strategy"] = strategy
    return config


def test_when_the_command_ends_the_new_file_holds(daemon):
    for strategy, target in (("ordered", TARGETS["deepseek"]), ("cheapest", TARGETS["qwen"])):
        config = with_strategy(daemon, strategy)
        config["providers"]["deepseek"]["discount"] = []
        config["contracts"] = {TARGETS["qwen"]: {"prices": [{"from": "2026-01-01", "input": "0", "output": "0"}]}}
        done = reload(daemon, config=config)
        assert done.returncode == 0, done.stderr
        assert post_chat(daemon, chat("hello")).fields["x-fairlead-target"] == target
        (snapshot,) = re.findall(r"^\S*fairlead\.yaml: taken; snapshot ([0-9a-f]{12})\n$", done.stdout)
        assert f'fairlead_config_info{{hash="{snapshot}' in daemon.admin_get("/metrics")[1]
    assert [event["cause"] for event in daemon.events("reloaded")] == ["admin", "admin"]


def test_a_file_that_says_the_same_is_taken_and_told_to_change_nothing(daemon):
    done = reload(daemon)
    assert done.returncode == 0 and "taken, and nothing changed" in done.stdout


def test_a_wrong_file_is_told_by_line_with_exit_code_1(daemon):
    config = with_strategy(daemon, "ordered")
    config["routes"]["chat"]["targets"] = ["deepsek/deepseek-flash"]
    before = daemon.wait_for("ready")["snapshot"]
    done = reload(daemon, config=config)
    assert done.returncode == 1 and not done.stdout
    assert re.search(r"fairlead\.yaml:\d+:\d+: routes\.chat\.targets\[0\].*did you mean 'deepseek'\?", done.stderr), done.stderr
    assert f"snapshot {before[:12]} holds" in done.stderr
    assert post_chat(daemon, chat("hello")).status == 200
    assert daemon.gauge("fairlead_config_last_reload_successful") == 0


def test_warnings_of_a_good_file_are_told_too(daemon):
    config = daemon.changed_config()
    del config["providers"]["qwen"]["region"]
    done = reload(daemon, config=config)
    assert done.returncode == 0 and "warning: providers.qwen: no region is stated" in done.stderr


def test_all_that_needs_a_restart_is_told_at_once(daemon):
    config = {**daemon.changed_config(), "workers": 3, "ledger_sync": "os", "listen": ["127.0.0.1:0", "127.0.0.1:1"]}
    done = reload(daemon, config=config)
    assert done.returncode == 1
    assert "refused: 'listen', 'ledger_sync', 'workers' cannot change while running: restart for it, or take it back" in done.stderr


def test_the_address_is_read_from_a_file_that_is_wrong_in_all_else(daemon):
    """That the file is wrong is what the command is there to tell."""
    file = daemon.folder / "other.yaml"
    file.write_text(json.dumps({"admin": daemon.admin, "routes": {"chat": {}}, "nonsense": 1}))
    done = reload(daemon, "--config", file)
    assert done.returncode == 0, done.stderr
    assert str(daemon.config_file) in done.stdout  # what was read is the daemon's own file


@pytest.mark.parametrize("text, told", [
    ("providers: {}\n", "tells no `admin` address: name it with --admin"),
    ("admin: 127.0.0.1:0\n", "lets `admin` take any port: name it with --admin"),
    ("admin: [\n", "not YAML"),
])
def test_a_file_without_an_address_is_told(tmp_path, text, told):
    (tmp_path / "f.yaml").write_text(text)
    done = run("reload", "--config", tmp_path / "f.yaml")
    assert done.returncode == 1 and told in done.stderr and not done.stdout


@pytest.mark.parametrize("command", [["reload"], ["credit", "list"]])
def test_a_file_that_is_no_yaml_is_told_once(tmp_path, command):
    (tmp_path / "f.yaml").write_text("admin: [\n")
    done = run(*command, "--config", tmp_path / "f.yaml")
    assert done.returncode == 1 and not done.stdout
    assert "not YAML" in done.stderr and "`admin`" not in done.stderr and len(done.stderr.splitlines()) == 1


def test_nobody_there_is_told():
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        done = run("reload", "--admin", "127.0.0.1:%d" % taken.getsockname()[1])
    assert done.returncode == 1 and "no fairlead answers at 127.0.0.1:" in done.stderr and "refused" in done.stderr


def test_the_apps_side_reloads_nothing_even_for_a_key(daemon):
    assert send(daemon.address, "POST", "/admin/v1/reload", daemon.key, b"").status == 404
    assert run("reload", "--admin", daemon.address).returncode == 1
    assert not daemon.events("reloaded")


def test_a_page_in_a_browser_reloads_nothing(daemon):
    for fields in ({"Origin": "http://evil.example"}, {"Origin": f"http://{daemon.admin}"}, {"Origin": "null"},
                   {"Sec-Fetch-Site": "cross-site"}):
        assert daemon.admin_post("/admin/v1/reload", fields)[0] == 403
    assert daemon.admin_get("/admin/v1/reload")[0] == 405
    assert daemon.admin_post("/metrics")[0] == 405
    assert not daemon.events("reloaded")


def test_the_metrics_tell_when_the_snapshot_in_force_was_read(daemon):
    name = "fairlead_config_last_reload_success_timestamp_seconds"
    began = daemon.gauge(name)
    config = daemon.changed_config()
    config["routes"]["chat"]["targets"] = []
    assert daemon.admin_reload(config)["result"] == "refused"
    assert daemon.gauge(name) == began
    assert daemon.admin_reload(daemon.config)["result"] == "taken"
    assert daemon.gauge(name) > began
