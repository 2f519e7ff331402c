# SPDX-License-Identifier: Apache-2.0
"""The lab's verifier against botocore's signer: what botocore signs is accepted, and one change of it is refused.

Requests are random within what the services of the lab understand: path "/", each parameter once. They go over a real
socket as they stand.
"""
import os
import random
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

import counts

SEED = 20260201
TEXT = "abcXYZ019-_.~ !\"#$%&'()*+,/:;<=>?@[\\]^`{|}äßéñ語ሴ😀\u00a0"
WHO = "Action=GetCallerIdentity&Version=2011-06-15"


def words(rng, least, most, letters=TEXT):
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def quoted(text):
    return urllib.parse.quote(text, safe="-_.~")


def random_request(rng, credentials, url):
    """(method, target, headers, body, form) as botocore signs it."""
    form = rng.choice(("post", "post", "get", "presigned"))
    pairs = {words(rng, 1, 6): words(rng, 0, 10) for _ in range(rng.randint(0, 6))}
    extra = "&".join(f"{quoted(n)}={quoted(v)}" for n, v in pairs.items())
    headers = {"X-" + words(rng, 1, 8, "abcXYZ-019").strip("-") + "q": words(rng, 0, 12, "abcXYZ019 ,;=\"'/")
               for _ in range(rng.randint(0, 6))}
    headers = {n: v for n, v in headers.items() if not n.lower().startswith("x-amz")}
    if form == "post":
        query, body = extra, (WHO + ("&" + extra if extra and rng.random() < 0.5 else "")).encode()
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
    else:
        query, body = WHO + ("&" + extra if extra else ""), b""
    request = botocore.awsrequest.AWSRequest(method="POST" if body else "GET", url=f"{url}/" + (f"?{query}" if query else ""),
                                             data=body, headers=headers)
    region = rng.choice(("us-east-1", "eu-west-1", "us-gov-west-1"))
    if form == "presigned":
        botocore.auth.SigV4QueryAuth(credentials, "sts", region, expires=rng.randint(1, 900)).add_auth(request)
    else:
        botocore.auth.SigV4Auth(credentials, "sts", region).add_auth(request)
    target = "/?" + request.url.split("?", 1)[1] if "?" in request.url else "/"
    return request.method, target, list(request.headers.items()), body, form


def changed(rng, method, target, headers, body, form):
    """The same with one signed thing changed."""
    what = rng.choice(("parameter", "signature", "header" if form == "post" else "parameter"))
    if what == "signature":
        def flip(text):
            start = text.index("Signature=") + len("Signature=")
            place = start + rng.randrange(64)
            return text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1:]
        if form == "presigned":
            return method, flip(target), headers, body
        return method, target, [(n, flip(v) if n == "Authorization" else v) for n, v in headers], body
    if what == "header":
        return method, target, [(n, v + "x" if n == "Content-Type" else v) for n, v in headers], body
    return method, target + ("&" if "?" in target else "?") + "zzzzzzzz=1", headers, body


def test_random_requests(shared_lab):
    rng = random.Random(int(os.environ.get("SENTINEL_SEED", SEED)))
    key, secret = shared_lab.keys("alice")
    for number in range(counts.count("lab_signing_requests")):
        request = random_request(rng, botocore.credentials.Credentials(key, secret), shared_lab.url)
        status, _, text = shared_lab.raw(*request[:4])
        assert status == 200 and "user/alice</Arn>" in text, (number, request, text)
        other = changed(rng, *request)
        status, _, text = shared_lab.raw(*other)
        assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in text, (number, other, text)
