"""Books: whatever happens to many requests at once, the ledger equals the provider's bill line by line, what budgets spent, and each name is done once.

FAIRLEAD_BOOKS_REQUESTS=200000 is the long storm (ten minutes on two cores); the seed is always the same."""
import asyncio
import collections
import itertools
import json
import os
import signal
from decimal import Decimal

from harness import books
from harness.process import wait_until
from harness.storm import storm

REQUESTS = int(os.environ.get("FAIRLEAD_BOOKS_REQUESTS", "10000"))
NARROW_USD = Decimal("0.000002") * REQUESTS  # less than the route `qwen` would cost
PARTS = {
    "installation in all": lambda request, attempt: True,
    "team payments in all": lambda request, attempt: request["team"] == "payments",
    "project till in all": lambda request, attempt: request["project"] == "till",
    "key app in all": lambda request, attempt: request["key"] == "app",
    "route chat in all": lambda request, attempt: request["route"] == "chat",
    "route qwen in all": lambda request, attempt: request["route"] == "qwen",
    "provider deepseek in all": lambda request, attempt: attempt["provider"] == "deepseek",
}


def expect_each_name_done_once(ledger, told):
    """Of all requests with one Idempotency-Key, one is done, and its repeats get its answer. Gives how many answers of each kind came."""
    done = collections.Counter(json.loads(row["facts"])["idempotency"][:32] for row in ledger.requests
                               if "idempotency" in row["facts"] and row["attempts"] and row["http_status"] == 200
                               and not row["error"] and row["ended_by"] != "app")
    assert done and max(done.values()) == 1, done.most_common(3)
    answer_of = {answer.request_id: (drawn, answer) for drawn, answer in told if answer.request_id}
    kinds = collections.Counter()
    for drawn, answer in told:
        code = answer.json()["error"]["code"] if answer.status in (409, 422) and answer.complete else None  # else its app left
        if code:
            assert drawn.name and code in ("idempotency_in_progress", "idempotency_gone", "idempotency_mismatch"), answer
            kinds[code] += 1
        if "x-fairlead-replayed" in answer.fields:
            kinds["replayed"] += 1
            row = ledger.request(answer.request_id)
            assert (row["attempts"], row["usd_pico"]) == (0, 0)
            first, whole = answer_of.get(answer.fields["x-fairlead-replay-of"], (drawn, answer))
            assert first.name == drawn.name and first.body == drawn.body
            assert whole.body[:len(answer.body)] == answer.body[:len(whole.body)]
    return kinds


def test_the_ledger_equals_the_bill_line_by_line(start, simulator):
    def change(config):
        config["log"].update(requests="none")
        # One provider of each way to treat an answer whose app has left.
        config["providers"]["qwen"].update(on_cancel="drain")
        config["providers"]["openai"].update(bills_after_close="whole")
        # Budgets at all that may have one: wide, but for one that refuses.
        config["teams"] = {"payments": {"markup": "0.15"}}
        config["projects"] = {"till": {}}
        config["keys"][0]["project"] = "till"
        for owner in (config, config["teams"]["payments"], config["projects"]["till"], config["keys"][0],
                      config["routes"]["chat"], config["providers"]["deepseek"]):
            owner["budget"] = {"usd": "1000000", "per": "all"}
        config["routes"]["qwen"]["budget"] = {"usd": f"{NARROW_USD:f}", "per": "all"}

    daemon = start(change)
    files_before = daemon.open_files()
    reloads = itertools.count(1)

    def reload():
        config = daemon.changed_config()
        config["limits"] = {"attempts_max": 3 + next(reloads) % 2}
        daemon.put_config(config)
        daemon.signal(signal.SIGHUP)

    told = asyncio.run(storm(daemon, REQUESTS, seed=20261123, meanwhile=reload, names=True))
    answers = [answer for _, answer in told]
    assert daemon.events("reloaded") and not daemon.events("reload_refused")

    def balanced_size():
        ledger, bill = daemon.ledger(), simulator.bill()
        reached = [a for a in ledger.attempts if a["phase"] not in ("plan", "connect", "send")]
        return ledger.all_settled() and len(bill) >= len(reached) and (ledger, bill)

    ledger, bill = wait_until(balanced_size, "all rows and all lines of the bill")
    books.expect_balance(ledger, bill)

    # I1: every request that an app got an id for is one row, and there are no others than those whose app left before its answer.
    seen = [answer.request_id for answer in answers if answer.request_id]
    ids = {request["id"] for request in ledger.requests}
    assert len(set(seen)) == len(seen) and set(seen) <= ids
    assert len(seen) <= len(ids) <= REQUESTS
    # I7: what ended well for the app ended well in the books.
    for answer in answers:
        if answer.status == 200 and answer.complete and b"data: [DONE]" in answer.body:
            assert ledger.request(answer.request_id)["error"] == ""
    # The storm was a storm: each kind of end occurs.
    assert {"app", "provider"} <= {attempt["ended_by"] for attempt in ledger.attempts}
    assert {"reported", "estimated", "none"} <= {attempt["usage_source"] for attempt in ledger.attempts}

    # Where nothing that may silence a provider was drawn, its figures are in the books; and no more is estimated than was drawn.
    unsure = {a["request_id"] for a in ledger.attempts if a["usage_source"] in ("estimated", "invalid")}
    sound = {answer.request_id for drawn, answer in told if not drawn.silent}
    assert not unsure & sound, sorted(unsure & sound)[:5]
    assert len(unsure) <= sum(drawn.silent for drawn, _ in told)
    report = {source: sum(a["usage_source"] == source for a in ledger.attempts) for source in ("reported", "estimated", "invalid", "none")}
    print(f"{REQUESTS} requests, {len(ledger.attempts)} attempts {report}, {len(daemon.events('reloaded'))} reloads")

    # Budgets: nothing stays held, what is spent is the ledger's sum, and the narrow one was reached and not overrun.
    budgets = books.expect_budgets(daemon, ledger, PARTS)
    assert set(budgets) == set(PARTS)
    refused = [answer for _, answer in told if answer.status == 429 and b"the budget of route qwen" in answer.body]
    assert refused and 0 < books.usd(budgets["route qwen in all"], "charged") <= NARROW_USD
    kinds = expect_each_name_done_once(ledger, told)
    assert {"replayed", "idempotency_in_progress", "idempotency_mismatch"} <= set(kinds), kinds
    print(f"{dict(kinds)}, {len(refused)} over budget, of {NARROW_USD} USD {books.usd(budgets['route qwen in all'], 'charged')} spent")

    # I6: nothing stays open once idle connections are gone.
    wait_until(lambda: daemon.open_files() <= files_before, "connections to close")
