# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the TVM that answers as a test says: for what the client does, not for what the server decides."""
import datetime
import http.server
import json
import threading

SESSION_ID = "ses-4g7kq2m9x0v5c8za"
REQUEST_ID = "4g7kq2m9x0v5c8za"


def issued(key="ASIACANARYKEYID00001", secret="CANARY-secret-of-the-session", token="CANARY-token-of-the-session",
           life_s=900, region="eu-west-1", profile="dev"):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=life_s)
    return 200, {
        "credentials": {"access_key_id": key, "secret_access_key": secret, "session_token": token,
                        "expiration": end.strftime("%Y-%m-%dT%H:%M:%S.000Z")},
        "session": {"id": SESSION_ID, "profile": profile, "role_arn": "arn:aws:iam::123456789012:role/P",
                    "region": region, "source_identity": f"sentinel=alice=direct={REQUEST_ID}", "kind": "direct",
                    "grant_id": None, "duration_seconds": life_s, "capped_by": None},
        "decision": {"effect": "allow", "policy_effect": "allow", "rule": "r", "reason": ""}}


def refused(status, code, message="refused", hint="", **details):
    body = {"code": code, "message": message, "hint": hint, "request_id": REQUEST_ID}
    if details:
        body["details"] = details
    return status, body


class ScriptedTvm:
    """answer: (status, body[, headers]), or a function of (method, path, body) that gives one. calls: what was asked."""

    def __init__(self, answer=None):
        self.answer = answer or issued()
        self.calls = []
        self.headers = []
        tvm = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                tvm.calls.append((self.command, self.path, body))
                tvm.headers.append(dict(self.headers.items()))
                answer = tvm.answer(self.command, self.path, body) if callable(tvm.answer) else tvm.answer
                data = json.dumps(answer[1]).encode()
                self.send_response(answer[0])
                self.send_header("Content-Type", "application/json; charset=utf-8")
                self.send_header("Content-Length", str(len(data)))
                for name, value in (answer[2] if len(answer) > 2 else {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = serve

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
