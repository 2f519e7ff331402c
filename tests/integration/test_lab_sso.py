# SPDX-License-Identifier: Apache-2.0
"""The lab's IAM Identity Center with AWS's own clients: boto3, and the AWS CLI over TLS."""
import base64
import hashlib
import json
import subprocess
import sys
import time
import urllib.parse

import boto3
import botocore.exceptions
import pytest
from botocore import UNSIGNED
from botocore.config import Config

import browser
import tls_front
from harness import ACCOUNT, BIN, closed_environment

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
SCOPES = ["sso:account:access"]
REDIRECT = "http://127.0.0.1/oauth/callback"


def client(lab, service):
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    return boto3.client(service, endpoint_url=lab.url, region_name="us-east-1", config=config)


def refused(code, call, /, **arguments):
    with pytest.raises(botocore.exceptions.ClientError) as info:
        call(**arguments)
    assert info.value.response["Error"]["Code"] == code, info.value.response
    return info.value.response


class SignIn:
    """A client of the OIDC service."""

    def __init__(self, lab, **registration):
        self.lab, self.oidc = lab, client(lab, "sso-oidc")
        registration = {"clientName": "test", "clientType": "public", "scopes": SCOPES, **registration}
        self.client = self.oidc.register_client(**{k: v for k, v in registration.items() if v is not None})
        self.who = {k: self.client[k] for k in ("clientId", "clientSecret")}

    def start(self):
        self.device = self.oidc.start_device_authorization(startUrl=self.lab.url + "/start", **self.who)
        return self.device

    def poll(self):
        return self.oidc.create_token(grantType=DEVICE, deviceCode=self.device["deviceCode"], **self.who)

    def sign_in(self, user="alice"):
        browser.decide(self.start()["verificationUriComplete"], user)
        return self.poll()

    def refresh(self, token):
        return self.oidc.create_token(grantType="refresh_token", refreshToken=token, **self.who)


class Pkce(SignIn):
    def __init__(self, lab):
        super().__init__(lab, grantTypes=["authorization_code", "refresh_token"], redirectUris=[REDIRECT],
                         issuerUrl=lab.url + "/start")
        self.verifier = "v" * 43
        digest = hashlib.sha256(self.verifier.encode()).digest()
        self.query = {"response_type": "code", "client_id": self.who["clientId"], "state": "a-state_.~",
                      "redirect_uri": "http://127.0.0.1:9/oauth/callback", "scope": "sso:account:access",
                      "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
                      "code_challenge_method": "S256"}

    def authorize(self, decision="allow", **changes):
        query = urllib.parse.urlencode({**self.query, **changes})
        return browser.decide(f"{self.lab.url}/authorize?{query}", decision=decision, follow=False)

    def code(self):
        status, headers, _ = self.authorize()
        assert status == 303
        target, _, query = headers["Location"].partition("?")
        answer = dict(urllib.parse.parse_qsl(query))
        assert target == self.query["redirect_uri"] and answer["state"] == self.query["state"]
        return answer["code"]

    def redeem(self, code, **changes):
        arguments = {"grantType": "authorization_code", "code": code, "redirectUri": self.query["redirect_uri"],
                     "codeVerifier": self.verifier, **self.who, **changes}
        return self.oidc.create_token(**arguments)


def session_of(credentials):
    return {"AccessKeyId": credentials["accessKeyId"], "SecretAccessKey": credentials["secretAccessKey"],
            "SessionToken": credentials["sessionToken"]}


# --- the device flow and the portal ---


def test_device_flow_to_a_vouched_session(lab):
    person = SignIn(lab)
    device = person.start()
    assert device["interval"] == 1 and device["expiresIn"] == 600
    assert device["verificationUri"] == f"{lab.url}/start/device"
    assert refused("AuthorizationPendingException", person.poll)["error"] == "authorization_pending"
    assert refused("SlowDownException", person.poll)["error"] == "slow_down"
    assert browser.decide(device["verificationUriComplete"])[0] == 200
    token = person.poll()
    assert token["tokenType"] == "Bearer" and token["expiresIn"] == 28800 and token["refreshToken"]
    refused("InvalidGrantException", person.poll)

    portal = client(lab, "sso")
    access = token["accessToken"]
    pages = portal.get_paginator("list_accounts").paginate(accessToken=access, PaginationConfig={"PageSize": 1})
    assert [a["accountId"] for page in pages for a in page["accountList"]] == [ACCOUNT, "210987654321"]
    pages = portal.get_paginator("list_account_roles").paginate(accessToken=access, accountId=ACCOUNT,
                                                                PaginationConfig={"PageSize": 1})
    assert [r["roleName"] for page in pages for r in page["roleList"]] == ["Developer", "Auditor"]
    role = portal.get_role_credentials(accessToken=access, accountId=ACCOUNT, roleName="Developer")["roleCredentials"]
    assert role["accessKeyId"].startswith("ASIALAB")
    assert abs(role["expiration"] / 1000 - time.time() - 3600) < 60
    arn = lab.client("sts", credentials=session_of(role)).get_caller_identity()["Arn"]
    seen = lab.client("cloudtrail", "alice").lookup_events(
        LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": role["accessKeyId"]}])["Events"]
    assert [e["Username"] for e in seen] == ["alice"], "and CloudTrail knows the session by the person's name"
    head, name, user = arn.split("/")
    assert head == f"arn:aws:sts::{ACCOUNT}:assumed-role" and user == "alice"
    assert name.startswith("AWSReservedSSO_Developer_") and len(name) == len("AWSReservedSSO_Developer_") + 16
    found = lab.client("iam", "alice").get_role(RoleName=name)["Role"]
    assert found["Path"] == "/aws-reserved/sso.amazonaws.com/"

    portal.logout(accessToken=access)
    refused("UnauthorizedException", portal.list_accounts, accessToken=access)
    refused("InvalidGrantException", person.refresh, token=token["refreshToken"])
    text = (lab.dir / "journal.jsonl").read_text()
    for secret in (access, token["refreshToken"], person.who["clientSecret"], device["deviceCode"], device["userCode"],
                   role["secretAccessKey"], role["sessionToken"]):
        assert secret not in text


def test_what_the_person_says(lab):
    person = SignIn(lab)
    assert browser.decide(person.start()["verificationUriComplete"], decision="deny")[0] == 200
    refused("AccessDeniedException", person.poll)
    assert browser.decide(person.device["verificationUriComplete"])[0] == 400, "a code was decided twice"
    assert browser.decide(person.start()["verificationUriComplete"], user="mallory")[0] == 400
    refused("AuthorizationPendingException", person.poll)
    person.start()
    done = lab.control("approve", person.device["userCode"].lower().replace("-", ""), "bob")
    assert (done.returncode, done.stdout) == (0, "decided\n"), done.stderr
    portal = client(lab, "sso")
    access = person.poll()["accessToken"]
    roles = portal.list_account_roles(accessToken=access, accountId=ACCOUNT)["roleList"]
    assert [r["roleName"] for r in roles] == ["Auditor"]
    for account, role in ((ACCOUNT, "Developer"), ("210987654321", "Auditor"), (ACCOUNT, "auditor")):
        answer = refused("ForbiddenException", portal.get_role_credentials, accessToken=access, accountId=account,
                         roleName=role)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403
    person.start()
    assert lab.control("decline", person.device["userCode"]).returncode == 0
    refused("AccessDeniedException", person.poll)
    for arguments in (("approve", "AAAA-AAAA", "bob"), ("approve", person.device["userCode"], "nobody"),
                      ("approve", person.device["userCode"]), ("decline", "AAAA-AAAA", "bob")):
        assert lab.control(*arguments).returncode == 2, arguments


def test_everything_ends(start_lab):
    lab = start_lab(changed_config(token_life=1000, device_life=300, client_life=2000, refresh_life=1500))
    person = SignIn(lab)
    person.start()
    lab.clock("+301s")
    refused("ExpiredTokenException", person.poll)
    token = person.sign_in()
    portal = client(lab, "sso")
    portal.list_accounts(accessToken=token["accessToken"])
    lab.clock("+1000s")
    refused("UnauthorizedException", portal.list_accounts, accessToken=token["accessToken"])
    refreshed = person.refresh(token["refreshToken"])
    portal.list_accounts(accessToken=refreshed["accessToken"])
    lab.clock("+500s")
    refused("InvalidGrantException", person.refresh, token=refreshed["refreshToken"])
    lab.clock("+300s")
    assert refused("InvalidClientException", person.start)["ResponseMetadata"]["HTTPStatusCode"] == 401


def changed_config(**lives):
    text = subprocess.run([BIN / "sentinel-lab", "--print-config"], capture_output=True, text=True, check=True).stdout
    lines = text.splitlines()
    for name, value in lives.items():
        place = next(i for i, line in enumerate(lines) if line.startswith(f"  {name}: "))
        lines[place] = f"  {name}: {value}"
    return "\n".join(lines) + "\n"


def test_refresh_works_once(shared_lab):
    person = SignIn(shared_lab)
    first = person.sign_in()
    second = person.refresh(first["refreshToken"])
    assert second["refreshToken"] != first["refreshToken"] and second["accessToken"] != first["accessToken"]
    assert refused("InvalidGrantException", person.refresh, token=first["refreshToken"])["error"] == "invalid_grant"
    person.refresh(second["refreshToken"])
    other = SignIn(shared_lab)
    refused("InvalidGrantException", other.refresh, token=person.sign_in()["refreshToken"])
    assert "refreshToken" not in SignIn(shared_lab, scopes=None).sign_in(), "no scopes: the older form"


# --- the authorization code with PKCE ---


def test_authorization_code(shared_lab):
    person = Pkce(shared_lab)
    assert person.client["authorizationEndpoint"] == shared_lab.url + "/authorize"
    token = person.redeem(person.code())
    assert token["refreshToken"]
    assert client(shared_lab, "sso").list_accounts(accessToken=token["accessToken"])["accountList"]
    status, headers, _ = person.authorize(decision="deny")
    assert status == 303
    assert headers["Location"] == person.query["redirect_uri"] + "?error=access_denied&state=a-state_.~"


def test_code_lives_once_and_with_its_verifier(shared_lab):
    person, other = Pkce(shared_lab), Pkce(shared_lab)
    code = person.code()
    person.redeem(code)
    refused("InvalidGrantException", person.redeem, code=code)
    for changes in ({"codeVerifier": "w" * 43}, {"redirectUri": REDIRECT}, other.who):
        code = person.code()
        refused("InvalidGrantException", person.redeem, code=code, **changes)
        refused("InvalidGrantException", person.redeem, code=code), "a wrong try used it up"
    refused("InvalidRequestException", person.oidc.create_token, grantType="authorization_code", code=person.code(),
            redirectUri=REDIRECT, **person.who)


@pytest.mark.parametrize("changes", [
    {"redirect_uri": "http://127.0.0.1:9/other"}, {"redirect_uri": "http://127.0.0.1.evil.example/oauth/callback"},
    {"redirect_uri": "https://127.0.0.1:9/oauth/callback"}, {"redirect_uri": "http://evil.example/oauth/callback"},
    {"redirect_uri": "http://127.0.0.1:9/oauth/callback?x=1"}, {"redirect_uri": "http://localhost/oauth/callback"},
    {"redirect_uri": "http://127.0.0.1:9@evil.example/oauth/callback"}, {"client_id": "LABx"}, {"scope": "other:scope"},
    {"response_type": "token"}, {"code_challenge_method": "plain"}, {"code_challenge": "short"}, {"state": ""},
    {"state": "a" * 97}, {"state": "a\r\nX: y"}])
def test_authorize_page_refuses(shared_lab, changes):
    """Nothing is sent to a redirect URI that is not known to be the client's."""
    status, headers, text = Pkce(shared_lab).authorize(**changes)
    assert status in (400, 401) and "Location" not in headers and "<form" not in text


# --- what the service model demands ---


def raw(lab, path, body, **headers):
    headers = [("Content-Type", "application/json"), *headers.items()]
    status, answer_headers, answer = lab.raw("POST", path, headers, body if isinstance(body, bytes)
                                             else json.dumps(body).encode())
    return status, {k.lower(): v for k, v in dict(answer_headers).items()}.get("x-amzn-errortype"), answer


@pytest.mark.parametrize("path,body,status,code", [
    ("/client/register", b"", 400, "InvalidRequestException"),
    ("/client/register", b"[]", 400, "InvalidRequestException"),
    ("/client/register", {"clientName": "a"}, 400, "InvalidRequestException"),
    ("/client/register", {"clientName": 1, "clientType": "public"}, 400, "InvalidRequestException"),
    ("/client/register", {"clientName": "a", "clientType": "confidential"}, 400, "InvalidClientMetadataException"),
    ("/client/register", {"clientName": "a", "clientType": "public", "grantTypes": ["password"]}, 400,
     "UnsupportedGrantTypeException"),
    ("/client/register", {"clientName": "a", "clientType": "public", "scopes": ["a b"]}, 400, "InvalidScopeException"),
    ("/client/register", {"clientName": "a", "clientType": "public", "scopes": ["x" * 300]}, 400,
     "InvalidScopeException"),
    ("/client/register", {"clientName": "a", "clientType": "public", "grantTypes": ["authorization_code"]}, 400,
     "InvalidRedirectUriException"),
    ("/client/register", {"clientName": "a", "clientType": "public", "redirectUris": ["https://evil.example/"]}, 400,
     "InvalidRedirectUriException"),
    ("/client/register", {"clientName": "a", "clientType": "public", "redirectUris": [REDIRECT],
                          "grantTypes": ["authorization_code"]}, 400, "InvalidRequestException"),
    ("/device_authorization", {"clientId": "a", "clientSecret": "b", "startUrl": "c"}, 401, "InvalidClientException"),
    ("/token", {"clientId": "a", "clientSecret": "b", "grantType": DEVICE}, 401, "InvalidClientException"),
    ("/token", {"clientId": "a", "grantType": DEVICE}, 400, "InvalidRequestException"),
    ("/logout", b"", 401, "UnauthorizedException"),
])
def test_requests_out_of_form(shared_lab, path, body, status, code):
    answer = raw(shared_lab, path, body)
    assert answer[:2] == (status, code), answer
    assert ("error_description" if path != "/logout" else "message") in json.loads(answer[2])


def test_grants_a_client_did_not_register_for(shared_lab):
    pkce, person = Pkce(shared_lab), SignIn(shared_lab)
    refused("UnauthorizedClientException", pkce.start)
    refused("UnauthorizedClientException", person.oidc.create_token, grantType="authorization_code", code="a",
            redirectUri="b", codeVerifier="c", **person.who)
    refused("UnsupportedGrantTypeException", person.oidc.create_token, grantType="password", **person.who)
    refused("InvalidRequestException", person.oidc.create_token, grantType=DEVICE, **person.who)
    refused("InvalidRequestException", person.oidc.start_device_authorization, startUrl="https://evil.example/start",
            **person.who)
    person.oidc.start_device_authorization(startUrl=shared_lab.url + "/start#/", **person.who)
    portal = client(shared_lab, "sso")
    access = person.sign_in()["accessToken"]
    refused("InvalidRequestException", portal.list_accounts, accessToken=access, nextToken="3")
    refused("InvalidRequestException", portal.list_accounts, accessToken=access, maxResults=101)
    refused("ForbiddenException", portal.list_account_roles, accessToken=access, accountId="000000000000")


def test_faults(lab):
    person = SignIn(lab)
    person.start()
    for kind, code in (("authorization_pending", "AuthorizationPendingException"), ("slow_down", "SlowDownException"),
                       ("expired_token", "ExpiredTokenException"), ("access_denied", "AccessDeniedException"),
                       ("invalid_grant", "InvalidGrantException"), ("throttle", "SlowDownException"),
                       ("500", "InternalServerException")):
        lab.fault(f"sso-oidc:CreateToken={kind},1")
        refused(code, person.poll)
        assert lab.journal()[-1]["fault"] == kind
    lab.fault("sso:ListAccounts=throttle,1")
    access = person.sign_in()["accessToken"]
    portal = client(lab, "sso")
    answer = refused("TooManyRequestsException", portal.list_accounts, accessToken=access)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 429
    assert portal.list_accounts(accessToken=access)["accountList"]
    done = lab.control("fault", "sts:AssumeRole=slow_down")
    assert done.returncode == 2 and "only sso-oidc answers that" in done.stderr


def test_lab_without_identity_center(start_lab):
    lab = start_lab("account: \"123456789012\"\n")
    assert raw(lab, "/client/register", {"clientName": "a", "clientType": "public"})[:2] == \
        (400, "InvalidRequestException")
    assert "sso" not in (lab.dir / "aws" / "config").read_text()


# --- AWS's clients with the files that the lab writes ---


def write_token(lab, token, client_of, ends_in_s=3600):
    """The token cache as AWS's tools share it."""
    cache = lab.dir / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    stamp = lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + s))
    (cache / (hashlib.sha1(b"lab").hexdigest() + ".json")).write_text(json.dumps({
        "startUrl": lab.url + "/start", "region": "us-east-1", "accessToken": token["accessToken"],
        "expiresAt": stamp(ends_in_s), "refreshToken": token["refreshToken"], "clientId": client_of.who["clientId"],
        "clientSecret": client_of.who["clientSecret"], "registrationExpiresAt": stamp(86400)}))


def test_boto3_profile_of_the_directory(lab):
    """boto3 with D/env and D/aws/config: the token of the cache gives role credentials, and is refreshed near its end."""
    code = ("import boto3,sys; s = boto3.Session(profile_name=sys.argv[1])\n"
            "print(s.client('sts').get_caller_identity()['Arn'])")
    env = closed_environment(lab.dir, **lab.env)
    person = SignIn(lab)
    write_token(lab, person.sign_in(), person)
    for profile in ("sso-Developer-main", "sso-Auditor-main", "sso-Developer-sandbox"):
        done = subprocess.run([sys.executable, "-c", code, profile], env=env, capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 0 and done.stdout.strip().endswith("/alice"), done.stderr
    count = len([e for e in lab.journal() if e["action"] == "CreateToken"])
    write_token(lab, person.sign_in(), person, ends_in_s=300)
    done = subprocess.run([sys.executable, "-c", code, "sso-Auditor-main"], env=env, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert [e["parameters"]["grantType"] for e in lab.journal() if e["action"] == "CreateToken"][count:] == \
        [DEVICE, "refresh_token"]


@pytest.fixture
def cli_environment(lab, tmp_path, aws_cli):
    """The AWS CLI, unmodified, which takes no endpoint for its sign-in: a proxy leads it to the lab over TLS."""
    front = tls_front.TlsFront(tmp_path, urllib.parse.urlsplit(lab.url).port)
    program = browser.write_program(tmp_path / "browser")
    yield closed_environment(lab.dir, AWS_CONFIG_FILE=lab.dir / "aws" / "config", BROWSER=program, AWS_PAGER="",
                             **front.env())
    front.close()


def test_aws_cli_signs_in(lab, cli_environment, aws_cli, tmp_path):
    def aws(*arguments):
        return subprocess.run([aws_cli, *arguments], env=cli_environment, capture_output=True, text=True, timeout=60,
                              check=False)
    done = aws("sso", "login", "--profile", "sso-Developer-main")
    assert done.returncode == 0 and "Successfully logged into Start URL" in done.stdout, done
    kept = json.loads((lab.dir / ".aws" / "sso" / "cache" / f"{hashlib.sha1(b'lab').hexdigest()}.json").read_text())
    assert kept["accessToken"].startswith("LAB") and kept["refreshToken"].startswith("LAB")
    assert "/start/device" in (tmp_path / "browser.log").read_text()
    done = aws("--endpoint-url", lab.url, "sts", "get-caller-identity", "--profile", "sso-Developer-main")
    assert done.returncode == 0 and json.loads(done.stdout)["Arn"].endswith("/alice"), done.stderr
    done = aws("sso", "logout")
    assert done.returncode == 0, done.stderr
    assert lab.journal()[-1]["action"] == "Logout" and lab.journal()[-1]["status"] == 200
