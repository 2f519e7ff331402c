# SPDX-License-Identifier: Apache-2.0
"""The life of the server: start, health, reload, drain, sockets, settings."""
import concurrent.futures
import http.client
import json
import os
import pathlib
import signal
import socket
import stat
import subprocess
import time

import pytest

from harness import BIN, closed_environment
from tvm import POLICY, validate_error


def self_signed(directory, name="server", days=30):
    """A fresh certificate and key for 127.0.0.1."""
    cert, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", str(days), "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key,
                    "-out", cert], check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


def until(check, what, timeout_s=20):
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if check():
            return
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


# --- Health, readiness, metrics (TVM-50) ---


def test_healthz_and_readyz(tvm_server):
    """TVM-50: no identity, no detail."""
    assert tvm_server.send("GET", "/healthz").json == {"status": "ok"}
    ready = tvm_server.send("GET", "/readyz")
    assert ready.status == 200
    assert ready.json == {"status": "ready", "checks": dict.fromkeys(
        ["store", "audit", "catalogue", "policy", "sts", "clock"], "ok")}
    assert tvm_server.send("POST", "/healthz").status == 405


@pytest.mark.parametrize("break_it,failed", [
    (lambda s: (s.policy_dir / "catalog.yaml").unlink(), {"catalogue", "policy"}),
    (lambda s: s.write("policy.yaml", POLICY.replace("effect: deny", "effect: Deny")), {"policy"}),
    (lambda s: (s.policy_dir / "policy.yaml").chmod(0o666), {"policy"}),
])
def test_readyz_names_the_failing_check(start_tvm, shared_lab, break_it, failed):
    """TVM-50, TVM-13: not ready from the start; the check is named, the path and the cause stand in the log alone."""
    server = start_tvm(shared_lab, ready=False)
    server.wait_ready()
    break_it(server)
    until(lambda: server.send("GET", "/readyz").status == 503, "not ready")
    answer = server.send("GET", "/readyz")
    assert {name for name, result in answer.json["checks"].items() if result == "failed"} == failed
    assert str(server.policy_dir) not in answer.text
    server.end()
    assert str(server.policy_dir) in server.output() or "policy.yaml" in server.output()


def test_readyz_without_sts(start_tvm, start_lab):
    """TVM-50: STS that fails is told, and vending says so too."""
    lab = start_lab()
    lab.fault("sts:GetCallerIdentity=500,100")
    server = start_tvm(lab)
    answer = server.send("GET", "/readyz")
    assert answer.status == 503 and answer.json["checks"]["sts"] == "failed"
    assert server.vend("alice", "dev").code == "IDENTITY_UNAVAILABLE"


def test_metrics(tvm_server):
    """TVM-50: the families of the table, and nobody's name in any label."""
    assert tvm_server.vend("alice", "dev").status == 200
    assert tvm_server.vend("bob", "prod").status == 403
    text = tvm_server.send("GET", "/metrics").text
    for family in ("sentinel_build_info", "sentinel_requests_total", "sentinel_request_seconds_bucket",
                   "sentinel_decisions_total", "sentinel_issued_total", "sentinel_proofs_total", "sentinel_replay_entries",
                   "sentinel_tickets", "sentinel_sts_calls_total", "sentinel_sts_seconds_count", "sentinel_store_calls_total",
                   "sentinel_audit_records_total", "sentinel_audit_queue", "sentinel_rate_limited_total",
                   "sentinel_document_loads_total", "sentinel_document_age_seconds", "sentinel_connections",
                   "sentinel_workers_busy", "process_start_time_seconds", "process_resident_memory_bytes",
                   "process_open_fds", "process_cpu_seconds_total"):
        assert f"\n{family}" in text, family
    assert 'sentinel_requests_total{route="/v1/credentials",code="OK"} 1' in text
    assert 'sentinel_requests_total{route="/v1/credentials",code="POLICY_DENY"} 1' in text
    assert 'sentinel_issued_total{kind="direct"} 1' in text
    assert 'sentinel_proofs_total{result="accepted"} 2' in text
    for name in ("alice", "bob", "arn:", "123456789012", "prod", "dev", str(tvm_server.state)):
        assert name not in text, name
    for line in text.splitlines():
        assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "Via", "x-forwarded-host"])
def test_metrics_are_not_published_by_a_proxy(tvm_server, name):
    """TVM-50"""
    assert tvm_server.send("GET", "/metrics", {name: "203.0.113.5"}).status == 404


def test_metrics_listener_serves_nothing_else(start_tvm, shared_lab):
    """TVM-50: three routes on a listener of their own; vending there does not exist."""
    port = free_port()
    server = start_tvm(shared_lab, settings={"SENTINEL_METRICS_LISTEN": f"127.0.0.1:{port}"})
    connection = server.connect(f"http://127.0.0.1:{port}")
    assert server.send("GET", "/metrics", connection=connection).status == 200
    assert server.send("GET", "/readyz", connection=server.connect(f"http://127.0.0.1:{port}")).status == 200
    headers = server.prove("alice", "/v1/whoami")
    assert server.send("GET", "/v1/whoami", headers, connection=server.connect(f"http://127.0.0.1:{port}")).status == 404


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.parametrize("hard", [8192, 512])
def test_attack_31_connections_leave_descriptors_for_the_work(start_tvm, shared_lab, hard):
    """ATK-31: strangers who hold every connection there may be do not take the descriptors that issuing needs."""
    server = start_tvm(shared_lab, wrap=["prlimit", f"--nofile=256:{hard}"], settings={
        "SENTINEL_MAX_CONNECTIONS": "600", "SENTINEL_WORKERS": "8"})
    host, _, port = server.url.rpartition("//")[2].partition(":")
    held = [socket.create_connection((host, int(port))) for _ in range(620)]
    try:
        def idle():
            text = server.send("GET", "/metrics").text
            return int(next(line for line in text.splitlines() if 'connections{state="idle"}' in line).split()[-1])
        until(lambda: idle() > 300, "connections are taken")
        for _ in range(3):
            server.write("policy.yaml", POLICY)  # read anew
            assert server.vend("alice", "dev").status == 200
        assert idle() > (590 if hard > 600 else 300)
    finally:
        for connection in held:
            connection.close()
    assert ("limits.descriptors" in server.output()) == (hard < 600)


def test_attack_26_other_host_names(tvm_server):
    """ATK-26 at the server: a page that reaches it under another name is told nothing."""
    for host in ("evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example"):
        connection = tvm_server.connect()
        connection.putrequest("GET", "/healthz", skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", host)
        connection.endheaders()
        answer = connection.getresponse()
        body = json.loads(answer.read())
        assert (answer.status, body["code"]) == (421, "MISDIRECTED_REQUEST")
        validate_error(body)
        assert len(body["request_id"]) == 16


# --- Signals (TVM-47, TVM-48) ---


def test_sighup_reads_documents_and_certificate_again(start_tvm, shared_lab, tmp_path):
    """TVM-47: new connections get the new certificate, no request fails; a mismatched pair is refused and logged."""
    import ssl
    cert, key = self_signed(tmp_path, "first")
    second_cert, second_key = self_signed(tmp_path, "second")
    server = start_tvm(shared_lab, settings={"SENTINEL_TLS_CERT_FILE": cert, "SENTINEL_TLS_KEY_FILE": key})
    assert server.url.startswith("https://127.0.0.1:")
    port = int(server.url.rpartition(":")[2])

    def seen():
        return ssl.get_server_certificate(("127.0.0.1", port))

    assert seen() == cert.read_text()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(server.vend, "alice", "dev") for _ in range(40)]
        second_key.replace(key)
        second_text = second_cert.read_text()
        second_cert.replace(cert)
        key.chmod(0o600)
        server.process.send_signal(signal.SIGHUP)
        running += [pool.submit(server.vend, "alice", "dev") for _ in range(40)]
        assert {f.result().status for f in running} == {200}
    until(lambda: seen() == second_text, "the new certificate")
    other_cert, _ = self_signed(tmp_path, "third")
    other_cert.replace(cert)  # does not match the key
    server.process.send_signal(signal.SIGHUP)
    server.wait_line(r"tls\.reload_failed", where=server.errors)
    assert seen() == second_text
    assert server.vend("alice", "dev").status == 200


def test_sigterm_answers_what_runs(start_tvm, start_lab):
    """TVM-48: accepted requests are answered, nothing new is accepted, the log verifies, exit 0."""
    lab = start_lab()
    server = start_tvm(lab)
    lab.fault("sts:AssumeRole=slow:2,8")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        running = [pool.submit(server.vend, "alice", "dev") for _ in range(8)]
        until(lambda: len(server.rows("SELECT id FROM sessions")) == 8, "eight rows")
        server.process.send_signal(signal.SIGTERM)
        server.wait_line(r"server\.draining", where=server.errors)
        with pytest.raises(OSError):
            server.send("GET", "/healthz")
        assert [f.result().status for f in running] == [200] * 8
    assert server.end() == 0
    done = subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--key-file", server.state / "audit.key",
                           server.state / "audit" / "audit.log"], capture_output=True, text=True, timeout=60,
                          env=server.environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sigterm_cuts_what_hangs(start_tvm, start_lab):
    """TVM-48: past the drain time the connection is reset and the exit code says so."""
    lab = start_lab()
    server = start_tvm(lab, settings={"SENTINEL_DRAIN_SECONDS": "1"})
    assert server.vend("alice", "dev").status == 200  # so that the fault does not meet the server's own role
    lab.fault("sts:AssumeRole=slow:9,1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.vend, "alice", "dev")
        until(lambda: len(server.rows("SELECT id FROM sessions")) == 2, "a row")
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises((OSError, http.client.HTTPException)):
            running.result()
    server.process.wait(30)
    assert server.end() == 3


def test_second_sigterm_does_not_wait_for_sts(start_tvm, start_lab):
    """TVM-48: a second signal ends at once, while STS still lets a vend wait; its refusal is on record."""
    lab = start_lab()
    server = start_tvm(lab, settings={"SENTINEL_DRAIN_SECONDS": "60"})
    assert server.vend("alice", "dev").status == 200  # so that the fault does not meet the server's own role
    lab.fault("sts:AssumeRole=slow:9,1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(server.vend, "alice", "dev")
        until(lambda: len(server.rows("SELECT id FROM sessions")) == 2, "a row")
        server.process.send_signal(signal.SIGTERM)
        server.wait_line(r"server\.draining", where=server.errors)
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(5)
        with pytest.raises((OSError, http.client.HTTPException)):
            running.result()
    assert server.end() == 3
    assert [entry["outcome"] for entry in server.decisions()] == ["issued", "error"]
    assert [row["status"] for row in server.rows("SELECT status FROM sessions ORDER BY rowid")] == ["active", "expired"]


def test_sigusr1_begins_a_new_log_file(tvm_server):
    """SIGUSR1: the chain goes on in a new file."""
    assert tvm_server.vend("alice", "dev").status == 200
    tvm_server.process.send_signal(signal.SIGUSR1)
    until(lambda: len(list((tvm_server.state / "audit").glob("audit-*.log"))) == 1, "a rotated file")
    assert tvm_server.vend("alice", "dev").status == 200
    assert tvm_server.audit()[0]["event"] == "audit.opened"


# --- Sockets (TVM-49) ---


def test_unix_socket(start_tvm, shared_lab, tmp_path):
    """TVM-49: mode as set, a stale socket replaced, gone after the end; a uid is no identity."""
    path = tmp_path / "run" / "tvm.sock"
    path.parent.mkdir(mode=0o750)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(path))
    stale.close()
    server = start_tvm(shared_lab, settings={"SENTINEL_LISTEN": f"unix:{path}", "SENTINEL_UNIX_SOCKET_MODE": "0600"})
    assert server.url == f"unix:{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert server.vend("alice", "dev").status == 200
    assert server.send("GET", "/v1/whoami").code == "PROOF_REQUIRED"
    assert server.end() == 0
    assert not path.exists()


@pytest.mark.parametrize("kind", ["live", "file"])
def test_unix_socket_never_replaces(start_tvm, shared_lab, tmp_path, kind):
    """TVM-49: a live socket and a regular file stay."""
    path = tmp_path / "tvm.sock"
    held = None
    if kind == "live":
        held = socket.socket(socket.AF_UNIX)
        held.bind(str(path))
        held.listen()
    else:
        path.write_text("mine")
    server = start_tvm(shared_lab, ready=False, settings={"SENTINEL_LISTEN": f"unix:{path}"})
    assert server.process.wait(20) == 3
    assert path.exists()
    if held:
        held.close()


def test_inherited_socket(start_tvm, shared_lab, start, tmp_path):
    """LISTEN_FDS: the socket of the service manager is used, and its port is the audience."""
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen()
    shape = start_tvm(shared_lab)  # its settings and way of talking
    place = tmp_path / "inherited"
    place.mkdir(mode=0o700)
    environment = {**shape.environment, "LISTEN_FDS": "1", "SENTINEL_STORE_PATH": str(place / "sentinel.db")}
    server = subprocess.Popen(["/bin/bash", "-c", f"exec 3<&{held.fileno()}; LISTEN_PID=$$ exec {BIN}/sentinel-tvm serve"],
                              env=environment, pass_fds=[held.fileno()], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[1]
        assert url == f"http://127.0.0.1:{held.getsockname()[1]}"
        shape.url = url
        assert shape.vend("alice", "dev").status == 200
    finally:
        server.terminate()
        assert server.wait(20) == 0
        held.close()


def test_service_manager_is_told(start_tvm, shared_lab, tmp_path):
    """NOTIFY_SOCKET: ready, reloading with its time, ready again, stopping."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(20)
    server = start_tvm(shared_lab, settings={"NOTIFY_SOCKET": tmp_path / "notify"})
    assert b"READY=1" in notify.recv(4096)
    server.process.send_signal(signal.SIGHUP)
    message = notify.recv(4096)
    assert b"RELOADING=1" in message and b"MONOTONIC_USEC=" in message
    assert b"READY=1" in notify.recv(4096)
    server.process.send_signal(signal.SIGTERM)
    assert b"STOPPING=1" in notify.recv(4096)
    notify.close()


def test_sighup_before_ready_says_nothing(start_tvm, start_lab, tmp_path):
    """A reload of a server that is not ready yet does not tell the service manager that it is."""
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    lab = start_lab()
    lab.fault("sts:AssumeRole=500")
    server = start_tvm(lab, settings={"NOTIFY_SOCKET": tmp_path / "notify"})
    server.process.send_signal(signal.SIGHUP)
    server.wait_line(r"server\.reloaded", where=server.errors)
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(30)
    notify.settimeout(0)
    assert b"STOPPING=1" in notify.recv(4096)  # the first that it said
    notify.close()


# --- Settings (TVM-47, TVM-59) ---


@pytest.mark.parametrize("settings,named", [
    ({"SENTINEL_LISTEN": "0.0.0.0:0"}, "SENTINEL_LISTEN"), ({"SENTINEL_LISTEN": "[::]:0"}, "SENTINEL_LISTEN"),
    ({"SENTINEL_LISTEN": "localhost:1"}, "SENTINEL_LISTEN"), ({"SENTINEL_ALLOWED_ORG_ID": "o-1"}, "SENTINEL_ALLOWED_ACCOUNTS"),
    ({"SENTINEL_WORKERS": "0"}, "SENTINEL_WORKERS"), ({"SENTINEL_WORKERS": "+4"}, "SENTINEL_WORKERS"),
    ({"SENTINEL_REQUIRE_DEVICE": "TRUE"}, "SENTINEL_REQUIRE_DEVICE"), ({"SENTINEL_ALLOW_ROOT": "1"}, "SENTINEL_ALLOW_ROOT"),
    ({"SENTINEL_POLICY_ROOT": "/x"}, "SENTINEL_POLICY_DIR"), ({"SENTINEL_STORE": "dynamodb"}, "SENTINEL_STORE"),
    ({"SENTINEL_VOUCHING_ROLES": "*"}, "SENTINEL_VOUCHING_ROLES"), ({"SENTINEL_VOUCHING_ROLES": "A,,B"}, "SENTINEL_VOUCHING_ROLES"),
    ({"SENTINEL_ROLE_MAP_PARAMETER": "/x"}, "catalogue"), ({"SENTINEL_ALOW_ROOT": "true"}, "SENTINEL_ALLOW_ROOT"),
    ({"SENTINEL_OPERATORS": "group:ops"}, "SENTINEL_OPERATORS"), ({"SENTINEL_LOG_SIGNING_KEY": "abcd"}, "SENTINEL_LOG_SIGNING_KEY"),
    ({"SENTINEL_STATE_SIGNING_KEY": "ab" * 32, "SENTINEL_LOG_SIGNING_KEY": "ab" * 32}, "SENTINEL_LOG_SIGNING_KEY"),
    ({"SENTINEL_ENFORCE_POLICY_SIGNING": "true"}, "SENTINEL_ENFORCE_POLICY_SIGNING"),
    ({"SENTINEL_TLS_CERT_FILE": "/x.pem"}, "SENTINEL_TLS_KEY_FILE"), ({"SENTINEL_AUDIT_ROTATE_SECONDS": "59"}, "SENTINEL_AUDIT_ROTATE"),
    ({"AWS_REGION": "nowhere", "AWS_DEFAULT_REGION": None}, "AWS_REGION"), ({"SENTINEL_RATE_LIMIT_WINDOW": "0"}, "SENTINEL_RATE_LIMIT_WINDOW"),
])
def test_wrong_settings_do_not_start(start_tvm, shared_lab, settings, named):
    """TVM-47: exit 2, one error that names the variable, and never a key."""
    server = start_tvm(shared_lab, ready=False, settings=settings)
    assert server.process.wait(20) == 2
    server.end()
    assert named in server.output()
    assert "abcd" not in server.output() and "abab" not in server.output()
    assert not (server.state / "sentinel.db").exists()


def test_key_file_of_the_listener_is_private(start_tvm, shared_lab, tmp_path):
    """TVM-47: mode 0644 is refused, and the mend is named."""
    cert, key = self_signed(tmp_path)
    key.chmod(0o644)
    server = start_tvm(shared_lab, ready=False, settings={"SENTINEL_TLS_CERT_FILE": cert, "SENTINEL_TLS_KEY_FILE": key})
    assert server.process.wait(20) != 0
    server.end()
    assert str(key) in server.output()


def test_config_masks_keys_and_tells_sources(tvm_server):
    """The values in force, each with its source; a key is never shown."""
    done = tvm_server.tool("config", SENTINEL_STATE_SIGNING_KEY="cd" * 32, SENTINEL_WORKERS="7")
    assert done.returncode == 0, done.stderr
    assert "SENTINEL_WORKERS=7  # environment" in done.stdout and "cdcd" not in done.stdout
    assert "SENTINEL_STATE_SIGNING_KEY=********  # environment" in done.stdout
    assert "SENTINEL_DRAIN_SECONDS=25  # default" in done.stdout
    rows = json.loads(tvm_server.tool("config", "--json").stdout)["settings"]
    assert {"name": "SENTINEL_STORE", "value": "sqlite", "source": "default"} in rows


def test_reference_page_is_current(tvm_server):
    """docs/reference/settings.md is what the table says."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference" / "settings.md"
    assert page.read_text() == tvm_server.tool("config", "--reference").stdout


def test_check(start_tvm, start_lab):
    """check says what is wrong and how to mend it: 0 well, 1 wrong, 2 a setting, 3 could not find out."""
    lab = start_lab()
    server = start_tvm(lab)
    done = server.tool("check")
    assert done.returncode == 0, done.stdout + done.stderr
    (server.policy_dir / "policy.yaml").chmod(0o666)
    done = server.tool("check", "--json")
    assert done.returncode == 1
    failed = [c for c in json.loads(done.stdout)["checks"] if c["result"] == "failed"]
    assert failed and all("chmod go-w" in c["hint"] for c in failed)
    (server.policy_dir / "policy.yaml").chmod(0o644)
    assert server.tool("check", SENTINEL_WORKERS="x").returncode == 2
    cert, key = self_signed(server.dir, "old")
    request = ["openssl", "x509", "-x509toreq", "-in", cert, "-signkey", key, "-out", server.dir / "old.csr"]
    subprocess.run(request, check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", server.dir / "old.csr", "-signkey", key, "-days", "-1", "-out", cert],
                   check=True, capture_output=True)
    done = server.tool("check", "--json", SENTINEL_TLS_CERT_FILE=cert, SENTINEL_TLS_KEY_FILE=key)
    tls = next(c for c in json.loads(done.stdout)["checks"] if c["name"] == "tls")
    assert done.returncode == 1 and tls["result"] == "failed" and "ended at 20" in tls["message"] and tls["hint"]
    lab.fault("sts:GetCallerIdentity=500,100")
    assert server.tool("check").returncode == 3


def test_check_of_many_profiles(start_tvm, start_lab):
    """However much there is to tell, nothing of it replaces what failed."""
    lab = start_lab()
    profiles = "".join(f"  p{i}:\n    role_arn: arn:aws:iam::123456789012:role/SentinelProtectedDev\n" for i in range(70))
    server = start_tvm(lab, catalog="version: 1\nprofiles:\n" + profiles)
    (server.policy_dir / "policy.yaml").unlink()
    lab.fault("sts:GetCallerIdentity=500,100")
    done = server.tool("check", "--json")
    assert done.returncode == 3, done.stdout + done.stderr
    results = {c["name"]: c["result"] for c in json.loads(done.stdout)["checks"]}
    assert results["sts"] == "unknown" and results["identity center"] == "note"
    assert [results[f"policy of p{i}"] for i in range(70)] == ["note"] * 70


def test_second_server_on_one_store(start_tvm, shared_lab, tmp_path):
    """One server a database file."""
    place = tmp_path / "one"
    start_tvm(shared_lab, directory=place)
    second = start_tvm(shared_lab, directory=place, ready=False)
    assert second.process.wait(20) == 3


def test_lost_sealing_key_is_no_new_key(start_tvm, shared_lab, tmp_path):
    """A database with rows whose key is gone does not start with another one."""
    place = tmp_path / "lost"
    first = start_tvm(shared_lab, directory=place)
    assert first.vend("alice", "dev").status == 200
    assert first.end() == 0
    (first.state / "state.key").unlink()
    second = start_tvm(shared_lab, directory=place, ready=False)
    assert second.process.wait(20) == 3
    assert not (first.state / "state.key").exists()


def test_attack_33_no_log_no_start(start_tvm, shared_lab):
    """ATK-33, TVM-51: a log that cannot be one of ours stops the start."""
    full = pathlib.Path("/dev/full")
    server = start_tvm(shared_lab, ready=False, settings={"SENTINEL_AUDIT_FILE": full})
    assert server.process.wait(20) == 3


def test_lambda_form_says_what_it_lacks():
    """Without a durable store and sink the Lambda form does not start."""
    done = subprocess.run([BIN / "sentinel-tvm"], capture_output=True, text=True, timeout=20, check=False,
                          env=closed_environment("/tmp", AWS_LAMBDA_RUNTIME_API="127.0.0.1:1"))
    assert done.returncode == 3 and "serve" in done.stderr
    assert os.path.exists(BIN)
