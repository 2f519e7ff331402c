# SPDX-License-Identifier: Apache-2.0
"""The client's commands: against scripted answers, and the whole way through a real server, the lab and real SDKs."""
import json
import os
import pty
import subprocess
import sys

import pytest

import harness
from scripted_tvm import REQUEST_ID, ScriptedTvm, issued, refused

SENTINEL = harness.BIN / "sentinel"
BASE = {"AWS_ACCESS_KEY_ID": "AKIABASECANARY000001", "AWS_SECRET_ACCESS_KEY": "CANARY-base-secret"}
TIMEOUT_S = 60
BOTH_NAMES = [["credential-process", "dev"], ["credentials", "--profile", "dev"]]


@pytest.fixture
def tvm():
    server = ScriptedTvm()
    yield server
    server.close()


def sentinel(home, *words, tvm=None, **extra):
    env = harness.closed_environment(home, SENTINEL_NO_CACHE="true", **BASE,
                                     **({"SENTINEL_TVM_URL": tvm.url} if tvm else {}), **extra)
    return subprocess.run([SENTINEL, *words], env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                          cwd=home)


# --- credential-process and export ---

@pytest.mark.parametrize("words", BOTH_NAMES)
def test_credential_process(tmp_path, tvm, words):
    """TVM-32: one Version-1 object, nothing else."""
    done = sentinel(tmp_path, *words, tvm=tvm)
    assert (done.returncode, done.stderr) == (0, "")
    body = json.loads(done.stdout)
    assert list(body) == ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]
    assert body["Version"] == 1 and body["SecretAccessKey"] == "CANARY-secret-of-the-session"


@pytest.mark.parametrize("words", BOTH_NAMES)
@pytest.mark.parametrize("answer, code", [
    (refused(403, "POLICY_DENY", "Access denied by policy"), 1), (refused(404, "UNKNOWN_PROFILE", "Unknown profile"), 1),
    (refused(403, "APPROVAL_REQUIRED", "Approval required"), 1),
    (refused(403, "APPROVAL_REQUIRED", "Approval required", pending_request="req-9f3k7m2x5c8v1b4n"), 4), (refused(400, "INVALID_DURATION"), 2),
    (refused(401, "PROOF_EXPIRED"), 3), (refused(501, "NOT_CONFIGURED"), 3),
])
def test_credential_process_refused(tmp_path, tvm, words, answer, code):
    """TVM-32: stdout empty, the exit code says what kind of no it is."""
    tvm.answer = answer
    done = sentinel(tmp_path, *words, tvm=tvm)
    assert (done.returncode, done.stdout) == (code, "")
    assert f"why:  {answer[1]['code']}: " in done.stderr


@pytest.mark.parametrize("answer, hint", [
    (refused(403, "POLICY_DENY", hint="run 'sentinel explain PROFILE'"), "see why: sentinel explain dev"),
    (refused(403, "APPROVAL_REQUIRED", hint="run 'sentinel explain PROFILE'"), "see why: sentinel explain dev"),
    (refused(403, "APPROVAL_REQUIRED", pending_request="req-9f3k7m2x5c8v1b4n"),
     "your request req-9f3k7m2x5c8v1b4n waits for approval; try again when it is granted"),
    (refused(403, "DEVICE_REQUIRED"), "use a device that your organisation manages, and ask its administrators to "
     "enrol it"),
    (refused(403, "SESSION_REVOKED"), "your access was ended; contact your security team"),
    (refused(404, "UNKNOWN_PROFILE"), "'sentinel profiles' lists the profiles you could get"),
    (refused(403, "CALLER_NOT_ALLOWED"), "'sentinel whoami' shows who you are to AWS; ask the TVM's administrators to "
     "admit it"),
    ((*refused(429, "RATE_LIMITED"), {"Retry-After": "40"}), "wait 40 s"),
    (refused(501, "NOT_CONFIGURED", hint="not here"), "not here"),
    (refused(401, "PROOF_AUDIENCE"), "the server is not published under this URL; its SENTINEL_PUBLIC_URL must list it"),
    ((403, {"message": "Forbidden"}), "behind API Gateway the request itself is signed: --tvm-auth iam, and --region "
     "REGION"),
])
def test_hint_of_a_refusal(tmp_path, tvm, answer, hint):
    """TVM-32: one hint, which names this profile and commands that exist."""
    tvm.answer = answer
    done = sentinel(tmp_path, "credential-process", "dev", tvm=tvm)
    assert [line for line in done.stderr.splitlines() if "hint:" in line] == [f"  hint: {hint}"]


def test_hint_after_a_retry_for_another_region(tmp_path, tvm):
    """The server names the region to prove for: the second try is made, and the option that saves it is told."""
    def answer(method, path, body):
        if len(tvm.calls) % 2 == 1:
            return (*refused(401, "PROOF_REGION"), {"WWW-Authenticate": 'Sentinel region="eu-west-1"'})
        return issued() if path == "/v1/credentials" else (200, {"profiles": []})

    tvm.answer = answer
    for words in (["credential-process", "dev"], ["profiles"]):
        done = sentinel(tmp_path, *words, tvm=tvm)
        assert done.returncode == 0
        assert done.stderr == "sentinel: this TVM wants proofs for eu-west-1; --region eu-west-1 saves the second try\n"
        assert sentinel(tmp_path, *words, "--quiet", tvm=tvm).stderr == ""


def test_credential_process_without_answer(tmp_path):
    """TVM-32: unreachable 3, no URL 2, both with empty stdout."""
    done = sentinel(tmp_path, "credential-process", "dev", "--tvm-url", "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (3, "") and "TVM_UNREACHABLE" in done.stderr
    done = sentinel(tmp_path, "credential-process", "dev")
    assert (done.returncode, done.stdout) == (2, "") and "--tvm-url" in done.stderr


def test_failure_as_json(tmp_path, tvm):
    """One JSON document on stdout also on failure, with the server's request id."""
    tvm.answer = refused(403, "POLICY_DENY", "Access denied by policy")
    done = sentinel(tmp_path, "credential-process", "dev", "--json", tvm=tvm)
    error = json.loads(done.stdout)["error"]
    assert (error["code"], error["request_id"], done.stderr) == ("POLICY_DENY", REQUEST_ID, "")


@pytest.mark.parametrize("answer", [
    (200, {"credentials": {}}), (200, []), issued(secret=""), issued(token=""), issued(life_s=-5), issued(region="x;y"),
])
def test_unusable_answers(tmp_path, tvm, answer):
    tvm.answer = answer
    done = sentinel(tmp_path, "credential-process", "dev", tvm=tvm)
    assert done.returncode == 3 and done.stdout == "" and "CANARY" not in done.stderr


def test_no_credentials_on_a_terminal(tmp_path, tvm):
    """On a terminal nothing is printed and nobody asked, unless forced."""
    env = harness.closed_environment(tmp_path, **BASE, SENTINEL_TVM_URL=tvm.url, SENTINEL_NO_CACHE="true")
    for words, code in (([], 2), (["--force-stdout"], 0)):
        main, terminal = pty.openpty()
        done = subprocess.run([SENTINEL, "credential-process", "dev", *words], env=env, stdout=terminal,
                              stderr=subprocess.PIPE, timeout=TIMEOUT_S, check=False)
        os.close(terminal)
        os.close(main)
        assert done.returncode == code
        assert len(tvm.calls) == (1 if words else 0)


def test_export_survives_its_readers(tmp_path, tvm):
    """VLT-57: a hostile token is data for the shell that evaluates the export."""
    token = "'; touch pwned; '\\ $(touch pwned) `touch pwned`"
    tvm.answer = issued(token=token)
    readers = [("env", "sh", 'eval "$(cat)"; printf %s "$AWS_SESSION_TOKEN"'),
               ("env", "bash", 'source /dev/stdin; printf %s "$AWS_SESSION_TOKEN"'),
               ("env", "zsh", 'eval "$(cat)"; printf %s "$AWS_SESSION_TOKEN"'),
               ("fish", "fish", 'source; printf %s "$AWS_SESSION_TOKEN"')]
    for form, shell, script in readers:
        done = sentinel(tmp_path, "export", "dev", "--format", form, "--quiet", tvm=tvm)
        assert (done.returncode, done.stderr) == (0, "")
        try:
            read = subprocess.run([shell, "-c", script], input=done.stdout, capture_output=True, text=True, cwd=tmp_path,
                                  timeout=TIMEOUT_S, check=False, env=harness.closed_environment(tmp_path))
        except FileNotFoundError:
            continue
        assert read.stdout == token, (shell, read.stderr)
    done = sentinel(tmp_path, "export", "dev", "--format", "dotenv", tvm=tvm)
    assert done.returncode == 3 and done.stdout == ""
    assert not (tmp_path / "pwned").exists()


def test_export_to_a_file(tmp_path, tvm):
    """--output makes a file of mode 0600; the note about safety is on stderr, once."""
    done = sentinel(tmp_path, "export", "dev", "-o", "out", tvm=tvm)
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.count("safer form") == 1
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o600
    assert "AWS_REGION='eu-west-1'" in (tmp_path / "out").read_text()


# --- profiles, explain, whoami ---

def test_profiles_page_by_page(tmp_path, tvm):
    def page(_method, path, _body):
        names = ["a", "b"] if "cursor" not in path else ["c"]
        return 200, {"profiles": [{"name": n, "description": "d\x1b[2J", "region": None, "max_duration_seconds": 3600,
                                   "access": "allow", "now": "allow"} for n in names],
                     "next_cursor": "x/y=" if "cursor" not in path else None}
    tvm.answer = page
    done = sentinel(tmp_path, "profiles", "--names", tvm=tvm)
    assert done.stdout == "a\nb\nc\n", done.stderr
    assert tvm.calls[1][1].endswith("&cursor=x%2Fy%3D")
    kept = tmp_path / ".cache" / "sentinel" / "profiles"
    assert kept.read_text() == "a\nb\nc\n" and kept.stat().st_mode & 0o777 == 0o600
    assert [p["name"] for p in json.loads(sentinel(tmp_path, "profiles", "--json", tvm=tvm).stdout)["profiles"]] == list("abc")
    assert "\x1b" not in sentinel(tmp_path, "profiles", tvm=tvm).stdout
    tvm.answer = 200, {"profiles": [], "next_cursor": None}
    assert sentinel(tmp_path, "profiles", tvm=tvm).stdout == "There is no profile you could get.\n"


@pytest.mark.parametrize("would, code, exit_code", [
    ("issue", None, 0), ("refuse", "POLICY_DENY", 1), ("refuse", "APPROVAL_REQUIRED", 4), ("new word", None, 1),
])
def test_explain_exit_code(tmp_path, tvm, would, code, exit_code):
    """POL-62: allowed, denied and approval needed apart; a word of a later version is no permission."""
    body = {"profile": "dev", "would": would, "code": code, "effect": "deny", "policy_effect": "deny", "rule": "r",
            "rule_index": 0, "reason": "", "override_class": "none", "grant": None, "duration_seconds": None,
            "capped_by": None, "blocked": False, "device": None, "rules": [], "other_rules": 0,
            "evaluated_at": "2026-02-01T10:00:00.000Z"}
    tvm.answer = 200, body
    done = sentinel(tmp_path, "explain", "dev", "--duration", "1h", "--json", tvm=tvm)
    assert (done.returncode, json.loads(done.stdout)) == (exit_code, body)
    assert tvm.calls == [("POST", "/v1/explain", {"profile": "dev", "duration": 3600})]


@pytest.mark.parametrize("answer, exit_code", [
    (refused(404, "UNKNOWN_PROFILE"), 1), (refused(400, "INVALID_DURATION"), 2), (refused(503, "SESSION_UNAVAILABLE"), 3),
])
def test_explain_without_an_explanation(tmp_path, tvm, answer, exit_code):
    """POL-62: an unknown profile is a denial; what could not be found out is not."""
    tvm.answer = answer
    done = sentinel(tmp_path, "explain", "dev", tvm=tvm)
    assert (done.returncode, done.stdout) == (exit_code, "")
    assert answer[1]["code"] in done.stderr


def test_explain_without_a_server(tmp_path):
    """POL-62"""
    done = sentinel(tmp_path, "explain", "dev", "--tvm-url", "http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (3, "") and "TVM_UNREACHABLE" in done.stderr


def whoami(home, *words):
    done = sentinel(home, "whoami", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_whoami_offline(tmp_path):
    """AUD-44, AUD-02, AUD-05: what an ARN alone tells, and what only a TVM or a list of vouching roles can."""
    role = "arn:aws:sts::123456789012:assumed-role/Dev/alice"
    body = whoami(tmp_path, "--arn", role)
    assert body["operator"] is None and body["server"] is None
    p = body["principal"]
    assert p["vouched"] is p["vouched_by"] is p["user_part"] is p["user_part_altered"] is None
    assert p["entries"] == ["role:Dev", role]
    p = whoami(tmp_path, "--arn", role, "--vouching-roles", "CI-*, Dev")["principal"]
    assert (p["vouched"], p["vouched_by"], p["user_part"], p["user_part_altered"]) == (True, "vouching_role", "alice", False)
    p = whoami(tmp_path, "--arn", role, "--vouching-roles", "CI-*")["principal"]
    assert p["vouched"] is False and p["user_part"] != "alice" and p["user_part_altered"] is True
    sso = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/user@company.com"
    p = whoami(tmp_path, "--arn", sso)["principal"]
    assert (p["name"], p["permission_set"], p["vouched"]) == ("user@company.com", "Dev", True)
    assert p["entries"] == ["user@company.com", "role:AWSReservedSSO_Dev_0123456789abcdef", sso]
    user = "arn:aws:iam::123456789012:user/team/alice"
    assert whoami(tmp_path, "--arn", user)["principal"]["entries"] == ["alice", user]
    assert whoami(tmp_path, "--arn", user, "--tvm-account", "210987654321")["principal"]["entries"] == [user]
    for bad in ("", "not-an-arn", "arn:aws:iam::12345678901x:user/a", "arn:aws-x:iam::123456789012:user/a"):
        done = sentinel(tmp_path, "whoami", "--arn", bad)
        assert (done.returncode, done.stdout) == (2, ""), bad


def test_whoami_keeps_the_servers_body(tmp_path, tvm):
    """AUD-44: with a TVM the body of GET /v1/whoami, and two members more."""
    arn = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Dev_0123456789abcdef/al.ice@corp.com"
    body = {"principal": {"arn": arn, "partition": "aws", "account": "123456789012", "type": "assumed-role",
                          "role": "AWSReservedSSO_Dev_0123456789abcdef", "name": "al.ice@corp.com", "vouched": True,
                          "vouched_by": "identity_center", "user_part": "al.ice@corp.com",
                          "entries": ["al.ice@corp.com", "role:AWSReservedSSO_Dev_0123456789abcdef", arn]},
            "operator": False, "server": {"version": "2.1.0", "form": "standalone", "url": "https://tvm.example.org",
                                          "time": "2026-02-01T10:00:00.000Z"}}
    tvm.answer = 200, body
    seen = json.loads(sentinel(tmp_path, "whoami", "--json", tvm=tvm).stdout)
    assert (seen["principal"].pop("permission_set"), seen["principal"].pop("user_part_altered")) == ("Dev", False)
    assert seen == body
    tvm.answer = refused(403, "CALLER_NOT_ALLOWED")
    assert sentinel(tmp_path, "whoami", tvm=tvm).returncode == 1


# --- How the request is proven ---

def test_proof_is_sent_to_other_hosts(tmp_path, tvm):
    """TVM-27: a host that is no gateway gets a proof: a signature for sts, bound to the server's address."""
    sentinel(tmp_path, "credential-process", "dev", "--region", "eu-west-1", tvm=tvm)
    headers = {name.lower(): value for name, value in tvm.headers[0].items()}
    assert "/eu-west-1/sts/aws4_request" in headers["authorization"]
    assert headers["x-sentinel-audience"] == tvm.url
    assert "CANARY-base-secret" not in str(tvm.headers) + str(tvm.calls)


# --- config.yaml ---

def test_config_file(tmp_path, tvm):
    config = tmp_path / ".config" / "sentinel" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(f"tvm_url: {tvm.url}\n")
    assert sentinel(tmp_path, "credential-process", "dev").returncode == 0
    config.write_text("tvm_uri: x\n")
    done = sentinel(tmp_path, "credential-process", "dev")
    assert done.returncode == 2 and "config.yaml:1: unknown key 'tvm_uri'" in done.stderr
    config.write_text(f"tvm_url: {tvm.url}\n")
    config.chmod(0o666)
    done = sentinel(tmp_path, "exec", "dev", "--", "true")
    assert done.returncode == 125 and "can be written by others" in done.stderr


# --- The whole way ---

CATALOG = """version: "1"
profiles:
  dev: {role_arn: "arn:aws:iam::123456789012:role/SentinelProtected-dev", region: eu-west-1}
  prod: {role_arn: "arn:aws:iam::123456789012:role/SentinelProtected-prod", region: eu-west-1}
"""
POLICY = """version: "1"
rules:
  - {name: dev, effect: allow, conditions: {profiles: [dev], users: [alice]}}
  - {name: closed, effect: deny, reason: not on Fridays, conditions: {profiles: [prod]}}
"""


@pytest.fixture
def stack(tmp_path, start, start_lab):
    """A lab, a real server behind it, and alice's environment."""
    lab = start_lab()
    policy = tmp_path / "policy"
    policy.mkdir()
    (policy / "catalog.yaml").write_text(CATALOG)
    (policy / "policy.yaml").write_text(POLICY)
    (tmp_path / "tvm").mkdir(mode=0o700)
    server = start(harness.Program([harness.BIN / "sentinel-tvm", "serve"], harness.closed_environment(
        tmp_path / "tvm", **{**lab.env, "AWS_PROFILE": "tvm", "AWS_REGION": "eu-west-1", "SENTINEL_POLICY_DIR": policy,
                             "SENTINEL_STORE_PATH": tmp_path / "tvm" / "sentinel.db",
                             "SENTINEL_LISTEN": "127.0.0.1:0"}), cwd=tmp_path / "tvm"))
    port = int(server.wait_line(r"^ready http://127\.0\.0\.1:(\d+)$")[1])
    env = {**lab.env, "AWS_REGION": "eu-west-1", "SENTINEL_TVM_URL": f"http://127.0.0.1:{port}"}
    return lab, server, policy, lambda user, **more: harness.closed_environment(
        tmp_path, SENTINEL_NO_CACHE="true", **{**env, "AWS_PROFILE": user, **more})


def run(env, *words, cwd=None):
    return subprocess.run([SENTINEL, *words], env=env, capture_output=True, text=True, timeout=TIMEOUT_S, check=False,
                          cwd=cwd)


def test_real_aws_cli_in_exec(stack, aws_cli, tmp_path):
    """The unmodified AWS CLI takes its credentials from the relay; the session carries alice's stamp."""
    lab, _, _, user = stack
    done = run(user("alice"), "exec", "dev", "--", aws_cli, "--endpoint-url", lab.url, "sts", "get-caller-identity")
    assert done.returncode == 0, done.stderr
    arn = json.loads(done.stdout)["Arn"]
    assert ":assumed-role/SentinelProtected-dev/alice-" in arn
    name = arn.split("/alice-")[1]
    assumed = [e["event"]["requestParameters"] for e in lab.events("AssumeRole")]
    assert f"sentinel=alice=direct={name}" in [p.get("sourceIdentity") for p in assumed]


REFRESH = """
import sys, boto3
s = boto3.Session()
keys = []
for _ in range(4):
    # a session of 900 s is inside botocore's refresh window at once: each use asks the relay again
    sts = s.client('sts', endpoint_url=sys.argv[1])
    keys.append(s.get_credentials().get_frozen_credentials().access_key)
    assert 'SentinelProtected-dev' in sts.get_caller_identity()['Arn']
print(len(set(keys)))
"""


def test_real_boto3_refreshes(stack):
    """boto3 lives through three consecutive refreshes, each one a new session issued by the server."""
    pytest.importorskip("boto3")
    lab, _, _, user = stack
    done = run(user("alice"), "exec", "--relay-cache", "0", "dev", "--", sys.executable, "-c", REFRESH, lab.url)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 4


def test_denied_at_refresh(stack):
    """TVM-31: the policy turns to deny while the command runs; the SDK's next refresh gets the refusal."""
    pytest.importorskip("boto3")
    lab, server, policy, user = stack
    script = """
import os, signal, sys, boto3, time
s = boto3.Session()
sts = s.client('sts', endpoint_url=sys.argv[1])
sts.get_caller_identity()
text = open(sys.argv[2]).read().replace('effect: allow', 'effect: deny')
open(sys.argv[2] + '.new', 'w').write(text)
os.replace(sys.argv[2] + '.new', sys.argv[2])
os.kill(int(sys.argv[3]), signal.SIGHUP)
import http.client, urllib.parse
for _ in range(90):
    u = urllib.parse.urlsplit(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])
    c = http.client.HTTPConnection(u.hostname, u.port)
    c.request('GET', '/', headers={'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']})
    r = c.getresponse()
    body = r.read().decode()
    if r.status == 403:
        print(body)
        break
    time.sleep(0.1)
"""
    done = run(user("alice"), "exec", "--relay-cache", "0", "dev", "--", sys.executable, "-c", script, lab.url,
               policy / "policy.yaml", str(server.process.pid))
    assert json.loads(done.stdout)["Code"] == "POLICY_DENY", done.stdout + done.stderr


def test_denied_before_the_start(stack):
    """TVM-31: bob on prod: 125, the rule's reason, and a hint that names a command that exists."""
    _, _, _, user = stack
    done = run(user("bob"), "exec", "prod", "--", "true")
    assert done.returncode == 125
    assert "POLICY_DENY: Access denied by policy: not on Fridays" in done.stderr
    assert "sentinel explain prod" in done.stderr
    done = run(user("bob"), "explain", "prod")
    assert done.returncode == 1 and "> 1 closed (deny): matched" in done.stdout, done.stdout + done.stderr
    assert run(user("alice"), "explain", "dev").returncode == 0  # POL-62, of a real server
    assert run(user("alice"), "explain", "no-such").returncode == 1


def test_whoami_and_profiles(stack):
    _, _, _, user = stack
    body = json.loads(run(user("alice"), "whoami", "--json").stdout)
    assert body["principal"]["entries"][0] == "alice" and body["server"]["form"] == "standalone"
    assert run(user("alice"), "profiles", "--names").stdout == "dev\n"
    alone = {k: v for k, v in user("alice").items() if k != "SENTINEL_TVM_URL"}
    body = json.loads(run(alone, "whoami", "--json").stdout)
    assert body["principal"]["name"] == "alice" and body["server"] is None


def test_attack_27_canaries_stay_inside(stack, tmp_path):
    """ATK-27, TVM-40: neither alice's own key nor an issued one is in the server's log, its database or its output."""
    lab, server, _, user = stack
    done = run(user("alice"), "credential-process", "dev")
    answer = json.loads(done.stdout)
    secrets = [lab.keys("alice")[1].encode(), answer["SecretAccessKey"].encode(), answer["SessionToken"].encode()]
    server.end()
    files = [path for path in (tmp_path / "tvm").rglob("*") if path.is_file()]
    assert any(path.name == "audit.log" for path in files)
    texts = [path.read_bytes() for path in files] + [server.output().encode(), done.stderr.encode()]
    for secret in secrets:
        assert not any(secret in text for text in texts)
