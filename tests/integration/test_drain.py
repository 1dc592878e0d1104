"""SIGTERM: what is under way may finish, nothing new is taken, the books are settled, and the exit code is 0."""
import signal
import threading

from harness import books
from harness.http import chat, post_chat
from harness.process import wait_until


def in_background(daemon, body):
    """A request under way, once its attempt is in the books; join() gives its answer."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(post_chat(daemon, body)))
    thread.start()
    wait_until(lambda: daemon.ledger().attempts, "the attempt to begin")
    return lambda: (thread.join(), answers[0])[1]


def is_turned_away(daemon):
    try:
        return post_chat(daemon, chat("too late")).status in (0, 503)
    except ConnectionError:
        return True


def test_a_stream_under_way_finishes(daemon):
    join = in_background(daemon, chat("[[sim chunks=100 chunk_ms=20]] a long story", stream=True))
    daemon.signal(signal.SIGTERM)
    daemon.wait_for("draining")
    answer = join()
    assert answer.complete and answer.events()[-1] == "[DONE]"
    assert daemon.wait() == 0
    ledger = daemon.ledger()
    assert ledger.all_settled() and ledger.attempts[0]["usage_source"] == "reported"


def test_a_draining_daemon_is_not_ready_and_takes_nobody_in(daemon):
    join = in_background(daemon, chat("[[sim chunks=100 chunk_ms=20]] a long story", stream=True))
    daemon.signal(signal.SIGTERM)
    daemon.wait_for("draining")
    assert daemon.admin_get("/readyz")[0] == 503
    wait_until(lambda: is_turned_away(daemon), "the door to close")
    assert join().complete
    assert daemon.wait() == 0


def test_an_endless_stream_is_cut_at_the_limit_with_an_honest_end(start, simulator):
    daemon = start(lambda config: config.update(limits={"drain_ms_max": "300ms"}))
    join = in_background(daemon, chat("[[sim endless chunk_ms=10]] forever", stream=True))
    daemon.signal(signal.SIGTERM)
    answer = join()
    assert daemon.wait() == 0
    assert b"[DONE]" not in answer.body
    ledger = daemon.ledger()
    assert ledger.all_settled()
    (attempt,) = ledger.attempts
    assert attempt["usage_source"] == "estimated" and attempt["usd_pico"] > 0 and attempt["ended_by"] == "fairlead"
    books.expect_balance(ledger, wait_until(simulator.bill, "the bill"))


def test_a_second_signal_ends_what_is_under_way_at_once(start, simulator):
    daemon = start(lambda config: config.update(limits={"drain_ms_max": "1h"}))
    join = in_background(daemon, chat("[[sim endless chunk_ms=10]] forever", stream=True))
    daemon.signal(signal.SIGTERM)
    daemon.wait_for("draining")
    wait_until(lambda: (daemon.signal(signal.SIGTERM), daemon.events("drain_cut"))[1], "the second signal to count")
    answer = join()
    assert daemon.wait() == 0
    assert b"[DONE]" not in answer.body and b'"error"' in answer.body
    assert len(daemon.events("drain_cut")) == 1
    ledger = daemon.ledger()
    assert ledger.all_settled()
    (attempt,) = ledger.attempts
    assert attempt["usage_source"] == "estimated" and attempt["ended_by"] == "fairlead"
    books.expect_balance(ledger, wait_until(simulator.bill, "the bill"))


def test_an_idle_daemon_stops_at_once(daemon):
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_signals_in_quick_succession_are_one(start):
    for _ in range(20):
        daemon = start()
        daemon.signal(signal.SIGINT)
        daemon.signal(signal.SIGTERM)
        assert daemon.wait() == 0
