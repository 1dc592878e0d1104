"""The programs under test, each with one worker, set up to do the least that they can, but for fairlead, which does all that it does."""
import dataclasses
import hashlib
import json
import os
import pathlib
import socket

ROOT = pathlib.Path(__file__).resolve().parents[2]
KEY = "sk-bench-0123456789abcdef0123456789abcdef"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclasses.dataclass
class Target:
    """How to start a program, and how to ask it."""
    name: str
    command: list
    port: int
    tls_port: int | None  # where requests come out at the mock's TLS side; None: that is not tried
    path: str = "/v1/chat/completions"
    model: str = "mock-model"
    tls_model: str = "mock-model"
    headers: tuple = ()
    tls_headers: tuple = ()
    env: dict = dataclasses.field(default_factory=dict)
    admin_port: int | None = None
    patience: float = 20  # seconds until it listens


@dataclasses.dataclass(frozen=True)
class Upstream:
    port: int
    tls_port: int
    certificate: pathlib.Path


NGINX = """daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log error; worker_rlimit_nofile {files};
events {{ worker_connections 65536; }}
http {{
  access_log off; client_max_body_size 64m; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_timeout 1h; keepalive_requests 100000000; client_body_buffer_size 256k;
  upstream plain {{ server 127.0.0.1:{mock} max_fails=0; keepalive 10000; keepalive_requests 100000000; keepalive_timeout 1h; }}
  upstream tls {{ server 127.0.0.1:{mock_tls} max_fails=0; keepalive 10000; keepalive_requests 100000000; keepalive_timeout 1h; }}
  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 1h;
  server {{ listen 127.0.0.1:{port} backlog=8192; location / {{ proxy_pass http://plain; }} }}
  server {{ listen 127.0.0.1:{tls_port} backlog=8192; location / {{ proxy_pass https://tls; }} }}
}}
"""

HAPROXY = """global
  nbthread 1
  maxconn {streams}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  http-reuse always
  option http-no-delay
frontend plain
  bind 127.0.0.1:{port} backlog 8192
  default_backend plain
frontend tls
  bind 127.0.0.1:{tls_port} backlog 8192
  default_backend tls
backend plain
  server s 127.0.0.1:{mock} pool-max-conn 10000 pool-purge-delay 1h
backend tls
  server s 127.0.0.1:{mock_tls} ssl verify none pool-max-conn 10000 pool-purge-delay 1h
"""


def written(folder, name, template, upstream, files, **values):
    file = folder / name
    values.update(folder=folder, mock=upstream.port, mock_tls=upstream.tls_port, files=files, streams=(files - 200) // 2)
    file.write_text(template.format(**values))
    return file


def nginx(folder, upstream, files):
    port, tls_port = free_port(), free_port()
    config = written(folder, "nginx.conf", NGINX, upstream, files, port=port, tls_port=tls_port)
    return Target("nginx", ["nginx", "-c", config, "-e", folder / "nginx.log"], port, tls_port)


def haproxy(folder, upstream, files):
    port, tls_port = free_port(), free_port()
    config = written(folder, "haproxy.cfg", HAPROXY, upstream, files, port=port, tls_port=tls_port)
    return Target("haproxy", ["haproxy", "-db", "-f", config], port, tls_port)


def fairlead_config(upstream, port, admin_port, workers, ledger_sync):
    """Everything on: a key, two policies, prices, the ledger, metrics. JSON is YAML."""
    def provider(scheme, mock_port):
        return {"profile": "generic", "base_url": f"{scheme}://127.0.0.1:{mock_port}/v1",
                "api_key": "${env:FAIRLEAD_BENCH_PROVIDER_KEY}", "price_list": "bench", "operator": "EU", "region": "EU", "retention": "none",
                "idle_connections_max": 10000, "idle_connection_ms_max": "1h"}

    price = {"from": "2020-01-01", "input": "0.15", "cached_input": "0.015", "output": "0.6"}
    return {
        "listen": [f"127.0.0.1:{port}"],
        "admin": f"127.0.0.1:{admin_port}",
        "ledger": "sqlite:ledger.db",
        "ledger_sync": ledger_sync,
        "workers": workers,
        "log": {"requests": "none"},
        "limits": {"keep_alive_ms_max": "1h"},
        "providers": {"mock": provider("http", upstream.port),
                      "mocktls": {**provider("https", upstream.tls_port), "ca_file": str(upstream.certificate)}},
        "models": {"bench/mock-model": {"origin": "EU", "prices": [price]}},
        "routes": {"plain": {"targets": ["mock/mock-model"]}, "tls": {"targets": ["mocktls/mock-model"]}},
        "policies": [{"name": "nobody-trains", "deny": {"retention": ["trains"]}},
                     {"name": "at-home", "when": {"team": ["bench"]}, "allow": {"region": ["EU"], "operator": ["EU"]}}],
        "keys": [{"name": "bench", "hash": f"sha256:{hashlib.sha256(KEY.encode()).hexdigest()}", "team": "bench",
                  "routes": ["plain", "tls"]}],
    }


def fairlead(folder, upstream, files, workers=1, ledger_sync="disk"):
    del files
    port, admin_port = free_port(), free_port()
    config = folder / "fairlead.yaml"
    config.write_text(json.dumps(fairlead_config(upstream, port, admin_port, workers, ledger_sync), indent=1))
    return Target("fairlead", [binary(), "serve", "--config", config], port, port, model="plain", tls_model="tls",
                  env={"FAIRLEAD_BENCH_PROVIDER_KEY": "sk-provider"}, admin_port=admin_port)


def fairlead_os(folder, upstream, files):
    """The same, with nothing that waits for the disk."""
    return dataclasses.replace(fairlead(folder, upstream, files, ledger_sync="os"), name="fairlead-os")


def litellm(folder, upstream, files):
    """A proxy with one key, from a virtual environment of its own in .cache."""
    del files
    port, config = free_port(), folder / "litellm.yaml"

    def model(name, scheme, mock_port):
        return {"model_name": name, "litellm_params": {"model": "openai/mock-model", "api_key": "sk-provider",
                                                       "api_base": f"{scheme}://127.0.0.1:{mock_port}/v1"}}

    models = [model("plain", "http", upstream.port), model("tls", "https", upstream.tls_port)]
    config.write_text(json.dumps({"model_list": models, "general_settings": {"master_key": KEY}}))
    command = [ROOT / ".cache/litellm/bin/litellm", "--config", config, "--host", "127.0.0.1", "--port", port,
               "--num_workers", 1, "--telemetry", False]
    return Target("litellm", command, port, port, model="plain", tls_model="tls", patience=120,
                  env={"SSL_CERT_FILE": str(upstream.certificate), "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"})


def portkey(folder, upstream, files):
    """A gateway on Node, from .cache. It takes the provider's address from headers, and knows no keys of its own."""
    del folder, files
    def headers(scheme, mock_port):
        return ("x-portkey-provider: openai", f"x-portkey-custom-host: {scheme}://127.0.0.1:{mock_port}/v1")

    port = free_port()
    on_loopback = pathlib.Path(__file__).with_name("loopback.cjs")
    server = ROOT / ".cache/portkey/node_modules/@portkey-ai/gateway/build/start-server.js"
    command = ["node", "--require", on_loopback, server, "--headless", f"--port={port}"]
    return Target("portkey", command, port, port, headers=headers("http", upstream.port), tls_headers=headers("https", upstream.tls_port),
                  env={"NODE_ENV": "production", "NODE_EXTRA_CA_CERTS": str(upstream.certificate)})


def binary():
    return pathlib.Path(os.environ.get("FAIRLEAD_BIN", ROOT / "build/release/fairlead")).resolve()


TARGETS = {"nginx": nginx, "haproxy": haproxy, "fairlead": fairlead, "fairlead-os": fairlead_os, "litellm": litellm, "portkey": portkey}
