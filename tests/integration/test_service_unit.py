"""The systemd unit keeps its sandbox."""
import re
import subprocess

from harness.process import ROOT


def test_the_units_exposure_is_at_most_one_and_a_half():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", str(ROOT / "systemd/fairlead.service")],
                          capture_output=True, text=True, timeout=60)
    (exposure,) = re.findall(r"Overall exposure level for fairlead\.service: ([\d.]+)", done.stdout)
    assert float(exposure) <= 1.5, done.stdout
