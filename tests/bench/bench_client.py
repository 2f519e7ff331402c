# SPDX-License-Identifier: Apache-2.0
"""The client as a user meets it: a whole credential-process call, cold, beside programs everybody knows."""
import os

from measure import compare, result
from stack import running


def measure(tree, release):
    with running(tree) as stack:
        env = stack.env("alice")
        dynamic = os.path.join(tree, "src", "main", "sentinel")
        static = os.path.join(release, "sentinel")
        curl = ["curl", "-s", "-o", "/dev/null", stack.url + "/healthz"]
        commands = {
            "dynamic": [dynamic, "credential-process", "dev"],
            "static": [static, "credential-process", "dev"],
            "version": [static, "version"],
            "true": ["/bin/true"],
            "aws": ["/usr/bin/aws", "--version"],
            "curl": curl,
        }
        times = compare(commands, env=env)
    command = "credential-process dev (cold, TVM and lab on loopback)"
    yield result("/bin/true", times["true"], "ms", command="/bin/true")
    yield result("aws --version", times["aws"], "ms", command="aws --version")
    yield result("curl: one request to the TVM", times["curl"], "ms", command="curl $TVM/healthz")
    for build in ("dynamic", "static"):
        for peer, label in (("true", "/bin/true"), ("aws", "aws --version"), ("curl", "one curl request")):
            yield result(f"credential-process cold, {build}, beside {label}", times[build], "ms", peer=label,
                         peer_value=times[peer], command=command)
    yield result("sentinel version, static", times["version"], "ms", peer="/bin/true", peer_value=times["true"],
                 command="sentinel version")
