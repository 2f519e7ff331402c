# SPDX-License-Identifier: Apache-2.0
"""Parameter Store and KMS of moto on a socket, corrected where they differ from AWS, with faults and a journal.

moto's KMS ignores MessageType=DIGEST, takes the longest salt for PSS where KMS takes 32 bytes, and answers a wrong
signature with SignatureValid=false where KMS refuses, names the key of a public key by its id instead of its ARN; its
answers are not marked as JSON. All of it is put right here;
test_emulated.py proves what concerns signatures by openssl.
"""
import base64
import io
import json
import os
import subprocess
import threading
import time

from harness import AWS_CLI, closed_environment

try:
    import moto.server  # noqa: F401
    MISSING = None
except ImportError:
    MISSING = "moto is not installed: no package index was reachable when the test environment was made"
    assert not os.environ.get("CI"), MISSING  # a run that must be whole may not do without

REGION = "us-east-1"  # the lab's, which signs what the server sends
ACCOUNT = "123456789012"


def correct_moto():
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
    from moto.core.exceptions import JsonRESTError
    from moto.kms.responses import KmsResponse

    def parts(response):
        key = response.kms_backend.describe_key(response.kms_backend.get_key_id(response._get_param("KeyId")))
        if key.key_usage != "SIGN_VERIFY":
            raise JsonRESTError("InvalidKeyUsageException", "the key does not sign")
        algorithm = response._get_param("SigningAlgorithm")
        private = key.private_key.private_key
        digest = utils.Prehashed(hashes.SHA256()) if response._get_param("MessageType") == "DIGEST" else hashes.SHA256()
        is_rsa = isinstance(private, rsa.RSAPrivateKey)
        if algorithm != ("RSASSA_PSS_SHA_256" if is_rsa else "ECDSA_SHA_256"):
            raise JsonRESTError("InvalidKeyUsageException", "the algorithm is not the key's")
        how = (padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32), digest) if is_rsa else (ec.ECDSA(digest),)
        return key, private, how

    def sign(response):
        key, private, how = parts(response)
        signature = private.sign(response._get_param("Message"), *how)
        return json.dumps({"KeyId": key.arn, "Signature": base64.b64encode(signature).decode(),
                           "SigningAlgorithm": response._get_param("SigningAlgorithm")})

    def verify(response):
        key, private, how = parts(response)
        try:
            private.public_key().verify(base64.b64decode(response._get_param("Signature")),
                                        response._get_param("Message"), *how)
        except InvalidSignature:
            raise JsonRESTError("KMSInvalidSignatureException", "") from None
        return json.dumps({"KeyId": key.arn, "SignatureValid": True,
                           "SigningAlgorithm": response._get_param("SigningAlgorithm")})

    def get_public_key(response):
        key, public = response.kms_backend.get_public_key(response._get_param("KeyId"))
        return json.dumps({"KeyId": key.arn, "KeySpec": key.key_spec, "KeyUsage": key.key_usage,
                           "PublicKey": base64.b64encode(public).decode(), "SigningAlgorithms": key.signing_algorithms})

    KmsResponse.sign, KmsResponse.verify, KmsResponse.get_public_key = sign, verify, get_public_key


class Aws:
    """The emulator. fault(action, kind, name=..., times=...) breaks calls; calls counts them by action."""

    def __init__(self):
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
        from werkzeug.serving import WSGIRequestHandler, make_server

        class Silent(WSGIRequestHandler):
            protocol_version = "HTTP/1.1"

            def log(self, *_):
                pass

        correct_moto()
        self.inner = DomainDispatcherApplication(create_backend_app)
        self.lock = threading.Lock()
        self.faults, self.journal, self.hooks = [], [], []
        self.server = make_server("127.0.0.1", 0, self.answer, threaded=True, request_handler=Silent)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def reset(self):
        """Nothing stored, nothing broken, nothing counted."""
        from moto.moto_api._internal import moto_api_backend
        moto_api_backend.reset()
        with self.lock:
            self.faults, self.journal, self.hooks = [], [], []

    # --- Faults ---

    def fault(self, action, kind, name=None, times=None):
        """kind: throttle, 500, denied, cut, empty, slow:SECONDS; name: only for this parameter or key."""
        with self.lock:
            self.faults.append({"action": action, "kind": kind, "name": name, "left": times})

    def mend(self):
        with self.lock:
            self.faults = []

    def before(self, action, do, name=None):
        """Runs do once, before the next call of that action is answered."""
        with self.lock:
            self.hooks.append({"action": action, "name": name, "do": do})

    def calls(self, action, name=None):
        with self.lock:
            return sum(1 for a, n in self.journal if a == action and name in (None, n))

    def find_fault(self, action, name):
        for fault in self.faults:
            if fault["action"] in (action, "*") and fault["name"] in (None, name) and fault["left"] != 0:
                fault["left"] = fault["left"] - 1 if fault["left"] is not None else None
                return fault["kind"]
        return None

    def answer(self, environ, start_response):
        action = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            call = json.loads(body or b"{}")
        except ValueError:
            call = {}
        name = call.get("Name") or call.get("Path") or call.get("KeyId")
        with self.lock:
            self.journal.append((action, name))
            kind = self.find_fault(action, name)
            due = [h for h in self.hooks if h["action"] == action and h["name"] in (None, name)]
            self.hooks = [h for h in self.hooks if h not in due]
        for hook in due:
            hook["do"]()
        if kind and kind.startswith("slow:"):
            time.sleep(float(kind[5:]))
            kind = None
        refusals = {"throttle": ("400 Bad Request", "ThrottlingException"), "500": ("500 Error", "InternalServerError"),
                    "denied": ("400 Bad Request", "AccessDeniedException")}
        if kind in refusals:
            status, code = refusals[kind]
            text = json.dumps({"__type": code, "message": f"User: arn:aws:iam::{ACCOUNT}:user/x is not welcome"}).encode()
            start_response(status, [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(text)))])
            return [text]
        if kind in ("cut", "empty"):
            whole = b"".join(self.inner(environ, lambda *_: None))
            text = whole[: len(whole) // 2] if kind == "cut" else b""
            start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1"), ("Content-Length", str(len(text)))])
            return [text]

        def start_json(status, headers, exc_info=None):
            kept = [(k, v) for k, v in headers if k.lower() != "content-type"]
            return start_response(status, [*kept, ("Content-Type", "application/x-amz-json-1.1")], exc_info)

        return self.inner(environ, start_json if action else start_response)

    # --- What tests do with it ---

    def environment(self):
        return {"AWS_ENDPOINT_URL_SSM": self.url, "AWS_ENDPOINT_URL_KMS": self.url}

    def client(self, service):
        import boto3
        from botocore.config import Config
        return boto3.client(service, endpoint_url=self.url, region_name=REGION, aws_access_key_id="AKIDADMIN",
                            aws_secret_access_key="secret", config=Config(retries={"total_max_attempts": 1}))

    def cli(self, *arguments, home="/nonexistent"):
        """The unmodified AWS CLI."""
        done = subprocess.run([AWS_CLI, "--endpoint-url", self.url, "--region", REGION, "--output", "json", *arguments],
                              env=closed_environment(home, AWS_ACCESS_KEY_ID="AKIDADMIN", AWS_SECRET_ACCESS_KEY="secret",
                                                     AWS_PAGER=""),
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def put(self, name, text, **more):
        return self.client("ssm").put_parameter(Name=name, Value=text, Type="String", Overwrite=True, Tier="Advanced",
                                                **more)["Version"]

    def get(self, name):
        client = self.client("ssm")
        try:
            return client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        except client.exceptions.ParameterNotFound:
            return None

    def delete(self, name):
        self.client("ssm").delete_parameter(Name=name)

    def key(self, spec, usage="SIGN_VERIFY", alias=None):
        """A new key: its ARN."""
        kms = self.client("kms")
        arn = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
        if alias:
            kms.create_alias(AliasName=f"alias/{alias}", TargetKeyId=arn)
        return arn

    def public_pem(self, key, path):
        """The public half of a key as a PEM file, written by openssl."""
        der = self.client("kms").get_public_key(KeyId=key)["PublicKey"]
        subprocess.run(["openssl", "pkey", "-pubin", "-inform", "DER", "-out", path], input=der, check=True,
                       capture_output=True)
        return path
