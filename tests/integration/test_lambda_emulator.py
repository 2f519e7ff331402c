# SPDX-License-Identifier: Apache-2.0
"""The Lambda form under AWS's own runtime interface emulator: real events, posted to its invoke address."""
import http.client
import json
import socket
import time

import pytest

import emulator
from harness import BIN, Program, closed_environment
from test_tvm_lambda import event
from tvm import CATALOG, POLICY, validate

LAMBDA_MAIN = BIN.parents[1] / "tests" / "support" / "lambda_main"
INVOKE = "/2015-03-31/functions/function/invocations"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def emulated(start, start_lab, tmp_path):
    """(invoke, directory, lab): invoke(event) gives the function's answer."""
    if not LAMBDA_MAIN.exists():
        pytest.skip("the test main of the loop is not built")
    path, why = emulator.program()
    if path is None:
        pytest.skip(why)
    lab = start_lab()
    place = tmp_path / "function"
    (place / "policy").mkdir(parents=True)
    (place / "state").mkdir(mode=0o700)
    for name, text in (("catalog.yaml", CATALOG), ("policy.yaml", POLICY)):
        (place / "policy" / name).write_text(text)
        (place / "policy" / name).chmod(0o644)
    # As on Lambda the role's credentials stand in the environment.
    role = lab.tvm_credentials()
    environment = closed_environment(place, **{
        **lab.env, "AWS_ACCESS_KEY_ID": role["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": role["SecretAccessKey"],
        "AWS_SESSION_TOKEN": role["SessionToken"], "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "SENTINEL_STORE_PATH": place / "state" / "sentinel.db", "SENTINEL_POLICY_DIR": place / "policy"})
    port, api = free_port(), free_port()
    program = start(Program([path, "--runtime-interface-emulator-address", f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{api}",
                             LAMBDA_MAIN], environment, cwd=place))
    until = time.monotonic() + 30
    while not listens(port):
        assert time.monotonic() < until and program.process.poll() is None, program.output()
        time.sleep(0.02)

    def invoke(what):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("POST", INVOKE, what if isinstance(what, bytes) else json.dumps(what))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
    return invoke, place, lab


def test_real_events_under_the_emulator(emulated):
    """TVM-01, TVM-03, TVM-36: AWS's own runtime API hands out the events; answers are envelopes; errors do not end the loop."""
    invoke, place, lab = emulated
    envelope = invoke(event(body={"profile": "dev"}))
    assert envelope["statusCode"] == 200 and envelope["isBase64Encoded"] is False, envelope
    body = json.loads(envelope["body"])
    validate("/v1/credentials", "POST", 200, body)
    assert body["session"]["source_identity"].startswith("sentinel=alice=direct=")
    keys = {"AccessKeyId": body["credentials"]["access_key_id"], "SecretAccessKey": body["credentials"]["secret_access_key"],
            "SessionToken": body["credentials"]["session_token"]}
    assert "SentinelProtected-dev" in lab.client("sts", credentials=keys).get_caller_identity()["Arn"]

    assert invoke(event("GET", "/live/v1/whoami", stage="live"))["statusCode"] == 200
    assert invoke(event(body={"profile": "dev"}, encoded=True))["statusCode"] == 200
    nobody = invoke(event(body={"profile": "dev"}, iam=False, headers={"x-user": "admin"}))
    assert nobody["statusCode"] == 403 and json.loads(nobody["body"])["code"] == "IAM_AUTH_REQUIRED"
    assert invoke(b"[]")["errorType"]
    denied = invoke(event("GET", "/", query="profile=prod", arn="arn:aws:iam::123456789012:user/bob"))
    assert denied["statusCode"] == 403 and json.loads(denied["body"])["code"] == "POLICY_DENY"
    entries = [json.loads(line)["entry"] for line in (place / "state" / "audit" / "audit.log").read_text().splitlines()]
    assert [e["outcome"] for e in entries if e["event"] == "decision"] == ["issued", "issued", "denied"]
