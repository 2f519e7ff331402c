# SPDX-License-Identifier: Apache-2.0
"""The Lambda form over a stand-in for the runtime API: events in, envelopes out, over the embedded store. What the shipped program
keeps its state in is shown by test_lambda_aws.py."""
import base64
import http.server
import json
import pathlib
import queue
import threading
import time

import pytest

from harness import ACCOUNT, BIN, Program, closed_environment
from tvm import Tvm, validate

LAMBDA_MAIN = BIN.parents[1] / "tests" / "support" / "lambda_main"
ALICE = f"arn:aws:iam::{ACCOUNT}:user/alice"


class Runtime:
    """Hands out events one by one and keeps the answers."""

    def __init__(self):
        self.events, self.answers, self.init_errors = queue.Queue(), queue.Queue(), []
        runtime = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                assert self.path == "/2018-06-01/runtime/invocation/next"
                ident, event, seconds = runtime.events.get()
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", ident)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + seconds) * 1000)))
                self.send_header("Lambda-Runtime-Trace-Id", "Root=1-x")
                self.send_header("Content-Length", str(len(event)))
                self.end_headers()
                self.wfile.write(event)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path.endswith("/init/error"):
                    runtime.init_errors.append(json.loads(body))
                else:
                    runtime.answers.put((self.path.rpartition("/")[2], self.path.split("/")[-2], json.loads(body),
                                         dict(self.headers)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.count = 0

    def invoke(self, event, seconds=30):
        """(kind, envelope) of one event."""
        self.count += 1
        ident = f"invocation-{self.count}"
        self.events.put((ident, event if isinstance(event, bytes) else json.dumps(event).encode(), seconds))
        kind, answered, envelope, _ = self.answers.get(timeout=40)
        assert answered == ident
        return kind, envelope


def event(method="POST", path="/v1/credentials", body=None, *, query="", arn=ALICE, account=ACCOUNT, stage="$default",
          headers=None, iam=True, encoded=False):
    text = None if body is None else body if isinstance(body, str) else json.dumps(body)
    context = {"http": {"method": method, "sourceIp": "203.0.113.9"}, "stage": stage, "requestId": "gw-1"}
    if iam:
        context["authorizer"] = {"iam": {"accountId": account, "userArn": arn, "userId": "AIDAALICE", "accessKey": "AKIA",
                                         "principalOrgId": "o-1", "callerId": "AIDAALICE"}}
    return {"version": "2.0", "rawPath": path, "rawQueryString": query, "headers": {"content-type": "application/json",
            **(headers or {})}, "requestContext": context, "isBase64Encoded": encoded,
            **({} if text is None else {"body": base64.b64encode(text.encode()).decode() if encoded else text})}


@pytest.fixture
def function(start, start_lab, tmp_path):
    """function(settings) gives (runtime, directory, lab) with the loop running."""
    runtimes = []

    def begin(**settings):
        lab, runtime, place = start_lab(), Runtime(), tmp_path / "fn"
        runtimes.append(runtime)
        shape = Tvm.__new__(Tvm)  # only its way of writing documents
        shape.policy_dir = place / "policy"
        from tvm import CATALOG, POLICY
        for name, text in (("catalog.yaml", CATALOG), ("policy.yaml", POLICY)):
            shape.write(name, text)
        (place / "state").mkdir(mode=0o700)
        environment = closed_environment(place, **{
            **lab.env, "AWS_PROFILE": "tvm", "AWS_LAMBDA_RUNTIME_API": runtime.address,
            "SENTINEL_STORE_PATH": place / "state" / "sentinel.db", "SENTINEL_POLICY_DIR": place / "policy", **settings})
        start(Program([LAMBDA_MAIN], environment))
        return runtime, place, lab
    if not LAMBDA_MAIN.exists():
        pytest.skip("the test main of the loop is not built")
    yield begin
    for runtime in runtimes:
        runtime.server.shutdown()


def ask(runtime, *arguments, **options):
    seconds = options.pop("seconds", 30)
    what = event(*arguments, **options)
    kind, envelope = runtime.invoke(what, seconds)
    assert kind == "response" and envelope["isBase64Encoded"] is False
    body = json.loads(envelope["body"])
    validate(what["rawPath"].replace("/live", "", 1), what["requestContext"]["http"]["method"], envelope["statusCode"], body)
    return envelope["statusCode"], body, envelope["headers"]


def test_issues_by_the_gateways_word(function):
    """TVM-01, TVM-36: both routes, a named stage, a base64 body."""
    runtime, place, _ = function()
    status, body, headers = ask(runtime, body={"profile": "dev"})
    assert status == 200 and body["session"]["source_identity"].startswith("sentinel=alice=direct=")
    names = {name.lower(): value for name, value in headers.items()}
    assert names["x-sentinel-session-id"] == body["session"]["id"] and names["cache-control"] == "no-store"
    assert ask(runtime, "GET", "/", query="profile=dev")[0] == 200
    assert ask(runtime, "GET", "/live/v1/profiles", stage="live")[0] == 200
    assert ask(runtime, body={"profile": "dev"}, encoded=True)[0] == 200
    status, body, _ = ask(runtime, "GET", "/v1/whoami")
    assert body["server"]["form"] == "lambda" and body["server"]["url"] is None
    entries = [json.loads(line)["entry"] for line in (place / "state" / "audit" / "audit.log").read_text().splitlines()]
    assert {e["gateway_request_id"] for e in entries if e["event"] == "decision"} == {"gw-1"}


@pytest.mark.parametrize("options", [
    {"iam": False}, {"account": ""}, {"arn": ""}, {"iam": False, "headers": {"x-user": "admin"}},
    {"iam": False, "headers": {"authorization": "AWS4-HMAC-SHA256 Credential=x", "x-sentinel-audience": "http://127.0.0.1:1"}},
    {"account": "111122223333"},
])
def test_attack_05_no_other_identity(function, options):
    """TVM-03: without the gateway's context there is no identity, whatever the headers say; and no call leaves."""
    runtime, _, lab = function()
    before = len(lab.journal())
    status, body, _ = ask(runtime, body={"profile": "dev"}, **options)
    assert (status, body["code"]) == (403, "IAM_AUTH_REQUIRED")
    assert len(lab.journal()) == before
    assert ask(runtime, "GET", "/v1/profiles", iam=False)[0] == 403


def test_attack_05_headers_beside_the_context(function):
    """ATK-05, TVM-03: with the gateway's word nothing else speaks: not X-User, not a good-looking proof, not a second context."""
    runtime, place, _ = function()
    bob = ALICE.replace("alice", "bob")
    headers = {"x-user": "bob", "x-amzn-iam-user-arn": bob, "authorization": "AWS4-HMAC-SHA256 Credential=AKIABOB/20260201/us-east-1/sts/aws4_request, "
               "SignedHeaders=host, Signature=" + "0" * 64, "x-sentinel-audience": "http://127.0.0.1:1", "x-sentinel-request": "0" * 64,
               "x-amz-date": "20260201T100000Z", "x-forwarded-user": "bob"}
    assert ask(runtime, "GET", "/v1/whoami", headers=headers)[1]["principal"]["arn"] == ALICE
    status, body, _ = ask(runtime, body={"profile": "dev"}, headers=headers)
    assert status == 200 and body["session"]["source_identity"].startswith("sentinel=alice=")
    extra = {"profile": "dev", "requestContext": {"authorizer": {"iam": {"userArn": bob, "accountId": ACCOUNT}}}}
    assert ask(runtime, body=extra)[1]["code"] == "INVALID_REQUEST"
    # The next event is somebody else's, and nothing of the one before stays.
    assert ask(runtime, "GET", "/v1/whoami", arn=bob)[1]["principal"]["name"] == "bob"
    assert ask(runtime, "GET", "/v1/whoami", iam=False)[0] == 403
    entries = [json.loads(line)["entry"] for line in (place / "state" / "audit" / "audit.log").read_text().splitlines()]
    assert {e["user"] for e in entries if e["event"] == "decision"} == {"alice"}


def test_function_url_event(function):
    """TVM-01: the event of a function URL: its own domain, the IAM caller in the same place, no stage in the path."""
    runtime, _, _ = function()
    what = event(body={"profile": "dev"})
    what["requestContext"].update(domainName="abcdefghij.lambda-url.us-east-1.on.aws", domainPrefix="abcdefghij", accountId=ACCOUNT,
                                  apiId="abcdefghij", routeKey="$default", timeEpoch=1769940000000, time="01/Feb/2026:10:00:00 +0000")
    what.update(routeKey="$default", headers={**what["headers"], "host": "abcdefghij.lambda-url.us-east-1.on.aws", "x-forwarded-proto": "https"})
    kind, envelope = runtime.invoke(what)
    assert kind == "response" and envelope["statusCode"] == 200, envelope
    validate("/v1/credentials", "POST", 200, json.loads(envelope["body"]))
    what["requestContext"]["authorizer"] = {}
    assert json.loads(runtime.invoke(what)[1]["body"])["code"] == "IAM_AUTH_REQUIRED"
    what["requestContext"]["authorizer"] = {"jwt": {"claims": {"sub": "alice"}}, "lambda": {"userArn": ALICE}}
    assert json.loads(runtime.invoke(what)[1]["body"])["code"] == "IAM_AUTH_REQUIRED"


@pytest.mark.parametrize("body", ["%%%", "e30", "e30=e30=", "e3\n0="])
def test_body_that_is_no_base64(function, body):
    """A body said to be base64 that is none vends nothing; and the loop goes on."""
    runtime, _, lab = function()
    what = event(body="x", encoded=True)
    what["body"] = body
    kind, envelope = runtime.invoke(what)
    assert kind == "error" or envelope["statusCode"] == 400, envelope
    assert not [e for e in lab.journal() if e["action"] == "AssumeRole" and "Protected" in json.dumps(e)]
    assert ask(runtime, body={"profile": "dev"})[0] == 200


def test_public_routes_do_not_exist(function):
    """Health and metrics are the standalone server's."""
    runtime, _, _ = function()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert ask(runtime, "GET", path)[0] == 404


def test_malformed_event_is_the_invocations_error(function):
    """An event of no known form; and the loop goes on."""
    runtime, _, _ = function()
    for text in (b"not json", b"[]", b'{"version":"2.0"}'):
        kind, answer = runtime.invoke(text)
        assert kind == "error" and answer["errorType"] and answer["stackTrace"] == []
    assert ask(runtime, body={"profile": "dev"})[0] == 200


def test_deadline_is_answered_by_the_function(function):
    """504 half a second before the function's end, instead of being killed."""
    runtime, _, lab = function()
    assert ask(runtime, body={"profile": "dev"})[0] == 200
    lab.fault("sts:AssumeRole=slow:8,3")
    begin = time.monotonic()
    status, body, _ = ask(runtime, body={"profile": "dev"}, seconds=2)
    assert (status, body["code"]) == (504, "UPSTREAM_TIMEOUT")
    assert time.monotonic() - begin < 2


def test_init_error_is_tried_again(function):
    """A configuration that does not load is 500 INIT_ERROR, and the next event after the mend is answered."""
    key = pathlib.Path("/nonexistent-folder/state.key")
    runtime, place, _ = function(SENTINEL_STATE_SIGNING_KEY_SECRET_ID=f"file:{key}")
    status, body, _ = ask(runtime, body={"profile": "dev"})
    assert (status, body["code"]) == (500, "INIT_ERROR")
    assert str(key) not in json.dumps(body)


def test_init_error_heals(function, tmp_path):
    key = tmp_path / "later.key"
    key.write_text("zz")
    key.chmod(0o600)
    runtime, _, _ = function(SENTINEL_STATE_SIGNING_KEY_SECRET_ID=f"file:{key}")
    assert ask(runtime, body={"profile": "dev"})[1]["code"] == "INIT_ERROR"
    key.write_text("k1:" + "ab" * 32 + "\n")
    assert ask(runtime, body={"profile": "dev"})[0] == 200
