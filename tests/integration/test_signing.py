# SPDX-License-Identifier: Apache-2.0
"""Random requests signed by our signer and by botocore: canonical request and signature are equal (TVM-41).

Both get what a client would put on the wire. Left out on purpose: queries that no encoder writes (botocore signs a raw
query as it stands), header names that botocore never signs, and, in the presigned form, bodies and repeated names
(botocore moves the one into the query and keeps only the first of the others).
"""
import contextlib
import datetime
import json
import os
import pathlib
import random
import subprocess
import tomllib
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = pathlib.Path(os.environ.get("SENTINEL_TEST_SUPPORT", ROOT / "build" / "tests" / "support"))
SEED = 20260201
SERVICES = ("sts", "execute-api", "lambda", "iam", "dynamodb", "ssm")
REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1")
METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD", "PATCH")
TEXT = ("abcXYZ019-_.~ !\"#$%&'()*+,/:;<=>?@[\\]^`{|}" + "äßéñ語ሴ😀\u00a0")


def count():
    counts = tomllib.loads((ROOT / "tests" / "counts.toml").read_text())
    return counts["signing_requests"][os.environ.get("SENTINEL_COUNTS", "ci")]


def words(rng, least, most, letters=TEXT):
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def random_path(rng, is_s3):
    segments = []
    for _ in range(rng.randint(0, 6)):
        kind = rng.random()
        if kind < 0.1 and not is_s3:
            segments.append(rng.choice((".", "..", "")))
        else:
            segments.append(urllib.parse.quote(words(rng, 1, 8), safe=rng.choice(("", "~", "@:!$&'()*+,;=") if not is_s3 else ("~",))))
    return "/" + "/".join(segments) + rng.choice(("", "/") if segments else ("",))


def random_query(rng, repeats):
    names = [words(rng, 1, 6) for _ in range(rng.randint(1, 4))]
    pairs = [(rng.choice(names), words(rng, 0, 10)) for _ in range(rng.randint(0, 8))]
    if not repeats:
        pairs = list(dict(pairs).items())
    return "&".join(urllib.parse.quote(n, safe="-_.~") + "=" + urllib.parse.quote(v, safe="-_.~") for n, v in pairs)


def random_headers(rng):
    names = ["X-" + words(rng, 1, 8, "abcXYZ-019") for _ in range(rng.randint(0, 4))] + ["Content-Type"]
    headers = []
    for _ in range(rng.randint(0, 7)):
        name = rng.choice(names)
        value = words(rng, 0, 12, "abcXYZ019 \t,;=\"'/äß語")
        headers.append([rng.choice((name, name.lower(), name.upper())), value])
    return headers


def random_request(rng):
    is_s3 = rng.random() < 0.15
    form = "s3" if is_s3 else ("presign" if rng.random() < 0.25 else "header")
    return {
        "form": form, "method": rng.choice(METHODS), "path": random_path(rng, is_s3), "query": random_query(rng, form != "presign"),
        "headers": random_headers(rng),
        "body_hex": "" if form == "presign" else rng.randbytes(rng.choice((0, 0, 1, 20, 300))).hex(),
        "key": "AKIA" + words(rng, 16, 16, "ABCDEFGH234567"), "secret": words(rng, 40, 40, "abcXYZ019/+"),
        "token": words(rng, 20, 200, "abcXYZ019/+=") if rng.random() < 0.5 else "",
        "region": rng.choice(REGIONS), "service": "s3" if is_s3 else rng.choice(SERVICES),
        "unix_s": rng.randint(1_400_000_000, 2_100_000_000),
        "host": words(rng, 1, 10, "abcxyz019") + ".example.org" + rng.choice(("", ":8443")),
        "expires_s": rng.randint(1, 604800),
    }


def ours(requests):
    lines = []
    for r in requests:
        line = {k: r[k] for k in ("method", "path", "query", "body_hex", "key", "secret", "token", "region", "service",
                                  "unix_s")}
        line["headers"] = [["Host", r["host"]]] + r["headers"]
        if r["form"] == "presign":
            line["expires_s"] = r["expires_s"]
        if r["form"] == "s3":
            line |= {"normalize": False, "double_encode": False, "payload_header": True}
        lines.append(json.dumps(line))
    done = subprocess.run([SUPPORT / "sign_lines"], input="\n".join(lines) + "\n", capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@contextlib.contextmanager
def clock(unix_s):
    """botocore's own clock, set for one signature; the place moved between versions."""
    now = datetime.datetime.fromtimestamp(unix_s, datetime.timezone.utc)
    if hasattr(botocore.auth, "get_current_datetime"):
        place, name, value = botocore.auth, "get_current_datetime", lambda *a, **k: now.replace(tzinfo=None)
    else:
        class Fixed(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return now.replace(tzinfo=None)
        module = type("module", (), {"datetime": Fixed})
        place, name, value = botocore.auth, "datetime", module
    old = getattr(place, name)
    setattr(place, name, value)
    try:
        yield
    finally:
        setattr(place, name, old)


def theirs(r):
    keys = botocore.credentials.Credentials(r["key"], r["secret"], r["token"] or None)
    url = f"https://{r['host']}{r['path']}" + (f"?{r['query']}" if r["query"] else "")
    request = botocore.awsrequest.AWSRequest(method=r["method"], url=url, data=bytes.fromhex(r["body_hex"]))
    for name, value in r["headers"]:
        request.headers.add_header(name, value)
    if r["form"] == "presign":
        signer = Query(keys, r["service"], r["region"], expires=r["expires_s"])
    elif r["form"] == "s3":
        signer = S3(keys, r["service"], r["region"])
        request.context["payload_signing_enabled"] = True
        request.context["client_config"] = None
    else:
        signer = Plain(keys, r["service"], r["region"])
    with clock(r["unix_s"]):
        signer.add_auth(request)
    return signer.seen


class Seen:
    """Keeps the canonical request and the signature."""
    seen = None

    def string_to_sign(self, request, canonical_request):
        self.seen = {"canonical": canonical_request}
        return super().string_to_sign(request, canonical_request)

    def signature(self, string_to_sign, request):
        self.seen["signature"] = super().signature(string_to_sign, request)
        return self.seen["signature"]


class Plain(Seen, botocore.auth.SigV4Auth):
    pass


class S3(Seen, botocore.auth.S3SigV4Auth):
    pass


class Query(Seen, botocore.auth.SigV4QueryAuth):
    """As botocore presigns, but with the body's hash, which is what our presigned requests carry."""
    def payload(self, request):
        return botocore.auth.SigV4Auth.payload(self, request)


def test_random_requests_are_signed_as_botocore_signs_them():
    rng = random.Random(SEED)
    requests = [random_request(rng) for _ in range(count())]
    signed = ours(requests)
    assert len(signed) == len(requests)
    for request, mine in zip(requests, signed):
        other = theirs(request)
        assert mine["canonical"] == other["canonical"], request
        assert mine["signature"] == other["signature"], request


@pytest.mark.parametrize("broken", ["{}", "not json", '{"method":"GET","path":"x"}'])
def test_the_helper_refuses_what_it_cannot_sign(broken):
    done = subprocess.run([SUPPORT / "sign_lines"], input=broken + "\n", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
