# SPDX-License-Identifier: Apache-2.0
"""An STS that answers GetCallerIdentity with scripted bytes and the calls of the server itself with the least that lets it run."""
import http.server
import threading
import urllib.parse

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:user/alice"


def identity(result=None, *, namespace=NAMESPACE, prologue="", behind="", account="123456789012"):
    if result is None:
        result = f"<Arn>{ARN}</Arn><UserId>AIDA</UserId><Account>{account}</Account>"
    return (f"{prologue}<GetCallerIdentityResponse xmlns=\"{namespace}\"><GetCallerIdentityResult>{result}"
            f"</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>{behind}"
            "</GetCallerIdentityResponse>").encode()


def assumed(asked, *, arn=None, result="", credentials="", status=200, kind="text/xml", raw=None):
    """The answer to AssumeRole with the parameters asked; the options bend it in one place."""
    account, role = asked["RoleArn"].split(":")[4], asked["RoleArn"].rpartition("/")[2]
    arn = arn or f"arn:aws:sts::{account}:assumed-role/{role}/{asked['RoleSessionName']}"
    keys = ("<Credentials><AccessKeyId>ASIASTUB000000000000</AccessKeyId><SecretAccessKey>stub+secret+of+the+stand/in+0123456789ab"
            "</SecretAccessKey><SessionToken>stub-session-token-of-the-stand-in</SessionToken><Expiration>2099-01-01T00:00:00Z"
            f"</Expiration>{credentials}</Credentials>")
    body = (f"<AssumeRoleResponse xmlns=\"{NAMESPACE}\"><AssumeRoleResult><SourceIdentity>{asked.get('SourceIdentity', '')}"
            f"</SourceIdentity><AssumedRoleUser><AssumedRoleId>AROASTUB:{asked['RoleSessionName']}</AssumedRoleId><Arn>{arn}</Arn>"
            f"</AssumedRoleUser>{keys}{result}</AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
            "</AssumeRoleResponse>").encode()
    return status, kind, raw if raw is not None else body


class StubSts:
    """
    answer: (status, content type, body) for proofs; calls counts them and requests holds their raw heads. assume: a function
    of the parameters of AssumeRole that gives such a triple; asked holds what was asked.
    """

    def __init__(self, own_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/SentinelTVM/t"):
        self.own_arn = own_arn
        self.answer = (200, "text/xml", identity())
        self.requests, self.asked, self.assume, self.location = [], [], None, "http://127.0.0.1:1/"
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
                    self.send_header("Location", stub.location)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def own(self, body):
        if b"GetCallerIdentity" in body:
            return 200, "text/xml", identity(f"<Arn>{self.own_arn}</Arn><UserId>AROA:t</UserId><Account>{ACCOUNT}</Account>")
        if self.assume is None:
            return 503, "text/xml", b"<ErrorResponse/>"
        self.asked.append(dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True)))
        return self.assume(self.asked[-1])

    def is_asked_by(self, arn, account=None):
        """From now on callers are who this ARN says."""
        account = account or (arn.split(":")[4] if arn.count(":") > 4 else ACCOUNT)
        self.answer = (200, "text/xml", identity(f"<Arn>{arn}</Arn><UserId>AIDA{abs(hash(arn))}:x</UserId><Account>{account}</Account>"))

    @property
    def calls(self):
        return len(self.requests)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
