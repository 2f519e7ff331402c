# SPDX-License-Identifier: Apache-2.0
"""STS that fails in each way there is, for the proof of identity and for AssumeRole: the code, the row, the record, recovery.

What one answer of a wrong form does to a proof is in test_tvm_proof.py; here are AssumeRole, the ways that take time or change
who is meant, what stays behind, and how often STS is asked.
"""
import concurrent.futures
import json
import time

import pytest

from harness import ACCOUNT
from seals import broken_rows

FAULTS = ["throttle", "500", "cut", "html", "redirect", "other-role", "two-arns", "wrong-type"]
MAY_RETRY = {"throttle", "500", "cut"}


def vends(lab):
    """Calls of AssumeRole that the server made for a caller; it takes its own role with other keys."""
    return [e for e in lab.journal() if e["action"] == "AssumeRole" and "assumed-role/SentinelTVM" in json.dumps(e["caller"])]


def issued_keys(lab):
    """Key ids of sessions that the lab has given out for protected roles, whether or not the answer arrived whole."""
    found = []
    for event in lab.events("AssumeRole"):
        asked, answer = event["event"]["requestParameters"] or {}, event["event"]["responseElements"] or {}
        if "SentinelProtected" in asked.get("roleArn", "") and answer.get("credentials"):
            found.append(answer["credentials"]["accessKeyId"])
    return found


@pytest.mark.parametrize("kind", FAULTS)
def test_attack_03_assume_role(start_tvm, start_lab, kind):
    """TVM-13, AUD-12, ATK-03: one code, one record, the row ended; keys that STS did make are written nowhere."""
    lab = start_lab()
    server = start_tvm(lab)
    assert server.send("GET", "/readyz").status == 200  # the server's own role is taken before the fault
    before = len(vends(lab))
    lab.fault(f"sts:AssumeRole={kind},9")
    answer = server.vend("alice", "dev")
    assert (answer.status, answer.code) == (500, "CREDENTIAL_ERROR"), answer
    assert set(answer.json) <= {"code", "message", "hint", "request_id"}
    for part in ("arn:", "sts", "html", "http"):
        assert part not in answer.json["message"].lower() + answer.json["hint"].lower()
    tries = len(vends(lab)) - before
    assert tries == 3 if kind in MAY_RETRY else tries == 1, tries
    records = [e for e in server.decisions() if e["request_id"] == answer.json["request_id"]]
    assert [(r["outcome"], r["effect"], r["policy_effect"]) for r in records] == [("error", "deny", "allow")]
    assert "access_key_id" not in records[0]
    rows = server.rows("SELECT id, status FROM sessions")
    assert [(row["id"], row["status"]) for row in rows] == [(answer.json["request_id"], "expired")]
    lab.fault("none")
    assert server.vend("bob", "dev").status == 200
    made = issued_keys(lab)[1:]
    assert bool(made) == (kind in {"cut", "other-role", "two-arns", "wrong-type"})
    server.end()
    assert not broken_rows(server.state / "sentinel.db", server.state / "state.key")  # the ended row is sealed anew
    for key in made:
        assert key not in server.output() + (server.state / "audit" / "audit.log").read_text() + answer.text


@pytest.mark.parametrize("kind", ["throttle", "html", "other-role", "two-arns", "wrong-type"])
def test_attack_03_own_role(start_tvm, start_lab, kind):
    """TVM-13: the server's own role cannot be had: nothing is vended, STS is asked for no other role, and it recovers."""
    lab = start_lab()
    lab.fault(f"sts:AssumeRole={kind},50")
    server = start_tvm(lab)
    answer = server.vend("alice", "dev")
    assert answer.status in (500, 503) and "credentials" not in answer.json, answer
    assert not vends(lab)
    assert not [e for e in server.decisions() if e["outcome"] == "issued"]
    lab.fault("none")
    recovered = time.monotonic() + 20
    while (again := server.vend("alice", "dev")).status != 200:
        assert time.monotonic() < recovered, again


def test_attack_03_other_caller(start_tvm, start_lab):
    """ATK-03: STS names somebody else than who signed: that one is the caller, nothing of alice's is given or told."""
    lab = start_lab()
    server = start_tvm(lab)
    assert server.vend("alice", "dev").status == 200
    lab.fault("sts:GetCallerIdentity=other-role,1")
    before = len(vends(lab))
    answer = server.vend("alice", "dev")
    assert answer.status in (403, 404) and "credentials" not in answer.json, answer
    assert len(vends(lab)) == before
    assert not [e for e in server.decisions() if e["request_id"] == answer.json["request_id"] and
                (e["user"] == "alice" or e["outcome"] == "issued")]
    assert server.vend("alice", "dev").status == 200


def test_attack_03_slow_sts(start_tvm, start_lab):
    """TVM-44, TVM-48: STS that does not answer: 503 for a proof, 504 for a role, in bounded time; others are served."""
    labs = start_lab(), start_lab()
    identity, role = [start_tvm(lab) for lab in labs]
    assert identity.vend("bob", "dev").status == role.vend("bob", "dev").status == 200
    labs[0].fault("sts:GetCallerIdentity=slow:60,1")
    labs[1].fault("sts:AssumeRole=slow:60,1")
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        start = time.monotonic()
        waiting = [pool.submit(server.vend, "alice", "dev") for server in (identity, role)]
        while not (labs[0].journal()[-1].get("fault") and labs[1].journal()[-1].get("fault")):
            assert time.monotonic() - start < 20
        assert identity.vend("bob", "dev").status == role.vend("bob", "dev").status == 200
        proof, vend = [future.result() for future in waiting]
        assert time.monotonic() - start < 25
    assert (proof.status, proof.code) == (503, "IDENTITY_UNAVAILABLE"), proof
    assert not [e for e in identity.decisions() if e["request_id"] == proof.json["request_id"]]
    assert (vend.status, vend.code) == (504, "UPSTREAM_TIMEOUT"), vend
    assert role.rows("SELECT status FROM sessions WHERE id = ?", vend.json["request_id"])[0]["status"] == "expired"
    assert role.decisions()[-1]["outcome"] == "error" or role.decisions()[-2]["outcome"] == "error"
    made = issued_keys(labs[1])
    for server in (identity, role):
        assert server.vend("alice", "dev").status == 200
    role.end()
    for key in set(made) - {e.get("access_key_id") for e in role.decisions()}:
        assert key not in role.output()


def test_attack_34_hidden_and_unknown_take_the_same_steps(start_tvm, start_lab):
    """TVM-52, ATK-34: a profile that is hidden and one that is not there: same bytes, same calls to STS, same rows and files."""
    lab = start_lab()
    server = start_tvm(lab)
    assert server.call("bob", "GET", "/v1/whoami").status == 200
    assert server.send("GET", "/readyz").status == 200  # from here on the server asks STS nothing of its own accord
    seen = {}
    for profile in ("staging", "stagimg", "nothing-like-it"):
        before, rows = len(lab.journal()), server.rows("SELECT count(*) AS n FROM sessions")[0]["n"]
        answers = [server.vend("bob", profile), server.call("bob", "POST", "/v1/explain", {"profile": profile}),
                   server.call("bob", "GET", f"/?profile={profile}")]
        ids = [a.json["request_id"] for a in answers]
        texts = [a.text.replace(i, "ID") for a, i in zip(answers, ids)]
        heads = [sorted((k, v.replace(i, "ID")) for k, v in a.headers.items() if k != "Date") for a, i in zip(answers, ids)]
        calls = [(e["action"], json.dumps(e.get("caller"), sort_keys=True)) for e in lab.journal()[before:]]
        records = [{k: v for k, v in e.items() if k not in ("timestamp", "request_id", "profile")}
                   for e in server.decisions() if e["request_id"] in ids]
        seen[profile] = [a.status for a in answers], texts, heads, calls, records
        assert server.rows("SELECT count(*) AS n FROM sessions")[0]["n"] == rows
    statuses, _, _, calls, records = seen["staging"]
    assert statuses == [404, 404, 404] and [c[0] for c in calls] == ["GetCallerIdentity"] * 3
    assert len(records) == 2
    # The record is for the auditor and may tell which it was; all that a caller can see is equal.
    for other in ("stagimg", "nothing-like-it"):
        assert seen[other][:4] == seen["staging"][:4], other
    assert ACCOUNT not in "".join(seen["staging"][1])
