# SPDX-License-Identifier: Apache-2.0
"""A server that is given signing keys: documents signed by 'sentinel policy sign' and nothing else decide."""
import base64
import shutil
import subprocess

import pytest

import harness
import tvm

SENTINEL = harness.BIN / "sentinel"
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")


@pytest.fixture
def key(tmp_path):
    """A key pair made by openssl: the private file, the public file, the public key as settings have it."""
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True, capture_output=True)
    private.chmod(0o600)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    public.chmod(0o644)
    raw = subprocess.run(["openssl", "pkey", "-pubin", "-in", public, "-outform", "DER"], check=True,
                         capture_output=True).stdout[-32:]
    return private, public, "ed25519:" + base64.b64encode(raw).decode()


def sign(server, key, name, *target):
    document, signature = server.policy_dir / name, server.policy_dir / f"{name}.sig.json"
    done = subprocess.run([SENTINEL, "policy", "sign", document, "--key-id", f"file:{key[0]}", *target, "-o", signature],
                          env=harness.closed_environment(server.policy_dir), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def sign_all(server, key):
    sign(server, key, "catalog.yaml", "--type", "catalog")
    sign(server, key, "policy.yaml", "--policy-parameter", "/sentinel/config/policy")


@pytest.mark.parametrize("form", ["ed25519", "file"])
def test_only_signed_documents_decide(start_tvm, shared_lab, key, form):
    """POL-27, POL-30: unsigned, signed, changed by one byte; the refusal tells the caller nothing, the log everything."""
    server = start_tvm(shared_lab, settings={"SENTINEL_POLICY_SIGNING_KEY": key[2] if form == "ed25519" else f"file:{key[1]}"},
                       ready=False)
    server.wait_ready()
    refused = server.vend("alice", "dev")
    assert (refused.status, refused.code) == (500, "POLICY_ERROR") and "sign" not in refused.json["message"]
    sign_all(server, key)
    assert server.vend("alice", "dev").status == 200
    server.write("policy.yaml", tvm.POLICY.replace("users: [alice, bob]", "users: [alice, eve]"))
    changed = server.vend("alice", "dev")
    assert (changed.status, changed.code) == (500, "POLICY_ERROR")
    assert "policy.yaml" not in str(changed.json) and "/sentinel" not in str(changed.json)
    log = server.output()
    assert "security.document_signature" in log and "SIGNATURE_HASH" in log and "/sentinel/config/policy" in log
    sign(server, key, "policy.yaml", "--policy-parameter", "/sentinel/config/policy")
    assert server.vend("alice", "dev").status == 200


def test_attack_10_old_documents_do_not_come_back(start_tvm, shared_lab, key):
    """POL-29 (ATK-10): the document and signature of before, put back together."""
    server = start_tvm(shared_lab, settings={"SENTINEL_POLICY_SIGNING_KEY": key[2]}, ready=False)
    server.wait_ready()
    sign_all(server, key)
    assert server.vend("bob", "dev").status == 200
    old = [(server.policy_dir / name).read_text() for name in ("policy.yaml", "policy.yaml.sig.json")]
    server.write("policy.yaml", tvm.POLICY.replace("users: [alice, bob]", "users: [alice]"))
    sign(server, key, "policy.yaml", "--policy-parameter", "/sentinel/config/policy")
    assert server.vend("bob", "dev").status == 404  # nothing names bob any more
    server.write("policy.yaml.sig.json", old[1])
    server.write("policy.yaml", old[0])
    assert server.vend("bob", "dev").code == "POLICY_ERROR"


def test_unsigned_documents_where_that_is_said(start_tvm, shared_lab, key):
    """POL-30: 'false' lets an unsigned document pass with a warning, and no bad signature."""
    server = start_tvm(shared_lab, settings={"SENTINEL_POLICY_SIGNING_KEY": key[2],
                                             "SENTINEL_ENFORCE_POLICY_SIGNING": "false"})
    assert server.vend("alice", "dev").status == 200
    assert "policy.unsigned" in server.output()
    server.write("policy.yaml.sig.json", "{}")
    assert server.vend("alice", "dev").code == "POLICY_ERROR"


@pytest.mark.parametrize("settings", [
    {"SENTINEL_POLICY_SIGNING_KEY": "ed25519:AAAA"}, {"SENTINEL_POLICY_SIGNING_KEY": "alias/"},
    {"SENTINEL_POLICY_SIGNING_KEY": "file:/nowhere/key.pub"}, {"SENTINEL_ENFORCE_POLICY_SIGNING": "TRUE"},
    {"SENTINEL_ENFORCE_POLICY_SIGNING": "1"}, {"SENTINEL_ENFORCE_POLICY_SIGNING": "maybe"},
    {"SENTINEL_POLICY_MIN_SERIAL": "-1"}])
def test_wrong_settings(start_tvm, shared_lab, settings):
    """POL-30: each stops the start with the variable's name."""
    server = start_tvm(shared_lab, ready=False, settings=settings)
    assert server.process.wait(20) == 2
    server.end()
    assert next(iter(settings)) in server.output()


def test_a_key_file_that_others_can_write_is_refused(start_tvm, shared_lab, key):
    """Whoever can replace the key decides whom the server believes."""
    key[1].chmod(0o664)
    server = start_tvm(shared_lab, ready=False, settings={"SENTINEL_POLICY_SIGNING_KEY": f"file:{key[1]}"})
    assert server.process.wait(20) == 2
    server.end()
    assert "SENTINEL_POLICY_SIGNING_KEY" in server.output() and "chmod" in server.output()
