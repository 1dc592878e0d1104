"""`fairlead diff OLD NEW`: what a change of the configuration changes for whom, as golden outputs and by its promises."""
import json
import re

import pytest

from harness.process import ROOT, run

pytestmark = pytest.mark.alone

GOLDEN = ROOT / "tests/golden/diff"
AT = ("--at", "2026-11-26")


def diff(*arguments, cwd=GOLDEN):
    return run("diff", *arguments, cwd=cwd)


@pytest.mark.parametrize("form, file", [("text", "diff.txt"), ("markdown", "diff.md"), ("json", "diff.json")])
def test_each_form_is_as_reviewed(form, file):
    """No credential is set here, as in CI. To look at a new form: fairlead diff old.yaml new.yaml --at 2026-11-26 --format FORM."""
    done = diff("old.yaml", "new.yaml", *AT, "--format", form)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert done.stdout == (GOLDEN / file).read_text()


def effects(*arguments):
    done = diff("old.yaml", "new.yaml", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return {(effect["route"], *effect["keys"]): effect for effect in json.loads(done.stdout)["effects"]}


def test_the_price_in_force_at_the_time_counts():
    before_the_rise = effects("--at", "2026-10-31")[("chat", "checkout", "search")]
    assert before_the_rise["before"]["usd_per_1000_requests"] == before_the_rise["after"]["usd_per_1000_requests"] == "1.1"
    assert before_the_rise["gained"] == [{"target": "home/open", "why": "new in the route"}]
    assert effects(*AT)[("chat", "checkout", "search")]["after"]["targets"][0] == "south/small"


def test_the_size_of_the_request_counts():
    cost = effects(*AT, "--tokens", "100000,0")[("batch", "search")]
    assert (cost["before"]["usd_per_1000_requests"], cost["after"]["usd_per_1000_requests"]) == ("50", "300")
    assert ("batch", "search") not in effects(*AT, "--tokens", "1000000,0"), "over the window before and after: refused in both"


def test_nothing_differs_from_itself_however_it_is_written(tmp_path):
    text = (GOLDEN / "old.yaml").read_text()
    (tmp_path / "same.yaml").write_text("# a remark\n" + text.replace("checkout", "checkout "))
    done = diff(GOLDEN / "old.yaml", tmp_path / "same.yaml", *AT, "--exit-code")
    assert done.returncode == 0 and "Nothing differs" in done.stdout


def test_the_exit_code_tells_when_it_is_asked_for():
    assert diff("old.yaml", "new.yaml").returncode == 0
    assert diff("old.yaml", "new.yaml", "--exit-code").returncode == 1
    assert diff("new.yaml", "new.yaml", "--exit-code").returncode == 0


@pytest.mark.parametrize("order", [1, -1])
def test_a_wrong_file_is_told_by_line(tmp_path, order):
    (tmp_path / "wrong.yaml").write_text((GOLDEN / "old.yaml").read_text().replace("[north/large]", "[nroth/large]"))
    files = (GOLDEN / "old.yaml", tmp_path / "wrong.yaml")[::order]
    done = diff(*files)
    assert done.returncode == 1 and not done.stdout
    assert re.search(r"wrong\.yaml:\d+:\d+: routes\.batch\.targets.*did you mean 'north'\?", done.stderr), done.stderr
    assert diff(*files, "--exit-code").returncode == 2


def test_missing_credentials_and_certificates_change_nothing_but_missing_facts_are_told(tmp_path):
    text = (GOLDEN / "old.yaml").read_text()
    (tmp_path / "tls.yaml").write_text(text + "listen: {address: '0.0.0.0:443', tls: {certificate: /none/c.pem, key: /none/k.pem}}\n")
    done = diff(GOLDEN / "old.yaml", tmp_path / "tls.yaml", *AT)
    assert done.returncode == 0 and "A reload cannot change listen" in done.stdout, done.stderr
    (tmp_path / "fact.yaml").write_text(text.replace("operator: CN", "operator: ${env:FAIRLEAD_TEST_NO_SUCH}"))
    done = diff(GOLDEN / "old.yaml", tmp_path / "fact.yaml")
    assert done.returncode == 1 and "FAIRLEAD_TEST_NO_SUCH is not set" in done.stderr


def test_credentials_that_are_there_change_nothing(tmp_path):
    environment = {"NORTH_API_KEY": "sk-1", "SOUTH_URL": "https://api.south.example", "CHECKOUT_HASH": "sha256:" + 64 * "5",
                   "SEARCH_HASH": "sha256:" + 64 * "6", "ARCHIVE_HASH": "sha256:" + 64 * "7"}
    done = run("diff", "old.yaml", "new.yaml", *AT, cwd=GOLDEN, env=environment)
    assert done.returncode == 0, done.stderr
    with_it, without = done.stdout, (GOLDEN / "diff.txt").read_text()
    assert with_it.replace("sha256:77777777...", "by reference") == without


@pytest.mark.parametrize("arguments", [["--tokens", "1000"], ["--tokens", "-1,2"], ["--tokens", "1,2,3"], ["--at", "soon"], ["--format", "xml"]])
def test_wrong_arguments_exit_with_2(arguments):
    assert diff("old.yaml", "new.yaml", *arguments).returncode == 2
    assert diff("old.yaml").returncode == 2


def test_no_name_of_a_file_speaks_to_the_terminal_or_becomes_markup(tmp_path):
    text = (GOLDEN / "old.yaml").read_text()
    (tmp_path / "evil.yaml").write_text(text.replace("deny: {retention: [trains]}", 'deny: {retention: [trains]}\n    reason: "\\e[31m | `x` <b>"'))
    plain = diff(GOLDEN / "old.yaml", tmp_path / "evil.yaml").stdout
    assert "\x1b" not in plain and "?[31m" in plain
    markdown = diff(GOLDEN / "old.yaml", tmp_path / "evil.yaml", "--format", "markdown").stdout
    assert "\x1b" not in markdown and "`?[31m | 'x' <b>`" in markdown
