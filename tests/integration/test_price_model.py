"""Price lists at random against a model of what docs/prices.md says: exact fractions, zoneinfo, and nothing of the code that it is about.

FAIRLEAD_PRICE_WORLDS=500 is the long run; the seed is always the same."""
import datetime
import json
import os
import random
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from harness.process import run

pytestmark = pytest.mark.alone

WORLDS = int(os.environ.get("FAIRLEAD_PRICE_WORLDS", "12"))
QUESTIONS = 400  # of each
UTC = datetime.timezone.utc
KINDS = ("input", "cached_input", "cache_write", "output")
ZONES = (None, "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
BEGIN = datetime.datetime(2025, 12, 20, tzinfo=UTC)
SPAN_S = 420 * 86400  # over two changes of the clocks, and two ends of a year
PICO = 10**12


def half_up(amount):
    """To 12 digits behind the point; no amount here is below 0."""
    return Fraction((amount * PICO * 2 + 1) // 2, PICO)


def text(instant):
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")


def read(instant):
    return datetime.datetime.fromisoformat(instant.replace("Z", "+00:00"))


class World:
    """A configuration, and what it means."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.calendars = {"known": self.calendar([2025, 2026, 2027]), "half": self.calendar([2026])}
        self.fx = {code: self.rates() for code in ("CNY", "EUR")}
        self.models = {f"m{n}": [self.entry(code) for code in self.chance.choices(("USD", "CNY", "EUR"), k=self.chance.randint(1, 7))] for n in range(4)}
        self.providers = {f"p{n}": self.provider() for n in range(5)}
        self.targets = [(provider, model) for provider in self.providers for model in self.models]
        self.contracts = {}
        for provider, model in self.chance.sample(self.targets, 4):
            code = self.providers[provider].get("currency", "USD")
            self.contracts[f"{provider}/{model}"] = [self.entry(code) for _ in range(self.chance.randint(1, 3))]
        for entries in [*self.models.values(), *self.contracts.values()]:
            self.drop_twins(entries)

    # What is written.

    def instant(self):
        day = BEGIN + datetime.timedelta(seconds=self.chance.randrange(SPAN_S))
        return text(day if self.chance.random() < 0.5 else day.replace(hour=0, minute=0, second=0))

    def amount(self):
        return self.chance.choice(("0", "1", "0.15", f"{self.chance.randrange(PICO) / PICO:.12f}", f"{self.chance.randrange(999)}.{self.chance.randrange(PICO):012}"))

    def share(self):
        return f"0.{self.chance.randrange(PICO):012}" if self.chance.random() < 0.5 else "0.15"

    def amounts(self, always=(), of=0.5):
        return {kind: self.amount() for kind in KINDS if kind in always or self.chance.random() < of}

    def part(self):
        part = self.amounts()
        return {**part, "thinking": self.amounts()} if self.chance.random() < 0.4 else part

    def window(self):
        begin, end = (f"{self.chance.randrange(24):02}:{self.chance.choice((0, 0, 30, 59)):02}" for _ in range(2))
        window = {**self.part(), "name": self.chance.choice(("peak", "night")), "from": begin, "to": self.chance.choice((end, end, "24:00"))}
        if self.chance.random() < 0.7:
            window["weekdays"] = self.chance.sample(DAYS, self.chance.randint(1, 7))
        if zone := self.chance.choice(ZONES):
            window["zone"] = zone
        if self.chance.random() < 0.4:
            window["calendar"] = self.chance.choice(tuple(self.calendars))
            window["on_work_days"] = self.chance.random() < 0.5
        return window

    def entry(self, code):
        entry = {**self.part(), **self.amounts(("input", "output"), 0), "from": self.instant(), "currency": code, "plausible": True}
        if self.chance.random() < 0.3:
            entry["until"] = text(read(entry["from"]) + datetime.timedelta(seconds=self.chance.randrange(1, 100 * 86400)))
        if self.chance.random() < 0.4:
            above = sorted(self.chance.sample(range(1, 300), self.chance.randint(1, 3)))
            entry["tiers"] = [{**self.part(), "above_input_tokens": 1000 * bound} for bound in above]
        entry["windows"] = [self.window() for _ in range(self.chance.choice((0, 1, 3)))]
        if self.chance.random() < 0.5:
            entry["service_tiers"] = {tier: self.share() if tier == "flex" else f"2.{self.chance.randrange(PICO):012}"
                                      for tier in ("flex", "priority", "batch") if self.chance.random() < 0.7}
        if self.chance.random() < 0.4:
            entry["regional"] = "1.1"
        if self.chance.random() < 0.3:
            entry[self.chance.choice(("regions", "except_regions"))] = self.chance.sample(("CN", "US", "DE"), self.chance.randint(1, 2))
        return entry

    @staticmethod
    def drop_twins(entries):
        """Two that begin at once for the same contradict each other, and are an error."""
        for at in range(len(entries) - 1, -1, -1):
            if any(other["from"] == entries[at]["from"] for other in entries[:at]):
                del entries[at]

    def calendar(self, years):
        days = [datetime.date(year, 1, 1) + datetime.timedelta(days=self.chance.randrange(365)) for year in years for _ in range(60)]
        off = sorted({str(day) for day in days})
        chosen = set(self.chance.sample(off, len(off) // 3))
        return {"years": years, "days_off": [day for day in off if day not in chosen], "work_days": sorted(chosen)}

    def rates(self):
        dates = sorted({self.instant() for _ in range(self.chance.randint(0, 3))})
        first = [{"usd": self.amount_above_0()}] if self.chance.random() < 0.7 or not dates else []
        return first + [{"usd": self.amount_above_0(), "from": date} for date in dates]

    def amount_above_0(self):
        return f"{self.chance.randrange(3)}.{self.chance.randrange(1, PICO):012}"

    def dated(self):
        if self.chance.random() < 0.5:
            return self.share()
        shares = [{"share": self.share()} for _ in range(self.chance.randint(1, 3))]
        for one in shares:
            begin = read(self.instant())
            if self.chance.random() < 0.7:
                one["from"] = text(begin)
            if self.chance.random() < 0.5:
                one["until"] = text(begin + datetime.timedelta(seconds=self.chance.randrange(1, 200 * 86400)))
        return shares

    def provider(self):
        provider = {"profile": "plain", "price_list": "list", "base_url": "http://127.0.0.1:9/v1", "operator": "US", "retention": "none",
                    "currency": self.chance.choice(("USD", "CNY", "EUR"))}
        if self.chance.random() < 0.8:
            provider["region"] = self.chance.choice(("CN", "US", "DE", "ZA"))
        for option in ("discount", "surcharge"):
            if self.chance.random() < 0.5:
                provider[option] = self.dated()
        if self.chance.random() < 0.4:
            provider["regional"] = True
        return provider

    def config(self):
        return {"providers": self.providers, "profiles": {"plain": {}}, "models": {f"list/{name}": {"prices": entries} for name, entries in self.models.items()},
                "contracts": {target: {"prices": entries} for target, entries in self.contracts.items()}, "calendars": self.calendars, "fx": self.fx,
                "routes": {"chat": {"targets": [f"{provider}/{model}" for provider, model in self.targets]}},
                "keys": [{"name": "app", "hash": "sha256:" + "00" * 32, "routes": ["chat"]}]}

    def edges(self):
        for entries in [*self.models.values(), *self.contracts.values()]:
            for entry in entries:
                yield read(entry["from"])
                if "until" in entry:
                    yield read(entry["until"])
        for provider in self.providers.values():
            for option in ("discount", "surcharge"):
                for one in provider.get(option, []) if isinstance(provider.get(option), list) else []:
                    yield from (read(one[end]) for end in ("from", "until") if end in one)

    def question(self, edges):
        provider, model = self.chance.choice(self.targets)
        at = BEGIN + datetime.timedelta(seconds=self.chance.randrange(SPAN_S))
        if self.chance.random() < 0.3:
            at = self.chance.choice(edges) + datetime.timedelta(seconds=self.chance.choice((-1, 0, 1)))
        elif self.chance.random() < 0.5:
            at = at.replace(minute=self.chance.choice((0, 15, 29, 30, 45, 59)), second=self.chance.choice((0, 59)))
        bounds = sorted({0} | {tier["above_input_tokens"] for entry in self.models[model] for tier in entry.get("tiers", [])})
        total = self.chance.choice(bounds) + self.chance.choice((0, 1, self.chance.randrange(400_000)))
        cached = self.chance.choice((0, self.chance.randrange(total + 1)))
        written = self.chance.choice((0, self.chance.randrange(total - cached + 1)))
        usage = {"input": total - cached - written, "cached_input": cached, "cache_write": written, "output": self.chance.randrange(100_000)}
        if self.chance.random() < 0.5:
            usage["reasoning"] = self.chance.choice((0, self.chance.randrange(100_000)))
        return {"target": f"{provider}/{model}", "at": text(at), "usage": usage, "thinking": self.chance.random() < 0.5,
                "service_tier": self.chance.choice(("standard", "flex", "priority", "batch", "auto"))}

    # What it means.

    @staticmethod
    def in_force(entries, provider, at):
        def is_for(entry):
            region = provider.get("region")
            here = region is None or (region in entry.get("regions", [region]) and region not in entry.get("except_regions", []))
            return here and entry["currency"] == provider["currency"]

        held = [entry for entry in entries if is_for(entry) and read(entry["from"]) <= at and ("until" not in entry or at < read(entry["until"]))]
        own = [entry for entry in held if "regions" in entry]
        return max(own or held, key=lambda entry: read(entry["from"]), default=None)

    @staticmethod
    def fractions(part):
        return {kind: Fraction(part[kind]) for kind in KINDS if kind in part}

    def is_dearer(self, window, entry):
        def higher(inside, outside):
            return any(kind in outside and amount > outside[kind] for kind, amount in inside.items())

        outside = self.fractions(entry)
        inside = {**outside, **self.fractions(window)}
        return higher(inside, outside) or higher({**inside, **self.fractions(window.get("thinking", {}))},
                                                 {**outside, **self.fractions(entry.get("thinking", {}))})

    def begins_on(self, window, entry, day):
        weekday = DAYS[day.weekday()] in window.get("weekdays", DAYS)
        if "calendar" not in window:
            return weekday
        calendar = self.calendars[window["calendar"]]
        if day.year not in calendar["years"]:
            return self.is_dearer(window, entry) and (weekday or window["on_work_days"])
        if str(day) in calendar["days_off"]:
            return False
        return weekday or (window["on_work_days"] and str(day) in calendar["work_days"])

    def holds(self, window, entry, at):
        """On the wall, from its begin until its end; the end of one that is not later than its begin is the next day's."""
        local = at.astimezone(ZoneInfo(window["zone"]) if "zone" in window else UTC).replace(tzinfo=None)
        for day in (local.date(), local.date() - datetime.timedelta(days=1)):
            midnight = datetime.datetime.combine(day, datetime.time())
            begin, end = (midnight + datetime.timedelta(hours=int(edge[:2]), minutes=int(edge[3:])) for edge in (window["from"], window["to"]))
            if end <= begin:
                end += datetime.timedelta(days=1)
            if begin <= local < end and self.begins_on(window, entry, day):
                return True
        return False

    def rates_of(self, entry, at, total, thinks):
        part = max((tier for tier in entry.get("tiers", []) if total > tier["above_input_tokens"]), key=lambda tier: tier["above_input_tokens"], default=None)
        if part is None:
            part = next((window for window in entry["windows"] if self.holds(window, entry, at)), entry)
        rates = {**self.fractions(entry), **self.fractions(part)}
        return {**rates, **self.fractions(part.get("thinking", {}))} if thinks else rates

    @staticmethod
    def share_at(shares, at):
        if isinstance(shares, str):
            return Fraction(shares)
        held = [one for one in shares if ("from" not in one or read(one["from"]) <= at) and ("until" not in one or at < read(one["until"]))]
        return Fraction(held[-1]["share"]) if held else Fraction(0)

    def answer(self, question):
        """(cost, cost in USD), or None: there is no price then."""
        target, at, usage = question["target"], read(question["at"]), question["usage"]
        name, model = target.split("/")
        provider = self.providers[name]
        entry, listed = self.in_force(self.contracts.get(target, []), provider, at), False
        if entry is None:
            entry, listed = self.in_force(self.models[model], provider, at), True
        rate = [one for one in self.fx.get(provider["currency"], [{"usd": "1"}]) if "from" not in one or read(one["from"]) <= at]
        if entry is None or not rate:
            return None
        total = usage["input"] + usage["cached_input"] + usage["cache_write"]
        rates = self.rates_of(entry, at, total, usage["reasoning"] > 0 if "reasoning" in usage else question["thinking"])
        factors = [entry.get("service_tiers", {}).get(question["service_tier"]), entry.get("regional") if provider.get("regional") else None]
        if listed:
            factors += [1 - self.share_at(provider.get("discount", "0"), at), 1 + self.share_at(provider.get("surcharge", "0"), at)]
        for factor in factors:
            if factor is not None:
                rates = {kind: half_up(amount * Fraction(factor)) for kind, amount in rates.items()}
        per_token = {**{kind: rates.get(kind, rates["input"]) for kind in KINDS}, "reasoning": rates["output"]}
        cost = half_up(sum(per_token[kind] * count for kind, count in usage.items()) / 1_000_000)
        return cost, half_up(cost * Fraction(rate[-1]["usd"]))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_any_price_list_costs_what_its_rules_say(tmp_path, seed):
    world = World(seed)
    (tmp_path / "f.yaml").write_text(json.dumps(world.config()))
    edges = list(world.edges())
    asked = [world.question(edges) for _ in range(QUESTIONS)]
    (tmp_path / "usages").write_text("".join(json.dumps(question) + "\n" for question in asked))
    done = run("prices", "--config", tmp_path / "f.yaml", "--bill", tmp_path / "usages")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    priced = 0
    for question, answer in zip(asked, answers, strict=True):
        told = None if answer["cost"] is None else (Fraction(answer["cost"]), Fraction(answer["cost_usd"]))
        assert told == world.answer(question), (question, answer)
        priced += told is not None
    assert priced > 0
