"""TLS on both sides, and the way out through a proxy."""
import base64
import contextlib
import json
import socket
import ssl

import pytest

from harness import certificates
from harness.daemon import CLIENT_KEY, PROMPT_CANARY, PROVIDER_KEY
from harness.http import chat, post_chat, request_bytes, text_of
from harness.process import run, wait_until
from harness.street import Recorder, completion, config_of, dial, expect_openai_error, http_answer, read_to_end, serving, talk
from harness.tunnel import Tunnel

pytestmark = pytest.mark.alone

HOST = "api.example.test"  # led to the recorder by a tunnel, so that no resolver is asked
HELLO = chat(f"hello {PROMPT_CANARY}", "all")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("authority"))


@contextlib.contextmanager
def provider_behind(folder, pair, host=HOST, trusted=None, answer=None, context=None):
    """A daemon and a TLS provider that presents `pair` and is called `host`."""
    with Recorder(answer, context or pair.server_context()) as provider, Tunnel(provider.address) as tunnel:
        section = {"base_url": f"https://{host}:{provider.port}/v1", "proxy": f"http://{tunnel.address}"}
        if host == "127.0.0.1":
            del section["proxy"]
        if trusted:
            section["ca_file"] = str(trusted)
        with serving(folder, config_of(far=section)) as daemon:
            yield daemon, provider


BAD_CERTIFICATES = {
    "expired": lambda ca, folder: ca.leaf(f"DNS:{HOST}", from_days=-3, until_days=-1),
    "not yet valid": lambda ca, folder: ca.leaf(f"DNS:{HOST}", from_days=2, until_days=9),
    "another host": lambda ca, folder: ca.leaf("DNS:other.example.test"),
    "a host that begins alike": lambda ca, folder: ca.leaf(f"DNS:{HOST}.evil.test"),
    "an address for a name": lambda ca, folder: ca.leaf("IP:127.0.0.1"),
    "self-signed": lambda ca, folder: certificates.self_signed(folder, f"DNS:{HOST}"),
    "unknown authority": lambda ca, folder: certificates.Authority(folder, "stranger").leaf(f"DNS:{HOST}"),
    "common name only": lambda ca, folder: ca.leaf(common_name=HOST),
    "partial wildcard": lambda ca, folder: ca.leaf("DNS:a*.example.test"),
    "wildcard of the whole domain": lambda ca, folder: ca.leaf("DNS:*.test"),
    "without its intermediate": lambda ca, folder:
        certificates.Authority(folder, "between", above=ca).leaf(f"DNS:{HOST}", with_chain=False),
    "a client's certificate": lambda ca, folder: ca.leaf(f"DNS:{HOST}", usage="clientAuth"),
    "signed by a leaf": lambda ca, folder: leaf_of_a_leaf(ca, folder),
}


def leaf_of_a_leaf(ca, folder):
    """Somebody with a good certificate of their own plays authority."""
    good = ca.leaf("DNS:evil.test")
    false_authority = certificates.Authority(folder, "false")
    false_authority.certificate, false_authority.key, false_authority.above = good.certificate, good.key, ca
    return false_authority.leaf(f"DNS:{HOST}")


def expect_refused_handshake(daemon, provider, answer):
    assert expect_openai_error(answer, 502)["code"] == "upstream_tls"
    assert not provider.requests and not provider.malformed and not provider.resumed, "bytes of a request were sent"
    ledger = daemon.ledger()
    assert ledger.all_settled() and ledger.attempts
    assert {(a["error"], a["phase"], a["status"], a["usd_pico"], a["usage_source"]) for a in ledger.attempts} == {
        ("upstream_tls", "connect", 0, 0, "none")}
    assert ledger.request(answer.request_id)["error"] == "upstream_tls"


@pytest.mark.parametrize("kind", BAD_CERTIFICATES)
def test_a_bad_certificate_gets_no_byte_of_a_request_M42(tmp_path, authority, kind):
    pair = BAD_CERTIFICATES[kind](authority, tmp_path)
    with provider_behind(tmp_path, pair, trusted=authority.certificate) as (daemon, provider):
        expect_refused_handshake(daemon, provider, post_chat(daemon, HELLO))
        wait_until(lambda: provider.handshake_failures, "the provider to notice")
        assert "certificate" in daemon.wait_for("request")["detail"]


def test_a_wildcard_does_not_reach_two_levels_down_M42(tmp_path, authority):
    with provider_behind(tmp_path, authority.leaf("DNS:*.example.test"), "a.b.example.test", authority.certificate) as (daemon, provider):
        expect_refused_handshake(daemon, provider, post_chat(daemon, HELLO))


@pytest.mark.parametrize("names", [["IP:127.0.0.2"], ["DNS:127.0.0.1"], ["DNS:localhost"]], ids=str)
def test_an_address_must_be_in_the_certificate_as_one_M42(tmp_path, authority, names):
    pair = authority.leaf(*names, common_name="127.0.0.1")
    with provider_behind(tmp_path, pair, "127.0.0.1", authority.certificate) as (daemon, provider):
        expect_refused_handshake(daemon, provider, post_chat(daemon, HELLO))


def test_a_private_authority_is_unknown_unless_it_is_named_M42(tmp_path, authority):
    with provider_behind(tmp_path, authority.leaf("IP:127.0.0.1"), "127.0.0.1") as (daemon, provider):
        expect_refused_handshake(daemon, provider, post_chat(daemon, HELLO))


def test_tls_1_1_is_refused_M42(tmp_path, authority):
    pair = authority.leaf(f"DNS:{HOST}")
    context = pair.server_context()
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with provider_behind(tmp_path, pair, trusted=authority.certificate, context=context) as (daemon, provider):
        expect_refused_handshake(daemon, provider, post_chat(daemon, HELLO))


@pytest.mark.parametrize("host, names", [
    (HOST, [f"DNS:{HOST}"]), (HOST, ["DNS:*.example.test"]), (HOST, ["DNS:other.test", f"DNS:{HOST.upper()}"]),
    ("127.0.0.1", ["IP:127.0.0.1"]),
], ids=str)
def test_a_good_certificate_of_the_named_authority_is_taken(tmp_path, authority, host, names):
    with provider_behind(tmp_path, authority.leaf(*names), host, authority.certificate) as (daemon, provider):
        assert text_of(post_chat(daemon, HELLO)) == "hello"
        assert provider.requests[0].values("Authorization") == [f"Bearer {PROVIDER_KEY}"]
        assert provider.requests[0].values("Host") == [f"{host}:{provider.port}"]


def test_a_whole_chain_with_an_intermediate_is_taken(tmp_path, authority):
    pair = certificates.Authority(tmp_path, "between", above=authority).leaf(f"DNS:{HOST}")
    with provider_behind(tmp_path, pair, trusted=authority.certificate) as (daemon, _):
        assert post_chat(daemon, HELLO).status == 200


def test_connections_and_then_sessions_are_reused(tmp_path, authority):
    def answer(request):
        return http_answer(body=completion(), close=b"once more" in request.body)

    with provider_behind(tmp_path, authority.leaf(f"DNS:{HOST}"), trusted=authority.certificate, answer=answer) as (daemon, provider):
        for words in ("hello", "hello", "once more", "once more", "hello"):
            assert post_chat(daemon, chat(words, "all")).status == 200
        assert [request.connection for request in provider.requests] == [1, 1, 1, 2, 3]
        assert provider.resumed == [False, True, True]
        assert [a["connection_reused"] for a in daemon.ledger().attempts] == [0, 1, 1, 0, 0]


def test_a_session_of_a_trusted_past_does_not_outlive_the_trust_M42(tmp_path, authority):
    """The CA file is emptied, which no reload takes; then replaced by another: from the reload on, the provider that was trusted is
    refused, though a ticket of it is at hand."""
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(authority.certificate.read_bytes())

    def answer(request):
        return http_answer(body=completion(), close=True)

    with provider_behind(tmp_path, authority.leaf(f"DNS:{HOST}"), trusted=trusted, answer=answer) as (daemon, provider):
        assert post_chat(daemon, HELLO).status == 200
        trusted.write_bytes(b"")
        assert json.loads(daemon.admin_post("/admin/v1/reload")[1])["result"] == "refused"
        assert post_chat(daemon, HELLO).status == 200
        replaced = tmp_path / "replaced.pem"
        replaced.write_bytes(certificates.Authority(tmp_path, "stranger").certificate.read_bytes())
        replaced.rename(trusted)
        assert post_chat(daemon, HELLO).status == 200
        assert json.loads(daemon.admin_post("/admin/v1/reload")[1])["result"] == "taken"
        assert expect_openai_error(post_chat(daemon, HELLO), 502)["code"] == "upstream_tls"
        assert len(provider.requests) == 3


def test_tls_cannot_be_switched_off_M42():
    schema = run("schema").stdout.lower()
    assert '"ca_file"' in schema
    names = set()

    def walk(node):
        if isinstance(node, dict):
            names.update(node.get("properties", {}))
            for child in node.values():
                walk(child)
        elif isinstance(node, list):
            for child in node:
                walk(child)

    walk(json.loads(schema))
    assert len(names) > 50
    suspects = ("verify", "insecure", "skip", "trust", "unsafe", "no_tls", "allow_self")
    found = [name for name in names if any(word in name for word in suspects)]
    assert found == ["trusted_proxies"], "which is about the addresses of apps"


# --- the way out through a proxy ---

SECRET_OF_PROXY = "canary-of-the-proxy-77aa"


@pytest.mark.parametrize("authentication", [None, f"user:{SECRET_OF_PROXY}"])
def test_a_proxy_gets_connect_and_nothing_of_the_request(tmp_path, authority, authentication):
    pair = authority.leaf(f"DNS:{HOST}")
    (tmp_path / "credentials").write_text(f"{authentication or ''}")
    with Recorder(context=pair.server_context()) as provider, Tunnel(provider.address) as tunnel:
        proxy = f"http://{'${file:credentials}@' if authentication else ''}{tunnel.address}"
        section = {"base_url": f"https://{HOST}/v1", "proxy": proxy, "ca_file": str(authority.certificate)}
        with serving(tmp_path, config_of(far=section)) as daemon:
            assert post_chat(daemon, HELLO).status == 200
            expected = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n"
            if authentication:
                expected += f"Proxy-Authorization: Basic {base64.b64encode(authentication.encode()).decode()}\r\n"
            assert tunnel.heads == [expected + "\r\n"]
            assert provider.requests[0].values("Proxy-Authorization") == []
            assert SECRET_OF_PROXY not in daemon.output + daemon.admin_get("/metrics")[1]


def test_a_provider_without_tls_is_tunnelled_too(tmp_path):
    with Recorder() as provider, Tunnel(provider.address) as tunnel:
        section = {"base_url": f"http://{HOST}:8000/v1", "proxy": f"http://{tunnel.address}"}
        with serving(tmp_path, config_of(far=section)) as daemon:
            assert post_chat(daemon, HELLO).status == 200
            assert tunnel.heads[0].startswith(f"CONNECT {HOST}:8000 HTTP/1.1\r\n")
            assert provider.requests[0].values("Host") == [f"{HOST}:8000"]


@pytest.mark.parametrize("refusal", [
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5\r\n\r\nno!!!",
    b"HTTP/1.1 502 Bad Gateway\r\n\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",  # the proxy plays provider
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000 + b"\r\n\r\n",
], ids=lambda refusal: refusal[:24].decode())
def test_a_proxy_that_refuses_is_not_gone_around(tmp_path, refusal):
    with Recorder() as provider, Tunnel(provider.address, refusal) as tunnel:
        section = {"base_url": provider.url, "proxy": f"http://{tunnel.address}"}
        with serving(tmp_path, config_of(far=section)) as daemon:
            assert expect_openai_error(post_chat(daemon, HELLO), 502)["code"] == "upstream_connect"
            assert provider.connections == 0 and tunnel.tunnelled == 0
            assert {(a["error"], a["usage_source"]) for a in daemon.ledger().attempts} == {("upstream_connect", "none")}


def test_a_dead_proxy_is_not_gone_around(tmp_path):
    with Recorder() as provider:
        dead = Tunnel(provider.address)
        dead.close()
        with serving(tmp_path, config_of(far={"base_url": provider.url, "proxy": f"http://{dead.address}"})) as daemon:
            assert expect_openai_error(post_chat(daemon, HELLO), 502)["code"] == "upstream_connect"
            assert provider.connections == 0


# --- TLS to the apps ---

def client_context(authority):
    context = ssl.create_default_context(cafile=authority.certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def secure_config(provider, pair):
    config = config_of(near=provider.url)
    config["listen"] = [{"address": "127.0.0.1:0", "tls": {"certificate": str(pair.certificate), "key": str(pair.key)}}]
    return config


def subject_seen(address, context):
    with dial(address, context, "localhost") as secure:
        assert secure.selected_alpn_protocol() == "http/1.1"
        return dict(pair[0] for pair in secure.getpeercert()["subject"])["commonName"]


def test_apps_are_served_over_tls_and_a_new_certificate_is_taken_by_a_reload(tmp_path, authority):
    pair, context = authority.leaf("DNS:localhost", common_name="first"), client_context(authority)
    request = request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, HELLO, [("Connection", "close")])
    with Recorder() as provider, serving(tmp_path, config := secure_config(provider, pair)) as daemon:
        (answer,) = talk(daemon.address, request, context=context, name="localhost")
        assert answer.status == 200 and text_of(answer) == "hello"
        assert subject_seen(daemon.address, context) == "first"

        second = authority.leaf("DNS:localhost", common_name="second")
        for new, old in ((second.certificate, pair.certificate), (second.key, pair.key)):
            old.write_bytes(new.read_bytes())
        daemon.reload(config)
        wait_until(lambda: subject_seen(daemon.address, context) == "second", "the new certificate")

        pair.key.write_bytes(authority.leaf("DNS:localhost").key.read_bytes())  # not the certificate's
        daemon.reload(config, event="reload_refused")
        assert subject_seen(daemon.address, context) == "second"


def test_plain_http_and_garbage_at_the_tls_side_are_closed_and_harm_nobody(tmp_path, authority):
    pair, context = authority.leaf("DNS:localhost"), client_context(authority)
    request = request_bytes("GET", "/v1/models", CLIENT_KEY, fields=[("Connection", "close")])
    with Recorder() as provider, serving(tmp_path, secure_config(provider, pair)) as daemon:
        for sent in (request, b"\x16\x03\x01\xff\xff" + b"\0" * 600, b"\x80\x2e\x01\x03\x01", b"GET"):
            with dial(daemon.address) as connection:
                connection.sendall(sent)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
                assert b"HTTP/" not in read_to_end(connection)
        assert talk(daemon.address, request, context=context, name="localhost")[0].status == 200


def test_tls_1_1_is_not_served_to_apps(tmp_path, authority):
    pair, context = authority.leaf("DNS:localhost"), client_context(authority)
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with Recorder() as provider, serving(tmp_path, secure_config(provider, pair)) as daemon:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            subject_seen(daemon.address, context)
