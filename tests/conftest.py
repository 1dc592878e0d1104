"""Fixtures of the integration and client tests: the real binary, started anew for each test that wants one of its own."""
import pytest

from harness.daemon import Fairlead, Simulator, config_for
from harness.process import BINARY, wait_until


def pytest_configure(config):
    if not BINARY.exists():
        raise pytest.UsageError(f"there is no binary at {BINARY}: build it first (./dev test does), or set FAIRLEAD_BIN")


@pytest.fixture
def simulator(tmp_path):
    program = Simulator(tmp_path)
    yield program
    program.stop()


@pytest.fixture
def start(tmp_path, simulator):
    """Starts a daemon, with changes to the usual configuration; all are stopped and audited in the end."""
    started = []

    def start_one(change=lambda config: None, folder=tmp_path):
        config = config_for(simulator.url)
        change(config)
        started.append(Fairlead(folder, config))
        return started[-1]

    yield start_one
    for daemon in started:
        daemon.stop() if daemon.process.returncode is None else daemon.expect_no_report()
        daemon.expect_no_secrets()


@pytest.fixture
def daemon(start):
    return start()


@pytest.fixture
def settled(daemon):
    """The ledger once nothing is open any more."""
    def read():
        return wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "open rows to settle")

    return read
