# SPDX-License-Identifier: Apache-2.0
"""An audit log that cannot be written: the record comes before the secret, so nothing leaves until it can be written again."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from harness import BIN

FAILING_SYNC = BIN.parents[1] / "tests" / "support" / "failing_sync.so"
WAIT_S = 20


def until(check, what):
    end = time.monotonic() + WAIT_S
    while not (result := check()):
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.05)
    return result


def bytes_of_vend(server, who, profile):
    """All that a vend brings over the socket, from first to last byte."""
    body = json.dumps({"profile": profile}).encode()
    headers = {**server.prove(who, "/v1/credentials", "POST", body), "Content-Type": "application/json",
               "Host": server.url.partition("//")[2], "Content-Length": len(body), "Connection": "close"}
    host, _, port = headers["Host"].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        head = "POST /v1/credentials HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        connection.sendall(head.encode() + body)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def assert_nothing_leaves(server, lab):
    """TVM-51, AUD-22: 503 for issues and refusals; keys that STS made are not on the socket; the row has ended."""
    before = {row["id"] for row in server.rows("SELECT id FROM sessions")}
    made = keys_made(lab)
    raw = bytes_of_vend(server, "alice", "dev")
    head, _, body = raw.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ") and json.loads(body)["code"] == "AUDIT_UNAVAILABLE", raw
    issued = keys_made(lab) - made
    assert len(issued) == 1  # STS was asked: it is the record that failed
    for key in issued:
        assert key.encode() not in raw
    assert b"ASIALAB" not in raw and b"secret_access_key" not in raw and b"prod" not in raw
    refusal = server.vend("bob", "prod")
    assert (refusal.status, refusal.code) == (503, "AUDIT_UNAVAILABLE"), refusal
    assert "frozen" not in refusal.text  # nothing of a decision is told without its record
    hidden = server.vend("bob", "staging")
    assert (hidden.status, hidden.code) == (503, "AUDIT_UNAVAILABLE"), hidden
    rows = [row for row in server.rows("SELECT id, status FROM sessions") if row["id"] not in before]
    assert [row["status"] for row in rows] == ["expired"]
    assert rows[0]["id"] == json.loads(body)["request_id"]


def keys_made(lab):
    answers = [(e["event"]["requestParameters"] or {}, e["event"]["responseElements"] or {}) for e in lab.events("AssumeRole")]
    return {answer["credentials"]["accessKeyId"] for asked, answer in answers
            if "SentinelProtected" in asked.get("roleArn", "") and answer.get("credentials")}


def assert_all_recorded(server, answers, entries):
    """Every credential that a caller holds has its record, and there is none twice."""
    issued = [e["access_key_id"] for e in entries if e["event"] == "decision" and e["outcome"] == "issued"]
    assert {a.json["credentials"]["access_key_id"] for a in answers} <= set(issued)
    assert len(issued) == len(set(issued))
    assert server.secrets


def small_disk(place, kib):
    """What starts a program in a mount namespace of its own, with a file system of so many KiB at place."""
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("a file system of one's own needs root and a mount namespace")
    place.mkdir()
    script = f"mount -t tmpfs -o size={kib}k,mode=0700 tmpfs '{place}' && exec \"$@\""
    return ["unshare", "-m", "sh", "-c", script, "sh"]


def seen_from_here(server, place):
    return pathlib.Path(f"/proc/{server.process.pid}/root{place}")


def fill(disk):
    with open(disk / "filler", "wb", buffering=0) as filler:
        with pytest.raises(OSError):
            while True:
                filler.write(b"x" * 4096)


@pytest.fixture
def full_disk(start_tvm, start_lab, tmp_path):
    """A server whose audit log lies on a file system of 128 KiB."""
    lab, disk = start_lab(), tmp_path / "disk"
    server = start_tvm(lab, wrap=small_disk(disk, 128), settings={"SENTINEL_AUDIT_FILE": disk / "audit.log"})
    return lab, server, seen_from_here(server, disk)


def test_attack_33_disk_full(full_disk):
    """TVM-50, TVM-51, AUD-22, ATK-33: a full disk: nothing leaves, readyz says so; with room again all goes on and verifies."""
    lab, server, disk = full_disk
    given = [server.vend("alice", "dev")]
    assert given[0].status == 200
    fill(disk)
    # What is left of the log's last page may still take a record or two; then one is written half.
    answers = [server.vend("alice", "dev") for _ in range(8)]
    given += [a for a in answers if a.status == 200]
    assert {a.code for a in answers if a.status != 200} == {"AUDIT_UNAVAILABLE"} and len(given) < 9
    assert_nothing_leaves(server, lab)
    assert until(lambda: server.send("GET", "/readyz").status == 503 and server.send("GET", "/readyz"), "not ready").json[
        "checks"]["audit"] == "failed"
    assert server.send("GET", "/healthz").status == 200
    (disk / "filler").unlink()
    until(lambda: server.send("GET", "/readyz").status == 200, "ready again, although nobody asks for anything")
    given.append(server.vend("alice", "dev"))
    assert given[-1].status == 200
    texts = [path.read_text() for path in (*sorted(disk.glob("audit-*.log*")), disk / "audit.log")]
    copies = [server.dir / f"copy{i}" for i in range(len(texts))]
    for copy, text in zip(copies, texts):
        copy.write_text(text)
    shutil.copy(disk / "audit.anchor", server.dir / "anchor")
    entries = [json.loads(line)["entry"] for text in texts for line in text.splitlines()]
    assert_all_recorded(server, given, entries)
    assert "audit.recovered" in [e["event"] for e in entries]
    assert server.end() == 0
    done = server.verify_log(*copies, anchor=server.dir / "anchor")
    assert done.returncode == 0, done.stdout + done.stderr


def needs_preload():
    if not FAILING_SYNC.exists():
        pytest.skip(f"{FAILING_SYNC} is not built: a static program cannot be given another fdatasync")
    linked = subprocess.run(["ldd", BIN / "sentinel-tvm"], capture_output=True, text=True, check=False).stdout
    if "libasan" in linked or "libtsan" in linked or "libc.so" not in linked:
        pytest.skip("this build takes no preloaded library")


def test_healthz_tells_of_a_disk_that_hangs(start_tvm, start_lab, tmp_path):
    """TVM-50: an audit writer that has not come back from the disk for 30 s fails the liveness check, until it comes back."""
    needs_preload()
    ahead = tmp_path / "ahead"
    server = start_tvm(start_lab(), settings={"LD_PRELOAD": FAILING_SYNC, "TEST_CLOCK_AHEAD": ahead})
    assert server.vend("alice", "dev").status == 200
    flag = server.state / "audit" / "sync-hangs"
    flag.touch()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        hanging = pool.submit(server.vend, "alice", "dev")
        until(lambda: server.rows("SELECT id FROM sessions WHERE status = 'active'")[1:], "a second row, whose record hangs")
        time.sleep(0.2)  # the writer is with the disk by now
        assert server.send("GET", "/healthz").status == 200  # for less than 30 s
        ahead.touch()
        answer = until(lambda: (a := server.send("GET", "/healthz")).status == 503 and a, "a failed liveness check")
        assert answer.json == {"status": "failed"}
        flag.unlink()
        until(lambda: server.send("GET", "/healthz").status == 200, "alive again")
        assert hanging.result().status in (200, 503)
    assert server.end() == 0


def test_attack_33_sync_fails(start_tvm, start_lab):
    """AUD-22, ATK-33: a record whose sync failed is no record, even where its bytes can be read."""
    needs_preload()
    lab = start_lab()
    server = start_tvm(lab, settings={"LD_PRELOAD": FAILING_SYNC})
    given = [server.vend("alice", "dev")]
    flag = server.state / "audit" / "sync-fails"
    flag.touch()
    assert_nothing_leaves(server, lab)
    flag.unlink()
    given.append(until(lambda: (a := server.vend("alice", "dev")).status == 200 and a, "recovery"))
    assert server.end() == 0
    done = server.verify_log()
    assert done.returncode == 0, done.stdout + done.stderr
    assert_all_recorded(server, given, server.audit())


def test_attack_33_directory_removed(start_tvm, start_lab):
    """AUD-22, ATK-33: the log's directory is taken away under the server: nothing leaves; put back, all goes on."""
    lab = start_lab()
    server = start_tvm(lab)
    given = [server.vend("alice", "dev")]
    folder, aside = server.state / "audit", server.state / "taken"
    folder.rename(aside)
    assert_nothing_leaves(server, lab)
    assert not folder.exists()
    aside.rename(folder)
    given.append(until(lambda: (a := server.vend("alice", "dev")).status == 200 and a, "recovery"))
    assert server.end() == 0
    done = server.verify_log()
    assert done.returncode == 0, done.stdout + done.stderr
    assert_all_recorded(server, given, server.audit())


def test_attack_33_directory_deleted_for_good(start_tvm, start_lab):
    """ATK-33: the whole log is deleted: nothing leaves; in an empty directory the chain goes on, and what is missing shows."""
    lab = start_lab()
    server = start_tvm(lab)
    assert server.vend("alice", "dev").status == 200
    folder = server.state / "audit"
    shutil.rmtree(folder)
    assert_nothing_leaves(server, lab)
    folder.mkdir(mode=0o700)
    until(lambda: server.vend("alice", "dev").status == 200, "recovery")
    assert server.end() == 0
    assert "audit.file_gone" in server.output()
    done = server.verify_log()
    assert done.returncode == 1 and "1" in done.stdout, done.stdout + done.stderr
