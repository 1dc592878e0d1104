"""The books after the fact: audited, reconciled with the provider's bill, and replayed under another configuration."""
import asyncio
import contextlib
import json
import os
import sqlite3
from decimal import Decimal

from harness.books import Ledger
from harness.http import chat, post_chat
from harness.process import run, wait_until
from harness.storm import storm

REQUESTS = int(os.environ.get("FAIRLEAD_AUDIT_REQUESTS", "300"))


def tamper(daemon, *statements):
    with contextlib.closing(sqlite3.connect(daemon.ledger_file)) as connection:
        for statement in statements:
            before = connection.total_changes
            connection.execute(statement)
            assert connection.total_changes > before, statement
        connection.commit()


def audit(daemon, *options):
    done = run("audit", "--ledger", f"sqlite:{daemon.ledger_file}", "--format", "json", *options)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def settled(daemon, simulator, lines):
    wait_until(lambda: daemon.ledger().all_settled() and len(simulator.bill()) == lines, "rows and lines of the bill")
    return daemon.ledger()


def ask(daemon, count):
    """Requests whose usage the provider reports: buffered and streamed, to several models."""
    for i in range(count):
        answer = post_chat(daemon, chat(f"hello {i} " * (i + 1), ["deepseek", "qwen", "openai"][i % 3], stream=i % 2 == 0))
        assert answer.status == 200 and answer.complete


def test_the_chain_holds_over_a_storm_a_kill_and_a_restart(start, tmp_path):
    anchor = tmp_path / "anchor.jsonl"
    daemon = start(lambda config: config["log"].update(requests="none"))
    asyncio.run(storm(daemon, REQUESTS, seed=20261126))
    daemon.ledger()
    code, report = audit(daemon, "--anchor", anchor)  # while it runs
    assert (code, report["findings"]) == (0, []), report
    assert report["sealed_requests"] > REQUESTS / 2

    async def killed_in_a_storm():
        storming = asyncio.create_task(storm(daemon, REQUESTS, seed=7))
        before = report["sealed_requests"]
        await asyncio.to_thread(wait_until, lambda: len(Ledger(daemon.ledger_file).requests) > before + REQUESTS / 10, "a part of a storm")
        await asyncio.to_thread(daemon.kill)
        storming.cancel()
        await asyncio.gather(storming, return_exceptions=True)

    asyncio.run(killed_in_a_storm())
    again = start(lambda config: config["log"].update(requests="none"))
    post_chat(again, chat("hello"))
    rows = again.ledger()
    code, report = audit(again, "--anchor", anchor)
    assert (code, report["findings"]) == (0, []), report
    assert report["open_requests"] == 0 and report["sealed_requests"] == len(rows.requests) == report["recomputed"]["requests"]
    assert report["anchors"] == 1 and len(anchor.read_text().splitlines()) == 2


def test_one_changed_row_is_named(daemon, tmp_path):
    anchor = tmp_path / "anchor.jsonl"
    ids = []
    for _ in range(3):
        ids.append(post_chat(daemon, chat("hello", "deepseek")).request_id)
        daemon.ledger()  # so that each is a link of its own
    daemon.stop()
    assert audit(daemon, "--anchor", anchor)[0] == 0
    shown = run("audit", "--ledger", f"sqlite:{daemon.ledger_file}", "--anchor", anchor)
    assert shown.returncode == 0 and "The books are whole, and add up." in shown.stdout

    tamper(daemon, f"UPDATE lines SET output_tokens = output_tokens - 1 WHERE id = '{ids[1]}'")
    code, report = audit(daemon)
    assert code == 1 and not report["whole"]
    assert {finding["request"] for finding in report["findings"] if finding["request"]} == {ids[1]}
    # The chain and the recomputation each see it by themselves.
    assert {finding["link"] is None for finding in report["findings"]} == {True, False}
    shown = run("audit", "--ledger", f"sqlite:{daemon.ledger_file}")
    assert shown.returncode == 1 and f"WRONG     request {ids[1]}" in shown.stdout

    tamper(daemon, f"UPDATE lines SET output_tokens = output_tokens + 1 WHERE id = '{ids[1]}'")
    assert audit(daemon)[0] == 0
    tamper(daemon, f"DELETE FROM requests WHERE id = '{ids[2]}'", "DELETE FROM chain WHERE n = (SELECT max(n) FROM chain)")
    code, report = audit(daemon)
    assert code == 1 and all("the sums say" in finding["what"] for finding in report["findings"]), "nothing in the chain tells of its lost end"
    code, report = audit(daemon, "--anchor", anchor)
    assert code == 1 and "its end was taken away" in report["findings"][0]["what"]


def test_sums_that_were_changed_are_named(daemon):
    ask(daemon, 3)
    daemon.ledger()
    code, report = audit(daemon)
    assert (code, report["findings"]) == (0, []) and report["sums"]["compared"] == 3, report
    tamper(daemon, "update day_sums set usd_milli = usd_milli + 1000000")
    code, report = audit(daemon)
    assert code == 1 and not report["whole"] and any("six_hour_sums and day_sums differ" in finding["what"] for finding in report["findings"]), report


def test_what_cannot_be_read_any_more_hides_nothing_that_was_found(daemon):
    answer = post_chat(daemon, chat("hello", "deepseek"))
    daemon.ledger()
    tamper(daemon, "update outcomes set cost_currency = 'USDx' where cost_currency is not null",
           "update sum_groups set currency = 'USDx' where currency <> ''")
    code, report = audit(daemon)
    assert code == 1 and not report["whole"] and any("'USDx' is not a currency" in what for what in report["not_done"]), report
    assert {finding["request"] for finding in report["findings"]} == {answer.request_id}, report
    shown = run("audit", "--ledger", f"sqlite:{daemon.ledger_file}")
    assert shown.returncode == 1 and f"WRONG     request {answer.request_id}" in shown.stdout and "NOT DONE  " in shown.stdout
    assert "'USDx' is not a currency" in shown.stderr

    tamper(daemon, "update outcomes set cost_currency = 'USD' where cost_currency is not null")
    code, report = audit(daemon)
    assert (code, report["findings"]) == (1, []) and not report["whole"], report


def test_a_view_that_was_replaced_is_named(daemon):
    post_chat(daemon, chat("hello", "deepseek"))
    daemon.ledger()
    assert audit(daemon)[0] == 0
    with contextlib.closing(sqlite3.connect(daemon.ledger_file)) as connection:
        (view,) = connection.execute("select sql from sqlite_master where name = 'requests'").fetchone()
        connection.execute("drop view requests")
        connection.execute(view.replace("a.team AS team", "'other' AS team"))
    code, report = audit(daemon)
    assert code == 1 and "the view requests is not as fairlead makes it" in [finding["what"] for finding in report["findings"]], report


def test_an_anchor_that_cannot_be_used_is_no_success(daemon, tmp_path):
    post_chat(daemon, chat("hello", "deepseek"))
    daemon.ledger()
    anchor = tmp_path / "anchor.jsonl"
    assert audit(daemon, "--anchor", anchor)[0] == 0
    anchor.write_text(anchor.read_text().rstrip("\n"))  # as one that was copied by hand
    post_chat(daemon, chat("hello", "deepseek"))
    daemon.ledger()
    assert audit(daemon, "--anchor", anchor)[0] == 0
    code, report = audit(daemon, "--anchor", anchor)
    assert (code, report["anchors"]) == (0, 2), report
    for unusable in ("", tmp_path / "nowhere" / "anchor", tmp_path):
        assert audit(daemon, "--anchor", unusable)[0] != 0, unusable
    for period in (["--since", "2026-11-28", "--until", "2026-11-27"],):
        assert audit(daemon, *period)[0] == 2


def test_the_simulators_bill_is_reconciled_line_by_line(daemon, simulator, tmp_path):
    ask(daemon, 12)
    ledger = settled(daemon, simulator, 12)
    books = ("--ledger", f"sqlite:{daemon.ledger_file}")
    done = run("reconcile", simulator.bill_file, *books)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The bill and the ledger agree." in done.stdout

    lines = simulator.bill()
    lines[5]["completion_tokens"] += 1
    tampered = tmp_path / "tampered.jsonl"
    tampered.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run("reconcile", tampered, *books, "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 1 and not report["agree"]
    (wrong,) = [line for line in report["lines"] if line["verdict"] != "equal"]
    assert (wrong["attempt"], wrong["of"], wrong["difference"]) == (lines[5]["client_request_id"], "output", "-1")
    assert lines[5]["client_request_id"] in run("reconcile", tampered, *books).stdout
    assert run("reconcile", tampered, *books, "--tolerance-tokens", "1").returncode == 0

    tampered.write_text("".join(json.dumps(line) + "\n" for line in simulator.bill()[1:]))
    report = json.loads(run("reconcile", tampered, *books, "--format", "json").stdout)
    assert {line["verdict"] for line in report["lines"] if line["verdict"] != "equal"} == {"only in the ledger"}
    assert Decimal(report["total"]["ledger"]["cost"]) == Decimal(sum(a["cost_pico"] for a in ledger.attempts)) / 10 ** 12


def test_an_export_of_a_provider_is_reconciled_by_day_and_model(daemon, simulator, tmp_path):
    ask(daemon, 6)
    ledger = settled(daemon, simulator, 6)
    books = ("--ledger", f"sqlite:{daemon.ledger_file}")
    mine = [line for line in simulator.bill() if line["kind"] == "deepseek"]
    figures = {"input_cache_miss_tokens": sum(line["prompt_tokens"] - line["cached_tokens"] for line in mine),
               "input_cache_hit_tokens": sum(line["cached_tokens"] for line in mine),
               "output_tokens": sum(line["completion_tokens"] for line in mine), "request_count": len(mine)}
    day = mine[0]["at"][:10]
    export = tmp_path / "amount.csv"

    def write(rows):
        export.write_text("user_id,utc_date,model,api_key_name,api_key,type,price,amount\r\n" + "".join(
            f"u,{day},{mine[0]['model']},key,sk-*,{kind},0,{amount}\r\n" for kind, amount in rows.items()))

    write(figures)
    done = run("reconcile", export, *books, "--provider", "deepseek")
    assert done.returncode == 0, done.stdout + done.stderr
    write({**figures, "output_tokens": figures["output_tokens"] + 3})
    report = json.loads(run("reconcile", export, *books, "--provider", "deepseek", "--format", "json").stdout)
    assert [(line["of"], line["difference"]) for line in report["lines"] if line["verdict"] == "differs"] == [("output", "-3")]
    ambiguous = run("reconcile", export, *books)
    assert ambiguous.returncode == 2 and "--provider" in ambiguous.stderr
    export.write_text("utc_date,model,type,amount\r\n2026-11-01,m,output_tokens,\"1,000\"\r\n")
    broken = run("reconcile", export, *books, "--provider", "deepseek")
    assert broken.returncode == 2 and f"{export}:2:28: '1,000' is no figure" in broken.stderr
    assert len(ledger.attempts) == 6


def test_a_week_is_replayed_under_another_configuration(daemon, simulator, tmp_path):
    ask(daemon, 6)
    ledger = settled(daemon, simulator, 6)
    cost = sum(a["usd_pico"] for a in ledger.attempts)

    def replay(change):
        config = daemon.changed_config()
        change(config)
        file = tmp_path / "other.yaml"
        file.write_text(json.dumps(config))
        done = run("replay", "--config", file, "--ledger", f"sqlite:{daemon.ledger_file}", "--format", "json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    same = replay(lambda config: None)
    assert same["outcomes"]["stays"] == 6
    assert same["total"]["cost_usd"] == same["total"]["would_cost_usd"]
    assert Decimal(same["total"]["cost_usd"]) == Decimal(cost) / 10 ** 12

    # What went to OpenAI goes to DeepSeek: the same tokens at the price that DeepSeek's own attempts have.
    rates = next(json.loads(a["price"]) for a in ledger.attempts if a["provider"] == "deepseek")

    def at_deepseek(a):
        kinds = (("input_tokens", "input"), ("cached_input_tokens", "cached_input"), ("output_tokens", "output"), ("reasoning_tokens", "output"))
        return round(sum(Decimal(a[tokens] or 0) * Decimal(rates[kind]) for tokens, kind in kinds) * 10 ** 6)

    moved = replay(lambda config: config["routes"].update(openai=config["routes"]["deepseek"]))
    assert moved["outcomes"]["moves"] == 2 and moved["outcomes"]["stays"] == 4
    (group,) = [group for group in moved["groups"] if group["outcome"] == "moves"]
    assert group["from"].startswith("openai/") and group["to"].startswith("deepseek/")
    assert Decimal(group["would_cost_usd"]) * 10 ** 12 == sum(at_deepseek(a) for a in ledger.attempts if a["provider"] == "openai")

    ban = {"name": "not-there", "when": {"key": ["app"]}, "deny": {"provider": ["qwen"]}}
    refused = replay(lambda config: config["policies"].append(ban))
    (group,) = [group for group in refused["groups"] if group["outcome"] == "refused"]
    assert (group["requests"], group["why"]) == (2, "not-there")

    gone = replay(lambda config: config.update(keys=[{**config["keys"][0], "name": "renamed"}]))
    assert gone["outcomes"]["cannot be asked"] == 6
    assert len(simulator.bill()) == 6, "nothing was sent"


def test_what_was_malformed_is_refused_under_every_configuration(start, tmp_path):
    daemon = start()
    malformed = [post_chat(daemon, {"model": "deepseek", "messages": "none"}), post_chat(daemon, b'{"model"'),
                 post_chat(daemon, chat("hello", "deepseek"), fields=[("x-fairlead-sort", "colour")]),
                 post_chat(daemon, chat("hello", "deepseek"), fields=[("x-fairlead-tags", "nobodys")]),
                 post_chat(daemon, chat("hello", "deepseek"), fields=[("idempotency-key", "k" * 300)])]
    assert [answer.status for answer in malformed] == [400] * 5
    assert post_chat(daemon, chat("hello", "later")).status == 404
    config = daemon.changed_config()
    config["routes"]["later"] = config["routes"]["deepseek"]
    config["keys"][0]["routes"] = list(config["routes"])
    daemon.ledger()
    other = tmp_path / "other.yaml"
    other.write_text(json.dumps(config))
    done = run("replay", "--config", other, "--ledger", f"sqlite:{daemon.ledger_file}", "--format", "json")
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)["outcomes"]
    assert (outcomes["kept out"], outcomes["admitted"]) == (5, 1), outcomes


def test_what_routing_knew_beside_the_prompt_is_in_the_row(start):
    daemon = start(lambda config: config["keys"][0].update(request_tags=["batch"]))
    tools = [{"type": "function", "function": {"name": "now", "parameters": {"type": "object"}}}]
    body = chat("hello", "deepseek", tools=tools, max_tokens=1000)
    answer = post_chat(daemon, body, fields=[("x-fairlead-tags", "batch")])
    plain = post_chat(daemon, chat("hello", "deepseek"))
    assert answer.status == plain.status == 200
    ledger = daemon.ledger()
    assert json.loads(ledger.request(answer.request_id)["facts"]) == {"needs": ["tools"], "output_tokens_max": 1024, "tags": ["batch"]}
    assert ledger.request(plain.request_id)["facts"] == ""
    told = run("explain", answer.request_id, "--ledger", f"sqlite:{daemon.ledger_file}").stdout
    assert "facts    needs tools; output_tokens_max 1024; tags batch" in told
