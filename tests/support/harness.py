# SPDX-License-Identifier: Apache-2.0
"""Running the real programs from tests: start, wait for their ready line, talk to them, always end them.

Programs come from SENTINEL_BIN (default: src/main of the default build). They get a closed environment, so that nothing
of the tester's own AWS set-up is used or changed.
"""
import configparser
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shlex
import signal
import subprocess
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("SENTINEL_BIN") or ROOT / "build" / "src" / "main")
AWS_CLI = pathlib.Path("/usr/bin/aws")  # Debian's, unmodified
READY_TIMEOUT_S = 30
END_TIMEOUT_S = 10
ACCOUNT = "123456789012"
LIBFAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"

# Under nohup, or behind a shell's '&', signals come ignored and stay so: programs under test start as from a terminal.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)


class FakeTime:
    """One wall clock for all programs that get its environment: it runs ahead of the machine's by as much as is set.

    Their monotonic clocks and the times of files stay the machine's. Only dynamic builds can be given another clock.
    """

    LIBRARY = pathlib.Path(LIBFAKETIME.replace("faketime.so", "faketimeMT.so"))

    def __init__(self, path, ahead_s=0):
        self.path, self.ahead_s = pathlib.Path(path), 0
        self.set(ahead_s)
        # The "fix" is for older C libraries and makes waits on the monotonic clock end at once.
        self.env = {"LD_PRELOAD": self.LIBRARY, "FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                    "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
                    "FAKETIME_FORCE_MONOTONIC_FIX": "0", "TZ": "UTC"}

    def set(self, ahead_s):
        temporary = self.path.with_name(self.path.name + ".new")
        temporary.write_text(f"{ahead_s:+}\n")
        temporary.rename(self.path)
        self.ahead_s = ahead_s

    def freeze(self, unix_s):
        """The clock stands still at this second."""
        now = datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc)
        temporary = self.path.with_name(self.path.name + ".new")
        temporary.write_text(now.strftime("%Y-%m-%d %H:%M:%S\n"))
        temporary.rename(self.path)

    def now(self):
        return datetime.datetime.fromtimestamp(time.time() + self.ahead_s, datetime.timezone.utc)


def role_arn(name, account=ACCOUNT):
    return f"arn:aws:iam::{account}:role/{name}"


def closed_environment(home, **extra):
    """What a program started by a test may know: nothing of the tester's."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **{k: str(v) for k, v in extra.items()}}


def linked_libraries(program):
    """What ldd says of a program; empty for a static one."""
    return subprocess.run(["ldd", str(program)], capture_output=True, text=True, check=False).stdout


def is_instrumented(program):
    """Built with a sanitizer, whose runtime takes over signals, mlock and memory."""
    return any(name in linked_libraries(program) for name in ("libasan", "libtsan"))


class Program:
    """A started program with its output in memory. Ends with the test whatever happens (see the start fixture)."""

    def __init__(self, argv, env, cwd=None):
        self.argv = [str(a) for a in argv]
        self.lines, self.errors = [], []
        self.process = subprocess.Popen(self.argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
        self.news = threading.Condition()
        self.readers = [threading.Thread(target=self.collect, args=pair, daemon=True) for pair in
                        ((self.process.stdout, self.lines), (self.process.stderr, self.errors))]
        for reader in self.readers:
            reader.start()

    def collect(self, stream, lines):
        for line in stream:
            with self.news:
                lines.append(line.rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.news.notify_all()

    def wait_line(self, pattern, where=None, timeout_s=READY_TIMEOUT_S):
        """The match of the first line of stdout (or of where) that fits; fails when the program ends first."""
        lines = self.lines if where is None else where
        until = time.monotonic() + timeout_s
        with self.news:
            while True:
                for line in lines:
                    match = re.search(pattern, line)
                    if match:
                        return match
                left = until - time.monotonic()
                ended = self.process.poll() is not None and not any(r.is_alive() for r in self.readers)
                assert left > 0 and not ended, f"{self.argv} never said {pattern!r}:\n" + self.output()
                self.news.wait(min(left, 0.5))

    def output(self):
        return "\n".join(["stdout:"] + self.lines + ["stderr:"] + self.errors)

    def end(self, how=signal.SIGTERM):
        """Asks the program to end and returns its code; kills it when it does not listen."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
        for reader in self.readers:
            reader.join(END_TIMEOUT_S)
        return self.process.returncode

    def kill(self):
        """Ends the program and all it started."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Lab(Program):
    """A running sentinel-lab and its directory."""

    def __init__(self, directory, *, config=None, extra_env=None, arguments=()):
        self.dir = pathlib.Path(directory)
        self.dir.mkdir(parents=True, exist_ok=True)
        argv = [BIN / "sentinel-lab", "--dir", self.dir, *arguments]
        if config is not None:
            path = self.dir / "lab.yaml"
            path.write_text(config)
            argv += ["--config", path]
        super().__init__(argv, closed_environment(self.dir, **(extra_env or {})))
        self.url = None

    def wait_ready(self):
        self.url = self.wait_line(r"^ready (http://\S+)$")[1]
        self.env = {}
        for line in (self.dir / "env").read_text().splitlines():
            if line.startswith("export "):
                name, value = shlex.split(line)[1].split("=", 1)
                self.env[name] = value
        return self

    def keys(self, profile):
        """(access key, secret) of a profile with keys of its own."""
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(self.dir / "aws" / "credentials")
        return parser[profile]["aws_access_key_id"], parser[profile]["aws_secret_access_key"]

    def client(self, service, profile=None, credentials=None, **settings):
        """A boto3 client with the keys of a profile or with Credentials as STS answers them. Does not retry."""
        import boto3
        from botocore.config import Config
        if credentials is None:
            key, secret = self.keys(profile)
            credentials = {"AccessKeyId": key, "SecretAccessKey": secret, "SessionToken": None}
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=30, **settings)
        return boto3.client(service, endpoint_url=self.url, region_name="us-east-1", config=config,
                            aws_access_key_id=credentials["AccessKeyId"],
                            aws_secret_access_key=credentials["SecretAccessKey"],
                            aws_session_token=credentials["SessionToken"])

    def tvm_credentials(self):
        """A fresh session of the TVM's role, as a TVM would hold it."""
        return self.client("sts", "tvm-user").assume_role(RoleArn=role_arn("SentinelTVM"),
                                                          RoleSessionName="tvm")["Credentials"]

    def aws(self, profile, *arguments, env=None):
        """Runs the unmodified AWS CLI against the lab."""
        environment = closed_environment(self.dir, **self.env, AWS_PAGER="", **(env or {}))
        if profile is not None:
            environment["AWS_PROFILE"] = profile
        return subprocess.run([AWS_CLI, "--endpoint-url", self.url, *arguments], env=environment, capture_output=True,
                              text=True, timeout=60, check=False)

    def control(self, *arguments):
        """sentinel lab clock|fault ..."""
        return subprocess.run([BIN / "sentinel-lab", *arguments, "--dir", self.dir],
                              env=closed_environment(self.dir), capture_output=True, text=True, timeout=30, check=False)

    def fault(self, text):
        done = self.control("fault", text)
        assert done.returncode == 0, done.stderr

    def clock(self, text):
        done = self.control("clock", text)
        assert done.returncode == 0, done.stderr

    def journal(self):
        return [json.loads(line) for line in (self.dir / "journal.jsonl").read_text().splitlines()]

    def events(self, name=None, **arguments):
        """All CloudTrail events, newest first, with their CloudTrailEvent read."""
        if name is not None:
            arguments["LookupAttributes"] = [{"AttributeKey": "EventName", "AttributeValue": name}]
        pages = self.client("cloudtrail", "alice").get_paginator("lookup_events").paginate(**arguments)
        return [dict(e, event=json.loads(e["CloudTrailEvent"])) for page in pages for e in page["Events"]]

    def raw(self, method, target, headers=(), body=b""):
        """Exactly these bytes over a real connection: (status, headers, body)."""
        address = urllib.parse.urlsplit(self.url)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            names = {name.lower() for name, _ in headers}
            if "host" not in names:
                connection.putheader("Host", address.netloc)
            for name, value in headers:
                connection.putheader(name, value)
            if (body or method == "POST") and "content-length" not in names:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body or None)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()


def form(**parameters):
    return urllib.parse.urlencode(parameters).encode()


def sign(credentials, url, body, *, service="sts", region="us-east-1", when=None, headers=(), method="POST", signed=None,
         order=sorted, names=None):
    """
    Headers of a signed request, made by this file's own hand: a third reading of Signature Version 4, and one that can
    be bent. credentials: (key, secret[, token]); when: unix seconds; signed: names to sign, default all; order: sorts them;
    names: other spellings of names in signed.
    """
    key, secret, token = (*credentials, None)[:3]
    now = datetime.datetime.fromtimestamp(when if when is not None else time.time(), datetime.timezone.utc)
    stamp = now.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    fields = {"Host": urllib.parse.urlsplit(url).netloc, "X-Amz-Date": stamp, **dict(headers)}
    if token:
        fields["X-Amz-Security-Token"] = token
    if body:
        fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
    lower = {name.lower(): " ".join(value.split()) for name, value in fields.items()}
    lower |= {spelt: lower[name] for spelt, name in (names or {}).items()}
    names = list(order(signed if signed is not None else lower))
    canonical = "\n".join([method, "/", "", *(f"{n}:{lower[n]}" for n in names), "", ";".join(names),
                           hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    step = ("AWS4" + secret).encode()
    for part in (*scope.split("/"), text):
        step = hmac.new(step, part.encode(), hashlib.sha256).digest()
    fields["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, SignedHeaders={';'.join(names)}, "
                               f"Signature={step.hex()}")
    return list(fields.items())
