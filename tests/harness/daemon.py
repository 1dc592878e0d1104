"""A fairlead and a simulator, each with what a test needs to know of it."""
import copy
import hashlib
import json
import signal
import urllib.error
import urllib.request

from harness import books
from harness.process import PATIENCE, Program, wait_until

CLIENT_KEY = "sk-fl-canary-of-the-app-7f3a9c"
OTHER_KEY = "sk-fl-canary-of-the-other-11d2"
PROVIDER_KEY = "sk-canary-of-the-provider-5b8e1f"
PROMPT_CANARY = "canary-of-the-prompt-c0ffee"
SECRETS = (CLIENT_KEY, OTHER_KEY, PROVIDER_KEY)

TARGETS = {"deepseek": "deepseek/deepseek-flash", "qwen": "qwen/qwen3.8-flash", "openai": "openai/gpt-6-luna"}
PATHS = {"deepseek": "/deepseek", "qwen": "/qwen/compatible-mode/v1", "openai": "/openai/v1"}
HOMES = {"deepseek": "CN", "qwen": "SG", "openai": "US"}


def sha256(key):
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


class Simulator(Program):
    def __init__(self, folder, *options):
        self.bill_file = folder / "bill.jsonl"
        super().__init__(["simulate", "--listen", "127.0.0.1:0", "--bill", self.bill_file, *options], cwd=folder)
        self.url = "http://" + self.wait_for("listening")["address"]

    def bill(self, at_least=0):
        """The lines written so far, once there are as many: each is written when its attempt has ended, which may be after the app's answer."""
        def read():
            lines = books.read_bill(self.bill_file)
            return len(lines) >= at_least and (lines,)

        return wait_until(read, f"{at_least} lines in the bill")[0]


def config_for(simulator_url):
    """Three providers; the routes `chat` (cheapest), `ordered`, and one for each provider alone. JSON is YAML."""
    everything = list(TARGETS.values())
    return {
        "listen": ["127.0.0.1:0"],
        "admin": "127.0.0.1:0",
        "ledger": "sqlite:ledger.db",
        "workers": 2,
        "log": {"requests": "all"},
        "providers": {
            name: {
                "profile": name,
                "base_url": simulator_url + PATHS[name],
                "api_key": "${env:FAIRLEAD_TEST_PROVIDER_KEY}",
                "operator": HOMES[name],
                "region": HOMES[name],
                "retention": "provider",
                "idle_connection_ms_max": "1s",
            } for name in TARGETS
        },
        "routes": {
            "chat": {"targets": everything, "strategy": "cheapest"},
            "ordered": {"targets": everything, "strategy": "ordered"},
            **{name: {"targets": [target], "fallback": False} for name, target in TARGETS.items()},
        },
        "policies": [
            {"name": "us-only", "when": {"team": ["treasury"]}, "allow": {"operator": ["US"]}, "reason": "a test of policies"},
        ],
        "keys": [
            {"name": "app", "hash": sha256(CLIENT_KEY), "team": "payments", "routes": ["chat", "ordered", *TARGETS], "targets": True},
            {"name": "other", "hash": sha256(OTHER_KEY), "team": "treasury", "routes": ["chat", "deepseek"]},
        ],
    }


class Fairlead(Program):
    def __init__(self, folder, config, under=()):
        self.folder, self.config, self.config_file = folder, config, folder / "fairlead.yaml"
        self.ledger_file = folder / "ledger.db"
        self.key = CLIENT_KEY
        self.write_config(config)
        super().__init__(["serve", "--config", self.config_file], cwd=folder, env={"FAIRLEAD_TEST_PROVIDER_KEY": PROVIDER_KEY}, under=under)
        self.address = self.wait_for("listening", side="apps")["address"]
        self.admin = self.wait_for("listening", side="admin")["address"]
        self.wait_for("ready")
        self.base_url = f"http://{self.address}/v1"

    def write_config(self, config):
        self.config_file.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))

    def changed_config(self):
        return copy.deepcopy(self.config)

    def reload(self, config, event="reloaded"):
        """Writes the file and sends SIGHUP; gives the log line that tells the outcome."""
        seen = len(self.events(event))
        self.write_config(config)
        self.signal(signal.SIGHUP)
        return self.wait_for(event, count=seen + 1)

    def put_config(self, config):
        """Puts the file in place whole, as who reloads by the admin side or by a watch must."""
        new = self.folder / "fairlead.yaml.new"
        new.write_text(config if isinstance(config, str) else json.dumps(config, indent=1))
        new.rename(self.config_file)

    def admin_reload(self, config):
        """Puts the file in place and asks for a reload by the admin side; gives the outcome, which holds by then."""
        self.put_config(config)
        status, body = self.admin_post("/admin/v1/reload")
        outcome = json.loads(body)
        assert status == (200 if outcome["result"] == "taken" else 422), body
        return outcome

    def admin_get(self, path):
        """Status and text of the admin side."""
        return self._ask_admin(urllib.request.Request(f"http://{self.admin}{path}"))

    def admin_post(self, path, fields=None):
        return self._ask_admin(urllib.request.Request(f"http://{self.admin}{path}", data=b"", headers=fields or {}, method="POST"))

    @staticmethod
    def _ask_admin(request):
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def budgets(self):
        """By their names."""
        status, body = self.admin_get("/admin/v1/budgets")
        assert status == 200
        return {budget["budget"]: budget for budget in json.loads(body)["budgets"]}

    def gauge(self, name):
        text = self.admin_get("/metrics")[1]
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))

    def is_fed(self):
        """Has the database all that the journal has? A daemon that ended has seen to it."""
        try:
            return self.process.poll() is not None or self.gauge("fairlead_ledger_unfed_rows") == 0
        except OSError:  # the admin side is closed: it is about to end
            return False

    def ledger(self):
        """The rows: all that were acknowledged before the call, and perhaps more."""
        wait_until(self.is_fed, "the database to have the journal's rows")
        return books.Ledger(self.ledger_file)

    def expect_no_secrets(self):
        """Oracle I4: no secret and no prompt in the log, the metrics or the ledger."""
        places = {"log": self.output.encode()}
        if self.process.poll() is None:
            places["metrics"] = self.admin_get("/metrics")[1].encode()
        for file in self.folder.glob("ledger.db*"):
            places[file.name] = file.read_bytes()
        for name, content in places.items():
            for secret in (*SECRETS, PROMPT_CANARY):
                assert secret.encode() not in content, f"{secret} is in the {name}"
