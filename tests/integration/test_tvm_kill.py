# SPDX-License-Identifier: Apache-2.0
"""SIGKILL under load and restart: what a client received is in the log, the chain verifies, no row is half."""
import http.client
import random
import signal
import subprocess
import threading

from counts import count
from harness import BIN


def test_attack_33_killed_under_load(start_tvm, shared_lab, tmp_path):
    """TVM-51, ATK-33: at random moments, again and again, over one store and one log."""
    place, received, lock = tmp_path / "killed", set(), threading.Lock()
    dice = random.Random(20260201)
    secrets = set()

    for _ in range(count("server_kills")):
        server = start_tvm(shared_lab, directory=place)
        enough = threading.Event()
        goal = dice.randrange(1, 24)  # answers after which the server is killed, wherever it is then
        answered = 0

        def load(who):
            nonlocal answered
            while not enough.is_set():
                try:
                    answer = server.vend(who, "dev")
                except (OSError, http.client.HTTPException, ValueError):
                    return
                with lock:
                    if answer.status == 200:
                        received.add((answer.headers["X-Sentinel-Request-Id"],
                                      answer.json["credentials"]["access_key_id"]))
                    answered += 1
                    if answered >= goal:
                        enough.set()

        workers = [threading.Thread(target=load, args=("alice" if i % 2 else "bob",)) for i in range(6)]
        for worker in workers:
            worker.start()
        enough.wait(30)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)
        for worker in workers:
            worker.join(30)
        secrets |= server.secrets

    last = start_tvm(shared_lab, directory=place)
    last.secrets |= secrets
    assert last.vend("alice", "dev").status == 200
    recorded = {(e["request_id"], e["access_key_id"]) for e in last.decisions() if e["outcome"] == "issued"}
    assert received and received <= recorded
    rows = last.rows("SELECT id, status, seal, source_identity FROM sessions")
    assert {ident for ident, _ in received} <= {row["id"] for row in rows}
    assert all(row["seal"].startswith("v1:") and row["source_identity"].endswith(row["id"]) for row in rows)
    done = subprocess.run([BIN / "sentinel", "audit", "verify-logs", "--key-file", last.state / "audit.key",
                           last.state / "audit" / "audit.log"], capture_output=True, text=True, timeout=60,
                          env=last.environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
