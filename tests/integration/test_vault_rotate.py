# SPDX-License-Identifier: Apache-2.0
"""'vault rotate' against moto's IAM: whatever happens, a key that works is stored."""
import itertools
import os
import subprocess

import boto3
import pytest
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.server import ThreadedMotoServer
from moto.sts.exceptions import STSClientError
from moto.sts.responses import TokenResponse

from harness import BIN
from test_keyring_file import SUPPORT, needs_preload
from test_vault import Vault, variables


USERS = itertools.count()


def whose_key(response):
    """GetCallerIdentity as AWS answers it: moto takes any key, deleted ones too, for its own user."""
    access_key_id = response.get_access_key()
    user = iam_backends["123456789012"]["aws"].get_user_from_access_key_id(access_key_id)
    if user is None:
        raise STSClientError("InvalidClientTokenId", "The security token included in the request is invalid.")
    return ActionResult({"UserId": user.id, "Account": "123456789012", "Arn": user.arn})


@pytest.fixture
def iam(monkeypatch):
    """(endpoint, client, a user without keys)"""
    monkeypatch.setattr(TokenResponse, "get_caller_identity", whose_key)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url, user = f"http://{host}:{port}", f"ana{next(USERS)}"
    client = boto3.client("iam", endpoint_url=url, region_name="us-east-1", aws_access_key_id="AKIASETUP",
                          aws_secret_access_key="setup")
    client.create_user(UserName=user)
    yield url, client, user
    server.stop()


@pytest.fixture
def stored(tmp_path, iam):
    """A vault with the only key of the user under 'dev'."""
    url, client, user = iam
    key = client.create_access_key(UserName=user)["AccessKey"]
    vault = Vault(tmp_path / "home")
    vault.url, vault.client, vault.user = url, client, user
    vault.write_config("[profile dev]\nregion=us-east-1\n[profile role]\nsource_profile=dev\n")
    run = vault.run
    vault.run = lambda *words, **options: run(*words, **{"AWS_ENDPOINT_URL": url, **options})
    vault.add("dev", key["AccessKeyId"], key["SecretAccessKey"])
    return vault


def known(vault):
    return sorted(key["AccessKeyId"] for key in vault.client.list_access_keys(UserName=vault.user)["AccessKeyMetadata"])


def in_store(vault):
    return variables(vault.run("export", "-n", "dev").stdout)["AWS_ACCESS_KEY_ID"]


def test_rotates(stored):
    """The new key is stored and works, the old one is gone, nothing else is left; found through source_profile too."""
    old = in_store(stored)
    done = stored.run("rotate", "-n", "role")
    new = in_store(stored)
    assert new != old and known(stored) == [new]
    assert old not in done.stdout + done.stderr and old[-4:] in done.stdout
    assert os.listdir(stored.keys) == ["dev"]
    stored.add("dev", new, variables(stored.run("export", "-n", "dev").stdout)["AWS_SECRET_ACCESS_KEY"], "--verify", "--force")


def test_two_keys(stored):
    """VLT-35: with two keys nothing is made, and both are named, masked."""
    old = in_store(stored)
    other = stored.client.create_access_key(UserName=stored.user)["AccessKey"]["AccessKeyId"]
    done = stored.run("rotate", "-n", "dev", code=3)
    assert known(stored) == sorted([old, other]) and in_store(stored) == old
    assert f"****************{other[-4:]}" in done.stderr and f"****************{old[-4:]}" in done.stderr
    assert other not in done.stderr


def test_store_fails_behind_the_new_key(stored):
    """VLT-34: a key that cannot be recorded is deleted again, and the old one works."""
    old = in_store(stored)
    item = stored.keys / "sentinel-rotate:dev"
    item.mkdir()  # in the way of the journal's rename
    done = stored.run("rotate", "-n", "dev", code=3)
    assert "deleted again" in done.stderr
    item.rmdir()
    assert known(stored) == [old] and in_store(stored) == old


@needs_preload
def test_killed_at_each_step(stored):
    """VLT-34: killed before any rename or removal, a key that AWS knows is stored; --resume leaves exactly one."""
    kills = 0
    for at in range(1, 12):
        before = known(stored)
        done = subprocess.run([BIN / "sentinel", "vault", "rotate", "-n", "dev"], capture_output=True, check=False, timeout=60,
                              env=stored.environment(AWS_ENDPOINT_URL=stored.url, LD_PRELOAD=SUPPORT / "kill_at.so",
                                                     SN_KILL_AT=at, SN_KILL_ONLY="rename,unlink"))
        assert in_store(stored) in known(stored), (at, done)
        if done.returncode == 0:
            break
        assert done.returncode == -9, done
        kills += 1
        if len(known(stored)) == 2 and not (stored.keys / "sentinel-rotate:dev").exists():
            # Killed between IAM's answer and the journal: nobody knows that key's secret, and the stored one works.
            lost = [key for key in known(stored) if key not in before]
            assert in_store(stored) in before
            stored.run("rotate", "-n", "dev", code=3)
            stored.client.delete_access_key(UserName=stored.user, AccessKeyId=lost[0])
        if (stored.keys / "sentinel-rotate:dev").exists():
            stored.run("rotate", "-n", "--resume", "dev")
        assert known(stored) == [in_store(stored)]
        assert [name for name in os.listdir(stored.keys) if not name.startswith(".")] == ["dev"]
    else:
        pytest.fail("the rotation never came to its end")
    assert kills >= 3, kills


def test_nothing_to_resume(stored):
    stored.run("rotate", "-n", "--resume", "dev", code=1)
    stored.run("rotate", "-n", "nowhere", code=1)
