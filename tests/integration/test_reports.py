"""Reports: sums that equal the rows whatever happens to the daemon, and rows that go without a report changing."""
import asyncio
import gzip
import json
import os
import sqlite3

from harness.daemon import PROVIDER_KEY
from harness.http import chat, post_chat
from harness.process import run, wait_until
from harness.storm import storm

REQUESTS = int(os.environ.get("FAIRLEAD_REPORT_REQUESTS", "300"))
GROUPS = ("total", "provider,model", "team,key,project", "hour,target", "usage_source,currency")
DAY_US = 86_400_000_000


def usage(daemon, *options):
    done = run("usage", "--ledger", f"sqlite:{daemon.ledger_file}", "--format", "json", *options, cwd=daemon.folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_sums_equal_the_rows_after_storms_and_deaths(start):
    for seed, dies in ((1, True), (2, True), (3, False)):
        daemon = start(lambda config: config["log"].update(requests="none"))

        async def under_fire():
            apps = asyncio.create_task(storm(daemon, REQUESTS, seed))
            if dies:
                before = len(daemon.ledger().requests)
                await asyncio.to_thread(wait_until, lambda: len(daemon.ledger().requests) > before + REQUESTS // 3, "a third of the storm")
                daemon.kill()
                apps.cancel()
            await asyncio.gather(apps, return_exceptions=True)

        asyncio.run(under_fire())
        if not dies:
            daemon.stop()  # which feeds all that the journal has
    for by in GROUPS:
        assert usage(daemon, "--by", by) == usage(daemon, "--by", by, "--from-rows"), by
    for zone in ("Europe/Berlin", "Pacific/Auckland", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide"):
        for by in ("week,day,hour,team", "month,day,key"):
            at = ["--by", by, "--zone", zone]
            assert usage(daemon, *at) == usage(daemon, *at, "--from-rows"), (zone, by)
        at = ["--by", "hour", "--zone", zone]
        assert usage(daemon, *at) != usage(daemon, *at[:2]), zone
    total = usage(daemon, "--by", "total")["total"]
    rows = daemon.ledger()
    assert total["attempts"] == len(rows.attempts) > REQUESTS
    assert total["failed_attempts"] > 0 and total["estimated_attempts"] > 0


def test_old_rows_go_to_the_archive_and_no_report_changes(start, tmp_path):
    daemon = start()
    for _ in range(5):
        post_chat(daemon, chat("hello"))
    wait_until(lambda: daemon.ledger().all_settled() and len(daemon.ledger().requests) == 5, "the rows")
    daemon.stop()
    before = [usage(daemon, "--by", by) for by in GROUPS]
    with sqlite3.connect(daemon.ledger_file) as db:  # all but the newest become a hundred days older
        db.execute(f"UPDATE lines SET started_at = started_at - 100 * {DAY_US}, sent_at = sent_at - 100 * {DAY_US} WHERE n < 5")
    db.close()

    archive = tmp_path / "archive"
    again = start(lambda config: config.update(retention={"detail_days": 90, "archive": str(archive)}))
    gone = again.wait_for("old_rows_gone")
    assert gone["requests"] == 4
    assert len(again.ledger().requests) == 1
    assert [usage(again, "--by", by) for by in GROUPS] == before
    lines = []
    for file in gone["files"]:
        with gzip.open(file, "rt", newline="") as text:
            lines += text.read().split("\r\n")[1:-1]
    assert len(lines) == 4 and all("deepseek" in line for line in lines)
    assert sorted(gone["files"]) == sorted(str(path) for path in archive.iterdir()), "nothing unfinished is left"
    assert PROVIDER_KEY not in "".join(lines)
    assert post_chat(again, chat("hello")).status == 200
