# SPDX-License-Identifier: Apache-2.0
"""A second reading of the seals on stored rows: which rows of a database were not written whole by the server."""
import hashlib
import hmac
import sqlite3

# The sealed attributes in their order; last access, its count, update time and retention are not among them.
SESSION = ("id", "rev", "user", "account", "caller_type", "caller_role", "caller_arn", "vouched", "profile", "role_arn", "kind",
           "grant_id", "source_identity", "server_instance_id", "status", "started_at", "expires_at", "created_at",
           "keys_expire_at", "device_id", "revoked_by", "revoked_by_arn", "revoked_reason", "revoked_at", "keys_denied_at")
PROOF = ("id", "ttl")


def read_keys(path):
    """Lines ID:HEX of a key file."""
    lines = [line for line in path.read_text().split() if not line.startswith("#")]
    return {name: bytes.fromhex(key) for name, _, key in (line.rpartition(":") for line in lines)}


def seal_of(kind, names, row, key_id, key):
    text = f"sentinel-seal-v1\n{kind}\n".encode()
    for name in names:
        value = row[name]
        if name == "vouched":
            value = "true" if value else "false"
        value = ("" if value is None else str(value)).encode()
        text += f"{name}:{len(value)}:".encode() + value + b"\n"
    return f"v1:{key_id}:{hmac.new(key, text, hashlib.sha256).hexdigest()}"


def broken_rows(database, key_file):
    """Ids of all rows whose seal is not the one over what stands there."""
    keys = read_keys(key_file)
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    broken = []
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        for kind, table, names in (("session", "sessions", SESSION), ("proof", "proofs", PROOF)):
            for row in connection.execute(f"SELECT * FROM {table}"):
                key_id = row["seal"].split(":")[1]
                if seal_of(kind, names, row, key_id, keys[key_id]) != row["seal"]:
                    broken.append(row["id"])
    finally:
        connection.close()
    return broken
