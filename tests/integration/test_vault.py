# SPDX-License-Identifier: Apache-2.0
"""The commands 'vault ...' over an encrypted keyring, with sentinel lab as STS and real AWS tools as readers."""
import ctypes
import json
import os
import pathlib
import pty
import select
import shlex
import shutil
import stat
import subprocess

import pytest

from harness import BIN, closed_environment
from test_keyring_file import PASSPHRASE

VECTOR = (
    "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjcmVhdGVkIjoiMjAyNi0wMS0wMiAwMzowNDowNSArMDAwMCBVVEMiLCJlbmMiOiJBMjU2R0NNIiwi"
    "cDJjIjo4MTkyLCJwMnMiOiJBUUlEQkFVR0J3Z0pDZ3NNIn0.i31JELxgH92GpYP5ngt2kWHbi4EpfEDEdo0NASKCj28If7e0qCxORA.oKGio6Slpqeoqa"
    "qr.BR7vUb31uojFTcDVBHFU4vALoCUGlkNbRdCSy50KzMtRGWfsauOROYPUmoYIOs6rMBUsabHL5SoJKNUozrGwhhkQn8jgpCG4cyrmatk_6gc7mm8qbE"
    "Syp7TubIZYc2I7WyeEaIVdPBRBEliN5yyctePVKFjWliyBHGJzue9UO2RlcQeWNJpWwUcxoB9AJX_r5rTfeP9cfKl_X6EiypVIkDbxoiuxHXsOVqlKaw."
    "avt66z4iLtDpV4Xi0gKJSA")


class Vault:
    def __init__(self, home, lab=None):
        self.home, self.lab = pathlib.Path(home), lab
        self.home.mkdir(exist_ok=True)
        self.config = self.home / ".aws" / "config"
        self.keys = self.home / ".awsvault" / "keys"

    def environment(self, **extra):
        lab = {name: value for name, value in self.lab.env.items() if "ENDPOINT" in name} if self.lab else {}
        # Whatever reaches for the network without a lab meets a closed port.
        lab = lab or {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
        given = {"AWS_VAULT_FILE_PASSPHRASE": PASSPHRASE, "AWS_EC2_METADATA_DISABLED": "true", **lab, **extra}
        return closed_environment(self.home, **{name: value for name, value in given.items() if value is not None})

    def run(self, *arguments, stdin="", code=0, program="sentinel", group=("vault",), **extra):
        # setsid: no terminal to ask on, whatever the tests run in
        done = subprocess.run(["setsid", "-w", BIN / program, *group, *map(str, arguments)], env=self.environment(**extra),
                              input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert code is None or done.returncode == code, (arguments, done)
        assert "CANARY" not in done.stderr, done.stderr
        return done

    def typed(self, arguments, answers, **extra):
        """On a terminal: each (part of a question, what is typed). The exit code and everything shown."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(BIN / "sentinel", ["sentinel", "vault", *arguments], self.environment(**extra))
        shown, seen = b"", 0
        for question, answer in answers:
            while question.encode() not in shown[seen:]:
                assert select.select([terminal], [], [], 20)[0], shown
                shown += os.read(terminal, 4096)
            seen = len(shown)
            os.write(terminal, answer.encode() + b"\n")
        try:
            while select.select([terminal], [], [], 20)[0]:
                shown += os.read(terminal, 4096)
        except OSError:
            pass
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        return os.waitstatus_to_exitcode(status), shown.decode()

    def add(self, name, key, secret, *arguments, **options):
        return self.run("add", name, "--env", *arguments, AWS_ACCESS_KEY_ID=key, AWS_SECRET_ACCESS_KEY=secret, **options)

    def write_config(self, text):
        self.config.parent.mkdir(mode=0o700, exist_ok=True)
        self.config.write_text(text)
        self.config.chmod(0o600)


@pytest.fixture
def vault(tmp_path):
    return Vault(tmp_path / "home")


@pytest.fixture
def lab_vault(tmp_path, lab):
    """A vault that holds the key of the lab's user alice as 'dev'."""
    vault = Vault(tmp_path / "home", lab)
    vault.write_config("[profile dev]\nregion = us-east-1\n")
    vault.add("dev", *lab.keys("alice"))
    return vault


def variables(text):
    return dict(line.split("=", 1) for line in text.splitlines())


def test_published_item(vault):
    """VLT-01: the published item is read; another passphrase changes nothing."""
    vault.keys.mkdir(parents=True, mode=0o700)
    (vault.keys / "demo").write_text(VECTOR)
    (vault.keys / "demo").chmod(0o600)
    done = vault.run("export", "-n", "--format=env", "demo", AWS_VAULT_FILE_PASSPHRASE="correct horse")
    assert variables(done.stdout) == {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE000000001",
                                      "AWS_SECRET_ACCESS_KEY": "example-secret-0001"}
    before = os.stat(vault.keys / "demo")
    vault.run("export", "-n", "demo", AWS_VAULT_FILE_PASSPHRASE="wrong", code=2)
    assert os.stat(vault.keys / "demo").st_mtime_ns == before.st_mtime_ns
    assert (vault.keys / "demo").read_text() == VECTOR


def test_add_makes_private_files(vault):
    """VLT-02: modes hold under an open umask."""
    old = os.umask(0)
    try:
        vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "CANARY-secret")
    finally:
        os.umask(old)
    for path, mode in ((vault.keys, 0o700), (vault.keys / "dev", 0o600), (vault.config, 0o600), (vault.config.parent, 0o700)):
        assert stat.S_IMODE(os.stat(path).st_mode) == mode, path
    assert b"CANARY" not in (vault.keys / "dev").read_bytes()


def test_add_under_another_passphrase(vault):
    """VLT-03: exit 2, and there is no file."""
    vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "s")
    done = vault.add("other", "AKIAEXAMPLEEXAMPLE22", "s", AWS_VAULT_FILE_PASSPHRASE="another", code=2)
    assert "wrong passphrase" in done.stderr
    assert os.listdir(vault.keys) == ["dev"]


def test_circles(vault):
    """VLT-04, VLT-05: profiles that go in a circle are an error with its path, at once, and without a network."""
    vault.write_config("[profile a]\nsource_profile=b\n[profile b]\nsource_profile=c\n[profile c]\nsource_profile=a\n"
                       "[profile d]\ninclude_profile=e\n[profile e]\ninclude_profile=d\n[profile f]\nregion=us-east-1\n")
    done = vault.run("exec", "a", "--", "true", code=125)
    assert "a -> b -> c -> a" in done.stderr
    vault.run("export", "a", code=2)
    vault.run("exec", "d", "--", "true", code=125)
    vault.run("export", "d", code=2)
    assert vault.run("list", "--profiles").stdout.split() == ["a", "b", "c", "d", "e", "f"]
    assert "f" in vault.run("list").stdout


def test_role_of_default_is_not_inherited(lab_vault):
    """VLT-06: role_arn of [default] is no other profile's."""
    lab_vault.write_config("[default]\nrole_arn = arn:aws:iam::123456789012:role/dev\n[profile dev]\nregion=us-east-1\n")
    lab_vault.run("export", "dev")
    assert [call["action"] for call in lab_vault.lab.journal()] == ["GetSessionToken"]


def test_add_keeps_the_config(vault):
    """VLT-07: what was in the config is a prefix of what is there now, byte for byte."""
    old = "# mine\r\n[profile old]\r\ns3 =\r\n  max_concurrent_requests = 20\r\n; end"
    vault.write_config(old)
    vault.add("new", "AKIAEXAMPLEEXAMPLE22", "s")
    assert vault.config.read_bytes() == old.encode() + b"\n\n[profile new]\n"
    vault.add("new", "AKIAEXAMPLEEXAMPLE22", "s", "--force")
    vault.add("third", "AKIAEXAMPLEEXAMPLE22", "s", "--no-add-config")
    assert vault.config.read_bytes() == old.encode() + b"\n\n[profile new]\n"


def test_config_behind_a_link_keeps_mode_and_link(vault):
    real = vault.home / "dotfiles"
    real.write_text("[profile old]\n")
    real.chmod(0o640)
    vault.config.parent.mkdir(mode=0o700)
    vault.config.symlink_to(real)
    vault.add("new", "AKIAEXAMPLEEXAMPLE22", "s")
    assert vault.config.is_symlink() and stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_text() == "[profile old]\n\n[profile new]\n"


@pytest.mark.parametrize("arguments,environment,stdin,code,text", [
    (["add", "x", "--env"], {}, "", 2, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
    (["add", "x", "--env"], {"AWS_ACCESS_KEY_ID": "AKIA"}, "", 2, "AWS_SECRET_ACCESS_KEY is not set"),
    (["add", "x", "--env"], {"AWS_ACCESS_KEY_ID": "ASIAEXAMPLEEXAMPLE22", "AWS_SECRET_ACCESS_KEY": "CANARY-s"}, "", 2, "ASIA"),
    (["add", "x session (2)", "--env"], {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "s"}, "", 2, "session"),
    (["add", "oidc:x", "--env"], {}, "", 2, "session or token"),
    (["add", "a,YQ,,1"], {}, "", 2, "session or token"),
    (["add", ""], {}, "", 2, "1 to 256 bytes"),
    (["add", "x"], {}, "", 2, "no terminal"),
    (["add", "x", "--stdin"], {}, "{}", 2, "empty"),
    (["add", "x", "--stdin"], {}, "CANARY", 2, "stdin is neither"),
    (["export", "nowhere"], {}, "", 1, "there is no AWS profile 'nowhere'"),
    (["remove", "nowhere", "-f"], {}, "", 1, "no key of profile 'nowhere'"),
    (["list", "--profiles", "--sessions"], {}, "", 2, "exclude one another"),
    (["export"], {}, "", 2, "no profile is named"),
    (["list", "--backend=keychain"], {}, "", 2, "not available in this build"),
    (["export", "x", "--format", "xml"], {}, "", 2, "xml"),
])
def test_refusals(vault, arguments, environment, stdin, code, text):
    """VLT-54: one error line a failure, with its exit code; with --json one document."""
    done = vault.run(*arguments, stdin=stdin, code=code, **environment)
    assert text in done.stderr and done.stderr.count("sentinel: error:") == 1 and done.stdout == ""
    done = vault.run(*arguments, "--json", stdin=stdin, code=code, **environment)
    assert text.split("'")[0] in done.stdout and list(json.loads(done.stdout)) == ["error"]
    assert not vault.keys.exists() or os.listdir(vault.keys) == []


def test_old_session_names(vault):
    """VLT-19: a credential whose name looks like an old session survives everything but its own removal."""
    vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "kept")
    shutil.copy(vault.keys / "dev", vault.keys / "plain")  # an item of another key: damaged, and left alone
    vault.run("clear")
    assert sorted(os.listdir(vault.keys)) == ["dev", "plain"]
    assert "dev" in vault.run("list", "--credentials").stdout


def test_exit_codes_of_commands(lab_vault):
    """VLT-29: the command's own code, and death by signal."""
    for command, code in ((["sh", "-c", "exit 7"], 7), (["sh", "-c", "kill -TERM $$"], 143), (["nowhere"], 127), (["/"], 126)):
        lab_vault.run("exec", "dev", "--", *command, code=code if code != 143 else -15)
    lab_vault.run("exec", "--", "true", AWS_PROFILE="dev")


def test_environment_of_commands(lab_vault):
    """VLT-30: nothing of an outer identity, and no passphrase, reaches the command."""
    done = lab_vault.run("exec", "dev", "--", "env", AWS_PROFILE="other", AWS_SECURITY_TOKEN="x", AWS_ACCESS_KEY_ID="AKIA",
                         AWS_CONTAINER_CREDENTIALS_FULL_URI="http://127.0.0.1/")
    seen = variables(done.stdout)
    assert seen["AWS_VAULT"] == "dev" and seen["AWS_REGION"] == seen["AWS_DEFAULT_REGION"] == "us-east-1"
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA") and seen["AWS_SESSION_TOKEN"]
    assert seen["AWS_CREDENTIAL_EXPIRATION"].endswith("Z")
    for name in ("AWS_PROFILE", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_VAULT_FILE_PASSPHRASE"):
        assert name not in seen


def test_aws_cli_and_boto3_use_what_is_exported(lab_vault, aws_cli):
    """The AWS CLI under exec, boto3 with a credential_process, and a shell that evaluates: all are alice."""
    done = lab_vault.run("exec", "dev", "--", aws_cli, "--endpoint-url", lab_vault.lab.url, "sts", "get-caller-identity")
    assert json.loads(done.stdout)["Arn"].endswith(":user/alice")
    lines = lab_vault.run("export", "--format", "export-env", "dev").stdout
    script = lines + f"{shlex.quote(str(aws_cli))} --endpoint-url {lab_vault.lab.url} sts get-caller-identity --query Arn --output text"
    seen = subprocess.run(["sh", "-c", script], env=lab_vault.environment(AWS_VAULT_FILE_PASSPHRASE=None),
                          capture_output=True, text=True, check=True)
    assert seen.stdout.strip().endswith(":user/alice")
    lab_vault.config.write_text(lab_vault.config.read_text() + "\n[profile sdk]\nregion = us-east-1\ncredential_process = "
                                f"{BIN / 'sentinel'} vault export --format json dev\n")
    code = "import boto3; print(boto3.Session(profile_name='sdk').client('sts').get_caller_identity()['Arn'])"
    venv_python = os.environ.get("VIRTUAL_ENV_PYTHON") or __import__("sys").executable
    seen = subprocess.run([venv_python, "-c", code], env=lab_vault.environment(), capture_output=True, text=True, check=True)
    assert seen.stdout.strip().endswith(":user/alice")


def test_session_is_kept(lab_vault):
    """One GetSessionToken serves many commands, until it is cleared or --no-cache says otherwise."""
    asked = lambda: [call["action"] for call in lab_vault.lab.journal()].count("GetSessionToken")
    first = lab_vault.run("export", "dev").stdout
    assert lab_vault.run("export", "dev").stdout == first and asked() == 1
    listed = lab_vault.run("list", "--sessions").stdout
    assert listed.startswith("dev sts.GetSessionToken:")
    assert lab_vault.run("export", "dev", "--no-cache").stdout != first and asked() == 2
    assert lab_vault.run("export", "dev").stdout == first
    assert lab_vault.run("clear", "dev").stdout == "Cleared 1 sessions.\n"
    assert lab_vault.run("list", "--sessions").stdout == ""
    assert lab_vault.run("export", "dev").stdout != first and asked() == 3
    data = json.loads(lab_vault.run("list", "--json").stdout)
    assert [(p["name"], p["credentials"], len(p["sessions"])) for p in data["profiles"]] == [("dev", True, 1)]


def test_minimal_life_of_a_session(lab_vault):
    """VLT-17: a session with less life than wanted is not used."""
    first = lab_vault.run("export", "dev", "-d", "20m").stdout
    assert lab_vault.run("export", "dev", AWS_MIN_TTL="21m").stdout != first
    done = lab_vault.run("export", "dev", AWS_MIN_TTL="43200", code=2)
    assert "AWS_MIN_TTL" in done.stderr


def test_roles_on_a_stored_key(lab_vault, aws_cli):
    """A role over a stored key without MFA is assumed with the key itself, and keeps its name from run to run (VLT-55)."""
    lab_vault.write_config("[profile dev]\nregion=us-east-1\n[profile role]\nsource_profile=dev\nregion=us-east-1\n"
                           "role_arn=arn:aws:iam::123456789012:role/AgentRunner\n")
    arns = set()
    for _ in range(2):
        done = lab_vault.run("exec", "role", "--", aws_cli, "--endpoint-url", lab_vault.lab.url, "sts",
                             "get-caller-identity", "--query", "Arn", "--output", "text")
        arns.add(done.stdout.strip())
    assert len(arns) == 1 and arns.pop().endswith("/alice")
    assert "GetSessionToken" not in [call["action"] for call in lab_vault.lab.journal()]


def test_protected_profiles(lab_vault):
    """A profile marked as the TVM's is refused before anything is asked."""
    lab_vault.write_config("[profile dev]\nsentinel_protected = true\n")
    done = lab_vault.run("export", "dev", code=2)
    assert "sentinel exec dev" in done.stderr
    lab_vault.run("exec", "dev", "--", "true", code=125)
    assert lab_vault.lab.journal() == []


def test_nesting(lab_vault):
    lab_vault.run("exec", "dev", AWS_VAULT="outer", code=125)
    lab_vault.run("exec", "dev", "--", "true", AWS_VAULT="outer")
    lab_vault.run("exec", "dev", "--nested", AWS_VAULT="outer", SHELL="/bin/true")


def test_unknown_key(lab_vault):
    """--verify stores nothing that STS does not know."""
    done = lab_vault.add("bad", "AKIAEXAMPLEEXAMPLE22", "CANARY-bad", "--verify", code=3)
    assert "nothing was stored" in done.stderr
    assert "bad" not in lab_vault.run("list", "--credentials").stdout.split()
    lab_vault.add("good", *lab_vault.lab.keys("bob"), "--verify")


def test_stdin_forms(vault):
    csv = "\ufeffAccess key ID,Secret access key\r\nAKIAEXAMPLEEXAMPLE22,CANARY-csv\r\n"
    vault.run("add", "csv", "--stdin", stdin=csv)
    vault.run("add", "json", "--stdin", stdin='{"AccessKeyId":"AKIAEXAMPLEEXAMPLE33","SecretAccessKey":"CANARY-json"}')
    assert "CANARY-csv" in vault.run("export", "-n", "csv").stdout
    assert "CANARY-json" in vault.run("export", "-n", "json").stdout


def test_source_profile_is_refused(vault):
    vault.write_config("[profile a]\nsource_profile=b\n[profile b]\n")
    done = vault.add("a", "AKIAEXAMPLEEXAMPLE22", "s", code=2)
    assert "store it under 'b'" in done.stderr


def test_replace_needs_force(vault):
    vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "one")
    vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "two", code=2)
    assert "one" in vault.run("export", "-n", "dev").stdout
    vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "two", "--force")
    assert "two" in vault.run("export", "-n", "dev").stdout


def test_backend_is_remembered(vault):
    """VLT-37: without a choice it is the encrypted files; the choice is kept."""
    vault.add("dev", "AKIAEXAMPLEEXAMPLE22", "s")
    assert (vault.home / ".local/state/sentinel/keyring").read_text() == "file\n"
    done = vault.run("list", "--backend=nonsense", code=2)
    assert "file" in done.stderr


def test_kernel_keyring_in_another_session(vault):
    """VLT-36: a session whose keyring does not link the user's can store and use items, whose mask is the possessor's alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    join = lambda: libc.syscall(ctypes.c_long(250), ctypes.c_long(1), None)  # keyctl(KEYCTL_JOIN_SESSION_KEYRING)
    name = f"test-{os.getpid()}"
    keys = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE22", "AWS_SECRET_ACCESS_KEY": "CANARY-kernel"}

    def run(*words, **extra):
        return subprocess.run([BIN / "sentinel", "vault", *words, "--backend=keyctl"], env=vault.environment(**extra),
                              preexec_fn=join, capture_output=True, text=True, timeout=30, check=False)

    added = run("add", name, "--env", "--no-add-config", **keys)
    if "refuses keyrings" in added.stderr:
        pytest.skip("the kernel refuses keyrings here")
    try:
        assert added.returncode == 0 and "lost when the machine starts again" in added.stderr
        assert "AWS_SECRET_ACCESS_KEY=CANARY-kernel" in run("export", "-n", name).stdout
        masks = {line.split()[8].rstrip(":"): line.split()[4] for line in pathlib.Path("/proc/keys").read_text().splitlines()}
        assert masks.get(name, "3f000000") == masks.get("aws-vault", "3f000000") == "3f000000"
    finally:
        assert run("remove", name, "-f").returncode == 0


def test_names(vault):
    """VLT-53: old names lead to the new ones; a link called aws-vault is 'sentinel vault'."""
    for word in ("add", "rotate", "clear", "rm", "remove", "ls"):
        done = vault.run(word, "x", group=(), code=2)
        assert f"sentinel vault {word}" in done.stderr or word == "rotate"
    link = vault.home / "aws-vault"
    link.symlink_to(BIN / "sentinel")
    done = subprocess.run([link, "list", "--no-header"], env=vault.environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_typed(vault):
    """VLT-53: everything asked for on a terminal; secrets and passphrases are not shown; 'n' changes nothing."""
    none = {"AWS_VAULT_FILE_PASSPHRASE": None}
    code, shown = vault.typed(["add", "dev"], [
        ("Access Key ID: ", "AKIAEXAMPLEEXAMPLE22"), ("Secret Access Key: ", "CANARY-typed"),
        ("leave this blank): ", "arn:aws:iam::111122223333:mfa/alice"), ("new passphrase", "CANARY-phrase"),
        ("Repeat the passphrase", "CANARY-phrase")], **none)
    assert code == 0 and "CANARY" not in shown and "AKIAEXAMPLEEXAMPLE22" in shown
    assert vault.config.read_text() == "[profile dev]\nmfa_serial=arn:aws:iam::111122223333:mfa/alice\n"
    code, shown = vault.typed(["export", "-n", "dev"], [("unlock", "CANARY-wrong"), ("Wrong passphrase", "CANARY-phrase")],
                              **none)
    assert code == 0 and "AWS_SECRET_ACCESS_KEY=CANARY-typed" in shown
    assert "CANARY-phrase" not in shown and "CANARY-wrong" not in shown
    code, shown = vault.typed(["add", "dev"], [("Replace", "n")], **none)
    assert code == 1 and "nothing was changed" in shown
    code, shown = vault.typed(["remove", "dev"], [("Delete credentials", "n")], **none)
    assert code == 1 and os.listdir(vault.keys) == ["dev"]
    code, shown = vault.typed(["remove", "dev"], [("Delete credentials", "Yes")], **none)
    assert code == 0 and os.listdir(vault.keys) == []


def test_other_commands_sign_with_it(lab_vault):
    """Commands that are no vault commands take keys of the chosen keyring; nobody is asked where none was chosen."""
    done = lab_vault.run("whoami", group=(), AWS_PROFILE="dev")
    assert ":user/alice" in done.stdout
    (lab_vault.home / ".local/state/sentinel/keyring").unlink()
    lab_vault.run("whoami", group=(), AWS_PROFILE="dev", code=3)
    lab_vault.run("whoami", group=(), AWS_PROFILE="dev", AWS_VAULT_BACKEND="file")


@pytest.mark.parametrize("name", ["$(id)", "a b", "../x", "%2F", "\u00e4rger"])
def test_strange_names(vault, name):
    if name.startswith("."):
        vault.add(name, "AKIAEXAMPLEEXAMPLE22", "s", code=2)
        return
    vault.add(name, "AKIAEXAMPLEEXAMPLE22", "s")
    assert vault.run("list", "--credentials").stdout == name + "\n"
    assert "AKIAEXAMPLEEXAMPLE22" in vault.run("export", "-n", name).stdout
    vault.run("remove", name, "-f")
    assert os.listdir(vault.keys) == []
