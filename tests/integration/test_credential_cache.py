# SPDX-License-Identifier: Apache-2.0
"""The credential cache of the client in the real kernel keyring. Where the kernel refuses keyrings, what needs one is
skipped; that the refusal is survived is tested everywhere."""
import concurrent.futures
import ctypes
import errno
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import threading
import time

import pytest

import harness
from scripted_tvm import ScriptedTvm, issued, refused

SENTINEL = harness.BIN / "sentinel"
BASE = {"AWS_ACCESS_KEY_ID": "AKIABASECANARY000001", "AWS_SECRET_ACCESS_KEY": "CANARY-base-secret"}
TIMEOUT_S = 60
ADD_KEY, KEYCTL = {"x86_64": (248, 250), "aarch64": (217, 219)}[platform.machine()]
JOIN_SESSION, SETPERM, DESCRIBE, LINK, UNLINK, SEARCH, READ = 1, 5, 6, 8, 9, 10, 11
PROCESS_RING, USER_RING = -2, -4
MASK = 0x3f000000
LIBC = ctypes.CDLL(None, use_errno=True)


def keyctl(*arguments):
    """The bare system call; integers are passed as long, bytes as they are."""
    words = [a if isinstance(a, (bytes, ctypes.Array)) else ctypes.c_long(a) for a in arguments]
    result = LIBC.syscall(ctypes.c_long(KEYCTL), *words)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def keyrings_work():
    try:
        keyctl(LINK, USER_RING, PROCESS_RING)
        return True
    except OSError:
        return False


needs_keyring = pytest.mark.skipif(not keyrings_work(), reason="this kernel refuses keyrings")


def ring():
    return keyctl(SEARCH, USER_RING, b"keyring", b"sentinel", 0)


def read(key):
    data = ctypes.create_string_buffer(65536)
    size = keyctl(READ, key, data, len(data))
    return data.raw[:size]


def describe(key):
    text = ctypes.create_string_buffer(512)
    size = keyctl(DESCRIBE, key, text, len(text))
    return text.raw[:size - 1].decode()


def items():
    """{key: text} of what is cached."""
    try:
        keys = read(ring())
    except OSError:
        return {}
    found = {}
    for (key,) in struct.iter_unpack("i", keys):
        try:
            found[key] = read(key).decode()
        except OSError:
            continue
    return found


class Caller:
    """Runs the client as one user of one TVM; knows which item is its own."""

    def __init__(self, home, tvm):
        self.home, self.tvm, self.extra = home, tvm, {}

    def env(self, **extra):
        known = {**BASE, "SENTINEL_TVM_URL": self.tvm.url, "XDG_RUNTIME_DIR": self.home / "run", **self.extra, **extra}
        return harness.closed_environment(self.home, **{k: v for k, v in known.items() if v is not None})

    def run(self, *words, env=None, **options):
        words = words or ("credential-process", "prod")
        return subprocess.run([SENTINEL, *words], env=env or self.env(), capture_output=True, text=True, cwd=self.home,
                              timeout=TIMEOUT_S, check=False, **options)

    def good(self, *words, **options):
        done = self.run(*words, **options)
        assert done.returncode == 0, done.stderr
        return done

    def vends(self):
        return len(self.tvm.calls)

    def item(self):
        """The item of this caller (key, text), or None."""
        assert len(self.items()) <= 1
        return self.items()[0] if self.items() else None

    def items(self):
        return [(key, text) for key, text in items().items() if f"key={self.tvm.url}" in text]

    def rewrite(self, change):
        """Replaces the text of the item."""
        key, text = self.item()
        data = change(text).encode()
        name = describe(key).split(";", 4)[4].encode()
        assert LIBC.syscall(ADD_KEY, b"user", name, data, ctypes.c_long(len(data)), ctypes.c_long(ring())) == key


@pytest.fixture
def caller(tmp_path):
    server = ScriptedTvm(issued(life_s=3600))
    (tmp_path / "run").mkdir(mode=0o700)
    found = Caller(tmp_path, server)
    yield found
    for key, _ in found.items():
        keyctl(UNLINK, key, ring())
    server.close()


# --- A hit ---

@needs_keyring
def test_second_call_asks_nobody(caller):
    """VLT-48: the second run makes no call and prints the same bytes; --no-cache and its variable ask again."""
    first = caller.good()
    second = caller.good()
    assert (first.stdout, caller.vends()) == (second.stdout, 1) and second.stderr == ""
    assert caller.good("credentials", "--profile", "prod").stdout == first.stdout and caller.vends() == 1
    caller.good("credential-process", "prod", "--no-cache")
    assert caller.vends() == 2
    caller.good(env=caller.env(SENTINEL_NO_CACHE="true"))
    assert caller.vends() == 3
    assert caller.good().stdout == first.stdout and caller.vends() == 3


@needs_keyring
def test_export_and_exec_begin_from_the_cache(caller):
    """TVM-32: export and the first fetch of exec use what is held; the relay does not look again."""
    caller.good()
    assert "CANARY-token-of-the-session" in caller.good("export", "prod", "-q").stdout
    caller.good("exec", "prod", "--", "true")
    assert caller.vends() == 1


@needs_keyring
def test_exec_region_and_session_from_the_cache(caller):
    caller.good()
    done = caller.good("exec", "prod", "--", "sh", "-c", "echo $AWS_REGION $SENTINEL_SESSION_ID")
    assert done.stdout == "eu-west-1 ses-4g7kq2m9x0v5c8za\n" and caller.vends() == 1


@needs_keyring
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_cached_path_opens_nothing(caller):
    """VLT-48: no socket, no library of HTTP, TLS, cryptography, JSON or keyrings, no AWS file, no config.yaml."""
    (caller.home / ".aws").mkdir()
    (caller.home / ".aws" / "config").write_text("[default]\nregion = eu-west-1\n")
    caller.good()
    trace = caller.home / "trace"
    done = subprocess.run(["strace", "-f", "-o", trace, "-e", "trace=%file,%network,execve", SENTINEL,
                           "credential-process", "prod"], env=caller.env(), capture_output=True, text=True,
                          timeout=TIMEOUT_S, check=False)
    if done.returncode != 0 and "ptrace" in done.stderr:
        pytest.skip("this machine does not let strace work")
    lines = trace.read_text().splitlines()
    assert done.returncode == 0 and caller.vends() == 1
    opened = [line for line in lines if re.search(r"\b(open|openat)\(", line) and "ENOENT" not in line]
    assert not [line for line in lines if "socket(" in line or "connect(" in line]
    assert sum("execve(" in line for line in lines) == 1
    for name in ("curl", "ssl", "crypto", "jansson", "dbus", "keyutils", "sqlite", ".aws/config", "config.yaml"):
        assert not [line for line in opened if name in line], name


# --- Refused ---

def refuse_keyrings():
    """A filter that answers add_key, request_key and keyctl with EPERM, as containers do."""
    rows = [(0x20, 0, 0, 0)]
    numbers = [ADD_KEY, ADD_KEY + 1, KEYCTL]
    for index, number in enumerate(numbers):
        rows.append((0x15, len(numbers) - index, 0, number))
    rows += [(0x06, 0, 0, 0x7fff0000), (0x06, 0, 0, 0x00050000 | errno.EPERM)]
    program = b"".join(struct.pack("HBBI", *row) for row in rows)
    buffer = ctypes.create_string_buffer(program)
    fprog = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(rows), ctypes.addressof(buffer)))
    if LIBC.prctl(38, 1, 0, 0, 0) != 0 or LIBC.prctl(22, 2, fprog) != 0:
        os._exit(99)


def test_refused_keyring_is_survived_and_said_once(caller):
    """VLT-48: where the kernel refuses keyrings each call asks the TVM; that is said the first time only."""
    said = []
    for count in (1, 2, 3):
        done = caller.run(preexec_fn=refuse_keyrings)
        if done.returncode == 99:
            pytest.skip("this machine permits no system call filter")
        assert done.returncode == 0 and caller.vends() == count
        said.append(done.stderr)
    assert said == ["sentinel: this kernel refuses keyrings, so credentials are not kept between calls\n", "", ""]
    assert not list((caller.home / "run").rglob("*.lock"))


# --- Many at once ---

@needs_keyring
def test_fifty_cold_callers_cause_one_vend(caller):
    """VLT-49: one vend, the same credentials for all."""
    gate = threading.Event()

    def slow(method, path, body):
        gate.wait(TIMEOUT_S)
        return issued(life_s=3600, key=f"ASIACANARYKEYID{len(caller.tvm.calls):05d}")

    caller.tvm.answer = slow
    children = [subprocess.Popen([SENTINEL, "credential-process", "prod"], env=caller.env(), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True, cwd=caller.home) for _ in range(50)]
    gate.set()
    outcomes = [(child.communicate(timeout=TIMEOUT_S), child.returncode) for child in children]
    assert {code for _, code in outcomes} == {0}, {output[1] for output, _ in outcomes}
    assert len({output[0] for output, _ in outcomes}) == 1
    assert caller.vends() == 1


# --- The item ---

@needs_keyring
def test_form_of_the_item(caller):
    """VLT-50: keyring "sentinel" below the user keyring, type user, possessor-only masks, a kernel timeout of the
    remaining life less five minutes, ten kinds of lines and the state of the two AWS files."""
    caller.good()
    key, text = caller.item()
    assert describe(ring()).split(";")[:4] == ["keyring", str(os.geteuid()), str(os.getegid()), f"{MASK:08x}"]
    kind, _, _, mask, name = describe(key).split(";")
    assert (kind, mask) == ("user", f"{MASK:08x}") and re.fullmatch("sentinel-cache:[0-9a-f]{16}", name)
    lines = text.splitlines()
    assert [line.partition("=")[0] for line in lines] == [
        "sentinel-cache 1", "key", "duration", "id", "issued", "expires", "region", "access_key_id",
        "secret_access_key", "session_token", "file", "file"]
    values = dict(line.split("=", 1) for line in lines[1:10])
    assert values["key"] == f"{caller.tvm.url} prod AWS_ACCESS_KEY_ID=AKIABASECANARY000001"
    assert lines[10:] == [f"file=0:0:0:{caller.home}/.aws/config", f"file=0:0:0:{caller.home}/.aws/credentials"]
    assert (values["duration"], values["id"], values["region"]) == ("0", "4g7kq2m9x0v5c8za", "eu-west-1")
    entry = next(line for line in open("/proc/keys", encoding="ascii") if name in line)
    shown = entry.split()[3]
    assert shown in ("54m", "55m"), entry  # 3600 s less 300 s, as the kernel rounds


@needs_keyring
def test_another_login_session_uses_it(caller):
    """VLT-50: a session keyring that does not link the user keyring is no obstacle."""
    caller.good()
    caller.good(preexec_fn=lambda: keyctl(JOIN_SESSION, 0))
    assert caller.vends() == 1


@needs_keyring
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_does_not_find_it(caller):
    """VLT-50: it belongs to one uid."""
    caller.good()
    key, _ = caller.item()
    script = f"import ctypes, os; os._exit(ctypes.CDLL(None).syscall({KEYCTL}, {READ}, {key}, 0, 0) != -1)"
    done = subprocess.run(["python3", "-c", script], user=65533, group=65533, extra_groups=[], check=False)
    assert done.returncode == 0


@needs_keyring
def test_attack_27_nothing_is_written_to_a_file(caller):
    """ATK-27: the credentials are in memory only; lock files hold a process id."""
    caller.good()
    for path in caller.home.rglob("*"):
        assert not path.is_file() or b"CANARY" not in path.read_bytes()
    locks = list((caller.home / "run" / "sentinel" / "locks").iterdir())
    assert [re.fullmatch(r"tvm-[0-9a-f]{16}\.lock", lock.name) is not None for lock in locks] == [True]
    assert locks[0].stat().st_mode & 0o777 == 0o600 and locks[0].parent.stat().st_mode & 0o777 == 0o700


# --- What is not used ---

def shift(name, seconds):
    return lambda text: re.sub(rf"(?m)^{name}=(\d+)$", lambda m: f"{name}={int(m[1]) + seconds}", text)


CHANGES = {
    "299 s left": lambda text: re.sub(r"(?m)^expires=\d+$", f"expires={int(time.time()) + 299}", text),
    "61 s ahead": lambda text: shift("expires", 63)(re.sub(r"(?m)^issued=\d+$", f"issued={int(time.time()) + 63}", text)),
    "key line": lambda text: text.replace(" prod ", " prof "),
    "missing line": lambda text: re.sub(r"(?m)^region=.*\n", "", text),
    "repeated line": lambda text: re.sub(r"(?m)^(region=.*\n)", r"\1\1", text),
    "too long": lambda text: text + "file=0:0:0:/" + "x" * 16384 + "\n",
    "no end of line": lambda text: text[:-1],
    "a file more": lambda text: text + "file=0:0:0:/x\n",
    "first line": lambda text: text.replace("sentinel-cache 1", "sentinel-cache 2"),
    "control character": lambda text: re.sub(r"(?m)^session_token=", "session_token=\x1b", text),
    "quote": lambda text: re.sub(r"(?m)^session_token=", 'session_token="', text),
}


@needs_keyring
@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_item_is_not_used(caller, name):
    """VLT-51: a vend follows, and the item is a good one again."""
    caller.good()
    caller.rewrite(CHANGES[name])
    caller.good()
    assert caller.vends() == 2
    caller.good()
    assert caller.vends() == 2


@needs_keyring
def test_a_changed_mask_is_not_used(caller):
    """VLT-51: an item that others can read is not trusted."""
    caller.good()
    keyctl(SETPERM, caller.item()[0], MASK | 0x00020000)
    caller.good()
    assert caller.vends() == 2


@needs_keyring
@pytest.mark.parametrize("words, extra", [
    (["--duration", "30m"], {}), (["--aws-profile", "other"], {}), ([], {"AWS_PROFILE": "other"}),
    ([], {"AWS_ACCESS_KEY_ID": "AKIABASECANARY000002"}), ([], {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1"}),
    (["--tvm-url", "{url}/base"], {}), ([], {"HOME": "elsewhere"}),
])
def test_another_question_is_another_item(caller, words, extra):
    """VLT-51: other duration, identity or TVM."""
    other = caller.home / "elsewhere"
    for home in (caller.home, other):
        (home / ".aws").mkdir(parents=True)
        (home / ".aws" / "credentials").write_text(
            "[other]\naws_access_key_id = AKIAOTHER0000000001\naws_secret_access_key = CANARY-other\n")
    extra = {**extra, "HOME": other} if "HOME" in extra else extra
    caller.good()
    words = [word.format(url=caller.tvm.url) for word in words]
    caller.good("credential-process", "prod", *words, env=caller.env(**extra))
    assert caller.vends() == 2


@needs_keyring
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_touched_files_are_noticed(caller, name):
    """VLT-51: config or credentials file touched."""
    (caller.home / ".aws").mkdir()
    path = caller.home / ".aws" / name
    path.write_text("[default]\nregion = eu-west-1\n")
    caller.good()
    caller.good()
    assert caller.vends() == 1
    os.utime(path, ns=(1, 1))
    caller.good()
    assert caller.vends() == 2


@needs_keyring
def test_refusals_and_short_sessions_are_not_kept(caller):
    """Never a refusal, never credentials with five minutes or less."""
    caller.tvm.answer = issued(life_s=290)
    caller.good()
    assert caller.item() is None
    caller.tvm.answer = refused(403, "POLICY_DENY")
    assert caller.run().returncode == 1 and caller.item() is None and caller.vends() == 2


@needs_keyring
def test_a_refusal_removes_what_is_kept(caller):
    """A refusal for another duration removes the item too; --no-cache leaves it alone."""
    caller.good()
    caller.tvm.answer = refused(403, "POLICY_DENY")
    assert caller.run("credential-process", "prod", "--no-cache").returncode == 1 and caller.item() is not None
    assert caller.run("credential-process", "prod", "--duration", "30m").returncode == 1 and caller.item() is None


# --- Early refresh ---

def age(caller, left_s):
    """Makes the item one of a session of 3600 s with left_s to go."""
    end = int(time.time()) + left_s
    caller.rewrite(lambda text: re.sub(r"(?m)^issued=\d+$", f"issued={end - 3600}", re.sub(
        r"(?m)^expires=\d+$", f"expires={end}", text)))


def ten_callers(caller):
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        return list(pool.map(lambda _: caller.run(), range(10)))


@needs_keyring
def test_one_of_ten_refreshes_early_and_nobody_waits(caller):
    """VLT-52: a session of 3600 s with 900 s left: one vend, and nine answers come while it is under way."""
    caller.good()
    age(caller, 900)
    others_done = threading.Event()

    def slow(method, path, body):
        others_done.wait(TIMEOUT_S)
        return issued(life_s=3600, key="ASIACANARYKEYID00002")

    caller.tvm.answer = slow
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        running = [pool.submit(caller.run) for _ in range(10)]
        done = []
        for future in concurrent.futures.as_completed(running):
            done.append(json.loads(future.result().stdout)["AccessKeyId"])
            if len(done) == 9:
                others_done.set()
    assert done == ["ASIACANARYKEYID00001"] * 9 + ["ASIACANARYKEYID00002"]
    assert caller.vends() == 2


@needs_keyring
def test_early_refresh_with_the_tvm_down(caller):
    """VLT-52: ten answers, and a warning from those that tried."""
    caller.good()
    age(caller, 900)
    caller.tvm.answer = refused(501, "NOT_CONFIGURED")
    outcomes = ten_callers(caller)
    assert [done.returncode for done in outcomes] == [0] * 10
    warnings = [done.stderr for done in outcomes if done.stderr]
    assert warnings and all("warning: NOT_CONFIGURED: credentials at hand are used" in text for text in warnings)
    assert len(warnings) == caller.vends() - 1 and caller.item() is not None


@needs_keyring
def test_early_refresh_denied(caller):
    """VLT-52: the caller that asked is refused, the item is gone, the next is refused too."""
    caller.good()
    age(caller, 900)
    caller.tvm.answer = refused(403, "POLICY_DENY")
    for _ in range(2):
        done = caller.run()
        assert (done.returncode, done.stdout) == (1, "") and caller.item() is None


@needs_keyring
def test_short_sessions_are_simply_used(caller):
    """VLT-52: a session of 900 s with 400 s left: no vend."""
    caller.good()
    end = int(time.time()) + 400
    caller.rewrite(lambda text: re.sub(r"(?m)^issued=\d+$", f"issued={end - 900}", re.sub(
        r"(?m)^expires=\d+$", f"expires={end}", text)))
    caller.good()
    assert caller.vends() == 1


@needs_keyring
def test_locks_without_a_place(caller):
    """A place for locks that others can change: a warning, and credentials all the same."""
    (caller.home / "run" / "sentinel" / "locks").mkdir(parents=True)
    (caller.home / "run" / "sentinel" / "locks").chmod(0o777)
    done = caller.good()
    assert "warning: LOCK_UNAVAILABLE" in done.stderr and caller.vends() == 1
    assert caller.good().stderr == "" and caller.vends() == 1
