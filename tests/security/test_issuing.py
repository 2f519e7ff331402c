# SPDX-License-Identifier: Apache-2.0
"""Attacks on what is issued and what is told: durations, roles, fields, limits, oracles."""
import json

import pytest

import stub_sts
from harness import ACCOUNT, role_arn
from tvm import CATALOG, POLICY

OTHER = "111122223333"
EVERYBODY = 'version: "1"\nrules:\n- {name: all, effect: allow, conditions: {profiles: [dev]}}\n'


def asked_durations(server):
    return [int(e["parameters"]["durationSeconds"]) for e in server.sts_calls("AssumeRole")]


# --- ATK-21 ---

NO_DURATION = ["899", "43201", "0", "-900", "+900", "0900", "900.0", "9e2", "1e3", "0x384", "900 ", " 900", "9_00", "abc", "", "1h", "NaN", "Infinity",
               "99999999999999999999", "18446744073709552516", "4294968196", "-0", "９００"]


def test_attack_21_durations_that_are_none(tvm_server):
    """ATK-21, TVM-05: one parser, in query, alias body and body alike: refused with the reason, STS not asked."""
    import urllib.parse
    before = asked_durations(tvm_server)
    for text in NO_DURATION:
        quoted = urllib.parse.quote(text)
        answers = [tvm_server.call("alice", "GET", f"/?profile=dev&duration={quoted}"),
                   tvm_server.call("alice", "POST", "/", {"profile": "dev", "duration": text}),
                   tvm_server.call("alice", "POST", "/v1/credentials", b'{"profile":"dev","duration":' + json.dumps(text).encode() + b"}")]
        if text not in ("", "abc", "1h", "NaN", "Infinity", "0x384", "+900", "0900", "9_00", "900 ", " 900", "９００"):
            answers.append(tvm_server.call("alice", "POST", "/v1/credentials", f'{{"profile":"dev","duration":{text}}}'.encode()))
        for answer in answers:
            assert answer.status == 400 and answer.code in ("INVALID_DURATION", "INVALID_REQUEST"), (text, answer)
            # An empty one is none; a number beyond 64 bits is no JSON that is read here.
            assert answer.code == "INVALID_DURATION" or text in ("", "-0") or len(text) > 18, (text, answer)
    for body in (b'{"profile":"dev","duration":"900"}', b'{"profile":"dev","duration":true}', b'{"profile":"dev","duration":null}',
                 b'{"profile":"dev","duration":[900]}', b'{"profile":"dev","duration":{}}'):
        assert tvm_server.call("alice", "POST", "/v1/credentials", body).status == 400
    assert asked_durations(tvm_server) == before and not tvm_server.decisions()


def test_attack_21_one_result_in_every_encoding(tvm_server):
    """ATK-21: the same wish in three encodings gives the same duration."""
    answers = [tvm_server.call("alice", "GET", "/?duration=1800&profile=dev"), tvm_server.call("alice", "POST", "/", {"profile": "dev", "duration": "1800"}),
               tvm_server.call("alice", "POST", "/?profile=dev", {"duration": "1800"}), tvm_server.vend("alice", "dev", parameters={"duration": 1800})]
    assert [a.status for a in answers] == [200] * 4
    assert asked_durations(tvm_server)[-4:] == [1800] * 4


def test_attack_21_caps_in_order(start_tvm, shared_lab):
    """ATK-21, TVM-07, POL-23: rule, catalogue, role chaining; the smallest holds and is named, and nothing lifts one."""
    policy = ('version: "1"\nrules:\n- {name: ruled, effect: allow, max_server_duration: 20m, conditions: {profiles: [staging], users: [bob]}}\n'
              "- {name: all, effect: allow, conditions: {profiles: [dev, staging]}}\n")
    server = start_tvm(shared_lab, policy=policy)
    for who, profile, wanted, given, by in (("alice", "dev", 43200, 3600, "role_chaining"), ("alice", "staging", 43200, 1800, "profile"),
                                            ("bob", "staging", 3600, 1200, "rule"), ("bob", "staging", 900, 900, None), ("alice", "dev", None, 900, None)):
        answer = server.vend(who, profile, parameters={"duration": wanted} if wanted else {})
        session = answer.json["session"]
        assert (session["duration_seconds"], session["capped_by"]) == (given, by), answer
        assert asked_durations(server)[-1] == given


def test_attack_21_role_maximum_refuses_with_a_reason(stubbed):
    """ATK-21: a server with keys of its own may ask for more than an hour; STS's refusal of what the role does not allow is no issue."""
    stub, server = stubbed(policy=EVERYBODY, own=f"arn:aws:iam::{ACCOUNT}:user/tvm")
    too_long = (f"<ErrorResponse xmlns='{stub_sts.NAMESPACE}'><Error><Type>Sender</Type><Code>ValidationError</Code><Message>The requested "
                "DurationSeconds exceeds the MaxSessionDuration set for this role.</Message></Error></ErrorResponse>").encode()
    stub.assume = lambda asked: (400, "text/xml", too_long) if int(asked["DurationSeconds"]) > 14400 else stub_sts.assumed(asked)
    assert server.vend("alice", "dev", parameters={"duration": 14400}).json["session"]["duration_seconds"] == 14400
    answer = server.vend("alice", "dev", parameters={"duration": 43200})
    assert answer.status == 500 and answer.code == "CREDENTIAL_ERROR", answer
    assert server.decisions()[-1]["outcome"] == "error"


# --- ATK-22 ---


@pytest.mark.parametrize("more", [
    {"role_arn": role_arn("SentinelProtected-prod")}, {"RoleArn": role_arn("SentinelProtected-prod")}, {"role": "SentinelProtected-prod"},
    {"external_id": "x"}, {"account": OTHER}, {"session_policy": "{}"}, {"policy_arns": []}, {"tags": {"a": "b"}}, {"source_identity": "x"},
    {"session_name": "root"}, {"region": "eu-west-1"}, {"principal": "alice"}, {"user": "bob"}, {"partition": "aws-cn"},
])
def test_attack_22_no_member_reaches_sts(tvm_server, more):
    """ATK-22: whatever else a client names is refused, in the body of either route; in a query of the alias it does nothing."""
    before = len(tvm_server.sts_calls("AssumeRole"))
    assert tvm_server.call("alice", "POST", "/v1/credentials", {"profile": "dev", **more}).code == "INVALID_REQUEST"
    assert tvm_server.call("alice", "POST", "/", {"profile": "dev", **more}).code == "INVALID_REQUEST"
    assert len(tvm_server.sts_calls("AssumeRole")) == before
    name, value = next(iter(more.items()))
    answer = tvm_server.call("alice", "GET", f"/?profile=dev&{name}={value if isinstance(value, str) else 'x'}")
    assert answer.status == 200
    asked = tvm_server.sts_calls("AssumeRole")[-1]["parameters"]
    assert asked["roleArn"] == role_arn("SentinelProtected-dev") and not asked.get("externalId") and not asked.get("policy")
    assert [tag["key"] for tag in asked["tags"]] == ["SentinelSessionID"]


@pytest.mark.parametrize("name", [role_arn("SentinelProtected-dev"), f"arn:aws:iam::{OTHER}:role/Admin", "arn:aws-cn:iam::123456789012:role/x",
                                  "arn:aws:sts::123456789012:assumed-role/SentinelProtected-dev/x"])
def test_attack_22_arn_is_no_name(tvm_server, name):
    """ATK-22, TVM-37, AUD-39: on every route."""
    import urllib.parse
    before = len(tvm_server.sts_calls("AssumeRole"))
    for answer in (tvm_server.vend("alice", name), tvm_server.call("alice", "GET", "/?profile=" + urllib.parse.quote(name, safe="")),
                   tvm_server.call("alice", "POST", "/v1/explain", {"profile": name})):
        assert (answer.status, answer.code) == (404, "UNKNOWN_PROFILE"), answer
    assert len(tvm_server.sts_calls("AssumeRole")) == before


def test_attack_22_external_id_and_account_are_the_catalogues(stubbed):
    """ATK-22: external id, role and account come from the entry; the answer must be for exactly that role."""
    catalog = f'version: "1"\nprofiles:\n  dev: {{role_arn: "arn:aws:iam::{OTHER}:role/team/Audit", external_id: x1-7f}}\n'
    stub, server = stubbed(policy=EVERYBODY, catalog=catalog)
    stub.assume = stub_sts.assumed
    assert server.vend("alice", "dev").status == 200
    assert (stub.asked[-1]["RoleArn"], stub.asked[-1]["ExternalId"]) == (f"arn:aws:iam::{OTHER}:role/team/Audit", "x1-7f")
    stub.assume = lambda asked: stub_sts.assumed({**asked, "RoleArn": role_arn("Audit")})
    assert server.vend("alice", "dev").code == "CREDENTIAL_ERROR"


@pytest.mark.parametrize("arn,settings,code", [
    (f"arn:aws-cn:iam::{ACCOUNT}:role/x", {}, "CONFIG_ERROR"), (role_arn("Admin"), {"SENTINEL_ROLE_PREFIX": "Sentinel"}, "CONFIG_ERROR"),
    (f"arn:aws:iam::{ACCOUNT}:user/x", {}, "POLICY_ERROR"), ("arn:aws:iam::123:role/x", {}, "POLICY_ERROR"), ("dev", {}, "POLICY_ERROR"),
    (f"arn:aws:iam::{ACCOUNT}:role/*", {}, "POLICY_ERROR"), (f"arn:aws:sts::{ACCOUNT}:assumed-role/x/y", {}, "POLICY_ERROR"),
])
def test_attack_22_entries_that_name_no_role_of_ours(start_tvm, shared_lab, arn, settings, code):
    """ATK-22, POL-47: partition, form and prefix of an entry are checked before STS is asked."""
    server = start_tvm(shared_lab, policy=EVERYBODY, catalog=f'version: "1"\nprofiles:\n  dev: {{role_arn: "{arn}"}}\n', settings=settings)
    before = len(server.sts_calls("AssumeRole"))
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (500, code), answer
    assert arn not in answer.text and len(server.sts_calls("AssumeRole")) == before


# --- ATK-23 ---

HOSTILE_NAMES = ["alice=direct=0123456789abcdef", "sentinel=alice", "alice=approved=0123456789abcdef", "a=b=c=d", "=", "alice+5fb5fb", "+" * 30,
                 "x" * 64, "alice,bob", "aws.alice", "a" * 26, "a" * 27, "-", "_", "alice@corp.com"]


@pytest.mark.parametrize("kind", ["user", "role", "federated"])
def test_attack_23_names_stay_inside_their_field(stubbed, kind):
    """ATK-23, TVM-02, AUD-07: whatever a caller is called, STS is asked with four parts, one session name and one tag."""
    import re
    stub, server = stubbed(policy=EVERYBODY)
    stub.assume = stub_sts.assumed
    shape = {"user": f"arn:aws:iam::{ACCOUNT}:user/", "role": f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReserved/",
             "federated": f"arn:aws:sts::{ACCOUNT}:federated-user/"}[kind]
    seen = {}
    for name in HOSTILE_NAMES:
        stub.is_asked_by(shape + name)
        answer = server.vend("alice", "dev")
        if kind == "role" and len(name) == 1:
            continue  # AWS knows no session name of one letter
        assert answer.status == 200, (name, answer)
        asked = stub.asked[-1]
        match = re.fullmatch(r"sentinel=([A-Za-z0-9_+,.@-]{1,26})=(direct)=([0-9a-hjkmnp-tv-z]{16})", asked["SourceIdentity"])
        assert match and len(asked["SourceIdentity"]) <= 63, (name, asked)
        assert asked["RoleSessionName"] == f"{match[1]}-{match[3]}" and re.fullmatch(r"[\w+=,.@-]{2,64}", asked["RoleSessionName"])
        tags = {k: v for k, v in asked.items() if k.startswith("Tags.") or k.startswith("TransitiveTagKeys.")}
        assert [v for k, v in sorted(tags.items()) if k.endswith(".Key")] == ["SentinelSessionID"] and match[3] in tags.values()
        assert match[1] not in seen, (name, seen.get(match[1]))
        seen[match[1]] = name
        if kind != "user":
            assert re.search(r"\+[0-9a-f]{6}$", match[1]), name


@pytest.mark.parametrize("tags", ['{"aws:x": a}', '{"AWS:x": a}', '{SentinelSessionID: a}', '{sentinelx: a}', '{SENTINELGRANTID: a}', '{"a;b": c}', '{"a\\u0000": b}',
                                  '{a: "b\\nc"}', '{"": b}', "{" + ", ".join(f"k{n}: v" for n in range(49)) + "}", "{" + "k" * 129 + ": v}", "{k: " + "v" * 257 + "}"])
def test_attack_23_tags_that_would_pass_for_sentinels(start_tvm, shared_lab, tags):
    """ATK-23, POL-47: a catalogue cannot set reserved or malformed tags."""
    server = start_tvm(shared_lab, policy=EVERYBODY, catalog=f'version: "1"\nprofiles:\n  dev: {{role_arn: "{role_arn("SentinelProtected-dev")}", tags: {tags}}}\n')
    assert server.vend("alice", "dev").code == "POLICY_ERROR"


def test_attack_23_form_encoding_keeps_fields_apart(stubbed):
    """ATK-23: values of the catalogue that look like parameters stay values."""
    catalog = (f'version: "1"\nprofiles:\n  dev: {{role_arn: "{role_arn("x")}", external_id: "a=b:c@d", tags: {{purpose: "x & RoleArn=y"}}}}\n')
    stub, server = stubbed(policy=EVERYBODY, catalog=catalog)
    stub.assume = stub_sts.assumed
    answer = server.vend("alice", "dev")
    if answer.status == 200:
        assert stub.asked[-1]["RoleArn"] == role_arn("x") and stub.asked[-1]["ExternalId"] == "a=b:c@d"
        assert "x & RoleArn=y" in stub.asked[-1].values()
    else:  # "&" is outside the alphabet of tags
        assert answer.code == "POLICY_ERROR"


# --- ATK-32 ---


def limited(server, stub, arn, user_id):
    stub.answer = (200, "text/xml", stub_sts.identity(f"<Arn>{arn}</Arn><UserId>{user_id}</UserId><Account>{arn.split(':')[4]}</Account>"))
    return server.call("alice", "GET", "/v1/whoami")


def test_attack_32_session_names_share_their_role(stubbed):
    """ATK-32, TVM-14: new session names get a caller twenty times the limit of one, not more; another role goes on."""
    stub, server = stubbed(settings={"SENTINEL_RATE_LIMIT_REQUESTS": "2", "SENTINEL_RATE_LIMIT_WINDOW": "3600"})
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/"
    answers = [limited(server, stub, f"{arn}s{n}", f"AROADEV:s{n}") for n in range(42)]
    assert [a.status for a in answers] == [200] * 40 + [429] * 2
    assert answers[-1].code == "RATE_LIMITED" and int(answers[-1].headers["Retry-After"]) >= 1
    assert limited(server, stub, f"arn:aws:sts::{ACCOUNT}:assumed-role/Ops/s1", "AROAOPS:s1").status == 200
    assert [limited(server, stub, f"{arn.replace('Dev', 'Ops')}one", "AROAOPS:one").status for _ in range(3)] == [200, 200, 429]


def test_attack_32_an_account_has_a_cap(stubbed):
    """ATK-32: a hundred times the limit for all callers of one account; another account goes on."""
    stub, server = stubbed(settings={"SENTINEL_RATE_LIMIT_REQUESTS": "1", "SENTINEL_RATE_LIMIT_WINDOW": "3600",
                                     "SENTINEL_ALLOWED_ACCOUNTS": f"{ACCOUNT},{OTHER}"})
    answers = [limited(server, stub, f"arn:aws:iam::{ACCOUNT}:user/u{n}", f"AIDA{n}") for n in range(101)]
    assert [a.status for a in answers] == [200] * 100 + [429]
    assert limited(server, stub, f"arn:aws:iam::{OTHER}:user/u1", "AIDAOTHER").status == 200


def test_attack_32_no_burst_on_the_edge_of_a_window(start_tvm, shared_lab):
    """ATK-32, TVM-14: whoever asks without a pause gets no more than the limit in any stretch of a window, wherever it begins."""
    import time
    limit, window_s = 3, 1
    server = start_tvm(shared_lab, settings={"SENTINEL_RATE_LIMIT_REQUESTS": limit, "SENTINEL_RATE_LIMIT_WINDOW": window_s})
    admitted, refused, end = [], 0, time.monotonic() + 3.5 * window_s
    while time.monotonic() < end:
        sent = time.monotonic()
        answer = server.call("alice", "GET", "/v1/whoami")
        assert (answer.status, answer.code) in ((200, None), (429, "RATE_LIMITED")), answer
        refused += answer.status == 429
        if answer.status == 200:
            admitted.append((sent, time.monotonic()))
    assert refused > len(admitted) >= 3 * limit  # it was asked often enough, and each window let its share through
    for early, late in zip(admitted, admitted[limit:]):
        assert late[1] - early[0] >= window_s


def test_attack_32_no_route_and_no_refusal_is_free(start_tvm, shared_lab):
    """ATK-32: every route counts, and so does a request that is refused for its parameters."""
    server = start_tvm(shared_lab, settings={"SENTINEL_RATE_LIMIT_REQUESTS": "5", "SENTINEL_RATE_LIMIT_WINDOW": "3600"})
    codes = [server.call("alice", "GET", "/?profile=-x").code, server.call("alice", "GET", "/v1/profiles").code, server.vend("alice", "nothing").code,
             server.call("alice", "POST", "/v1/explain", {"profile": "dev"}).code, server.call("alice", "POST", "/v1/credentials", b"{").code]
    assert "RATE_LIMITED" not in codes
    assert {server.vend("alice", "dev").code, server.call("alice", "GET", "/v1/whoami").code, server.call("alice", "GET", "/?profile=-x").code} == {"RATE_LIMITED"}
    assert not [d for d in server.decisions() if d.get("error_code") == "RATE_LIMITED"]
    server.wait_line("code=RATE_LIMITED", where=server.errors)


# --- ATK-34 ---


def test_attack_34_no_answer_tells_what_is_behind(start_tvm, start_lab):
    """ATK-34, TVM-13, AUD-38: over every kind of refusal no ARN, account, path, parameter name, host or key stands in an answer."""
    import re
    lab = start_lab()
    server = start_tvm(lab)
    key, secret = lab.keys("alice")
    answers = [server.vend("bob", "prod"), server.vend("bob", "staging"), server.vend("alice", "-x"), server.call("alice", "GET", "/nope"),
               server.send("GET", "/v1/whoami"), server.vend((key, "w" * 40), "dev"), server.vend("alice", "dev", audience="http://127.0.0.1:1")]
    lab.fault("sts:AssumeRole=500,3")
    answers.append(server.vend("alice", "dev"))
    lab.fault("none")
    server.write("policy.yaml", POLICY.replace("effect: allow", "effect: maybe", 1))
    answers.append(server.vend("alice", "dev"))
    server.write("catalog.yaml", CATALOG + "x")
    answers.append(server.vend("alice", "dev"))
    assert len({a.code for a in answers}) >= 8
    pattern = re.compile(r"arn:|[0-9]{12}|/sentinel/|sentinelprotected|policy\.yaml|catalog\.yaml|sqlite|127\.0\.0\.1|" + re.escape(str(server.dir)) + "|" +
                         key + "|" + re.escape(secret), re.I)
    for answer in answers:
        # The id of a request is chosen by chance and may hold any digits.
        text = answer.text.replace(answer.json["request_id"], "")
        assert not pattern.search(text), answer
        assert answer.json["hint"] is not None


def test_attack_34_hidden_costs_what_unknown_costs(start_tvm, start_lab):
    """ATK-34, TVM-52: the same calls upstream, the same rows and records, for an unknown name, a hidden one and one of another's rule."""
    lab = start_lab()
    server = start_tvm(lab)
    assert server.call("bob", "GET", "/v1/whoami").status == 200

    def cost(profile):
        calls, records = len(lab.journal()), len(server.audit())
        answer = server.vend("bob", profile)
        record = server.decisions()[-1]
        return (answer.status, answer.code, answer.json["hint"], len(lab.journal()) - calls, len(server.audit()) - records,
                record["outcome"], record["error_code"], len(server.rows("SELECT id FROM sessions")), sorted(answer.headers))
    assert cost("staging") == cost("no-such-name") == cost("zzz")
    rows = {name: server.call("bob", "POST", "/v1/explain", {"profile": name}) for name in ("staging", "no-such-name")}
    assert len({(a.status, a.text.replace(a.json["request_id"], "")) for a in rows.values()}) == 1
    names = [p["name"] for p in server.call("bob", "GET", "/v1/profiles").json["profiles"]]
    assert "staging" not in names and "no-such-name" not in names
