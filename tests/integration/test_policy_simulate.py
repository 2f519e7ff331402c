# SPDX-License-Identifier: Apache-2.0
"""policy simulate: logs of a real server and generated ones, replayed against policies that are the same or changed."""
import datetime
import json
import random
import subprocess

import pytest

import harness
from harness import ACCOUNT
from tvm import POLICY

SENTINEL = harness.BIN / "sentinel"
DEVICE = ("mdm_enrolled", "mdm_compliant", "os_type", "os_version")
PEOPLE = ["rita", "omar7", "jane.doe@corp.com", "someone", "x"]
WRITTEN = """version: "1"
groups:
  finance-ops: [rita, omar7, "jane.doe@corp.com"]
rules:
  - {name: freeze-weekend, effect: deny, conditions: {profiles: [billing-prod], time: {days: [saturday, sunday], timezone: Europe/Lisbon}}}
  - name: prod-tracked
    effect: require_server_session
    conditions:
      profiles: [billing-prod]
      users: ["group:finance-ops"]
      device: {require_mdm_compliant: true, min_os_version: "14.2", allowed_os_types: [darwin]}
  - {name: ask, effect: require_approval, conditions: {profiles: [billing-prod], users: ["group:finance-ops"]}}
  - {name: rest, effect: deny, conditions: {}}
"""


def run(*arguments, stdin=None, cwd=None):
    return subprocess.run([SENTINEL, "policy", "simulate", *arguments], env=harness.closed_environment("/nonexistent"),
                          cwd=cwd, capture_output=True, text=True, check=False, timeout=60, input=stdin)


def oracle(person, instant, posture):
    """The policy above by hand: winter time in Lisbon is UTC, summer time an hour ahead."""
    summer = datetime.datetime(2026, 3, 29, 1, tzinfo=datetime.timezone.utc) <= instant
    local = instant + datetime.timedelta(hours=1 if summer else 0)
    if local.weekday() >= 5:
        return "deny", "freeze-weekend", 0
    if person not in PEOPLE[:3]:
        return "deny", "rest", 3
    if posture.get("mdm_compliant") and posture.get("mdm_enrolled") and posture.get("os_type") == "darwin" and \
            posture.get("os_version") in ("14.2", "15"):
        return "allow", "prod-tracked", 1
    return "require_approval", "ask", 2


def entry(number, person, instant, posture, result, **more):
    effect, rule, index = result
    return {"timestamp": instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{number % 1000:03}Z", "event": "decision",
            "user": person, "profile": "billing-prod", "effect": "allow" if effect == "allow" else "deny", "rule": rule,
            "rule_index": index, "reason": "", "policy_path": "/sentinel/policies/billing-prod",
            "request_id": f"{number:016}", **{f"device_{key}": posture[key] for key in DEVICE if key in posture},
            "policy_effect": effect, "outcome": "issued" if effect == "allow" else "denied", **more,
            "caller_arn": f"arn:aws:iam::{ACCOUNT}:user/{person}", "account_id": ACCOUNT, "vouched": True}


@pytest.fixture(scope="module")
def logged(tmp_path_factory):
    """10,000 decisions as the policy above makes them, about the time when clocks change."""
    dice = random.Random(20260329)
    folder = tmp_path_factory.mktemp("simulate")
    (folder / "p.yaml").write_text(WRITTEN)
    start = datetime.datetime(2026, 3, 20, tzinfo=datetime.timezone.utc)
    entries = []
    for number in range(10000):
        instant = start + datetime.timedelta(seconds=dice.randrange(20 * 86400))
        posture = dice.choice([{}, {"mdm_enrolled": True, "mdm_compliant": True, "os_type": "darwin",
                                    "os_version": dice.choice(["14.2", "14.1.9", "15"])},
                               {"mdm_enrolled": True, "mdm_compliant": False, "os_type": "darwin", "os_version": "15"}])
        person = dice.choice(PEOPLE)
        entries.append(entry(number, person, instant, posture, oracle(person, instant, posture)))
    (folder / "a.log").write_text("".join(json.dumps(e, separators=(",", ":")) + "\n" for e in entries))
    return folder, entries


def test_the_same_policy_changes_nothing(logged):
    """POL-55: no change among 10,000 decisions, in quick lines and in foreign ones."""
    folder, entries = logged
    (folder / "foreign.log").write_text("".join(json.dumps(dict(reversed(list(e.items())))) + "\n" for e in entries))
    for name in ("a.log", "foreign.log"):
        done = run("--json", "--fail-on-change", "--log", folder / name, folder / "p.yaml")
        answer = json.loads(done.stdout)
        assert done.returncode == 0, done.stdout + done.stderr
        assert answer["entries"]["evaluated"] == answer["unchanged"] == 10000
        assert not any(answer["changes"].values()) and answer["groups"] == []
        times = sorted(e["timestamp"] for e in entries)
        assert (answer["from"], answer["to"]) == (times[0], times[-1])


def test_a_removed_user_loses_exactly_what_he_had(logged):
    """POL-55: all that omar7 was allowed or could ask for is newly denied, and nothing else changes."""
    folder, entries = logged
    (folder / "less.yaml").write_text(WRITTEN.replace("omar7, ", ""))
    done = run("--json", "--fail-on-change", "--log", folder / "a.log", folder / "less.yaml")
    answer = json.loads(done.stdout)
    lost = [e for e in entries if e["user"] == "omar7" and e["policy_effect"] != "deny"]
    assert done.returncode == 1
    assert answer["changes"] == {"newly_denied": len(lost), "newly_asked": 0, "newly_allowed": 0, "override_lost": 0}
    assert {g["caller_arn"] for g in answer["groups"]} == {f"arn:aws:iam::{ACCOUNT}:user/omar7"}
    assert sum(g["count"] for g in answer["groups"]) == len(lost)
    for group in answer["groups"]:
        assert group["to"] == {"effect": "deny", "rule": "rest"} and len(group["examples"]) == 3
        for example in group["examples"]:
            shown = entries[example["line"] - 1]
            assert (shown["user"], shown["rule"]) == ("omar7", group["from"]["rule"])
            assert shown["timestamp"] == example["timestamp"]
    without = run("--json", "--log", folder / "a.log", folder / "less.yaml")
    assert without.returncode == 0 and json.loads(without.stdout)["changes"] == answer["changes"]


def test_a_line_that_is_cut_off(logged):
    """POL-55: exit 3 although the rest is replayed and shown, naming file and line; 0 when that is allowed."""
    folder, entries = logged
    text = (folder / "a.log").read_text()
    (folder / "cut.log").write_text(text[:-40])
    done = run("--json", "--fail-on-change", "--log", folder / "cut.log", folder / "p.yaml")
    answer = json.loads(done.stdout)
    assert done.returncode == 3
    assert "cut.log:10000: not replayed" in done.stderr
    assert answer["entries"]["evaluated"] == 9999 and answer["entries"]["incomplete"] == 1
    assert [(i["line"], i["why"]) for i in answer["incomplete_lines"]] == [(10000, "it is no JSON object")]
    assert run("--allow-incomplete", "--log", folder / "cut.log", folder / "p.yaml").returncode == 0


def test_two_versions_are_compared_on_the_same_requests(logged):
    """POL-55: with --against the log says only what was asked, not what came out."""
    folder, entries = logged
    (folder / "more.yaml").write_text(WRITTEN.replace('omar7, ', 'omar7, someone, '))
    done = run("--json", "--log", folder / "a.log", "--against", folder / "more.yaml", folder / "p.yaml")
    answer = json.loads(done.stdout)
    assert answer["against"].endswith("more.yaml")
    assert {g["caller_arn"].rsplit("/", 1)[1] for g in answer["groups"]} == {"someone"}
    assert answer["changes"]["newly_denied"] == sum(g["count"] for g in answer["groups"]) > 0


def test_periods_and_profiles(logged):
    """POL-55: what lies outside is counted apart; an age counts from now."""
    folder, entries = logged
    done = run("--json", "--log", folder / "a.log", "--since", "2026-03-25T00:00:00Z", "--until", "2026-03-26T00:00:00Z",
               folder / "p.yaml")
    inside = [e for e in entries if "2026-03-25" <= e["timestamp"] < "2026-03-26"]
    answer = json.loads(done.stdout)
    assert answer["entries"]["evaluated"] == len(inside) > 0
    assert answer["entries"]["filtered"] == 10000 - len(inside)
    assert json.loads(run("--json", "--log", folder / "a.log", "--since", "0s", folder / "p.yaml").stdout)[
        "entries"]["filtered"] == 10000
    nothing = run("--log", folder / "a.log", "--profile", "other", folder / "p.yaml")
    assert nothing.returncode == 3 and "no decision that can be replayed" in nothing.stderr


def test_a_directory_gives_each_decision_its_policy(tmp_path):
    """POL-55: one file for several documents of the log is refused; a directory is what it needs."""
    (tmp_path / "d" / "policies" / "team").mkdir(parents=True)
    (tmp_path / "d" / "policies" / "a.yaml").write_text(
        'version: "1"\nrules:\n  - {name: a, effect: allow, conditions: {users: [rita]}}\n'.replace("{users", "{profiles: [a], users"))
    (tmp_path / "d" / "policies" / "team" / "b.yaml").write_text(
        'version: "1"\nrules:\n  - {name: b, effect: require_approval, conditions: {}}\n')
    base = entry(1, "rita", datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc), {}, ("allow", "a", 0))
    lines = [dict(base, profile="a", policy_path="/sentinel/policies/a"),
             dict(base, profile="team/b", policy_path="/sentinel/policies/team/b"),
             dict(base, profile="c", policy_path="/sentinel/policies/c")]
    (tmp_path / "x.log").write_text("".join(json.dumps(e) + "\n" for e in lines))
    answer = json.loads(run("--json", "--log", "x.log", "d", cwd=tmp_path).stdout)
    assert [(g["change"], g["profile"], g["to"]["rule"]) for g in answer["groups"]] == \
        [("newly_denied", "c", ""), ("newly_asked", "team/b", "b")]
    refused = run("--log", "x.log", "d/policies/a.yaml", cwd=tmp_path)
    assert refused.returncode == 2 and "--profile" in refused.stderr
    assert run("--log", "x.log", "--profile", "a", "d/policies/a.yaml", cwd=tmp_path).returncode == 0
    piped = run("--json", "--log", "-", "d", cwd=tmp_path, stdin=(tmp_path / "x.log").read_text())
    assert json.loads(piped.stdout)["groups"][0]["examples"][0]["file"] == "<stdin>"


def test_lost_overrides(tmp_path):
    """POL-55: issued under an approval or an emergency that the new decision would not admit."""
    (tmp_path / "old.yaml").write_text(
        'version: "1"\nrules:\n  - {name: no, effect: deny, conditions: {profiles: [billing-prod]}}\n')
    (tmp_path / "new.yaml").write_text(
        'version: "1"\nrules:\n  - {name: no, effect: deny, break_glass: never, conditions: {profiles: [billing-prod]}}\n')
    at = datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc)
    emergency = dict(entry(1, "rita", at, {}, ("deny", "no", 0), break_glass_event_id="bg-1"), effect="allow")
    approved = dict(entry(2, "rita", at, {}, ("deny", "", -1), approved_request_id="req-1"), effect="allow")
    refused = entry(3, "rita", at, {}, ("deny", "no", 0))
    (tmp_path / "x.log").write_text("".join(json.dumps(e) + "\n" for e in (emergency, approved, refused)))
    answers = [json.loads(run("--json", "--log", "x.log", name, cwd=tmp_path).stdout) for name in ("old.yaml", "new.yaml")]
    assert [a["changes"]["override_lost"] for a in answers] == [1, 2]
    assert answers[0]["groups"][0]["examples"][0]["line"] == 2
    assert answers[0]["unchanged"] == 2


def test_long_lines_and_other_events_pass_by(tmp_path):
    """POL-55: a line past 4 MiB is incomplete and the next one is read; memory does not grow with it."""
    (tmp_path / "p.yaml").write_text('version: "1"\nrules:\n  - {name: r, effect: allow, conditions: {profiles: [billing-prod]}}\n')
    good = json.dumps(entry(1, "rita", datetime.datetime(2026, 3, 2, tzinfo=datetime.timezone.utc), {}, ("allow", "r", 0)))
    with open(tmp_path / "x.log", "w", encoding="utf-8") as log:
        log.write(good + "\n" + "{" * (9 << 20) + "\n" + good + "\n" + '{"timestamp":"x","event":"access.request"}\n' + good)
    done = run("--json", "--log", "x.log", "p.yaml", cwd=tmp_path)
    answer = json.loads(done.stdout)
    assert done.returncode == 3
    assert [(i["line"], i["why"]) for i in answer["incomplete_lines"]] == [(2, "the line is longer than 4 MiB")]
    assert answer["entries"] == {"read": 5, "evaluated": 3, "other_events": 1, "not_evaluated": 0, "filtered": 0,
                                 "incomplete": 1}


def test_the_log_of_a_server_replays_without_change(tvm_server, tmp_path):
    """POL-55: what a server decided is decided again alike, from its own signed records."""
    for who, profile in (("alice", "prod"), ("bob", "prod"), ("alice", "dev"), ("alice", "no-such")):
        tvm_server.vend(who, profile)
    (tmp_path / "policy.yaml").write_text(POLICY)
    logs = [word for path in tvm_server.audit_files() for word in ("--log", str(path))]
    done = run("--json", "--fail-on-change", "--tvm-account", ACCOUNT, *logs, tmp_path / "policy.yaml")
    answer = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert answer["unchanged"] == answer["entries"]["evaluated"] >= 3
    assert answer["entries"]["other_events"] >= 1, "audit.opened"
