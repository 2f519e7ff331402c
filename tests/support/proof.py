# SPDX-License-Identifier: Apache-2.0
"""An identity proof made with botocore's signer, a second implementation beside the one under test.

A proof is a signed sts:GetCallerIdentity request that is never sent: its headers travel on a request to the server.
"""
import base64
import datetime
import hashlib
import os
import urllib.parse

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

STS_BODY = b"Action=GetCallerIdentity&Version=2011-06-15"
AMZ_TIME = "%Y%m%dT%H%M%SZ"


def request_hash(method, path, query, body):
    """Lower-case hex SHA-256 of method, path, query and the body's own hash, a line each."""
    lines = [method, path, query, hashlib.sha256(body).hexdigest()]
    return hashlib.sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


class Signer(SigV4Auth):
    """Signs at a given instant and exactly the headers it is given."""

    def __init__(self, credentials, service, region, when):
        super().__init__(credentials, service, region)
        self.when = when

    def add_auth(self, request):
        request.context["timestamp"] = self.when.strftime(AMZ_TIME)
        request.headers["X-Amz-Date"] = request.context["timestamp"]
        if self.credentials.token:
            request.headers["X-Amz-Security-Token"] = self.credentials.token
        canonical = self.canonical_request(request)
        signature = self.signature(self.string_to_sign(request, canonical), request)
        self._inject_signature_to_request(request, signature)


def sign(keys, target, *, audience, sts_url, region, method="GET", body=b"", nonce=True, when=None, service="sts",
         signed_body=STS_BODY, signed_host=None, hash_of=None, extra_signed=()):
    """Headers of a proof for METHOD TARGET. keys: (access key, secret[, token]). The options break it in one place."""
    path, _, query = target.partition("?")
    when = when or datetime.datetime.now(datetime.timezone.utc)
    credentials = Credentials(*keys)
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
               "X-Sentinel-Audience": audience,
               "X-Sentinel-Request": hash_of or request_hash(method, path, query, body)}
    if nonce:
        text = nonce if isinstance(nonce, str) else base64.urlsafe_b64encode(os.urandom(16)).rstrip(b"=").decode()
        headers["X-Sentinel-Nonce"] = text
    headers.update(extra_signed)
    url = sts_url.rstrip("/") + "/"
    if signed_host:
        url = urllib.parse.urlsplit(url)._replace(netloc=signed_host).geturl()
    request = AWSRequest("POST", url, data=signed_body, headers=headers)
    Signer(credentials, service, region, when).add_auth(request)
    names = ["Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Sentinel-Audience", "X-Sentinel-Nonce",
             "X-Sentinel-Request", *dict(extra_signed)]
    return {name: request.headers[name] for name in names if name in request.headers}
