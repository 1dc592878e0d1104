"""`watch: true`: a changed file is live within a second, however it came to change; a wrong one changes nothing."""
import json
import time

import pytest

from harness.daemon import TARGETS
from harness.http import chat, post_chat
from harness.process import wait_until


@pytest.fixture
def watching(start):
    return start(lambda config: config.update(watch=True))


def with_attempts(daemon, number):
    return {**daemon.changed_config(), "limits": {"attempts_max": number}}


def attempts_of(daemon):
    """How often the daemon tries a request that fails everywhere: what of the configuration holds."""
    return int(post_chat(daemon, chat("[[sim status=500]] hello")).fields["x-fairlead-attempts"])


def expect_taken(daemon, count, attempts=None):
    assert daemon.wait_for("reloaded", count=count)["cause"] == "watch"
    if attempts:
        assert attempts_of(daemon) == attempts


def put(path, text):
    """Whole, at once: who looks in between sees no empty file."""
    new = path.with_name("new-file")
    new.write_text(text)
    new.rename(path)


def lead_to(link, target):
    """Leads a link elsewhere, at once: a new one is put in its place."""
    new = link.with_name("new-link")
    new.symlink_to(target)
    new.rename(link)


def written_in_place(daemon, text):
    daemon.config_file.write_text(text)


def put_there_by_rename(daemon, text):
    new = daemon.folder / ".fairlead.yaml.swp"
    new.write_text(text)
    new.rename(daemon.config_file)


def removed_and_written_anew(daemon, text):
    daemon.config_file.unlink()
    daemon.config_file.write_text(text)


def another_name_of_a_file(daemon, text):
    other = daemon.folder / "other.yaml"
    other.write_text(text)
    daemon.config_file.unlink()
    daemon.config_file.hardlink_to(other)


def written_in_pieces(daemon, text):
    with open(daemon.config_file, "w") as file:
        for at in range(0, len(text), 100):
            file.write(text[at:at + 100])
            file.flush()


WAYS = (written_in_place, put_there_by_rename, removed_and_written_anew, another_name_of_a_file, written_in_pieces)


@pytest.mark.parametrize("way", WAYS)
def test_a_changed_file_is_live_within_a_second_M60(watching, way):
    for count, attempts in enumerate((1, 2), 1):
        began = time.time()
        way(watching, json.dumps(with_attempts(watching, attempts)))
        expect_taken(watching, count, attempts)
        taken = watching.gauge("fairlead_config_last_reload_success_timestamp_seconds")
        assert taken - began < 30, "a second on a quiet machine"
    # A file that is not there whole all the time may be seen so, and is refused then.
    assert way is not put_there_by_rename or not watching.events("reload_refused")


def test_a_file_that_is_written_in_two_steps_is_taken_whole(watching):
    text = yaml_of({**watching.changed_config(), "policies": [{"name": f"p{i}", "deny": {"origin": ["CU"]}} for i in range(2)]})
    watching.put_config(text)
    expect_taken(watching, 1)
    changed = text + "limits: {attempts_max: 2}\n"
    cut = changed.index('- {"name": "p1"')
    with open(watching.config_file, "w") as file:
        file.write(changed[:cut])
    time.sleep(0.4)
    with open(watching.config_file, "a") as file:
        file.write(changed[cut:])
    expect_taken(watching, 2, 2)
    assert not watching.events("policies_gone") and not watching.events("reload_refused")
    watching.put_config(text[:text.index('- {"name": "p1"')])
    assert watching.wait_for("policies_gone")["policies"] == ["p1"]


def yaml_of(config):
    """One line for each policy, and these last, so that it can be cut between two."""
    lines = [f"{name}: {json.dumps(value)}" for name, value in config.items() if name != "policies"]
    return "\n".join([*lines, "policies:", *(f"- {json.dumps(policy)}" for policy in config["policies"])]) + "\n"


def test_a_volume_of_an_orchestrator_is_swapped_M61(watching):
    """fairlead.yaml -> ..data/fairlead.yaml, ..data -> ..v1; a swap leads ..data to ..v2 and removes ..v1."""
    folder = watching.folder

    def make(version, attempts):
        (folder / version).mkdir()
        (folder / version / "fairlead.yaml").write_text(json.dumps(with_attempts(watching, attempts)))

    make("..v1", 1)
    (folder / "..data").symlink_to("..v1")
    lead_to(watching.config_file, "..data/fairlead.yaml")
    expect_taken(watching, 1, 1)
    for count, (old, new, attempts) in enumerate((("..v1", "..v2", 2), ("..v2", "..v3", 3)), 2):
        make(new, attempts)
        lead_to(folder / "..data", new)
        (folder / old / "fairlead.yaml").unlink()
        (folder / old).rmdir()
        expect_taken(watching, count, attempts)
    put(folder / "..v3/fairlead.yaml", json.dumps(with_attempts(watching, 1)))
    expect_taken(watching, 4, 1)
    assert not watching.events("reload_refused")


def test_secrets_and_included_files_are_watched_wherever_they_are(watching, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "part.yaml").write_text(json.dumps({"limits": {"attempts_max": 1}}))
    (elsewhere / "key").write_text("sk-1")
    config = watching.changed_config()
    config["include"] = [str(elsewhere / "part.yaml")]
    config["providers"]["qwen"]["api_key"] = "${file:%s}" % (elsewhere / "key")
    watching.put_config(config)
    expect_taken(watching, 1, 1)
    put(elsewhere / "part.yaml", json.dumps({"limits": {"attempts_max": 2}}))
    expect_taken(watching, 2, 2)
    put(elsewhere / "key", "sk-2")
    expect_taken(watching, 3)


def test_a_folder_that_is_put_in_the_place_of_another_is_followed(watching):
    folder = watching.folder
    for name, attempts in (("conf", 1), ("conf.next", 2)):
        (folder / name).mkdir()
        (folder / name / "fairlead.yaml").write_text(json.dumps(with_attempts(watching, attempts)))
    lead_to(watching.config_file, "conf/fairlead.yaml")
    expect_taken(watching, 1, 1)
    (folder / "conf").rename(folder / "conf.old")
    (folder / "conf.next").rename(folder / "conf")
    wait_until(lambda: attempts_of(watching) == 2, "the new folder's file to hold")
    (folder / "conf/fairlead.yaml").write_text(json.dumps(with_attempts(watching, 3)))
    wait_until(lambda: attempts_of(watching) == 3, "a change in it to hold")


def test_a_wrong_file_changes_nothing_and_its_repair_is_seen_M61(watching):
    held = watching.wait_for("ready")["snapshot"]
    watching.put_config("routes: [")
    assert watching.wait_for("reload_refused")["snapshot"] == held
    assert watching.gauge("fairlead_config_last_reload_successful") == 0
    watching.config_file.unlink()
    watching.wait_for("reload_refused", count=2)
    assert post_chat(watching, chat("hello")).status == 200
    watching.put_config(watching.config)
    assert watching.wait_for("reloaded")["snapshot"] == held
    assert watching.gauge("fairlead_config_last_reload_successful") == 1


def test_what_changes_nothing_that_is_read_is_no_reload(watching):
    """The file is touched and written as it was; others come and go beside it. The last change is real, and the first told."""
    for number in range(20):
        (watching.folder / f"note-{number}").write_text("nothing of yours")
        watching.config_file.touch()
    watching.put_config(watching.config)
    watching.config_file.chmod(0o640)
    watching.put_config(with_attempts(watching, 2))
    expect_taken(watching, 1, 2)
    watching.put_config(with_attempts(watching, 3))
    expect_taken(watching, 2, 3)
    assert len(watching.events("reloaded")) == 2 and not watching.events("reload_refused")


def test_watching_begins_and_ends_with_a_reload(daemon):
    daemon.put_config({**daemon.config, "watch": True})
    daemon.admin_reload({**daemon.config, "watch": True})
    daemon.put_config({**daemon.config, "limits": {"attempts_max": 1}})  # with which watching ends
    expect_taken(daemon, 2, 1)
    daemon.put_config({**daemon.config, "limits": {"attempts_max": 2}})
    assert daemon.admin_reload({**daemon.config, "limits": {"attempts_max": 3}})["changed"]
    assert attempts_of(daemon) == 3
    assert [event["cause"] for event in daemon.events("reloaded")] == ["admin", "watch", "admin"]


def test_a_change_from_before_the_watch_began_is_not_missed(tmp_path, start):
    """A file that changes while the daemon starts: between its reading and the first look at its directory."""
    def change(config):
        config["watch"] = True
        config["providers"]["qwen"]["api_key"] = "${file:late}"
        (tmp_path / "late").write_text("sk-early")

    daemon = start(change)
    first = daemon.wait_for("ready")["snapshot"]
    put(tmp_path / "late", "sk-late")
    assert daemon.wait_for("reloaded")["snapshot"] != first
    assert post_chat(daemon, chat("hello", "qwen")).fields["x-fairlead-target"] == TARGETS["qwen"]
