# SPDX-License-Identifier: Apache-2.0
"""The file keyring beside other programs: what they sealed opens, what we sealed they open; killed and raced writers."""
import base64
import json
import os
import pathlib
import subprocess

import pytest
from jwcrypto import jwa, jwe, jwk

from counts import count
from harness import BIN, closed_environment, is_instrumented, linked_libraries

SUPPORT = pathlib.Path(os.environ.get("SENTINEL_TEST_SUPPORT") or BIN.parents[1] / "tests" / "support")
TOOL = SUPPORT / "keyring_tool"
PASSPHRASE = "correct horse CANARY-PASSPHRASE"
OURS = 600000


class Store:
    def __init__(self, home):
        self.home, self.dir = home, home / "keys"

    def run(self, verb, key="", data="", *, passphrase=PASSPHRASE, check=True, backend="file", **extra):
        environment = closed_environment(self.home, AWS_VAULT_FILE_DIR=self.dir, **extra)
        if passphrase is not None:
            environment["AWS_VAULT_FILE_PASSPHRASE"] = passphrase
        done = subprocess.run([TOOL, backend, verb, key], env=environment, input=data.encode(), capture_output=True,
                              timeout=60, check=False)
        if check:
            assert done.returncode == 0, done.stderr
        return done

    def get(self, key, **options):
        return self.run("get", key, **options).stdout.decode()

    def keys(self):
        return self.run("keys").stdout.decode().splitlines()


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path)


def header_of(text):
    part = text.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def item(key, data):
    return json.dumps({"Key": key, "Data": base64.b64encode(data.encode()).decode(), "Label": f"aws-vault ({key})",
                       "Description": "", "Unknown": [1, {"a": None}]})


def oct_key(tmp_path):
    """The passphrase as the tool takes it."""
    path = tmp_path / "key.jwk"
    path.write_text(json.dumps({"kty": "oct", "k": base64.urlsafe_b64encode(PASSPHRASE.encode()).rstrip(b"=").decode()}))
    return path


def jose(*arguments):
    return subprocess.run(["jose", "jwe", *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=30, check=True).stdout


def test_jose_reads_ours(store, tmp_path):
    """VLT-02: what is stored with as many rounds as the jose tool takes, it opens."""
    store.run("set", "dev", "secret one", SN_ITERATIONS="32768")
    opened = json.loads(jose("dec", "-i", store.dir / "dev", "-k", oct_key(tmp_path)))
    assert base64.b64decode(opened["Data"]) == b"secret one" and opened["Key"] == "dev"


def test_ours_reads_jose(store, tmp_path):
    store.dir.mkdir(mode=0o700)
    plain = tmp_path / "plain"
    plain.write_text(item("dev", "from jose"))
    template = json.dumps({"protected": {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM", "p2c": 32768}})
    jose("enc", "-i", template, "-k", oct_key(tmp_path), "-I", plain, "-c", "-o", store.dir / "dev")
    (store.dir / "dev").chmod(0o600)
    assert store.get("dev") == "from jose"


def test_jwcrypto_reads_ours(store, monkeypatch):
    """VLT-02: at our own count a strict decoder of RFC 7518 opens an item, and the header says what it must."""
    store.run("set", "dev", "secret two")
    text = (store.dir / "dev").read_text()
    header = header_of(text)
    assert (header["alg"], header["enc"], header["p2c"]) == ("PBES2-HS256+A128KW", "A256GCM", OURS)
    assert len(base64.urlsafe_b64decode(header["p2s"] + "==")) == 16
    monkeypatch.setattr(jwa, "default_max_pbkdf2_iterations", OURS)
    token = jwe.JWE(algs=["PBES2-HS256+A128KW", "A256GCM"])
    token.deserialize(text, jwk.JWK.from_password(PASSPHRASE))
    assert base64.b64decode(json.loads(token.payload)["Data"]) == b"secret two"


def test_ours_reads_jwcrypto(store):
    store.dir.mkdir(mode=0o700)
    token = jwe.JWE(item("dev", "from jwcrypto").encode(), json.dumps({"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"}),
                    algs=["PBES2-HS256+A128KW", "A256GCM"])
    token.add_recipient(jwk.JWK.from_password(PASSPHRASE))
    (store.dir / "dev").write_text(token.serialize(compact=True))
    (store.dir / "dev").chmod(0o600)
    assert store.get("dev") == "from jwcrypto"


def test_each_item_has_its_own_salt_key_and_vector(store):
    for name in ("a", "b", "a"):
        store.run("set", name, "same", SN_ITERATIONS="1000")
    texts = [(store.dir / name).read_text().split(".") for name in ("a", "b")]
    for part in range(5):
        assert texts[0][part] != texts[1][part]


needs_preload = pytest.mark.skipif(not linked_libraries(TOOL) or is_instrumented(TOOL),
                                   reason="needs a dynamic build without sanitizers, to be killed from within")


@needs_preload
def test_killed_at_every_change(store):
    """A writer killed at any change of the disk leaves the old item or the new one, whole, and its neighbours alone."""
    fast = {"SN_ITERATIONS": "1000"}
    store.run("set", "other", "neighbour", **fast)
    kills = 0
    for replaced in (False, True):
        for at in range(1, 40):
            before = "old" if replaced else None
            if replaced:
                store.run("set", "dev", "old", **fast)
            elif "dev" in store.keys():
                store.run("remove", "dev")
            done = store.run("set", "dev", "new", check=False, SN_KILL_AT=at, LD_PRELOAD=SUPPORT / "kill_at.so", **fast)
            found = store.get("dev", check=False) or None
            assert found in (before, "new"), (at, done)
            assert store.get("other") == "neighbour"
            assert set(store.keys()) <= {"dev", "other"}
            if done.returncode == 0:
                assert found == "new"
                break
            assert done.returncode == -9, done
            kills += 1
        else:
            pytest.fail("the writer never came to its end")
    assert kills >= 8, kills
    assert not [name for name in os.listdir(store.dir) if name.startswith(".")], "leftovers of killed writers"


def test_two_writers(store):
    """Writers at once: each item is one of those written, whole; all of them survive."""
    environment = closed_environment(store.home, AWS_VAULT_FILE_DIR=store.dir, AWS_VAULT_FILE_PASSPHRASE=PASSPHRASE,
                                     SN_ITERATIONS="1000")
    rounds = count("keyring_writers")
    running = []
    for i in range(rounds):
        for key in ("shared", f"own-{i}"):
            process = subprocess.Popen([TOOL, "file", "set", key], env=environment, stdin=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            process.stdin.write(f"value {i}".encode() * 50)
            process.stdin.close()
            running.append(process)
    for process in running:
        assert process.wait(60) == 0, process.stderr.read()
        process.stderr.close()
    assert store.get("shared") in {f"value {i}" * 50 for i in range(rounds)}
    for i in range(rounds):
        assert store.get(f"own-{i}") == f"value {i}" * 50


def test_two_writers_begin_with_two_passphrases(store):
    """VLT-03: of two writers that begin one store under two passphrases one is refused."""
    for _ in range(5):
        running = [subprocess.Popen([TOOL, "file", "set", name], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env=closed_environment(store.home, AWS_VAULT_FILE_DIR=store.dir, SN_ITERATIONS="20000",
                                                           AWS_VAULT_FILE_PASSPHRASE=name)) for name in ("one", "two")]
        for process in running:
            process.stdin.write(b"x")
            process.stdin.close()
        ends = [(process.wait(60), process.stderr.read().decode()) for process in running]
        for process in running:
            process.stderr.close()
        assert sorted(code for code, _ in ends) == [0, 1], ends
        assert "KEYRING_PASSPHRASE" in "".join(text for _, text in ends)
        for name in os.listdir(store.dir):
            (store.dir / name).unlink()


def test_no_secret_in_messages(store):
    store.run("set", "dev", "CANARY-DATA", SN_ITERATIONS="1000")
    for options in ({"passphrase": "CANARY-WRONG"}, {"passphrase": None}):
        done = store.run("get", "dev", check=False, **options)
        assert done.returncode == 1 and b"CANARY" not in done.stderr + done.stdout
    for name in os.listdir(store.dir):
        text = (store.dir / name).read_bytes()
        assert b"CANARY" not in text and base64.b64encode(b"CANARY-DATA") not in text
