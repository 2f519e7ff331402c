# SPDX-License-Identifier: Apache-2.0
"""A lab and a Token Vending Machine for measurements, from the programs of a release tree."""
import contextlib
import importlib
import os
import pathlib
import shutil
import socket
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))

POLICY = ROOT / "contrib" / "demo" / "policy"


def harness_of(tree):
    """The test harness, pointed at the programs of that tree."""
    os.environ["SENTINEL_BIN"] = os.path.join(tree, "src", "main")
    harness = importlib.import_module("harness")
    harness.BIN = pathlib.Path(os.environ["SENTINEL_BIN"])
    return harness


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Stack:
    """lab and tvm are Programs of the harness; url is the TVM's; env(user) is what a user's command needs."""

    def __init__(self, harness, home, policy, lab_config=None, **settings):
        self.harness, self.home = harness, pathlib.Path(home)
        self.lab = harness.Lab(self.home / "lab", config=lab_config).wait_ready()
        self.url = f"http://127.0.0.1:{free_port()}"
        folder = self.home / "policy"
        shutil.copytree(policy, folder)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        (self.home / "tvm").mkdir(mode=0o700)
        env = harness.closed_environment(
            self.home / "tvm", AWS_CONFIG_FILE=self.lab.dir / "aws" / "config", AWS_PROFILE="tvm",
            AWS_SHARED_CREDENTIALS_FILE=self.lab.dir / "aws" / "credentials", AWS_REGION="eu-west-1",
            AWS_ENDPOINT_URL=self.lab.url, SENTINEL_POLICY_DIR=folder, SENTINEL_LISTEN=self.url.removeprefix("http://"),
            SENTINEL_STORE_PATH=self.home / "tvm" / "sentinel.db", **settings)
        self.tvm = harness.Program([harness.BIN / "sentinel-tvm", "serve"], env)
        until = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(self.url + "/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        break
            if self.tvm.process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("sentinel-tvm is not ready\n" + self.tvm.output())
            time.sleep(0.02)

    def env(self, user, path="/usr/bin:/bin"):
        env = self.harness.closed_environment(
            self.home, AWS_CONFIG_FILE=self.lab.dir / "aws" / "config", AWS_PROFILE=user, AWS_REGION="eu-west-1",
            AWS_SHARED_CREDENTIALS_FILE=self.lab.dir / "aws" / "credentials", AWS_ENDPOINT_URL=self.lab.url,
            SENTINEL_TVM_URL=self.url, SENTINEL_NO_CACHE="true")
        env["PATH"] = path
        return env

    def end(self):
        self.tvm.end()
        self.lab.end()


@contextlib.contextmanager
def running(tree, policy=POLICY, lab_config=None, **settings):
    home = tempfile.mkdtemp(prefix="sentinel-bench.")
    stack = None
    try:
        stack = Stack(harness_of(tree), home, policy, lab_config, SENTINEL_RATE_LIMIT_REQUESTS=0, **settings)
        yield stack
    finally:
        if stack is not None:
            stack.end()
        shutil.rmtree(home, ignore_errors=True)


def cpu_seconds(pid):
    """User and system time of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_rss_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return None
