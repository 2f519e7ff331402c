# SPDX-License-Identifier: Apache-2.0
"""The published audit log, checked with tools that share nothing with Sentinel."""
import hashlib
import hmac
import json
import pathlib
import shutil
import subprocess

import pytest

LOG = pathlib.Path(__file__).parents[1] / "fuzz" / "corpus" / "audit_log"
KEYS = {"k1": bytes(range(0x20)), "k2": bytes(range(0x20, 0x40))}


def lines():
    """The four records and the anchor."""
    return (LOG / "anchored").read_bytes().splitlines()


def test_published_log_is_the_published_log():
    """AUD-16: its length and hash."""
    text = (LOG / "intact").read_bytes()
    assert len(text) == 2425
    assert hashlib.sha256(text).hexdigest() == "dca23fde5931b96060482af56f6f5227370fcf36171ecf922ba6a71ad6d42654"


def test_signatures_agree_with_python():
    """AUD-16: each signature covers the line's own bytes up to the signature part."""
    for line in lines():
        record = json.loads(line)
        assert hmac.new(KEYS[record["key_id"]], line[:-80], hashlib.sha256).hexdigest() == record["signature"]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")
def test_signatures_agree_with_openssl():
    """AUD-16: the command of docs/formats/audit-log.md, on each line."""
    for line in lines():
        record = json.loads(line)
        command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEYS[record['key_id']].hex()}"]
        done = subprocess.run(command, input=line[:-80], capture_output=True, check=True)
        assert done.stdout.decode().split()[-1] == record["signature"]


def test_records_form_a_chain():
    """AUD-16, AUD-17: each record names the signature of the one before, and the anchor the last."""
    anchor, *records = [json.loads(line) for line in lines()]
    before = "0" * 64
    for number, record in enumerate(records, 1):
        assert (record["seq"], record["prev"]) == (number, before)
        before = record["signature"]
    assert (anchor["seq"], anchor["last"]) == (len(records), before)
