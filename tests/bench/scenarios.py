"""What is sent, and how the mock answers it."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Scenario:
    text: str
    load: tuple                   # arguments of `load`
    mock: str                     # settings of the mock
    connections: int
    rate: int | None = None       # requests a second of the open loop; None: closed loop alone
    tls: bool = False             # the upstream side
    streams: float | None = None  # seconds to measure many open streams, each time by fresh processes
    ramp: float = 0.0             # seconds over which connections are opened

    def run_seconds(self, seconds):
        """About how long a run takes, with its start and the reading of counters."""
        return self.ramp + (self.streams or seconds) + (2.5 if self.streams else 1.0)


BUFFERED = "answer_bytes=1024&delay_us=0"
AT_ONCE = "chunks=100&interval_us=0&delay_us=0"
SLOWLY = "chunks=50&interval_us=400000&delay_us=0"

SCENARIOS = {
    "S1": Scenario("1 KB in, 1 KB out", ("--body", "1024"), BUFFERED, 32, rate=500),
    "S2": Scenario("as S1, TLS upstream", ("--body", "1024"), BUFFERED, 32, rate=500, tls=True),
    "S3": Scenario("a stream of 100 chunks, back to back", ("--stream",), AT_ONCE, 16, rate=30),
    "S5": Scenario("100 KB in, 1 KB out", ("--body", "100000"), BUFFERED, 8, rate=100),
    "S6": Scenario("1 MB in, 1 KB out", ("--body", "1000000"), BUFFERED, 4, rate=20),
    "S6t": Scenario("as S6, TLS upstream", ("--body", "1000000"), BUFFERED, 4, rate=20, tls=True),
    "S4a": Scenario("1,000 open streams, 200 tokens at 20 ms", ("--stream", "--warmup", "1"),
                    "chunks=200&interval_us=20000&delay_us=0", 1000, streams=5, ramp=2),
    "S4b": Scenario("9,800 open streams, 50 tokens at 400 ms", ("--stream", "--warmup", "1"), SLOWLY, 9800, streams=8, ramp=8),
    "S4c": Scenario("as S4b, TLS upstream", ("--stream", "--warmup", "1"), SLOWLY, 9800, tls=True, streams=8, ramp=12),
}
SHORT = ("S1", "S2", "S3", "S5", "S6", "S4a")
