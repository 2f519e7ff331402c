# SPDX-License-Identifier: Apache-2.0
"""A session store that cannot be used: locked, read-only, damaged. Nothing is issued and STS is not asked for a role."""
import json
import os
import sqlite3
import subprocess

import pytest

from harness import BIN
from test_faults_audit import fill, seen_from_here, small_disk, until


@pytest.fixture
def lab_and_server(start_tvm, start_lab):
    lab = start_lab()
    server = start_tvm(lab)
    assert server.vend("alice", "dev").status == 200
    return lab, server


def assert_refused(lab, server, *, cause):
    """TVM-18: 503, no call of AssumeRole, no row; the cause is in the log and not in the answer."""
    roles, rows = len(server.sts_calls("AssumeRole")), len(server.rows("SELECT id FROM sessions"))
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (503, "SESSION_UNAVAILABLE"), answer
    for word in ("database", "sqlite", "locked", "disk", str(server.state)):
        assert word not in answer.text.lower()
    assert len(server.sts_calls("AssumeRole")) == roles
    assert len(server.rows("SELECT id FROM sessions")) == rows
    record = [e for e in server.decisions() if e["request_id"] == answer.json["request_id"]]
    assert [(e["outcome"], e["error_code"]) for e in record] == [("error", "SESSION_UNAVAILABLE")]
    server.wait_line(cause, where=server.errors)


def test_database_locked(lab_and_server):
    """TVM-18, TVM-43, TVM-50: another process holds the database: refused after a bounded wait, not ready, then as before."""
    lab, server = lab_and_server
    body = b'{"profile":"dev"}'
    headers = {**server.prove("alice", "/v1/credentials", "POST", body), "Content-Type": "application/json"}
    other = sqlite3.connect(server.state / "sentinel.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert server.send("POST", "/v1/credentials", headers, body).code == "SESSION_UNAVAILABLE"
    assert_refused(lab, server, cause=r"database is locked")
    until(lambda: server.send("GET", "/readyz").json["checks"]["store"] == "failed", "not ready")
    other.execute("ROLLBACK")
    other.close()
    assert server.vend("alice", "dev").status == 200
    # Whatever became of the proof that met the lock: it issues once at most.
    codes = [server.send("POST", "/v1/credentials", headers, body).status for _ in range(3)]
    assert codes.count(200) <= 1 and set(codes) <= {200, 401}, codes


def test_database_disk_full(start_tvm, start_lab, tmp_path):
    """TVM-18: no room for a row: 503, STS is not asked for a role, the refusal is recorded; with room again all goes on."""
    lab, disk = start_lab(), tmp_path / "disk"
    server = start_tvm(lab, wrap=small_disk(disk, 512), settings={
        "SENTINEL_STORE_PATH": disk / "sentinel.db", "SENTINEL_AUDIT_FILE": tmp_path / "log" / "audit.log"})
    here = seen_from_here(server, disk)
    assert server.vend("alice", "dev").status == 200
    fill(here)
    roles = len(server.sts_calls("AssumeRole"))
    answers = [server.vend("alice", "dev") for _ in range(4)]
    issued = [a for a in answers if a.status == 200]  # a page or two may still have been free in the write-ahead log
    assert {(a.status, a.code) for a in answers if a.status != 200} == {(503, "SESSION_UNAVAILABLE")}, answers
    assert len(server.sts_calls("AssumeRole")) == roles + len(issued)
    server.wait_line(r"disk is full|disk I/O error", where=server.errors)
    (here / "filler").unlink()
    assert until(lambda: server.vend("alice", "dev").status == 200, "recovery")
    entries = [json.loads(line)["entry"] for line in (tmp_path / "log" / "audit.log").read_text().splitlines()]
    recorded = {e["request_id"]: e["outcome"] for e in entries if e["event"] == "decision"}
    assert all(recorded[a.json["request_id"]] == "error" for a in answers if a.status != 200)


def read_only_mount(directory):
    script = f"mount --bind '{directory}' '{directory}' && mount -o remount,ro,bind '{directory}' && exec \"$@\""
    return ["unshare", "-m", "sh", "-c", script, "sh"]


def test_database_directory_read_only(start_tvm, start_lab, tmp_path):
    """A state directory that cannot be written stops the start with an error that names the file; nothing is changed."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a read-only mount of one's own needs root and a mount namespace")
    lab = start_lab()
    place = tmp_path / "once"
    first = start_tvm(lab, directory=place)
    assert first.vend("alice", "dev").status == 200
    assert first.end() == 0
    before = {p: p.read_bytes() for p in first.state.rglob("*") if p.is_file()}
    second = start_tvm(lab, directory=place, ready=False, wrap=read_only_mount(first.state))
    assert second.process.wait(20) == 3
    second.end()
    assert "sentinel.db" in second.output() and "Read-only" in second.output(), second.output()
    assert {p: p.read_bytes() for p in first.state.rglob("*") if p.is_file()} == before
    third = start_tvm(lab, directory=place)
    assert third.vend("alice", "dev").status == 200


def scribble(path):
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096:page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)


DAMAGE = {
    "cut in its header": lambda path: path.write_bytes(path.read_bytes()[:50]),
    "cut in the middle": lambda path: path.write_bytes(path.read_bytes()[:4096 * 2 + 100]),
    "another file": lambda path: path.write_bytes(b"<html>not a database</html>" * 500),
    "pages overwritten": scribble,
}


@pytest.mark.parametrize("name", DAMAGE)
def test_database_damaged(start_tvm, start_lab, tmp_path, name):
    """TVM-18: a damaged file is never silently replaced: no start, or no issue; the message says what to do."""
    lab = start_lab()
    place = tmp_path / "once"
    first = start_tvm(lab, directory=place)
    assert first.vend("alice", "dev").status == 200
    assert first.end() == 0
    database = first.state / "sentinel.db"
    for side in ("-wal", "-shm"):
        (first.state / f"sentinel.db{side}").unlink(missing_ok=True)
    DAMAGE[name](database)
    damaged = database.read_bytes()
    second = start_tvm(lab, directory=place, ready=False)
    until(lambda: second.process.poll() is not None or second.lines, "an outcome")
    if second.process.poll() is None:
        second.wait_ready()
        roles = len(lab.journal())
        answers = [second.vend(who, "dev") for who in ("alice", "bob")]
        assert {(a.status, a.code) for a in answers} == {(503, "SESSION_UNAVAILABLE")}, answers
        issued = [e for e in lab.journal()[roles:] if e["action"] == "AssumeRole"]
        assert not [e for e in issued if "SentinelProtected" in e["parameters"]["RoleArn"]]
    else:
        assert second.process.returncode == 3
        assert database.read_bytes() == damaged
    second.end()
    assert "damaged" in second.output() or "malformed" in second.output(), second.output()
    assert second.process.returncode == 0 or "backup" in second.output(), second.output()


def test_check_names_the_damage(start_tvm, start_lab):
    """'check' says the same as a start would, with the exit code of what is wrong."""
    server = start_tvm(start_lab())
    assert server.end() == 0
    DAMAGE["another file"](server.state / "sentinel.db")
    done = subprocess.run([BIN / "sentinel-tvm", "check", "--json"], env=server.environment, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode in (1, 3) and "sentinel.db" in done.stdout and "damaged" in done.stdout, done.stdout + done.stderr
