# SPDX-License-Identifier: Apache-2.0
"""The session store on DynamoDB, against an emulator that the project did not write; what it wrote is read with boto3."""
import subprocess
import sys

import boto3
import pytest

from harness import BIN, ROOT

CONFORMANCE = BIN.parents[1] / "tests" / "support" / "dynamodb_conformance"
SERVER = ROOT / "tests" / "support" / "serial_moto.py"


@pytest.fixture
def dynamodb():
    with subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            endpoint = server.stdout.readline().strip()
            yield endpoint, boto3.client("dynamodb", endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="AKIAEXAMPLE000000000",
                                         aws_secret_access_key="secret")
        finally:
            server.kill()


def create_table(client, name):
    client.create_table(TableName=name, KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
                        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}])


def test_the_suite_of_every_store(dynamodb):
    """TVM-16, TVM-18"""
    endpoint, client = dynamodb
    create_table(client, "sentinel-sessions")
    done = subprocess.run([CONFORMANCE, endpoint, "sentinel-sessions"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    row = client.get_item(TableName="sentinel-sessions", Key={"id": {"S": "0000000000000001"}}, ConsistentRead=True)["Item"]
    assert row["rev"] == {"N": "2"} and row["vouched"] == {"BOOL": True} and row["status"] == {"S": "expired"}
    assert row["started_at"] == {"S": "2026-02-01T10:00:00.000Z"}
    assert "device_id" not in row and "grant_id" not in row
    index = client.get_item(TableName="sentinel-sessions", Key={"id": {"S": "short#000000"}})["Item"]
    assert {"0000000000000001", "0000000000000002"} <= set(index["h_ids"]["SS"])
    proof = client.get_item(TableName="sentinel-sessions", Key={"id": {"S": "proof#010203" + "00" * 29}})["Item"]
    assert set(proof) == {"id", "ttl", "seal"}


def test_a_missing_table_is_told(dynamodb):
    """TVM-18: nothing is written where there is no table, and the cause is named."""
    endpoint, _ = dynamodb
    done = subprocess.run([CONFORMANCE, endpoint, "sentinel-sessions"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode != 0
    assert "SESSION_UNAVAILABLE: the session table cannot be used" in done.stderr
