"""Request smuggling (M58): what two readers could understand in two ways is refused, and a canary behind it is never answered for it."""
import pytest

from harness.daemon import CLIENT_KEY, OTHER_KEY, PROVIDER_KEY
from harness.http import chat, request_bytes
from harness.process import wait_until
from harness.street import Recorder, answers_in, config_of, dial, expect_openai_error, read_to_end, serving, talk

pytestmark = pytest.mark.alone

BODY = b'{"model":"all","messages":[{"role":"user","content":"payload"}]}'
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
CANARY = request_bytes("GET", "/v1/models/all", OTHER_KEY, fields=[("Connection", "close"), ("X-Canary", "1")])
AUTH = b"Authorization: Bearer " + CLIENT_KEY.encode() + b"\r\n"
REFUSED = None  # 400 and a close: the canary gets nothing


def post(fields, body=BODY, line=b"POST /v1/chat/completions HTTP/1.1\r\n", host=b"Host: fairlead\r\n"):
    return line + host + AUTH + b"Content-Type: application/json\r\n" + fields + b"\r\n" + body


def get(line=b"GET /v1/models HTTP/1.1\r\n", fields=b"", host=b"Host: fairlead\r\n", body=b""):
    return line + host + AUTH + fields + b"\r\n" + body


# The written table. A status: the payload is plain after all, is answered with it, and then the canary is answered too.
# (status, "alone"): it is plain, but the connection ends after it.
PAYLOADS = {
    # length against coding
    "length and coding": (post(LENGTH + CHUNKED, CHUNKS), REFUSED),
    "coding and length": (post(CHUNKED + LENGTH, CHUNKS), REFUSED),
    "length 0 and coding": (post(b"Content-Length: 0\r\n" + CHUNKED, CHUNKS), REFUSED),
    "coding hidden in case beside a length": (post(LENGTH + b"tRANSFER-eNCODING: cHUNKED\r\n", CHUNKS), REFUSED),
    "length twice, equal": (post(LENGTH + LENGTH), REFUSED),
    "length twice, different": (post(LENGTH + b"Content-Length: 3\r\n"), REFUSED),
    "length twice, in other case": (post(LENGTH + b"content-length: 3\r\n"), REFUSED),
    "length as a list": (post(b"Content-Length: %d, %d\r\n" % (len(BODY), len(BODY))), REFUSED),
    "length with a plus": (post(b"Content-Length: +%d\r\n" % len(BODY)), REFUSED),
    "length with a minus": (post(b"Content-Length: -%d\r\n" % len(BODY)), REFUSED),
    "length in hexadecimal": (post(b"Content-Length: 0x%x\r\n" % len(BODY)), REFUSED),
    "length with a blank inside": (post(b"Content-Length: 6 4\r\n"), REFUSED),
    "length with a parameter": (post(b"Content-Length: %d;a=b\r\n" % len(BODY)), REFUSED),
    "length in quotes": (post(b'Content-Length: "%d"\r\n' % len(BODY)), REFUSED),
    "length with an exponent": (post(b"Content-Length: 6e1\r\n"), REFUSED),
    "length with a point": (post(b"Content-Length: %d.0\r\n" % len(BODY)), REFUSED),
    "length with an underscore": (post(b"Content-Length: 6_4\r\n"), REFUSED),
    "length without a value": (post(b"Content-Length: \r\n"), REFUSED),
    "length that overflows 64 bits": (post(b"Content-Length: %d\r\n" % (2**64 + len(BODY))), REFUSED),
    "length with a NUL": (post(b"Content-Length: %d\0\r\n" % len(BODY)), REFUSED),
    "length after a vertical tab": (post(b"Content-Length: \x0b%d\r\n" % len(BODY)), REFUSED),
    "length after a no-break space": (post(b"Content-Length: \xa0%d\r\n" % len(BODY)), REFUSED),
    "length in Arabic digits": (post("Content-Length: \u0666\u0664\r\n".encode()), REFUSED),
    "length with leading zeros": (post(b"Content-Length: 000%d\r\n" % len(BODY)), 200),
    "length between tabs": (post(b"Content-Length:\t%d\t \r\n" % len(BODY)), 200),
    # names of fields
    "blank before the colon of a length": (post(b"Content-Length : %d\r\n" % len(BODY)), REFUSED),
    "tab before the colon of a length": (post(b"Content-Length\t: %d\r\n" % len(BODY)), REFUSED),
    "blank before the colon of a coding": (post(b"Transfer-Encoding : chunked\r\n", CHUNKS), REFUSED),
    "blank before a name": (post(b" Content-Length: %d\r\n" % len(BODY)), REFUSED),
    "a folded line": (post(LENGTH + b"X-Folded: a\r\n b\r\n"), REFUSED),
    "a folded coding": (post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS), REFUSED),
    "a folded length": (post(b"Content-Length:\r\n\t%d\r\n" % len(BODY)), REFUSED),
    "a field without a colon": (post(LENGTH + b"Transfer-Encoding\r\n"), REFUSED),
    "a field without a name": (post(LENGTH + b": chunked\r\n"), REFUSED),
    "a blank inside a name": (post(LENGTH + b"Transfer Encoding: chunked\r\n"), REFUSED),
    "a NUL inside a name": (post(LENGTH + b"Transfer\0-Encoding: chunked\r\n"), REFUSED),
    "a byte over 127 in a name": (post(LENGTH + b"Transfer-\xe9ncoding: chunked\r\n"), REFUSED),
    "an underscore in a name": (post(LENGTH + b"Transfer_Encoding: chunked\r\n"), 200),
    "a coding's name with an ending": (post(LENGTH + b"Transfer-Encodings: chunked\r\n"), 200),
    # codings
    "coding that is none": (post(b"Transfer-Encoding: xchunked\r\n", CHUNKS), REFUSED),
    "coding identity": (post(b"Transfer-Encoding: identity\r\n" + LENGTH), REFUSED),
    "coding identity, chunked": (post(b"Transfer-Encoding: identity, chunked\r\n", CHUNKS), REFUSED),
    "coding chunked, identity": (post(b"Transfer-Encoding: chunked, identity\r\n", CHUNKS), REFUSED),
    "coding gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), REFUSED),
    "coding chunked, chunked": (post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS), REFUSED),
    "coding twice": (post(CHUNKED + CHUNKED, CHUNKS), REFUSED),
    "coding chunked and then identity": (post(CHUNKED + b"Transfer-Encoding: identity\r\n", CHUNKS), REFUSED),
    "coding with a parameter": (post(b"Transfer-Encoding: chunked;a=b\r\n", CHUNKS), REFUSED),
    "coding in quotes": (post(b'Transfer-Encoding: "chunked"\r\n', CHUNKS), REFUSED),
    "coding after a comma": (post(b"Transfer-Encoding: ,chunked\r\n", CHUNKS), REFUSED),
    "coding before a comma": (post(b"Transfer-Encoding: chunked,\r\n", CHUNKS), REFUSED),
    "coding after a vertical tab": (post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS), REFUSED),
    "coding with a NUL": (post(b"Transfer-Encoding: chunked\0\r\n", CHUNKS), REFUSED),
    "coding without a value beside a length": (post(LENGTH + b"Transfer-Encoding: \r\n"), REFUSED),
    "coding in HTTP/1.0": (post(CHUNKED, CHUNKS, line=b"POST /v1/chat/completions HTTP/1.0\r\n"), REFUSED),
    "coding in capitals": (post(b"Transfer-Encoding: CHUNKED\r\n", CHUNKS), 200),
    # ends of lines
    "a line that ends in LF": (post(LENGTH + b"X-A: b\nTransfer-Encoding: chunked\r\n"), REFUSED),
    "a CR inside a value": (post(LENGTH + b"X-A: b\rTransfer-Encoding: chunked\r\n"), REFUSED),
    "a CR before CRLF": (post(LENGTH + b"X-A: b\r\r\n"), REFUSED),
    "all lines end in LF": (post(LENGTH).replace(b"\r\n", b"\n"), REFUSED),
    "an empty line that is LF": (post(LENGTH, b"").removesuffix(b"\r\n") + b"\n" + BODY, REFUSED),
    "an empty line before it": (b"\r\n" + post(LENGTH), REFUSED),
    "a LF before it": (b"\n" + post(LENGTH), REFUSED),
    # the request line
    "version 0.9": (b"GET /v1/models\r\n\r\n", REFUSED),
    "version 1.2": (post(LENGTH, line=b"POST /v1/chat/completions HTTP/1.2\r\n"), REFUSED),
    "version 1.10": (post(LENGTH, line=b"POST /v1/chat/completions HTTP/1.10\r\n"), REFUSED),
    "version in small letters": (post(LENGTH, line=b"POST /v1/chat/completions http/1.1\r\n"), REFUSED),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED),
    "two blanks": (post(LENGTH, line=b"POST  /v1/chat/completions HTTP/1.1\r\n"), REFUSED),
    "a tab for a blank": (post(LENGTH, line=b"POST\t/v1/chat/completions HTTP/1.1\r\n"), REFUSED),
    "a blank at the end": (post(LENGTH, line=b"POST /v1/chat/completions HTTP/1.1 \r\n"), REFUSED),
    "a blank in the target": (post(LENGTH, line=b"POST /v1/chat/completions HTTP/1.1 HTTP/1.1\r\n"), REFUSED),
    "a blank before the method": (post(LENGTH, line=b" POST /v1/chat/completions HTTP/1.1\r\n"), REFUSED),
    "a method that is no token": (post(LENGTH, line=b"PO(ST /v1/chat/completions HTTP/1.1\r\n"), REFUSED),
    "a method in small letters": (post(LENGTH, line=b"post /v1/chat/completions HTTP/1.1\r\n"), 405),
    "CONNECT": (post(LENGTH, line=b"CONNECT fairlead:443 HTTP/1.1\r\n"), REFUSED),
    "absolute form": (post(LENGTH, line=b"POST http://fairlead/v1/chat/completions HTTP/1.1\r\n"), REFUSED),
    "asterisk form": (post(LENGTH, line=b"OPTIONS * HTTP/1.1\r\n"), REFUSED),
    "a fragment": (post(LENGTH, line=b"POST /v1/chat/completions#x HTTP/1.1\r\n"), REFUSED),
    "a control byte in the target": (post(LENGTH, line=b"POST /v1/chat/\x01completions HTTP/1.1\r\n"), REFUSED),
    "a byte over 127 in the target": (post(LENGTH, line=b"POST /v1/chat/\xffcompletions HTTP/1.1\r\n"), REFUSED),
    "an encoded line break in the target": (post(LENGTH, line=b"POST /v1/chat%0d%0aX:%20y HTTP/1.1\r\n"), 404),
    # host and other fields that may stand once
    "no Host": (post(LENGTH, host=b""), REFUSED),
    "no Host in HTTP/1.0": (post(LENGTH, host=b"", line=b"POST /v1/chat/completions HTTP/1.0\r\n"), REFUSED),
    "two Hosts": (post(LENGTH + b"Host: other\r\n"), REFUSED),
    "an empty Host": (post(LENGTH, host=b"Host: \r\n"), REFUSED),
    "a Host with a name and a password": (post(LENGTH, host=b"Host: a:b@fairlead\r\n"), REFUSED),
    "a Host with a path": (post(LENGTH, host=b"Host: fairlead/v1\r\n"), REFUSED),
    "a Host that is a list": (post(LENGTH, host=b"Host: fairlead, other\r\n"), REFUSED),
    "a Host with a strange port": (post(LENGTH, host=b"Host: fairlead:80a\r\n"), REFUSED),
    "two keys": (post(LENGTH + b"Authorization: Bearer other\r\n"), REFUSED),
    "two content codings": (post(LENGTH + b"Content-Encoding: identity\r\nContent-Encoding: identity\r\n"), REFUSED),
    "an expectation that nobody knows": (post(LENGTH + b"Expect: 200-ok\r\n"), REFUSED),
    "two expectations": (post(LENGTH + b"Expect: 100-continue\r\nExpect: 100-continue\r\n"), REFUSED),
    # upgrades and hop-by-hop fields
    "upgrade to h2c": (post(LENGTH + b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABk\r\n"), 200),
    "upgrade to a web socket": (get(fields=b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"), 200),
    "a length named as hop-by-hop": (post(LENGTH + b"Connection: Content-Length\r\n"), 200),
    "the key named as hop-by-hop": (post(LENGTH + b"Connection: Authorization\r\n"), 200),
    "close among others": (post(LENGTH + b"Connection: x, CLOSE\r\n"), (200, "alone")),
    "Connection that is no list": (post(LENGTH + b"Connection: a b\r\n"), REFUSED),
    "HTTP/1.0 does not stay": (post(LENGTH, line=b"POST /v1/chat/completions HTTP/1.0\r\n"), (200, "alone")),
    # chunks
    "chunks": (post(CHUNKED, CHUNKS), 200),
    "chunks with an extension": (post(CHUNKED, b"%x;a=b\r\n%s\r\n0;c\r\n\r\n" % (len(BODY), BODY)), 200),
    "chunks with a trailer": (post(CHUNKED, CHUNKS[:-2] + b"X-Trailer: y\r\n\r\n"), 200),
    "a trailer that is a length": (post(CHUNKED, CHUNKS[:-2] + b"Content-Length: 500\r\n\r\n"), 200),
    "a size with a plus": (post(CHUNKED, b"+" + CHUNKS), REFUSED),
    "a size with a minus": (post(CHUNKED, b"-" + CHUNKS), REFUSED),
    "a size with 0x": (post(CHUNKED, b"0x" + CHUNKS), REFUSED),
    "a size after a blank": (post(CHUNKED, b" " + CHUNKS), REFUSED),
    "a size before a blank": (post(CHUNKED, CHUNKS.replace(b"\r\n", b" \r\n", 1)), REFUSED),
    "a size with an underscore": (post(CHUNKED, b"4_0\r\n" + BODY + b"\r\n0\r\n\r\n"), REFUSED),
    "a size that overflows 64 bits": (post(CHUNKED, b"1%016x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), REFUSED),
    "a size of nothing": (post(CHUNKED, b"\r\n" + CHUNKS), REFUSED),
    "a size line that ends in LF": (post(CHUNKED, CHUNKS.replace(b"\r\n", b"\n", 1)), REFUSED),
    "a size line that ends in CR": (post(CHUNKED, CHUNKS.replace(b"\r\n", b"\rX", 1)), REFUSED),
    "an extension that hides a line": (post(CHUNKED, b"%x;\nxx\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), REFUSED),
    "an extension with a NUL": (post(CHUNKED, b"%x;\0\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)), REFUSED),
    "a chunk that is longer than its size": (post(CHUNKED, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY) - 1, BODY)), REFUSED),
    "a chunk that ends in LF": (post(CHUNKED, b"%x\r\n%s\n0\r\n\r\n" % (len(BODY), BODY)), REFUSED),
    "a chunk that ends in any two bytes": (post(CHUNKED, b"%x\r\n%sXX0\r\n\r\n" % (len(BODY), BODY)), REFUSED),
    "a last chunk that ends in LF": (post(CHUNKED, CHUNKS[:-2] + b"\n"), REFUSED),
    "a trailer with a blank before its colon": (post(CHUNKED, CHUNKS[:-2] + b"X : y\r\n\r\n"), REFUSED),
    "a trailer that is folded": (post(CHUNKED, CHUNKS[:-2] + b"X: y\r\n z\r\n\r\n"), REFUSED),
    # bodies where nobody expects one, each a request in itself
    "GET with a length": (get(fields=b"Content-Length: %d\r\n" % len(CANARY), body=CANARY), 200),
    "GET with chunks": (get(fields=CHUNKED, body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(CANARY), CANARY)), 200),
    "a body of an unknown path": (post(b"Content-Length: %d\r\n" % len(CANARY), CANARY, line=b"POST /nowhere HTTP/1.1\r\n"), 404),
    "a body without a key": (b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(CANARY) + CANARY, 401),
    "a body without a length": (post(b"", b""), 400),
    "an empty body that is chunked": (post(CHUNKED, b"0\r\n\r\n"), 400),
}


def test_the_table_is_large_enough_M58():
    assert len(PAYLOADS) >= 68


@pytest.fixture(scope="module")
def street(tmp_path_factory):
    """A daemon whose provider keeps all that it gets. In the end the provider must have seen nothing but what we say."""
    folder = tmp_path_factory.mktemp("street")
    with Recorder() as provider, serving(folder, config_of(near=provider.url)) as daemon:
        yield daemon, provider
        assert provider.malformed == []
        for request in provider.requests:
            assert request.line == "POST /v1/chat/completions HTTP/1.1"
            assert request.body == BODY.replace(b'"all"', b'"m"')
            (attempt_id,) = request.values("X-Client-Request-Id")
            assert dict(request.fields) == {
                "Host": provider.address, "Content-Length": str(len(request.body)), "Accept-Encoding": "identity",
                "User-Agent": "fairlead/0.1.0", "Accept": "application/json", "Content-Type": "application/json",
                "Authorization": f"Bearer {PROVIDER_KEY}", "X-Client-Request-Id": attempt_id}
            assert len(request.fields) == 8
        # I1: one attempt for each that the provider got, one request for each that reached routing.
        ledger = wait_until(lambda: (rows := daemon.ledger()).all_settled() and rows, "rows to settle")
        assert sorted(f"{a['request_id']}-{a['number']}" for a in ledger.attempts) == sorted(
            value for request in provider.requests for value in request.values("X-Client-Request-Id"))


@pytest.mark.parametrize("pieces", [0, 1], ids=["whole", "bytewise"])
@pytest.mark.parametrize("name", PAYLOADS)
def test_a_payload_gets_its_verdict_and_the_canary_is_not_mixed_M58(street, name, pieces):
    daemon, provider = street
    payload, verdict = PAYLOADS[name]
    before = len(provider.requests)
    answers = talk(daemon.address, payload + CANARY, pieces)
    if verdict is REFUSED:
        (answer,) = answers
        expect_openai_error(answer, 400)
        assert answer.fields["connection"] == "close"
        assert len(provider.requests) == before
        return
    status, alone = (verdict[0], True) if isinstance(verdict, tuple) else (verdict, False)
    assert answers[0].status == status and answers[0].complete and b'"id":"all","object":"model"}' != answers[0].body
    assert len(provider.requests) == before + (1 if status == 200 and payload.startswith(b"POST") else 0)
    if alone:
        assert len(answers) == 1
        return
    canary, = answers[1:]
    assert canary.status == 200 and canary.json()["id"] == "all" and canary.json()["object"] == "model"


def test_a_length_that_takes_the_canary_in_leaves_no_canary_M58(street):
    """The body is the canary's bytes: one refusal, no answer to the canary."""
    daemon, _ = street
    (answer,) = talk(daemon.address, post(b"Content-Length: %d\r\nConnection: close\r\n" % len(CANARY), CANARY) + CANARY)
    assert expect_openai_error(answer, 400)["code"] == "invalid_request"


def test_fifty_pipelined_requests_are_answered_in_order_each_with_its_own(street):
    daemon, _ = street
    paths = ["/v1/models/all", "/v1/models/near", "/v1/models/none"] * 16 + ["/v1/models/all", "/v1/models"]
    requests = [request_bytes("GET", path, CLIENT_KEY) for path in paths[:-1]]
    requests.append(request_bytes("GET", paths[-1], CLIENT_KEY, fields=[("Connection", "close")]))
    for pieces in (0, 7):
        answers = talk(daemon.address, b"".join(requests), pieces)
        got = [answer.json().get("id") or answer.json().get("object") or answer.status for answer in answers]
        assert got == ["all", "near", 404] * 16 + ["all", "list"]


def test_what_follows_connection_close_is_not_answered(street):
    daemon, _ = street
    assert len(talk(daemon.address, CANARY + CANARY)) == 1


def test_a_keep_alive_connection_serves_one_app_after_a_refused_model(street):
    daemon, _ = street
    with dial(daemon.address) as connection:
        for _ in range(3):
            connection.sendall(request_bytes("POST", "/v1/chat/completions", CLIENT_KEY, chat("x", "nothing")))
        connection.sendall(CANARY)
        assert [answer.status for answer in answers_in(read_to_end(connection))] == [404, 404, 404, 200]
