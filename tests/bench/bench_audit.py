# SPDX-License-Identifier: Apache-2.0
"""Audit log: appends a second with and without fsync, and verification as a share of bare HMAC-SHA-256."""
import os
import re
import subprocess

from measure import json_lines, result


def openssl_hmac_mb_s(length):
    """What the openssl command reaches with messages of that length, in MB/s; None where it cannot be read."""
    command = ["openssl", "speed", "-seconds", "2", "-bytes", str(length), "-hmac", "sha256"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    match = re.search(r"hmac\(sha256\)\s+([0-9.]+)k", done.stdout)
    return float(match[1]) / 1000 if match else None


def measure(tree, release):
    command = [os.path.join(tree, "tests", "bench", "audit_bench")]
    lines = {line["name"]: line for line in json_lines(command)}
    mean = lines.get("mean record length", {}).get("value")
    for name, line in lines.items():
        if line["unit"] == "MB/s" and mean:
            peer = openssl_hmac_mb_s(round(mean))
            yield result(name, line["value"], "MB/s", peer=f"openssl speed -hmac sha256 -bytes {round(mean)}",
                         peer_value=peer, target="at least half", limit=0.5, higher=True, command="tests/bench/audit_bench")
        else:
            yield result(name, line["value"], line["unit"], command="tests/bench/audit_bench")
