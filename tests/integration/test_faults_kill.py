# SPDX-License-Identifier: Apache-2.0
"""SIGKILL at random moments under load: what a client holds is recorded, what is stored is whole, no proof counts twice."""
import collections
import http.client
import json
import os
import random
import signal
import socket
import threading
import time

import tvm as tvm_support
from counts import count
from seals import broken_rows

CLIENTS = 6
LONGEST_LIFE_S = (0.08, 0.6)  # while it starts, and while it serves
PROOFS_KEPT_S = 55  # older ones may have been swept
ROTATE_BYTES = 1 << 20  # the least, so that deaths meet rotations too
BODY = b'{"profile":"dev"}'


def quiet_port():
    """A free port outside the range from which the kernel takes ports of its own accord."""
    while True:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Client(threading.Thread):
    """Vends for ever and keeps what it got. A proof whose answer was lost is sent once more, as an attacker would."""

    def __init__(self, server, keys, stop):
        super().__init__(daemon=True)
        self.server, self.keys, self.stop = server, keys, stop
        self.received, self.answers, self.sent, self.problem = [], collections.defaultdict(list), 0, None

    def ask(self, headers):
        connection = self.server.connect()
        try:
            answer = self.server.send("POST", "/v1/credentials", headers, BODY, connection=connection, check=False)
        except (OSError, http.client.HTTPException, UnicodeDecodeError, json.JSONDecodeError):
            return None  # refused, cut in the head or cut in the body: nothing that a client could use
        finally:
            connection.close()
        self.answers[headers["Authorization"]].append(answer.status)
        if answer.status == 200:
            self.received.append((answer.json["session"]["id"], answer.json["credentials"]["access_key_id"], headers))
        return answer

    def run(self):
        try:
            while not self.stop.is_set():
                headers = {**self.server.prove(self.keys, "/v1/credentials", "POST", BODY), "Content-Type": "application/json"}
                self.sent += 1
                if self.ask(headers) is None:
                    self.stop.wait(0.005)
                    self.ask(headers)
        except Exception as problem:  # pylint: disable=broad-exception-caught
            self.problem = problem


def launch(start, lab, place, port):
    return start(tvm_support.Tvm(place, lab, settings={"SENTINEL_LISTEN": f"127.0.0.1:{port}",
                                                       "SENTINEL_AUDIT_ROTATE_BYTES": ROTATE_BYTES}))


def live_and_die(start, lab, place, port, lives, rng):
    """Starts the server again and again on the same files, each time killed at some moment, often before it serves."""
    began = 0
    for _ in range(lives):
        server = launch(start, lab, place, port)
        threading.Event().wait(rng.uniform(0, rng.choice(LONGEST_LIFE_S)))
        assert server.process.poll() is None, server.output()  # it starts on whatever the last one left
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        began += bool(server.lines)
    return began


def test_attack_33_killed_under_load(start, start_lab, tmp_path):
    """TVM-43, TVM-51, AUD-17, AUD-22, ATK-04, ATK-33: N lives and deaths of one server, under the load of several clients."""
    lab, place, port, kills = start_lab(), tmp_path / "tvm", quiet_port(), count("kills")
    seed, began_s = random.randrange(1 << 32), time.monotonic()
    print(f"seed {seed}, {kills} kills")
    server = launch(start, lab, place, port).wait_ready()
    stop = threading.Event()
    clients = [Client(server, lab.keys(("alice", "bob")[i % 2]), stop) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    server.kill()
    began = live_and_die(start, lab, place, port, kills, random.Random(seed))
    stop.set()
    for client in clients:
        client.join(60)
        assert client.problem is None and not client.is_alive(), repr(client.problem)

    last = launch(start, lab, place, port).wait_ready()
    received = [entry for client in clients for entry in client.received]
    print(f"{began} of {kills} lives served; {len(received)} credentials received, "
          f"{len(last.audit_files())} log files")
    assert began >= kills / 4 and len(received) >= kills
    for _, _, headers in received[-20:]:
        again = last.send("POST", "/v1/credentials", headers, BODY)
        assert (again.status, again.code) in ((401, "PROOF_REPLAYED"), (401, "PROOF_EXPIRED")), again
    assert last.vend("alice", "dev").status == 200
    assert last.end() == 0

    # No proof was honoured twice: neither as a client sees it nor in the store, where a row brings its proof along.
    for client in clients:
        assert all(statuses.count(200) <= 1 for statuses in client.answers.values())
    rows = {row["id"]: row for row in last.rows("SELECT * FROM sessions")}
    assert len(rows) <= sum(client.sent for client in clients) + 1
    if time.monotonic() - began_s < PROOFS_KEPT_S:
        assert len(rows) == last.rows("SELECT count(*) AS n FROM proofs")[0]["n"]
    assert not broken_rows(last.state / "sentinel.db", last.state / "state.key")

    # What a client holds has its record and its row, under one id; the chain is whole and reaches its anchor.
    issued = [e for e in last.decisions() if e["outcome"] == "issued"]
    records = {e["request_id"]: e for e in issued}
    assert len(records) == len(issued)
    for session, key, _ in received:
        ident = session.removeprefix("ses-")
        assert records[ident]["access_key_id"] == key
        assert rows[ident]["status"] == "active" and rows[ident]["source_identity"].endswith("=" + ident)
    assert set(records) <= set(rows)
    done = last.verify_log()
    assert done.returncode == 0, done.stdout + done.stderr
    last.secrets = set(random.sample(sorted(server.secrets), min(200, len(server.secrets))))
    last.assert_no_secret_left()
