# SPDX-License-Identifier: Apache-2.0
"""Requests against the API document that the server itself serves: what its schemas do not know is refused (TVM-59)."""
import json

import jsonschema
import pytest

import scripted_tvm
from tvm import OPENAPI, validate

DEVICE = "ab" * 32
GOOD = {"profile": "dev", "duration": 900, "device_id": DEVICE}
GOOD_ALIAS = {"profile": "dev", "duration": "900", "device_id": DEVICE}
VALUES = ["text", 1, 1.5, True, None, [], ["dev"], {}, {"profile": "dev"}]


def forms():
    """(path, name of the request schema) of every route that takes a body."""
    for path, item in sorted(OPENAPI["paths"].items()):
        for method, operation in item.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
            if body is not None:
                assert method == "post"
                yield path, body["$ref"].rpartition("/")[2]


def good(name):
    return dict(GOOD_ALIAS if name == "AliasRequest" else GOOD)


def fits(name, document):
    schema = {**OPENAPI["components"]["schemas"][name], "components": OPENAPI["components"]}
    return jsonschema.Draft202012Validator(schema).is_valid(document)


@pytest.fixture(scope="module")
def server(shared_lab, tmp_path_factory):
    import tvm
    one = tvm.Tvm(tmp_path_factory.mktemp("forms"), shared_lab)
    try:
        yield one.wait_ready()
        assert one.end() == 0, one.output()
    finally:
        one.kill()


def test_there_are_forms():
    assert {name for _, name in forms()} == {"CredentialsRequest", "AliasRequest"} and len(list(forms())) == 3


@pytest.mark.parametrize("path,name", list(forms()))
def test_unknown_members(server, path, name):
    """TVM-59: one more member, in another case, with a blank, or of a later version."""
    assert server.call("alice", "POST", path, good(name)).status == 200
    for extra in ("x", "Profile", "profile ", "", "__proto__", "$schema", "role_arn", "request_id", "justification"):
        document = {**good(name), extra: "dev"}
        assert not fits(name, document)
        answer = server.call("alice", "POST", path, document)
        assert (answer.status, answer.code) == (400, "INVALID_REQUEST"), (extra, answer)
        assert extra == "" or f"'{extra}'" not in answer.text


@pytest.mark.parametrize("path,name", list(forms()))
def test_keys_given_twice(server, path, name):
    """TVM-59: each member twice, with equal and other values, plain and escaped; and the other way round."""
    for key in OPENAPI["components"]["schemas"][name]["properties"]:
        text = json.dumps(good(name))[:-1]
        value = json.dumps(good(name)[key])
        spelt = "".join(f"\\u{ord(c):04x}" for c in key)
        for again in (f'"{key}": {value}', f'"{key}": "other"', f'"{spelt}": {value}'):
            answer = server.call("alice", "POST", path, f"{text}, {again}}}".encode())
            assert (answer.status, answer.code) == (400, "INVALID_REQUEST"), (key, again, answer)


@pytest.mark.parametrize("path,name", list(forms()))
def test_wrong_types(server, path, name):
    """TVM-59: whatever the schema refuses, the server refuses with 400; each member with a value of every kind."""
    tried = 0
    for key in OPENAPI["components"]["schemas"][name]["properties"]:
        for value in VALUES:
            document = {**good(name), key: value}
            if fits(name, document):
                continue
            answer = server.call("alice", "POST", path, document)
            assert answer.status == 400, (key, value, answer)
            assert answer.code in ("INVALID_REQUEST", f"INVALID_{key.upper()}"), answer
            tried += 1
    assert tried >= 20
    for document in (b"[]", b'"dev"', b"1", b"true", b"null"):
        assert server.call("alice", "POST", path, document).code == "INVALID_REQUEST"


@pytest.mark.parametrize("device", [DEVICE.upper(), DEVICE[:-1], DEVICE + "a", DEVICE[:-1] + "g", DEVICE[:-1] + " ", "x"])
def test_device_identifiers_that_are_none(server, device):
    """TVM-25: in body and query, on each route that takes one."""
    import urllib.parse
    quoted = urllib.parse.quote(device)
    answers = [server.call("alice", "POST", path, {**good(name), "device_id": device}) for path, name in forms()]
    answers += [server.call("alice", "GET", f"/?profile=dev&device_id={quoted}"), server.call("alice", "GET", f"/v1/profiles?device_id={quoted}")]
    assert {(a.status, a.code) for a in answers} == {(400, "INVALID_DEVICE_ID")}


@pytest.mark.parametrize("path,name", list(forms()))
def test_required_members(server, path, name):
    """TVM-59: without its required members a request is none."""
    answer = server.call("alice", "POST", path, {"duration": good(name)["duration"]})
    assert answer.status == 400 and answer.code in ("MISSING_PROFILE", "INVALID_REQUEST")
    assert server.call("alice", "POST", path, {}).status == 400


def test_query_parameters(server):
    """TVM-59: on versioned routes only the parameters of the document, each once."""
    for path, item in sorted(OPENAPI["paths"].items()):
        if not path.startswith("/v1") or "get" not in item:
            continue
        known = [p["name"] for p in item["get"].get("parameters", [])]
        for name in ("x", "profile", "LIMIT", "user"):
            assert name in known or server.call("alice", "GET", f"{path}?{name}=1").code == "INVALID_REQUEST", (path, name)
        for name in known:
            value = DEVICE if name == "device_id" else "1"
            answer = server.call("alice", "GET", f"{path}?{name}={value}&{name}={value}")
            assert answer.code == "INVALID_REQUEST", (path, name, answer)


def test_document_is_strict():
    """TVM-59: every request schema is closed, every schema that is referred to exists, and an answer with a secret has no open member."""
    jsonschema.Draft202012Validator.check_schema({"components": OPENAPI["components"]})
    for _, name in forms():
        assert OPENAPI["components"]["schemas"][name]["additionalProperties"] is False
    text = json.dumps(OPENAPI)
    for ref in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        at = OPENAPI
        for step in ref.removeprefix("#/").split("/"):
            at = at[step]
    assert OPENAPI["openapi"].startswith("3.1")
    with pytest.raises(jsonschema.ValidationError):
        validate("/v1/whoami", "GET", 200, {"principal": {}})


def test_the_stand_in_of_the_client_tests_speaks_the_document():
    """TVM-59: what the client's tests take for a server's answers are such answers."""
    status, body = scripted_tvm.issued()
    validate("/v1/credentials", "POST", status, body)
    status, body = scripted_tvm.refused(403, "POLICY_DENY", "m", "h")
    validate("/v1/credentials", "POST", status, body)
