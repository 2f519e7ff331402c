# SPDX-License-Identifier: Apache-2.0
"""Signing in to IAM Identity Center with the real client: against the lab, beside boto3 and the AWS CLI, and against a
service that means harm."""
import concurrent.futures
import ctypes
import hashlib
import http.client
import http.server
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest

import browser
import tls_front
from harness import ACCOUNT, BIN, FakeTime, Program, closed_environment, is_instrumented, linked_libraries, role_arn

SENTINEL = BIN / "sentinel"
PROFILE = "sso-Developer-main"
CALLS_OF_A_LOGIN = ("StartDeviceAuthorization", "AuthorizeDecision")


class Person:
    """A home directory, a browser in it, and the client with the lab's settings."""

    def __init__(self, lab, home, *, decision="allow", config=""):
        self.lab, self.home = lab, home
        home.mkdir(exist_ok=True)
        self.browser = browser.write_program(home / "browser", decision=decision)
        self.config = home / "config"
        self.config.write_text((lab.dir / "aws" / "config").read_text() + "\n" + config)
        self.config.chmod(0o600)
        self.outputs = []

    def env(self, **extra):
        return closed_environment(self.home, **{**self.lab.env, "BROWSER": self.browser, "AWS_CONFIG_FILE": self.config,
                                                "XDG_RUNTIME_DIR": self.home, **extra})

    def run(self, *words, **extra):
        done = subprocess.run([SENTINEL, *words], env=self.env(**extra), capture_output=True, text=True, timeout=90,
                              check=False)
        self.outputs += [done.stdout, done.stderr]
        return done

    def whoami(self, profile, *words, **extra):
        return self.run("whoami", "--json", "--aws-profile", profile, *words, **extra)

    def cache(self, name="lab"):
        digest = hashlib.sha1(name.encode()).hexdigest()
        return self.home / ".aws" / "sso" / "cache" / f"{digest}.json"

    def token(self, name="lab"):
        return json.loads(self.cache(name).read_text())

    def set_token(self, changes, name="lab"):
        self.cache(name).write_text(json.dumps({**self.token(name), **changes}))

    def pages(self):
        """Addresses that were opened in the browser."""
        log = self.home / "browser.log"
        return log.read_text().splitlines() if log.exists() else []

    def count(self, *actions):
        return len([e for e in self.lab.journal() if e["action"] in actions])

    def assert_no_secret_shown(self):
        secrets = set()
        for path in (self.home / ".aws" / "sso" / "cache").glob("*.json"):
            kept = json.loads(path.read_text())
            secrets |= {kept[k] for k in ("accessToken", "refreshToken", "clientSecret") if k in kept}
        assert secrets
        for text in self.outputs + self.pages() + [(self.lab.dir / "journal.jsonl").read_text()]:
            assert not any(secret in text for secret in secrets)


@pytest.fixture
def person(lab, tmp_path):
    return Person(lab, tmp_path / "home")


def stamp(seconds_from_now):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds_from_now))


def arn_of(done):
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["principal"]["arn"]


# --- signing in ---


def test_sign_in_with_a_browser(person):
    """PKCE: the browser comes back to a port of ours; the token lies where AWS's tools look for it."""
    done = person.run("sso", "login", "--session", "lab")
    assert (done.returncode, done.stdout) == (0, "") and "signed in to lab until" in done.stderr
    assert len(person.pages()) == 1 and "code_challenge_method=S256" in person.pages()[0]
    kept, mode = person.token(), person.cache().stat().st_mode & 0o777
    assert mode == 0o600 and kept["startUrl"] == person.lab.url + "/start" and kept["region"] == "us-east-1"
    assert kept["refreshToken"].startswith("LAB") and kept["clientId"].startswith("LAB")
    assert arn_of(person.whoami(PROFILE)).endswith("/alice")
    assert arn_of(person.whoami("sso-Developer-sandbox")).split(":")[4] == "210987654321"
    assert person.run("sso", "status", "--session", "lab").returncode == 0
    done = person.run("sso", "logout", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"was_signed_in": True})
    assert not list(person.cache().parent.iterdir()), "token and registrations are gone"
    assert person.lab.journal()[-1]["action"] == "Logout" and person.lab.journal()[-1]["status"] == 200
    assert person.run("sso", "status", "--session", "lab").returncode == 1
    done = person.run("sso", "logout")
    assert done.returncode == 0 and "nobody was signed in" in done.stderr


def test_sign_in_without_a_browser(person, start):
    """VLT-21: address and code are shown on stderr, stdout stays empty; the decision is made elsewhere."""
    program = start(Program([SENTINEL, "sso", "login", "--profile", PROFILE, "--no-browser"], person.env()))
    address = program.wait_line(r"^  (http://\S+)$", program.errors)[1]
    code = program.wait_line(r"^  ([A-Z]{4}-[A-Z]{4})$", program.errors)[1]
    assert address == f"{person.lab.url}/start/device?user_code={code}"
    assert person.lab.control("approve", code, "bob").returncode == 0
    assert program.process.wait(30) == 0
    for reader in program.readers:
        reader.join(10)
    assert program.lines == [] and person.pages() == []
    assert arn_of(person.whoami("sso-Auditor-main")).endswith("/bob")


@pytest.mark.parametrize("flow, action", [("device", "StartDeviceAuthorization"), ("pkce", "AuthorizeDecision")])
def test_sign_in_is_declined(lab, tmp_path, flow, action):
    person = Person(lab, tmp_path / "home", decision="deny")
    done = person.run("sso", "login", "--session", "lab", "--sso-flow", flow, "--json")
    error = json.loads(done.stdout)["error"]
    assert done.returncode == 3 and error["code"] == "SSO_LOGIN_FAILED"
    assert "declined in the browser" in error["message"]
    assert person.count(action) == 1 and not person.cache().exists()


def test_flow_is_chosen_by_where_the_person_is(person):
    """Over SSH and without a display there is no browser to come back: a code is shown."""
    for extra, page in (({}, "/authorize?"), ({"SSH_CONNECTION": "a"}, None), ({"SSH_TTY": "/dev/pts/1"}, None)):
        before = person.count("StartDeviceAuthorization")
        if page is None:
            person.lab.fault("sso-oidc:CreateToken=access_denied,1")
        done = person.run("sso", "login", "--session", "lab", **extra)
        if page is None:
            assert done.returncode == 3 and person.count("StartDeviceAuthorization") == before + 1
        else:
            assert done.returncode == 0 and page in person.pages()[-1]
    assert len(person.pages()) == 1


def test_browser_is_started_without_a_shell(lab, tmp_path):
    """The command's words are its own; %p is the profile; keys of the environment do not reach it."""
    person = Person(lab, tmp_path / "home", config="[profile $(touch pwned)]\nsso_session = lab\n")
    note = tmp_path / "note"
    script = tmp_path / "my browser"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > '{note}.new'; env >> '{note}.new'; mv '{note}.new' '{note}'\n")
    script.chmod(0o700)
    lab.fault("sso-oidc:CreateToken=access_denied,1")
    done = person.run("sso", "login", "--profile", "$(touch pwned)", "--sso-flow", "device", "--browser",
                      f"'{script}' --name=%p; '$(touch pwned)' --url=%u %%", AWS_SECRET_ACCESS_KEY="CANARY-environment")
    assert done.returncode == 3
    lines = note.read_text().splitlines()
    assert lines[:2] == ["--name=$(touch pwned);", "$(touch pwned)"] and lines[3] == "%"
    assert lines[2].startswith(f"--url={lab.url}/start/device?user_code=")
    assert "CANARY-environment" not in note.read_text() and not list(tmp_path.rglob("pwned"))
    lab.fault("sso-oidc:CreateToken=access_denied,1")
    done = person.run("sso", "login", "--session", "lab", "--sso-flow", "device", "--browser", "/nonexistent/browser")
    assert "could not be started: no such program" in done.stderr


def test_interrupted_sign_in_leaves_nothing(person, start):
    """Ctrl-C stores no token, and the next sign-in does not wait for a lock."""
    for flow in ("device", "pkce"):
        program = start(Program([SENTINEL, "sso", "login", "--session", "lab", "--sso-flow", flow, "--no-browser"],
                                person.env()))
        program.wait_line(r"^  http://", program.errors)
        assert program.end(signal.SIGINT) == -signal.SIGINT
        assert not person.cache().exists()
    started = time.monotonic()
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    assert time.monotonic() - started < 5


# --- the redirect ---


def test_attack_30_redirect_takes_one_right_answer(person, start):
    """VLT-27, ATK-30: wrong state, wrong Host, wrong method, wrong path and a second callback are refused; no token is asked for."""
    program = start(Program([SENTINEL, "sso", "login", "--session", "lab", "--sso-flow", "pkce", "--no-browser"],
                            person.env()))
    url = program.wait_line(r"^  (http://\S+)$", program.errors)[1]
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    target = urllib.parse.urlsplit(query["redirect_uri"])
    assert target.hostname == "127.0.0.1" and len(query["state"]) == 43 and len(query["code_challenge"]) == 43

    def ask(path, method="GET", host=None):
        connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=10)
        try:
            connection.request(method, path, headers={"Host": host} if host else {})
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        finally:
            connection.close()
    state = query["state"]
    right = f"/oauth/callback?code=x&state={state}"
    other = state[:-1] + ("A" if state[-1] != "A" else "B")
    for path, method, host in ((f"/oauth/callback?code=x&state={other}", "GET", None),
                               ("/oauth/callback?code=x", "GET", None), (f"/oauth/callback?state={state}", "GET", None),
                               (right + "&state=x", "GET", None), (right + "&error=x", "GET", None),
                               (f"/oauth/callback?code=&state={state}", "GET", None),
                               (f"/oauth/callback?code=a%0ab&state={state}", "GET", None),
                               (right, "POST", None), (right, "HEAD", None), (right, "GET", "evil.example"),
                               (right, "GET", f"localhost:{target.port}"), (right, "GET", "127.0.0.1"),
                               (right.replace("/oauth", "/%6fauth"), "GET", None), ("/", "GET", None),
                               (right.replace("callback", "callback/"), "GET", None)):
        status, _ = ask(path, method, host)
        assert status >= 400, (path, method, host)
    assert person.count("CreateToken") == 0
    status, _, text = browser.decide(url)
    assert status == 200 and "You are signed in" in text
    assert program.process.wait(30) == 0
    assert person.count("CreateToken") == 1
    with pytest.raises(OSError):
        ask(right)


def test_second_answer_is_refused(person, start):
    """VLT-27: while the first one is being turned into a token."""
    person.lab.fault("sso-oidc:CreateToken=slow:2,1")
    program = start(Program([SENTINEL, "sso", "login", "--session", "lab", "--sso-flow", "pkce", "--no-browser"],
                            person.env()))
    url = program.wait_line(r"^  (http://\S+)$", program.errors)[1]
    status, headers, _ = browser.decide(url, follow=False)
    assert browser.get(headers["Location"])[0] == 200
    status, _, text = browser.get(headers["Location"].replace("code=LAB", "code=other"))
    assert status == 400 and "answered already" in text
    assert program.process.wait(30) == 0 and person.count("CreateToken") == 1


# --- tokens that others wrote, and that others read ---


def test_boto3_reads_what_was_written(person):
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    code = ("import boto3,sys; s = boto3.Session(profile_name=sys.argv[1])\n"
            "print(s.client('sts').get_caller_identity()['Arn'])")
    person.set_token({"expiresAt": stamp(300)})  # boto3 refreshes it, with our registration
    done = subprocess.run([sys.executable, "-c", code, PROFILE], env=person.env(), capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0 and done.stdout.strip().endswith("/alice"), done.stderr
    logins = person.count(*CALLS_OF_A_LOGIN)
    assert arn_of(person.whoami(PROFILE)).endswith("/alice"), "and we read what boto3 wrote"
    assert person.count(*CALLS_OF_A_LOGIN) == logins == 1


def test_aws_cli_reads_and_writes_the_same_token(person, tmp_path, aws_cli):
    front = tls_front.TlsFront(tmp_path, urllib.parse.urlsplit(person.lab.url).port)
    outside = closed_environment(person.home, AWS_CONFIG_FILE=person.config, BROWSER=person.browser, AWS_PAGER="",
                                 **front.env())

    def aws(*words):
        return subprocess.run([aws_cli, *words], env=outside, capture_output=True, text=True, timeout=60, check=False)
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    done = aws("--endpoint-url", person.lab.url, "sts", "get-caller-identity", "--profile", PROFILE)
    assert done.returncode == 0 and json.loads(done.stdout)["Arn"].endswith("/alice"), done.stderr
    assert person.run("sso", "logout").returncode == 0
    done = aws("sso", "login", "--profile", PROFILE)
    assert done.returncode == 0, done
    logins = person.count(*CALLS_OF_A_LOGIN)
    assert arn_of(person.whoami(PROFILE)).endswith("/alice")
    old = person.token()["refreshToken"]
    person.set_token({"expiresAt": stamp(600)})
    assert person.whoami(PROFILE).returncode == 0
    assert person.token()["refreshToken"] not in ("", old), "refreshed with the registration of the AWS CLI"
    assert person.count(*CALLS_OF_A_LOGIN) == logins
    front.close()


def legacy(lab):
    return (f"[profile legacy]\nsso_start_url = {lab.url}/start\nsso_region = us-east-1\nsso_account_id = {ACCOUNT}\n"
            "sso_role_name = Developer\nregion = us-east-1\n")


def test_older_form_without_a_session(lab, tmp_path):
    """VLT-26: the token of an inline start URL lies under that URL's name, and one that lies there serves."""
    person = Person(lab, tmp_path / "home", config=legacy(lab))
    assert person.run("sso", "login", "--profile", "legacy").returncode == 0
    assert person.count("StartDeviceAuthorization") == 1, "codes need an sso-session"
    kept = person.token(lab.url + "/start")
    assert "refreshToken" not in kept
    assert arn_of(person.whoami("legacy")).endswith("/alice")
    other = Person(lab, tmp_path / "other", config=legacy(lab))
    other.cache("x").parent.mkdir(parents=True)
    other.cache(lab.url + "/start").touch(0o600)
    other.cache(lab.url + "/start").write_text(json.dumps({"accessToken": kept["accessToken"],
                                                           "expiresAt": kept["expiresAt"]}))
    assert arn_of(other.whoami("legacy")).endswith("/alice")


# --- what happens by itself ---


def test_expired_sign_in_is_renewed_once(lab, tmp_path):
    """VLT-22: the portal does not take the token any more: one sign-in, one second try, and none the next time."""
    person = Person(lab, tmp_path / "home", config=legacy(lab))
    assert person.run("sso", "login", "--profile", "legacy").returncode == 0
    lab.clock("+9h")
    done = person.whoami("legacy", "--auto-login", "--no-cache")
    assert arn_of(done).endswith("/alice")
    assert "SSO credentials expired. Initiating login..." in done.stderr and "Retrying operation..." in done.stderr
    assert person.count("StartDeviceAuthorization") == 2 and person.count("GetRoleCredentials") == 2
    done = person.whoami("legacy", "--auto-login", "--no-cache")
    assert done.returncode == 0 and person.count("StartDeviceAuthorization") == 2
    lab.fault("sso:GetRoleCredentials=500")
    done = person.whoami("legacy", "--auto-login", "--no-cache")
    assert done.returncode == 3 and json.loads(done.stdout)["error"]["code"] == "SSO_NETWORK_ERROR"
    assert person.count("StartDeviceAuthorization") == 2, "a fault of the service is no reason to sign in"


def test_refresh_in_silence(person):
    """VLT-23: with ten minutes left the token is refreshed without a person, and the file holds what came for it."""
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    before = person.token()
    person.set_token({"expiresAt": stamp(600)})
    done = person.whoami(PROFILE)
    assert arn_of(done).endswith("/alice") and done.stderr == ""
    after = person.token()
    assert after["refreshToken"] != before["refreshToken"] and after["accessToken"] != before["accessToken"]
    assert person.cache().stat().st_mode & 0o777 == 0o600
    assert person.count(*CALLS_OF_A_LOGIN) == 1
    assert [e["parameters"]["grantType"] for e in person.lab.journal() if e["action"] == "CreateToken"] == [
        "authorization_code", "refresh_token"]
    person.assert_no_secret_shown()


def test_refresh_after_the_night(person, tmp_path):
    """The client's clock, not the file's text, decides: nine hours later the token is refreshed, not used."""
    if "libc.so" not in linked_libraries(SENTINEL) or is_instrumented(SENTINEL):
        pytest.skip("only a dynamic build without a sanitizer can be given another clock")
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    clock = FakeTime(tmp_path / "time")
    clock.set(9 * 3600)
    person.lab.clock("+9h")
    done = person.run("sso", "status", **clock.env)
    assert "renewable" in done.stdout
    # STS judges signatures by the machine's clock, so only the part before it is shown here.
    person.run("sso", "accounts", **clock.env)
    grants = [e["parameters"]["grantType"] for e in person.lab.journal() if e["action"] == "CreateToken"]
    assert grants == ["authorization_code", "refresh_token"]
    assert person.lab.journal()[-1]["action"] == "ListAccounts" and person.lab.journal()[-1]["status"] == 200


def test_role_that_is_not_assigned(person):
    """VLT-24: no page opens; account and role are named, and where to look."""
    person.config.write_text(person.config.read_text() + f"[profile no]\nsso_session = lab\nsso_account_id = {ACCOUNT}\n"
                             "sso_role_name = Nothing\nregion = us-east-1\n")
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    done = person.run("whoami", "--aws-profile", "no", "--auto-login")
    assert done.returncode == 3 and len(person.pages()) == 1
    assert f"role 'Nothing' of account {ACCOUNT} is not assigned" in done.stderr
    assert f"sentinel sso roles --account {ACCOUNT} --profile no" in done.stderr


@pytest.mark.parametrize("flow, action", [("device", "StartDeviceAuthorization"), ("pkce", "AuthorizeDecision")])
def test_fifty_at_once_open_one_page(person, flow, action):
    """VLT-25: fifty that find no token: one sign-in, one page, and all get what they asked for."""
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        done = list(pool.map(lambda _: person.whoami(PROFILE, "--auto-login", SENTINEL_SSO_FLOW=flow), range(50)))
    assert [d.returncode for d in done] == [0] * 50, [d.stderr for d in done if d.returncode][:1]
    assert person.count(action) == 1 and len(person.pages()) == 1


def test_vault_verbs_sign_in_by_themselves(person):
    """VLT-25: fifty 'vault export' without a token, no terminal anywhere: one sign-in. --no-auto-login starts none."""
    done = person.run("vault", "export", PROFILE, "--no-auto-login")
    assert done.returncode == 3 and person.pages() == []
    done = person.run("vault", "export", PROFILE, SENTINEL_AUTO_LOGIN="false")
    assert done.returncode == 3 and person.pages() == []
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        done = list(pool.map(lambda _: person.run("vault", "export", PROFILE, "--sso-flow", "device"), range(50)))
    assert [d.returncode for d in done] == [0] * 50, [d.stderr for d in done if d.returncode][:1]
    assert all(re.search("^(export )?AWS_SESSION_TOKEN='?LAB", d.stdout, re.M) for d in done), done[0].stdout
    assert person.count("StartDeviceAuthorization") == 1 and len(person.pages()) == 1
    done = person.run("vault", "exec", PROFILE, "--", "sh", "-c", "echo $AWS_ACCESS_KEY_ID")
    assert done.returncode == 0 and done.stdout.startswith("ASIALAB")


def test_those_who_waited_in_vain_open_no_page(lab, tmp_path):
    """One person, one no: the others do not ask again."""
    person = Person(lab, tmp_path / "home", decision="deny")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: person.whoami(PROFILE, "--auto-login", SENTINEL_SSO_FLOW="device"), range(8)))
    assert {d.returncode for d in done} == {3} and len(person.pages()) == 1


def test_sign_in_is_started_on_a_terminal_only(person):
    """A terminal on stderr asks for it; a pipe does not; options and SENTINEL_AUTO_LOGIN go before both."""
    done = person.run("whoami", "--aws-profile", PROFILE)
    assert done.returncode == 3 and "nobody is signed in" in done.stderr
    assert "  hint: run: sentinel sso login --session lab\n" in done.stderr and person.pages() == []
    for words, extra in ((["--no-auto-login"], {"SENTINEL_AUTO_LOGIN": "true"}), ([], {"SENTINEL_AUTO_LOGIN": "false"})):
        assert person.run("whoami", "--aws-profile", PROFILE, *words, **extra).returncode == 3
    assert person.run("whoami", "--aws-profile", PROFILE, SENTINEL_AUTO_LOGIN="yes").returncode == 2
    assert person.run("whoami", "--aws-profile", PROFILE, "--auto-login", "--no-auto-login").returncode == 2
    assert person.pages() == []

    def on_terminal(*words, **extra):
        master, slave = pty.openpty()
        program = subprocess.Popen([SENTINEL, *words], env=person.env(**extra), stdin=slave, stdout=subprocess.PIPE,
                                   stderr=slave, start_new_session=True)
        os.close(slave)
        shown = b""
        while True:
            try:
                more = os.read(master, 4096)
            except OSError:
                break
            if not more:
                break
            shown += more
        os.close(master)
        out = program.stdout.read()
        program.stdout.close()
        return program.wait(60), out, shown
    code, out, shown = on_terminal("whoami", "--json", "--aws-profile", PROFILE, SENTINEL_AUTO_LOGIN="false")
    assert code == 3 and person.pages() == []
    code, out, shown = on_terminal("whoami", "--json", "--aws-profile", PROFILE)
    assert code == 0 and json.loads(out)["principal"]["name"] == "alice" and len(person.pages()) == 1
    assert b"No SSO credentials. Initiating login..." in shown and b"Retrying operation..." in shown


# --- what a sign-in is good for ---


def test_profiles_on_top_of_a_sign_in(lab, tmp_path):
    """VLT-15: a profile may take another's sign-in, with a role on top or without; there is no GetSessionToken in it."""
    config = (f"[profile t]\nsource_profile = {PROFILE}\nregion = us-east-1\n"
              f"[profile hop]\nsource_profile = {PROFILE}\nrole_arn = {role_arn('AgentRunner')}\nregion = us-east-1\n"
              f"[profile same]\nsso_session = lab\nsso_account_id = {ACCOUNT}\nsso_role_name = Developer\n"
              f"role_arn = {role_arn('AgentRunner')}\nregion = us-east-1\n")
    person = Person(lab, tmp_path / "home", config=config)
    assert person.run("sso", "login", "--profile", "hop").returncode == 0
    assert "AWSReservedSSO_Developer_" in arn_of(person.whoami("t"))
    assert arn_of(person.whoami("hop")).endswith(":assumed-role/AgentRunner/alice")
    assert arn_of(person.whoami("same")).endswith(":assumed-role/AgentRunner/alice")
    assert person.count("GetSessionToken") == 0


def test_name_of_the_directory_is_vouched_for(lab, tmp_path, start_tvm):
    """The server takes the name of an Identity Center session as alice's own, and stamps what it issues with it."""
    server = start_tvm(lab)
    person = Person(lab, tmp_path / "home")
    extra = {"SENTINEL_TVM_URL": server.url, "AWS_CONFIG_FILE": person.config}
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    done = person.run("whoami", "--json", "--aws-profile", PROFILE, **extra)
    assert json.loads(done.stdout)["principal"]["vouched"] is True, done
    done = person.run("credential-process", "dev", "--aws-profile", PROFILE, "--no-cache", **extra)
    assert done.returncode == 0, done.stderr
    issued = [e for e in lab.journal() if e["action"] == "AssumeRole" and e["status"] == 200][-1]
    assert issued["parameters"]["sourceIdentity"].startswith("sentinel=alice=direct=")


def test_role_credentials_are_kept_for_their_sign_in(person):
    """Two runs, one call; another sign-in, another call; --no-cache, a call each."""
    link, user_ring, process_ring = 8, -4, -2
    if ctypes.CDLL(None).syscall(250, link, user_ring, process_ring, 0, 0) != 0:
        pytest.skip("this kernel refuses keyrings")
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    first, second = person.whoami(PROFILE), person.whoami(PROFILE)
    assert arn_of(first) == arn_of(second)
    assert person.count("GetRoleCredentials") == 1
    assert person.whoami(PROFILE, "--no-cache").returncode == 0 and person.count("GetRoleCredentials") == 2
    person.browser = browser.write_program(person.home / "browser", user="bob")
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    done = person.whoami(PROFILE)
    assert done.returncode == 3 and "not assigned" in json.loads(done.stdout)["error"]["message"], "bob is no Developer"


def test_accounts_and_roles(person):
    done = person.run("sso", "accounts", "--session", "lab")
    assert done.returncode == 3 and done.stdout == "" and "cannot list accounts" in done.stderr
    assert person.run("sso", "login").returncode == 0, "there is one sso-session"
    done = person.run("sso", "accounts", "--json")
    assert json.loads(done.stdout) == {"accounts": [
        {"account_id": ACCOUNT, "name": "main", "email": "main@lab.invalid"},
        {"account_id": "210987654321", "name": "sandbox", "email": "sandbox@lab.invalid"}]}
    done = person.run("sso", "roles", "--json", "--account", ACCOUNT, "--profile", PROFILE)
    assert [r["role_name"] for r in json.loads(done.stdout)["roles"]] == ["Developer", "Auditor"]
    done = person.run("sso", "roles")
    assert done.stdout.splitlines()[-1].split() == ["210987654321", "Developer"]
    for words in (["--account", "123"], ["--session", "lab", "--profile", PROFILE], ["--session", "nobody"],
                  ["--profile", "alice"]):
        assert person.run("sso", "roles", *words).returncode == 2, words
    assert person.run("sso", "roles", "--profile", "nobody").returncode == 1


def test_populate_adds_what_is_missing(person):
    """Every byte that was there stays; what is there already is skipped; a dry run changes nothing."""
    person.config.write_text(person.config.read_text() + "# mine\r\n[profile p-main.auditor]\nregion = eu-west-1")
    before = person.config.read_bytes()
    words = ["sso", "populate", "--session", "lab", "--prefix", "P-", "--region", "eu-west-1", "--auto-login"]
    expected = {"added": ["p-main.developer", "p-sandbox.developer"], "skipped": ["p-main.auditor"]}
    done = person.run(*words, "--dry-run", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, expected), done.stderr
    assert person.config.read_bytes() == before
    done = person.run(*words)
    assert done.stdout.splitlines() == ["added   p-main.developer", "skipped p-main.auditor", "added   p-sandbox.developer"]
    after = person.config.read_bytes()
    assert after.startswith(before + b"\n\n[profile p-main.developer]\nsso_session = lab\n")
    assert person.config.stat().st_mode & 0o777 == 0o600
    assert arn_of(person.whoami("p-sandbox.developer")).split(":")[4] == "210987654321"
    done = person.run(*words, "--json")
    assert json.loads(done.stdout)["added"] == [] and person.config.read_bytes() == after
    for words in (["--session", "nobody"], ["--session", "lab", "--prefix", "a]b"], [],
                  ["--session", "lab", "--region", "x"]):
        assert person.run("sso", "populate", *words).returncode == 2, words


def test_populate_makes_harmless_names(hostile):
    """Whatever the portal calls an account, the name of a profile holds letters, digits, '.', '_' and '-' only."""
    assert hostile.run("sso", "login", "--session", "lab").returncode == 0
    hostile.service.answers = {
        "/assignment/accounts": (200, {}, {"accountList": [
            {"accountId": ACCOUNT, "accountName": "--]\n[default]\ncredential_process = touch pwned #\x1b[31m"}]}),
        "/assignment/roles": (200, {}, {"roleList": [{"roleName": "A@b", "accountId": ACCOUNT}]})}
    before = hostile.config.read_text()
    done = hostile.run("sso", "populate", "--session", "lab", AWS_ENDPOINT_URL_SSO=hostile.service.url)
    assert done.returncode == 0, done.stderr
    added = hostile.config.read_text().removeprefix(before).strip().splitlines()
    assert re.fullmatch(r"\[profile [a-z0-9][a-z0-9._-]*\.a-b\]", added[0]) and len(added) == 4
    assert "\x1b" not in done.stdout and "credential_process =" not in hostile.config.read_text()


# --- files that are not trusted ---


def test_attack_30_cache_that_others_could_read(person):
    """ATK-30: a file that is open to others, a link or damaged gives no token."""
    assert person.run("sso", "login", "--session", "lab").returncode == 0
    person.cache().chmod(0o644)
    done = person.run("whoami", "--aws-profile", PROFILE)
    assert done.returncode == 3 and f"chmod 0600 '{person.cache()}'" in done.stderr
    real = person.cache().rename(person.home / "token")
    real.chmod(0o600)
    person.cache().symlink_to(real)
    assert person.run("whoami", "--aws-profile", PROFILE).returncode == 3
    person.cache().unlink()
    person.cache().touch(0o600)
    for text in ("", "{", "[" * 10000, "x" * 100000, '{"accessToken":"a\\u001b[31m","expiresAt":"2999-01-01T00:00:00Z"}'):
        person.cache().write_text(text)
        done = person.run("whoami", "--aws-profile", PROFILE)
        assert done.returncode == 3 and "\x1b" not in done.stderr
    assert person.count("GetRoleCredentials") == 0


# --- a service that means harm ---


class Hostile:
    """An OIDC service and portal that answer what the test says; everything that reaches it is counted."""

    def __init__(self):
        self.answers, self.asked = {}, []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                status, headers, body = outer.answers.get(self.path.partition("?")[0], (404, {}, b""))
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.do_GET()

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def hostile(shared_lab, tmp_path):
    service = Hostile()
    person = Person(shared_lab, tmp_path / "home")
    person.service = service
    yield person
    service.close()


CLIENT = {"clientId": "i", "clientSecret": "s", "clientSecretExpiresAt": 4102444800}
DEVICE = {"deviceCode": "d", "userCode": "ABCD-EFGH", "verificationUri": "https://device.example/",
          "verificationUriComplete": "https://device.example/?user_code=ABCD-EFGH", "expiresIn": 600, "interval": 1}


@pytest.mark.parametrize("path, answer", [
    ("/client/register", (200, {}, b"x" * (2 << 20))),
    ("/client/register", (200, {}, b"[" * 100000)),
    ("/client/register", (200, {}, {"clientId": 1, "clientSecret": [], "clientSecretExpiresAt": "soon"})),
    ("/client/register", (200, {}, {**CLIENT, "clientId": "a\r\nX-Evil: 1"})),
    ("/client/register", (200, {"Content-Type": "text/html"}, b"<html>Please sign in to use this network</html>")),
    ("/client/register", (302, {"Location": "/token"}, b"")),
    ("/client/register", (307, {"Location": "http://127.0.0.1:9/"}, b"")),
    ("/device_authorization", (200, {}, {**DEVICE, "verificationUriComplete": "javascript:alert(1)"})),
    ("/device_authorization", (200, {}, {**DEVICE, "verificationUri": "file:///etc/passwd"})),
    ("/device_authorization", (200, {}, {**DEVICE, "verificationUri": "http://evil.example/"})),
    ("/device_authorization", (200, {}, {**DEVICE, "verificationUriComplete": "https://x.example/\x1b]0;pwned\x07"})),
    ("/device_authorization", (200, {}, {**DEVICE, "verificationUriComplete": "https://x.example/$(touch${IFS}pwned)"})),
    ("/device_authorization", (200, {}, {**DEVICE, "verificationUriComplete": "--help"})),
    ("/device_authorization", (200, {}, {**DEVICE, "userCode": "\x1b[2J\x1b[31mSAFE"})),
    ("/device_authorization", (200, {}, {**DEVICE, "userCode": "A" * 5000})),
    ("/device_authorization", (200, {}, {**DEVICE, "interval": 10 ** 9})),
    ("/device_authorization", (400, {"x-amzn-errortype": "\x1b[31mX"}, {"error_description": "\x1b]0;t\x07" + "y" * 9999})),
    ("/token", (200, {}, {"accessToken": "a\nb", "expiresIn": 100})),
    ("/token", (200, {}, {"accessToken": {"a": 1}, "expiresIn": 100})),
    ("/token", (200, {}, {"accessToken": "a", "expiresIn": 10 ** 12})),
    ("/token", (302, {"Location": "/federation/credentials"}, b"")),
])
def test_attack_30_hostile_answers(hostile, path, answer):
    """ATK-30: refused with a clear error: nothing is opened, followed, kept or let through to the terminal."""
    hostile.service.answers = {"/client/register": (200, {}, CLIENT), "/device_authorization": (200, {}, DEVICE),
                               path: answer}
    before = path == "/token"
    done = hostile.run("sso", "login", "--session", "lab", "--sso-flow", "device", "--no-browser" if before else "--quiet",
                       AWS_ENDPOINT_URL_SSO_OIDC=hostile.service.url)
    assert done.returncode == 3 and done.stdout == "", done
    assert "not signed in to lab" in done.stderr and "why:  SSO_" in done.stderr
    assert "\x1b" not in done.stderr and "\x07" not in done.stderr and len(done.stderr) < 3000
    assert hostile.pages() == [] and not hostile.cache().exists()
    assert hostile.service.asked[-1] == path, "a redirect was followed"


def test_hostile_authorization_endpoint(hostile):
    """The page of the authorization code is https, or loopback, as well."""
    for address in ("javascript:alert(1)//", "http://evil.example/authorize", "file:///x"):
        hostile.service.answers = {"/client/register": (200, {}, {**CLIENT, "authorizationEndpoint": address})}
        done = hostile.run("sso", "login", "--session", "lab", AWS_ENDPOINT_URL_SSO_OIDC=hostile.service.url)
        assert done.returncode == 3 and "authorizationEndpoint" in done.stderr and hostile.pages() == []


@pytest.mark.parametrize("answer", [
    (200, {}, b"x" * (2 << 20)), (200, {}, b"<html>"), (200, {}, {"roleCredentials": "x"}),
    (200, {}, {"roleCredentials": {"accessKeyId": "ASIA\x1b[31m000000000000", "secretAccessKey": "s",
                                   "sessionToken": "t", "expiration": 4102444800000}}),
    (200, {}, {"roleCredentials": {"accessKeyId": "ASIAEXAMPLE000000001", "secretAccessKey": "s",
                                   "sessionToken": "t\r\nX: y", "expiration": 4102444800000}}),
    (200, {}, {"roleCredentials": {"accessKeyId": "ASIAEXAMPLE000000001", "secretAccessKey": "s",
                                   "sessionToken": "t", "expiration": 1}}),
    (302, {"Location": "/assignment/accounts"}, b""),
])
def test_hostile_portal(hostile, answer):
    assert hostile.run("sso", "login", "--session", "lab").returncode == 0
    hostile.service.answers = {"/federation/credentials": answer}
    done = hostile.run("whoami", "--aws-profile", PROFILE, "--no-cache", AWS_ENDPOINT_URL_SSO=hostile.service.url)
    assert done.returncode == 3 and "\x1b" not in done.stderr and len(done.stderr) < 3000
    assert {re.sub(r"\?.*", "", p) for p in hostile.service.asked} == {"/federation/credentials"}
