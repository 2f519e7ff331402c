# SPDX-License-Identifier: Apache-2.0
"""The client as a user meets it: whole credential-process calls, cold, cached and many at once, beside programs everybody
knows."""
import os
import subprocess
import time

from measure import compare, result
from stack import running

CALLERS = 50
STS_DELAY_S = 1
CACHED = "credential-process dev (cached)"


def cold(stack, programs, env):
    curl = ["curl", "-s", "-o", "/dev/null", stack.url + "/healthz"]
    times = compare({
        "dynamic": [programs["dynamic"], "credential-process", "dev"],
        "static": [programs["static"], "credential-process", "dev"],
        "version": [programs["static"], "version"],
        "true": ["/bin/true"],
        "aws": ["/usr/bin/aws", "--version"],
        "curl": curl,
        "curl twice": ["/bin/sh", "-c", " && ".join(" ".join(c) for c in (curl, [*curl[:-1], stack.lab.url + "/"]))],
    }, env=env)
    command = "credential-process dev (cold, TVM and lab on loopback)"
    yield result("/bin/true", times["true"], "ms", command="/bin/true")
    yield result("aws --version", times["aws"], "ms", command="aws --version")
    yield result("curl: one request to the TVM", times["curl"], "ms", command="curl $TVM/healthz")
    for build in ("dynamic", "static"):
        for peer, label in (("true", "/bin/true"), ("aws", "aws --version"), ("curl", "one curl request")):
            yield result(f"credential-process cold, {build}, beside {label}", times[build], "ms", peer=label,
                         peer_value=times[peer], command=command)
    yield result("credential-process cold, static, beside two requests", times["static"], "ms",
                 peer="two runs of curl", peer_value=times["curl twice"], target="at most 1.0 x", limit=1.0, command=command)
    yield result("sentinel version, static", times["version"], "ms", peer="/bin/true", peer_value=times["true"],
                 command="sentinel version")


def cached(stack, programs, env):
    """What SDKs run again and again."""
    env = {name: value for name, value in env.items() if name != "SENTINEL_NO_CACHE"}
    before = vends(stack)
    times = compare({
        "dynamic": [programs["dynamic"], "credential-process", "dev"],
        "static": [programs["static"], "credential-process", "dev"],
        "true": ["/bin/true"],
    }, runs=41, env=env)
    # Apart: a program that reads hundreds of files between two runs leaves no cache warm for the next.
    times |= compare({"aws": ["/usr/bin/aws", "configure", "export-credentials", "--profile", "alice"]}, runs=5, env=env)
    asked = vends(stack) - before
    yield result("vends while cached calls were timed", asked, "vends", target="at most 1", limit=1, command=CACHED)
    for build in ("static", "dynamic"):
        yield result(f"credential-process cached, {build}, beside /bin/true", times[build], "ms", peer="/bin/true",
                     peer_value=times["true"], target="at most 2.5 x", limit=2.5, command=CACHED)
        yield result(f"credential-process cached, {build}, beside AWS CLI", times[build], "ms",
                     peer="aws configure export-credentials", peer_value=times["aws"], target="below 1/20", limit=0.05,
                     command=CACHED)


def vends(stack):
    """Calls of AssumeRole that the lab has seen for the profile's role."""
    journal = (stack.lab.dir / "journal.jsonl").read_text(encoding="utf-8").splitlines()
    return sum("AssumeRole" in line and "SentinelProtected-dev" in line for line in journal)


def forget(stack):
    """Another state of the AWS config is another question to the cache."""
    now = time.time_ns()
    os.utime(stack.lab.dir / "aws" / "config", ns=(now, now))


def start_all(command, env, count):
    """Seconds from the first start to the last end."""
    start = time.perf_counter()
    children = [subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) for _ in range(count)]
    answers = [child.communicate()[0] for child in children]
    wall = time.perf_counter() - start
    if any(child.returncode != 0 for child in children):
        raise RuntimeError(f"{' '.join(command)}: one of {count} failed")
    return wall, answers


def many(stack, programs, env):
    """Cold callers at once, STS being slow."""
    env = {name: value for name, value in env.items() if name != "SENTINEL_NO_CACHE"}
    for build in ("static", "dynamic"):
        command = [programs[build], "credential-process", "dev"]
        forget(stack)
        stack.lab.control("fault", f"sts:AssumeRole=slow:{STS_DELAY_S}")
        single, _ = start_all(command, env, 1)
        trues, _ = start_all(["/bin/true"], env, CALLERS)
        forget(stack)
        before = vends(stack)
        wall, answers = start_all(command, env, CALLERS)
        stack.lab.control("fault", "none")
        what = f"{CALLERS} cold callers at once, {build}"
        yield result(f"{what}: vends", vends(stack) - before, "vends", target="exactly 1", limit=1, command="credential-process dev")
        yield result(f"{what}: different answers", len(set(answers)), "answers", target="exactly 1", limit=1)
        yield result(f"{what}: the last answer", wall * 1000, "ms", peer=f"1.3 x one cold call + {CALLERS} x /bin/true",
                     peer_value=(1.3 * single + trues) * 1000, target="at most 1.0 x", limit=1.0)


def measure(tree, release):
    with running(tree) as stack:
        env = stack.env("alice")
        programs = {"dynamic": os.path.join(tree, "src", "main", "sentinel"), "static": os.path.join(release, "sentinel")}
        yield from cold(stack, programs, env)
        yield from cached(stack, programs, env)
        yield from many(stack, programs, env)
