# SPDX-License-Identifier: Apache-2.0
"""sentinel exec as a process: what the command sees, how it lives and ends, and who may ask the relay."""
import hmac
import json
import os
import pathlib
import pty
import re
import select
import signal
import socket
import stat
import subprocess
import sys
import time

import pytest

import harness
from scripted_tvm import SESSION_ID, ScriptedTvm, issued, refused

SENTINEL = harness.BIN / "sentinel"
BASE = {"AWS_ACCESS_KEY_ID": "AKIABASECANARY000001", "AWS_SECRET_ACCESS_KEY": "CANARY-base-secret"}
TIMEOUT_S = 30

# A child's own client: python3 alone, no package.
ASK = """
import os, sys, http.client, urllib.parse
u = urllib.parse.urlsplit(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])
c = http.client.HTTPConnection(u.hostname, u.port, timeout=20)
c.request('GET', '/', headers={'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']})
r = c.getresponse()
print(r.status, r.read().decode())
"""


@pytest.fixture
def tvm():
    server = ScriptedTvm()
    yield server
    server.close()


def environment(tmp_path, tvm=None, **extra):
    known = {"SENTINEL_TVM_URL": tvm.url} if tvm else {}
    return harness.closed_environment(tmp_path, **BASE, **known, **{"SENTINEL_NO_CACHE": "true", **extra})


def sentinel(tmp_path, *words, tvm=None, env=None, **options):
    return subprocess.run([SENTINEL, *words], env=env or environment(tmp_path, tvm), capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False, cwd=tmp_path, **options)


def start(tmp_path, tvm, *words, **options):
    return subprocess.Popen([SENTINEL, *words], env=environment(tmp_path, tvm), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, cwd=tmp_path, start_new_session=True, **options)


# --- What stands before the command ---

def test_without_url_nothing_starts(tmp_path):
    """TVM-26: no URL: exit 125, stderr names --tvm-url and the TVM, and the command does not run."""
    done = sentinel(tmp_path, "exec", "dev", "--", "touch", "ran")
    assert done.returncode == 125
    assert "--tvm-url" in done.stderr and "TVM" in done.stderr and "SENTINEL_TVM_URL" in done.stderr
    assert "sentinel-tvm serve" in done.stderr and "Terraform" not in done.stderr  # hints name what exists
    assert not (tmp_path / "ran").exists()


def test_exec_inside_exec_is_refused(tmp_path, tvm):
    """TVM-26: AWS_SENTINEL set, by hand or by exec itself: exit 125 before any network."""
    done = sentinel(tmp_path, "exec", "dev", "--", "true", env=environment(tmp_path, tvm, AWS_SENTINEL="x"))
    assert done.returncode == 125 and tvm.calls == []
    done = sentinel(tmp_path, "exec", "dev", "--", SENTINEL, "exec", "dev", "--", "true", tvm=tvm)
    assert done.returncode == 125 and "already active" in done.stderr
    assert len(tvm.calls) == 1


@pytest.mark.parametrize("words, code", [
    (["exec"], "MISSING_PROFILE"), (["exec", "a", "--profile", "b"], "PROFILE_CONFLICT"),
    (["exec", "../x"], "INVALID_PROFILE"), (["exec", "a;b"], "INVALID_PROFILE"), (["exec", "dev", "x"], "UNEXPECTED_OPERAND"),
    (["exec", "dev", "--duration", "5m"], "INVALID_VALUE"), (["exec", "dev", "--session-table", "t"], "OPTION_REMOVED"),
    (["exec", "dev", "--server"], "OPTION_REMOVED"), (["exec", "dev", "--server-port=1"], "OPTION_REMOVED"),
    (["exec", "dev", "--lazy"], "OPTION_REMOVED"), (["exec", "dev", "--no-session"], "OPTION_REMOVED"),
    (["exec", "dev", "--log-file", "x"], "OPTION_REMOVED"), (["exec", "dev", "--credential-profile", "x"], "OPTION_REMOVED"),
    (["exec", "dev", "--mfa-token", "1"], "OPTION_REMOVED"), (["exec", "dev", "--region", "x y"], "CONFIG_INVALID_REGION"),
])
def test_wrong_usage_is_125_and_asks_nobody(tmp_path, tvm, words, code):
    done = sentinel(tmp_path, *words, "--json", tvm=tvm)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"], done.stderr) == (125, code, "")
    assert tvm.calls == []


@pytest.mark.parametrize("answer, code, hint", [
    (refused(403, "POLICY_DENY", "Access denied by policy: no prod on Fridays", "see why: sentinel explain dev"),
     "POLICY_DENY", "sentinel explain dev"),
    (refused(403, "APPROVAL_REQUIRED", "Approval required"), "APPROVAL_REQUIRED", ""),
    (refused(404, "UNKNOWN_PROFILE", "Unknown profile", "run 'sentinel profiles'"), "UNKNOWN_PROFILE", "profiles"),
    (refused(501, "NOT_CONFIGURED"), "NOT_CONFIGURED", ""),
])
def test_a_refusal_never_starts_the_command(tmp_path, tvm, answer, code, hint):
    """TVM-31: denied: the command never starts, exit 125, code and hint shown."""
    tvm.answer = answer
    done = sentinel(tmp_path, "exec", "dev", "--", "touch", "ran", tvm=tvm)
    assert done.returncode == 125
    assert f"why:  {code}: {answer[1]['message']}" in done.stderr and hint in done.stderr
    assert not (tmp_path / "ran").exists()


# --- What the command sees ---

def test_environment_of_the_command(tmp_path, tvm):
    """TVM-28: an address on 127.0.0.1 and a token of 43 characters; nothing of the parent's identity, no key at all."""
    unset = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN",
             "AWS_CREDENTIAL_EXPIRATION", "AWS_CREDENTIAL_FILE", "AWS_DEFAULT_PROFILE", "AWS_SDK_LOAD_CONFIG",
             "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE",
             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "SENTINEL_AUTH_TOKEN",
             "SENTINEL_UNIX_SOCKET"]
    env = environment(tmp_path, tvm, **{name: "CANARY-parent" for name in unset if name not in BASE
                                        and name != "AWS_SESSION_TOKEN"})
    done = sentinel(tmp_path, "exec", "dev", "--", "cat", "/proc/self/environ", env=env)
    assert done.returncode == 0, done.stderr
    seen = dict(entry.split("=", 1) for entry in done.stdout.split("\0") if entry)
    assert not set(unset) & set(seen)
    assert "CANARY" not in done.stdout + done.stderr
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/", seen["AWS_CONTAINER_CREDENTIALS_FULL_URI"])
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", seen["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    assert seen["AWS_SENTINEL"] == "dev" and seen["SENTINEL_SESSION_ID"] == SESSION_ID
    assert seen["AWS_CONFIG_FILE"] == seen["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert seen["HOME"] == str(tmp_path)


def test_region_by_order_of_sources(tmp_path, tvm):
    rows = [(["--region", "us-west-2"], {"AWS_REGION": "eu-north-1"}, "us-west-2"), ([], {"AWS_REGION": "eu-north-1"},
            "eu-north-1"), ([], {"AWS_DEFAULT_REGION": "eu-south-1"}, "eu-south-1"), ([], {}, "eu-west-1")]
    for words, extra, region in rows:
        done = sentinel(tmp_path, "exec", "dev", *words, "--", "sh", "-c", "echo $AWS_REGION $AWS_DEFAULT_REGION",
                        env=environment(tmp_path, tvm, **extra))
        assert done.stdout == f"{region} {region}\n", done.stderr


def test_the_command_asks_the_relay(tmp_path, tvm):
    """TVM-29: the command itself gets 200; the first answer is the one fetched before it started."""
    done = sentinel(tmp_path, "exec", "dev", "--", sys.executable, "-c", ASK, tvm=tvm)
    status, body = done.stdout.split(" ", 1)
    assert status == "200" and list(json.loads(body)) == ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", json.loads(body)["Expiration"])
    assert [call[:2] for call in tvm.calls] == [("POST", "/v1/credentials")]
    assert tvm.calls[0][2]["profile"] == "dev"


def test_the_request_names_the_device(tmp_path, tvm):
    """TVM-25, TVM-27: the keyed hash of the machine id, computed here with Python; the machine id itself nowhere."""
    paths = [p for p in map(pathlib.Path, ("/var/lib/dbus/machine-id", "/etc/machine-id")) if p.exists()]
    machine = paths[0].read_text().strip() if paths else ""
    for words in (["exec", "dev", "--", "true"], ["credential-process", "--no-cache", "dev"], ["export", "--no-cache", "dev"]):
        tvm.calls.clear()
        done = sentinel(tmp_path, *words, tvm=tvm)
        body = tvm.calls[0][2]
        if re.fullmatch(r"[0-9a-fA-F]{32}", machine):
            assert body == {"profile": "dev", "device_id": hmac.digest(machine.encode(), b"sentinel-device-posture", "sha256").hex()}
            assert machine not in json.dumps(tvm.headers) + done.stdout + done.stderr
        else:
            assert body == {"profile": "dev"} and "DEVICE_ID_UNAVAILABLE" in done.stderr


def test_a_grandchild_and_an_orphan_are_still_ours(tmp_path, tvm):
    """A process whose parents are gone stays below Sentinel, the subreaper, and is served."""
    script = f"(sh -c 'sleep 0.2; {sys.executable} ask.py > out' &) ; while [ ! -s out ]; do sleep 0.05; done; cat out"
    (tmp_path / "ask.py").write_text(ASK)
    done = sentinel(tmp_path, "exec", "dev", "--", "sh", "-c", script, tvm=tvm)
    assert done.stdout.startswith("200 "), done.stdout + done.stderr


def test_a_credential_process_behind_the_relay(tmp_path, tvm):
    """The process that waits for the command leaves the processes alone that other threads of it wait for."""
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\nprintf '{\"Version\":1,\"AccessKeyId\":\"AKIABASECANARY000001\",\"SecretAccessKey\":\"x\"}'\n"
                      "exec >&-\nexit 0\n")
    helper.chmod(0o700)
    (tmp_path / "config").write_text(f"[profile p]\ncredential_process = {helper}\n")
    (tmp_path / "config").chmod(0o600)
    env = harness.closed_environment(tmp_path, SENTINEL_TVM_URL=tvm.url, SENTINEL_NO_CACHE="true",
                                     AWS_CONFIG_FILE=tmp_path / "config")
    child = f"for i in range(20):\n exec({ASK!r})"
    done = sentinel(tmp_path, "exec", "dev", "--aws-profile", "p", "--relay-cache", "0", "--", sys.executable, "-c", child,
                    env=env)
    assert done.returncode == 0 and done.stderr == ""
    assert [line.split(" ", 1)[0] for line in done.stdout.splitlines()] == ["200"] * 20


def test_policy_change_is_felt(tmp_path, tvm):
    """TVM-31: once the memory of the relay is over, a refusal reaches the SDK with both spellings, and stderr once."""
    answers = [issued(), refused(403, "POLICY_DENY", "Access denied by policy", "see why")]
    tvm.answer = lambda *_: answers[0] if len(tvm.calls) == 1 else answers[1]
    (tmp_path / "ask.py").write_text(ASK)
    done = sentinel(tmp_path, "exec", "--relay-cache", "0", "dev", "--", "sh", "-c",
                    f"{sys.executable} ask.py; {sys.executable} ask.py", tvm=tvm)
    lines = done.stdout.splitlines()
    assert [line[:3] for line in lines] == ["403", "403"]
    body = json.loads(lines[0][4:])
    assert body["code"] == body["Code"] == "POLICY_DENY" and body["message"] == body["Message"]
    assert done.stderr.count("POLICY_DENY") == 1
    assert done.returncode == 0


# --- Life and end of the command ---

@pytest.mark.parametrize("command, code", [
    (["sh", "-c", "exit 7"], 7), (["true"], 0), (["sh", "-c", "kill -KILL $$"], 137), (["sh", "-c", "kill -TERM $$"], 143),
    (["no-such-command"], 127), (["./not-executable"], 126), (["./is-a-dir"], 126), (["sh", "-c", "exit 125"], 125),
])
def test_exit_code_is_the_commands(tmp_path, tvm, command, code):
    """TVM-30"""
    (tmp_path / "not-executable").write_text("#!/bin/sh\n")
    (tmp_path / "is-a-dir").mkdir()
    done = sentinel(tmp_path, "exec", "dev", "--", *command, tvm=tvm)
    assert done.returncode == code, done.stderr
    assert ("sentinel: error:" in done.stderr) == (code in (126, 127))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_are_passed_on(tmp_path, tvm, number):
    """TVM-30: SIGTERM and its like reach the command."""
    name = signal.Signals(number).name[3:]
    child = start(tmp_path, tvm, "exec", "dev", "--", "sh", "-c",
                  f"trap 'echo got; exit 9' {name}; echo ready; while :; do sleep 0.05; done")
    try:
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        assert child.stdout.readline() == "got\n"
        assert child.wait(TIMEOUT_S) == 9
    finally:
        os.killpg(child.pid, signal.SIGKILL) if child.poll() is None else None


def test_ctrl_c_gives_exactly_one_sigint(tmp_path, tvm):
    """TVM-30: Ctrl-C on the terminal delivers one SIGINT to the command, and Sentinel survives it."""
    script = ("import signal, sys, time\nn = 0\n"
              "def on(*_):\n    global n\n    n += 1\n"
              "signal.signal(signal.SIGINT, on)\nprint('ready', flush=True)\n"
              "while n == 0: time.sleep(0.02)\ntime.sleep(0.3)\nprint('count', n, flush=True)\nsys.exit(5)\n")
    (tmp_path / "count.py").write_text(script)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(SENTINEL, ["sentinel", "exec", "dev", "--", sys.executable, "count.py"], environment(tmp_path, tvm))
    seen = b""
    until = time.monotonic() + TIMEOUT_S
    sent = False
    while time.monotonic() < until:
        ready, _, _ = select.select([terminal], [], [], 0.2)
        if ready:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        if b"ready" in seen and not sent:
            os.write(terminal, b"\x03")
            sent = True
    status = os.waitpid(pid, 0)[1]
    assert b"count 1" in seen, seen
    assert os.WEXITSTATUS(status) == 5


def test_stdin_umask_and_descriptors(tmp_path, tvm):
    """Stdio and descriptors that the caller handed over are the command's own; the umask is the caller's."""
    given, other = os.pipe()
    os.write(other, b"handed over")
    os.close(other)
    done = sentinel(tmp_path, "exec", "dev", "--", "sh", "-c", f"cat; umask; cat /dev/fd/{given}", tvm=tvm,
                    input="hello\n", umask=0o027, pass_fds=[given])
    os.close(given)
    assert done.stdout == "hello\n0027\nhanded over", done.stdout + done.stderr


def test_default_command_is_the_shell(tmp_path, tvm):
    shell = tmp_path / "my-shell"
    shell.write_text("#!/bin/sh\necho shell of $AWS_SENTINEL\n")
    shell.chmod(0o755)
    for words in (["exec", "dev"], ["exec", "dev", "--"], ["exec", "--profile", "dev"]):
        done = sentinel(tmp_path, *words, env=environment(tmp_path, tvm, SHELL=shell))
        assert done.stdout == "shell of dev\n", done.stderr


# --- Attacks ---

def relay_of(child):
    """Address and token that a started command printed."""
    uri, token = child.stdout.readline().split()
    return int(re.search(r":(\d+)/", uri)[1]), token


@pytest.fixture
def running(tmp_path, tvm):
    """A command that sleeps below exec, and its relay's port and token."""
    child = start(tmp_path, tvm, "exec", "dev", "--", "sh", "-c",
                  "echo $AWS_CONTAINER_CREDENTIALS_FULL_URI $AWS_CONTAINER_AUTHORIZATION_TOKEN; exec sleep 300")
    yield (child, *relay_of(child))
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def raw_get(port, token, host=None, more="", address="127.0.0.1"):
    with socket.create_connection((address, port), timeout=20) as link:
        link.sendall(f"GET / HTTP/1.1\r\nHost: {host or f'127.0.0.1:{port}'}\r\nAuthorization: {token}\r\n{more}\r\n".encode())
        answer = b""
        while piece := link.recv(65536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


def test_attack_26_same_user_outside_the_tree(running):
    """ATK-26, TVM-29: the right token in the hands of another process of the same user."""
    _, port, token = running
    status, body = raw_get(port, token)
    assert (status, json.loads(body)) == (403, {"code": "RELAY_FORBIDDEN", "message": "request refused"})
    assert "CANARY" not in body


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_attack_26_other_user(running):
    """ATK-26, TVM-29: another user of the machine, with the right token."""
    _, port, token = running
    script = (f"import urllib.request as u\ntry:\n u.urlopen(u.Request('http://127.0.0.1:{port}/', "
              f"headers={{'Authorization': {token!r}}}))\nexcept Exception as e: print(e.code)")
    done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/python3", "-c", script],
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.stdout == "403\n", done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_attack_26_other_user_below_the_tree(tmp_path, tvm):
    """ATK-26: a process of the tree that became somebody else is another user's process."""
    (tmp_path / "ask.py").write_text(ASK)
    tmp_path.chmod(0o755)
    done = sentinel(tmp_path, "exec", "dev", "--", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                    "/usr/bin/python3", "-c", ASK, tvm=tvm)
    assert done.stdout.startswith("403 "), done.stdout + done.stderr


def test_attack_26_browser_and_rebinding(tmp_path, tvm):
    """ATK-26: the command's own browser is inside the tree; Host, Origin and fetch metadata still give it away."""
    script = """
import os, re, socket
port = int(re.search(r':(\\d+)/', os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])[1])
token = os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']
for host, more in (('evil.example', ''), (f'127.0.0.1:{port}', 'Origin: http://evil.example\\r\\n'),
                   (f'127.0.0.1:{port}', 'Sec-Fetch-Site: cross-site\\r\\n'), (f'localhost:{port}', '')):
    s = socket.create_connection(('127.0.0.1', port))
    s.sendall(f'GET / HTTP/1.1\\r\\nHost: {host}\\r\\nAuthorization: {token}\\r\\n{more}\\r\\n'.encode())
    print(s.makefile().readline().split()[1])
"""
    done = sentinel(tmp_path, "exec", "dev", "--", sys.executable, "-c", script, tvm=tvm)
    assert done.stdout.split() == ["403", "403", "403", "200"], done.stderr
    assert done.stderr.count("SECURITY") == 2


def test_attack_26_only_loopback_listens(running):
    """ATK-26: nothing listens on the machine's other addresses."""
    child, port, _ = running
    table = pathlib.Path(f"/proc/{child.pid}/net/tcp").read_text() if os.geteuid() == 0 else pathlib.Path(
        "/proc/net/tcp").read_text()
    listening = [line.split()[1] for line in table.splitlines()[1:] if line.split()[3] == "0A"]
    ours = [address for address in listening if address.endswith(f":{port:04X}")]
    assert ours == [f"0100007F:{port:04X}"]


def processes_of(group):
    for path in pathlib.Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                if os.getpgid(int(path.name)) == group:
                    yield path
            except ProcessLookupError:
                continue


def test_attack_27_no_secret_in_proc(running):
    """ATK-27: neither the base secret nor the issued one stands in argv or environment of the command."""
    child, _, token = running
    seen = 0
    for path in processes_of(child.pid):
        argv = (path / "cmdline").read_bytes()
        assert b"CANARY" not in argv and token.encode() not in argv
        if int(path.name) != child.pid:
            assert b"CANARY" not in (path / "environ").read_bytes()
            seen += 1
    assert seen >= 1


def test_attack_27_process_is_closed(running):
    """ATK-27: Sentinel is not dumpable (its /proc belongs to root), writes no core, and nobody else traces it."""
    child, _, _ = running
    proc = pathlib.Path(f"/proc/{child.pid}")
    assert os.stat(proc / "mem").st_uid == 0
    limits = (proc / "limits").read_text()
    assert re.search(r"Max core file size\s+0\s+0", limits)
    if os.geteuid() == 0:
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "cat", proc / "environ"],
                              capture_output=True, check=False)
        assert done.returncode != 0 and b"CANARY" not in done.stdout


def test_attack_27_no_descriptor_is_inherited(running):
    """ATK-27: the command holds no socket, pipe or file of Sentinel's."""
    child, _, _ = running
    for path in processes_of(child.pid):
        if int(path.name) == child.pid:
            continue
        targets = {fd.name: os.readlink(fd) for fd in (path / "fd").iterdir()}
        assert set(targets) <= {"0", "1", "2"}, targets


# --- Unix socket ---

def test_unix_socket(tmp_path, tvm):
    """TVM-29: socket 0600 in a directory 0700, both gone afterwards; no container variables."""
    script = """
import os, socket, stat
p = os.environ['SENTINEL_UNIX_SOCKET']
s = socket.socket(socket.AF_UNIX); s.connect(p)
s.sendall(f"GET / HTTP/1.1\\r\\nHost: localhost\\r\\nAuthorization: {os.environ['SENTINEL_AUTH_TOKEN']}\\r\\n\\r\\n".encode())
print(p, s.makefile().readline().split()[1], oct(stat.S_IMODE(os.stat(p).st_mode)),
      oct(stat.S_IMODE(os.stat(os.path.dirname(p)).st_mode)), [k for k in os.environ if k.startswith('AWS_CONTAINER')])
"""
    done = sentinel(tmp_path, "exec", "--unix-socket", "dev", "--", sys.executable, "-c", script, tvm=tvm)
    path, *rest = done.stdout.split(maxsplit=1)
    assert rest == ["200 0o600 0o700 []\n"], done.stdout + done.stderr
    assert not os.path.exists(path) and not os.path.exists(os.path.dirname(path))


def test_unix_socket_path_keeps_what_is_there(tmp_path, tvm):
    """TVM-29: a regular file at the chosen path is kept and exec fails."""
    path = tmp_path / "precious"
    path.write_text("data")
    done = sentinel(tmp_path, "exec", "--unix-socket-path", path, "dev", "--", "touch", "ran", tvm=tvm)
    assert done.returncode == 125 and path.read_text() == "data" and not (tmp_path / "ran").exists()
    done = sentinel(tmp_path, "exec", "--unix-socket-path", tmp_path / "s", "dev", "--", "test", "-S", "s", tvm=tvm)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "s").exists()


def test_attack_26_unix_socket_outside_the_tree(tmp_path, tvm):
    """ATK-26: the kernel's word for the peer counts on a Unix socket too."""
    child = start(tmp_path, tvm, "exec", "--unix-socket", "dev", "--", "sh", "-c",
                  "echo $SENTINEL_UNIX_SOCKET $SENTINEL_AUTH_TOKEN; exec sleep 300")
    try:
        path, token = child.stdout.readline().split()
        assert stat.S_ISSOCK(os.stat(path).st_mode)
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(path)
            link.sendall(f"GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: {token}\r\n\r\n".encode())
            assert link.recv(4096).split()[1] == b"403"
    finally:
        child.send_signal(signal.SIGTERM)
        assert child.wait(TIMEOUT_S) == 143
    assert not os.path.exists(path)
