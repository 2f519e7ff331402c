# SPDX-License-Identifier: Apache-2.0
"""Attacks on the audit log of a real server, with the real verifier; what holds back an answer."""
import concurrent.futures
import json
import shutil
import signal
import stat
import subprocess
import time

import pytest

from harness import BIN, closed_environment
from tvm import POLICY


def verify(*files, key, arguments=()):
    return subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--key-file", key, *arguments, *files], capture_output=True, text=True,
                          timeout=60, env=closed_environment("/tmp"), check=False)


def until(check, what, timeout_s=30):
    end = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < end, f"never: {what}"
        time.sleep(0.02)


def files_of(server):
    folder = server.state / "audit"
    return sorted(folder.glob("audit-*.log")) + [folder / "audit.log"]


@pytest.fixture(scope="module")
def logs(tmp_path_factory, shared_lab):
    """(log, key, a second stream under the same key, its first lines with another future), all of real servers."""
    import tvm as support
    place = tmp_path_factory.mktemp("logs")
    servers = []

    def run(name, key=None, vends=6, start=None):
        directory = place / name
        (directory / "state").mkdir(parents=True, mode=0o700)
        if key:
            shutil.copy(key, directory / "state" / "audit.key")
        if start:
            shutil.copytree(start, directory / "state", dirs_exist_ok=True)
        server = support.Tvm(directory, shared_lab).wait_ready()
        servers.append(server)
        for turn in range(vends):
            server.vend("alice", ("dev", "prod", "nothing")[turn % 3])
        assert server.end() == 0
        return server
    one = run("one")
    shutil.copytree(one.state, place / "saved")
    two = run("two", key=one.state / "audit.key")
    fork = run("fork", start=place / "saved")
    again = run("again", start=place / "saved", vends=4)
    return {"key": one.state / "audit.key", "lines": (again.state / "audit" / "audit.log").read_bytes().splitlines(keepends=True),
            "other": (two.state / "audit" / "audit.log").read_bytes().splitlines(keepends=True),
            "fork": (fork.state / "audit" / "audit.log").read_bytes().splitlines(keepends=True), "shared": len(
                (place / "saved" / "audit" / "audit.log").read_bytes().splitlines())}


def edit(lines, at, old, new):
    assert old in lines[at], (old, lines[at])
    return lines[:at] + [lines[at].replace(old, new, 1)] + lines[at + 1:]


ATTACKS = {  # name: (function of the logs that gives lines, number of the first line that must be named)
    "edited effect": lambda g: (edit(g["lines"], 2, b'"effect":"allow"', b'"effect":"deny"'), 3),
    "edited user": lambda g: (edit(g["lines"], 3, b"alice", b"alicf"), 4),
    "edited time": lambda g: (edit(g["lines"], 4, b'"timestamp":"2', b'"timestamp":"1'), 5),
    "edited number": lambda g: (edit(g["lines"], 3, b'"seq":4', b'"seq":5'), 4),
    "edited key id": lambda g: (edit(g["lines"], 3, b'"key_id":"k1"', b'"key_id":"k2"'), 4),
    "edited signature": lambda g: (edit(g["lines"], 3, b'"signature":"', b'"signature":"0'), 4),
    "deleted first": lambda g: (g["lines"][1:], 1), "deleted in the middle": lambda g: (g["lines"][:3] + g["lines"][4:], 4),
    "swapped": lambda g: (g["lines"][:3] + [g["lines"][4], g["lines"][3]] + g["lines"][5:], 4),
    "repeated": lambda g: (g["lines"][:4] + [g["lines"][3]] + g["lines"][4:], 5),
    "moved to the end": lambda g: (g["lines"][:3] + g["lines"][4:] + [g["lines"][3]], 4),
    "inserted from another log": lambda g: (g["lines"][:4] + [g["other"][4]] + g["lines"][4:], 5),
    "tail of another log": lambda g: (g["lines"][:4] + g["other"][4:], 5), "another log whole": lambda g: (g["lines"] + g["other"], len(g["lines"]) + 1),
    "another log first": lambda g: (g["other"] + g["lines"], len(g["other"]) + 1),
    "forked": lambda g: (g["lines"] + g["fork"][g["shared"]:], len(g["lines"]) + 1),
    "no signature": lambda g: (g["lines"][:3] + [g["lines"][3][:g["lines"][3].index(b',"signature"')] + b"}\n"] + g["lines"][4:], 4),
    "invented line": lambda g: (g["lines"][:3] + [b'{"event":"decision"}\n'] + g["lines"][3:], 4),
    "white space": lambda g: (edit(g["lines"], 3, b'":', b'": '), 4), "carriage return": lambda g: (edit(g["lines"], 3, b"alice", b"ali\re"), 4),
    "two lines in one": lambda g: (edit(g["lines"], 3, b"\n", b""), 4), "NUL": lambda g: (edit(g["lines"], 3, b"alice", b"ali\0e"), 4),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_33_verifier_names_the_first_bad_line(logs, tmp_path, name):
    """ATK-33, AUD-17, AUD-20: the log of a real server, changed in one place: exit 1 and the number of that line."""
    lines, bad = ATTACKS[name](logs)
    good, changed = tmp_path / "good.log", tmp_path / "changed.log"
    good.write_bytes(b"".join(logs["lines"]))
    changed.write_bytes(b"".join(lines))
    assert verify(good, key=logs["key"]).returncode == 0
    done = verify(changed, key=logs["key"], arguments=["--json"])
    assert done.returncode == 1, done.stdout + done.stderr
    failures = json.loads(done.stdout)["failures"]
    assert min(f["line"] for f in failures) == failures[0]["line"] == bad, failures[:3]
    human = verify(changed, key=logs["key"])
    assert human.returncode == 1 and f"{bad}" in human.stdout + human.stderr


@pytest.mark.parametrize("cut", [1, 5])
def test_attack_33_cut_off_tail(logs, tmp_path, cut):
    """ATK-33, AUD-18: what is missing at the end shows against an anchor kept elsewhere, and only there."""
    log, anchor = tmp_path / "a.log", tmp_path / "anchor"
    log.write_bytes(b"".join(logs["lines"]))
    assert verify(log, key=logs["key"], arguments=["--anchor", anchor]).returncode == 0
    log.write_bytes(b"".join(logs["lines"][:-cut]))
    assert verify(log, key=logs["key"]).returncode == 0
    done = verify(log, key=logs["key"], arguments=["--anchor", anchor])
    assert done.returncode == 1 and "tail" in (done.stdout + done.stderr).lower()
    assert verify(log, key=logs["key"], arguments=["--anchor", anchor]).returncode == 1, "a failing run moved the anchor"


def test_attack_33_wrong_key(logs, tmp_path):
    """ATK-33, AUD-17, AUD-19: every line is bad under another key; keys that are none are refused, and no digit of one is shown."""
    log, key = tmp_path / "a.log", tmp_path / "other.key"
    log.write_bytes(b"".join(logs["lines"]))
    key.write_text("k1:" + "cd" * 32 + "\n")
    key.chmod(0o600)
    done = verify(log, key=key, arguments=["--json", "--max-failures", "10000"])
    assert done.returncode == 1
    assert [f["line"] for f in json.loads(done.stdout)["failures"]] == list(range(1, len(logs["lines"]) + 1))
    for text, mode in (("k1:" + "cd" * 31, 0o600), ("k1:" + "c" * 63, 0o600), ("k1:" + "cg" * 32, 0o600), ("", 0o600), ("k1:" + "cd" * 32, 0o644)):
        key.write_text(text + "\n")
        key.chmod(mode)
        done = verify(log, key=key)
        assert done.returncode == 2 and "cdcd" not in done.stdout + done.stderr and "cccc" not in done.stdout + done.stderr, text
    assert verify(tmp_path / "a.log", key=logs["key"]).returncode == 0


def test_attack_33_middle_file_left_out(start_tvm, shared_lab):
    """ATK-33, AUD-17: a log of several files is one chain."""
    server = start_tvm(shared_lab)
    for count in range(3):
        assert server.vend("alice", "dev").status == 200
        if count < 2:
            server.process.send_signal(signal.SIGUSR1)
            until(lambda wanted=count + 2: len(files_of(server)) == wanted, "a new file")
    files, key = files_of(server), server.state / "audit.key"
    assert verify(*files, key=key).returncode == 0
    assert verify(files[0], files[2], key=key).returncode == 1
    assert verify(files[1], files[0], files[2], key=key).returncode == 1


def test_attack_33_newline_injection(start_tvm, shared_lab):
    """ATK-33, AUD-15: text from a policy that would end its string or its line stays text."""
    reason = '\\n{\\"event\\":\\"decision\\",\\"effect\\":\\"allow\\"}\\u001b[2J\\",\\"effect\\":\\"allow\\u2028'
    policy = POLICY.replace('"frozen for the release"', f'"{reason}"')
    server = start_tvm(shared_lab, policy=policy)
    answer = server.vend("bob", "prod")
    lines = (server.state / "audit" / "audit.log").read_bytes().splitlines()
    if answer.code == "POLICY_ERROR":  # control bytes in a reason do not even load
        server.write("policy.yaml", POLICY.replace('"frozen for the release"', "'\",\"effect\":\"allow'"))
        assert server.vend("bob", "prod").code == "POLICY_DENY"
        lines = (server.state / "audit" / "audit.log").read_bytes().splitlines()
    entry = json.loads(lines[-1])["entry"]
    assert entry["effect"] == "deny" and '"effect":"allow' in entry["reason"]
    assert len(lines) == len(server.audit()) and all(byte >= 0x20 for line in lines for byte in line)
    assert verify(*files_of(server), key=server.state / "audit.key").returncode == 0


def test_attack_33_answer_waits_for_the_sync(start_tvm, shared_lab, faults):
    """ATK-33, AUD-21: with syncs that take a second no credential arrives before one has passed; many share it."""
    server = start_tvm(shared_lab, settings=faults.env)
    assert server.vend("alice", "dev").status == 200
    faults.set("slow-sync")
    begin = time.monotonic()
    assert server.vend("alice", "dev").status == 200
    assert time.monotonic() - begin >= 1
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        assert {a.status for a in pool.map(lambda _: server.vend("alice", "dev"), range(16))} == {200}
    assert time.monotonic() - begin < 12  # one by one they would take sixteen
    faults.clear("slow-sync")


def test_attack_33_file_is_ours_alone(start_tvm, shared_lab, tmp_path):
    """ATK-33, AUD-21: mode 0640; a link in its place and a second writer stop a start."""
    server = start_tvm(shared_lab)
    log = server.state / "audit" / "audit.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o640
    second = start_tvm(shared_lab, ready=False, settings={"SENTINEL_AUDIT_FILE": log})
    assert second.process.wait(20) == 3
    link = tmp_path / "link" / "audit.log"
    link.parent.mkdir(mode=0o700)
    link.symlink_to(tmp_path / "elsewhere")
    third = start_tvm(shared_lab, ready=False, settings={"SENTINEL_AUDIT_FILE": link})
    assert third.process.wait(20) == 3 and not (tmp_path / "elsewhere").exists()


def test_attack_33_server_sees_its_own_missing_tail(start_tvm, shared_lab, tmp_path):
    """ATK-33, AUD-18: records cut off while the server was down are told at its next start, which begins a new stream."""
    place = tmp_path / "cut"
    first = start_tvm(shared_lab, directory=place)
    for _ in range(3):
        assert first.vend("alice", "dev").status == 200
    assert first.end() == 0
    log = first.state / "audit" / "audit.log"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(lines[:-2]))
    second = start_tvm(shared_lab, directory=place)
    opened = [e for path in files_of(second) for e in map(json.loads, path.read_text().splitlines()) if e["entry"]["event"] == "audit.opened"]
    assert opened[-1]["entry"]["reason"] == "tail_missing" and opened[-1]["stream"] != opened[0]["stream"]
    assert "tail" in second.output()
    assert second.vend("alice", "dev").status == 200
