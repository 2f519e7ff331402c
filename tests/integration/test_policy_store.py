# SPDX-License-Identifier: Apache-2.0
"""policy pull, push and diff, and signing with KMS, against Parameter Store and KMS of an emulator and against directories."""
import base64
import json
import os
import pathlib
import random
import shutil
import stat
import subprocess

import pytest

import emulated
import harness

SENTINEL = harness.BIN / "sentinel"
NAME, SIGNATURE = "/sentinel/policies/prod", "/sentinel/signatures/prod"
POLICY = """# who gets production
version: "1"
rules:
  - name: prod   # the team
    effect: allow
    conditions:
      profiles: [prod]
      users: [alice, bob]
"""
CHANGED = POLICY.replace("bob", "carol")
CATALOG = f'version: "1"\nprofiles:\n  prod: {{role_arn: "{harness.role_arn("R")}"}}\n'
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl command is not installed")


class Desk:
    """A folder of files, and the command at work in it."""

    def __init__(self, directory, cloud=None):
        self.dir, self.cloud = pathlib.Path(directory), cloud
        self.dir.mkdir(exist_ok=True)
        self.place = []  # further options of every command

    def write(self, name, text):
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name):
        return (self.dir / name).read_text()

    def run(self, *arguments, stdin="", **environment):
        extra = {"AWS_ACCESS_KEY_ID": "AKIDADMIN", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": emulated.REGION}
        if self.cloud:
            extra.update(self.cloud.environment())
        env = harness.closed_environment(self.dir, **{**extra, **environment})
        verbs = arguments[:2]
        return subprocess.run([SENTINEL, *verbs, *self.place, *arguments[2:]], cwd=self.dir, env=env, input=stdin,
                              capture_output=True, text=True, timeout=60, check=False)

    def ok(self, *arguments, **options):
        done = self.run(*arguments, **options)
        assert done.returncode == 0, done.stderr
        return done

    def key(self, name="signing.pem"):
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", self.dir / name], check=True, capture_output=True)
        (self.dir / name).chmod(0o600)
        subprocess.run(["openssl", "pkey", "-in", self.dir / name, "-pubout", "-out", self.dir / (name + ".pub")], check=True)
        return f"file:{name}"


@pytest.fixture
def desk(tmp_path, cloud):
    desk = Desk(tmp_path / "desk", cloud)
    desk.write("prod.yaml", POLICY)
    return desk


@pytest.fixture
def shelf(tmp_path):
    """The same over a document directory; AWS is nowhere."""
    desk = Desk(tmp_path / "desk")
    (tmp_path / "policy").mkdir()
    desk.write("prod.yaml", POLICY)
    desk.shelf = tmp_path / "policy"
    desk.place = ["--policy-dir", desk.shelf]
    return desk


def mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# --- Push and pull ---

def test_pushed_bytes_are_what_the_aws_cli_reads(desk, cloud, aws_cli):
    """POL-33, POL-35: created, then updated; comments and the last newline stay; the AWS CLI reads the same bytes."""
    done = desk.ok("policy", "push", "prod", "prod.yaml", "--force")
    assert done.stdout == f"Policy successfully pushed to {NAME}\n"
    read = cloud.cli("ssm", "get-parameter", "--name", NAME, "--with-decryption")["Parameter"]
    assert (read["Value"], read["Type"], read["Version"]) == (POLICY, "String", 1)
    desk.write("prod.yaml", CHANGED)
    done = desk.ok("policy", "push", "prod", "prod.yaml", "--force", "--json")
    result = json.loads(done.stdout)
    backup = desk.dir / ".local/state/sentinel/policy-backups/_sentinel_policies_prod@v1.yaml"
    assert result == {"parameter": NAME, "action": "updated", "version": "2", "signed": False, "backup": str(backup)}
    assert backup.read_text() == POLICY and mode(backup) == 0o600
    assert cloud.get(NAME) == CHANGED
    assert desk.ok("policy", "pull", "prod").stdout == CHANGED
    done = desk.ok("policy", "push", "prod", "prod.yaml", "--force")
    assert done.stderr.endswith("no change\n") and done.stdout == "" and cloud.calls("PutParameter", NAME) == 2


def test_type_of_the_parameter_is_kept(desk, cloud):
    """POL-35: a SecureString stays one, and the AWS CLI's own text is pulled as it is."""
    cloud.client("ssm").put_parameter(Name=NAME, Value=POLICY, Type="SecureString")
    desk.write("prod.yaml", CHANGED)
    desk.ok("policy", "push", "prod", "prod.yaml", "--force")
    assert cloud.client("ssm").get_parameter(Name=NAME)["Parameter"]["Type"] == "SecureString"
    assert cloud.get(NAME) == CHANGED


def test_pull_keeps_what_it_replaces(desk, cloud):
    """POL-33: mode 0600 for both, numbered copies, none for equal content; stored nonsense is delivered with a warning."""
    cloud.put(NAME, POLICY)
    done = desk.ok("policy", "pull", "prod", "-o", "out.yaml")
    assert done.stdout == "" and done.stderr == "sentinel: Policy written to out.yaml\n" and desk.read("out.yaml") == POLICY
    desk.ok("policy", "pull", "prod", "-o", "out.yaml")
    assert not (desk.dir / "out.yaml.bak").exists()
    for i, text in enumerate(("mine\n", "mine again\n")):
        desk.write("out.yaml", text)
        desk.ok("policy", "pull", "prod", "-o", "out.yaml")
        kept = desk.dir / ("out.yaml.bak" if i == 0 else "out.yaml.bak.1")
        assert kept.read_text() == text and mode(kept) == mode(desk.dir / "out.yaml") == 0o600
    cloud.put(NAME, "rules: nonsense\n")
    done = desk.ok("policy", "pull", "prod")
    assert done.stdout == "rules: nonsense\n" and "not valid" in done.stderr
    assert desk.run("policy", "pull", "prod", "--normalize").returncode == 2
    cloud.put(NAME, POLICY)
    normal = desk.ok("policy", "pull", "prod", "--normalize").stdout
    assert "#" not in normal and "alice" in normal


@pytest.mark.parametrize("arguments, code", [
    (["pull", "prod"], "SSM_PARAMETER_NOT_FOUND"), (["pull", "prod", "--with-signature", "s"], "SSM_PARAMETER_NOT_FOUND")])
def test_not_found(desk, arguments, code):
    """POL-33: exit 1, with the permission that is needed and what makes the document."""
    done = desk.run("policy", *arguments, "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 1 and error["code"] == code and "ssm:GetParameter" in error["hint"]


def test_other_kinds_and_places(desk, cloud):
    """POL-34: types without an operand, the catalogue's names, a full name; names that cannot be are refused before AWS."""
    approval = 'version: "1"\nrules:\n  - name: all\n    approvers: [mira, tom]\n'
    desk.write("approval.yaml", approval)
    desk.write("billing.yaml", CATALOG)
    desk.ok("policy", "push", "--type", "approval", "approval.yaml", "-f")
    assert cloud.get("/sentinel/config/approval") == approval
    assert desk.ok("policy", "pull", "--type", "approval").stdout == approval
    desk.ok("policy", "push", "--type", "catalog", "billing", "billing.yaml", "-f")
    assert cloud.get("/sentinel/catalog/billing") == CATALOG
    desk.ok("policy", "push", "prod", "prod.yaml", "--policy-root", "/acme/pol/", "-f")
    assert cloud.get("/acme/pol/prod") == POLICY
    desk.ok("policy", "push", "--policy-parameter", "/acme/one", "prod.yaml", "-f")
    assert desk.ok("policy", "pull", "--policy-parameter", "/acme/one").stdout == POLICY
    with cloud.lock:
        cloud.journal.clear()
    for arguments in (["prod", "prod.yaml", "--policy-root", "/aws/x"], ["a..b", "prod.yaml"], ["prod.yaml"],
                      ["prod", "approval.yaml", "--type", "approval"], ["a.b", "billing.yaml", "--type", "catalog"],
                      ["--policy-parameter", "/a//b", "prod.yaml"]):
        assert desk.run("policy", "push", *arguments, "-f").returncode == 2, arguments
    assert cloud.journal == []


def test_catalogue_is_checked_as_a_whole(desk, cloud, shelf):
    """POL-47: a name that another document of the catalogue has already is refused, in Parameter Store and in a directory."""
    desk.write("billing.yaml", CATALOG)
    desk.ok("policy", "push", "--type", "catalog", "billing", "billing.yaml", "-f")
    desk.ok("policy", "push", "--type", "catalog", "billing", "billing.yaml", "-f")  # its own names are no others'
    done = desk.run("policy", "push", "--type", "catalog", "more", "billing.yaml", "-f")
    assert done.returncode == 2 and "prod" in done.stderr and cloud.get("/sentinel/catalog/more") is None
    cloud.fault("GetParametersByPath", "denied")
    done = desk.ok("policy", "push", "--type", "catalog", "more", "billing.yaml", "-f")
    assert "not compared with" in done.stderr
    shelf.write("billing.yaml", CATALOG)
    shelf.ok("policy", "push", "--type", "catalog", "catalog", "billing.yaml", "-f")
    assert (shelf.shelf / "catalog.yaml").read_text() == CATALOG
    assert shelf.run("policy", "push", "--type", "catalog", "more", "billing.yaml", "-f").returncode == 2


def test_sizes(desk, cloud):
    """POL-32, POL-35: over 4096 bytes the tier must be said, over 8192 nothing helps; nothing is written."""
    desk.write("prod.yaml", POLICY + "#" * 4000 + "\n")
    assert desk.run("policy", "push", "prod", "prod.yaml", "-f").returncode == 2
    assert cloud.get(NAME) is None
    desk.ok("policy", "push", "prod", "prod.yaml", "-f", "--tier", "advanced")
    desk.write("prod.yaml", POLICY + "#" * 8100 + "\n")
    done = desk.run("policy", "push", "prod", "prod.yaml", "-f", "--tier", "advanced")
    assert done.returncode == 2 and "8192" in done.stderr
    desk.write("prod.yaml", "version: 1\nrules: []\n")
    assert desk.run("policy", "push", "prod", "prod.yaml", "-f").returncode == 2


# --- Asking ---

def test_prompt(desk, cloud):
    """POL-36: declined exits 1, no answer 2, both write nothing; y and yes in any case go on, without a newline too."""
    for answer, code in (("n\n", 1), ("\n", 1), ("yess\n", 1), ("", 2)):
        done = desk.run("policy", "push", "prod", "prod.yaml", stdin=answer)
        assert done.returncode == code and cloud.get(NAME) is None
        assert f"creating {NAME}" in done.stderr and "8 added" in done.stderr and "signed: no" in done.stderr
        assert ("Cancelled." in done.stderr) == (code == 1) and ("--force" in done.stderr) == (code == 2)
    for answer in ("y", "YES\n"):
        desk.write("prod.yaml", POLICY + f"# {answer}\n")
        assert "Proceed? [y/N]: " in desk.ok("policy", "push", "prod", "prod.yaml", stdin=answer).stderr
    assert cloud.get(NAME).endswith("# YES\n\n")
    done = desk.run("policy", "push", "prod", "-", stdin=POLICY)
    assert done.returncode == 2 and "--force" in done.stderr
    desk.ok("policy", "push", "prod", "-", "-f", stdin=POLICY)
    assert cloud.get(NAME) == POLICY


def test_flags_that_do_not_fit(desk, cloud):
    """POL-35: --sign without a key, a key without --sign, no key at all: before the file or AWS is looked at."""
    for arguments in (["--sign"], ["--key-id", "alias/x"], ["--sign", "--key-id", "nonsense"]):
        assert desk.run("policy", "push", "prod", "missing.yaml", "-f", *arguments).returncode == 2
    assert cloud.journal == []


# --- Signing ---

@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_signed_push(desk, cloud, spec):
    """POL-32, POL-33, POL-50: signed by KMS, verified by KMS, by the exported key and by openssl; the AWS CLI reads both."""
    key = cloud.key(spec, alias="signing")
    desk.write("prod.yaml", POLICY + "#" * 3000 + "\n")
    done = desk.ok("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", "alias/signing", "-f")
    assert done.stdout.splitlines() == [f"Policy successfully pushed to {NAME}", f"Signature pushed to {SIGNATURE}"]
    stored = cloud.cli("ssm", "get-parameter", "--name", SIGNATURE)["Parameter"]["Value"]
    envelope = json.loads(stored)
    assert envelope["metadata"]["key_id"] == key and envelope["metadata"]["parameter"] == NAME and "\n" not in stored
    desk.ok("policy", "pull", "prod", "-o", "got.yaml", "--with-signature", "got.sig.json")
    assert mode(desk.dir / "got.sig.json") == 0o600
    for judge in (["--key-id", key], ["--key-id", "alias/signing"],
                  ["--public-key", cloud.public_pem(key, desk.dir / "key.pub")]):
        done = desk.ok("policy", "verify", "got.yaml", "-s", "got.sig.json", "--profile", "prod", *judge)
        assert done.stdout == "Signature valid\n"
        wrong = desk.run("policy", "verify", "got.yaml", "-s", "got.sig.json", "--profile", "dev", *judge)
        assert (wrong.returncode, wrong.stdout) == (1, "Signature invalid\n")
    meta = envelope["metadata"]
    message = (f"SENTINEL-POLICY-SIGNATURE-V2\nparameter={NAME}\npolicy-sha256={meta['policy_hash']}\n"
               f"algorithm={meta['algorithm']}\nserial={meta['serial']}\nsigned-at={meta['signed_at']}\n")
    desk.write("message", message)
    (desk.dir / "sig").write_bytes(base64.b64decode(envelope["signature"]))
    pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"] if "RSA" in spec else []
    subprocess.run(["openssl", "dgst", "-sha256", "-verify", "key.pub", "-signature", "sig", *pss, "message"],
                   cwd=desk.dir, check=True, capture_output=True)
    (desk.dir / "got.yaml").write_text(desk.read("got.yaml") + "\n")
    done = desk.run("policy", "verify", "got.yaml", "-s", "got.sig.json", "--key-id", key)
    assert done.returncode == 1 and meta["policy_hash"] in done.stderr
    other = desk.run("policy", "verify", "prod.yaml", "-s", "got.sig.json", "--key-id", cloud.key(spec))
    assert (other.returncode, other.stdout) == (1, "Signature invalid\n")


def test_signed_by_the_aws_cli(desk, cloud, aws_cli):
    """POL-50: a signature that the unmodified AWS CLI made over the same lines is valid."""
    import hashlib
    key = cloud.key("ECC_NIST_P256")
    digest = hashlib.sha256(POLICY.encode()).hexdigest()
    message = (f"SENTINEL-POLICY-SIGNATURE-V2\nparameter={NAME}\npolicy-sha256={digest}\nalgorithm=ECDSA_SHA_256\n"
               "serial=7\nsigned-at=2026-03-01T08:00:00.000Z\n")
    (desk.dir / "digest").write_bytes(hashlib.sha256(message.encode()).digest())
    signed = cloud.cli("kms", "sign", "--key-id", key, "--message-type", "DIGEST", "--signing-algorithm", "ECDSA_SHA_256",
                       "--message", f"fileb://{desk.dir}/digest")
    desk.write("s.json", json.dumps({"version": 2, "signature": signed["Signature"], "metadata": {
        "key_id": key, "algorithm": "ECDSA_SHA_256", "signed_at": "2026-03-01T08:00:00.000Z", "policy_hash": digest,
        "parameter": NAME, "serial": 7}}))
    assert desk.ok("policy", "verify", "prod.yaml", "-s", "s.json", "--key-id", key, "--profile", "prod").stdout == "Signature valid\n"


def test_every_kind_is_signed_under_its_own_name(desk, cloud):
    """POL-28: sign and verify know the name of a kind of which there is one document; an invalid one is not signed."""
    key = cloud.key("ECC_NIST_P256")
    desk.write("approval.yaml", 'version: "1"\nrules:\n  - name: all\n    approvers: [mira, tom]\n')
    desk.ok("policy", "sign", "approval.yaml", "--type", "approval", "--key-id", key, "-o", "s.json")
    assert json.loads(desk.read("s.json"))["metadata"]["parameter"] == "/sentinel/config/approval"
    verify = ["policy", "verify", "approval.yaml", "-s", "s.json", "--key-id", key, "--type"]
    assert desk.ok(*verify, "approval").stdout == "Signature valid\n"
    assert desk.run(*verify, "breakglass").stdout == "Signature invalid\n"
    desk.write("approval.yaml", 'version: "1"\nrules:\n  - name: all\n')
    done = desk.run("policy", "sign", "approval.yaml", "--type", "approval", "--key-id", key, "-o", "other.json")
    assert done.returncode == 2 and not (desk.dir / "other.json").exists()


def test_kms_faults_of_the_commands(desk, cloud):
    """POL-32: KMS that refuses, is down or has no such key is exit 3 and no verdict; a key of another use too."""
    key = cloud.key("ECC_NIST_P256")
    desk.ok("policy", "sign", "prod.yaml", "--key-id", key, "--profile", "prod", "-o", "s.json")
    verify = ["policy", "verify", "prod.yaml", "-s", "s.json", "--key-id"]
    assert desk.ok(*verify, key).stdout == "Signature valid\n"
    for action, kind in (("Verify", "denied"), ("Verify", "500"), ("DescribeKey", "throttle"), ("Verify", "cut")):
        cloud.fault(action, kind)
        done = desk.run(*verify, key)
        assert done.returncode == 3 and done.stdout == "", (action, kind)
        cloud.mend()
    assert desk.run(*verify, key, AWS_ENDPOINT_URL_KMS="http://127.0.0.1:9").returncode == 3
    assert desk.run(*verify, "alias/none").returncode == 3
    assert desk.run(*verify, cloud.key("RSA_2048", "ENCRYPT_DECRYPT")).returncode == 3
    assert desk.run(*verify, "file:x").returncode == desk.run(*verify[:-1]).returncode == 2
    cloud.fault("Sign", "denied")
    done = desk.run("policy", "sign", "prod.yaml", "--key-id", key, "--profile", "prod", "-o", "new.json", "--json")
    assert done.returncode == 3 and json.loads(done.stdout)["error"]["code"] == "KMS_ACCESS_DENIED"
    assert "kms:Sign" in json.loads(done.stdout)["error"]["hint"] and not (desk.dir / "new.json").exists()


def test_kms_denies_during_a_push(desk, cloud):
    """POL-35: KMS that does not sign stops the push before anything is written."""
    key = cloud.key("ECC_NIST_P256")
    cloud.put(NAME, POLICY)
    desk.write("prod.yaml", CHANGED)
    cloud.fault("Sign", "denied")
    done = desk.run("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    assert done.returncode == 3 and cloud.get(NAME) == POLICY and cloud.get(SIGNATURE) is None


@pytest.mark.parametrize("had_signature", [True, False])
def test_half_a_push_is_taken_back(desk, cloud, had_signature):
    """POL-35: when the document cannot be written the old signature is back, or none is there, and exit is 3."""
    key = cloud.key("ECC_NIST_P256")
    desk.ok("policy", "push", "prod", "prod.yaml", "-f", *(["--sign", "--key-id", key] if had_signature else []))
    before = cloud.get(SIGNATURE)
    assert (before is not None) == had_signature
    desk.write("prod.yaml", CHANGED)
    cloud.fault("PutParameter", "denied", name=NAME)
    done = desk.run("policy", "push", "prod", "prod.yaml", "-f", "--sign", "--key-id", key)
    assert done.returncode == 3 and "the signature is as it was" in done.stderr
    assert cloud.get(NAME) == POLICY and cloud.get(SIGNATURE) == before
    # When even that fails, what is to be done is said.
    cloud.fault("PutParameter", "denied", name=SIGNATURE, times=0)
    cloud.before("PutParameter", lambda: cloud.fault("*", "denied", name=SIGNATURE), name=NAME)
    done = desk.run("policy", "push", "prod", "prod.yaml", "-f", "--sign", "--key-id", key)
    assert done.returncode == 3 and SIGNATURE in done.stderr and "new signature is in place" in done.stderr
    assert ("@v1.yaml.sig.json" in done.stderr) == had_signature


def test_somebody_else_pushes(desk, cloud):
    """POL-35: a version that moved between the question and the write stops it, and so does a racing creation."""
    cloud.put(NAME, POLICY)
    desk.write("prod.yaml", CHANGED)
    key = cloud.key("ECC_NIST_P256")
    cloud.before("Sign", lambda: cloud.put(NAME, POLICY + "# theirs\n"))
    done = desk.run("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    assert done.returncode == 3 and "somebody else" in done.stderr
    assert cloud.get(NAME) == POLICY + "# theirs\n" and cloud.get(SIGNATURE) is None
    cloud.delete(NAME)
    cloud.before("PutParameter", lambda: cloud.put(NAME, "theirs"), name=NAME)
    done = desk.run("policy", "push", "prod", "prod.yaml", "-f")
    assert done.returncode == 3 and cloud.get(NAME) == "theirs"
    cloud.put(NAME, POLICY)
    cloud.before("PutParameter", lambda: cloud.put(NAME, "between"), name=NAME)
    done = desk.ok("policy", "push", "prod", "prod.yaml", "-f")
    assert "another push was overwritten: look at version" in done.stderr


def test_signed_targets(desk, cloud):
    """POL-35: no push leaves a signature that fits nothing or takes another document's, not even with --force."""
    key = cloud.key("ECC_NIST_P256")
    desk.ok("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    serial = json.loads(cloud.get(SIGNATURE))["metadata"]["serial"]
    assert "no change" in desk.ok("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f").stderr
    desk.write("prod.yaml", CHANGED)
    done = desk.run("policy", "push", "prod", "prod.yaml", "-f")
    assert done.returncode == 2 and "--allow-unsigned" in done.stderr and cloud.get(NAME) == POLICY
    desk.ok("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    assert json.loads(cloud.get(SIGNATURE))["metadata"]["serial"] > serial
    desk.write("prod.yaml", POLICY)
    desk.ok("policy", "push", "prod", "prod.yaml", "-f", "--allow-unsigned")
    assert cloud.get(NAME) == POLICY
    # /prod has the same place for its signature as /sentinel/policies/prod.
    taken = cloud.get(SIGNATURE)
    done = desk.run("policy", "push", "--policy-parameter", "/prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    assert done.returncode == 2 and NAME in done.stderr and cloud.get(SIGNATURE) == taken


def test_serial_far_ahead(desk, cloud):
    """POL-29: a stored serial more than a day ahead of the clock stops a signature that would have to lie beyond it."""
    key = cloud.key("ECC_NIST_P256")
    cloud.put(NAME, POLICY)
    desk.ok("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    envelope = json.loads(cloud.get(SIGNATURE))
    envelope["metadata"]["serial"] = 2**53 - 1
    cloud.put(SIGNATURE, json.dumps(envelope))
    desk.write("prod.yaml", CHANGED)
    done = desk.run("policy", "push", "prod", "prod.yaml", "--sign", "--key-id", key, "-f")
    assert done.returncode == 2 and "day ahead" in done.stderr and cloud.get(NAME) == POLICY


def test_reading_fails(desk, cloud):
    """POL-35: what cannot be read is not replaced, unless no backup is wanted; a backup that fails stops the push."""
    cloud.put(NAME, POLICY)
    desk.write("prod.yaml", CHANGED)
    cloud.fault("GetParameter", "denied")
    assert desk.run("policy", "push", "prod", "prod.yaml", "-f").returncode == 3 and cloud.calls("PutParameter") == 1
    done = desk.ok("policy", "push", "prod", "prod.yaml", "-f", "--no-backup")
    assert "not compared with" in done.stderr
    cloud.mend()
    assert cloud.get(NAME) == CHANGED
    desk.write("prod.yaml", POLICY)
    desk.write("blocked", "a file")
    done = desk.run("policy", "push", "prod", "prod.yaml", "-f", "--backup-dir", "blocked/x")
    assert done.returncode == 2 and cloud.get(NAME) == CHANGED


# --- Diff ---

def test_diff(desk, cloud):
    """POL-34: equal says nothing and exits 0, different 1, unreadable 2, unreachable 3; a pipe sees no colour."""
    done = desk.run("policy", "diff", "prod", "prod.yaml")
    assert done.returncode == 1 and all(line.startswith(("+", "---", "@@")) for line in done.stdout.splitlines())
    cloud.put(NAME, POLICY)
    done = desk.ok("policy", "diff", "prod", "prod.yaml")
    assert (done.stdout, done.stderr) == ("", "")
    desk.write("prod.yaml", POLICY.replace("[alice, bob]", "\n        - alice\n        - bob"))
    done = desk.ok("policy", "diff", "prod", "prod.yaml")
    assert done.stdout == "" and "mean the same" in done.stderr
    assert desk.run("policy", "diff", "prod", "prod.yaml", "--raw").returncode == 1
    desk.write("prod.yaml", CHANGED)
    done = desk.run("policy", "diff", "prod", "prod.yaml")
    assert done.returncode == 1 and done.stdout.startswith(f"--- a{NAME}\n+++ b/prod.yaml\n@@ -")
    assert "carol" in done.stdout and "\x1b" not in done.stdout
    colored = desk.run("policy", "diff", "prod", "prod.yaml", "--color=always").stdout
    assert "\x1b[31m-" in colored
    assert "\x1b" not in desk.run("policy", "diff", "prod", "prod.yaml", "--color=always", "--no-color").stdout
    assert json.loads(desk.run("policy", "diff", "prod", "prod.yaml", "--json").stdout)["equal"] is False
    assert desk.run("policy", "diff", "prod", "missing.yaml").returncode == 2
    desk.write("prod.yaml", "rules: nonsense\n")
    assert desk.run("policy", "diff", "prod", "prod.yaml").returncode == 2
    desk.write("prod.yaml", CHANGED)
    assert desk.run("policy", "diff", "prod", "prod.yaml", AWS_ENDPOINT_URL_SSM="http://127.0.0.1:9").returncode == 3
    cloud.fault("GetParameter", "denied")
    assert desk.run("policy", "diff", "prod", "prod.yaml").returncode == 3


@pytest.mark.skipif(shutil.which("patch") is None, reason="the patch command is not installed")
def test_diff_is_what_patch_applies(shelf):
    """POL-34: for random edits, GNU patch makes the new text of the old one by what diff prints."""
    random.seed(34)
    (shelf.shelf / "policies").mkdir()
    for _ in range(25):
        lines = [f"# {random.randrange(6)}" for _ in range(random.randrange(60))]
        changed = [line for line in lines if random.random() > 0.15]
        for _ in range(random.randrange(6)):
            changed.insert(random.randrange(len(changed) + 1), f"# new {random.randrange(3)}")
        tail = random.choice(["", "\n"])
        old, new = POLICY + "\n".join(lines), POLICY + "\n".join(changed) + tail
        (shelf.shelf / "policies/prod.yaml").write_text(old)
        shelf.write("prod.yaml", new)
        done = shelf.run("policy", "diff", "prod", "prod.yaml", "--raw")
        assert done.returncode == (0 if old == new else 1), done.stderr
        shelf.write("work", old)
        if done.stdout:
            subprocess.run(["patch", "-s", "--no-backup-if-mismatch", "work"], input=done.stdout, text=True, cwd=shelf.dir,
                           check=True, capture_output=True)
        assert shelf.read("work") == new


# --- Directories ---

def test_directory(shelf):
    """POL-33, POL-35: the same steps on files of mode 0644: created, kept, signed with a local key, verified, taken back."""
    key = shelf.key()
    target = shelf.shelf / "policies/prod.yaml"
    shelf.ok("policy", "push", "prod", "prod.yaml", "-f", "--sign", "--key-id", key)
    assert target.read_text() == POLICY and mode(target) == mode(f"{target}.sig.json") == 0o644
    assert mode(target.parent) == 0o755
    shelf.write("prod.yaml", CHANGED)
    done = shelf.ok("policy", "push", "prod", "prod.yaml", "-f", "--sign", "--key-id", key)
    restore = done.stdout.splitlines()[-1].removeprefix("Restore with: ")
    shelf.place = []
    subprocess.run([str(SENTINEL), *__import__("shlex").split(restore)[1:], "-f"], cwd=shelf.dir, check=True,
                   capture_output=True, env=harness.closed_environment(shelf.dir))
    assert target.read_text() == POLICY
    shelf.place = ["--policy-dir", shelf.shelf]
    shelf.ok("policy", "pull", "prod", "-o", "got.yaml", "--with-signature", "got.sig.json")
    shelf.place = []
    assert shelf.ok("policy", "verify", "got.yaml", "-s", "got.sig.json", "--profile", "prod", "--public-key",
                    "signing.pem.pub").stdout == "Signature valid\n"
    assert sorted(p.name for p in target.parent.iterdir()) == ["prod.yaml", "prod.yaml.sig.json"]


def test_a_misspelt_directory_is_not_made(shelf):
    """POL-35: a document directory must be there."""
    shelf.place = ["--policy-dir", shelf.dir / "polcy"]
    for verb in (["push", "prod", "prod.yaml", "-f"], ["pull", "prod"], ["diff", "prod", "prod.yaml"]):
        assert shelf.run("policy", *verb).returncode == 2
    assert not (shelf.dir / "polcy").exists()


def test_key_file_that_others_can_read(shelf):
    """POL-50: a private key of mode 0640 is not used."""
    key = shelf.key()
    (shelf.dir / "signing.pem").chmod(0o640)
    assert shelf.run("policy", "push", "prod", "prod.yaml", "-f", "--sign", "--key-id", key).returncode == 2
    assert not (shelf.shelf / "policies").exists()


# --- The guide ---

TESTS = """version: "1"
cases:
  - {name: alice gets it, principal: alice, profile: prod, expect: {effect: allow, rule: prod}}
"""


@pytest.mark.parametrize("section", ["With a local key and a directory", "With a key in KMS and Parameter Store"])
def test_the_guide_works_as_written(desk, cloud, section):
    """POL-50: every command of docs/guides/signing.md succeeds in the order in which it stands there."""
    guide = (harness.ROOT / "docs" / "guides" / "signing.md").read_text()
    text = guide.split(f"## {section}\n")[1].split("\n## ")[0]
    script = "\n".join(block.split("```")[0] for block in text.split("```sh\n")[1:])
    assert script.count("sentinel policy") == 6
    (desk.dir / "policy").mkdir()
    desk.write("prod.test.yaml", TESTS)
    cloud.key("ECC_NIST_P256", alias="sentinel-policy-signing")
    environment = harness.closed_environment(desk.dir, AWS_ACCESS_KEY_ID="AKIDADMIN", AWS_SECRET_ACCESS_KEY="secret",
                                             AWS_REGION=emulated.REGION, **cloud.environment())
    environment["PATH"] = f"{harness.BIN}:{environment['PATH']}"
    done = subprocess.run(["sh", "-euc", script], cwd=desk.dir, env=environment, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("Signature valid\n") and desk.read("stored.yaml") == POLICY
