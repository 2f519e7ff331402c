# SPDX-License-Identifier: Apache-2.0
"""A recognisable value in every secret input, then everything the programs show, log, keep and hold is searched for it.

Searched in: stdout, stderr, logs, audit log, anchor, database and its side files, answers, environments and argument vectors
of the programs and their children. A secret is looked for as text, as hexadecimal and in base 64.
"""
import base64
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

import harness
from harness import BIN, Program, closed_environment, is_instrumented
from tvm import POLICY

TIMEOUT_S = 60
SENTINEL = BIN / "sentinel"
BASE = {name: f"CANARY-base-key-of-{name}-".ljust(40, "x") for name in ("alice", "bob", "tvm")}
SEAL_KEY, LOG_KEY = b"CANARY-key-that-seals-rows-32byt", b"CANARY-key-of-the-audit-log-32by"
OTHER_KEY = b"CANARY-some-other-key-of-32bytes"
TOKEN = "CANARY-session-token-in-a-file"
PYTHON = "/usr/bin/python3"  # one that any user may run


class Search:
    """What was seen, under a name each, and the secrets that may not stand in it."""

    def __init__(self):
        self.seen, self.secrets = {}, {}
        for name, text in BASE.items():
            self.plant(f"base key of {name}", text)
        for name, key in (("sealing key", SEAL_KEY), ("log key", LOG_KEY), ("other key", OTHER_KEY)):
            self.plant(name, key)
        self.plant("session token", TOKEN)
        self.plant("any", "CANARY-")

    def plant(self, name, secret):
        raw = secret if isinstance(secret, bytes) else secret.encode()
        assert len(raw) >= 7
        self.secrets[name] = {raw, raw.hex().encode(), raw.hex().upper().encode(), base64.b64encode(raw),
                              base64.urlsafe_b64encode(raw).rstrip(b"=")}

    def see(self, name, content):
        content = content if isinstance(content, bytes) else content.encode()
        self.seen.setdefault(name, b"")
        self.seen[name] += content

    def run(self, argv, env, cwd=None, stdin=None):
        done = subprocess.run([str(a) for a in argv], env=env, cwd=cwd, input=stdin, capture_output=True, text=True,
                              timeout=TIMEOUT_S, check=False)
        name = " ".join(pathlib.Path(a).name if i == 0 else str(a) for i, a in enumerate(argv))
        self.see(f"stdout of {name}", done.stdout)
        self.see(f"stderr of {name}", done.stderr)
        assert done.returncode >= 0, f"{name} was ended by a signal"
        return done

    def see_process(self, name, pid, parts=("environ", "cmdline")):
        for part in parts:
            self.see(f"{part} of {name}", pathlib.Path(f"/proc/{pid}/{part}").read_bytes())

    def see_files(self, directory, leave=()):
        for path in directory.rglob("*"):
            if path.is_file() and path.name not in leave:
                self.see(f"file {path.name}", path.read_bytes())

    def found(self, allowed=()):
        """(secret, place) of all that stands where it must not; allowed: such pairs, places by their beginning."""
        return [(secret, place) for secret, forms in self.secrets.items() for place, content in self.seen.items()
                if any(form in content for form in forms)
                and not any(secret == s and place.startswith(p) for s, p in allowed)]


def planted_config():
    config = subprocess.run([BIN / "sentinel-lab", "--print-config"], capture_output=True, text=True, check=True).stdout
    for name, secret in BASE.items():
        line = f"  - name: {name}\n"
        assert line in config
        ident = ("AKIALAB" + name.upper()).ljust(20, "0")
        config = config.replace(line, f'{line}    key: {{id: {ident}, secret: "{secret}"}}\n', 1)
    return config


def plant_keys(place):
    state = place / "state"
    state.mkdir(mode=0o700, parents=True)
    for name, key in (("state.key", SEAL_KEY), ("audit.key", LOG_KEY)):
        (state / name).write_text(f"k1:{key.hex()}\n")
        (state / name).chmod(0o600)
    return place


@pytest.fixture
def planted(start_tvm, start_lab, tmp_path):
    lab = start_lab(planted_config())
    assert lab.keys("alice")[1] == BASE["alice"] and lab.keys("tvm-user")[1] == BASE["tvm"]
    server = start_tvm(lab, directory=plant_keys(tmp_path / "planted"), settings={"SENTINEL_TICKET_SECONDS": "60"})
    return lab, server, Search()


def as_user(server, home, user="alice", **extra):
    return closed_environment(home, **{**server.lab.env, "AWS_PROFILE": user, "SENTINEL_TVM_URL": server.url, **extra})


def proven(server, **headers):
    return {**server.prove("alice", "/v1/credentials", "POST", b'{"profile":"dev"}'), "Content-Type": "application/json",
            **headers}


def break_the_server(lab, server, search):
    """Each way to fail that has a secret near by; what the answers say is searched too."""
    body = b'{"profile":"dev"}'
    vend = ("POST", "/v1/credentials")
    headers = [
        {"Authorization": "Bearer CANARY-bearer"}, {"Authorization": "Sentinel-Ticket CANARY-ticket-"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=CANARY-/x, SignedHeaders=host, Signature=CANARY-"},
        proven(server, **{"X-Amz-Security-Token": "CANARY-token"}), proven(server, **{"X-Sentinel-Nonce": "CANARY-nonce"}),
        proven(server, Cookie="CANARY-cookie"), proven(server, **{"X-Sentinel-Want-Ticket": "CANARY-"}),
    ]
    answers = [server.send(*vend, h, body) for h in headers]
    answers += [server.call("alice", *vend, {"profile": "dev", "secret": "CANARY-member"}),
                server.call("alice", "GET", "/?profile=dev&token=CANARY-query"), server.send("GET", "/CANARY-path"),
                server.call("alice", *vend, b'{"profile":"dev","token":"CANARY-cut'),
                server.vend(("AKIALABALICE00000000", "CANARY-wrong-secret"), "dev"),
                server.vend((*lab.keys("alice"), TOKEN), "dev"), server.vend("bob", "prod"), server.vend("bob", "staging")]
    for fault in ("AssumeRole=html", "AssumeRole=other-role", "AssumeRole=cut", "AssumeRole=two-arns", "AssumeRole=wrong-type",
                  "GetCallerIdentity=html", "GetCallerIdentity=500"):
        lab.fault(f"sts:{fault},3")
        answers.append(server.vend("alice", "dev"))
        lab.fault("none")
    server.write("policy.yaml", POLICY.replace("effect: deny", "effect: Deny"))
    server.process.send_signal(signal.SIGHUP)
    answers.append(server.vend("alice", "prod"))
    server.write("policy.yaml", POLICY)
    server.process.send_signal(signal.SIGHUP)
    answers += [server.send("GET", path) for path in ("/healthz", "/readyz", "/metrics")]
    for answer in answers:
        assert answer.status == 200 or answer.status >= 400
        if not (answer.is_json and {"credentials", "SecretAccessKey"} & set(answer.json)):
            search.see("answers", answer.text + str(answer.headers))


def test_attack_27_canaries_in_the_server(planted, tmp_path):
    """ATK-27, ATK-34, TVM-13, TVM-40, AUD-19: keys, tokens, proofs and tickets stand in no output, log, file or environment."""
    lab, server, search = planted
    assert server.vend("alice", "dev").status == 200
    connection = server.connect()
    ticket = server.call("alice", "GET", "/v1/whoami", headers={"X-Sentinel-Want-Ticket": "true"}, connection=connection)
    assert ticket.headers["X-Sentinel-Ticket"]
    break_the_server(lab, server, search)
    for path in ("profiles", "whoami"):
        search.see("answers", server.call("alice", "GET", f"/v1/{path}").text)
    search.see("answers", server.call("alice", "POST", "/v1/explain", {"profile": "prod"}).text)
    last = server.vend("alice", "dev")
    assert last.status == 200
    search.see_process("sentinel-tvm", server.process.pid)
    search.see_files(server.state, leave=("state.key", "audit.key"))  # while it runs: the write-ahead log is there
    assert any(name.endswith("-wal") for name in search.seen)
    server.end()
    search.see_files(server.state, leave=("state.key", "audit.key"))
    search.see("output of sentinel-tvm", server.output())
    for i, secret in enumerate(sorted(server.secrets)):
        search.plant(f"issued {i}" if len(secret) != 64 else f"signature {i}", secret)
    # Spent proofs are remembered by their signature, sealed and useless; nowhere else.
    allowed = [(name, "file sentinel.db") for name in search.secrets if name.startswith("signature")]
    assert search.found(allowed) == []
    assert last.json["credentials"]["access_key_id"] in search.seen["file audit.log"].decode()  # the search does search


def test_attack_27_canaries_in_the_servers_commands(planted, tmp_path):
    """AUD-19, ATK-27: config, check, sweep, help and each wrong key: no digit of a key is shown."""
    lab, server, search = planted
    assert server.vend("alice", "dev").status == 200
    keys = {"SENTINEL_STATE_SIGNING_KEY": SEAL_KEY.hex(), "SENTINEL_LOG_SIGNING_KEY": LOG_KEY.hex()}
    for extra in ({}, keys):
        for words in (["config"], ["config", "--json"], ["config", "--reference"], ["check"], ["check", "--json"], ["--help"],
                      ["help", "serve"], ["openapi"], ["version"], ["config", "--no-such-option"], ["no-such-command"]):
            search.run([BIN / "sentinel-tvm", *words], {**server.environment, **extra})
    assert search.seen["stdout of sentinel-tvm config"].count(b"********") == 2
    server.end()
    search.run([BIN / "sentinel-tvm", "sweep"], server.environment)
    bad_keys = [SEAL_KEY.hex()[:-1], SEAL_KEY.hex()[:-2] + "zz", SEAL_KEY.decode(), SEAL_KEY.hex()[:20],
                "k1:" + SEAL_KEY.hex() + "zz", "=" + LOG_KEY.hex()]
    for number, bad in enumerate(bad_keys):
        for name in ("SENTINEL_STATE_SIGNING_KEY", "SENTINEL_LOG_SIGNING_KEY"):
            done = search.run([BIN / "sentinel-tvm", "serve"], {**server.environment, name: bad})
            assert done.returncode == 2 and name in done.stderr, done.stderr
            search.run([BIN / "sentinel-tvm", "config", "--json"], {**server.environment, name: bad})
        for name, setting in (("state", "SENTINEL_STATE_SIGNING_KEY_SECRET_ID"), ("audit", "SENTINEL_LOG_SIGNING_KEY_FILE")):
            path = tmp_path / f"bad{number}.{name}"
            path.write_text(bad + "\n")
            path.chmod(0o600)
            value = f"file:{path}" if name == "state" else path
            done = search.run([BIN / "sentinel-tvm", "serve"], {**server.environment, setting: str(value)})
            # A key that is good but another one finds rows or records it does not fit, or is one that verifies nothing.
            assert done.returncode in (2, 3), done.stderr
            search.run([BIN / "sentinel-tvm", "check", "--json"], {**server.environment, setting: str(value)})
    log = server.state / "audit" / "audit.log"
    key_file = tmp_path / "wrong.key"
    for text in (OTHER_KEY.hex(), "k1:" + OTHER_KEY.decode(), "k1 " + LOG_KEY.hex(), LOG_KEY.hex() + LOG_KEY.decode()):
        key_file.write_text(text + "\n")
        key_file.chmod(0o600)
        for more in ([], ["--json"]):
            done = search.run([SENTINEL, "audit", "verify-logs", "--key-file", key_file, log, *more], server.environment)
            assert done.returncode in (1, 2)
    for given in (LOG_KEY.hex()[:-1], LOG_KEY.decode()):
        done = search.run([SENTINEL, "audit", "verify-logs", "--key-env", "KEY", log], {**server.environment, "KEY": given})
        assert done.returncode == 2
    search.see_files(server.state, leave=("state.key", "audit.key"))
    search.see("output of sentinel-tvm", server.output())
    assert search.found() == []


CHILD = """
import http.client, os, sys, time, urllib.parse
u = urllib.parse.urlsplit(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])
token = os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']
c = http.client.HTTPConnection(u.hostname, u.port, timeout=20)
c.request('GET', '/', headers={'Authorization': token})
body = c.getresponse().read().decode()
for wrong in ({'Authorization': 'CANARY-wrong'}, {'Authorization': token, 'Origin': 'http://evil.example'}, {}):
    c.request('GET', '/CANARY-path?x=CANARY-query', headers=wrong)
    c.getresponse().read()
open(sys.argv[1], 'w').write(token + '\\n' + body)
print('fetched', flush=True)
time.sleep(60)
"""


def secrets_of(side_file):
    token, body = side_file.read_text().split("\n", 1)
    answer = json.loads(body)
    return token, {"issued secret": answer["SecretAccessKey"], "issued token": answer["Token"]}


def test_attack_27_canaries_around_exec(planted, start, tmp_path):
    """ATK-27, TVM-28: base keys stay in Sentinel, issued keys in the relay, the relay's token in the command alone."""
    lab, server, search = planted
    side = tmp_path / "side"
    program = start(Program([SENTINEL, "exec", "dev", "--", PYTHON, "-c", CHILD, side], as_user(server, tmp_path)))
    program.wait_line("fetched")
    child = int(pathlib.Path(f"/proc/{program.process.pid}/task/{program.process.pid}/children").read_text().split()[0])
    search.see_process("sentinel exec", program.process.pid)
    search.see_process("command", child)
    for descriptor in pathlib.Path(f"/proc/{child}/fd").iterdir():
        assert int(descriptor.name) <= 2, os.readlink(descriptor)  # nothing inherited
    program.end()
    search.see("output of exec", program.output())
    token, issued = secrets_of(side)
    search.plant("relay token", token)
    for name, secret in issued.items():
        search.plant(name, secret)
    script = [("any", "cmdline of"), ("any", "cmdline")]  # the script of this test has the word itself
    assert search.found([("relay token", "environ of command"), *script]) == []
    assert ("relay token", "environ of command") in search.found(script)


def bad_files(lab):
    """Credential files with a fault next to a secret."""
    key = lab.keys("alice")[0]
    return {
        "no equals sign": f"[alice]\naws_access_key_id = {key}\naws_secret_access_key {BASE['alice']}\n",
        "secret as section": f"[{BASE['alice']}\naws_access_key_id = {key}\n",
        "secret as key": f"[alice]\n{BASE['alice']} = x\n",
        "no key id": f"[alice]\naws_secret_access_key = {BASE['alice']}\n",
        "secret for an id": f"[alice]\naws_access_key_id = {BASE['alice']}\naws_secret_access_key = {BASE['alice']}\n",
        "token that is none": f"[alice]\naws_access_key_id = {key}\naws_secret_access_key = {BASE['alice']}\n"
                              f"aws_session_token = {TOKEN}\n",
        "control characters": f"[alice]\naws_access_key_id = {key}\naws_secret_access_key = {BASE['alice']}\x1b[31m\n",
        "twice": f"[alice]\naws_secret_access_key = {BASE['alice']}\naws_secret_access_key = {BASE['alice']}\n",
        "nul": f"[alice]\naws_access_key_id = {key}\naws_secret_access_key = {BASE['alice']}\0\n",
    }


def test_attack_34_canaries_in_the_client(planted, tmp_path):
    """ATK-27, ATK-34: what the client prints when all is well and when anything is wrong, also with --json."""
    lab, server, search = planted
    env = as_user(server, tmp_path)
    bob = as_user(server, tmp_path, "bob")
    words = [["whoami"], ["profiles"], ["explain", "dev"], ["explain", "prod"], ["explain", "nosuch"],
             ["credential-process", "nosuch"], ["export", "nosuch"], ["exec", "nosuch", "--", "true"], ["exec", "dev", "--", "env"],
             ["credential-process", "dev", "--tvm-url", "http://127.0.0.1:9"], ["whoami", "--no-such-option"], ["help", "exec"],
             ["exec", "dev", "--", "no-such-command"], ["version"], ["credential-process", "dev", "--duration", "1s"]]
    for command in words:
        for user in (env, bob):
            if command[0] != "exec" or user is env:
                done = search.run([SENTINEL, *command], user)
                search.see("all of the client", done.stdout + done.stderr)
        if command[0] not in ("exec", "help", "version"):
            search.run([SENTINEL, *command, "--json"], env)
    empty = tmp_path / "empty-config"
    empty.write_text("")
    for name, text in bad_files(lab).items():
        path = tmp_path / "bad-credentials"
        path.write_text(text)
        path.chmod(0o600)
        for command in (["whoami"], ["whoami", "--json"], ["credential-process", "dev"], ["exec", "dev", "--", "true"]):
            done = search.run([SENTINEL, *command], {**env, "AWS_SHARED_CREDENTIALS_FILE": str(path),
                                                     "AWS_CONFIG_FILE": str(empty)})
            assert done.returncode != 0 or name == "twice", (name, done.stdout)
    in_env = {k: v for k, v in env.items() if k != "AWS_PROFILE"}
    in_env |= {"AWS_ACCESS_KEY_ID": lab.keys("alice")[0], "AWS_SECRET_ACCESS_KEY": BASE["alice"], "AWS_SESSION_TOKEN": TOKEN}
    for command in (["whoami"], ["credential-process", "dev"], ["export", "dev"], ["exec", "dev", "--", "env"]):
        done = search.run([SENTINEL, *command], in_env)
        assert done.returncode != 0, done.stdout
    del in_env["AWS_SESSION_TOKEN"]
    done = search.run([SENTINEL, "exec", "dev", "--", "env"], in_env)
    assert done.returncode == 0 and "AWS_CONTAINER_AUTHORIZATION_TOKEN" in done.stdout
    # The product of these two is secret and wanted; it goes to stdout and nowhere else.
    for command in (["credential-process", "dev"], ["export", "dev", "--format", "json"]):
        done = subprocess.run([SENTINEL, *command], env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
        answer = json.loads(done.stdout)
        search.see(f"stderr of {command[0]}", done.stderr)
        for name in ("SecretAccessKey", "SessionToken"):
            search.plant(f"{command[0]} {name}", answer[name])
        assert not any(c in done.stdout for c in BASE.values())
    search.see_files(tmp_path / ".cache")
    server.end()
    search.see("output of sentinel-tvm", server.output())
    search.see_files(server.state, leave=("state.key", "audit.key"))
    assert search.found() == []


# --- The memory of the programs ---


@pytest.fixture
def ordinary(tmp_path_factory):
    """(wrap, directory, copy of the programs) for running as an ordinary user, so that the kernel's rules hold."""
    place = pathlib.Path(tempfile.mkdtemp(prefix="sentinel-ordinary-"))
    programs = place / "bin"
    programs.mkdir()
    for program in BIN.glob("sentinel*"):
        if program.is_file() and os.access(program, os.X_OK):
            shutil.copy(program, programs / program.name)
    wrap = []
    if os.geteuid() == 0:
        wrap = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        os.chown(place, 65534, 65534)
        os.chmod(place, 0o700)
        if subprocess.run([*wrap, "true"], check=False).returncode != 0:
            shutil.rmtree(place)
            pytest.skip("no other user can be had here")
    yield wrap, place, programs
    shutil.rmtree(place, ignore_errors=True)


PEEK = """
import sys
for part in ('mem', 'environ', 'maps', 'auxv', 'syscall', 'io', 'stack'):
    try:
        with open(f'/proc/{sys.argv[1]}/{part}', 'rb') as file:
            file.read(1)
        print('READ', part)
    except OSError as problem:
        print('refused', part, problem.errno)
"""


def look_inside(wrap, pid, place):
    """What another process of the same user may read of this one."""
    done = subprocess.run([*wrap, PYTHON, "-c", PEEK, str(pid)], capture_output=True, text=True, check=False,
                          timeout=TIMEOUT_S, env=closed_environment(place), cwd=place)
    assert done.stdout.count("refused") + done.stdout.count("READ") == 7, done.stderr
    return done.stdout


def test_attack_27_memory_of_the_programs(ordinary, start, shared_lab):
    """ATK-27: no process of the same user reads memory or environment, attaches, or gets a core; a crash leaves none."""
    wrap, place, programs = ordinary
    subprocess.run([*wrap, "mkdir", "-m", "0700", place / "state"], check=True)
    environment = closed_environment(place, **{**shared_lab.env, "SENTINEL_LISTEN": "127.0.0.1:0",
                                               "SENTINEL_STORE_PATH": place / "state" / "sentinel.db",
                                               "SENTINEL_POLICY_DIR": place / "policy", "AWS_ACCESS_KEY_ID": "AKIALABX",
                                               "AWS_SECRET_ACCESS_KEY": BASE["tvm"]})
    control = start(Program([*wrap, "sleep", "60"], environment, cwd=place))
    lab = start(Program([*wrap, programs / "sentinel-lab", "--dir", place / "lab"], environment, cwd=place))
    server = start(Program([*wrap, programs / "sentinel-tvm", "serve"], environment, cwd=place))
    server.wait_line(r"^ready ")
    lab.wait_line(r"^ready ")
    if "READ environ" not in look_inside(wrap, control.process.pid, place):
        pytest.skip("the kernel forbids reading any process here, so nothing can be shown")
    for program in (server, lab):
        pid = program.process.pid
        assert "READ" not in look_inside(wrap, pid, place).replace("READ io", "")
        status = pathlib.Path(f"/proc/{pid}/limits").read_text()
        assert [line.split()[4:6] for line in status.splitlines() if line.startswith("Max core")] == [["0", "0"]]
        if shutil.which("gcore"):
            done = subprocess.run([*wrap, "gcore", "-o", place / "dump", str(pid)], capture_output=True, text=True, cwd=place,
                                  check=False, timeout=TIMEOUT_S, env=closed_environment(place))
            assert done.returncode != 0 and not list(place.glob("dump*")), done.stdout + done.stderr
        os.kill(pid, signal.SIGSEGV)
        _, code = os.waitpid(pid, 0)
        # A sanitizer catches the signal and ends the program itself.
        assert not os.WCOREDUMP(code) and (os.WTERMSIG(code) == signal.SIGSEGV or is_instrumented(programs / "sentinel-tvm"))
        assert not list(place.glob("core*"))
        program.process.returncode = -signal.SIGSEGV


def test_attack_27_memory_of_exec(ordinary, start, planted):
    """ATK-27: the command, and its neighbours of the same user, cannot look into the Sentinel that serves it."""
    wrap, place, programs = ordinary
    _, server, _ = planted
    files = place / "aws"
    shutil.copytree(server.lab.dir / "aws", files)
    for path in (files, *files.iterdir()):
        os.chown(path, 65534 if wrap else os.geteuid(), 65534 if wrap else os.getegid())
    environment = closed_environment(place, **{**server.lab.env, "AWS_PROFILE": "alice", "SENTINEL_TVM_URL": server.url,
                                               "AWS_CONFIG_FILE": files / "config",
                                               "AWS_SHARED_CREDENTIALS_FILE": files / "credentials"})
    script = PEEK.replace("sys.argv[1]", "os.getppid()").replace("import sys", "import os, sys, time") + "\ntime.sleep(60)\n"
    program = start(Program([*wrap, programs / "sentinel", "exec", "dev", "--", PYTHON, "-uc", script], environment,
                            cwd=place))
    program.wait_line(r"stack")
    assert any(line.startswith("refused mem") for line in program.lines)
    assert not [line for line in program.lines if line.startswith("READ") and line != "READ io"], program.output()
    assert "READ" not in look_inside(wrap, program.process.pid, place).replace("READ io", "")
    assert harness.ACCOUNT not in program.output()
