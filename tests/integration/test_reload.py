"""SIGHUP: a right file is live with no request lost, a wrong one changes nothing and says why."""
import threading

from harness.daemon import TARGETS
from harness.http import chat, post_chat
from harness.process import wait_until


def test_a_new_route_is_live_after_a_reload(daemon):
    assert post_chat(daemon, chat("hello", "new")).status == 404
    config = daemon.changed_config()
    config["routes"]["new"] = {"targets": [TARGETS["qwen"]]}
    config["keys"][0]["routes"].append("new")
    daemon.reload(config)
    assert post_chat(daemon, chat("hello", "new")).fields["x-fairlead-target"] == TARGETS["qwen"]


def test_a_wrong_file_changes_nothing_and_says_why(daemon):
    config = daemon.changed_config()
    config["routes"]["chat"]["targets"] = ["deepsek/deepseek-flash"]
    daemon.reload(config, event="reload_refused")
    assert any("deepsek" in event["finding"] for event in daemon.events("config_error"))
    daemon.reload("routes: [", event="reload_refused")
    daemon.reload("", event="reload_refused")
    assert post_chat(daemon, chat("hello")).status == 200
    assert daemon.admin_get("/readyz")[0] == 200


def test_a_revoked_key_is_refused_after_a_reload_and_a_stream_under_way_ends_well(daemon, simulator):
    answers = []
    stream = threading.Thread(target=lambda: answers.append(
        post_chat(daemon, chat("[[sim chunks=100 chunk_ms=20]] a long story", stream=True))))
    stream.start()
    wait_until(lambda: daemon.ledger().attempts, "the stream to begin")
    config = daemon.changed_config()
    del config["keys"][0]
    daemon.reload(config)
    assert post_chat(daemon, chat("hello")).status == 401
    stream.join()
    assert answers[0].complete and answers[0].events()[-1] == "[DONE]"


def test_requests_see_the_old_or_the_new_file_and_nothing_between(daemon):
    """Reloads while requests run: each answer comes from a whole configuration."""
    stop, statuses = threading.Event(), []

    def ask():
        while not stop.is_set():
            statuses.append(post_chat(daemon, chat("hello", "chat")).status)

    apps = [threading.Thread(target=ask) for _ in range(4)]
    for app in apps:
        app.start()
    config = daemon.changed_config()
    for turn in range(20):
        config["routes"]["chat"]["strategy"] = ("ordered", "cheapest")[turn % 2]
        daemon.reload(config)
    stop.set()
    for app in apps:
        app.join()
    assert statuses and set(statuses) == {200}
