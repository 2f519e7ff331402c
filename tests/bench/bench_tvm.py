# SPDX-License-Identifier: Apache-2.0
"""Vending through the server against the lab, beside raw AssumeRole calls to the same lab, and where the time goes.

Rounds of raw calls and vends alternate, so that a change of the machine's speed meets both alike. The load generator
signs everything before the clock starts: its own work is not measured with the servers'. Each vend costs the lab two
calls (the proof and AssumeRole) and the server two durable commits (session row and audit record).
"""
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request

from measure import result
from stack import POLICY, peak_rss_mb, running

USERS = 200
CONNECTIONS = 64
ROUNDS = 3
VENDS = 3000  # a round; they are signed in advance and a proof is good for one minute
RAW_CALLS = 12000
WARM_UP = 300

USER_BLOCK = re.compile(r"^users:\n(?:(?:[ #].*)?\n)*", re.M)
SIGN_IN_BLOCK = re.compile(r"^identity_center:\n(?:(?:[ #].*)?\n)*", re.M)


def names():
    return [f"user{i:03}" for i in range(USERS)]


def lab_config(harness_bin):
    """The lab's default account with many users and a profile for each."""
    text = subprocess.run([harness_bin / "sentinel-lab", "--print-config"], capture_output=True, text=True, check=True).stdout
    users = "users:\n  - name: tvm\n" + "".join(f"  - name: {name}\n" for name in names()) + "\n"
    text = SIGN_IN_BLOCK.sub("", USER_BLOCK.sub(users, text))
    kept = [line for line in text.splitlines() if "alice" not in line and "user: bob" not in line]
    own = [f"  - {{name: {name}, user: {name}}}" for name in names()]
    at = kept.index("profiles:") + 1
    return "\n".join(kept[:at] + own + kept[at:]) + "\n"


def write_policy(folder):
    """The catalogue of the demonstration; everybody may have dev."""
    shutil.copy(POLICY / "catalog.yaml", folder / "catalog.yaml")
    (folder / "policy.yaml").write_text(
        'version: "1"\ngroups:\n  everybody: [' + ", ".join(names()) + "]\nrules:\n"
        "  - name: prod-is-closed\n    effect: deny\n    conditions:\n      profiles: [prod]\n    reason: not here\n"
        "  - name: everybody-uses-dev\n    effect: allow\n    conditions:\n      profiles: [dev]\n"
        '      users: ["group:everybody"]\n', encoding="utf-8")


class Load:
    """The load generator with the keys of the lab's users and a session of the TVM's role."""

    def __init__(self, tree, stack):
        self.program = os.path.join(tree, "tests", "bench", "load")
        self.stack = stack
        self.lab_host = stack.lab.url.removeprefix("http://")
        self.tvm_host = stack.url.removeprefix("http://")
        self.callers = stack.home / "callers"
        self.callers.write_text("".join("%s %s\n" % stack.lab.keys(name) for name in names()), encoding="ascii")
        session = self.tvm_session()
        self.tvm = stack.home / "tvm-role"
        self.tvm.write_text(" ".join(session) + "\n", encoding="ascii")

    def tvm_session(self):
        """Keys of the TVM's role, as a server would hold them."""
        harness, lab = self.stack.harness, self.stack.lab
        body = harness.form(Action="AssumeRole", Version="2011-06-15", RoleArn=harness.role_arn("SentinelTVM"),
                            RoleSessionName="load")
        status, _, xml = lab.raw("POST", "/", harness.sign(lab.keys("tvm-user"), lab.url, body), body)
        if status != 200:
            raise RuntimeError(f"the lab gives no session: {xml}")
        return [re.search(f"<{tag}>([^<]+)</{tag}>", xml)[1] for tag in ("AccessKeyId", "SecretAccessKey", "SessionToken")]

    def run(self, address, requests, *arguments):
        command = [self.program, "--address", address, "--host", address, "--connections", str(CONNECTIONS), "--make-first",
                   "--requests", str(requests), "--warm-up", str(WARM_UP), "--region", "eu-west-1",
                   "--pid", str(self.stack.lab.process.pid), "--pid", str(self.stack.tvm.process.pid), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"the load generator failed: {done.stderr}")
        figures = json.loads(done.stdout)
        figures["said"] = done.stderr.strip()
        figures["lab"], figures["tvm"] = figures["processes"]
        return figures

    def raw(self, requests=RAW_CALLS):
        return self.run(self.lab_host, requests, "--users", str(self.tvm),
                        "--assume-role", self.stack.harness.role_arn("SentinelProtected-dev"))

    def vend(self, requests=VENDS):
        return self.run(self.tvm_host, requests, "--users", str(self.callers), "--vend", "dev",
                        "--audience", self.stack.url, "--sts-host", self.lab_host)


# --- Where the time goes ---

HISTOGRAMS = {
    'sentinel_sts_seconds{action="VerifyProof"}': "STS: GetCallerIdentity with the caller's proof",
    'sentinel_store_seconds{op="create"}': "store: markers read; session row and spent proof, committed",
    'sentinel_sts_seconds{action="AssumeRole"}': "STS: AssumeRole",
    'sentinel_audit_sync_seconds': "audit: record durable",
    'sentinel_store_seconds{op="look"}': "store: markers and own row read again",
}
WHOLE = 'sentinel_request_seconds{route="/v1/credentials"}'


def histograms(stack):
    """Sums and counts of /metrics: name -> (seconds, count)."""
    with urllib.request.urlopen(stack.url + "/metrics", timeout=10) as answer:
        text = answer.read().decode()
    found = {}
    for line in text.splitlines():
        match = re.match(r"(sentinel_\w+)_(sum|count)(\{[^}]*\})? ([0-9.e+-]+)$", line)
        if match:
            found.setdefault(match[1] + (match[3] or ""), {})[match[2]] = float(match[4])
    return {name: (pair.get("sum", 0.0), pair.get("count", 0.0)) for name, pair in found.items()}


def stages(before, after):
    """Milliseconds of the mean vend by stage, and the whole."""
    vends = after[WHOLE][1] - before.get(WHOLE, (0, 0))[1]
    spent = {label: (after[name][0] - before.get(name, (0, 0))[0]) / vends * 1000
             for name, label in HISTOGRAMS.items() if name in after}
    return spent, (after[WHOLE][0] - before.get(WHOLE, (0, 0))[0]) / vends * 1000


def switches(pid):
    """Times a thread of the process went to sleep."""
    count = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        count += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", path.read_text(encoding="ascii"), re.M)[1])
    return count


def user_and_system(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return int(fields[11]), int(fields[12])


def machine():
    """Busy and all ticks of the machine."""
    ticks = [int(n) for n in pathlib.Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


def fdatasync_ms(folder):
    """Median of an append of a record's size with fdatasync, nothing else running."""
    times = []
    fd = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for _ in range(50):
        os.write(fd, b"x" * 1200)
        start = time.perf_counter()
        os.fdatasync(fd)
        times.append((time.perf_counter() - start) * 1000)
    os.close(fd)
    return statistics.median(times)


def perf_shares(load, pid):
    """Share of the server's CPU time by program part, from perf; None where perf cannot run."""
    if shutil.which("perf") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data = os.path.join(folder, "perf.data")
        perf = subprocess.Popen(["perf", "record", "-q", "-F", "999", "-e", "cpu-clock", "-o", data, "-p", str(pid)],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)
        load.vend()
        perf.terminate()
        perf.wait()
        report = subprocess.run(["perf", "report", "-i", data, "--stdio", "--sort", "dso", "-g", "none"],
                                capture_output=True, text=True, check=False).stdout
    shares = re.findall(r"^\s+([0-9.]+)%\s+(\S+)", report, re.M)
    return {name: float(share) for share, name in shares if float(share) >= 1} or None


# --- The whole ---

def rounds(load, stack):
    """Alternating rounds; what the machine, both servers and the disk did during the vends."""
    raw, vends = [], []
    used = {"sleeps": 0, "user": 0, "system": 0, "busy": 0, "all": 0}
    for _ in range(ROUNDS):
        raw.append(load.raw())
        pid = stack.tvm.process.pid
        before = (switches(pid), *user_and_system(pid), *machine())
        vends.append(load.vend())
        after = (switches(pid), *user_and_system(pid), *machine())
        for name, a, b in zip(used, before, after):
            used[name] += b - a
    return raw, vends, used


def median(figures, *path):
    def value(figure):
        for step in path:
            figure = figure[step]
        return figure
    return statistics.median(value(figure) for figure in figures)


def headline(raw, vends, peak_mb):
    command = f"tests/bench/load --vend dev --connections {CONNECTIONS}, {USERS} users"
    raw_rate, raw_cpu = median(raw, "per_s"), median(raw, "lab", "cpu_us_per_request")
    errors = sum(figures["errors"] for figures in raw + vends)
    yield result("raw AssumeRole, the lab alone", raw_rate, "calls/s", command="tests/bench/load --assume-role")
    yield result("raw AssumeRole, p99", median(raw, "p99_ms"), "ms", command="tests/bench/load --assume-role")
    yield result("raw AssumeRole, CPU of the lab", raw_cpu, "us/call", command="tests/bench/load --assume-role")
    yield result("vends", median(vends, "per_s"), "vends/s", peer="raw AssumeRole", peer_value=raw_rate,
                 target="at least 0.25 x", limit=0.25, higher=True, command=command)
    yield result("vend, p50", median(vends, "p50_ms"), "ms", command=command)
    yield result("vend, p99", median(vends, "p99_ms"), "ms", command=command)
    yield result("CPU of the server a vend", median(vends, "tvm", "cpu_us_per_request"), "us", peer="lab, one raw call",
                 peer_value=raw_cpu, target="at most 2 x", limit=2, command=command)
    yield result("CPU of the lab a vend (two calls)", median(vends, "lab", "cpu_us_per_request"), "us",
                 peer="lab, one raw call", peer_value=raw_cpu, command=command)
    yield result("peak memory of the server", peak_mb, "MB", target="at most 32", limit=32, command="VmHWM")
    yield result("errors", errors, "", target="none", limit=0, command=command)


def breakdown(spent, whole, used, vends, sync_ms, shares):
    count = sum(figures["requests"] for figures in vends) + ROUNDS * WARM_UP
    wait = "mean time of a vend: "
    yield result("mean time of a vend", whole, "ms", command="/metrics")
    for label, ms in spent.items():
        yield result(wait + label, ms, "ms", peer="the whole vend", peer_value=whole, command="/metrics")
    yield result(wait + "everything else", whole - sum(spent.values()), "ms", peer="the whole vend", peer_value=whole,
                 command="/metrics")
    yield result("fdatasync of one record on an idle disk", sync_ms, "ms", command="write, fdatasync")
    yield result("sleeps of the server's threads a vend", used["sleeps"] / count, "", command="/proc/PID/task/*/status")
    yield result("share of the server's CPU time in the kernel", used["system"] / max(1, used["user"] + used["system"]), "",
                 command="/proc/PID/stat")
    yield result("processors of the machine busy while vending", used["busy"] / used["all"] * os.cpu_count(), "",
                 peer="all processors", peer_value=os.cpu_count(), command="/proc/stat")
    if shares is None:
        yield result("CPU time by part", None, "", command="perf record")
    else:
        for name, share in shares.items():
            yield result(f"CPU time in {name}", share, "%", command="perf record -e cpu-clock")


def measure(tree, release):
    with tempfile.TemporaryDirectory() as folder:
        policy = pathlib.Path(folder)
        write_policy(policy)
        with running(tree, policy, lab_config(pathlib.Path(tree) / "src" / "main")) as stack:
            sync_ms = fdatasync_ms(stack.home)
            load = Load(tree, stack)
            load.vend(WARM_UP)
            before = histograms(stack)
            raw, vends, used = rounds(load, stack)
            spent, whole = stages(before, histograms(stack))
            peak_mb = peak_rss_mb(stack.tvm.process.pid)
            shares = perf_shares(load, stack.tvm.process.pid)
    yield from headline(raw, vends, peak_mb)
    yield from breakdown(spent, whole, used, vends, sync_ms, shares)
