"""`fairlead prices` against an oracle of its own: Python's decimal, datetime and zoneinfo, and the holidays as ranges."""
import datetime
import json
import random
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from harness.process import run

pytestmark = pytest.mark.alone

UTC = datetime.timezone.utc
HOLIDAYS = [((2026, 1, 1), 3), ((2026, 2, 15), 9), ((2026, 4, 4), 3), ((2026, 5, 1), 5), ((2026, 6, 19), 3), ((2026, 9, 25), 3), ((2026, 10, 1), 7)]
DAYS_OFF = {datetime.date(*first) + datetime.timedelta(days=n) for first, length in HOLIDAYS for n in range(length)}

CONFIG = """
providers:
  deepseek: {profile: deepseek, base_url: "http://127.0.0.1:9/v1", operator: CN, region: CN, retention: provider}
  night: {profile: plain, base_url: "http://127.0.0.1:9/v1", operator: DE, region: DE, retention: none}
profiles: {plain: {}}
models:
  plain/m:
    prices:
      - from: 2026-01-01
        input: "1.000000000001"
        output: "3"
        windows: [{name: night, weekdays: [fri, sat], from: "22:30", to: "06:00", zone: Europe/Berlin, input: "0.5"}]
        tiers: [{above_input_tokens: 200000, output: "4.5"}]
routes: {chat: [TARGETS]}
keys: [{name: app, hash: "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff", routes: [chat]}]
"""


@pytest.fixture
def listed(tmp_path):
    (tmp_path / "f.yaml").write_text(CONFIG.replace("[TARGETS]", "{targets: [deepseek/deepseek-flash, night/m]}"))

    def listed_at(at, target, *options):
        done = run("prices", target, "--config", tmp_path / "f.yaml", "--at", at.strftime("%Y-%m-%dT%H:%M:%SZ"), "--format", "json", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["targets"][0]

    return listed_at


def is_peak(at):
    return at.weekday() < 5 and at.date() not in DAYS_OFF and (1 <= at.hour < 4 or 6 <= at.hour < 10)


def is_night(at):
    local = at.astimezone(ZoneInfo("Europe/Berlin"))
    evening = (local.hour, local.minute) >= (22, 30)
    day = local.weekday() if evening else (local - datetime.timedelta(hours=12)).weekday()
    return day in (4, 5) and (evening or local.hour < 6)


def instants(seed, edges):
    """Random ones, and both sides of edges."""
    chance = random.Random(seed)
    begin = datetime.datetime(2026, 9, 11, tzinfo=UTC)
    for _ in range(30):
        yield begin + datetime.timedelta(seconds=chance.randrange(110 * 86400))
    for edge in edges:
        at = datetime.datetime.fromisoformat(edge).replace(tzinfo=UTC)
        yield at
        yield at - datetime.timedelta(seconds=1)


def test_peak_hours_and_holidays_of_deepseek_M24(listed):
    for at in instants(1, ["2026-09-25T01:00", "2026-09-28T01:00", "2026-10-01T06:00", "2026-10-08T01:00", "2026-10-10T02:00", "2026-11-27T10:00"]):
        price = listed(at, "deepseek/deepseek-flash")["price"]
        factor = 2 if is_peak(at) else 1
        assert (Decimal(price["input"]), Decimal(price["output"])) == (Decimal("0.15") * factor, Decimal("0.6") * factor), at


def test_a_night_in_a_zone_with_summer_time_M24(listed):
    for at in instants(2, ["2026-10-23T20:30", "2026-10-24T04:00", "2026-10-24T20:30", "2026-10-25T05:00", "2026-10-30T21:30"]):
        price = listed(at, "night/m")["price"]
        assert Decimal(price["input"]) == (Decimal("0.5") if is_night(at) else Decimal("1.000000000001")), at


def test_a_tier_wins_over_a_window_and_what_comes_next_is_told(listed):
    at = datetime.datetime(2026, 10, 24, 21, 0, tzinfo=UTC)
    entry = listed(at, "night/m")
    assert entry["price"]["window"] == "night" and entry["next"]["at"].startswith("2026-10-25T05:00:00") and entry["next"]["window"] is None
    long = listed(at, "night/m", "--input-tokens", "200001")["price"]
    assert long["above_input_tokens"] == 200000 and Decimal(long["output"]) == Decimal("4.5") and Decimal(long["input"]) == Decimal("1.000000000001")


def test_mistakes_are_told(listed, tmp_path):
    done = run("prices", "no/such", "--config", tmp_path / "f.yaml")
    assert done.returncode == 1 and "no/such" in done.stderr
    assert run("prices", "--config", tmp_path / "f.yaml", "--at", "yesterday").returncode == 2
    assert run("prices", "--config", tmp_path / "missing.yaml").returncode == 1
