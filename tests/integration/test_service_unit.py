"""The systemd unit keeps its sandbox."""
import re
import subprocess

from harness.process import ROOT


def test_the_unit_waits_for_longer_than_a_stop_may_take():
    seconds = int(re.search(r"^TimeoutStopSec=(\d+)s$", (ROOT / "systemd/fairlead.service").read_text(), re.M)[1])
    (drain,) = re.findall(r"`limits.drain_ms_max` \| duration \| `(\d+)s`", (ROOT / "docs/configuration.md").read_text())
    flush, = re.findall(r"ledger_flush_max\{(\d+)\}", (ROOT / "src/daemon/daemon.cpp").read_text())
    close, = re.findall(r"close_ms_max\{(\d)'000\}", (ROOT / "src/ledger/ledger.h").read_text())
    assert seconds > int(drain) + int(flush) + int(close)


def test_the_units_exposure_is_at_most_one_and_a_half():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(ROOT / "systemd/fairlead.service")],
                          capture_output=True, text=True, timeout=60)
    (exposure,) = re.findall(r"Overall exposure level for fairlead\.service: ([\d.]+)", done.stdout)
    assert float(exposure) <= 1.5, done.stdout
