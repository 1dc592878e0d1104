"""How long reports take over a ledger of many rows.

    python3 tests/bench/reports.py build/release/fairlead 10000000

A daemon creates the ledger; the rows are put into it by SQL, as a year of 50 keys, 8 targets and a little chance, and so are their sums,
which a daemon would have made one by one. Then `fairlead usage` is timed, the best of three. Beside the sums, `--from-rows` shows what they spare.
"""
import json
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

DAYS, KEYS, TARGETS = 365, 50, 8
DAY_US = 86_400_000_000
BEGIN_US = 1_735_689_600_000_000  # 2025-01-01
TABLES = {"hour_sums": DAY_US // 24, "six_hour_sums": DAY_US // 4, "day_sums": DAY_US}

REPORTS = [
    ["--by", "total"],
    ["--by", "team,model"],
    ["--by", "month,provider"],
    ["--by", "day,key"],
    ["--by", "key,target"],
    ["--by", "team", "--month", "2025-06", "--compare", "--top", "10"],
    ["--by", "hour", "--since", "2025-06-01T05:00", "--until", "2025-06-08T17:00"],
    ["--format", "focus", "--month", "2025-06"],
    ["--by", "month,team", "--zone", "Europe/Berlin"],
    *(["--by", "day", "--zone", zone] for zone in ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "Pacific/Auckland")),
    ["--by", "day,key", "--zone", "Europe/Berlin"],
    *(["--by", by, "--zone", "Asia/Kolkata"] for by in ("day", "day,key", "month,team")),
    ["--by", "day", "--zone", "Australia/Adelaide"],
    ["--by", "hour"],
    ["--by", "hour,team"],
]


def create(binary, folder):
    config = {"listen": ["127.0.0.1:0"], "ledger": f"sqlite:{folder}/ledger.db", "providers": {"p": {"base_url": "http://127.0.0.1:1"}},
              "routes": {"chat": {"targets": ["p/m"]}}, "keys": []}
    (folder / "fairlead.yaml").write_text(json.dumps(config))
    daemon = subprocess.Popen([binary, "serve", "--config", folder / "fairlead.yaml"], stderr=subprocess.PIPE, text=True)
    for line in daemon.stderr:
        if '"ready"' in line:
            break
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0


def fill(path, rows):
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    for key in range(KEYS):
        db.execute("INSERT INTO asks VALUES (?, ?, ?, ?, 'chat', '/v1/chat/completions', 'chat', 1, 'hash', 0)",
                   (key + 1, f"key-{key}", f"team-{key % 12}", f"project-{key % 5}"))
    for target in range(TARGETS):
        provider, model = f"provider-{target % 4}", f"model-{target}"
        db.execute("INSERT INTO terms VALUES (?, ?, ?, ?, 'USD', 1000000000000, 0, 0)", (target + 1, provider, model, f"{provider}/{model}"))
    for number, source in ((1, "reported"), (2, "estimated")):
        db.execute("INSERT INTO outcomes VALUES (?, 'settled', 'provider', 'done', '', 200, 0, 1, 'model', 'stop', ?, 'USD', 1000000000000, 0)",
                   (number, source))
    db.execute("INSERT INTO endings VALUES (1, 'settled', 200, 'provider', 'done', '', 'p/m', 1)")
    db.execute("DROP INDEX lines_by_time")
    db.execute(
        f"""WITH RECURSIVE r(n, at, chance) AS (
              SELECT 1, {BEGIN_US}, 12345
              UNION ALL SELECT n + 1, {BEGIN_US} + n * {DAYS * DAY_US // rows}, (chance * 1103515245 + 12345) % 2147483648 FROM r WHERE n < {rows})
            INSERT INTO lines SELECT n, printf('req_%013x%09d', at / 1000, n), 1 + chance / 64 % {KEYS}, at, '[[100,0,40,1000]]', 0, 0, 1,
              at + 2000000, 150000, chance % 1000003 * 1000, chance % 1000003 * 1000, 1 + chance / 4096 % {TARGETS}, at, 9000000, 120, 1000, 1000,
              1 + (chance / 512 % 50 = 0), at + 2000000, printf('chatcmpl-%09d', n), chance % 9000, chance / 16 % 4000, NULL, chance / 32 % 2000,
              NULL, NULL, NULL, chance % 1000003 * 1000, chance % 1000003 * 1000, chance % 1000003 * 1000, NULL, 900, 150000, 2000000, 1, 0 FROM r""")
    db.execute("CREATE INDEX lines_by_time ON lines (sent_at)")
    db.execute("""INSERT INTO sum_groups (key, team, project, route, provider, model, target, usage_source, currency)
                  SELECT DISTINCT a.key, a.team, a.project, a.route, t.provider, t.model, t.target, o.usage_source, o.cost_currency
                  FROM asks a, terms t, outcomes o WHERE o.id > 0""")
    for table, unit in TABLES.items():
        db.execute(
            f"""INSERT INTO {table} SELECT sent_at / {unit} * {unit} AS at, g.id, count(*), count(*), 0, sum(input_tokens), sum(cached_input_tokens),
                  NULL, sum(output_tokens), NULL, NULL, NULL, sum(cost_pico / 1000000000), sum(cost_pico % 1000000000), sum(attempt_usd_pico / 1000000000),
                  sum(attempt_usd_pico % 1000000000), sum(attempt_charge_usd_pico / 1000000000), sum(attempt_charge_usd_pico % 1000000000)
                FROM lines l JOIN asks a ON a.id = l.ask JOIN terms t ON t.id = l.terms JOIN outcomes o ON o.id = l.outcome
                JOIN sum_groups g ON g.key = a.key AND g.team = a.team AND g.project = a.project AND g.route = a.route AND g.provider = t.provider
                  AND g.model = t.model AND g.target = t.target AND g.usage_source = o.usage_source AND g.currency = o.cost_currency
                GROUP BY 1, 2""")
    db.execute("COMMIT")
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    counts = [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("lines", *TABLES)]
    db.close()
    return counts


def best_of(tries, command):
    best = None
    for _ in range(tries):
        begin = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        took = time.monotonic() - begin
        best = took if best is None else min(best, took)
    return best, done.stdout


def main():
    binary, rows = pathlib.Path(sys.argv[1]).resolve(), int(sys.argv[2])
    with tempfile.TemporaryDirectory(prefix="fairlead-reports-") as name:
        folder = pathlib.Path(name)
        create(binary, folder)
        lines, hours, six_hours, days = fill(folder / "ledger.db", rows)
        print(f"{lines} rows; {hours} sums of hours, {six_hours} of six hours and {days} of days; {(folder / 'ledger.db').stat().st_size >> 20} MiB")
        ledger = ["--ledger", f"sqlite:{folder}/ledger.db"]
        for report in REPORTS:
            took, said = best_of(3, [binary, "usage", *ledger, *report])
            print(f"{took:7.3f} s  usage {' '.join(report)}  ({len(said.splitlines())} lines)", flush=True)
        code = 0
        for report in (["--by", "team,model"], ["--by", "day,key", "--zone", "Asia/Kolkata"]):
            as_json = [*report, "--format", "json"]
            took, from_rows = best_of(1, [binary, "usage", *ledger, *as_json, "--from-rows"])
            _, from_sums = best_of(1, [binary, "usage", *ledger, *as_json])
            same = from_rows == from_sums
            print(f"{took:7.3f} s  usage {' '.join(report)} --from-rows: {'the same figures' if same else 'OTHER FIGURES'}")
            code = code if same else 1
        return code


if __name__ == "__main__":
    sys.exit(main())
