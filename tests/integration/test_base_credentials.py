# SPDX-License-Identifier: Apache-2.0
"""Base credentials of the real client against the lab: profiles, roles on top of them, processes, and what goes wrong.

"sentinel whoami" asks STS with the base credentials and no TVM, so what it prints is what they are. The lab verifies each
signature with code of its own.
"""
import json
import os
import shlex
import subprocess

import pytest

from harness import BIN, closed_environment, role_arn

CANARY = "CANARY-base-secret"


def whoami(lab, config, home, *arguments, **extra):
    """Runs whoami with more sections behind the lab's config."""
    path = home / "config"
    path.write_text((lab.dir / "aws" / "config").read_text() + "\n" + config)
    path.chmod(0o600)
    env = closed_environment(home, **{**lab.env, "AWS_CONFIG_FILE": path, **extra})
    return subprocess.run([BIN / "sentinel", "whoami", "--json", *arguments], env=env, capture_output=True, text=True,
                          timeout=60, check=False)


def arn_of(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["principal"]["arn"]


def process_for(lab, profile):
    key, secret = lab.keys(profile)
    answer = json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": secret})
    return "credential_process = printf %s " + shlex.quote(answer)


def test_static_keys_and_a_role_on_top(shared_lab, tmp_path):
    assert arn_of(whoami(shared_lab, "", tmp_path, "--aws-profile", "alice")).endswith(":user/alice")
    assert "assumed-role/SentinelTVM/sentinel-tvm" in arn_of(whoami(shared_lab, "", tmp_path, "--aws-profile", "tvm"))


def test_the_environment_goes_first_and_an_explicit_profile_before_it(shared_lab, tmp_path):
    key, secret = shared_lab.keys("bob")
    keys = {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}
    assert arn_of(whoami(shared_lab, "", tmp_path, AWS_PROFILE="alice", **keys)).endswith(":user/bob")
    assert arn_of(whoami(shared_lab, "", tmp_path, "--aws-profile", "alice", **keys)).endswith(":user/alice")


def test_the_session_is_named_after_who_assumes(shared_lab, tmp_path):
    config = f"[profile hop]\nrole_arn = {role_arn('AgentRunner')}\nsource_profile = alice\n"
    assert arn_of(whoami(shared_lab, config, tmp_path, "--aws-profile", "hop")).endswith(":assumed-role/AgentRunner/alice")


def test_a_process_gives_keys_and_no_shell_reads_it(shared_lab, tmp_path):
    config = f"[profile p]\n{process_for(shared_lab, 'alice')}\n"
    assert arn_of(whoami(shared_lab, config, tmp_path, "--aws-profile", "p")).endswith(":user/alice")
    mark = tmp_path / "ran"
    config = f"[profile p]\ncredential_process = echo x; touch {mark} $(touch {mark})\n"
    done = whoami(shared_lab, config, tmp_path, "--aws-profile", "p")
    assert done.returncode == 3
    assert not mark.exists()


def test_a_process_that_asks_for_the_same_profile_ends(shared_lab, tmp_path):
    program = shlex.quote(str(BIN / "sentinel"))
    config = f"[profile p]\ncredential_process = {program} whoami --aws-profile p\n"
    done = whoami(shared_lab, config, tmp_path, "--aws-profile", "p")
    assert done.returncode == 3
    assert "calls itself" in done.stdout + done.stderr


def test_attack_29_nothing_of_a_process_reaches_the_terminal(shared_lab, tmp_path):
    script = tmp_path / "helper"
    script.write_text(f"#!/bin/sh\nprintf '\\033[31m{CANARY}'\nprintf '\\033]0;title\\007no login\\n' >&2\nexit 9\n")
    script.chmod(0o700)
    done = whoami(shared_lab, f"[profile p]\ncredential_process = {script}\n", tmp_path, "--aws-profile", "p")
    assert done.returncode == 3
    assert "code 9" in done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr and "\x07" not in done.stdout + done.stderr


def test_attack_29_a_config_that_others_can_write_runs_nothing(shared_lab, tmp_path):
    mark = tmp_path / "ran"
    folder = tmp_path / "open"
    folder.mkdir()
    path = folder / "config"
    path.write_text(f"[profile p]\ncredential_process = touch {mark}\n")
    path.chmod(0o666)
    env = closed_environment(tmp_path, **{**shared_lab.env, "AWS_CONFIG_FILE": path})
    done = subprocess.run([BIN / "sentinel", "whoami", "--aws-profile", "p"], env=env, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 2
    assert "chmod" in done.stderr
    assert not mark.exists()


@pytest.mark.parametrize("config, profile, code, says", [
    ("", "nobody", "CONFIG_PROFILE_NOT_FOUND", "nobody"),
    ("[profile a]\nsource_profile = b\n[profile b]\nsource_profile = a\n", "a", "CONFIG_INVALID", "a -> b -> a"),
    ("[profile a]\nsource_profile = b\n", "a", "CONFIG_INVALID", "'b', which does not exist"),
    ("[profile a]\nregion = eu-west-1\n", "a", "CONFIG_MISSING_CREDENTIALS", "'a' has no credentials"),
    ("[profile a\n", "alice", "CONFIG_INVALID", "closing ']'"),
    ("[profile a]\nsso_session = s\n", "a", "CONFIG_INVALID", "sso-session s"),
])
def test_what_is_wrong_is_named(shared_lab, tmp_path, config, profile, code, says):
    done = whoami(shared_lab, config, tmp_path, "--aws-profile", profile)
    assert done.returncode in (1, 2, 3)
    error = json.loads(done.stdout)["error"]
    assert error["code"] == code
    assert says in error["message"]


def test_dev_null_is_no_file(shared_lab, tmp_path):
    """As AWS tools take it; below 'sentinel exec' both files are /dev/null."""
    done = whoami(shared_lab, "", tmp_path, AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                  AWS_PROFILE="default")
    assert json.loads(done.stdout)["error"]["code"] == "CONFIG_PROFILE_NOT_FOUND"


def test_a_refused_role_is_told_with_the_chain(shared_lab, tmp_path):
    config = f"[profile a]\nrole_arn = {role_arn('SentinelTVM')}\nsource_profile = bob\nregion = us-east-1\n"
    done = whoami(shared_lab, config, tmp_path, "--aws-profile", "a")
    assert done.returncode == 3
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "STS_REFUSED"
    assert "a -> bob" in error["message"] and "AccessDenied" in error["message"]


@pytest.mark.parametrize("fault", ["html", "redirect", "cut", "wrong-type", "two-arns"])
def test_attack_03_an_answer_of_another_form_is_no_identity(start_lab, tmp_path, fault):
    lab = start_lab()
    lab.fault(f"sts:GetCallerIdentity={fault}")
    done = whoami(lab, "", tmp_path, "--aws-profile", "alice")
    assert done.returncode == 3
    assert "user/alice" not in done.stdout


def test_attack_03_keys_for_another_role_are_not_taken(start_lab, tmp_path):
    lab = start_lab()
    lab.fault("sts:AssumeRole=other-role")
    done = whoami(lab, "", tmp_path, "--aws-profile", "tvm")
    assert done.returncode == 3
    assert json.loads(done.stdout)["error"]["code"] == "STS_ANSWER_INVALID"


def test_a_throttled_call_is_tried_again(start_lab, tmp_path):
    lab = start_lab()
    lab.fault("sts:GetCallerIdentity=throttle,2")
    assert arn_of(whoami(lab, "", tmp_path, "--aws-profile", "alice")).endswith(":user/alice")
    calls = [line for line in lab.journal() if line["action"] == "GetCallerIdentity"]
    assert len(calls) == 3


def test_no_secret_of_the_chain_is_ever_shown(shared_lab, tmp_path):
    secrets = [shared_lab.keys(name)[1] for name in ("alice", "bob")]
    for profile in ("alice", "tvm", "agent", "nobody"):
        done = whoami(shared_lab, "", tmp_path, "--aws-profile", profile)
        assert not any(secret in done.stdout + done.stderr for secret in secrets)
    assert not any(name.startswith("core") for name in os.listdir(tmp_path))
