# SPDX-License-Identifier: Apache-2.0
"""Whole programs while time passes: one clock file is shared by the lab, the server, the client and AWS's own tools."""
import datetime
import json
import subprocess
import sys

import pytest

from harness import BIN, FakeTime, closed_environment
from seals import broken_rows
from test_faults_audit import until

SENTINEL = BIN / "sentinel"
MONDAY_1650 = datetime.datetime(2026, 11, 30, 16, 50, tzinfo=datetime.timezone.utc)
WINDOW = """version: "1"
rules:
- {name: office, effect: allow, conditions: {profiles: [dev], time: {days: [monday], hours: {start: "09:00", end: "17:00"}}}}
- {name: rest, effect: deny, reason: "outside office hours", conditions: {}}
"""
# Asks the relay with nothing but the standard library.
ASK = """
import http.client, json, os, urllib.parse
def ask():
    u = urllib.parse.urlsplit(os.environ['AWS_CONTAINER_CREDENTIALS_FULL_URI'])
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=30)
    c.request('GET', '/', headers={'Authorization': os.environ['AWS_CONTAINER_AUTHORIZATION_TOKEN']})
    r = c.getresponse()
    return r.status, json.loads(r.read())
def ahead(path, seconds):
    open(path + '.new', 'w').write('%+d\\n' % seconds)
    os.replace(path + '.new', path)
"""


@pytest.fixture
def clock(tmp_path):
    linked = subprocess.run(["ldd", BIN / "sentinel-tvm"], capture_output=True, text=True, check=False).stdout
    if not FakeTime.LIBRARY.exists() or "libc.so" not in linked or "libasan" in linked or "libtsan" in linked:
        pytest.skip("needs libfaketime and programs that take a preloaded library")
    return FakeTime(tmp_path / "clock")


@pytest.fixture
def stack(start_lab, start_tvm, clock):
    def begin(**options):
        lab = start_lab(extra_env=clock.env)
        settings = {**clock.env, **options.pop("settings", {})}
        return lab, start_tvm(lab, settings=settings, **options)
    return begin


def user(server, clock, name="alice"):
    return closed_environment(server.dir, **{**server.lab.env, **clock.env, "AWS_PROFILE": name,
                                             "SENTINEL_TVM_URL": server.url, "AWS_PAGER": ""})


def run(env, *words):
    done = subprocess.run([SENTINEL, *words], env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# --- Sessions end and are renewed ---


BOTO3 = ASK + """
import sys, boto3
session = boto3.Session()
keys = []
for i in range(4):
    ahead(sys.argv[2], 1000 * i)  # past the end of a session of 900 s
    sts = session.client('sts', endpoint_url=sys.argv[1])
    assert 'SentinelProtected-dev/alice-' in sts.get_caller_identity()['Arn']
    keys.append(session.get_credentials().get_frozen_credentials().access_key)
    assert ask()[1]['AccessKeyId'] == keys[-1]  # until then the relay gives what it has
print(json.dumps(keys))
"""


def test_boto3_outlives_three_sessions(stack, clock):
    """TVM-31, ATK-21: one boto3 process in 'exec' while its session ends three times; the server's own role ends, too."""
    pytest.importorskip("boto3")
    lab, server = stack()
    keys = json.loads(run(user(server, clock), "exec", "dev", "--", sys.executable, "-c", BOTO3, lab.url, clock.path))
    assert len(set(keys)) == 4
    issued = [e["access_key_id"] for e in server.decisions() if e["outcome"] == "issued"]
    assert issued == keys
    clock.set(4000)
    assert server.vend("alice", "dev", when=clock.now()).status == 200
    own = [e for e in lab.journal() if (e.get("parameters") or {}).get("roleArn", "").endswith("/SentinelTVM")]
    assert len(own) >= 2


def test_aws_cli_outlives_three_sessions(stack, clock, aws_cli):
    """TVM-31: the unmodified AWS CLI: four commands with the session's end between them, then one command over four of them."""
    lab, server = stack()
    script = "\n".join(f"printf '%+d\\n' {1000 * i} >{clock.path}; {aws_cli} --endpoint-url {lab.url} sts get-caller-identity "
                       "--query Arn --output text || exit 9" for i in range(4))
    arns = run(user(server, clock), "exec", "dev", "--", "sh", "-c", script).split()
    issued = [e["request_id"] for e in server.decisions() if e["outcome"] == "issued"]
    assert [arn.rpartition("-")[2] for arn in arns] == issued and len(set(issued)) == 4
    # A session of 900 s is inside the CLI's refresh window at once: with no memory in the relay each page asks for a new one.
    run(user(server, clock), "exec", "--relay-cache", "0", "dev", "--", aws_cli, "--endpoint-url", lab.url, "cloudtrail",
        "lookup-events", "--page-size", "1", "--max-items", "5")
    callers = [e["caller"]["arn"] if isinstance(e["caller"], dict) else e["caller"] for e in lab.journal()
               if e["action"] == "LookupEvents"]
    assert len(callers) >= 5 and len(set(callers)) >= 4, callers


# --- Policy ---


def test_attack_11_window_closes_while_a_command_runs(stack, clock):
    """TVM-31, ATK-09, ATK-11: allowed at 16:50, refused at 17:06, in one command; what it holds ends by itself."""
    start = MONDAY_1650
    offset = int((start - datetime.datetime.now(datetime.timezone.utc)).total_seconds())
    clock.set(offset)
    lab, server = stack(policy=WINDOW)
    script = ASK + """
import sys
first = ask()
ahead(sys.argv[1], int(sys.argv[2]) + 16 * 60)
second = ask()
ahead(sys.argv[1], int(sys.argv[2]) + 7 * 86400)
third = ask()
print(json.dumps([first[0], first[1]['Expiration'], second[0], second[1].get('Code'), third[0]]))
"""
    env = user(server, clock)
    answer = json.loads(run(env, "exec", "dev", "--", sys.executable, "-c", script, clock.path, str(offset)))
    assert answer[0] == 200 and answer[2:] == [403, "POLICY_DENY", 200], answer
    assert answer[1].startswith("2026-11-30T17:0")
    assert [e["outcome"] for e in server.decisions()] == ["issued", "denied", "issued"]
    assert [e["timestamp"][:13] for e in server.decisions()] == ["2026-11-30T16", "2026-11-30T17", "2026-12-07T16"]


# --- Proofs ---


def test_attack_04_edges_of_the_proofs_life(stack, clock):
    """TVM-42, ATK-04: with a clock that stands still: 60 s before and after count, 61 s do not."""
    _, server = stack()
    now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(hours=5)
    clock.freeze(now.timestamp())
    for seconds, status in ((-61, 401), (-60, 200), (0, 200), (60, 200), (61, 401)):
        answer = server.vend("alice", "dev", when=now + datetime.timedelta(seconds=seconds))
        assert answer.status == status, (seconds, answer)
        assert status == 200 or answer.code == "PROOF_EXPIRED"


def test_attack_04_captured_proof_comes_later(stack, clock):
    """TVM-42, TVM-43, ATK-04: a proof that was never used is nothing after its minute; a used one stays used while it lives."""
    _, server = stack()
    body = b'{"profile":"dev"}'
    used, kept = [{**server.prove("alice", "/v1/credentials", "POST", body), "Content-Type": "application/json"} for _ in "ab"]
    assert server.send("POST", "/v1/credentials", used, body).status == 200
    for ahead, code in ((0, "PROOF_REPLAYED"), (30, "PROOF_REPLAYED"), (50, "PROOF_REPLAYED"), (70, "PROOF_EXPIRED")):
        clock.set(ahead)
        assert server.send("POST", "/v1/credentials", used, body).code == code
    assert server.send("POST", "/v1/credentials", kept, body).code == "PROOF_EXPIRED"
    # A clock that steps back opens no second life for what was used, though newer proofs have pushed it out of memory.
    for _ in range(20):
        assert server.call("bob", "GET", "/v1/whoami", when=clock.now()).status == 200
    for ahead, code in ((0, "PROOF_REPLAYED"), (-120, "PROOF_EXPIRED")):
        clock.set(ahead)
        answer = server.send("POST", "/v1/credentials", used, body)
        assert (answer.status, answer.code) == (401, code), answer
    assert len(server.rows("SELECT id FROM sessions")) == 1


def test_attack_04_replay_cache_full_and_emptied(stack, clock):
    """TVM-43: full, it refuses and forgets nothing; a minute later its entries are gone and it serves again."""
    _, server = stack(settings={"SENTINEL_REPLAY_ENTRIES": "1024"})
    connection = server.connect()
    keys = server.lab.keys("alice")
    first = server.prove(keys, "/v1/whoami")
    assert server.send("GET", "/v1/whoami", first, connection=connection, check=False).status == 200
    refused = None
    for _ in range(1100):
        answer = server.call(keys, "GET", "/v1/whoami", connection=connection, check=False)
        if answer.status != 200:
            refused = answer
            break
        if answer.headers.get("Connection") == "close":
            connection.close()
    assert refused is not None and (refused.status, refused.code) == (503, "OVERLOADED"), refused
    assert server.send("GET", "/v1/whoami", first).code in ("PROOF_REPLAYED", "OVERLOADED")
    clock.set(130)
    assert server.call(keys, "GET", "/v1/whoami", when=clock.now()).status == 200
    metrics = server.send("GET", "/metrics").text
    entries = int(next(line for line in metrics.splitlines() if line.startswith("sentinel_replay_entries")).split()[1])
    assert entries < 1024


# --- The log and the rows ---


def test_log_rotates_by_age(stack, clock):
    """AUD-17: a file a minute old is ended with the next record; the chain goes on over three files and verifies."""
    _, server = stack(settings={"SENTINEL_AUDIT_ROTATE_SECONDS": "60"})
    for ahead in (0, 61, 122):
        clock.set(ahead)
        assert server.vend("alice", "dev", when=clock.now()).status == 200
    assert server.end() == 0
    files = server.audit_files()
    assert len(files) == 3
    assert [[e["event"] for e in map(lambda l: json.loads(l)["entry"], p.read_text().splitlines())][0] for p in files] == [
        "audit.opened"] * 3
    done = server.verify_log()
    assert done.returncode == 0, done.stdout + done.stderr


def test_rows_end_and_go(stack, clock):
    """TVM-16: past its end a row is expired under a good seal, ninety days later it is gone; the record stays."""
    _, server = stack()
    assert server.vend("alice", "dev").status == 200
    assert server.end() == 0
    for ahead, statuses in ((800, ["active"]), (1000, ["expired"]), (89 * 86400, ["expired"]), (92 * 86400, [])):
        clock.set(ahead)
        done = server.tool("sweep")
        assert done.returncode == 0, done.stderr
        assert [row["status"] for row in server.rows("SELECT status FROM sessions")] == statuses, ahead
        assert not broken_rows(server.state / "sentinel.db", server.state / "state.key")
    assert server.decisions()[-1]["outcome"] == "issued"


def test_clock_that_steps_back(stack, clock):
    """TVM-50, ATK-09: the wall clock falls behind what was already used: not ready, and the log's times never run back."""
    _, server = stack()
    clock.set(3600)
    assert server.vend("alice", "dev", when=clock.now()).status == 200
    clock.set(0)
    until(lambda: server.send("GET", "/readyz").json["checks"]["clock"] == "failed", "not ready")
    server.vend("alice", "dev")
    server.end()
    times = [json.loads(line)["timestamp"] for path in server.audit_files() for line in path.read_text().splitlines()]
    assert times == sorted(times)
    done = server.verify_log()
    assert done.returncode == 0, done.stdout + done.stderr
