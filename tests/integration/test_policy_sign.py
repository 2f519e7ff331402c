# SPDX-License-Identifier: Apache-2.0
"""Signatures of documents, with the openssl command as the second opinion."""
import base64
import fcntl
import hashlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import termios

import pytest

import harness

SENTINEL = harness.BIN / "sentinel"
POLICY = ('version: "1"\nrules:\n  - name: default-deny\n    effect: deny\n    conditions:\n'
          "      profiles: [payments]\n")
NAME = "/sentinel/policies/payments"

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")


def openssl(*arguments, **options):
    return subprocess.run(["openssl", *arguments], capture_output=True, check=True, **options)


def run(directory, *arguments):
    return subprocess.run([SENTINEL, "policy", *arguments], env=harness.closed_environment(directory), cwd=directory,
                          capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def place(tmp_path):
    (tmp_path / "p.yaml").write_text(POLICY)
    openssl("genpkey", "-algorithm", "ed25519", "-out", tmp_path / "key.pem")
    (tmp_path / "key.pem").chmod(0o600)
    openssl("pkey", "-in", tmp_path / "key.pem", "-pubout", "-out", tmp_path / "key.pub")
    return tmp_path


def signed(place, *more):
    done = run(place, "sign", "p.yaml", "--key-id", "file:key.pem", "--profile", "payments", "-o", "p.sig.json", *more)
    assert done.returncode == 0, done.stderr
    return json.loads((place / "p.sig.json").read_text())


def verify(place, *more):
    return run(place, "verify", "p.yaml", "-s", "p.sig.json", "--public-key", "key.pub", *more)


def message(envelope):
    meta = envelope["metadata"]
    return (f"SENTINEL-POLICY-SIGNATURE-V2\nparameter={meta['parameter']}\npolicy-sha256={meta['policy_hash']}\n"
            f"algorithm={meta['algorithm']}\nserial={meta['serial']}\nsigned-at={meta['signed_at']}\n").encode()


def test_openssl_accepts_a_bound_signature(place):
    """POL-49: the message of the description, rebuilt here, verifies with openssl pkeyutl."""
    envelope = signed(place)
    meta = envelope["metadata"]
    assert meta["policy_hash"] == hashlib.sha256(POLICY.encode()).hexdigest()
    assert (envelope["version"], meta["parameter"], meta["algorithm"]) == (2, NAME, "ED25519")
    raw = openssl("pkey", "-pubin", "-in", place / "key.pub", "-outform", "DER").stdout[-32:]
    assert meta["key_id"] == "ed25519/" + hashlib.sha256(raw).hexdigest()[:32]
    (place / "message").write_bytes(message(envelope))
    (place / "sig").write_bytes(base64.b64decode(envelope["signature"]))
    openssl("pkeyutl", "-verify", "-pubin", "-inkey", place / "key.pub", "-rawin", "-in", place / "message",
            "-sigfile", place / "sig")
    assert (place / "p.sig.json").stat().st_mode & 0o777 == 0o600


def test_openssl_accepts_an_unbound_signature(place):
    """POL-49: the signed message is the document."""
    done = run(place, "sign", "p.yaml", "--key-id", "file:key.pem")
    assert done.returncode == 0 and "warning" in done.stderr
    envelope = json.loads(done.stdout)
    assert set(envelope) == {"signature", "metadata"}
    (place / "sig").write_bytes(base64.b64decode(envelope["signature"]))
    openssl("pkeyutl", "-verify", "-pubin", "-inkey", place / "key.pub", "-rawin", "-in", place / "p.yaml",
            "-sigfile", place / "sig")


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_signatures_of_other_keys_by_openssl(place, kind):
    """POL-50: P-256 and RSA-PSS signatures as KMS makes them, here made by openssl, are verified offline."""
    parameters = {"ec": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
                  "rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"]}[kind]
    openssl("genpkey", *parameters, "-out", place / "other.pem")
    openssl("pkey", "-in", place / "other.pem", "-pubout", "-out", place / "key.pub")
    envelope = {"version": 2, "signature": "", "metadata": {
        "key_id": "arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000001",
        "algorithm": {"ec": "ECDSA_SHA_256", "rsa": "RSASSA_PSS_SHA_256"}[kind],
        "signed_at": "2026-01-01T00:00:00.000Z", "policy_hash": hashlib.sha256(POLICY.encode()).hexdigest(),
        "parameter": NAME, "serial": 1767225600}}
    (place / "message").write_bytes(message(envelope))
    padding = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if kind == "rsa" else []
    signature = openssl("dgst", "-sha256", "-sign", place / "other.pem", *padding, place / "message").stdout
    envelope["signature"] = base64.b64encode(signature).decode()
    (place / "p.sig.json").write_text(json.dumps(envelope))
    done = verify(place, "--profile", "payments")
    assert (done.returncode, done.stdout) == (0, "Signature valid\n"), done.stderr
    if kind == "rsa":  # a salt of another length is not what KMS makes
        signature = openssl("dgst", "-sha256", "-sign", place / "other.pem", "-sigopt", "rsa_padding_mode:pss",
                            "-sigopt", "rsa_pss_saltlen:20", place / "message").stdout
        envelope["signature"] = base64.b64encode(signature).decode()
        (place / "p.sig.json").write_text(json.dumps(envelope))
        assert verify(place).returncode == 1


def test_verify_tells_what_is_wrong(place):
    """POL-32, POL-28: a newline too many, a newline too few, another profile, another key."""
    signed(place)
    assert verify(place).stdout == "Signature valid\n"
    assert verify(place, "--profile", "payments").returncode == 0
    other = verify(place, "--profile", "prod")
    assert (other.returncode, other.stdout) == (1, "Signature invalid\n") and NAME in other.stderr
    (place / "p.yaml").write_text(POLICY + "\n")
    longer = verify(place)
    assert (longer.returncode, longer.stdout) == (1, "Signature invalid\n")
    for text in (POLICY, POLICY + "\n"):
        assert hashlib.sha256(text.encode()).hexdigest() in longer.stderr
    (place / "p.yaml").write_text(POLICY[:-1])
    assert "one more newline" in verify(place).stderr
    (place / "p.yaml").write_text(POLICY)
    openssl("genpkey", "-algorithm", "ed25519", "-out", place / "k2.pem")
    openssl("pkey", "-in", place / "k2.pem", "-pubout", "-out", place / "key.pub")
    stranger = verify(place, "--json")
    assert stranger.returncode == 1 and json.loads(stranger.stdout)["code"] == "SIGNATURE_INVALID"


def test_raw_key_as_in_settings(place):
    """The ed25519: form is the base64 of the raw key."""
    signed(place)
    raw = openssl("pkey", "-pubin", "-in", place / "key.pub", "-outform", "DER").stdout[-32:]
    done = run(place, "verify", "p.yaml", "-s", "p.sig.json", "--public-key",
               "ed25519:" + base64.b64encode(raw).decode())
    assert done.stdout == "Signature valid\n"


def test_what_is_not_signed(place):
    """POL-32, POL-50: an invalid policy, a key that others can read, a key of another kind, a form of another version."""
    (place / "bad.yaml").write_text("version: \"1\"\nrules: []\n")
    cases = [(["sign", "bad.yaml", "--key-id", "file:key.pem", "--profile", "x"], "at least one rule"),
             (["sign", "p.yaml", "--key-id", "alias/", "--profile", "x"], "is no key"),
             (["sign", "p.yaml", "--key-id", "file:key.pub", "--profile", "x"], "key"),
             (["sign", "p.yaml", "--key-id", "file:nowhere", "--profile", "x"], "nowhere"),
             (["sign", "p.yaml", "--key-id", "file:key.pem", "--serial", "5"], "--serial"),
             (["sign", "p.yaml", "--key-id", "file:key.pem", "--profile", "x", "--serial", "9007199254740991"], "day"),
             (["sign", "p.yaml", "--key-id", "file:key.pem", "--policy-parameter", "x"], "name of a document"),
             (["verify", "p.yaml", "-s", "p.yaml", "--public-key", "key.pub"], "envelope"),
             (["verify", "p.yaml", "-s", "p.yaml"], "no key"),
             (["verify", "p.yaml", "-s", "p.yaml", "--public-key", "ed25519:AAAA"], "32 bytes")]
    (place / "key.pub").chmod(0o600)
    for arguments, words in cases:
        done = run(place, *arguments)
        assert done.returncode == 2 and words in done.stderr and done.stdout == "", (arguments, done)
    (place / "key.pem").chmod(0o640)
    done = run(place, "sign", "p.yaml", "--key-id", "file:key.pem", "--profile", "x")
    assert done.returncode == 2 and "chmod" in done.stderr


def test_serials_rise(place):
    """POL-29: signing over a signature takes a serial above its own."""
    first = signed(place)["metadata"]["serial"]
    envelope = json.loads((place / "p.sig.json").read_text())
    envelope["metadata"]["serial"] = first + 1000
    (place / "p.sig.json").write_text(json.dumps(envelope))
    assert signed(place)["metadata"]["serial"] == first + 1001
    assert signed(place, "--serial", "7")["metadata"]["serial"] == 7


def test_encrypted_key_asks_on_the_terminal(place):
    """The passphrase is read from the terminal without being shown, and without a terminal there is no signature."""
    openssl("pkey", "-in", place / "key.pem", "-aes256", "-passout", "pass:CANARY-phrase", "-out", place / "enc.pem")
    (place / "enc.pem").chmod(0o600)
    arguments = [SENTINEL, "policy", "sign", "p.yaml", "--key-id", "file:enc.pem", "--profile", "payments", "-o",
                 "p.sig.json"]
    alone = subprocess.run(arguments, cwd=place, env=harness.closed_environment(place), start_new_session=True,
                           capture_output=True, text=True, check=False, timeout=30)
    assert alone.returncode == 2 and "no terminal" in alone.stderr
    for phrase, code in (("wrong", 2), ("CANARY-phrase", 0)):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(place)
            os.execve(SENTINEL, [str(word) for word in arguments], harness.closed_environment(place))
        shown = b""
        while b"Passphrase" not in shown:
            assert select.select([terminal], [], [], 20)[0]
            shown += os.read(terminal, 4096)
        os.write(terminal, phrase.encode() + b"\n")
        try:
            while select.select([terminal], [], [], 20)[0]:
                shown += os.read(terminal, 4096)
        except OSError:
            pass
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == code, shown
        assert phrase.encode() not in shown
    assert verify(place).stdout == "Signature valid\n"


def echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def test_a_signal_at_the_prompt_leaves_the_terminal_as_it_was(place):
    """Ctrl-C while a passphrase is typed ends the program and puts echo back; Ctrl-Z puts it back too, and 'fg' asks again."""
    openssl("pkey", "-in", place / "key.pem", "-aes256", "-passout", "pass:CANARY-phrase", "-out", place / "enc.pem")
    (place / "enc.pem").chmod(0o600)
    master, slave = os.openpty()
    job = subprocess.Popen([SENTINEL, "policy", "sign", "p.yaml", "--key-id", "file:enc.pem"], cwd=place, stdin=slave,
                           stdout=slave, stderr=slave, env=harness.closed_environment(place), start_new_session=True,
                           preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def wait_for_prompt():
        shown = b""
        while b"Passphrase" not in shown:
            assert select.select([master], [], [], 20)[0], shown
            shown += os.read(master, 4096)
        assert not echoes(slave)

    wait_for_prompt()
    os.kill(job.pid, signal.SIGTSTP)  # as Ctrl-Z would; a session leader is not stopped by its terminal
    wait_for_prompt()  # the leader of a session without a parent in it is not stopped: it asks again at once
    os.write(master, b"half a phr\x03")
    assert job.wait(timeout=20) == -signal.SIGINT
    assert echoes(slave)
    os.close(slave)
    os.close(master)
