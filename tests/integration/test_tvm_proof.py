# SPDX-License-Identifier: Apache-2.0
"""Attacks on the proof of identity, each over a real socket: what is refused, with which code, and without asking STS."""
import base64
import concurrent.futures
import datetime
import http.client
import json
import urllib.parse

import pytest

import stub_sts
from harness import ACCOUNT

BODY = json.dumps({"profile": "dev"}).encode()
JSON = {"Content-Type": "application/json"}


def proofs_at_sts(server):
    return [e for e in server.sts_calls("GetCallerIdentity") if "SentinelTVM" not in json.dumps(e)]


@pytest.fixture
def sent(tvm_server):
    """sent(expected status, code, ...) sends a vend whose proof is broken and sees that STS was not asked."""
    def send(status, code, *, change=None, target="/v1/credentials", method="POST", body=BODY, proven=None, **options):
        before = len(proofs_at_sts(tvm_server))
        headers = tvm_server.prove("alice", *(proven or (target, method, body)), **options)
        headers.update(JSON if body else {})
        if change:
            headers = change(headers) or headers
        answer = tvm_server.send(method, target, headers, body, check=code != "MALFORMED_HTTP")
        assert (answer.status, answer.code) == (status, code), answer
        assert len(proofs_at_sts(tvm_server)) == before
        return answer
    return send


def utc(**delta):
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(**delta)


# --- TVM-03: nothing else is an identity ---


@pytest.mark.parametrize("headers", [
    {}, {"X-User": "admin"}, {"X-Amzn-Iam": "arn:aws:iam::123456789012:user/alice"},
    {"X-Forwarded-User": "alice", "X-Amz-Date": "20260201T100000Z"},
])
def test_no_proof(tvm_server, headers):
    """TVM-03: 401, and the region to sign for; a context in the body is an unknown member."""
    answer = tvm_server.send("POST", "/v1/credentials", {**headers, **JSON}, BODY)
    assert (answer.status, answer.code) == (401, "PROOF_REQUIRED")
    assert answer.headers["WWW-Authenticate"] == 'Sentinel region="us-east-1"'
    event = {"profile": "dev", "requestContext": {"authorizer": {"iam": {"userArn": "x", "accountId": ACCOUNT}}}}
    assert tvm_server.call("alice", "POST", "/v1/credentials", event).code == "INVALID_REQUEST"


# --- ATK-04: a proof is good for one server, one request, one moment ---


def test_attack_04_other_audience(sent):
    """TVM-42"""
    for audience in ("https://tvm.example.org", "http://127.0.0.1:1", "http://127.0.0.1"):
        sent(401, "PROOF_AUDIENCE", audience=audience)


def test_attack_04_other_region(sent):
    """TVM-42: and the answer names the right one."""
    answer = sent(401, "PROOF_REGION", region="eu-west-1")
    assert answer.headers["WWW-Authenticate"] == 'Sentinel region="us-east-1"'


@pytest.mark.parametrize("proven", [
    ("/v1/explain", "POST", BODY), ("/v1/credentials", "GET", BODY), ("/v1/credentials?", "POST", BODY[:-1]),
    ("/v1/credentials", "POST", BODY + b" "), ("/v1/credentials?x=1", "POST", BODY),
    ("/v1/credentials", "POST", json.dumps({"profile": "prod"}).encode()),
])
def test_attack_04_other_request(sent, proven):
    """TVM-42: path, query, method and body are bound."""
    sent(401, "PROOF_MISMATCH", proven=proven)


@pytest.mark.parametrize("seconds", [-61, -3600, 63, 3600])
def test_attack_04_clock_skew(sent, seconds):
    """TVM-42: more than a minute off. (The exact edge is a unit test.)"""
    answer = sent(401, "PROOF_EXPIRED", when=utc(seconds=seconds))
    assert answer.headers["Date"]


def test_skew_within_a_minute_is_fine(tvm_server):
    for seconds in (-55, 55):
        assert tvm_server.vend("alice", "dev", when=utc(seconds=seconds)).status == 200


# --- ATK-02: one reading of everything ---


def authorization(change):
    def apply(headers):
        headers["Authorization"] = change(headers["Authorization"])
    return apply


@pytest.mark.parametrize("change", [
    lambda a: a.replace("Signature=", "Signature=A"), lambda a: a[:-64] + a[-64:].upper(), lambda a: a + ",x=1",
    lambda a: a.replace(", ", ","), lambda a: a.replace("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1"),
    lambda a: a.replace("/sts/", "/iam/"), lambda a: a.replace("/sts/", "/execute-api/"),
    lambda a: a.replace("content-type;host", "host;content-type"), lambda a: a.replace("content-type;", ""),
    lambda a: a.replace("x-sentinel-request", "x-sentinel-request;x-sentinel-user"),
    lambda a: a.replace("x-sentinel-audience;", ""), lambda a: a.replace("x-sentinel-nonce;", ""),
    lambda a: a.replace("aws4_request", "aws4_Request"), lambda a: a.replace("Credential=", "Credential=x"),
    lambda a: a.replace("us-east-1", "us-east-1/x"), lambda a: a + "\t", lambda a: a.replace("Signature", "signature"),
])
def test_attack_02_form_of_authorization(sent, change):
    """TVM-42: order, extra and missing signed headers, upper-case signature, another service."""
    original = {}

    def apply(headers):
        original["a"] = headers["Authorization"]
        headers["Authorization"] = change(headers["Authorization"])
        if headers["Authorization"].rstrip() == original["a"]:
            headers["Authorization"] = "AWS4-HMAC-SHA256"
    sent(400, "PROOF_MALFORMED", change=apply)


@pytest.mark.parametrize("name,value", [
    ("X-Amz-Date", "20260230T100000Z"), ("X-Amz-Date", "20260201T100000"), ("X-Amz-Security-Token", "planted"),
    ("X-Sentinel-Request", "0" * 63), ("X-Sentinel-Request", "0" * 63 + "G"), ("X-Sentinel-Nonce", "short"),
    ("X-Sentinel-Nonce", "A" * 21 + "="), ("X-Sentinel-Audience", "a" * 513),
])
def test_attack_02_form_of_headers(sent, name, value):
    """TVM-42"""
    sent(400, "PROOF_MALFORMED", change=lambda headers: headers.update({name: value}))


@pytest.mark.parametrize("missing", ["X-Amz-Date", "X-Sentinel-Audience", "X-Sentinel-Request"])
def test_attack_02_missing_header(sent, missing):
    sent(400, "PROOF_MALFORMED", change=lambda headers: headers.pop(missing) and None)


def test_attack_02_too_large(sent):
    """TVM-42: 8 KiB and one byte."""
    sent(400, "PROOF_MALFORMED", change=lambda headers: headers.update({"X-Amz-Security-Token": "t" * 8000}))


@pytest.mark.parametrize("name", ["Authorization", "X-Amz-Date", "X-Sentinel-Audience", "X-Sentinel-Request", "Host"])
def test_attack_02_repeated_header(tvm_server, name):
    """TVM-42, ATK-02: a second copy is refused before anything is read, even an equal one."""
    before = len(proofs_at_sts(tvm_server))
    headers = {**tvm_server.prove("alice", "/v1/credentials", "POST", BODY), **JSON}
    pairs = list(headers.items())
    pairs.append((name, headers.get(name, tvm_server.url.partition("//")[2])))
    if name == "Host":
        pairs.append((name, "other.example"))
    answer = tvm_server.send("POST", "/v1/credentials", pairs, BODY)
    assert (answer.status, answer.code) == (400, "MALFORMED_HTTP")
    assert len(proofs_at_sts(tvm_server)) == before


def test_attack_02_parameters_are_never_forwarded(tvm_server):
    """ATK-02: Action in query or body reaches nobody."""
    body = urllib.parse.urlencode({"Action": "AssumeRole", "profile": "dev"}).encode()
    answer = tvm_server.call("alice", "GET", "/?profile=dev&Action=AssumeRole&Version=2011-06-15")
    assert answer.status == 200
    answer = tvm_server.call("alice", "POST", "/v1/credentials", body)
    assert answer.code == "INVALID_REQUEST"


# --- ATK-01: the server chooses the host; a proof signed for anything else fails at STS ---


@pytest.mark.parametrize("options", [
    {"signed_body": b"Action=GetCallerIdentity&Version=2011-06-15&Action=AssumeRole"},
    {"signed_body": b"Action=AssumeRole&Version=2011-06-15"}, {"signed_host": "sts.evil.example"},
    {"signed_host": "sts.amazonaws.com.evil.example"}, {"signed_host": "sts.us-east-1.amazonaws.com."},
    {"signed_host": "sts.us-east-1.amazonaws.com.cn"}, {"signed_host": "127.0.0.1:1"},
])
def test_attack_01_signed_for_another_call_or_host(tvm_server, options):
    """TVM-42, ATK-01: STS is asked with the rebuilt request only, and refuses it."""
    answer = tvm_server.vend("alice", "dev", **options)
    assert (answer.status, answer.code) == (401, "PROOF_REJECTED"), answer
    assert "secret key" in answer.json["hint"] or "changed" in answer.json["hint"]


def test_wrong_and_unknown_keys(tvm_server):
    """A wrong secret, and a key that does not exist."""
    key, _ = tvm_server.lab.keys("alice")
    assert tvm_server.vend((key, "w" * 40), "dev").code == "PROOF_REJECTED"
    answer = tvm_server.vend(("AKIALABNOSUCHKEY0000", "w" * 40), "dev")
    assert answer.code == "PROOF_REJECTED" and "deleted" in answer.json["hint"]


@pytest.fixture
def stub(start_tvm, shared_lab):
    """A server whose STS answers proofs with what the test says."""
    sts = stub_sts.StubSts()
    server = start_tvm(shared_lab, sts_url=sts.url, settings={"AWS_PROFILE": "tvm-user"})
    yield sts, server
    sts.close()


def test_attack_01_rebuilt_request(stub):
    """ATK-01: method, path, host, headers and body of what reaches STS are the server's own."""
    sts, server = stub
    headers = {"X-Forwarded-Host": "evil.example", "Cookie": "a=b", "Accept": "application/json", "X-Other": "1"}
    assert server.call("alice", "GET", "/v1/whoami", headers=headers).status == 200
    path, sent, body = sts.requests[0]
    assert path == "/" and body == b"Action=GetCallerIdentity&Version=2011-06-15"
    names = sorted(name.lower() for name, _ in sent)
    assert names == sorted(["host", "content-type", "content-length", "accept", "user-agent", "x-amz-date", "authorization",
                            "x-sentinel-audience", "x-sentinel-nonce", "x-sentinel-request"])
    values = {name.lower(): value for name, value in sent}
    assert values["accept"] == "text/xml" and values["host"] == sts.url.partition("//")[2]


# --- ATK-03: only an answer of exactly one form counts ---

ARN = stub_sts.ARN
ANSWERS = {
    "json": (200, "application/json", json.dumps({"Arn": ARN}).encode()),
    "json as xml": (200, "text/xml", json.dumps({"GetCallerIdentityResponse": {"GetCallerIdentityResult": {"Arn": ARN}}}).encode()),
    "html": (200, "text/html", b"<html>" + stub_sts.identity() + b"</html>"),
    "no type": (200, None, stub_sts.identity()),
    "redirect": (302, "text/xml", stub_sts.identity()),
    "error in 200": (200, "text/xml", b"<ErrorResponse xmlns='" + stub_sts.NAMESPACE.encode() + b"'><Error><Code>x</Code><Message>"
                     + ARN.encode() + b"</Message></Error></ErrorResponse>"),
    "two arns": (200, "text/xml", stub_sts.identity(f"<Arn>{ARN}</Arn><Arn>{ARN}</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>")),
    "arn in comment": (200, "text/xml", stub_sts.identity(f"<!--<Arn>{ARN}</Arn>--><UserId>A</UserId><Account>{ACCOUNT}</Account>")),
    "arn in attribute": (200, "text/xml", stub_sts.identity(f"<Arn v='{ARN}'/><UserId>A</UserId><Account>{ACCOUNT}</Account>")),
    "doctype": (200, "text/xml", stub_sts.identity(prologue="<!DOCTYPE x>")),
    "entity": (200, "text/xml", stub_sts.identity(f"<Arn>&a;</Arn><UserId>A</UserId><Account>{ACCOUNT}</Account>",
                                                  prologue=f"<!DOCTYPE x [<!ENTITY a '{ARN}'>]>")),
    "namespace": (200, "text/xml", stub_sts.identity(namespace="https://evil.example/")),
    "too large": (200, "text/xml", stub_sts.identity() + b" " * 16385),
    "other account": (200, "text/xml", stub_sts.identity(account="111122223333")),
    "two results": (200, "text/xml", stub_sts.identity(behind=f"<GetCallerIdentityResult><Arn>{ARN}</Arn></GetCallerIdentityResult>")),
    "cut off": (200, "text/xml", stub_sts.identity()[:-20]),
    "throttled": (400, "text/xml", b"<ErrorResponse><Error><Code>Throttling</Code><Message>m</Message></Error></ErrorResponse>"),
    "server error": (500, "text/xml", b"<ErrorResponse/>"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_attack_03_confused_answer(stub, name):
    """TVM-44, ATK-03: 503, nothing vended; and afterwards the server works."""
    sts, server = stub
    sts.answer = ANSWERS[name]
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (503, "IDENTITY_UNAVAILABLE"), answer
    assert ARN not in answer.text and "evil" not in answer.text
    assert not server.decisions()
    sts.answer = (200, "text/xml; charset=utf-8", stub_sts.identity())
    assert server.call("alice", "GET", "/v1/whoami").status == 200


@pytest.mark.parametrize("kind", ["html", "redirect", "two-arns", "wrong-type", "cut", "500", "throttle"])
def test_attack_03_lab_faults(start_tvm, start_lab, kind):
    """TVM-44: the lab's own faults, and the same proof may be sent again, since STS did not accept it."""
    lab = start_lab()
    server = start_tvm(lab)
    assert server.call("bob", "GET", "/v1/whoami").status == 200
    lab.fault(f"sts:GetCallerIdentity={kind},3")
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (503, "IDENTITY_UNAVAILABLE"), answer
    lab.fault("none")
    assert server.vend("alice", "dev").status == 200


# --- ATK-04: replay ---


def test_attack_04_replay_in_parallel(tvm_server):
    """TVM-43: the same proof 50 times at once vends exactly once."""
    headers = {**tvm_server.prove("alice", "/v1/credentials", "POST", BODY), **JSON}
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: tvm_server.send("POST", "/v1/credentials", headers, BODY), range(50)))
    assert sorted(a.status for a in answers) == [200] + [401] * 49
    assert {a.code for a in answers if a.status == 401} == {"PROOF_REPLAYED"}
    assert tvm_server.rows("SELECT count(*) AS n FROM sessions")[0]["n"] == 1


def test_attack_04_replay_after_restart(start_tvm, shared_lab, tmp_path):
    """TVM-43: the store remembers what the process forgot; and the port, which the audience names, is the same."""
    place = tmp_path / "again"
    first = start_tvm(shared_lab, directory=place)
    headers = {**first.prove("alice", "/v1/credentials", "POST", BODY), **JSON}
    assert first.send("POST", "/v1/credentials", headers, BODY).status == 200
    assert first.end() == 0
    second = start_tvm(shared_lab, directory=place, settings={"SENTINEL_LISTEN": first.url.partition("//")[2]})
    second.secrets |= first.secrets
    answer = second.send("POST", "/v1/credentials", headers, BODY)
    assert (answer.status, answer.code) == (401, "PROOF_REPLAYED")
    assert second.rows("SELECT count(*) AS n FROM sessions")[0]["n"] == 1
    assert second.vend("alice", "dev").status == 200


def test_nonce_tells_equal_requests_apart(tvm_server):
    """TVM-43: two equal requests in one second: with nonces both succeed, without the second is a replay."""
    when = utc()
    assert [tvm_server.vend("alice", "dev", when=when).status for _ in range(2)] == [200, 200]
    answers = [tvm_server.vend("alice", "dev", when=when, nonce=False) for _ in range(2)]
    assert [a.status for a in answers] == [200, 401] and answers[1].code == "PROOF_REPLAYED"


def test_replay_of_a_read(tvm_server):
    """ATK-04: other routes remember too."""
    headers = tvm_server.prove("alice", "/v1/whoami")
    assert tvm_server.send("GET", "/v1/whoami", headers).status == 200
    assert tvm_server.send("GET", "/v1/whoami", headers).code == "PROOF_REPLAYED"


# --- Tickets ---


def want(server, connection):
    answer = server.call("alice", "GET", "/v1/whoami", headers={"X-Sentinel-Want-Ticket": "true"}, connection=connection)
    assert answer.status == 200
    return answer.headers.get("X-Sentinel-Ticket"), answer


def test_tickets_are_off_by_default(tvm_server):
    """TVM-45"""
    connection = tvm_server.connect()
    assert want(tvm_server, connection)[0] is None
    answer = tvm_server.send("GET", "/v1/whoami", {"Authorization": "Sentinel-Ticket " + "A" * 43}, connection=connection)
    assert (answer.status, answer.code) == (401, "TICKET_INVALID")


def test_ticket_is_good_on_its_connection_only(start_tvm, shared_lab):
    """TVM-45: another connection, another route, another ticket; policy runs for each use."""
    server = start_tvm(shared_lab, settings={"SENTINEL_TICKET_SECONDS": "60"})
    connection = server.connect()
    ticket, given = want(server, connection)
    assert len(base64.urlsafe_b64decode(ticket + "=")) == 32 and given.headers["X-Sentinel-Ticket-Expires"] == "60"
    bearer = {"Authorization": f"Sentinel-Ticket {ticket}"}
    before = len(proofs_at_sts(server))
    vended = server.send("POST", "/v1/credentials", {**bearer, **JSON}, BODY, connection=connection)
    assert vended.status == 200
    denied = server.send("POST", "/v1/credentials", {**bearer, **JSON}, json.dumps({"profile": "staging"}).encode(),
                         connection=connection)
    assert denied.status == 404
    assert len(proofs_at_sts(server)) == before
    for method, target, use in (("POST", "/", connection), ("GET", "/v1/whoami", None)):
        answer = server.send(method, target, bearer, connection=use)
        assert (answer.status, answer.code) == (401, "TICKET_INVALID"), answer
    wrong = {"Authorization": "Sentinel-Ticket " + ticket[:-1] + ("A" if ticket[-1] != "A" else "B")}
    assert server.send("GET", "/v1/whoami", wrong, connection=connection).code == "TICKET_INVALID"
    server.write("policy.yaml", 'version: "1"\nrules:\n- {name: d, effect: deny, reason: over, conditions: {profiles: [dev]}}\n')
    answer = server.send("POST", "/v1/credentials", {**bearer, **JSON}, BODY, connection=connection)
    assert answer.code == "POLICY_DENY"


def test_ticket_ends(start_tvm, shared_lab):
    """TVM-45: after its second a ticket is nothing; the server's clock is watched, not slept through."""
    server = start_tvm(shared_lab, settings={"SENTINEL_TICKET_SECONDS": "1"})
    connection = server.connect()
    ticket, _ = want(server, connection)
    until = utc(seconds=10)
    code = None
    while code != "TICKET_INVALID" and utc() < until:
        code = server.send("GET", "/v1/whoami", {"Authorization": f"Sentinel-Ticket {ticket}"}, connection=connection).code
    assert code == "TICKET_INVALID"
    assert isinstance(connection, http.client.HTTPConnection)
