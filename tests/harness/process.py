"""Child processes whose output is read as it comes."""
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("FAIRLEAD_BIN", ROOT / "build/dev/fairlead")).resolve()
# Sanitized builds on busy machines are slow; a wait that ends well ends at once.
PATIENCE = 60
SANITIZER_WORDS = ("Sanitizer", "runtime error:")


def wait_until(condition, what, seconds=PATIENCE):
    """Polls until `condition()` is true, and gives its value."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        time.sleep(0.01)


class Program:
    """One run of the binary; every line of its stdout and stderr is kept."""

    def __init__(self, arguments, cwd, env=None, under=()):
        """`under`: a command that becomes the program, such as one that changes what the kernel says to it."""
        self.lines = []
        self._changed = threading.Condition()
        self.process = subprocess.Popen(
            [*map(str, under), str(BINARY), *map(str, arguments)], cwd=cwd, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")
        self._readers = [threading.Thread(target=self._read, args=(pipe,), daemon=True)
                         for pipe in (self.process.stdout, self.process.stderr)]
        for reader in self._readers:
            reader.start()

    def _read(self, pipe):
        for line in pipe:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    @property
    def output(self):
        return "\n".join(self.lines)

    def events(self, event):
        """The JSON lines of this event so far."""
        found = []
        for line in list(self.lines):
            if line.startswith("{"):
                fields = json.loads(line)
                if fields.get("event") == event:
                    found.append(fields)
        return found

    def wait_for(self, event, count=1, **fields):
        """The count-th JSON line of this event with these fields."""
        def matching():
            return [e for e in self.events(event) if all(e.get(k) == v for k, v in fields.items())]

        end = time.monotonic() + PATIENCE
        with self._changed:
            while len(matching()) < count:
                left = end - time.monotonic()
                assert left > 0 and self.process.poll() is None, f"no event '{event}' {fields}; its output:\n{self.output}"
                self._changed.wait(min(left, 0.5))
            return matching()[count - 1]

    def wait(self):
        """The exit code, once all output is read."""
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"it did not end within {PATIENCE} s; its output:\n{self.output}") from None
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM must end it cleanly, without a word from a sanitizer."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        code = self.wait()
        self.expect_no_report()
        assert code == 0, f"exit code {code}; its output:\n{self.output}"

    def kill(self):
        """SIGKILL; nothing is expected of it but what it had said before."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
        self.expect_no_report()

    def expect_no_report(self):
        reports = [line for line in self.lines if any(word in line for word in SANITIZER_WORDS)]
        assert not reports, f"a sanitizer reports:\n{self.output}"

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


def run(*arguments, cwd=None, env=None):
    """Runs a command of the binary to its end."""
    done = subprocess.run([str(BINARY), *map(str, arguments)], cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=PATIENCE)
    assert not any(word in done.stderr for word in SANITIZER_WORDS), done.stderr
    return done
