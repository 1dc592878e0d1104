"""Security, as an attacker would try it: at the door, through the routing, at the provider's side, and in what is said and kept."""
import asyncio
import base64
import contextlib
import json
import os
import pathlib
import re
import sqlite3
import urllib.parse

import pytest

from harness import books
from harness.daemon import CLIENT_KEY, OTHER_KEY, PROMPT_CANARY, PROVIDER_KEY, TARGETS, config_for
from harness.http import Connection, chat, post_chat, request_bytes, send, text_of
from harness.process import run, wait_until
from harness.street import Recorder, completion, config_of, expect_openai_error, http_answer, serving, talk

pytestmark = pytest.mark.alone

HELLO = chat(f"hello {PROMPT_CANARY}", "all")


async def ask_all(daemon, requests):
    """Each request on one of some kept connections. The answers, in the order of the requests."""
    waiting = list(enumerate(requests))[::-1]
    answers = [None] * len(requests)

    async def app():
        connection = Connection(daemon.address)
        while waiting:
            number, request = waiting.pop()
            answers[number] = await asyncio.wait_for(connection.exchange(request), 60)
        connection.close()

    await asyncio.gather(*(app() for _ in range(8)))
    return answers


# --- who gets in ---

PATHS = ["/v1/chat/completions", "/v1/models", "/v1/models/chat", "/v1", "/", "/v1/chat/completions/", "/v1/completions", "/v1/embeddings",
         "/v1/responses", "/v1/keys", "/admin", "/healthz", "/readyz", "/metrics", "/config", "/ledger", "/_sim/last", "/debug/pprof",
         "/favicon.ico", "/v1/models/", "/v1/models/deepseek%2Fdeepseek-flash"]
WRONG_KEYS = {
    "none": [], "empty": ["Bearer "], "only the scheme": ["Bearer"], "wrong": ["Bearer sk-fl-wrong"], "half": [f"Bearer {CLIENT_KEY[:-1]}"],
    "longer": [f"Bearer {CLIENT_KEY}x"], "other scheme": [f"Basic {CLIENT_KEY}"], "no scheme": [CLIENT_KEY],
    "the hash": ["Bearer sha256:" + "0" * 64],
    "two in one": [f"Bearer x, Bearer {CLIENT_KEY}"], "other case": [f"Bearer {CLIENT_KEY.upper()}"], "quoted": [f'Bearer "{CLIENT_KEY}"'],
    "two blanks": [f"Bearer  {CLIENT_KEY}"], "escaped": [f"Bearer {CLIENT_KEY.replace('-', '%2D')}"],
    "the provider's": [f"Bearer {PROVIDER_KEY}"],
    "the name": ["Bearer app"], "null": ["Bearer null"], "long": ["Bearer " + "x" * 5000],
}


def test_no_path_opens_without_a_key_M53(daemon, simulator):
    for path in PATHS:
        for method, body in (("GET", None), ("POST", chat("hello"))):
            for kind, values in WRONG_KEYS.items():
                answer = send(daemon.address, method, path, body=body, fields=[("Authorization", value) for value in values])
                expected = {401, 404, 405} if path in PATHS[:3] or path.startswith("/v1/models/") else {404}
                assert answer.status in expected, (method, path, kind, answer.status)
                expect_openai_error(answer, answer.status)
    assert daemon.ledger().requests == [] and simulator.bill() == []


def test_keys_in_other_places_are_no_keys_M53(daemon):
    for fields in ([("X-Api-Key", CLIENT_KEY)], [("Api-Key", CLIENT_KEY)], [("Cookie", f"key={CLIENT_KEY}")],
                   [("Proxy-Authorization", f"Bearer {CLIENT_KEY}")]):
        assert post_chat_without_key(daemon, fields).status == 401
    for path in (f"/v1/models?api_key={CLIENT_KEY}", f"/v1/models?key={CLIENT_KEY}", f"/v1/models?access_token={CLIENT_KEY}"):
        assert send(daemon.address, "GET", path).status == 401


def post_chat_without_key(daemon, fields=()):
    return send(daemon.address, "POST", "/v1/chat/completions", None, chat("hello"), fields)


def test_another_key_gets_its_own_and_nothing_of_others_M53(daemon, simulator):
    mine = {model["id"] for model in send(daemon.address, "GET", "/v1/models", OTHER_KEY).json()["data"]}
    assert mine == {"chat", "deepseek"}
    for model in ("ordered", "qwen", "openai", *TARGETS.values()):
        assert post_chat(daemon, chat("hello", model), OTHER_KEY).status == 404
        assert send(daemon.address, "GET", "/v1/models/" + urllib.parse.quote(model, ""), OTHER_KEY).status == 404
    assert simulator.bill() == []


def test_a_refused_key_hears_one_constant_answer_M57(daemon):
    seen, ids = set(), []
    for values in WRONG_KEYS.values():
        for method, path, body in (("POST", "/v1/chat/completions", chat("hello")), ("GET", "/v1/models", None),
                                   ("GET", "/v1/models/chat", None)):
            answer = send(daemon.address, method, path, body=body, fields=[("Authorization", value) for value in values])
            assert answer.status == 401
            seen.add((answer.body, tuple(sorted(set(answer.fields) - {"date"}))))
            ids.append(answer.request_id)
    ((body, fields),) = seen
    assert len(set(ids)) == len(ids), "an id is each answer's own, and stands in the head alone"
    assert json.loads(body)["error"]["code"] == "invalid_api_key"
    assert fields == ("content-length", "content-type", "www-authenticate", "x-request-id", "x-should-retry")
    assert not any(word in body.lower() for word in (b"fairlead", b"sha256", b"hash", b"sk-", b"database"))


def test_every_error_has_an_id_of_its_own_also_where_no_row_is_written(daemon):
    """M57: the body stays constant; the id is in the head, for whoever reports the answer."""
    asked = [("GET", "/nothing", CLIENT_KEY, None, 404), ("PUT", "/v1/chat/completions", CLIENT_KEY, None, 405),
             ("GET", "/v1/models/none", CLIENT_KEY, None, 404), ("POST", "/v1/chat/completions", "sk-wrong", chat("x"), 401),
             ("POST", "/v1/chat/completions", CLIENT_KEY, b"no JSON", 400)]
    answers = [(send(daemon.address, method, path, key, body), status) for method, path, key, body, status in asked]
    answers.append((talk(daemon.address, b"GARBAGE\r\n\r\n")[0], 400))
    answers.append((talk(daemon.address, b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + 70_000 * b"x" + b"\r\n\r\n")[0], 431))
    for answer, status in answers:
        assert answer.status == status and re.fullmatch("req_[0-9a-f]{32}", answer.request_id), answer
    assert len({answer.request_id for answer, _ in answers}) == len(answers)


def test_no_answer_names_the_software_or_its_version_M57(daemon):
    for answer in (post_chat(daemon, chat("hello")), post_chat_without_key(daemon), send(daemon.address, "GET", "/nothing"),
                   talk(daemon.address, b"GARBAGE\r\n\r\n")[0]):
        assert not {"server", "via", "x-powered-by"} & set(answer.fields)


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:9090", "[2001:db8::1]:9090"])
def test_an_admin_side_beyond_loopback_is_refused_M53(tmp_path, address):
    config = config_for("http://127.0.0.1:1")
    config["admin"] = address
    (tmp_path / "fairlead.yaml").write_text(json.dumps(config, indent=1))
    environment = {"FAIRLEAD_TEST_PROVIDER_KEY": "x"}
    served = run("serve", "--config", tmp_path / "fairlead.yaml", cwd=tmp_path, env=environment)
    assert served.returncode == 1 and "loopback" in served.stderr and "ready" not in served.stderr
    assert not (tmp_path / "ledger.db").exists(), "it is found before anything is touched"
    checked = run("check", tmp_path / "fairlead.yaml", env=environment)
    said = checked.stdout + checked.stderr
    assert checked.returncode == 1 and "fairlead.yaml:5:" in said and "loopback" in said


# --- where a request goes ---

def test_a_denied_model_is_not_reached_under_any_name_M50(daemon, simulator):
    """The policy of the key's team denies DeepSeek and Qwen; its routes do not hold `qwen`, `ordered` or any target's own name."""
    denied = ["deepseek", "qwen", "ordered", *TARGETS.values(), "deepseek-flash", "deepseek/deepseek-flash ", " deepseek", "deepseek ",
              "deepseek\t",
              "DEEPSEEK", "DeepSeek", "Deepseek/DeepSeek-Flash", "deepseek\0", "deepseek\u200b", "ｄｅｅｐｓｅｅｋ", "deepsee\u212a", "deepseek/",
              "/deepseek",
              "chat/deepseek", "chat,deepseek", "chat;deepseek", "chat\ndeepseek", "chat/../deepseek", "./deepseek", "deepseek%20",
              "deepseek%2Fdeepseek-flash",
              "openai/deepseek/deepseek-flash", "fairlead/deepseek", "deepseek:latest", "deepseek@latest", "chat#deepseek",
              "chat?model=deepseek",
              "*", "de*", "", " "]
    requests, expected = [], []
    for model in denied:
        requests.append(request_bytes("POST", "/v1/chat/completions", OTHER_KEY, chat("hello", model)))
        expected.append({400, 403, 404})
    for path in ("/v1/engines/deepseek/chat/completions", "/v1/deployments/deepseek/chat/completions", "/deepseek/v1/chat/completions",
                 "/v1/chat/completions/deepseek", "/v1/deepseek/chat/completions",
                 "/openai/deployments/deepseek/chat/completions?api-version=1"):
        requests.append(request_bytes("POST", path, OTHER_KEY, chat("hello")))
        expected.append({404})
    for body in (b'{"model":"chat","model":"deepseek","messages":[{"role":"user","content":"x"}]}',
                 b'{"model":["deepseek"],"messages":[{"role":"user"}]}',
                 b'{"model":"chat","mod\\u0065l":"deepseek","messages":[{"role":"user","content":"x"}]}'):
        requests.append(request_bytes("POST", "/v1/chat/completions", OTHER_KEY, body))
        expected.append({400})
    answers = asyncio.run(ask_all(daemon, requests))
    for request, answer, statuses in zip(requests, answers, expected):
        assert answer.status in statuses, (request, answer)
    assert simulator.bill() == []

    # Beside an allowed model, other names in other places change nothing: only the allowed provider is asked.
    for path in ("?model=deepseek", "?model=deepseek/deepseek-flash", "?provider=deepseek&route=deepseek", "?deployment=deepseek"):
        for fields in ([], [("X-Model", "deepseek"), ("X-Fairlead-Target", TARGETS["deepseek"]), ("X-Fairlead-Route", "deepseek")]):
            extra = {"route": "deepseek", "fallbacks": ["deepseek"], "target": TARGETS["deepseek"], "provider": {"order": ["deepseek"]}}
            answer = send(daemon.address, "POST", "/v1/chat/completions" + path, OTHER_KEY, chat("hello", **extra), fields)
            assert answer.status in (200, 400)  # the provider may refuse fields that it does not know, and we do refuse wishes
            for wish in ({"models": ["deepseek"]}, {"provider": {"only": ["deepseek"]}}):
                answer = send(daemon.address, "POST", "/v1/chat/completions" + path, OTHER_KEY, chat("hello", **wish), fields)
                assert answer.status in (400, 403), "a wish for what is denied leaves nothing"
    lines = wait_until(simulator.bill, "the bill")
    assert {line["kind"] for line in lines} == {"openai"}


@pytest.mark.parametrize("fault, status", [("status=500", 502), ("status=503", 502), ("status=429", 429), ("status=401", 502),
                                           ("status=402", 502), ("status=400", 400), ("status=413", 413), ("reset=before", 502),
                                           ("close=before", 502), ("stall=before", 504), ("code=context_length_exceeded", 400)])
def test_a_denied_target_is_no_fallback_either_M45(start, simulator, fault, status):
    """However the allowed one fails, the app hears of it, and the others are sent nothing."""
    def change(config):
        config["timeouts"] = {"first_byte": 300}
        config["limits"] = {"attempts_max": 2}

    daemon = start(change)
    for _ in range(3):  # also once it is known to be ill
        answer = post_chat(daemon, chat(f"[[sim only=openai {fault}]] hello", stream=True), OTHER_KEY)
        assert answer.status == status, answer.body
    attempts = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows.attempts, "the rows")
    assert {attempt["target"] for attempt in attempts} == {TARGETS["openai"]}
    assert {line["kind"] for line in simulator.bill()} <= {"openai"}


STEERING_FIELDS = ("Host", "X-Forwarded-Host", "X-Forwarded-Server", "X-Forwarded-For", "Forwarded", "X-Original-Url", "X-Rewrite-Url",
                   "X-Host",
                   "X-Base-Url", "X-Custom-Host", "X-Portkey-Custom-Host", "X-Portkey-Config", "Helicone-Target-Url", "X-Upstream",
                   "X-Target-Url",
                   "Destination", "Referer", "Origin", "Location", "X-Proxy", "Proxy", "Api-Base", "OpenAI-Base-Url", "X-Fairlead-Provider")
STEERING_MEMBERS = ("base_url", "api_base", "baseURL", "url", "endpoint", "host", "custom_host", "proxy", "callback_url", "webhook",
                    "provider_url",
                    "api_key", "user", "metadata", "store_url", "extra_body", "litellm_params", "router")


def listening_peers(daemon):
    """Where the daemon's established connections lead, as 'address:port', but for those that apps made."""
    inodes = set()
    for descriptor in pathlib.Path(f"/proc/{daemon.process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            inodes.add(os.readlink(descriptor))
    peers = set()
    for line in pathlib.Path(f"/proc/{daemon.process.pid}/net/tcp").read_text().splitlines()[1:]:
        local, remote, state, inode = (line.split()[at] for at in (1, 2, 3, 9))
        if f"socket:[{inode}]" in inodes and state == "01":
            address, port = remote.split(":")
            octets = ".".join(str(byte) for byte in bytes.fromhex(address)[::-1])
            if f"127.0.0.1:{int(local.split(':')[1], 16)}" not in (daemon.address, daemon.admin):
                peers.add(f"{octets}:{int(port, 16)}")
    return peers


def test_nothing_that_an_app_says_leads_elsewhere_M54(tmp_path, monkeypatch):
    with Recorder() as stranger, Recorder() as provider:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://{stranger.address}")  # of the environment, which is not the configuration
        away = f"http://{stranger.address}/v1"
        requests = []
        for field in STEERING_FIELDS:
            for value in (stranger.address, away) if field != "Host" else (stranger.address,):
                request = request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, HELLO, [(field, value)])
                requests.append(request.replace(b"Host: localhost\r\n", b"", 1) if field == "Host" else request)
        for member in STEERING_MEMBERS:
            requests += [request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, {**HELLO, member: value})
                         for value in (away, {"url": away})]
            requests.append(request_bytes("POST", f"/v1/chat/completions?{member}={away}", CLIENT_KEY, HELLO))
        for model in (away, f"{away}#near/m", f"near/m@{stranger.address}", f"near@{stranger.address}/m", f"near/../{stranger.address}"):
            requests.append(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("hello", model)))
        for path in (f"/v1/proxy/{away}", f"/proxy?url={away}", f"/v1/models/{stranger.address}", f"/v1/files?url={away}"):
            requests.append(request_bytes("GET", path, CLIENT_KEY))
        parts = [{"type": "image_url", "image_url": {"url": away + "/cat.png"}},
                 {"type": "input_audio", "input_audio": {"url": away + "/a.wav"}},
                 {"type": "file", "file": {"file_url": away + "/f.pdf"}}, {"type": "text", "text": f"![]({away}/t.png)"}]
        for part in parts:
            requests.append(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY,
                                          {**HELLO, "messages": [{"role": "user", "content": [part]}]}))
        with serving(tmp_path, config_of(near=provider.url)) as daemon:
            monkeypatch.undo()  # this test's own requests go straight
            answers = asyncio.run(ask_all(daemon, requests))
            assert {answer.status for answer in answers} <= {200, 400, 404}
            assert sum(answer.status == 200 for answer in answers) == len(provider.requests) > 100
            assert stranger.connections == 0
            assert listening_peers(daemon) == {provider.address}
            passed_on = [json.loads(request.body)["messages"][0]["content"] for request in provider.requests]
            assert all([part] in passed_on for part in parts), "what an app says is the provider's to read"
            assert provider.malformed == []


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed_and_not_told_M43(tmp_path, status, stream):
    with Recorder() as stranger:
        # A redirect is an answer: nothing was generated, so nothing is owed.
        location = f"http://{stranger.address}/v1/chat/completions?canary-of-the-location"
        with Recorder(lambda request: http_answer(status, fields=[("Location", location), ("Refresh", f"0; url={location}")])) as provider:
            with serving(tmp_path, config_of(near=provider.url)) as daemon:
                answer = post_chat(daemon, {**HELLO, "stream": stream})
                expect_openai_error(answer, 502)
                assert stranger.connections == 0 and len(provider.requests) == 1
                kept = daemon.output + daemon.admin_get("/metrics")[1] + str(vars(daemon.ledger()))
                everything = str(answer.fields) + answer.body.decode() + kept
                assert "canary-of-the-location" not in everything and "location" not in answer.fields
                assert "refresh" not in answer.fields
                (attempt,) = daemon.ledger().attempts
                assert attempt["error"] == "upstream_protocol" and attempt["usage_source"] == "none" and not attempt["usd_pico"]


# --- what a provider gets ---

OWN_FIELDS = ["Host", "Content-Length", "Accept-Encoding", "User-Agent", "Accept", "Content-Type", "Authorization", "X-Client-Request-Id"]
APP_FIELDS = [(name, f"canary-of-the-field-{number}") for number, name in enumerate((
    "Accept", "Accept-Language", "Accept-Charset", "Api-Key", "X-Api-Key", "Cookie", "Cookie2", "Proxy-Authorization", "Authentication",
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-Ip", "X-Client-Ip", "Cf-Connecting-Ip", "True-Client-Ip",
    "Forwarded", "Via",
    "Origin", "Referer", "User-Agent", "From", "Dnt", "Sec-Fetch-Mode", "Sec-Ch-Ua", "X-Request-Id", "X-Client-Request-Id",
    "X-Correlation-Id",
    "Traceparent", "Tracestate", "Baggage", "B3", "X-B3-Traceid", "Openai-Organization", "Openai-Project", "Openai-Beta",
    "X-Dashscope-Plugin",
    "X-Dashscope-Sse", "X-Stainless-Lang", "X-Stainless-Os", "Idempotency-Key", "If-Match", "If-None-Match", "Range", "Cache-Control",
    "Pragma",
    "Te", "Trailer", "Upgrade-Insecure-Requests", "X-Amz-Security-Token", "X-Goog-Api-Key", "Anthropic-Version", "Anthropic-Beta",
    "X-User", "X-Team",
    "X-Budget", "X-Method-Override", "X-Original-Url", "X-Custom-1", "Max-Forwards", "Date", "Warning"))]


def expect_own_fields(provider, key=PROVIDER_KEY):
    for request in provider.requests:
        names = [name for name in OWN_FIELDS if name != "Authorization" or key]
        assert sorted(name for name, _ in request.fields) == sorted(names)
        assert "canary-of-the-field" not in str(request.fields)
        assert CLIENT_KEY not in str(request.fields) + request.body.decode()
        assert request.values("Authorization") == ([f"Bearer {key}"] if key else [])
        assert request.values("Host") == [provider.address]


@pytest.mark.parametrize("stream", [False, True])
def test_a_provider_gets_our_fields_alone_on_fallback_and_without_a_key_too_M55(tmp_path, stream):
    assert len(APP_FIELDS) >= 60
    with (Recorder(lambda request: http_answer(500, {"error": {"message": "no"}})) as first,
          Recorder(lambda request: http_answer(503, b"<html>")) as keyless, Recorder() as last):
        config = config_of(first=first.url, keyless={"base_url": keyless.url, "profile": "vllm"}, last=last.url)
        del config["providers"]["keyless"]["api_key"]
        with serving(tmp_path, config) as daemon:
            post_chat(daemon, {**HELLO, "stream": stream}, fields=APP_FIELDS)
            ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows.requests and rows, "rows to settle")
            assert [a["provider"] for a in ledger.attempts] == ["first", "keyless", "last"]
            for provider, key in ((first, PROVIDER_KEY), (keyless, None), (last, PROVIDER_KEY)):
                assert len(provider.requests) == 1 and provider.malformed == []
                expect_own_fields(provider, key)
                assert provider.requests[0].values("Accept") == ["text/event-stream" if stream else "application/json"]


# --- what is said of a provider's words ---

STRANGE_KEY = "canary/of+a=strange&key~with%every\"sign\\9e1d"
KEYS = {"plain": PROVIDER_KEY, "strange": STRANGE_KEY}


def every_percent(text):
    return "".join(f"%{byte:02x}" for byte in text.encode())


ENCODINGS = {
    "as it is": lambda key: key,
    "after Bearer": lambda key: f"Authorization: Bearer {key}",
    "in the middle of a word": lambda key: f"x{key}y",
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 of a pair": lambda key: base64.b64encode(f"user:{key}".encode()).decode(),
    "base64 of a longer pair": lambda key: base64.b64encode(f"users:{key}".encode()).decode(),
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(key.encode()).decode(),
    "escaped for a URL": lambda key: urllib.parse.quote(key, ""),
    "escaped for a form": lambda key: urllib.parse.quote_plus(key),
    "escaped in small letters": lambda key: urllib.parse.quote(key, "").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
    "every byte escaped": every_percent,
    "in JSON that is in JSON": lambda key: json.dumps({"key": key}),
    "every letter escaped in JSON that is in JSON": lambda key: "".join(f"\\u{ord(letter):04x}" for letter in key),
    "slashes escaped in JSON that is in JSON": lambda key: json.dumps(key).replace("/", "\\/"),
}
SHAPES = {
    "error object": lambda text: json.dumps({"error": {"message": text, "type": text, "code": text, "param": text}}),
    "escaped error object": lambda text: '{"error":{"message":"' + "".join(f"\\u{ord(letter):04x}" for letter in text) + '"}}',
    "error text": lambda text: json.dumps({"error": text}),
    "message": lambda text: json.dumps({"message": text, "code": text}),
    "plain text": lambda text: text,
    "html": lambda text: f"<html><body>{text}</body></html>",
    "detail": lambda text: json.dumps({"detail": [{"msg": text}]}),
}


def spellings(key):
    """Whatever a reader could turn back into the key with no effort."""
    found = {encode(key) for name, encode in ENCODINGS.items() if name not in ("after Bearer", "in the middle of a word",
            "in JSON that is in JSON")}
    for shift in (0, 1, 2):
        core = base64.b64encode(b"." * shift + key.encode()).decode().rstrip("=")
        found.add(core[4 if shift else 0:-2])
    return found | {json.dumps(key)[1:-1]}


def expect_unspoken(daemon, answers, key):
    everything = "\n".join([*(str(answer.fields) + answer.body.decode() for answer in answers), daemon.output,
                            daemon.admin_get("/metrics")[1]])
    readings = [everything, everything.replace("\\\\", "\\"), everything.replace('\\"', '"').replace("\\\\", "\\")]
    for file in daemon.folder.glob("ledger.db*"):
        readings.append(file.read_bytes().decode("latin-1"))
    for spelling in spellings(key):
        for reading in readings:
            at = reading.find(spelling)
            assert at < 0, f"{spelling} is told: {reading[max(0, at - 200):at + 200]}"


@pytest.mark.parametrize("kind", KEYS)
def test_a_provider_that_echoes_our_key_is_not_quoted_M56(tmp_path, kind):
    key = KEYS[kind]
    (tmp_path / "key").write_text(key)
    cases = [(status, shape(f"Incorrect API key provided: {encode(key)}."))
             for encode in ENCODINGS.values() for status in (400, 401, 403, 422, 429, 500) for shape in SHAPES.values()]
    cases += [(200, shape(f"bad: {encode(key)}")) for encode in ENCODINGS.values()
              for shape in SHAPES.values()]  # errors that say they are none
    number = iter(range(10**9))

    def answer(request):
        case = cases[next(number) % len(cases)]
        assert request.values("Authorization") == [f"Bearer {key}"]
        if case[0] == 200 and b'"stream":true' in request.body:
            event = b"data: " + case[1].encode() + b"\n\n"
            return http_answer(200, event, [("Content-Type", "text/event-stream"), ("X-Debug", key)])
        return http_answer(case[0], case[1].encode(), [("Content-Type", "application/json"), ("X-Debug", key), ("Retry-After", key)])

    with Recorder(answer) as provider:
        config = config_of(near={"base_url": provider.url, "api_key": "${file:key}"})
        config["limits"] = {"attempts_max": 1}
        with serving(tmp_path, config) as daemon:
            requests = [request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, {**HELLO, "stream": stream}) for stream in (False, True)
                        for _ in cases]
            answers = asyncio.run(ask_all(daemon, requests))
            assert len(provider.requests) == len(requests)
            assert all(answer.status >= 400 or b'"error"' in answer.body for answer in answers)
            expect_unspoken(daemon, answers, key)


def test_an_error_in_mid_stream_that_echoes_our_key_is_not_quoted_M56(tmp_path):
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"content": "well"}}]}
    for number, encode in enumerate(ENCODINGS.values()):
        body = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: " + json.dumps({"error": {"message": encode(PROVIDER_KEY),
                "code": 500}}).encode() + b"\n\n"
        folder = tmp_path / str(number)
        folder.mkdir()
        with Recorder(lambda request, body=body: http_answer(200, body, [("Content-Type", "text/event-stream")])) as provider:
            with serving(folder, config_of(near=provider.url)) as daemon:
                answer = post_chat(daemon, {**HELLO, "stream": True})
                assert answer.status == 200 and b"well" in answer.body and b"[DONE]" not in answer.body and b'"error"' in answer.body
                expect_unspoken(daemon, [answer], PROVIDER_KEY)


# --- injection ---

SQL = ["' OR '1'='1", "'; DROP TABLE requests; --", "\" OR \"\"=\"", "1; DELETE FROM attempts", "' UNION SELECT * FROM requests --",
       "admin'--",
       "') OR ('1'='1", "'||(SELECT hash FROM keys)||'", "1 AND 1=1", "x' AND sqlite_version()--", "'; ATTACH DATABASE '/tmp/x' AS x; --",
       "'; PRAGMA writable_schema=1; --", "%' ESCAPE '", "\\'; VACUUM; --", "0x27204f52", "'/**/OR/**/1=1",
       "'; INSERT INTO requests VALUES(1); --",
       "chat' AND randomblob(100000000)--", "load_extension('x')", "' OR 1=1 LIMIT 1 OFFSET 1 --"]
DRESSES = [lambda text: text, lambda text: text.upper(), lambda text: text.replace("'", "\u2019"), lambda text: text.replace("'", "''"),
           lambda text: text.replace(" ", "/**/"), lambda text: "chat" + text, lambda text: text + "\0", lambda text: f"\\u0027{text}",
           lambda text: text.replace("'", "%27"), lambda text: text.replace("'", "\"")]
PAYLOADS = [dress(text) for text in SQL for dress in DRESSES]


def test_sql_in_any_place_is_text_M51(daemon, simulator, settled):
    assert len(PAYLOADS) >= 200
    with contextlib.closing(sqlite3.connect(daemon.ledger_file)) as database:
        schema = database.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
    requests, expected = [], []

    def add(statuses, *arguments, **named):
        requests.append(request_bytes(*arguments, **named))
        expected.append(statuses)

    for payload in PAYLOADS:
        quoted = urllib.parse.quote(payload, "")
        add({401}, "POST", "/v1/chat/completions", None, chat("hello"),
            [("Authorization", "Bearer " + urllib.parse.quote(payload, " '\";()*,=|%\\"))])
        add({404}, "POST", "/v1/chat/completions", CLIENT_KEY, chat("hello", payload))
        add({200}, "POST", "/v1/chat/completions", CLIENT_KEY, chat("[[sim bytes=10]] hello", "openai", user=payload), [("X-User", quoted)])
        add({200}, "GET", f"/v1/models?{quoted}={quoted}", CLIENT_KEY)
        add({404}, "GET", f"/v1/models/{quoted}", CLIENT_KEY)
        add({404}, "GET", f"/v1/{quoted}", CLIENT_KEY)
    answers = asyncio.run(ask_all(daemon, requests))
    for request, answer, statuses in zip(requests, answers, expected):
        assert answer.status in statuses, (request, answer.status, answer.body)
        told = re.sub(rb"(the model '|there is no ).*( does not exist| here;)", b"", answer.body.lower())  # without what it quotes
        assert not any(word in told for word in (b"sqlite", b"syntax error", b"near \\\""))

    wait_until(lambda: len(simulator.bill()) == len(PAYLOADS), "the bill")
    ledger = settled()
    books.expect_balance(ledger, simulator.bill())
    assert len(ledger.requests) == 2 * len(PAYLOADS) and len(ledger.attempts) == len(PAYLOADS)
    assert {row["key"] for row in ledger.requests} == {"app"}
    assert sorted(row["requested_model"] for row in ledger.requests if row["http_status"] == 404) == sorted(PAYLOADS)
    with contextlib.closing(sqlite3.connect(daemon.ledger_file)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert database.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall() == schema


# --- the target and the host of a request ---

ODD_HOSTS = ["127.0.0.1", "localhost:9090", "admin", "metrics.local", "[::1]", "[::1]:9090", "169.254.169.254", "fairlead.", "FAIRLEAD",
             "a.b-c_d~e", "x:0"]
ODD_TARGETS = ["http://fairlead/metrics", "http://127.0.0.1:9090/metrics", "https://x/v1/models", "//metrics", "///v1/models",
               "//127.0.0.1:9090/metrics",
               "/./metrics", "/v1/./models", "/v1/../metrics", "/v1/..", "/v1/%2e%2e/metrics", "/%2e/metrics", "/.%2E/metrics",
               "/v1/models/../../metrics",
               "/metrics#", "/metrics#@x", "/v1/models#@127.0.0.1", "/v1\\models", "/v1/models\\..\\metrics", "@127.0.0.1/metrics",
               "metrics",
               "?metrics", "#", "*", "fairlead:9090", "", "/v1/models%", "/v1/models%2", "/v1/models%zz", "/\"", "/<", "/{}", "/|", "/^",
               "/`", "/é"]
STRANGE_PATHS = ["/metrics;x", "/v1%2fmodels", "/v1%2Fmodels", "/v1/models;x=y", "/v1;/models", "/v1//models", "/V1/MODELS", "/v1/Models",
                 "/v1/models//",
                 "/%76%31/models", "/v1/model%73", "/v1/models.json", "/v1/chat/completions;", "/v1/chat%2fcompletions",
                 "/v1/chat/completions%00",
                 "/v1/chat/completions%20", "/v1/chat/completions/", "/x@y:z/metrics", "/metrics%2f", "/metrics%3f", "/metrics%23",
                 "/:9090/metrics",
                 "/...", "/.../metrics", "/metrics/", "/%2f%2fmetrics", "/admin/metrics", "/v1/metrics", "/%6detrics", "/metrics%00"]


def raw(address, target, host="fairlead", key=None, method="GET"):
    authorization = f"Authorization: Bearer {key}\r\n" if key else ""
    (answer,) = talk(address, f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{authorization}Connection: close\r\n\r\n".encode())
    return answer


def test_ambiguous_targets_are_refused_on_both_sides_M52(daemon):
    for address in (daemon.address, daemon.admin):
        for target in ODD_TARGETS:
            for key in (None, CLIENT_KEY):
                answer = raw(address, target, key=key)
                assert answer.status == 400, (address, target, answer)
                assert answer.json()["error"]["message"]


def test_strange_paths_are_no_other_paths_M52(daemon):
    for path in STRANGE_PATHS:
        assert raw(daemon.address, path).status in (404, 401), path
        answer = raw(daemon.address, path, key=CLIENT_KEY)
        assert answer.status == 404, (path, answer)
        assert raw(daemon.admin, path).status == 404, path


def test_the_host_changes_nothing_M52(daemon):
    for host in ODD_HOSTS:
        assert raw(daemon.address, "/v1/models", host).status == 401
        assert raw(daemon.address, "/v1/models", host, CLIENT_KEY).status == 200
        for path in ("/metrics", "/healthz", "/readyz"):
            assert raw(daemon.address, path, host, CLIENT_KEY).status == 404
        assert raw(daemon.admin, "/v1/models", host, CLIENT_KEY).status == 404
        assert raw(daemon.admin, "/v1/chat/completions", host, CLIENT_KEY, "POST").status == 404


@pytest.mark.parametrize("path", ["/metrics", "/admin/v1/limits", "/admin/v1/keys", "/admin/v1/budgets", "/admin/v1/credit"])
def test_a_name_that_a_page_may_own_tells_nothing_of_the_admin_side_M53(daemon, path):
    """DNS rebinding: the page's own name means this machine, so a browser lets it read the answer."""
    for host in ("attacker.example", "attacker.example:9090", "127.0.0.1.attacker.example", "localhost.attacker.example", "a"):
        if (path, host) == ("/metrics", "a"):
            continue
        answer = raw(daemon.admin, path, host)
        assert answer.status == 403 and b"localhost" in answer.body, (host, answer)
    for host in (daemon.admin, "localhost", "localhost:9090", "127.0.0.1", "[::1]:9090"):
        assert raw(daemon.admin, path, host).status == 200, host


def test_a_scrape_and_a_probe_may_use_the_name_of_a_service(daemon):
    for path, host in (("/metrics", "fairlead:9090"), ("/healthz", "fairlead:9090"), ("/readyz", "fairlead.monitoring.svc:9090")):
        assert raw(daemon.admin, path, host).status == 200, (path, host)


def test_the_admin_side_serves_no_app_and_changes_nothing_M53(daemon, simulator):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        for path in ("/metrics", "/healthz", "/readyz"):
            assert raw(daemon.admin, path, "localhost", method=method).status == 405
    assert send(daemon.admin, "POST", "/v1/chat/completions", CLIENT_KEY, chat("hello")).status == 404
    assert simulator.bill() == [] and daemon.ledger().requests == []


def test_an_answer_belongs_to_its_app_alone_I7(daemon):
    """Two hundred apps at once: each reads its own words."""
    requests = [request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat(f"number {n:05}", "openai", stream=n % 2 == 0))
                for n in range(200)]
    for number, answer in enumerate(asyncio.run(ask_all(daemon, requests))):
        assert text_of(answer) == f"You said: number {number:05}"


def test_a_providers_words_stay_out_of_the_head(tmp_path):
    """A model's name that splits a head, were it in one."""
    evil = "m\r\nX-Evil: 1\r\n\r\nHTTP/1.1 200 OK\r\n"
    with Recorder(lambda request: http_answer(body=completion(model=evil, id=evil))) as provider:
        with serving(tmp_path, config_of(near=provider.url)) as daemon:
            answer = post_chat(daemon, HELLO)
            assert answer.status == 200 and answer.complete and "x-evil" not in answer.fields
            assert answer.json()["model"] == evil
