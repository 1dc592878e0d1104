"""A daemon between a simulator and scripted providers, audited after every act: the oracles that hold whatever a test is about."""
import json
import urllib.request

from harness import books
from harness.daemon import Fairlead, PROVIDER_KEY, Simulator, config_for
from harness.process import BINARY, wait_until
from harness.upstream import Provider, RATES, cost_at_rates

SANITIZED = any(word in BINARY.read_bytes() for word in (b"__asan_init", b"__tsan_init")) if BINARY.exists() else False
SELF_HOSTED = ("vllm", "sglang", "llamacpp", "ollama", "lmstudio")
PRICE = {"from": "2020-01-01", **{kind: str(rate) for kind, rate in RATES.items()}}


class Stage:
    """`scripted`: name -> profile of providers that the test scripts. Each has the model m at RATES, and a route of its own name without
    fallback; the route `pair` takes them in order, with fallback. Requests are never retried at the same target unless `change` says so."""

    def __init__(self, folder, scripted=None, change=lambda config: None, under=()):
        self.simulator = Simulator(folder)
        self.providers = {name: Provider() for name in scripted or {}}
        config = config_for(self.simulator.url)
        config["limits"] = {"attempts_max": max(1, len(self.providers))}
        config["models"] = {}
        for name, profile in (scripted or {}).items():
            self.add(config, name, profile, self.providers[name].url + "/v1", "m")
        if self.providers:
            config["routes"]["pair"] = {"targets": [f"{name}/m" for name in self.providers], "strategy": "ordered"}
            config["keys"][0]["routes"].append("pair")
        change(config)
        self.priced_here = set()  # models that the configuration prices at RATES, and the simulator not at all
        self.unpriced = set()  # targets
        self.daemon = Fairlead(folder, config, under)
        self.files = self.daemon.open_files()
        self.threads = self._threads()

    @staticmethod
    def add(config, name, profile, url, model, price=PRICE):
        config["providers"][name] = {
            "profile": profile, "base_url": url, "api_key": "${env:FAIRLEAD_TEST_PROVIDER_KEY}", "price_list": name,
            "idle_connection_ms_max": "1s", "operator": "US", "region": "US", "retention": "provider"}
        config["models"][f"{name}/{model}"] = {"prices": [price]} if price else {}
        config["routes"][name] = {"targets": [f"{name}/{model}"], "fallback": False}
        config["keys"][0]["routes"].append(name)

    def _threads(self):
        with open(f"/proc/{self.daemon.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("Threads:"))

    def memory(self, field="VmRSS"):
        """Bytes; VmHWM is the most that there ever was."""
        with open(f"/proc/{self.daemon.process.pid}/status") as status:
            return next(int(line.split()[1]) << 10 for line in status if line.startswith(field + ":"))

    def forget_peak(self):
        """From here on peak_growth() tells of what comes."""
        with open(f"/proc/{self.daemon.process.pid}/clear_refs", "w") as file:
            file.write("5")
        self.at_first = self.memory(), self.memory("RssFile")

    def peak_growth(self):
        """Bytes of memory at the most since forget_peak(), above what there was; without pages of code, which a first request brings in."""
        memory, code = self.at_first
        return self.memory("VmHWM") - memory - max(0, self.memory("RssFile") - code)

    def last(self, count=1):
        """The last requests that the simulator received, oldest first."""
        with urllib.request.urlopen(f"{self.simulator.url}/_sim/last?n={count}", timeout=60) as answer:
            return json.load(answer)

    def bill(self):
        lines = [self._reprice(line) for line in self.simulator.bill()]
        for provider in self.providers.values():
            lines += provider.bill()
        return lines

    def _reprice(self, line):
        if line["model"] not in self.priced_here:
            return line
        return {**line, "cost": cost_at_rates(line["prompt_tokens"], line["cached_tokens"], line["completion_tokens"])}

    def settled(self):
        """The ledger, once nothing is open and every attempt that reached a provider is in a bill."""
        def read():
            ledger = self.daemon.ledger()
            reached = [a for a in ledger.attempts if a["status"] or a["unconfirmed"]]
            return ledger.all_settled() and len(self.bill()) >= len(reached) and ledger

        return wait_until(read, "the rows and the bills")

    def rows(self, answer):
        """The row of a request and those of its attempts."""
        ledger = self.settled()
        return ledger.request(answer.request_id), ledger.attempts_of(answer.request_id)

    def audit(self):
        """I1, I2, I5, and that every answer which the test scripted was asked for."""
        ledger = self.settled()
        for attempt in ledger.attempts:
            if attempt["target"] in self.unpriced and attempt["usage_source"] != "none":
                assert attempt["usd_pico"] is None and attempt["cost_pico"] is None and attempt["price"] == "", "an invented price"
                attempt["usd_pico"] = 0  # what the bill says of a model without a price
        books.expect_balance(ledger, self.bill())
        for name, provider in self.providers.items():
            provider.expect_nothing_unasked()
            assert not provider.forget_unplayed(), f"{name} was not asked as often as the test foresaw"
            for request in provider.requests:
                assert request.field("authorization") == "Bearer " + PROVIDER_KEY

    def close(self):
        """The audit, I6, and I4; then all ends."""
        try:
            if self.daemon.process.returncode is None:
                self.audit()
                wait_until(lambda: self.daemon.open_files() <= self.files, "connections to close")
                assert self._threads() == self.threads
        finally:
            for provider in self.providers.values():
                provider.stop()
            self.daemon.stop() if self.daemon.process.returncode is None else self.daemon.expect_no_report()
            self.simulator.stop()
        self.daemon.expect_no_secrets()
