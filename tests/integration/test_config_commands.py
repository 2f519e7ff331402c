# SPDX-License-Identifier: Apache-2.0
"""config generate and config validate: generated documents, what is written where, and documents in Parameter Store."""
import json
import os
import stat
import subprocess

import pytest
import yaml

import emulated
import harness

SENTINEL = harness.BIN / "sentinel"
ROLE = "arn:aws:iam::111122223333:role/"
FILES = {"policy.yaml": "policy", "approval.yaml": "approval", "breakglass.yaml": "breakglass", "ratelimit.yaml": "ratelimit",
         "catalog.yaml": "catalog"}


def run(*arguments, cwd=None, umask=-1, **environment):
    return subprocess.run([SENTINEL, "config", *arguments], env=harness.closed_environment("/nonexistent", **environment), cwd=cwd,
                          capture_output=True, text=True, check=False, timeout=30, umask=umask)


TEMPLATES = {"basic": {"policy.yaml"}, "approvals": {"policy.yaml", "approval.yaml"}, "full": set(FILES) - {"catalog.yaml"}}


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("with_roles", [False, True])
def test_generated_documents_are_valid(template, with_roles, tmp_path):
    """POL-41: each template, with and without a catalogue; modes whatever the umask; auto_approve lists the users."""
    roles = ["--role", f"prod={ROLE}P", "--role", f"team/dev={ROLE}D"] if with_roles else []
    done = run("generate", "-t", template, "-p", "prod", "-p", "team/dev", "-u", "ana", "-u", "role:Ops", *roles, "--output-dir", "a/b",
               cwd=tmp_path, umask=0o077)
    assert done.returncode == 0, done.stderr
    assert ("catalogue must name the role" in done.stderr) != with_roles
    made = {path.name: path for path in (tmp_path / "a" / "b").iterdir()}
    assert set(made) == TEMPLATES[template] | ({"catalog.yaml"} if with_roles else set())
    assert [stat.S_IMODE(os.stat(tmp_path / place).st_mode) for place in ("a", "a/b")] == [0o755, 0o755]
    assert {stat.S_IMODE(path.stat().st_mode) for path in made.values()} == {0o644}
    checked = run("validate", "--json", *made.values())
    answer = json.loads(checked.stdout)
    assert checked.returncode == 0, checked.stdout
    assert {result["source"].rsplit("/", 1)[1]: result["config_type"] for result in answer["results"]} == {n: FILES[n] for n in made}
    documents = {name: yaml.safe_load(path.read_text()) for name, path in made.items()}  # a reader that is not ours
    if template != "basic":
        rule, = documents["approval.yaml"]["rules"]
        assert rule["auto_approve"]["users"] == rule["approvers"] == ["ana", "role:Ops"]
        assert rule["profiles"] == ["prod", "team/dev"]
    if template == "full":
        assert documents["breakglass.yaml"]["rules"][0]["mfa"] == {"required": True}
    if with_roles:
        assert {name: entry["role_arn"] for name, entry in documents["catalog.yaml"]["profiles"].items()} == {
            "prod": ROLE + "P", "team/dev": ROLE + "D"}


def test_outputs_agree(tmp_path):
    """The text, the JSON and the files hold the same documents, but for the time in their heads."""
    words = ("generate", "-t", "full", "-p", "prod", "-u", "ana", "--role", f"prod={ROLE}P")
    members = dict(zip(FILES, ("Policy", "Approval", "BreakGlass", "RateLimit", "Catalog")))
    answer = json.loads(run(*words, "--json").stdout)
    text = run(*words).stdout
    assert run(*words, "--output-dir", tmp_path / "d").returncode == 0
    for name, member in members.items():
        expected = yaml.safe_load((tmp_path / "d" / name).read_text())
        assert yaml.safe_load(answer[member]) == expected
        part = text.split(f"({name})\n# ===\n")[1].split("\n\n")[0]
        assert yaml.safe_load(part) == expected
    basic = json.loads(run("generate", "-t", "basic", "-p", "prod", "--json").stdout)
    assert [basic[member] for member in ("Approval", "BreakGlass", "RateLimit", "Catalog")] == ["", "", "", ""]


def test_nothing_is_replaced_without_force(tmp_path):
    """POL-41: one name that is taken keeps all files from being written; --force replaces."""
    (tmp_path / "ratelimit.yaml").write_text("mine\n")
    words = ("generate", "-t", "full", "-p", "prod", "-u", "ana", "--output-dir", tmp_path)
    done = run(*words)
    assert done.returncode == 2 and "ratelimit.yaml" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["ratelimit.yaml"]
    assert (tmp_path / "ratelimit.yaml").read_text() == "mine\n"
    assert run(*words, "--force").returncode == 0
    assert len(list(tmp_path.iterdir())) == 4
    assert "cooldown" in (tmp_path / "ratelimit.yaml").read_text()


@pytest.mark.parametrize("name", ["x\nrules: []", "a b", "a;b", "$(id)", "..", "a//b", "-rf", "x: y", "\u0430", "a#b", "a" * 257,
                                  "arn:aws:iam::111122223333:role/X"])
def test_hostile_profiles_are_refused(name, tmp_path):
    """POL-41: before anything is written."""
    done = run("generate", "-t", "basic", f"--profile={name}", "--output-dir", tmp_path / "d")
    assert (done.returncode, (tmp_path / "d").exists()) == (2, False), done.stdout


@pytest.mark.parametrize("name", ["x\n- y", "a b", "a;b", "$(id)", "x: y", "\u0430", "a#b", "a" * 65, ROLE + "X", "gruop:x", "group:x", "*"])
def test_hostile_users_are_refused(name, tmp_path):
    """POL-41: what is no entry, or a group that the document does not have."""
    done = run("generate", "-t", "full", "-p", "prod", f"--user={name}", "--output-dir", tmp_path / "d")
    assert (done.returncode, (tmp_path / "d").exists()) == (2, False), done.stdout


@pytest.mark.skipif(emulated.MISSING is not None, reason=str(emulated.MISSING))
def test_documents_in_parameter_store(tmp_path):
    """POL-42: parameters beside files; one that is not there is an error of its own and the exit code is the highest."""
    aws = emulated.Aws()
    keys = {"AWS_ACCESS_KEY_ID": "AKIDADMIN", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": emulated.REGION, **aws.environment()}
    try:
        aws.put("/sentinel/config/approval", (harness.ROOT / "examples/policy/approval.yaml").read_text())
        aws.put("/sentinel/catalog/a", f'version: "1"\nprofiles: {{dev: {{role_arn: "{ROLE}D"}}}}\n')
        (tmp_path / "b.yaml").write_text(f'version: "1"\nprofiles: {{dev: {{role_arn: "{ROLE}E"}}}}\n')
        good = run("validate", "--ssm", "/sentinel/config/approval", "--json", **keys)
        assert (good.returncode, json.loads(good.stdout)["results"][0]["config_type"]) == (0, "approval"), good.stdout
        mixed = run("validate", "--json", "b.yaml", "--ssm", "/sentinel/catalog/a", cwd=tmp_path, **keys)
        first, second = json.loads(mixed.stdout)["results"]
        assert mixed.returncode == 1 and first["valid"]
        assert [(issue["code"], issue["message"]) for issue in second["issues"]] == [
            ("duplicate-profile", "the profile 'dev' is already in 'b.yaml', line 2")]
        gone = run("validate", "--json", "--ssm", "/nowhere", "--ssm", "/sentinel/config/approval", "b.yaml", cwd=tmp_path, **keys)
        answer = json.loads(gone.stdout)
        assert gone.returncode == 3 and answer["summary"] == {"total": 3, "valid": 2, "invalid": 1, "errors": 1, "warnings": 0}
        assert [result["source"] for result in answer["results"]] == ["b.yaml", "/nowhere", "/sentinel/config/approval"]
        aws.fault("GetParameter", "denied")
        assert run("validate", "--ssm", "/sentinel/config/approval", **keys).returncode == 3
    finally:
        aws.close()
