# SPDX-License-Identifier: Apache-2.0
"""Attacks on who asks: the host that vouches, two readings of one request, confused answers, names, chance."""
import http.client
import json
import socket
import threading

import pytest

import stub_sts
from harness import ACCOUNT, role_arn
from tvm import POLICY, validate_error

BODY = json.dumps({"profile": "dev"}).encode()
JSON = {"Content-Type": "application/json"}
OTHER = "111122223333"
EVERYBODY = 'version: "1"\nrules:\n- {name: all, effect: allow, conditions: {profiles: [dev]}}\n'


class Trap:
    """A listener that must never be called."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self.wait, daemon=True).start()

    def wait(self):
        try:
            while True:
                connection, _ = self.socket.accept()
                self.calls += 1
                connection.close()
        except OSError:
            pass


@pytest.fixture
def trap():
    trap = Trap()
    yield trap
    trap.socket.close()


def raw(server, text):
    """Exactly these bytes; (status, code) of the one answer."""
    host, _, port = server.url.partition("//")[2].rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(text)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        document = json.loads(answer.read())
        if answer.status >= 400:
            validate_error(document)
        return answer.status, document.get("code")


def head(server, target, headers, body=BODY, method="POST", host=None):
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host or server.url.partition('//')[2]}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines + ["", ""]).encode() + body


# --- ATK-01 ---

HOSTS = ["sts.us-east-1.amazonaws.com@127.0.0.1:{trap}", "127.0.0.1:{trap}", "user:pass@127.0.0.1:{trap}",
         "sts.us-east-1.amazonaws.com.", "sts.us-east-1.amazonaws.com.cn", "sts.us-gov-west-1.amazonaws.com",
         "sts.us-east-1.c2s.ic.gov", "sts.us-east-1.amazonaws.com.evil.example", "sts-us-east-1.amazonaws.com",
         "xn--ts-yic.us-east-1.amazonaws.com", "STS.US-EAST-1.AMAZONAWS.COM", "sts.us-east-1.amazonaws.com:443",
         "sts.us-east-1.amazonaws.com%00.evil.example", "[::1]:{trap}"]


@pytest.mark.parametrize("host", HOSTS)
def test_attack_01_host_that_was_signed_for(stubbed, trap, host):
    """ATK-01: the server asks its own STS, under that name, whatever the client signed for; the signature then fails there."""
    stub, server = stubbed()
    stub.answer = (403, "text/xml", f"<ErrorResponse xmlns='{stub_sts.NAMESPACE}'><Error><Type>Sender</Type><Code>SignatureDoesNotMatch"
                   "</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>".encode())
    answer = server.vend("alice", "dev", signed_host=host.format(trap=trap.port))
    assert (answer.status, answer.code) == (401, "PROOF_REJECTED"), answer
    assert len(stub.requests) == 1 and trap.calls == 0
    path, sent, body = stub.requests[0]
    assert dict(sent)["Host"] == stub.url.partition("//")[2] and path == "/" and body == b"Action=GetCallerIdentity&Version=2011-06-15"


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Amz-Sts-Endpoint", "X-Sts-Url", "Forwarded", "X-Original-Url", "Referer"])
def test_attack_01_headers_that_name_a_host(stubbed, trap, name):
    """ATK-01: no header chooses who is asked."""
    stub, server = stubbed()
    for value in (f"127.0.0.1:{trap.port}", f"http://127.0.0.1:{trap.port}/"):
        assert server.call("alice", "GET", "/v1/whoami", headers={name: value}).status == 200
    assert trap.calls == 0 and len(stub.requests) == 2
    assert not [n for _, sent, _ in stub.requests for n, _ in sent if n.lower() == name.lower()]


@pytest.mark.parametrize("target,status", [
    ("http://127.0.0.1:{trap}/v1/credentials", 400), ("//127.0.0.1:{trap}/v1/credentials", 400), ("127.0.0.1:{trap}", 400),
    ("/v1/credentials#@127.0.0.1:{trap}", 400), ("*", 400),
])
def test_attack_01_absolute_targets(stubbed, trap, target, status):
    """ATK-01: a request-target that is an address of its own."""
    stub, server = stubbed()
    proven = {**server.prove("alice", "/v1/credentials", "POST", BODY), **JSON, "Content-Length": str(len(BODY))}
    assert raw(server, head(server, target.format(trap=trap.port), proven.items()))[0] == status
    assert not stub.requests and trap.calls == 0


def test_attack_01_redirect_is_not_followed(stubbed, trap):
    """ATK-01, ATK-03: STS itself sends the server elsewhere, with each status that could."""
    stub, server = stubbed()
    stub.location = f"http://127.0.0.1:{trap.port}/"
    for status in (301, 302, 303, 307, 308):
        stub.answer = (status, "text/xml", stub_sts.identity())
        assert server.vend("alice", "dev").code == "IDENTITY_UNAVAILABLE"
    assert trap.calls == 0 and not server.decisions()


# --- ATK-02 ---


def two_readings():
    """Name: function of (headers as pairs) that gives pairs which two programs might read in two ways."""
    def again(name, spelt, value=None):
        return lambda pairs: pairs + [(spelt, value if value is not None else dict(pairs)[name])]

    def before(name, spelt, value):
        return lambda pairs: [(spelt, value)] + pairs
    yield "Authorization in capitals", again("Authorization", "AUTHORIZATION")
    yield "Authorization first", before("Authorization", "authorization", "Bearer x")
    yield "Content-Length equal", again("Content-Length", "content-length")
    yield "Content-Length other", again("Content-Length", "Content-Length", "0")
    yield "Content-Length list", lambda p: [(n, v + ", " + v if n == "Content-Length" else v) for n, v in p]
    yield "Content-Length sign", lambda p: [(n, "+" + v if n == "Content-Length" else v) for n, v in p]
    yield "Content-Length zeros", lambda p: [(n, "0" + v if n == "Content-Length" else v) for n, v in p]
    yield "Content-Type twice", again("Content-Type", "content-type")
    yield "date twice", again("X-Amz-Date", "x-amz-date")
    yield "audience twice", again("X-Sentinel-Audience", "x-sentinel-audience")
    yield "request hash twice", again("X-Sentinel-Request", "x-SENTINEL-request")
    yield "nonce twice", again("X-Sentinel-Nonce", "X-Sentinel-nonce")
    yield "token twice", lambda p: p + [("X-Amz-Security-Token", "a"), ("x-amz-security-token", "b")]
    yield "Host twice", lambda p: p + [("host", "evil.example")]
    yield "Transfer-Encoding too", lambda p: p + [("Transfer-Encoding", "chunked")]
    yield "Transfer-Encoding hidden", lambda p: p + [("Transfer-Encoding", "xchunked")]
    yield "blank before the colon", lambda p: p + [("Authorization ", dict(p)["Authorization"])]
    yield "folded", lambda p: p + [("X-A", "b\r\n Authorization: x")]


@pytest.mark.parametrize("name,change", list(two_readings()), ids=[name for name, _ in two_readings()])
def test_attack_02_headers_with_two_readings(stubbed, name, change):
    """ATK-02: 400, before STS is asked; and the unchanged request is good, so that it is this that was refused."""
    stub, server = stubbed()
    pairs = list({**server.prove("alice", "/v1/whoami", "GET"), }.items())
    assert raw(server, head(server, "/v1/whoami", pairs, b"", "GET"))[0] == 200
    seen = len(stub.requests)
    proven = {**server.prove("alice", "/v1/credentials", "POST", BODY), **JSON, "Content-Length": str(len(BODY))}
    assert raw(server, head(server, "/v1/credentials", change(list(proven.items()))))[0] == 400, name
    assert len(stub.requests) == seen and not server.decisions()


@pytest.mark.parametrize("target", [
    "/?profile=dev&profile=prod", "/?profile=dev&prof%69le=prod", "/?prof%69le=dev&profile=dev", "/?profile=dev&duration=900&duration=1800",
    "/?profile=dev&device_id=&device_id=", "/?profile=dev&%70rofile=prod", "/?profile=dev&profile", "/?profile=dev&x=%", "/?profile=dev&x=%4",
    "/?profile=dev&x=%C0%AF", "/?profile=dev%00&duration=900", "/?profile=dev;profile=prod", "/?profile=dev;duration=43200", "/?;profile=dev",
])
def test_attack_02_parameters_with_two_readings(tvm_server, target):
    """ATK-02: duplicated, encoded and semicolon-split parameters are refused with 400; nothing is issued."""
    before = len(tvm_server.sts_calls("AssumeRole"))
    answer = tvm_server.call("alice", "GET", target)
    assert answer.status == 400, answer
    assert len(tvm_server.sts_calls("AssumeRole")) == before and not tvm_server.decisions()


@pytest.mark.parametrize("target,profile", [
    ("/?Profile=prod&profile=dev", "dev"), ("/?PROFILE=prod&profile=dev&Duration=43200", "dev"),
    ("/?profile=dev&Action=AssumeRole&RoleArn=arn:aws:iam::123456789012:role/SentinelProtected-prod", "dev"),
])
def test_attack_02_case_is_never_folded(tvm_server, target, profile):
    """ATK-02: a parameter in another case is another parameter and does nothing."""
    answer = tvm_server.call("alice", "GET", target)
    assert answer.status == 200, answer
    assert tvm_server.decisions()[-1]["profile"] == profile
    assert tvm_server.decisions()[-1]["session_duration_seconds"] == 900


@pytest.mark.parametrize("body", [
    {"Profile": "prod", "profile": "dev"}, {"profile": "dev", "Action": "AssumeRole"}, {"profile": "dev", "Duration": 900},
])
def test_attack_02_members_in_another_case(tvm_server, body):
    """ATK-02: in a body an unknown spelling is refused."""
    assert tvm_server.call("alice", "POST", "/v1/credentials", body).code == "INVALID_REQUEST"


@pytest.mark.parametrize("body", [{"profile": "prod"}, {"duration": "1800", "profile": "dev"}])
def test_attack_02_query_and_body_disagree(tvm_server, body):
    """ATK-02: on the alias the same name in both places must say the same."""
    answer = tvm_server.call("alice", "POST", "/?profile=dev&duration=900", body)
    assert (answer.status, answer.code) == (400, "INVALID_REQUEST")
    assert not tvm_server.decisions()


def test_attack_02_action_in_both_places(stubbed):
    """ATK-02: an Action beside the request reaches STS from neither place."""
    stub, server = stubbed()
    form = b"Action=AssumeRole&Version=2011-06-15"
    answer = server.call("alice", "POST", "/?profile=dev&Action=AssumeRole", form)
    assert answer.status == 400
    answer = server.call("alice", "GET", "/v1/whoami?Action=AssumeRole")
    assert answer.status == 400
    assert {body for _, _, body in stub.requests} == {b"Action=GetCallerIdentity&Version=2011-06-15"} or not stub.requests
    assert not stub.asked


# --- ATK-03: what AssumeRole answers ---


def bent(asked):
    """Name: an answer that is not the one for what was asked."""
    good = stub_sts.assumed(asked)[2]
    error = (f"<ErrorResponse xmlns='{stub_sts.NAMESPACE}'><Error><Code>AccessDenied</Code><Message>{good.decode()[:0]}"
             "arn:aws:iam::123456789012:role/planted</Message></Error></ErrorResponse>").encode()
    role = role_arn("SentinelProtected-prod")
    return {
        "json": (200, "application/json", json.dumps({"Credentials": {"AccessKeyId": "ASIA"}}).encode()),
        "json of the right type": (200, "text/xml", json.dumps({"AssumeRoleResponse": {}}).encode()),
        "html": (200, "text/html", good), "no type": (200, None, good), "redirect": (302, "text/xml", good),
        "200 with an error": (200, "text/xml", error), "error that reflects": (403, "text/xml", error),
        "role of another name": stub_sts.assumed(asked, arn=role.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/x"),
        "session of another name": stub_sts.assumed(asked, arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/SentinelProtected-dev/root"),
        "role of another account": stub_sts.assumed(asked, arn=f"arn:aws:sts::{OTHER}:assumed-role/SentinelProtected-dev/{asked['RoleSessionName']}"),
        "two arns": (200, "text/xml", good.replace(b"</AssumedRoleUser>", b"<Arn>arn:aws:iam::123456789012:user/x</Arn></AssumedRoleUser>")),
        "two keys": stub_sts.assumed(asked, credentials="<AccessKeyId>ASIAOTHER00000000000</AccessKeyId>"),
        "two credentials": stub_sts.assumed(asked, result="<Credentials><AccessKeyId>ASIAOTHER00000000000</AccessKeyId></Credentials>"),
        "cut off": (200, "text/xml", good[:-10]), "huge": (200, "text/xml", good + b" " * (1 << 20)),
        "doctype": (200, "text/xml", b"<!DOCTYPE x>" + good), "namespace": (200, "text/xml", good.replace(b"https://sts", b"https://evil")),
    }


NAMES = sorted(bent({"RoleArn": role_arn("x"), "RoleSessionName": "s"}))


@pytest.mark.parametrize("name", NAMES)
def test_attack_03_confused_answer_to_assume_role(stubbed, name):
    """ATK-03: nothing is issued on an answer of another form or for somebody else; the same server issues on the right one."""
    stub, server = stubbed()
    stub.assume = lambda asked: bent(asked)[name]
    answer = server.vend("alice", "dev")
    assert answer.status in (500, 503) and answer.code == "CREDENTIAL_ERROR", answer
    assert "ASIA" not in answer.text and "planted" not in answer.text and "arn:" not in answer.text
    assert server.decisions()[-1]["outcome"] == "error"
    stub.assume = stub_sts.assumed
    assert server.vend("alice", "dev").status == 200


# --- ATK-05: whose name it is ---

SSO = "AWSReservedSSO_Dev_0123456789abcdef"
ALICES = [  # what AWS says, and whether an entry "alice" is meant
    (f"arn:aws:iam::{ACCOUNT}:user/alice", True), (f"arn:aws:iam::{ACCOUNT}:user/division/alice", True),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/{SSO}/alice", True), (f"arn:aws:sts::{OTHER}:assumed-role/{SSO}/alice", True),
    (f"arn:aws:iam::{OTHER}:user/alice", False), (f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/alice", False),
    (f"arn:aws:sts::{ACCOUNT}:federated-user/alice", False), (f"arn:aws:sts::{OTHER}:assumed-role/Dev/alice", False),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Dev_0123456789ABCDEF/alice", False),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Dev_0123456789abcde/alice", False),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/XAWSReservedSSO_Dev_0123456789abcdef/alice", False),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/SentinelProtected-dev/alice", False),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/alice/x", False), (f"arn:aws:iam::{ACCOUNT}:user/alice/bob", False),
]


@pytest.mark.parametrize("arn,is_alice", ALICES)
def test_attack_05_only_a_vouched_name_is_a_name(stubbed, arn, is_alice):
    """ATK-05, POL-43, AUD-04: type, account, role and who chose the name decide whether the entry 'alice' is meant."""
    stub, server = stubbed(settings={"SENTINEL_ALLOWED_ACCOUNTS": f"{ACCOUNT},{OTHER}"}, policy=POLICY.replace(
        "users: [alice, bob]", "users: [alice]"))
    stub.assume = stub_sts.assumed
    stub.is_asked_by(arn)
    answer = server.vend("alice", "dev")
    assert answer.status == (200 if is_alice else 404), answer
    seen = server.call("alice", "GET", "/v1/whoami").json["principal"]
    assert ("alice" in seen["entries"]) is is_alice and seen["arn"] == arn
    if not is_alice:
        assert "+" in seen["user_part"] or seen["name"] != "alice" or seen["type"] == "user"


@pytest.mark.parametrize("arn,status,code", [
    (f"arn:aws:iam::{ACCOUNT}:root", 403, "CALLER_NOT_ALLOWED"), ("arn:aws:iam::999988887777:user/alice", 403, "CALLER_NOT_ALLOWED"),
    (f"arn:aws-cn:iam::{ACCOUNT}:user/alice", 400, "INVALID_IDENTITY"), (f"arn:aws:iam::{ACCOUNT}:role/alice", 400, "INVALID_IDENTITY"),
    (f"arn:aws:iam::{ACCOUNT}:group/alice", 400, "INVALID_IDENTITY"), (f"arn:aws:iam::{ACCOUNT}:user/\u0430lice", 400, "INVALID_IDENTITY"),
    (f"arn:aws:iam::{ACCOUNT}:user/ali ce", 400, "INVALID_IDENTITY"), (f"arn:aws:iam::{ACCOUNT}:user/", 400, "INVALID_IDENTITY"),
    (f"arn:aws:iam::{ACCOUNT}:user/alice\u200b", 400, "INVALID_IDENTITY"), (f"arn:aws:sts::{ACCOUNT}:assumed-role/R", 400, "INVALID_IDENTITY"),
    (f"arn:aws:sts::{ACCOUNT}:assumed-role/R/a/b", 400, "INVALID_IDENTITY"),
])
def test_attack_05_who_is_nobody(stubbed, arn, status, code):
    """ATK-05, ATK-06, AUD-03, AUD-06: other accounts, partitions, forms and alphabets, root: refused, nothing vended."""
    stub, server = stubbed(policy=EVERYBODY)
    stub.is_asked_by(arn)
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (status, code) or (answer.status, answer.code) == (503, "IDENTITY_UNAVAILABLE"), answer
    assert not stub.asked


# --- ATK-06: names that could fold into one ---

LONG = "alexander.hamilton@example.com"


@pytest.mark.parametrize("entry,name", [
    ("alice", "Alice"), ("alice", "ALICE"), ("alice", "alice."), ("alice", ".alice"), ("alice", "al.ice"), ("alice", "alic"),
    ("alice", "alicea"), ("alice", "alice-"), ("alice", "alice@corp.com"), ("al.ice@corp.com", "alice@corp.com"),
    ("al.ice@corp.com", "alicecorpcom"), ("al.ice@corp.com", "al.ice@corp.co"), ("al.ice@corp.com", "Al.ice@corp.com"),
    (LONG, "alexander.hamilton@example.org"), (LONG, "Alexander.Hamilton@example.com"), (LONG, "alexander.hamilton@+5fb5fb"),
    (LONG, "alexander.hamilton"), (LONG, LONG + "m"), ("a" * 64, "a" * 63), ("alice", "alice+5fb5fb"),
])
def test_attack_06_two_names_stay_two(stubbed, entry, name):
    """ATK-06, AUD-04, POL-03: a name near an entry is not the entry; it is told whole, and its stamp is another one."""
    policy = f'version: "1"\nrules:\n- {{name: one, effect: allow, conditions: {{profiles: [dev], users: ["{entry}"]}}}}\n'
    stub, server = stubbed(policy=policy)
    stub.assume = stub_sts.assumed
    stamps = []
    for who, status in ((name, 404), (entry, 200)):
        stub.is_asked_by(f"arn:aws:iam::{ACCOUNT}:user/{who}")
        seen = server.call("alice", "GET", "/v1/whoami").json["principal"]
        assert seen["name"] == who and (entry in seen["entries"]) is (status == 200)
        stamps.append(seen["user_part"])
        answer = server.vend("alice", "dev")
        assert answer.status == status, answer
        assert server.decisions()[-1]["user"] == who
    assert stamps[0] != stamps[1]


# --- ATK-07: chance ---


@pytest.mark.parametrize("flag", ["random", "repeat"])
def test_attack_07_random_source_fails_or_repeats(start_tvm, shared_lab, faults, flag):
    """ATK-07, TVM-39, AUD-10: no id, no issue; no constant takes its place; and afterwards the server works."""
    server = start_tvm(shared_lab, settings=faults.env)
    first = server.vend("alice", "dev")
    assert first.status == 200
    faults.set(flag)
    answers = [server.vend("alice", "dev", parameters={"duration": 900 + n}, check=False) for n in range(4)]
    issued = [a.json["session"]["id"] for a in answers if a.status == 200]
    assert len(set(issued)) == len(issued) <= (1 if flag == "repeat" else 0)
    for answer in answers:
        assert answer.status == 200 or (answer.status, answer.code) == (500, "CREDENTIAL_ERROR"), answer
        assert "0000000000000000" not in answer.text
    faults.clear(flag)
    assert server.vend("alice", "dev").status == 200
    assert "0000000000000000" not in json.dumps(server.audit())
    ids = [row["id"] for row in server.rows("SELECT id FROM sessions")]
    assert len(set(ids)) == len(ids)
    issues = [e["request_id"] for e in server.decisions() if e["outcome"] == "issued"]
    assert len(set(issues)) == len(issues) == 2 + len(issued)


def test_attack_07_no_keys_without_chance(start_tvm, shared_lab, faults):
    """ATK-07: a first start that would have to make keys does not start, and leaves no key file."""
    faults.set("random")
    server = start_tvm(shared_lab, settings=faults.env, ready=False)
    assert server.process.wait(20) == 3
    assert not list(server.state.glob("*.key"))
