"""The bench itself: a mock upstream, programs under test, load; each on its core, all ended by their pids."""
import ctypes
import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

import machine
from targets import KEY, ROOT, Target, Upstream

PROXY_CORE, RIG_CORE = 0, os.cpu_count() - 1
PARENT_DEATH_SIGNAL = 1  # of prctl
LIBC = ctypes.CDLL(None)


class Broken(Exception):
    """A program of the rig did not do what it should."""


def open_files_max():
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def connects(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def make_certificate(certificate, key):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True, stdin=subprocess.DEVNULL)


class Rig:
    """`tools`: the folder of mock_upstream and load. `out`: where results go; the programs run in a folder of its own below it.
    `nice`: of its programs, where the kernel shares the cores out by session (autogroups); None: as other sessions."""

    def __init__(self, tools, out, nice=None):
        out.mkdir(parents=True, exist_ok=True)
        self.tools, self.folder = tools, pathlib.Path(tempfile.mkdtemp(prefix="run-", dir=out)).resolve()
        self.folder.chmod(0o755)
        self.processes = []
        if nice is not None:  # all of it is one session, so that nothing within it is nicer than the rest
            if os.getsid(0) != os.getpid():
                os.setsid()
            pathlib.Path("/proc/self/autogroup").write_text(str(nice))
        certificate, key = self.folder / "mock.pem", self.folder / "mock.key"
        make_certificate(certificate, key)
        command = [tools / "mock_upstream", "--certificate", certificate, "--key", key]
        self.mock = self.spawn(command, {RIG_CORE}, stdout=subprocess.PIPE)
        ports = json.loads(self.mock.stdout.readline())
        self.upstream = Upstream(ports["port"], ports["tls_port"], certificate)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes[:]):
            self.end(process)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- processes

    def spawn(self, command, cores, cwd=None, env=None, stdout=None):
        def prepare():
            os.sched_setaffinity(0, cores)
            LIBC.prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)
            resource.setrlimit(resource.RLIMIT_NOFILE, (open_files_max(), open_files_max()))

        command, cwd = [str(part) for part in command], cwd or self.folder
        with open(cwd / f"{pathlib.Path(command[0]).name}.err", "a") as log:
            process = subprocess.Popen(command, preexec_fn=prepare, cwd=cwd, env={**os.environ, **(env or {})},
                                       stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log)
        self.processes.append(process)
        return process

    def end(self, process, patience=5):
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.remove(process)

    def start(self, make, cores=frozenset({PROXY_CORE}), settle=0.3, **options):
        """A program in a fresh folder of its own, once it listens."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        target = make(folder, self.upstream, open_files_max(), **options)
        running = Running(self, target, self.spawn(target.command, cores, folder, target.env), folder)
        running.wait_until_it_listens()
        time.sleep(settle)
        return running

    def direct(self):
        """No program in between. The load speaks no TLS, so there is a plain way alone."""
        return Running(self, Target("direct", [], self.upstream.port, self.upstream.port), None, None)

    # --- work

    def set_mock(self, settings=""):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.upstream.port}/config?{settings}", timeout=10) as answer:
            return json.load(answer)

    def load(self, running, arguments, tls=False, seconds=3, cores=frozenset({RIG_CORE})):
        """The result of one run of `load`, with the share of cores that others used meanwhile."""
        target, pids = running.target, running.pids()
        command = [self.tools / "load", "--url", f"http://127.0.0.1:{target.tls_port if tls else target.port}{target.path}",
                   "--model", target.tls_model if tls else target.model, "--seconds", seconds, *arguments]
        for header in (f"Authorization: Bearer {KEY}", *(target.tls_headers if tls else target.headers)):
            command += ["--header", header]
        watched = {"mock": [self.mock.pid], **({"proxy": pids} if pids else {})}
        for name, watched_pids in watched.items():
            command += ["--watch", f"{name}={','.join(map(str, watched_pids))}"]
        ours = [*pids, self.mock.pid]
        own_before, busy_before, began = machine.cpu_ns(ours), machine.busy_ns(), time.monotonic()
        process = self.spawn(command, cores, stdout=subprocess.PIPE)
        try:
            output = process.communicate(timeout=seconds + 60)[0]
        finally:
            self.end(process)
        if process.returncode != 0:
            raise Broken(f"load failed: {(self.folder / 'load.err').read_text()}")
        result = json.loads(output)
        wall_ns = (time.monotonic() - began) * 1e9
        own = machine.cpu_ns(ours) - own_before + result["load_cpu_us"] * 1e3 * wall_ns / (result["seconds"] * 1e9)
        result["foreign_cores"] = round(max(0.0, (machine.busy_ns() - busy_before - own) / wall_ns), 3)
        return result

    def foreign_cores(self, seconds=0.5):
        """Cores that others use while this bench rests."""
        ours = [process.pid for process in self.processes]
        own, busy, began = machine.cpu_ns(ours), machine.busy_ns(), time.monotonic()
        time.sleep(seconds)
        return (machine.busy_ns() - busy - (machine.cpu_ns(ours) - own)) / ((time.monotonic() - began) * 1e9)


class Running:
    """A program under test, or none (`direct`)."""

    def __init__(self, rig, target, process, folder):
        self.rig, self.target, self.process, self.folder = rig, target, process, folder

    def pids(self):
        return machine.family(self.process.pid) if self.process else []

    def pss_kib(self):
        return machine.kib_of(self.pids(), "Pss")

    def wait_until_it_listens(self):
        end = time.monotonic() + self.target.patience
        while not connects(self.target.port):
            if self.process.poll() is not None or time.monotonic() > end:
                logs = "\n".join(file.read_text(errors="replace")[-2000:] for file in self.folder.glob("*.err"))
                raise Broken(f"{self.target.name} does not listen. It said:\n{logs}")
            time.sleep(0.01)

    def end(self, patience=5):
        if self.process:
            self.rig.end(self.process, patience)


def tools_folder():
    return ROOT / "build/release/tests/bench"
