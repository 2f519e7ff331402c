# SPDX-License-Identifier: Apache-2.0
"""An STS that answers GetCallerIdentity with scripted bytes and the calls of the server itself with the least that lets it run."""
import http.server
import threading

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ARN = "arn:aws:iam::123456789012:user/alice"


def identity(result=None, *, namespace=NAMESPACE, prologue="", behind="", account="123456789012"):
    if result is None:
        result = f"<Arn>{ARN}</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
    return (f"{prologue}<GetCallerIdentityResponse xmlns=\"{namespace}\"><GetCallerIdentityResult>{result}"
            f"</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>{behind}"
            "</GetCallerIdentityResponse>").encode()


class StubSts:
    """answer: (status, content type, body) for proofs; calls counts them and requests holds their raw heads."""

    def __init__(self):
        self.answer = (200, "text/xml", identity())
        self.requests = []
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if "x-sentinel-audience" in {name.lower() for name in self.headers}:
                    stub.requests.append((self.path, list(self.headers.items()), body))
                    status, kind, answer = stub.answer
                else:  # the server's own calls: their signature names this host, so nothing is verified here
                    status, kind, answer = stub.own(body)
                self.send_response(status)
                if kind:
                    self.send_header("Content-Type", kind)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def own(self, body):
        if b"GetCallerIdentity" in body:
            arn = "arn:aws:sts::123456789012:assumed-role/SentinelTVM/t"
            return 200, "text/xml", identity(f"<Arn>{arn}</Arn><UserId>AROA:t</UserId><Account>123456789012</Account>")
        return 503, "text/xml", b"<ErrorResponse/>"

    @property
    def calls(self):
        return len(self.requests)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
