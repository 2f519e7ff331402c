# SPDX-License-Identifier: Apache-2.0
"""Asking a running server for credentials: what comes back, what AWS saw, what was recorded."""
import concurrent.futures
import json
import subprocess

import pytest

from harness import ACCOUNT, BIN, role_arn
from tvm import CATALOG, OPENAPI, POLICY, validate


def test_issue_is_stamped_recorded_and_stored(tvm_server, shared_lab):
    """TVM-01, TVM-16, AUD-11: one id in the answer, in STS's call, in the row and in the record."""
    answer = tvm_server.vend("alice", "prod")
    assert answer.status == 200, answer
    ident = answer.headers["X-Sentinel-Request-Id"]
    assert answer.headers["X-Sentinel-Session-Id"] == f"ses-{ident}" == answer.json["session"]["id"]
    stamp = f"sentinel=alice=direct={ident}"
    assert answer.json["session"]["source_identity"] == stamp

    event = next(e["event"] for e in shared_lab.events("AssumeRole")
                 if e["event"]["requestParameters"].get("sourceIdentity") == stamp)
    asked = event["requestParameters"]
    assert asked["roleArn"] == role_arn("SentinelProtected-prod")
    assert asked["roleSessionName"] == f"alice-{ident}"
    assert int(asked["durationSeconds"]) == 900

    row = tvm_server.rows("SELECT * FROM sessions WHERE id = ?", ident)[0]
    assert (row["status"], row["source_identity"], row["user"]) == ("active", stamp, "alice")
    assert row["device_id"] is None and row["seal"].startswith("v1:")

    record = tvm_server.decisions()[-1]
    assert record["request_id"] == ident and record["source_identity"] == stamp
    assert record["access_key_id"] == answer.json["credentials"]["access_key_id"]
    assert (record["effect"], record["outcome"], record["rule"]) == ("allow", "issued", "prod")

    session = shared_lab.client("sts", credentials={
        "AccessKeyId": answer.json["credentials"]["access_key_id"],
        "SecretAccessKey": answer.json["credentials"]["secret_access_key"],
        "SessionToken": answer.json["credentials"]["session_token"]})
    assert session.get_caller_identity()["Arn"] == \
        f"arn:aws:sts::{ACCOUNT}:assumed-role/SentinelProtected-prod/alice-{ident}"


def test_alias_answers_in_the_container_format(tvm_server):
    """TVM-01: exactly four keys."""
    answer = tvm_server.call("alice", "GET", "/?profile=dev")
    assert answer.status == 200
    assert list(answer.json) == ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"]
    assert tvm_server.call("alice", "POST", "/?profile=dev", {"duration": "1800"}).status == 200


def test_denial_gives_the_rules_reason(tvm_server):
    """A rule that names the caller's profile answers with its reason, and asks STS for nothing."""
    before = len(tvm_server.sts_calls("AssumeRole"))
    answer = tvm_server.vend("bob", "prod")
    assert (answer.status, answer.code) == (403, "POLICY_DENY")
    assert answer.json["message"] == "Access denied by policy: frozen for the release"
    assert len(tvm_server.sts_calls("AssumeRole")) == before
    assert tvm_server.rows("SELECT count(*) AS n FROM sessions")[0]["n"] == 0
    record = tvm_server.decisions()[-1]
    assert (record["effect"], record["outcome"], record["error_code"]) == ("deny", "denied", "POLICY_DENY")


def test_attack_34_unknown_and_hidden_names_look_alike(tvm_server):
    """TVM-52, ATK-34: byte for byte but for the id, under a last rule that denies everything."""
    def body(profile, **parameters):
        answer = tvm_server.vend("bob", profile, parameters=parameters)
        assert answer.status == 404
        return answer.text.replace(answer.json["request_id"], "ID"), sorted(answer.headers.keys())

    device = {"device_id": "ab" * 32}
    assert body("staging") == body("no-such-profile")
    assert body("staging", **device) == body("no-such-profile", **device)
    # A near miss names what this caller can see, and nothing else.
    assert tvm_server.vend("bob", "deev").json["hint"] == "did you mean 'dev'?"
    assert "staging" not in tvm_server.vend("bob", "stagin").text
    assert "prod" not in tvm_server.vend("bob", "prodd").text
    agent = tvm_server.lab.client("sts", "alice").assume_role(
        RoleArn=role_arn("AgentRunner"), RoleSessionName="nobody")["Credentials"]
    keys = (agent["AccessKeyId"], agent["SecretAccessKey"], agent["SessionToken"])
    assert tvm_server.vend(keys, "deev").json["hint"] == ""
    assert tvm_server.vend(keys, "dev").json["hint"] == ""


def test_attack_05_session_named_after_somebody_else(tvm_server):
    """TVM-04, ATK-05: who chose the session name "alice" is not alice."""
    role = tvm_server.lab.client("sts", "bob").assume_role(
        RoleArn=role_arn("AgentRunner"), RoleSessionName="alice")["Credentials"]
    keys = (role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"])
    seen = tvm_server.call(keys, "GET", "/v1/whoami").json["principal"]
    assert seen["name"] == "alice" and seen["vouched"] is False
    assert seen["entries"] == ["role:AgentRunner", f"arn:aws:sts::{ACCOUNT}:assumed-role/AgentRunner/alice"]
    assert tvm_server.vend(keys, "prod").status == 404
    assert tvm_server.vend(keys, "dev").status == 404


def test_attack_06_names_do_not_fold(start_tvm, shared_lab):
    """ATK-06, TVM-04: entries match byte for byte."""
    policy = POLICY.replace("users: [alice, bob]", 'users: [Alice, "alice.", alic, aliceb]')
    server = start_tvm(shared_lab, policy=policy)
    assert server.vend("alice", "dev").status == 404


@pytest.mark.parametrize("target,code", [
    ("/?profile=..%2Fx", "INVALID_PROFILE"), ("/?profile=a%0Ab", "INVALID_PROFILE"), ("/?profile=%24%7Bx%7D", "INVALID_PROFILE"),
    ("/?profile=%D0%B0", "INVALID_PROFILE"), ("/?profile=" + "a" * 257, "INVALID_PROFILE"), ("/?profile=-x", "INVALID_PROFILE"),
    ("/?profile=dev&duration=899", "INVALID_DURATION"), ("/?profile=dev&duration=9e2", "INVALID_DURATION"),
    ("/?profile=dev&duration=%2B900", "INVALID_DURATION"), ("/?profile=dev&duration=0900", "INVALID_DURATION"),
    ("/?profile=dev&profile=dev", "INVALID_REQUEST"), ("/?profile=dev&x=%zz", "INVALID_REQUEST"), ("/", "MISSING_PROFILE"),
])
def test_parameters(tvm_server, target, code):
    """TVM-05, TVM-06, ATK-21: refused before STS, and never echoed."""
    answer = tvm_server.call("alice", "GET", target)
    assert (answer.status, answer.code) == (400, code)
    value = target.partition("profile=")[2].partition("&")[0]
    assert len(value) < 3 or value not in answer.text or value == "dev"
    assert not tvm_server.decisions()


@pytest.mark.parametrize("body", [
    b'{"profile":"dev","profile":"prod"}', b'{"profile":"dev","more":1}', b'{"profile":["dev"]}', b'{"profile":"dev"',
    b'{"profile":"d\xff"}', b'{"profile":"dev"} ', b"[" * 40 + b"]" * 40, b'"dev"',
])
def test_attack_31_bodies(tvm_server, body):
    """ATK-31, TVM-59: duplicate keys, unknown members, wrong types, bad UTF-8, deep nesting."""
    answer = tvm_server.call("alice", "POST", "/v1/credentials", body)
    if body.rstrip() != b'{"profile":"dev"}':
        assert (answer.status, answer.code) == (400, "INVALID_REQUEST")


def test_duration_caps(tvm_server):
    """TVM-05, TVM-07: role chaining and the catalogue's cap, and what capped."""
    long = tvm_server.vend("alice", "dev", parameters={"duration": 43200}).json["session"]
    assert (long["duration_seconds"], long["capped_by"]) == (3600, "role_chaining")
    for text in (b'"900"', b"900.0", b"9e2"):
        answer = tvm_server.call("alice", "POST", "/v1/credentials", b'{"profile":"dev","duration":' + text + b"}")
        assert answer.code == "INVALID_DURATION"


def test_attack_22_role_arn_is_no_profile(tvm_server):
    """TVM-37, ATK-22."""
    before = len(tvm_server.sts_calls("AssumeRole"))
    answer = tvm_server.vend("alice", role_arn("SentinelProtected-prod"))
    assert (answer.status, answer.code) == (404, "UNKNOWN_PROFILE")
    assert len(tvm_server.sts_calls("AssumeRole")) == before


def test_attack_21_long_lived_callers_are_capped_too(start_tvm, shared_lab):
    """ATK-21, TVM-05: a server on a user's own keys gets what was asked for, up to the role's maximum."""
    server = start_tvm(shared_lab, settings={"AWS_PROFILE": "tvm-user"})
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (500, "CREDENTIAL_ERROR")  # the trust policies name the role only
    assert "arn:" not in answer.text


def test_profiles_in_pages(start_tvm, shared_lab):
    """TVM-35: sorted, exactly the visible ones, over three pages; a cursor cannot be altered or borrowed."""
    names = [f"p{i}" for i in range(5)]
    catalog = 'version: "1"\nprofiles:\n' + "".join(
        f'  {n}: {{role_arn: "{role_arn("SentinelProtected-dev")}"}}\n' for n in reversed(names + ["hidden"]))
    policy = ('version: "1"\nrules:\n- {name: a, effect: allow, conditions: {users: [alice], profiles: [p0, p1, p2, p3]}}\n'
              "- {name: b, effect: require_approval, conditions: {users: [alice], profiles: [p4]}}\n"
              "- {name: c, effect: deny, conditions: {profiles: [hidden]}}\n")
    server = start_tvm(shared_lab, catalog=catalog, policy=policy)
    seen, cursors, target = [], [], "/v1/profiles?limit=2"
    while True:
        page = server.call("alice", "GET", target).json
        seen += [(p["name"], p["access"]) for p in page["profiles"]]
        if page["next_cursor"] is None:
            break
        cursors.append(page["next_cursor"])
        target = f"/v1/profiles?limit=2&cursor={page['next_cursor']}"
    assert seen == [(n, "allow") for n in names[:4]] + [("p4", "require_approval")]
    assert len(cursors) == 2
    assert server.call("bob", "GET", "/v1/profiles").json["profiles"] == []
    assert server.call("bob", "GET", f"/v1/profiles?cursor={cursors[0]}").code == "INVALID_REQUEST"
    swapped = cursors[0][:-2] + ("AA" if cursors[0][-2:] != "AA" else "BB")
    assert server.call("alice", "GET", f"/v1/profiles?cursor={swapped}").code == "INVALID_REQUEST"
    assert server.call("alice", "GET", "/v1/profiles?limit=0").code == "INVALID_REQUEST"
    assert server.call("alice", "GET", "/v1/profiles?x=1").code == "INVALID_REQUEST"


def test_routes(tvm_server):
    """TVM-35: methods and paths that are none, without echo."""
    answer = tvm_server.call("alice", "POST", "/v1/profiles", {})
    assert (answer.status, answer.headers["Allow"]) == (405, "GET")
    for target in ("/x-secret-path", "/profiles", "/v1/requests", "/v2/credentials"):
        answer = tvm_server.call("alice", "GET", target)
        assert (answer.status, answer.code) == (404, "NOT_FOUND")
        assert target not in answer.text
    assert tvm_server.call("alice", "GET", "/v1/whoami?x=1").code == "INVALID_REQUEST"


def test_explain_shows_the_failing_condition(tvm_server):
    """A dry run: nothing issued, no row, no record; no other person's name."""
    answer = tvm_server.call("bob", "POST", "/v1/explain", {"profile": "prod"})
    assert answer.status == 200
    assert (answer.json["would"], answer.json["code"], answer.json["rule"]) == ("refuse", "POLICY_DENY", "prod-frozen")
    assert tvm_server.call("bob", "POST", "/v1/explain", {"profile": "staging"}).status == 404
    allowed = tvm_server.call("alice", "POST", "/v1/explain", {"profile": "prod"}).json
    assert (allowed["would"], allowed["code"], allowed["duration_seconds"]) == ("issue", None, 900)
    frozen = next(r for r in allowed["rules"] if r["name"] == "prod-frozen")
    assert frozen["failed"] == "users" and "bob" not in json.dumps(frozen)
    assert not tvm_server.decisions()
    assert tvm_server.rows("SELECT count(*) AS n FROM sessions")[0]["n"] == 0


def test_attack_11_edited_policy_decides_the_next_request(tvm_server):
    """ATK-11: an edit counts at once; a document that does not load denies and is never served from before."""
    assert tvm_server.vend("alice", "prod").status == 200
    tvm_server.write("policy.yaml", POLICY.replace("effect: allow, conditions: {profiles: [prod]",
                                                   "effect: deny, reason: stop, conditions: {profiles: [prod]"))
    assert tvm_server.vend("alice", "prod").code == "POLICY_DENY"
    tvm_server.write("policy.yaml", POLICY.replace("effect: allow", "effect: Allow"))
    assert tvm_server.vend("alice", "prod").code == "POLICY_ERROR"
    tvm_server.write("policy.yaml", POLICY)
    assert tvm_server.vend("alice", "prod").status == 200
    (tvm_server.policy_dir / "policy.yaml").unlink()
    assert tvm_server.vend("alice", "prod").status == 404  # no policy is default deny, and the name is hidden
    (tvm_server.policy_dir / "catalog.yaml").unlink()
    assert tvm_server.vend("alice", "prod").code == "CONFIG_ERROR"


@pytest.mark.parametrize("effect", ["require_approval", "deny"])
def test_attack_12_only_allow_issues(start_tvm, shared_lab, effect):
    """ATK-12, TVM-08: an effect that is not allow never falls through to issuing."""
    policy = f'version: "1"\nrules:\n- {{name: r, effect: {effect}, reason: "say why", conditions: {{profiles: [dev]}}}}\n'
    server = start_tvm(shared_lab, policy=policy)
    answer = server.vend("alice", "dev")
    assert answer.status == 403 and "say why" in answer.json["message"]
    assert not [e for e in server.decisions() if e["outcome"] == "issued"]


def test_attack_23_names_reach_sts_only_in_their_alphabet(tvm_server):
    """ATK-23, TVM-02: a session name full of separators is replaced and hashed, and STS takes it."""
    server = tvm_server
    server.write("policy.yaml", 'version: "1"\nrules:\n- {name: r, effect: allow, conditions: {profiles: [dev]}}\n')
    role = server.lab.client("sts", "alice").assume_role(
        RoleArn=role_arn("AgentRunner"), RoleSessionName="a=approved=b@c,d")["Credentials"]
    answer = server.vend((role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"]), "dev")
    assert answer.status == 200, answer
    stamp = answer.json["session"]["source_identity"]
    assert stamp.count("=") == 3 and stamp.split("=")[2] == "direct" and len(stamp) <= 63
    assert "+" in stamp.split("=")[1]


def test_attack_32_rate_limit(start_tvm, shared_lab):
    """TVM-14, ATK-32: one caller's limit is his own; another session name of one role does not dodge the role's."""
    server = start_tvm(shared_lab, settings={"SENTINEL_RATE_LIMIT_REQUESTS": "5", "SENTINEL_RATE_LIMIT_WINDOW": "3600"})
    for _ in range(5):
        assert server.call("alice", "GET", "/v1/whoami").status == 200
    answer = server.call("alice", "GET", "/v1/whoami")
    assert (answer.status, answer.code) == (429, "RATE_LIMITED")
    assert int(answer.headers["Retry-After"]) >= 1 and answer.json["message"].startswith("Too many requests; retry in ")
    assert server.vend("alice", "dev").status == 429
    assert server.call("bob", "GET", "/v1/whoami").status == 200


@pytest.mark.parametrize("settings,status", [
    ({"SENTINEL_ALLOWED_ACCOUNTS": "111122223333"}, 403), ({"SENTINEL_ALLOWED_ACCOUNTS": f"111122223333,{ACCOUNT}"}, 200),
    ({"SENTINEL_TRUSTED_CALLERS": "arn:aws:iam::*:user/bob"}, 403), ({"SENTINEL_TRUSTED_CALLERS": "arn:aws:iam::*:user/al*"}, 200),
])
def test_admission(start_tvm, shared_lab, settings, status):
    """TVM-04: who may use the service at all."""
    answer = start_tvm(shared_lab, settings=settings).call("alice", "GET", "/v1/whoami")
    assert answer.status == status
    assert status == 200 or answer.code == "CALLER_NOT_ALLOWED"


def test_vouching_roles_and_operators(start_tvm, shared_lab):
    """TVM-04: the operator's word vouches; the target role of a catalogue entry is never vouched."""
    server = start_tvm(shared_lab, settings={"SENTINEL_VOUCHING_ROLES": "Agent*,Sentinel*",
                                             "SENTINEL_OPERATORS": "alice role:Other"})
    role = server.lab.client("sts", "alice").assume_role(
        RoleArn=role_arn("AgentRunner"), RoleSessionName="bob")["Credentials"]
    seen = server.call((role["AccessKeyId"], role["SecretAccessKey"], role["SessionToken"]), "GET", "/v1/whoami").json
    assert seen["principal"]["vouched_by"] == "vouching_role" and seen["operator"] is False
    issued = server.vend("alice", "dev").json["credentials"]
    keys = (issued["access_key_id"], issued["secret_access_key"], issued["session_token"])
    again = server.call(keys, "GET", "/v1/whoami").json["principal"]
    assert again["role"] == "SentinelProtected-dev" and again["vouched"] is False
    assert server.call("alice", "GET", "/v1/whoami").json["operator"] is True


def test_parallel_vends_are_all_recorded(tvm_server):
    """TVM-51: under load every credential that left has its record, and the chain verifies."""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: tvm_server.vend("alice" if i % 2 else "bob", "dev"), range(96)))
    assert [a.status for a in answers] == [200] * 96
    ids = {a.headers["X-Sentinel-Request-Id"] for a in answers}
    assert len(ids) == 96
    issued = {e["request_id"] for e in tvm_server.decisions() if e["outcome"] == "issued"}
    assert ids <= issued
    done = subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--key-file", tvm_server.state / "audit.key",
                           tvm_server.state / "audit" / "audit.log"], capture_output=True, text=True, timeout=60,
                          env=tvm_server.environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_openapi_is_served_and_printed(tvm_server):
    """TVM-59: one document, in the server, in the command and in the sources."""
    assert tvm_server.call("alice", "GET", "/openapi.json").json == OPENAPI
    printed = tvm_server.tool("openapi")
    assert printed.returncode == 0 and json.loads(printed.stdout) == OPENAPI
    assert tvm_server.send("GET", "/openapi.json").code == "PROOF_REQUIRED"
    for path, item in OPENAPI["paths"].items():
        for method in item:
            validate(path, method.upper(), 404, {"code": "NOT_FOUND", "message": "m", "hint": "", "request_id": ""})
    assert "prod" in CATALOG
