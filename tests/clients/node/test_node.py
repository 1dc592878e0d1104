"""Runs each *.test.mjs beside this file by Node, against a daemon of its own."""
import pathlib
import subprocess

import pytest

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize("script", sorted(path.name for path in HERE.glob("*.test.mjs")))
def test_node(daemon, script):
    env = {"FAIRLEAD_BASE_URL": daemon.base_url, "FAIRLEAD_KEY": daemon.key, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(["node", "--test", script], cwd=HERE, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
