"""The ledger against the provider's own bill, line by line."""
import collections
import contextlib
import json
import sqlite3
from datetime import UTC, datetime
from decimal import Decimal

PICO = Decimal(10) ** 12


def read_bill(path):
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.splitlines() if line]


class Ledger:
    """The rows at this moment, as dictionaries."""

    def __init__(self, path):
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")  # both tables of one moment
            self.requests = [dict(row) for row in connection.execute("SELECT * FROM requests ORDER BY id")]
            self.attempts = [dict(row) for row in connection.execute("SELECT * FROM attempts ORDER BY request_id, number")]
        self._request_of = {row["id"]: row for row in self.requests}
        self._attempts_of = collections.defaultdict(list)
        for attempt in self.attempts:
            self._attempts_of[attempt["request_id"]].append(attempt)

    def request(self, request_id):
        return self._request_of[request_id]

    def attempts_of(self, request_id):
        return list(self._attempts_of[request_id])

    def all_settled(self):
        return all(row["state"] == "settled" for row in (*self.requests, *self.attempts))


def charged(ledger, belongs=lambda request, attempt: True):
    """The charges of the ledger in USD, exact: of all attempts, or of those that belong to something."""
    requests = {request["id"]: request for request in ledger.requests}
    return sum(Decimal(attempt["charge_usd_pico"] or 0) for attempt in ledger.attempts
               if belongs(requests[attempt["request_id"]], attempt)) / PICO


def usd(budget, name):
    return Decimal(budget[f"{name}_usd"])


def expect_budgets(daemon, ledger, parts):
    """Each budget's spent is the ledger's sum of what belongs to it, by `parts`: the budget's name -> belongs. Gives the budgets."""
    seen = daemon.budgets()
    for name, budget in seen.items():
        assert usd(budget, "held") == 0, name
        assert usd(budget, "charged") == charged(ledger, parts[name]), name
    return seen


def tokens(*counts):
    return sum(count or 0 for count in counts)


def priced_alike(attempt, line):
    """Prices change at full hours: what was sent before one and read after it may have two, and neither clock is wrong.
    A provider that says no time has one price."""
    return "at" not in line or datetime.fromtimestamp(attempt["sent_at"] / 1e6, UTC).isoformat()[:13] == line["at"][:13]


def complaints_about(attempt, line):
    """What of a settled attempt differs from the provider's line about it."""
    if not 200 <= line["status"] < 300:
        if attempt["usage_source"] != "none" and not (line["status"] == 0 and attempt["usage_source"] == "estimated"):
            yield f"usage {attempt['usage_source']} of an answer with status {line['status']}"
        if attempt["usage_source"] == "none" and (attempt["usd_pico"] or 0) != 0:
            yield "a refused attempt costs something"
        return
    if attempt["usage_source"] == "reported":
        if not line["reported"]:
            yield "usage is called reported, but the provider told none"
        figures = {
            "prompt_tokens": tokens(attempt["input_tokens"], attempt["cached_input_tokens"], attempt["cache_write_tokens"]),
            "cached_tokens": tokens(attempt["cached_input_tokens"]),
            "cache_write_tokens": tokens(attempt["cache_write_tokens"]),
            "completion_tokens": tokens(attempt["output_tokens"], attempt["reasoning_tokens"]),
        }
        for name, ours in figures.items():
            if ours != line[name]:
                yield f"{name}: {ours} in the ledger, {line[name]} in the bill"
        theirs = int(Decimal(line["cost"]) * PICO)
        if attempt["usd_pico"] != theirs and priced_alike(attempt, line):
            yield f"usd_pico: {attempt['usd_pico']} in the ledger, {theirs} in the bill"
        return
    if attempt["usage_source"] == "none" and line["prompt_tokens"] == 0 and not attempt["usd_pico"]:
        return  # a provider that bills nothing of what was closed
    cut_short = line["end"] != "done" or attempt["ended_by"] == "app"
    if line["reported"] and not cut_short:
        yield f"the provider told its usage, and the ledger says {attempt['usage_source']}"
    if attempt["usage_source"] not in ("estimated", "invalid"):
        yield f"an answer with status {line['status']} was recorded as usage {attempt['usage_source']}: a silent zero"
    elif not attempt["usd_pico"]:
        yield "an estimate that costs nothing"


def expect_balance(ledger, bill):
    """Oracles I1 and I2: each accepted attempt is one row and each row that reached the provider one line; equal to the last digit."""
    assert ledger.all_settled(), "rows are still open"
    lines = collections.Counter(line["client_request_id"] for line in bill)
    doubled = [key for key, count in lines.items() if count > 1]
    assert not doubled, f"attempts that reached the provider twice: {doubled[:5]}"
    line_of = {line["client_request_id"]: line for line in bill}
    row_of = {f"{a['request_id']}-{a['number']}": a for a in ledger.attempts}
    missing = sorted(set(line_of) - set(row_of))
    assert not missing, f"{len(missing)} lines of the bill have no attempt: {[line_of[key] for key in missing[:3]]}"

    wrong = []
    for key, attempt in row_of.items():
        line = line_of.get(key)
        if line:
            wrong += [f"{key}: {complaint}; {attempt}; {line}" for complaint in complaints_about(attempt, line)]
        elif attempt["status"] or attempt["usage_source"] == "reported":
            wrong.append(f"{key}: an answer that the provider knows nothing of; {attempt}")
    assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(wrong[:5])

    ids = {request["id"] for request in ledger.requests}
    assert {attempt["request_id"] for attempt in ledger.attempts} <= ids, "attempts without their request"
    for request in ledger.requests:
        attempts = ledger.attempts_of(request["id"])
        assert [a["number"] for a in attempts] == list(range(1, len(attempts) + 1))
        assert request["attempts"] == len(attempts)
        assert request["usd_pico"] == sum(a["usd_pico"] or 0 for a in attempts), request

    reported = [(a["usd_pico"], line_of[key]) for key, a in row_of.items()
                if a["usage_source"] == "reported" and priced_alike(a, line_of[key])]
    assert sum(usd for usd, _ in reported) == sum(int(Decimal(line["cost"]) * PICO) for _, line in reported)
