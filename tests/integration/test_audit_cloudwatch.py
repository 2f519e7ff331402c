# SPDX-License-Identifier: Apache-2.0
"""The audit log in CloudWatch Logs, against an emulator that the project did not write; read with boto3, verified as an export."""
import json
import subprocess
import sys

import boto3
import pytest

from harness import BIN, ROOT, closed_environment

WRITER = BIN.parents[1] / "tests" / "support" / "audit_logs_writer"
SERVER = ROOT / "tests" / "support" / "serial_moto.py"
GROUP = "/sentinel/audit"


@pytest.fixture
def logs():
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            endpoint = server.stdout.readline().strip()
            yield endpoint, boto3.client("logs", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="AKIAEXAMPLE000000000",
                                         aws_secret_access_key="secret")
        finally:
            server.kill()


def write(endpoint, stream, count):
    return subprocess.run([WRITER, endpoint, GROUP, stream, str(count)], capture_output=True, text=True, check=False, timeout=60)


def messages(client, stream):
    found, token = [], {}
    while True:
        page = client.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True, **token)
        found += [event["message"] for event in page["events"]]
        if token.get("nextToken") == page["nextForwardToken"]:
            return found
        token = {"nextToken": page["nextForwardToken"]}


def verify(tmp_path, lines):
    log, key = tmp_path / "export.log", tmp_path / "key"
    log.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    key.write_text(bytes(range(32)).hex(), encoding="utf-8")
    key.chmod(0o600)
    done = subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--export", "--json", "--key-file", key, log], capture_output=True, text=True,
                          check=False, env=closed_environment(tmp_path))
    return done.returncode, json.loads(done.stdout)


def test_records_reach_the_group(logs, tmp_path):
    """AUD-22: two servers share a log stream; what the service holds is two whole chains, and a lost record shows."""
    endpoint, client = logs
    client.create_log_group(logGroupName=GROUP)
    for _ in range(2):
        done = write(endpoint, "tvm", 5)
        assert done.returncode == 0, done.stderr
    lines = messages(client, "tvm")
    assert len(lines) == 12 and json.loads(lines[0])["entry"]["event"] == "audit.opened"
    code, report = verify(tmp_path, lines)
    assert code == 0, report
    code, report = verify(tmp_path, lines[:3] + lines[4:])
    assert code == 1, report


def test_a_missing_group_is_a_failure(logs):
    """AUD-22: without its log group nothing counts as recorded."""
    endpoint, _ = logs
    done = write(endpoint, "tvm", 1)
    assert done.returncode == 1 and "AUDIT_UNAVAILABLE" in done.stderr


def test_an_unreachable_service_is_a_failure():
    """AUD-22"""
    done = write("http://127.0.0.1:9", "tvm", 1)
    assert done.returncode == 1 and "AUDIT_UNAVAILABLE" in done.stderr
