# SPDX-License-Identifier: Apache-2.0
"""A running sentinel-tvm over a lab, and callers that prove who they are with botocore's signer.

Every answer is validated against the OpenAPI document, and every secret that was seen is remembered, so that the fixture
can search logs and files for it at the end.
"""
import http.client
import json
import pathlib
import signal
import socket
import sqlite3
import ssl
import subprocess
import time

import jsonschema

import proof
from harness import BIN, READY_TIMEOUT_S, ROOT, Program, closed_environment, role_arn

OPENAPI = json.loads((ROOT / "src" / "tvm" / "openapi.json").read_text())
REGION = "us-east-1"  # the lab's

CATALOG = f"""version: "1"
profiles:
  dev: {{role_arn: "{role_arn('SentinelProtected-dev')}", region: eu-west-1, description: Development}}
  prod: {{role_arn: "{role_arn('SentinelProtected-prod')}"}}
  staging: {{role_arn: "{role_arn('SentinelProtected-staging')}", max_duration: 30m}}
"""
POLICY = """version: "1"
rules:
- {name: dev, effect: allow, conditions: {profiles: [dev], users: [alice, bob]}}
- {name: prod-frozen, effect: deny, reason: "frozen for the release", conditions: {profiles: [prod], users: [bob]}}
- {name: prod, effect: allow, conditions: {profiles: [prod], users: [alice]}}
- {name: rest, effect: deny, reason: "nobody else", conditions: {}}
"""


def schema_of(target, method, status):
    """The schema an answer must have; Error where no route answers."""
    path = target.partition("?")[0]
    item = OPENAPI["paths"].get(path if path == "/" else path.rstrip("/"), {}).get(method.lower(), {})
    answer = item.get("responses", {}).get(str(status))
    if answer is None:
        assert status >= 400, f"{method} {path} may not answer {status}"
        return {"$ref": "#/components/schemas/Error"}
    if "$ref" in answer:
        answer = OPENAPI["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return next(iter(answer["content"].values()))["schema"]


def validate(target, method, status, document):
    schema = {**schema_of(target, method, status), "components": OPENAPI["components"]}
    jsonschema.Draft202012Validator(schema).validate(document)


def validate_error(document):
    """What a refusal looks like where no route was found, or nothing that could be routed."""
    schema = {"$ref": "#/components/schemas/Error", "components": OPENAPI["components"]}
    jsonschema.Draft202012Validator(schema).validate(document)


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.text = status, headers, text
        self.is_json = headers.get("Content-Type", "").startswith("application/json")
        self.json = json.loads(text) if self.is_json and text else None

    @property
    def code(self):
        return self.json.get("code") if isinstance(self.json, dict) and "message" in self.json else None

    def __repr__(self):
        return f"{self.status} {self.text[:400]}"


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Tvm(Program):
    """sentinel-tvm serve. settings: further environment; None takes a variable away; wrap: what starts it, ending in exec."""

    def __init__(self, directory, lab, *, catalog=CATALOG, policy=POLICY, sts_url=None, settings=None, command=("serve",),
                 wrap=()):
        self.dir, self.lab = pathlib.Path(directory), lab
        self.policy_dir, self.state = self.dir / "policy", self.dir / "state"
        self.policy_dir.mkdir(parents=True, exist_ok=True)
        self.state.mkdir(mode=0o700, exist_ok=True)
        for name, text in (("catalog.yaml", catalog), ("policy.yaml", policy)):
            if text is not None:
                self.write(name, text)
        self.secrets = set()
        self.sts_url = sts_url or lab.url
        environment = {**lab.env, "AWS_PROFILE": "tvm", "SENTINEL_LISTEN": "127.0.0.1:0",
                       "SENTINEL_STORE_PATH": self.state / "sentinel.db", "SENTINEL_POLICY_DIR": self.policy_dir,
                       "SENTINEL_RATE_LIMIT_REQUESTS": "0", **(settings or {})}
        if sts_url:
            environment["AWS_ENDPOINT_URL_STS"] = sts_url
        self.environment = closed_environment(self.dir, **{k: v for k, v in environment.items() if v is not None})
        self.command = command
        super().__init__([*wrap, BIN / "sentinel-tvm", *command], self.environment)
        self.url = None

    def wait_ready(self):
        self.url = self.wait_line(r"^ready (\S+)$")[1]
        return self

    def write(self, name, text):
        path = self.policy_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name("." + path.name)
        temporary.write_text(text)
        temporary.chmod(0o644)
        temporary.rename(path)

    def tool(self, *arguments, **changes):
        """sentinel-tvm ARGUMENTS under the same settings."""
        environment = {**self.environment, **{k: str(v) for k, v in changes.items()}}
        return subprocess.run([BIN / "sentinel-tvm", *arguments], env=environment, capture_output=True, text=True,
                              timeout=60, check=False)

    # --- talking to it ---

    def connect(self, url=None):
        url = url or self.url
        if url.startswith("unix:"):
            return UnixConnection(url[5:])
        scheme, _, rest = url.partition("://")
        authority = rest.partition("/")[0]
        if scheme == "https":
            return http.client.HTTPSConnection(authority, timeout=30, context=ssl._create_unverified_context())
        return http.client.HTTPConnection(authority, timeout=30)

    def send(self, method, target, headers=(), body=b"", connection=None, check=True):
        own = connection or self.connect()
        try:
            own.putrequest(method, target, skip_accept_encoding=True)
            for name, value in (headers.items() if isinstance(headers, dict) else headers):
                own.putheader(name, value)
            if body or method == "POST":
                own.putheader("Content-Length", str(len(body)))
            own.endheaders(body or None)
            answer = own.getresponse()
            answer = Answer(answer.status, answer.headers, answer.read().decode())
        finally:
            if connection is None:
                own.close()
        self.remember(answer)
        if check:
            self.check(method, target, answer)
        return answer

    def check(self, method, target, answer):
        """What holds for every answer (TVM-59)."""
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Server" not in answer.headers and answer.headers["Date"]
        assert len(answer.headers["X-Sentinel-Request-Id"]) == 16
        if answer.is_json:
            validate(target, method, answer.status, answer.json)
        if answer.code:
            assert answer.json["request_id"] == answer.headers["X-Sentinel-Request-Id"]

    def prove(self, who, target, method="GET", body=b"", **options):
        """Headers of a proof. who: a profile of the lab with keys of its own, or (key, secret[, token])."""
        keys = self.lab.keys(who) if isinstance(who, str) else who
        options.setdefault("audience", self.url)
        options.setdefault("sts_url", self.sts_url)
        options.setdefault("region", REGION)
        headers = proof.sign(keys, target, method=method, body=body, **options)
        self.secrets.add(headers["Authorization"].rpartition("Signature=")[2])
        return headers

    def call(self, who, method, target, body=None, *, connection=None, headers=(), check=True, **options):
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        proven = self.prove(who, target, method, raw, **options)
        if raw:
            proven["Content-Type"] = "application/json"
        proven.update(headers)
        return self.send(method, target, proven, raw, connection, check)

    def get(self, target):
        """A route that asks for no identity."""
        return self.send("GET", target)

    def reload(self):
        """SIGHUP, and waits until all is read again."""
        before = sum("server.reloaded" in line for line in self.errors)
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + READY_TIMEOUT_S
        while sum("server.reloaded" in line for line in self.errors) == before:
            assert time.monotonic() < until and self.process.poll() is None, self.output()
            time.sleep(0.01)

    def vend(self, who, profile, **options):
        body = {"profile": profile, **options.pop("parameters", {})}
        return self.call(who, "POST", "/v1/credentials", body, **options)

    # --- what it left behind ---

    def remember(self, answer):
        found = answer.json.get("credentials", answer.json) if isinstance(answer.json, dict) else {}
        for name in ("secret_access_key", "session_token", "SecretAccessKey", "Token"):
            if isinstance(found, dict) and found.get(name):
                self.secrets.add(found[name])
        if "X-Sentinel-Ticket" in answer.headers:
            self.secrets.add(answer.headers["X-Sentinel-Ticket"])

    def verify_log(self, *files, anchor=None):
        """sentinel audit verify-logs over the whole log, rotated files first, against the server's anchor."""
        folder = self.state / "audit"
        files = files or self.audit_files()
        return subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--no-update", "--key-file", self.state / "audit.key",
                               "--anchor", anchor or folder / "audit.anchor", *files], capture_output=True, text=True,
                              timeout=60, env=self.environment, check=False)

    def audit_files(self):
        """The files of the audit log in the order of the chain."""
        folder = self.state / "audit"
        return [path for path in (*sorted(folder.glob("audit-*.log*")), folder / "audit.log") if path.exists()]

    def audit(self):
        """The entries of the audit log, in order, over all its files."""
        return [json.loads(line)["entry"] for path in self.audit_files() for line in path.read_text().splitlines()]

    def decisions(self):
        return [entry for entry in self.audit() if entry["event"] == "decision"]

    def rows(self, query, *parameters):
        connection = sqlite3.connect(f"file:{self.state / 'sentinel.db'}?mode=ro", uri=True)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(query, parameters)]
        finally:
            connection.close()

    def sts_calls(self, action):
        """Calls of the lab's STS by that name; the server's own role is not counted."""
        return [entry for entry in self.lab.journal()
                if entry.get("action", "").endswith(action)
                and not ((entry.get("parameters") or {}).get("roleArn") or "").endswith(":role/SentinelTVM")]

    def assert_no_secret_left(self):
        """TVM-40: no secret that left in an answer, no proof and no ticket stands in a log or file."""
        places = {"output": self.output().encode()}
        for path in self.state.rglob("*"):
            if path.is_file() and path.suffix != ".key":
                places[str(path)] = path.read_bytes()
        for secret in self.secrets:
            is_signature = len(secret) == 64 and set(secret) <= set("0123456789abcdef")
            for place, content in places.items():
                # The store remembers spent proofs by their signature; there, and nowhere else, they may stand.
                if not (is_signature and ".db" in place):
                    assert secret.encode() not in content, f"a secret stands in {place}"
