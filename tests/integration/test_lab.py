# SPDX-License-Identifier: Apache-2.0
"""sentinel lab with AWS's own clients: does the stand-in refuse what AWS refuses, and in its words?"""
import hashlib
import http.client
import json
import sys
import subprocess
import time
import urllib.parse

import botocore.exceptions
import pytest

from harness import ACCOUNT, BIN, closed_environment, form, role_arn, sign

STAMP = "sentinel=alice=direct=4t8r2v6x0k1m3n5p"
DEV = role_arn("SentinelProtected-dev")
PROD = role_arn("SentinelProtected-prod")


def refused(code):
    """The call must fail with AWS's error code; gives the message."""
    class Refused:
        def __enter__(self):
            self.raised = pytest.raises(botocore.exceptions.ClientError)
            self.info = self.raised.__enter__()
            return self

        def __exit__(self, *exc):
            done = self.raised.__exit__(*exc)
            assert self.info.value.response["Error"]["Code"] == code, self.info.value
            self.message = self.info.value.response["Error"]["Message"]
            return done
    return Refused()


@pytest.fixture
def tvm(shared_lab):
    """STS as the TVM's role sees it."""
    return shared_lab.client("sts", credentials=shared_lab.tvm_credentials())


def protected(sts, **changes):
    arguments = {"RoleArn": DEV, "RoleSessionName": "alice-4t8r2v6x0k1m3n5p", "SourceIdentity": STAMP}
    arguments.update(changes)
    return sts.assume_role(**{k: v for k, v in arguments.items() if v is not None})


# --- the AWS CLI, unmodified ---


def test_cli_knows_who_it_is(shared_lab, aws_cli):
    done = shared_lab.aws("alice", "sts", "get-caller-identity")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"


def test_attack_22_user_assumes_protected_role_directly(shared_lab, aws_cli):
    """ATK-22: with the right stamp but without being the TVM the trust policy refuses."""
    done = shared_lab.aws("alice", "sts", "assume-role", "--role-arn", DEV, "--role-session-name", "x1",
                          "--source-identity", STAMP)
    assert done.returncode == 254
    assert (f"(AccessDenied) when calling the AssumeRole operation: User: arn:aws:iam::{ACCOUNT}:user/alice is not "
            f"authorized to perform: sts:AssumeRole on resource: {DEV}") in done.stderr


def test_cli_sees_stamp_in_cloudtrail(lab, aws_cli):
    protected(lab.client("sts", credentials=lab.tvm_credentials()))
    done = lab.aws("alice", "cloudtrail", "lookup-events", "--lookup-attributes",
                   "AttributeKey=EventName,AttributeValue=AssumeRole")
    assert done.returncode == 0, done.stderr
    events = [json.loads(e["CloudTrailEvent"]) for e in json.loads(done.stdout)["Events"]]
    assert [e["requestParameters"].get("sourceIdentity") for e in events] == [STAMP, None]


def test_boto3_profiles_of_the_directory(shared_lab):
    """D/env and D/aws are enough for an SDK: keys, role_arn with source_profile, endpoint."""
    code = "import boto3,sys; print(boto3.Session(profile_name=sys.argv[1]).client('sts').get_caller_identity()['Arn'])"
    env = dict(closed_environment(shared_lab.dir), **shared_lab.env)
    for profile, arn in (("alice", f"arn:aws:iam::{ACCOUNT}:user/alice"), ("bob", f"arn:aws:iam::{ACCOUNT}:user/bob"),
                         ("tvm", f"arn:aws:sts::{ACCOUNT}:assumed-role/SentinelTVM/sentinel-tvm"),
                         ("agent", f"arn:aws:sts::{ACCOUNT}:assumed-role/AgentRunner/agent-1")):
        done = subprocess.run([sys.executable, "-c", code, profile], env=env, capture_output=True, text=True,
                              check=False)
        assert done.stdout.strip() == arn, done.stderr


# --- AssumeRole: limits of the service model ---


@pytest.mark.parametrize("change, at, constraint", [
    ({"SourceIdentity": "sentinel:alice:direct:1"}, "sourceIdentity",
     r"Member must satisfy regular expression pattern: [\w+=,.@-]*"),
    ({"RoleSessionName": "a/b"}, "roleSessionName", r"Member must satisfy regular expression pattern: [\w+=,.@-]*"),
    ({"RoleSessionName": "a" * 65}, "roleSessionName", "Member must have length less than or equal to 64"),
    ({"RoleSessionName": "aé"}, "roleSessionName", r"Member must satisfy regular expression pattern: [\w+=,.@-]*"),
    ({"ExternalId": "a b"}, "externalId", r"Member must satisfy regular expression pattern: [\w+=,.@:\/-]*"),
    ({"DurationSeconds": 43201}, "durationSeconds", "Member must have value less than or equal to 43200"),
    ({"Tags": [{"Key": "a;b", "Value": "x"}]}, "tags.1.member.key",
     r"Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+"),
    ({"Tags": [{"Key": "k", "Value": "v" * 257}]}, "tags.1.member.value",
     "Member must have length less than or equal to 256"),
])
def test_limits(tvm, change, at, constraint):
    with refused("ValidationError") as error:
        protected(tvm, **change)
    assert error.message.startswith("1 validation error detected: Value '")
    assert f"' at '{at}' failed to satisfy constraint: {constraint}" in error.message


@pytest.mark.parametrize("parameters, messages", [
    ({"DurationSeconds": "899"}, ["Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have "
                                  "value greater than or equal to 900"]),
    ({"DurationSeconds": "-900"}, ["Value '-900' at 'durationSeconds'"]),
    ({"DurationSeconds": "1e3"}, ["Value '1e3' at 'durationSeconds'"]),
    ({"DurationSeconds": "4294968196"}, ["Value '4294968196' at 'durationSeconds'"]),
    ({"SourceIdentity": "x"}, ["Value 'x' at 'sourceIdentity' failed to satisfy constraint: Member must have length "
                               "greater than or equal to 2"]),
    ({"RoleSessionName": None}, ["Value null at 'roleSessionName' failed to satisfy constraint: Member must not be "
                                 "null"]),
    ({"RoleSessionName": "a", "SourceIdentity": "a:b"}, ["2 validation errors detected: Value 'a' at "
                                                        "'roleSessionName'", "; Value 'a:b' at 'sourceIdentity'"]),
])
def test_limits_that_clients_would_check_themselves(shared_lab, parameters, messages):
    wanted = {"Action": "AssumeRole", "Version": "2011-06-15", "RoleArn": DEV, "RoleSessionName": "x1", **parameters}
    status, _, body = post(shared_lab, "alice", {k: v for k, v in wanted.items() if v is not None})
    assert status == 400 and "<Code>ValidationError</Code>" in body
    for message in messages:
        assert message.replace("'", "&apos;") in body or message in body.replace("&#39;", "'"), body


def test_durations(lab):
    """Default, the role's maximum, and the hour that chaining leaves."""
    config = subprocess.run([BIN / "sentinel-lab", "--print-config"], capture_output=True, text=True, check=True).stdout
    assert "max_session: 14400" in config
    user = lab.client("sts", "tvm-user")
    with refused("ValidationError") as error:
        user.assume_role(RoleArn=role_arn("SentinelTVM"), RoleSessionName="tvm", DurationSeconds=3601)
    assert error.message == "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    sts = lab.client("sts", credentials=lab.tvm_credentials())
    with refused("ValidationError") as error:
        protected(sts, DurationSeconds=3601)
    assert error.message == ("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role "
                             "chaining")
    for wanted, seconds in ((None, 3600), (900, 900), (3600, 3600)):
        left = protected(sts, DurationSeconds=wanted)["Credentials"]["Expiration"].timestamp() - time.time()
        assert seconds - 30 < left <= seconds + 1


def test_answer_of_assume_role(tvm, shared_lab):
    answer = protected(tvm, Tags=[{"Key": "SentinelSessionID", "Value": "4t8r2v6x0k1m3n5p"}])
    assert answer["AssumedRoleUser"]["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/SentinelProtected-dev/alice-4t8r2v6x0k1m3n5p")
    assert answer["AssumedRoleUser"]["AssumedRoleId"].startswith("AROALAB")
    assert answer["SourceIdentity"] == STAMP
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIALAB")
    session = shared_lab.client("sts", credentials=answer["Credentials"])
    assert session.get_caller_identity()["Arn"] == answer["AssumedRoleUser"]["Arn"]


# --- trust policies ---


def test_attack_25_stamp_and_squatting(tvm):
    """ATK-25: no stamp, a foreign one, and one that only begins alike are refused by StringLike sentinel=*."""
    for identity in (None, "alice", "sentinel.alice", "sentinelx=alice", "Sentinel=alice=direct=1"):
        with refused("AccessDenied") as error:
            protected(tvm, SourceIdentity=identity)
        assert "sts:AssumeRole on resource" in error.message


def test_attack_25_tags_need_permission(lab, start_lab):
    """ATK-25: a trust policy without sts:TagSession refuses tags; another one without sts:SetSourceIdentity a stamp."""
    other = start_lab(config=ONE_ROLE.format(actions='["sts:AssumeRole"]', condition=""))
    sts = other.client("sts", "alice")
    target = role_arn("Target")
    sts.assume_role(RoleArn=target, RoleSessionName="x1")
    with refused("AccessDenied") as error:
        sts.assume_role(RoleArn=target, RoleSessionName="x1", Tags=[{"Key": "a", "Value": "b"}])
    assert error.message == (f"User: arn:aws:iam::{ACCOUNT}:user/alice is not authorized to perform: sts:TagSession on "
                             f"resource: {target}")
    with refused("AccessDenied") as error:
        sts.assume_role(RoleArn=target, RoleSessionName="x1", SourceIdentity=STAMP)
    assert "perform: sts:SetSourceIdentity on" in error.message
    stamped = lab.client("sts", credentials=lab.tvm_credentials())
    with refused("AccessDenied") as error:  # a tag key that the ForAllValues condition does not list
        protected(stamped, Tags=[{"Key": "Project", "Value": "b"}])
    assert "perform: sts:TagSession on" in error.message


ONE_ROLE = """
users: [{{name: alice}}, {{name: bob}}]
roles:
  - name: Target
    trust:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal: {{AWS: "arn:aws:iam::123456789012:root"}}
          Action: {actions}
{condition}
"""
ANY_STS = '"sts:*"'


def test_external_id(start_lab):
    lab = start_lab(config=ONE_ROLE.format(actions=ANY_STS, condition="""
          Condition: {StringEquals: {"sts:ExternalId": "secret-1"}}"""))
    sts = lab.client("sts", "alice")
    sts.assume_role(RoleArn=role_arn("Target"), RoleSessionName="x1", ExternalId="secret-1")
    for wrong in ({}, {"ExternalId": "secret-2"}, {"ExternalId": "SECRET-1"}):
        with refused("AccessDenied"):
            sts.assume_role(RoleArn=role_arn("Target"), RoleSessionName="x1", **wrong)


def test_source_identity_sticks_through_chaining(start_lab):
    """The first stamp stays, no other can be set, and the next role must allow sts:SetSourceIdentity as well."""
    lab = start_lab(config=ONE_ROLE.format(actions=ANY_STS, condition="") + """
  - name: NoStamp
    trust: {Statement: {Effect: Allow, Principal: {AWS: "123456789012"}, Action: "sts:AssumeRole"}}
""")
    first = lab.client("sts", "alice").assume_role(RoleArn=role_arn("Target"), RoleSessionName="x1",
                                                   SourceIdentity=STAMP)
    sts = lab.client("sts", credentials=first["Credentials"])
    for identity in ({}, {"SourceIdentity": STAMP}):
        second = sts.assume_role(RoleArn=role_arn("Target"), RoleSessionName="x2", **identity)
        assert second["SourceIdentity"] == STAMP
    with refused("AccessDenied") as error:
        sts.assume_role(RoleArn=role_arn("Target"), RoleSessionName="x2",
                        SourceIdentity="sentinel=bob=direct=4t8r2v6x0k1m3n5p")
    assert "sts:SetSourceIdentity" in error.message
    with refused("AccessDenied") as error:
        sts.assume_role(RoleArn=role_arn("NoStamp"), RoleSessionName="x2")
    assert "sts:SetSourceIdentity" in error.message
    event = lab.events("AssumeRole")[-2]["event"]  # the first chained one
    assert event["userIdentity"]["sessionContext"]["sourceIdentity"] == STAMP


def test_tags_through_chaining(start_lab):
    lab = start_lab(config=ONE_ROLE.format(actions=ANY_STS, condition=""))
    target = role_arn("Target")
    first = lab.client("sts", "alice").assume_role(
        RoleArn=target, RoleSessionName="x1", TransitiveTagKeys=["team"],
        Tags=[{"Key": "team", "Value": "a"}, {"Key": "lost", "Value": "b"}])
    sts = lab.client("sts", credentials=first["Credentials"])
    with refused("InvalidParameterValue") as error:
        sts.assume_role(RoleArn=target, RoleSessionName="x2", Tags=[{"Key": "Team", "Value": "c"}])
    assert "conflicts with a transitive tag key from the calling session" in error.message
    sts.assume_role(RoleArn=target, RoleSessionName="x2", Tags=[{"Key": "lost", "Value": "c"}])
    with refused("InvalidParameterValue") as error:
        sts.assume_role(RoleArn=target, RoleSessionName="x2", Tags=[{"Key": "a", "Value": "b"},
                                                                    {"Key": "A", "Value": "b"}])
    assert error.message == "Duplicate tag keys found. Please note that Tag keys are case insensitive."
    with refused("InvalidParameterValue"):
        sts.assume_role(RoleArn=target, RoleSessionName="x2", Tags=[{"Key": "AWS:x", "Value": "b"}])


# --- policies that hold for a session ---


def test_session_policy_deadline(lab):
    """A Deny on DateGreaterThanEquals aws:CurrentTime ends what a session may do before its keys expire."""
    deadline = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 600))
    policy = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": deadline}}}]}
    sts = lab.client("sts", credentials=lab.tvm_credentials())
    session = protected(sts, Policy=json.dumps(policy), DurationSeconds=900)["Credentials"]
    lab.client("iam", credentials=session).list_roles()
    lab.clock("+11m")
    with refused("AccessDenied") as error:
        lab.client("iam", credentials=session).list_roles()
    assert error.message.endswith("with an explicit deny in a session policy")
    lab.client("sts", credentials=session).get_caller_identity()  # cannot be denied, as in AWS
    lab.clock("+5m")
    with refused("ExpiredToken"):
        lab.client("sts", credentials=session).get_caller_identity()


@pytest.mark.parametrize("size, fits", [(2048, True), (2049, False)])
def test_session_policy_size(tvm, size, fits):
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    policy += " " * (size - len(policy))
    if fits:
        protected(tvm, Policy=policy)
    else:
        with refused("PackedPolicyTooLarge"):
            protected(tvm, Policy=policy)


@pytest.mark.parametrize("policy", ["{", "[]", '{"Statement":[]}', '{"Statement":[{"Effect":"Permit"}]}',
                                    '{"Statement":[{"Effect":"Allow","Action":"*"}]}',
                                    '{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":'
                                    '{"StringMaybe":{"a":"b"}}}]}'])
def test_session_policy_malformed(tvm, policy):
    with refused("MalformedPolicyDocument"):
        protected(tvm, Policy=policy)


def test_revocation_policy_on_source_identity(lab):
    """An inline Deny on aws:SourceIdentity ends one session on its next call and leaves the others alone."""
    sts = lab.client("sts", credentials=lab.tvm_credentials())
    other = "sentinel=bob=direct=0c9n3t6w1r8yd5hj"
    alice, bob = (protected(sts, SourceIdentity=s)["Credentials"] for s in (STAMP, other))
    document = {"Version": "2012-10-17", "Statement": [
        {"Sid": "SentinelRevokedSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
         "Condition": {"StringEquals": {"aws:SourceIdentity": [STAMP]}}}]}
    iam = lab.client("iam", credentials=lab.tvm_credentials())
    iam.put_role_policy(RoleName="SentinelProtected-dev", PolicyName="SentinelRevocations",
                        PolicyDocument=json.dumps(document))
    assert iam.list_role_policies(RoleName="SentinelProtected-dev")["PolicyNames"] == ["SentinelRevocations"]
    assert iam.get_role_policy(RoleName="SentinelProtected-dev", PolicyName="SentinelRevocations")[
        "PolicyDocument"] == document
    with refused("AccessDenied") as error:
        lab.client("iam", credentials=alice).list_users()
    assert error.message.endswith("with an explicit deny in an identity-based policy")
    lab.client("iam", credentials=bob).list_users()
    iam.delete_role_policy(RoleName="SentinelProtected-dev", PolicyName="SentinelRevocations")
    lab.client("iam", credentials=alice).list_users()
    with refused("NoSuchEntity"):
        iam.delete_role_policy(RoleName="SentinelProtected-dev", PolicyName="SentinelRevocations")


def test_inline_policies_have_a_size(lab):
    iam = lab.client("iam", "alice")
    statement = {"Effect": "Deny", "Action": "*", "Resource": "*",
                 "Condition": {"StringEquals": {"aws:SourceIdentity": ["x" * 64] * 160}}}
    with refused("LimitExceeded"):
        iam.put_role_policy(RoleName="SentinelProtected-dev", PolicyName="P",
                            PolicyDocument=json.dumps({"Statement": statement}))


# --- who signs, and how ---


def post(lab, profile, parameters, **options):
    body = form(**parameters)
    credentials = options.pop("credentials", None) or lab.keys(profile)
    return lab.raw("POST", "/", sign(credentials, lab.url, body, **options), body)


WHO = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}


def test_own_signer_is_accepted(shared_lab):
    """The bendable signer of the harness is right as long as it is not bent."""
    status, headers, body = post(shared_lab, "alice", WHO, headers=[("X-Sentinel-Audience", "https://tvm  example")])
    assert status == 200 and headers["Content-Type"] == "text/xml" and "user/alice</Arn>" in body
    assert headers["x-amzn-RequestId"] in body


@pytest.mark.parametrize("offset_s, accepted, words", [
    (-880, True, ""), (880, True, ""),
    (-920, False, "Signature expired: "), (920, False, "Signature not yet current: "),
])
def test_clock_skew(shared_lab, offset_s, accepted, words):
    status, _, body = post(shared_lab, "alice", WHO, when=time.time() + offset_s)
    assert (status == 200) == accepted
    if not accepted:
        assert status == 403 and "<Code>SignatureDoesNotMatch</Code>" in body and words in body


def test_bent_signatures(shared_lab):
    alice = shared_lab.keys("alice")
    cases = [
        ("InvalidClientTokenId", {"credentials": ("AKIALABAAAAAAAAAAAAA", alice[1])}),
        ("InvalidClientTokenId", {"credentials": (*alice, "some-token")}),
        ("SignatureDoesNotMatch", {"credentials": (alice[0], shared_lab.keys("bob")[1])}),
        ("SignatureDoesNotMatch", {"service": "iam"}),
        ("SignatureDoesNotMatch", {"signed": ["x-amz-date", "content-type"]}),
        ("SignatureDoesNotMatch", {"signed": ["host", "content-type"]}),
        ("SignatureDoesNotMatch", {"signed": ["x-amz-date", "host"], "order": list}),  # right, but not in order
        ("SignatureDoesNotMatch", {"signed": ["host", "host", "x-amz-date"]}),
        ("SignatureDoesNotMatch", {"signed": ["host", "x-amz-Date"], "names": {"x-amz-Date": "x-amz-date"}}),
    ]
    for code, options in cases:
        status, _, body = post(shared_lab, "alice", WHO, **options)
        assert status == 403 and f"<Code>{code}</Code>" in body, (code, options, body)


def test_changed_after_signing(shared_lab):
    body = form(**WHO)
    headers = sign(shared_lab.keys("alice"), shared_lab.url, body, headers=[("X-Extra", "a")])
    assert shared_lab.raw("POST", "/", headers, body)[0] == 200
    changed = [(n, "b" if n == "X-Extra" else v) for n, v in headers]
    for case in ((changed, "/", body), (headers, "/?a=b", body), (headers, "/", body + b"&a=b")):
        status, _, text = shared_lab.raw("POST", case[1], case[0], case[2])
        assert status == 403 and "SignatureDoesNotMatch" in text


@pytest.mark.parametrize("value, code", [
    (None, "MissingAuthenticationToken"), ("Bearer x", "IncompleteSignature"), ("AWS4-HMAC-SHA256 ", "IncompleteSignature"),
    ("AWS4-HMAC-SHA256 Credential=a/20260101/r/sts/aws4_request, SignedHeaders=host", "IncompleteSignature"),
    ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=0", "IncompleteSignature"),
    ("AWS4-HMAC-SHA256 Credential=a/20260101/r/sts/aws4_request, Credential=a/20260101/r/sts/aws4_request, "
     "SignedHeaders=host, Signature=0", "IncompleteSignature"),
])
def test_authorization_header(shared_lab, value, code):
    headers = [("Authorization", value)] if value is not None else []
    status, _, body = shared_lab.raw("POST", "/", headers, form(**WHO))
    assert status in (400, 403) and f"<Code>{code}</Code>" in body


def test_presigned(shared_lab):
    """The query form as botocore makes it; good for 15 minutes whatever X-Amz-Expires says, as at STS."""
    url = shared_lab.client("sts", "alice").generate_presigned_url("get_caller_identity", ExpiresIn=60, HttpMethod="GET")
    target = "/?" + urllib.parse.urlsplit(url).query
    status, _, body = shared_lab.raw("GET", target)
    assert status == 200 and "user/alice</Arn>" in body
    status, _, body = shared_lab.raw("GET", target.replace("GetCallerIdentity", "GetSessionToken"))
    assert status == 403 and "SignatureDoesNotMatch" in body


def test_query_protocol_errors(shared_lab):
    for parameters, code in (({"Version": "2011-06-15"}, "MissingAction"),
                             ({"Action": "GetCallerIdentity", "Version": "2010-05-08"}, "InvalidAction"),
                             ({"Action": "AssumeRoot", "Version": "2011-06-15"}, "InvalidAction")):
        status, _, body = post(shared_lab, "alice", parameters)
        assert status == 400 and f"<Code>{code}</Code>" in body
    body = b"Action=GetCallerIdentity&Action=AssumeRole&Version=2011-06-15"
    status, _, text = shared_lab.raw("POST", "/", sign(shared_lab.keys("alice"), shared_lab.url, body), body)
    assert status == 400 and "MalformedQueryString" in text


def test_get_session_token(shared_lab):
    session = shared_lab.client("sts", "alice").get_session_token(DurationSeconds=900)["Credentials"]
    sts = shared_lab.client("sts", credentials=session)
    assert sts.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    sts.assume_role(RoleArn=role_arn("AgentRunner"), RoleSessionName="x1")
    with refused("AccessDenied"):
        sts.get_session_token()
    with refused("InvalidClientTokenId"):
        shared_lab.client("iam", credentials=session).list_users()


# --- IAM and CloudTrail ---


def test_iam_reading(shared_lab):
    iam = shared_lab.client("iam", "alice")
    role = iam.get_role(RoleName="SentinelProtected-prod")["Role"]
    assert role["Arn"] == PROD and role["MaxSessionDuration"] == 3600
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"] == {
        "StringLike": {"sts:SourceIdentity": "sentinel=*"}}
    assert {u["UserName"] for u in iam.list_users()["Users"]} == {"alice", "bob", "tvm"}
    assert iam.get_user()["User"]["UserName"] == "alice"
    pages = iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2})
    assert [len(p["Roles"]) for p in pages] == [2, 2, 2, 1]
    with refused("NoSuchEntity") as error:
        iam.get_role(RoleName="Nobody")
    assert error.message == "The role with name Nobody cannot be found."


def test_cloudtrail_filters_and_pages(lab):
    alice, bob = lab.client("sts", "alice"), lab.client("sts", "bob")
    for _ in range(7):
        alice.get_caller_identity()
    with refused("AccessDenied"):
        bob.assume_role(RoleArn=DEV, RoleSessionName="x1", SourceIdentity=STAMP)
    cloudtrail = lab.client("cloudtrail", "bob")

    def look(key, value, **more):
        return cloudtrail.lookup_events(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}], **more)
    assert len(look("Username", "alice")["Events"]) == 7
    assert len(look("EventSource", "sts.amazonaws.com")["Events"]) == 8
    assert len(look("AccessKeyId", lab.keys("alice")[0])["Events"]) == 7
    denied = look("ResourceName", DEV)["Events"]
    event = json.loads(denied[0]["CloudTrailEvent"])
    assert len(denied) == 1 and event["errorCode"] == "AccessDenied"
    assert event["requestParameters"]["sourceIdentity"] == STAMP and event["responseElements"] is None
    page = look("Username", "alice", MaxResults=3)
    seen = [e["EventId"] for e in page["Events"]]
    with refused("InvalidNextTokenException"):
        look("Username", "bob", MaxResults=3, NextToken=page["NextToken"])
    while "NextToken" in page:
        page = look("Username", "alice", MaxResults=3, NextToken=page["NextToken"])
        seen += [e["EventId"] for e in page["Events"]]
    assert len(seen) == 7 == len(set(seen))
    with refused("InvalidTimeRangeException"):
        cloudtrail.lookup_events(StartTime=time.time(), EndTime=time.time() - 60)
    assert cloudtrail.lookup_events(StartTime=time.time() + 60)["Events"] == []


def test_no_secret_is_remembered(lab):
    """Neither journal nor CloudTrail holds a secret key or a session token."""
    answer = protected(lab.client("sts", credentials=lab.tvm_credentials()))
    text = (lab.dir / "journal.jsonl").read_text() + json.dumps([e["event"] for e in lab.events()])
    assert answer["Credentials"]["AccessKeyId"] in text
    for secret in (answer["Credentials"]["SecretAccessKey"], answer["Credentials"]["SessionToken"],
                   lab.keys("alice")[1], lab.keys("tvm-user")[1]):
        assert secret not in text


def test_journal(lab):
    with refused("AccessDenied"):
        lab.client("sts", "alice").assume_role(RoleArn=DEV, RoleSessionName="x1", SourceIdentity=STAMP)
    line = lab.journal()[-1]
    assert line["action"] == "AssumeRole" and line["caller"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert line["parameters"]["sourceIdentity"] == STAMP and line["status"] == 403
    assert line["error"]["code"] == "AccessDenied"


# --- clock and faults ---


def test_faults(lab):
    sts = lab.client("sts", credentials=lab.tvm_credentials())
    lab.fault("sts:AssumeRole=throttle,2")
    for _ in range(2):
        with refused("Throttling"):
            protected(sts)
    protected(sts)
    lab.fault("sts:AssumeRole=500")
    for _ in range(2):
        with refused("InternalFailure"):
            protected(sts)
    sts.get_caller_identity()  # another action
    lab.fault("sts:AssumeRole=other-role,1")
    assert protected(sts)["AssumedRoleUser"]["Arn"] == (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/SomebodyElse/alice-4t8r2v6x0k1m3n5p")
    lab.fault("sts:AssumeRole=throttle")
    lab.fault("none")
    protected(sts)


@pytest.mark.parametrize("kind, status, content_type, content", [
    ("html", 200, "text/html; charset=utf-8", "<!DOCTYPE html>"),
    ("redirect", 302, "text/xml", ""),
    ("wrong-type", 200, "application/json", "<GetCallerIdentityResponse"),
    ("two-arns", 200, "text/xml", "somebody-else</Arn>"),
    ("other-role", 200, "text/xml", "somebody-else</Arn>"),
])
def test_fault_forms(lab, kind, status, content_type, content):
    lab.fault(f"sts:GetCallerIdentity={kind},1")
    got, headers, body = post(lab, "alice", WHO)
    assert (got, headers["Content-Type"]) == (status, content_type) and content in body
    assert body.count("<Arn>") == (2 if kind == "two-arns" else 0 if kind in ("html", "redirect") else 1)
    assert lab.journal()[-1]["fault"] == kind
    assert post(lab, "alice", WHO)[0] == 200
    assert "fault" not in lab.journal()[-1]


def test_fault_cut(lab):
    """Half of the announced bytes, then the end of the connection."""
    lab.fault("sts:GetCallerIdentity=cut,1")
    with pytest.raises(http.client.IncompleteRead) as error:
        post(lab, "alice", WHO)
    assert error.value.partial.startswith(b"<GetCallerIdentityResponse") and error.value.expected > 50
    assert post(lab, "alice", WHO)[0] == 200


def test_fault_slow(lab):
    lab.fault("sts:GetCallerIdentity=slow:2,1")
    started = time.monotonic()
    assert post(lab, "alice", WHO)[0] == 200
    assert time.monotonic() - started >= 2


def test_clock(lab):
    session = lab.tvm_credentials()
    lab.clock("+59m")
    lab.client("sts", credentials=session).get_caller_identity()
    lab.clock("+2m")
    with refused("ExpiredToken") as error:
        lab.client("sts", credentials=session).get_caller_identity()
    assert error.message == "The security token included in the request is expired"
    lab.clock("=2026-02-01T10:00:00Z")
    lab.client("sts", "alice").get_caller_identity()
    assert lab.journal()[-1]["time"].startswith("2026-02-01T10:00:")


@pytest.mark.parametrize("arguments", [("clock", "1h"), ("clock", "+0s"), ("clock", "=yesterday"), ("fault", "x"),
                                       ("fault", "sts:AssumeRole=boom"), ("fault", "sts:AssumeRole=slow"),
                                       ("fault", "sts:AssumeRole=throttle,0")])
def test_control_refuses(shared_lab, arguments):
    done = shared_lab.control(*arguments)
    assert done.returncode == 2 and done.stderr.startswith("sentinel: error: ") and "hint:" in done.stderr


def test_control_needs_the_token(shared_lab):
    assert shared_lab.raw("POST", "/-lab/clock", [("X-Lab-Token", "0" * 32)], b"+1h")[0] == 403
    assert shared_lab.raw("POST", "/-lab/clock", [], b"+1h")[0] == 403
    assert (shared_lab.dir / "control").stat().st_mode & 0o077 == 0


def test_start_refuses(tmp_path):
    for arguments, words in ((["--listen", "0.0.0.0:0"], "loopback only"), (["--config", "/nonexistent"], "/nonexistent"),
                             (["--nonsense"], "--nonsense")):
        done = subprocess.run([BIN / "sentinel-lab", "--dir", tmp_path / "d", *arguments], capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode in (2, 3) and words in done.stderr and done.stdout == ""
    done = subprocess.run([BIN / "sentinel-lab", "clock", "+1h", "--dir", tmp_path / "none"], capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.returncode == 3 and "no lab runs" in done.stderr


def test_printed_config_is_the_default(lab, start_lab):
    text = subprocess.run([BIN / "sentinel-lab", "--print-config"], capture_output=True, text=True, check=True).stdout
    again = start_lab(config=text)
    digests = [hashlib.sha256(f"{ACCOUNT}/{name}".encode()).hexdigest()[:16] for name in ("Developer", "Auditor")]
    for one in (lab, again):
        roles = one.client("iam", "alice").list_roles()["Roles"]
        assert [r["RoleName"] for r in roles] == ["SentinelTVM", "AgentRunner", "SentinelProtected-dev",
                                                  "SentinelProtected-staging", "SentinelProtected-prod",
                                                  f"AWSReservedSSO_Developer_{digests[0]}",
                                                  f"AWSReservedSSO_Auditor_{digests[1]}"]
    assert lab.keys("alice") != again.keys("alice")


def test_root_and_other_accounts(start_lab):
    """The root key is one; it may assume nothing. Across accounts a trust policy alone is not enough."""
    lab = start_lab(config=OTHER_ACCOUNT)
    root = lab.client("sts", "root")
    assert root.get_caller_identity()["Arn"] == f"arn:aws:iam::{ACCOUNT}:root"
    with refused("AccessDenied") as error:
        root.assume_role(RoleArn=role_arn("Target"), RoleSessionName="x1")
    assert error.message == "Roles may not be assumed by root accounts."
    lab.client("sts", "mallory").assume_role(RoleArn=role_arn("Target"), RoleSessionName="x1")
    with refused("AccessDenied"):
        lab.client("sts", "reader").assume_role(RoleArn=role_arn("Target"), RoleSessionName="x1")
    with refused("AccessDenied"):
        lab.client("iam", "reader").list_roles()
    lab.client("iam", "reader").get_user(UserName="reader")
    with refused("NoSuchEntity"):  # roles of the other account are not this caller's to read
        lab.client("iam", "mallory").get_role(RoleName="Target")


OTHER_ACCOUNT = """
root_key: true
users:
  - {name: mallory, account: "210987654321"}
  - name: reader
    account: "210987654321"
    policies:
      P: {Statement: {Effect: Allow, Action: "iam:GetUser", Resource: "arn:aws:iam::210987654321:user/reader"}}
roles:
  - name: Target
    trust: {Statement: {Effect: Allow, Principal: {AWS: "210987654321"}, Action: "sts:AssumeRole"}}
"""


def test_ends_on_sigterm(lab):
    lab.fault("sts:GetCallerIdentity=slow:60")
    assert lab.end() == 0
