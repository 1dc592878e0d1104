"""What commands of money say."""
import pytest

from harness.process import run


@pytest.mark.parametrize("command", [("credit", "add", "--key", "app", "--usd", "5"), ("credit", "list"), ("reload",)])
def test_a_file_that_is_not_there_is_told_once(tmp_path, command):
    done = run(*command, "-c", tmp_path / "nope.yaml")
    assert done.returncode == 1 and done.stderr.count("nope.yaml") == 1 and len(done.stderr.splitlines()) == 1, done.stderr
