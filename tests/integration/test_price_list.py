"""Every entry of the price list against an oracle of its own: costs by Python's decimal, times by its zoneinfo, and the figures by
tests/golden/prices/list.tsv. Nothing here knows config/prices.yaml or the code that reads it."""
import collections
import datetime
import json
import pathlib
import random
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest

from harness.process import ROOT, run

pytestmark = pytest.mark.alone

UTC = datetime.timezone.utc
SHANGHAI = ZoneInfo("Asia/Shanghai")
PICO = Decimal("0.000000000001")
KINDS = ("input", "cached_input", "cache_write", "output")
# China's days off by the notices for 2025 and 2026; of other years nothing is known, and the dearer price is taken.
HOLIDAYS = [((2025, 1, 1), 1), ((2025, 1, 28), 8), ((2025, 4, 4), 3), ((2025, 5, 1), 5), ((2025, 5, 31), 3), ((2025, 10, 1), 8),
            ((2026, 1, 1), 3), ((2026, 2, 15), 9), ((2026, 4, 4), 3), ((2026, 5, 1), 5), ((2026, 6, 19), 3), ((2026, 9, 25), 3), ((2026, 10, 1), 7)]
DAYS_OFF = {datetime.date(*first) + datetime.timedelta(days=n) for first, length in HOLIDAYS for n in range(length)}
USD_PER = {"CNY": [("2020-01-01", "0.1378"), ("2026-10-01", "0.141234567891")], "EUR": [("2020-01-01", "1.08"), ("2026-11-15", "1.0999")], "USD": [("2020-01-01", "1")]}
# What an account is like beside its list: options of the provider, and what they come to.
ACCOUNTS = {
    "plain": "",
    "regional": ", regional: true",
    "contract": ", discount: [{share: \"0.15\", from: 2026-06-01}, {share: \"0.333333333333\", from: 2026-10-01, until: 2026-12-01}], surcharge: \"0.07\"",
}


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00") if "T" in text else text + "T00:00+00:00")


def amounts(text):
    return {kind: Decimal(amount) for kind, amount in zip(KINDS, text.split("/")) if amount != "-"}


def tier(text):
    above, figures, *thinking = text[1:].split(" ")
    return {"above": int(above), "amounts": amounts(figures), "thinking": amounts(thinking[1]) if thinking else {}}


def peak(text):
    hours, figures = text.split(" ")
    begin, end = (datetime.time.fromisoformat(hour) for hour in hours.split("-"))
    return {"begin": begin, "end": end, "amounts": amounts(figures)}


def parts(text, read):
    return [] if text == "-" else [read(part) for part in text.split("; ")]


def read_rows():
    lines = [line for line in (ROOT / "tests/golden/prices/list.tsv").read_text().splitlines() if not line.startswith("#")]
    names = lines[0].split("\t")
    for line in lines[1:]:
        row = dict(zip(names, line.split("\t"), strict=True))
        yield {**row, "from": instant(row["from"]), "until": None if row["until"] == "-" else instant(row["until"]),
               "amounts": amounts(row["amounts"]), "thinking": {} if row["thinking"] == "-" else amounts(row["thinking"]),
               "tiers": parts(row["tiers"], tier), "peak": parts(row["peak"], peak),
               "service": {name: Decimal(factor) for name, factor in parts(row["service"], str.split)},
               "regional": None if row["regional"] == "-" else Decimal(row["regional"])}


ROWS = list(read_rows())
LISTS = collections.defaultdict(list)
for entry in ROWS:
    LISTS[entry["list"], entry["model"], entry["currency"]].append(entry)


def rounded(amount):
    return amount.quantize(PICO, rounding=ROUND_HALF_UP)


def in_peak(window, at):
    local = at.astimezone(SHANGHAI)
    working = local.weekday() < 5 and local.date() not in DAYS_OFF
    return working and window["begin"] <= local.time() < window["end"]


def rates(entry, at, total, thinking):
    """The amounts of the part that holds: the highest tier below the input, else the peak hours, else the entry."""
    tiers = [part for part in entry["tiers"] if total > part["above"]]
    windows = [part for part in entry["peak"] if in_peak(part, at)]
    if tiers:
        part = max(tiers, key=lambda found: found["above"])
        return {**entry["amounts"], **part["amounts"], **(part["thinking"] if thinking else {})}
    if windows:
        return {**entry["amounts"], **windows[0]["amounts"]}
    return {**entry["amounts"], **(entry["thinking"] if thinking else {})}


def factors(entry, account, service, at):
    yield entry["service"].get(service)
    if account == "regional":
        yield entry["regional"]
    if account == "contract":
        october = instant("2026-10-01") <= at < instant("2026-12-01")
        yield Decimal(1) - (Decimal("0.333333333333") if october else Decimal("0.15") if at >= instant("2026-06-01") else 0)
        yield Decimal("1.07")


def expected(entries, account, question):
    """(cost, cost in USD), or None: unpriced."""
    at, usage = instant(question["at"]), question["usage"]
    held = [entry for entry in entries if entry["from"] <= at and (entry["until"] is None or at < entry["until"])]
    if not held:
        return None
    entry = max(held, key=lambda found: found["from"])
    total = usage.get("input", 0) + usage.get("cached_input", 0) + usage.get("cache_write", 0)
    thinking = usage["reasoning"] > 0 if "reasoning" in usage else question["thinking"]
    price = rates(entry, at, total, thinking)
    for factor in factors(entry, account, question["service_tier"], at):
        if factor is not None:
            price = {kind: rounded(amount * factor) for kind, amount in price.items()}
    per_token = {"input": price["input"], "cached_input": price.get("cached_input", price["input"]),
                 "cache_write": price.get("cache_write", price["input"]), "output": price["output"], "reasoning": price["output"]}
    cost = rounded(sum(per_token[kind] * count for kind, count in usage.items()) / 1_000_000)
    to_usd = [Decimal(rate) for begin, rate in USD_PER[entry["currency"]] if instant(begin) <= at][-1]
    return cost, rounded(cost * to_usd)


def provider(listed, currency, account):
    return f"{listed}-{currency}-{account}"


def config():
    sold = {(listed, currency): next(entry["region"] for entry in entries) for (listed, _, currency), entries in LISTS.items()}
    lines = ["providers:"]
    for (listed, currency), region in sold.items():
        for account, options in ACCOUNTS.items():
            lines.append(f"  {provider(listed, currency, account)}: {{base_url: 'http://127.0.0.1:9/v1', price_list: {listed}, currency: {currency}, "
                         f"operator: ZA, region: {'CN' if region == 'CN' else 'ZA'}, retention: none{options}}}")
    dated = {code: "[" + ", ".join(f"{{from: {begin}, usd: '{rate}'}}" for begin, rate in rates_) + "]" for code, rates_ in USD_PER.items()}
    lines.append("fx: {" + ", ".join(f"{code}: {rates_}" for code, rates_ in dated.items()) + "}")
    lines.append("routes:\n  chat:\n    targets:")
    lines += [f"      - {provider(listed, currency, account)}/{model}" for listed, model, currency in LISTS for account in ACCOUNTS]
    lines += [f"      - {provider('deepseek', 'USD', 'plain')}/{alias}" for alias in ("deepseek-v4-flash", "deepseek-v4-flash-vision-exp")]
    return "\n".join(lines) + "\nkeys: [{name: app, hash: 'sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', routes: [chat]}]\n"


def instants(entries, chance):
    """Both sides of every date, of the edges of peak hours on workdays, holidays and weekends, and some at random."""
    edges = {edge for entry in entries for edge in (entry["from"], entry["until"]) if edge} | {instant("2027-01-01"), instant("2026-10-01"), instant("2026-12-01")}
    if any(entry["peak"] for entry in entries):
        for day in ("2026-08-17", "2026-09-24", "2026-09-25", "2026-10-07", "2026-10-08", "2026-10-10", "2026-11-28", "2027-10-01", "2027-10-02"):
            edges |= {instant(f"{day}T{hour}:00Z") for hour in ("01", "04", "06", "10", "16")}
    for edge in sorted(edges):
        yield edge
        yield edge - datetime.timedelta(seconds=1)
    begin = min(entry["from"] for entry in entries)
    for _ in range(4):
        yield begin + datetime.timedelta(seconds=chance.randrange(600 * 86400))


def usage_of(total, chance):
    """A mix of kinds whose input is `total`."""
    cached = chance.choice((0, chance.randrange(total + 1)))
    written = chance.choice((0, chance.randrange(total - cached + 1)))
    usage = {"input": total - cached - written, "cached_input": cached, "cache_write": written, "output": chance.randrange(5000)}
    if chance.random() < 0.5:
        usage["reasoning"] = chance.choice((0, chance.randrange(9000)))
    return usage


def questions(entries, target, chance):
    borders = {part["above"] + more for entry in entries for part in entry["tiers"] for more in (0, 1)}
    services = {name for entry in entries for name in entry["service"]} | {"standard", "flex"}
    for at in instants(entries, chance):
        for total in sorted(borders | {1, chance.randrange(1, 30_000)}):
            yield {"target": target, "at": at.strftime("%Y-%m-%dT%H:%M:%SZ"), "usage": usage_of(total, chance),
                   "thinking": chance.random() < 0.5, "service_tier": chance.choice(sorted(services))}


@pytest.fixture(scope="module")
def bill(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prices")
    (folder / "f.yaml").write_text(config())

    def billed(asked):
        (folder / "usages").write_text("".join(json.dumps(question) + "\n" for question in asked))
        done = run("prices", "--config", folder / "f.yaml", "--bill", folder / "usages")
        assert done.returncode == 0, done.stderr
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(asked)
        return answers

    return billed


def told(answer):
    return None if answer["cost"] is None else (Decimal(answer["cost"]), Decimal(answer["cost_usd"]))


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_entry_costs_what_the_oracle_says(bill, account):
    chance = random.Random(account)
    cases = [(entries, question) for (listed, model, currency), entries in LISTS.items()
             for question in questions(entries, f"{provider(listed, currency, account)}/{model}", chance)]
    priced = set()
    for (entries, question), answer in zip(cases, bill([question for _, question in cases]), strict=True):
        assert told(answer) == expected(entries, account, question), (question, answer)
        assert answer["currency"] == entries[0]["currency"]
        if answer["cost"] is not None:
            priced.add((question["target"], answer["price"]["from"], answer["price"]["confidence"]))
    begun = {(f"{provider(row['list'], row['currency'], account)}/{row['model']}", row["from"].strftime("%Y-%m-%dT%H:%M:%S.000000Z"), row["confidence"]) for row in ROWS}
    assert priced == begun, "each row is an entry, with its date and confidence, and there is no other"


def test_older_names_cost_what_the_model_costs_that_serves_them(bill):
    asked = [{"target": f"deepseek-USD-plain/{name}", "at": at, "usage": {"input": 1000, "output": 1000}}
             for at in ("2026-05-01", "2026-09-10T00:30Z", "2026-11-26T05:00Z") for name in ("deepseek-flash", "deepseek-v4-flash", "deepseek-v4-flash-vision-exp")]
    costs = [answer["cost"] for answer in bill(asked)]
    assert costs == ["0.00042"] * 3 + ["0.00088"] * 3 + ["0.00075"] * 3


def test_a_question_that_cannot_be_answered_is_told_with_its_line(bill, tmp_path):
    (tmp_path / "f.yaml").write_text(config())
    good = {"target": "openai-USD-plain/gpt-4.1", "at": "2026-01-01", "usage": {}}
    for wrong, told_ in (({"target": "no/such"}, "no/such"), ({"at": "noon"}, "noon"), ({"usage": {"tokens": 1}}, "tokens"), ({"usage": {"input": -1}}, "input"),
                         ({"usage": {"output": 2**63}}, "`usage.output` is above 9223372036854775807")):
        (tmp_path / "usages").write_text(json.dumps(good) + "\n" + json.dumps({**good, **wrong}) + "\n")
        done = run("prices", "--config", tmp_path / "f.yaml", "--bill", tmp_path / "usages")
        assert done.returncode == 1 and "line 2" in done.stderr and told_ in done.stderr, done.stderr
    for unreadable in (tmp_path / "missing", tmp_path):
        done = run("prices", "--config", tmp_path / "f.yaml", "--bill", unreadable)
        assert done.returncode == 1 and f"'{unreadable}' cannot be read" in done.stderr, done
