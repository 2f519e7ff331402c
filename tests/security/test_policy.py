# SPDX-License-Identifier: Apache-2.0
"""Attacks on documents and time, at a running server: nothing doubtful is loaded, and what does not load denies."""
import datetime
import os
import time

import pytest

import harness
from harness import role_arn
from tvm import CATALOG

RULE = "- {name: r, effect: allow, conditions: {profiles: [dev]}}\n"
HEAD = 'version: "1"\nrules:\n'
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)) + HEAD + RULE
DOCUMENTS = {
    "unknown effect": HEAD + RULE.replace("allow", "permit"), "mis-cased effect": HEAD + RULE.replace("allow", "Allow"),
    "capital effect": HEAD + RULE.replace("allow", "ALLOW"), "effect with a blank": HEAD + RULE.replace("allow", '"allow "'),
    "effect is a list": HEAD + RULE.replace("allow", "[allow]"), "effect missing": HEAD + RULE.replace("effect: allow, ", ""),
    "misspelt key": HEAD + RULE.replace("conditions", "condition"), "misspelt condition": HEAD + RULE.replace("profiles", "profile"),
    "mis-cased key": HEAD + RULE.replace("effect", "Effect"), "unknown top key": HEAD + RULE + "extra: 1\n",
    "key given twice": HEAD + RULE.replace("effect: allow", "effect: deny, effect: allow"),
    "rules given twice": HEAD + RULE + "rules:\n" + RULE, "key twice in another style": HEAD + RULE.replace("effect: allow", 'effect: deny, "effect": allow'),
    "name twice": HEAD + RULE + RULE, "alias bomb": BOMB, "one alias": HEAD.replace('"1"', '&v "1"') + RULE.replace("name: r", "name: *v"),
    "merge key": HEAD + "- {<<: {effect: allow}, name: r, conditions: {profiles: [dev]}}\n", "tag": HEAD + RULE.replace("allow", "!!str allow"),
    "deep nesting": HEAD + RULE.replace("[dev]", "[" * 60 + "dev" + "]" * 60), "very deep": "[" * 20000,
    "second document": HEAD + RULE + "---\n" + HEAD + RULE, "document end and more": HEAD + RULE + "...\nrules: []\n",
    "NUL": HEAD + RULE.replace("dev", "d\0ev"), "byte order mark inside": HEAD + "\ufeff" + RULE, "tab": HEAD + "-\t" + RULE[2:],
    "control byte": HEAD + RULE.replace("dev", "d\x1bev"), "bad UTF-8": (HEAD + RULE).encode().replace(b"dev", b"d\xffev"),
    "UTF-16": (HEAD + RULE).encode("utf-16"), "ten megabytes": HEAD + RULE + "#" * (10 << 20), "empty": "", "only a comment": "# nothing\n",
    "no rules": 'version: "1"\n', "version 2": HEAD.replace('"1"', '"2"') + RULE, "version 1.0": HEAD.replace('"1"', "1.0") + RULE,
    "allow for all": HEAD + "- {name: r, effect: allow, conditions: {}}\n", "allow without conditions": HEAD + "- {name: r, effect: allow}\n",
    "a glob": HEAD + RULE.replace("dev", '"de*"'), "octal": HEAD + RULE.replace("[dev]", "[0755]") + "x: 0o7\n", "a scalar": "allow\n",
    "profiles null": HEAD + RULE.replace("[dev]", "null"), "yes for a flag": HEAD + RULE.replace("}}", ", device: {require_mdm: yes}}}"),
}


def put(server, text):
    path = server.policy_dir / ".new"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(0o644)
    path.rename(server.policy_dir / "policy.yaml")


def test_attack_08_documents_that_do_not_load(start_tvm, start_lab):
    """ATK-08, POL-10, POL-11, POL-12, POL-13, POL-14, POL-24: each is POLICY_ERROR, tells the caller nothing of itself, is not served from
    before, names itself in the log, costs little, and the right document works at once."""
    server = start_tvm(start_lab())
    for name, text in DOCUMENTS.items():
        put(server, HEAD + RULE)
        assert server.vend("alice", "dev").status == 200, f"before {name}"
        put(server, text)
        logged = len(server.errors)
        begin = time.monotonic()
        answer = server.vend("alice", "dev")
        expected = "CONFIG_ERROR" if name == "ten megabytes" else "POLICY_ERROR"  # that one is not even read
        assert (answer.status, answer.code) == (500, expected), (name, answer)
        assert time.monotonic() - begin < 5, name
        for part in ("policy.yaml", str(server.policy_dir), "permit", "line", "yaml", "Allow"):
            assert part not in answer.text, (name, answer)
        assert any("policy" in line for line in server.errors[logged:]) or server.wait_line("policy", where=server.errors), name
    put(server, HEAD + RULE)
    assert server.vend("alice", "dev").status == 200
    peak_kib = next(int(line.split()[1]) for line in open(f"/proc/{server.process.pid}/status", encoding="ascii") if line.startswith("VmHWM"))
    assert peak_kib < 200 * 1024


def test_attack_08_the_catalogue_is_read_as_strictly(start_tvm, start_lab):
    """ATK-08, POL-47: and a catalogue that does not load leaves no profile behind."""
    server = start_tvm(start_lab())
    one = CATALOG.splitlines(keepends=True)
    for text in (CATALOG.replace("role_arn", "Role_arn", 1), CATALOG.replace("role_arn", "rolearn", 1), CATALOG + one[2], CATALOG + "---\n",
                 CATALOG.replace('"1"', '&a "1"'), CATALOG + "x: 1\n", CATALOG.replace("  dev:", "\tdev:", 1)):
        server.write("catalog.yaml", text)
        answer = server.vend("alice", "dev")
        assert answer.status == 500 and answer.code in ("POLICY_ERROR", "CONFIG_ERROR"), text
        server.write("catalog.yaml", CATALOG)
        assert server.vend("alice", "dev").status == 200


# --- ATK-09: a server whose clock the test sets ---


class Clock(harness.FakeTime):
    """One standing time for the server and the lab, so that signatures hold; in seconds, so that no zone of the machine changes it."""

    def __init__(self, path):
        super().__init__(path)
        self.env |= {"FAKETIME_FMT": "%s"}
        self.instant = None

    def stand_at(self, text):
        self.instant = datetime.datetime.fromisoformat(text + "+00:00")
        new = self.path.with_suffix(".new")
        new.write_text(f"{int(self.instant.timestamp())}\n")
        new.rename(self.path)


@pytest.fixture
def timed(start_tvm, start_lab, tmp_path, takes_preload):
    """timed(policy, time, **settings) gives (server, clock)."""
    if not takes_preload or not Clock.LIBRARY.exists():
        pytest.skip("needs libfaketime and programs that take a preloaded library")

    def begin(policy, text, **settings):
        clock = Clock(tmp_path / "time")
        clock.stand_at(text)
        lab = start_lab(extra_env=clock.env)
        return start_tvm(lab, policy=policy, settings={**clock.env, **settings}), clock
    return begin


def window(zone=None, start="09:00", end="17:00", days=None):
    text = f'hours: {{start: "{start}", end: "{end}"}}' + (f", timezone: {zone}" if zone else "") + (f", days: [{days}]" if days else "")
    return HEAD + f"- {{name: w, effect: allow, conditions: {{profiles: [dev], time: {{{text}}}}}}}\n"


INSTANTS = {
    "summer and winter": (window("America/New_York"), [("2026-01-14T13:59:58", 403), ("2026-01-14T14:00:00", 200), ("2026-01-14T22:00:00", 403),
                                                       ("2026-07-14T13:00:00", 200), ("2026-07-14T21:00:00", 403)]),
    "gap": (window("Europe/Berlin", "02:00", "03:00"), [("2026-03-28T01:30:00", 200), ("2026-03-29T00:59:50", 403), ("2026-03-29T01:00:00", 403),
                                                      ("2026-03-29T01:30:00", 403)]),
    "overlap": (window("Europe/Berlin", "02:00", "03:00"), [("2026-10-25T00:30:00", 200), ("2026-10-25T01:30:00", 200), ("2026-10-25T02:00:00", 403)]),
    "leap day": (window(None, "00:00", "24:00", "tuesday"), [("2028-02-28T12:00:00", 403), ("2028-02-29T12:00:00", 200), ("2028-03-01T00:00:00", 403)]),
    "until 24:00": (window(None, "12:00", "24:00"), [("2026-02-01T23:59:50", 200), ("2026-02-02T00:00:00", 403)]),
    "over midnight": (window(None, "22:00", "06:00", "friday"), [("2026-02-06T05:00:00", 403), ("2026-02-06T22:00:00", 200), ("2026-02-07T05:59:50", 200),
                                                               ("2026-02-07T06:00:00", 403), ("2026-02-07T22:00:00", 403)]),
    "clock stepping back": (window(), [("2026-02-03T10:00:00", 200), ("2026-02-03T17:00:10", 403), ("2026-02-03T16:59:50", 200), ("2026-02-02T10:00:00", 401)]),
}


@pytest.mark.parametrize("name", INSTANTS)
def test_attack_09_instants(timed, name):
    """ATK-09, POL-04, POL-06, POL-07: the windows of the published examples at a server whose clock stands there. A clock
    that steps back is judged as it stands while proofs can still be told apart from used ones, and refused beyond that."""
    codes = {401: "PROOF_REPLAYED", 403: "POLICY_DENY"}
    policy, instants = INSTANTS[name]
    server, clock = timed(policy, instants[0][0])
    for text, status in instants:
        clock.stand_at(text)
        answer = server.vend("alice", "dev", when=clock.instant)
        assert answer.status == 200 if status == 200 else answer.code == codes[status], (text, answer)


def test_attack_09_host_zone_is_not_the_policys(timed):
    """ATK-09, POL-05: hours without a zone are UTC on a machine that lives in Tokyo."""
    server, clock = timed(window(), "2026-02-03T08:59:50", TZ="Asia/Tokyo")
    assert server.vend("alice", "dev", when=clock.instant).status != 200
    clock.stand_at("2026-02-03T09:00:00")
    assert server.vend("alice", "dev", when=clock.instant).status == 200


@pytest.mark.parametrize("zone", ["Mars/Base", "Local", "/etc/localtime", "../../etc/passwd", "utc", "EST5EDT/..", "Europe/berlin", '""'])
def test_attack_09_zones_that_are_none(start_tvm, shared_lab, zone):
    """ATK-09, POL-09: an unknown zone is no other zone; the document does not load."""
    server = start_tvm(shared_lab, policy=window(zone, "00:00", "24:00"))
    assert server.vend("alice", "dev").code == "POLICY_ERROR"
    server.write("policy.yaml", window("Europe/Berlin", "00:00", "24:00"))
    assert server.vend("alice", "dev").status == 200


def test_attack_09_machine_without_zone_data(start_tvm, shared_lab, tmp_path):
    """ATK-09: every zone but UTC is missing then, and missing is an error."""
    (tmp_path / "none").mkdir()
    server = start_tvm(shared_lab, policy=window("Europe/Berlin", "00:00", "24:00"), settings={"SENTINEL_ZONEINFO": tmp_path / "none"})
    assert server.vend("alice", "dev").code == "POLICY_ERROR"
    server.write("policy.yaml", window(None, "00:00", "24:00"))
    assert server.vend("alice", "dev").status == 200


@pytest.mark.parametrize("first,last", [("09:00", "09:00"), ("09:00", "24:01"), ("9:00", "17:00"), ("24:00", "24:00"), ("09:60", "17:00"), ("-1:00", "17:00")])
def test_attack_09_hours_that_are_none(start_tvm, shared_lab, first, last):
    """ATK-09, POL-08."""
    assert start_tvm(shared_lab, policy=window(None, first, last)).vend("alice", "dev").code == "POLICY_ERROR"


# --- ATK-11, ATK-12 ---


def test_attack_11_no_document_outlives_its_successor(start_tvm, start_lab):
    """ATK-11: a hundred changes, each decides the very next request; a broken one poisons neither what was before nor what follows."""
    server = start_tvm(start_lab())
    allow, deny = HEAD + RULE, HEAD + RULE.replace("allow", "deny, reason: stop")
    for turn in range(100):
        text, expected = ((allow, None), (deny, "POLICY_DENY"), (allow.replace("allow", "allov"), "POLICY_ERROR"), (deny, "POLICY_DENY"))[turn % 4]
        put(server, text)
        answer = server.vend("alice", "dev")
        assert answer.code == expected and (expected or answer.status == 200), (turn, answer)


def test_attack_11_same_size_and_time(start_tvm, shared_lab):
    """ATK-11: an edit that keeps size and time of the file is seen all the same."""
    server = start_tvm(shared_lab, policy=HEAD + RULE.replace("dev", "xev") + RULE.replace("name: r", "name: s"))
    path = server.policy_dir / "policy.yaml"
    assert server.vend("alice", "dev").status == 200
    before = path.stat()
    text = path.read_text()
    with open(path, "w", encoding="utf-8") as out:
        out.write(text.replace("[dev]", "[dex]"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert server.vend("alice", "dev").status == 404


@pytest.mark.parametrize("effect,code", [("deny", "POLICY_DENY"), ("require_approval", "APPROVAL_REQUIRED"), ("require_server", None),
                                        ("require_server_session", None), ("require_mfa", "POLICY_ERROR"), ("require_anything", "POLICY_ERROR"),
                                        ("", "POLICY_ERROR"), ("null", "POLICY_ERROR"), ("true", "POLICY_ERROR"), ("~", "POLICY_ERROR")])
def test_attack_12_effects_beside_allow(start_tvm, shared_lab, effect, code):
    """ATK-12, POL-17: what only resembles allowing issues nothing, on any of the routes; what a server fulfils by itself issues with its row."""
    server = start_tvm(shared_lab, policy=HEAD + RULE.replace("allow", effect or '""'))
    before = len(server.sts_calls("AssumeRole"))
    answers = [server.vend("alice", "dev"), server.call("alice", "GET", "/?profile=dev"), server.call("alice", "POST", "/", {"profile": "dev"})]
    if code is None:
        assert [a.status for a in answers] == [200] * 3
        assert len(server.rows("SELECT id FROM sessions")) == 3
        return
    assert {a.code for a in answers} == {code}
    assert len(server.sts_calls("AssumeRole")) == before and not server.rows("SELECT id FROM sessions")
    assert role_arn("SentinelProtected-dev") not in "".join(a.text for a in answers)
