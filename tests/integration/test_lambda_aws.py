# SPDX-License-Identifier: Apache-2.0
"""The shipped program as a function: rows in DynamoDB, documents in Parameter Store, keys in Secrets Manager, the audit log in
CloudWatch Logs, all of an emulator that the project did not write; STS is the lab."""
import json
import subprocess
import sys

import boto3
import pytest
import requests

from harness import BIN, ROOT, Program, closed_environment
from test_tvm_lambda import ALICE, Runtime, ask
from tvm import CATALOG, POLICY

SERVER = ROOT / "tests" / "support" / "serial_moto.py"
GROUP, TABLE = "/sentinel/audit", "sentinel-sessions"
AUDIT_KEY, STATE_KEY = bytes(range(32)).hex(), bytes(range(32, 64)).hex()
BOB = ALICE.replace("alice", "bob")
SERVICES = ("DYNAMODB", "SSM", "SECRETS_MANAGER", "CLOUDWATCH_LOGS")


class Account:
    """An account of the emulator with everything that the function needs."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.dynamodb, self.ssm, self.secrets, self.logs = (self.client(name) for name in ("dynamodb", "ssm", "secretsmanager", "logs"))
        self.dynamodb.create_table(TableName=TABLE, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                                   AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])
        self.secrets.create_secret(Name="sentinel/audit-key", SecretString=AUDIT_KEY)
        self.secrets.create_secret(Name="sentinel/state-key", SecretString=f"s1:{STATE_KEY}\n")
        self.ssm.put_parameter(Name="/sentinel/catalog/all", Value=CATALOG, Type="String")
        self.ssm.put_parameter(Name="/sentinel/policy", Value=POLICY, Type="String")
        self.logs.create_log_group(logGroupName=GROUP)

    def client(self, service):
        return boto3.client(service, endpoint_url=self.endpoint, region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE000000000",
                            aws_secret_access_key="secret")

    def rows(self):
        return [item for item in self.dynamodb.scan(TableName=TABLE, ConsistentRead=True)["Items"] if "#" not in item["id"]["S"]]

    def lines(self, stream):
        events = self.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]


@pytest.fixture(scope="module")
def emulator():
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@pytest.fixture
def account(emulator):
    requests.post(f"{emulator}/moto-api/reset", timeout=10).raise_for_status()
    return Account(emulator)


@pytest.fixture
def function(start, start_lab, tmp_path, account):
    """function(settings) gives (runtime, lab) with the shipped program running."""
    runtimes = []

    def begin(**settings):
        lab, runtime = start_lab(), Runtime()
        runtimes.append(runtime)
        keys = lab.tvm_credentials()
        wanted = {
            "AWS_ENDPOINT_URL_STS": lab.env["AWS_ENDPOINT_URL_STS"], "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": "sentinel-tvm",
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"], "AWS_LAMBDA_RUNTIME_API": runtime.address,
            **{f"AWS_ENDPOINT_URL_{name}": account.endpoint for name in SERVICES},
            "SENTINEL_POLICY_PARAMETER": "/sentinel/policy", "SENTINEL_CLOUDWATCH_LOG_GROUP": GROUP,
            "SENTINEL_LOG_SIGNING_KEY_SECRET_ID": "sentinel/audit-key", "SENTINEL_STATE_SIGNING_KEY_SECRET_ID": "sentinel/state-key", **settings}
        given = {name: value for name, value in wanted.items() if value is not None}
        start(Program([BIN / "sentinel-tvm"], closed_environment(tmp_path, **given)))
        return runtime, lab

    yield begin
    for runtime in runtimes:
        runtime.server.shutdown()


def verify(tmp_path, lines):
    log, key = tmp_path / "export.log", tmp_path / "key"
    log.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    key.write_text(f"default:{AUDIT_KEY}\n", encoding="utf-8")
    key.chmod(0o600)
    return subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--export", "--key-file", key, log], capture_output=True, text=True,
                          check=False, env=closed_environment(tmp_path))


def test_issues_and_records(function, account, tmp_path):
    """TVM-01, TVM-16, AUD-22: one issue is one sealed row and one record, under one id; a denial is a record and no row."""
    runtime, _ = function()
    status, body, _ = ask(runtime, body={"profile": "dev"})
    assert status == 200, body
    session = body["session"]["id"].removeprefix("ses-")
    (row,) = account.rows()
    assert row["id"]["S"] == session and row["seal"]["S"].startswith("v1:s1:") and row["status"]["S"] == "active"
    assert row["source_identity"]["S"] == body["session"]["source_identity"]
    denied, refusal, _ = ask(runtime, body={"profile": "prod"}, arn=BOB)
    assert (denied, refusal["code"]) == (403, "POLICY_DENY")
    assert len(account.rows()) == 1
    lines = account.lines("sentinel-tvm")
    entries = [json.loads(line)["entry"] for line in lines]
    assert [entry.get("outcome") for entry in entries if entry["event"] == "decision"] == ["issued", "denied"]
    assert entries[0]["event"] == "audit.opened" and entries[1]["request_id"] == session
    done = verify(tmp_path, lines)
    assert done.returncode == 0, done.stdout + done.stderr
    secret = body["credentials"]["secret_access_key"] if "credentials" in body else body["SecretAccessKey"]
    assert secret not in json.dumps([lines, account.rows()])


def test_without_its_log_nothing_leaves(function, account):
    """TVM-51, AUD-22: while the log group is gone every answer is AUDIT_UNAVAILABLE; when it is back vending goes on."""
    runtime, _ = function()
    account.logs.delete_log_group(logGroupName=GROUP)
    for arn, profile in ((ALICE, "dev"), (BOB, "prod")):
        status, body, _ = ask(runtime, body={"profile": profile}, arn=arn)
        assert (status, body["code"]) == (503, "AUDIT_UNAVAILABLE")
    assert {row["status"]["S"] for row in account.rows()} == {"expired"}
    account.logs.create_log_group(logGroupName=GROUP)
    assert ask(runtime, body={"profile": "dev"})[0] == 200


def test_without_its_table_nothing_is_issued(function, account):
    """TVM-18: and STS is not asked."""
    runtime, lab = function()
    account.dynamodb.delete_table(TableName=TABLE)
    status, body, _ = ask(runtime, body={"profile": "dev"})
    assert (status, body["code"]) == (503, "SESSION_UNAVAILABLE")
    assert not [e for e in lab.journal() if e["action"] == "AssumeRole" and "Protected" in json.dumps(e)]


def test_a_key_in_a_plain_parameter_is_refused(function, account):
    """A key belongs where only the function reads it: a SecureString is taken, a String is not."""
    account.ssm.put_parameter(Name="/sentinel/key", Value=AUDIT_KEY, Type="String")
    place = {"SENTINEL_LOG_SIGNING_KEY_SECRET_ID": None, "SENTINEL_LOG_SIGNING_KEY_PARAMETER": "/sentinel/key"}
    runtime, _ = function(**place)
    assert ask(runtime, body={"profile": "dev"})[1]["code"] == "INIT_ERROR"
    account.ssm.delete_parameter(Name="/sentinel/key")
    account.ssm.put_parameter(Name="/sentinel/key", Value=AUDIT_KEY, Type="SecureString")
    assert ask(runtime, body={"profile": "dev"})[0] == 200


@pytest.mark.parametrize("settings", [
    {"SENTINEL_CLOUDWATCH_LOG_GROUP": None}, {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID": "sentinel/audit-key"},
    {"SENTINEL_STATE_SIGNING_KEY_SECRET_ID": "sentinel/missing"}, {"SENTINEL_SESSION_TABLE": "a b"},
])
def test_what_cannot_start_says_so(function, account, settings):
    """Without a log, with one key for two purposes, a missing key or no table, each event is INIT_ERROR."""
    runtime, lab = function(**settings)
    status, body, _ = ask(runtime, body={"profile": "dev"})
    assert (status, body["code"]) == (500, "INIT_ERROR")
    assert account.rows() == []
    assert not [e for e in lab.journal() if e["action"] == "AssumeRole" and "Protected" in json.dumps(e)]
