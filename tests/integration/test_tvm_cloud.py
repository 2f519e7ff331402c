# SPDX-License-Identifier: Apache-2.0
"""A server whose documents lie in Parameter Store and whose signatures KMS judges, and what it does when those fail."""
import base64
import concurrent.futures
import hashlib
import json
import signal
import time

import pytest

import harness
import tvm

POLICY, CATALOG = "/sentinel/config/policy", "/sentinel/catalog/main"
TTL = {"SENTINEL_POLICY_CACHE_TTL": "5"}


def signature_name(name):
    return "/sentinel/signatures/" + name.removeprefix("/sentinel/policies/").lstrip("/")


@pytest.fixture
def start_cloud(start_tvm, shared_lab, cloud):
    """start_cloud(**settings) gives a server over Parameter Store that holds the usual documents."""
    def begin(ready=True, put=True, **settings):
        if put:
            cloud.put(CATALOG, tvm.CATALOG)
            cloud.put(POLICY, tvm.POLICY)
        where = {} if "SENTINEL_POLICY_ROOT" in settings else {"SENTINEL_POLICY_PARAMETER": POLICY}
        return start_tvm(shared_lab, catalog=None, policy=None, ready=ready,
                         settings={"SENTINEL_POLICY_DIR": None, **cloud.environment(), **where, **settings})
    return begin


def kms_sign(cloud, key, name, text, serial=None, **change):
    """Signs as this project's envelope says, with boto3 and no code of ours, and stores the signature."""
    algorithm = cloud.client("kms").describe_key(KeyId=key)["KeyMetadata"]["SigningAlgorithms"]
    algorithm = "ECDSA_SHA_256" if "ECDSA_SHA_256" in algorithm else "RSASSA_PSS_SHA_256"
    serial = serial or int(time.time())
    digest = hashlib.sha256(text.encode()).hexdigest()
    signed_at = "2026-03-01T08:00:00.000Z"
    message = (f"SENTINEL-POLICY-SIGNATURE-V2\nparameter={name}\npolicy-sha256={digest}\nalgorithm={algorithm}\n"
               f"serial={serial}\nsigned-at={signed_at}\n")
    signature = cloud.client("kms").sign(KeyId=key, Message=hashlib.sha256(message.encode()).digest(),
                                         MessageType="DIGEST", SigningAlgorithm=algorithm)["Signature"]
    envelope = {"version": 2, "signature": base64.b64encode(signature).decode(), "metadata": {
        "key_id": key, "algorithm": algorithm, "signed_at": signed_at, "policy_hash": digest, "parameter": name,
        "serial": serial, **change}}
    cloud.put(signature_name(name), json.dumps(envelope, separators=(",", ":")))
    return envelope


def push_signed(cloud, key, name, text, **options):
    kms_sign(cloud, key, name, text, **options)
    cloud.put(name, text)


def refused(answer, code):
    """A refusal that tells the caller nothing of where and why."""
    assert (answer.status, answer.code) == (500, code), answer
    for word in ("/sentinel", "arn:", "KMS", "SSM", "signature"):
        assert word not in answer.text
    return True


def not_ready(server):
    """What /readyz found is told again for five seconds."""
    until = time.monotonic() + 8
    while server.get("/readyz").status != 503:
        assert time.monotonic() < until
        time.sleep(0.2)
    return True


# --- The loader ---

def test_documents_from_parameter_store(start_cloud, cloud):
    """POL-51: one policy for all profiles; the record names the parameter and its version."""
    server = start_cloud()
    assert server.vend("alice", "dev").status == 200
    assert server.vend("bob", "prod").status == 403
    record = server.decisions()[0]
    assert record["policy_path"] == POLICY and record["policy_version"] == "1" and "policy_key_id" not in record
    assert record["policy_hash"] == hashlib.sha256(tvm.POLICY.encode()).hexdigest()
    assert server.get("/readyz").status == 200


def test_one_policy_a_profile(start_cloud, cloud):
    """POL-51: below a root each profile has its own policy, and one without is denied by default."""
    cloud.put("/acme/policies/dev", tvm.POLICY)
    server = start_cloud(SENTINEL_POLICY_ROOT="/acme/policies/")
    assert server.vend("alice", "dev").status == 200
    assert server.vend("alice", "prod").status == 404  # nothing could ever allow it: it is hidden
    cloud.delete("/acme/policies/dev")


def test_large_catalogue(start_cloud, cloud):
    """POL-47: 3000 profiles in 60 parameters are served; a name given twice stops everything."""
    for i in range(60):
        rows = "".join(f'  p{i}-{k}: {{role_arn: "{harness.role_arn("R")}"}}\n' for k in range(50))
        assert len(rows) < 8000
        cloud.put(f"/sentinel/catalog/part{i}", 'version: "1"\nprofiles:\n' + rows)
    server = start_cloud()
    assert server.vend("alice", "dev").status == 200
    assert cloud.calls("GetParametersByPath") >= 7
    cloud.put("/sentinel/catalog/again", f'version: "1"\nprofiles:\n  dev: {{role_arn: "{harness.role_arn("R")}"}}\n')
    server.reload()
    assert refused(server.vend("alice", "dev"), "POLICY_ERROR")


def test_catalogue_missing_or_misnamed(start_cloud, cloud):
    """POL-48: no catalogue, or one with a name that cannot be: nothing is issued and the server is not ready."""
    server = start_cloud(put=False, ready=False)
    server.wait_ready()
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    assert not_ready(server)
    cloud.put(POLICY, tvm.POLICY)
    cloud.put(CATALOG, tvm.CATALOG)
    assert server.vend("alice", "dev").status == 200
    cloud.put("/sentinel/catalog/a.b", tvm.CATALOG)
    server.reload()
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")


def test_single_flight(start_cloud, cloud):
    """POL-25: many requests on a cold cache read once and verify once; a failed load is tried again by the next."""
    key = cloud.key("ECC_NIST_P256")
    push_signed(cloud, key, CATALOG, tvm.CATALOG)
    push_signed(cloud, key, POLICY, tvm.POLICY)
    server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=key, SENTINEL_POLICY_CACHE_TTL="300")
    assert server.vend("alice", "dev").status == 200
    with cloud.lock:
        cloud.journal.clear()
    cloud.fault("GetParameter", "slow:0.4", name=POLICY)
    cloud.fault("GetParametersByPath", "slow:0.8")
    server.process.send_signal(signal.SIGHUP)
    while not cloud.calls("GetParametersByPath"):
        time.sleep(0.01)
    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: server.vend("alice", "dev"), range(100)))
    assert {a.status for a in answers} == {200}
    assert cloud.calls("GetParameter", POLICY) == 1 and cloud.calls("GetParametersByPath") == 1
    assert cloud.calls("Verify") == 2  # the policy's and the catalogue's
    assert cloud.calls("DescribeKey") == 0  # known since the start
    # The list of the catalogue brings its texts: only signatures are read beside it.
    assert cloud.calls("GetParameter", CATALOG) == 0 and cloud.calls("GetParameter", signature_name(CATALOG)) == 1
    cloud.mend()
    cloud.fault("GetParameter", "denied", name=POLICY)
    server.reload()
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    cloud.mend()
    assert server.vend("alice", "dev").status == 200


# --- Parameter Store fails ---

@pytest.mark.parametrize("kind, tries", [("throttle", 3), ("500", 3), ("denied", 1), ("cut", 1), ("empty", 1)])
def test_cold_and_failing(start_cloud, cloud, kind, tries):
    """POL-26: without a document that was verified before, every failure of Parameter Store denies, grace or not."""
    cloud.fault("GetParameter", kind, name=POLICY)
    server = start_cloud(SENTINEL_POLICY_STALE_GRACE="300")
    before = cloud.calls("GetParameter", POLICY)
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    assert cloud.calls("GetParameter", POLICY) >= before + tries  # the server looks whether it is ready, too


def test_parameter_store_is_down(start_cloud, cloud):
    """POL-26, POL-48: nobody listens there: nothing is issued, and the server says that it is not ready."""
    server = start_cloud(AWS_ENDPOINT_URL_SSM="http://127.0.0.1:9")
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    assert not_ready(server)


def test_attack_11_stale_grace(start_cloud, cloud):
    """POL-26 (ATK-11): past its end a document serves only while its source cannot be reached, within the grace, with a warning."""
    server = start_cloud(SENTINEL_POLICY_STALE_GRACE="300", **TTL)
    without = start_cloud(put=False, **TTL)
    assert server.vend("alice", "dev").status == without.vend("alice", "dev").status == 200
    cloud.fault("*", "500")
    time.sleep(5.1)
    assert server.vend("alice", "dev").status == 200
    assert refused(without.vend("alice", "dev"), "CONFIG_ERROR")
    log = server.output()
    assert "policy.stale" in log and POLICY in log and "SSM_ERROR" in log
    cloud.mend()
    cloud.fault("*", "throttle")
    assert server.vend("alice", "dev").status == 200
    # What is not a failure to reach it ends the grace at once, and what was kept does not come back.
    cloud.mend()
    cloud.fault("GetParameter", "denied")
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    cloud.mend()
    cloud.fault("GetParameter", "500")
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    cloud.mend()
    assert server.vend("alice", "dev").status == without.vend("alice", "dev").status == 200


def test_attack_11_deleted_and_broken_end_the_grace(start_cloud, cloud):
    """POL-26, POL-51 (ATK-11): a policy that was deleted or does not parse ends what served before it, also when nobody answers then."""
    cloud.put("/acme/p/dev", tvm.POLICY)
    server = start_cloud(SENTINEL_POLICY_ROOT="/acme/p", SENTINEL_POLICY_STALE_GRACE="300")
    assert server.vend("alice", "dev").status == 200
    cloud.put("/acme/p/dev", tvm.POLICY.replace("effect: allow", "effect: alow"))
    server.reload()
    assert refused(server.vend("alice", "dev"), "POLICY_ERROR")
    cloud.put("/acme/p/dev", tvm.POLICY)
    assert server.vend("alice", "dev").status == 200
    cloud.delete("/acme/p/dev")
    server.reload()
    assert server.vend("alice", "dev").status == 404
    cloud.fault("*", "500")
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")


def test_shared_policy_that_is_not_there(start_cloud, cloud):
    """POL-51: the one policy for all profiles must exist; its absence is a fault and no denial by default."""
    server = start_cloud()
    cloud.delete(POLICY)
    server.reload()
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")


# --- Signatures ---

@pytest.mark.parametrize("spec", ["ECC_NIST_P256", "RSA_2048"])
def test_attack_10_signatures_by_kms(start_cloud, cloud, spec, tmp_path):
    """POL-27, POL-28, POL-29, POL-30, POL-50 (ATK-10): signed by KMS alone; changed, moved, old, missing and foreign signatures."""
    key = cloud.key(spec, alias="signing")
    push_signed(cloud, key, CATALOG, tvm.CATALOG, serial=10)
    push_signed(cloud, key, POLICY, tvm.POLICY, serial=10)
    server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY="alias/signing")
    assert server.vend("alice", "dev").status == 200
    assert server.decisions()[-1]["policy_key_id"] == key
    public = cloud.public_pem(key, tmp_path / "key.pub")
    public.chmod(0o644)
    offline = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=f"file:{public}")
    assert offline.vend("alice", "dev").status == 200
    other = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=cloud.key("RSA_2048" if "ECC" in spec else "ECC_NIST_P256"))
    assert refused(other.vend("alice", "dev"), "POLICY_ERROR")
    assert "SIGNATURE_ALGORITHM" in other.output()

    def wrong(reason):
        for program in (server, offline) if "ECC" in spec else (server,):
            program.reload()
            assert refused(program.vend("alice", "dev"), "POLICY_ERROR")
            assert f"reason={reason}" in program.output() and "security.document_signature" in program.output()

    new = tvm.POLICY.replace("Development", "D")
    cloud.put(POLICY, new + "# changed\n")
    wrong("SIGNATURE_HASH")
    push_signed(cloud, key, POLICY, new, serial=11)
    server.reload()
    assert server.vend("alice", "dev").status == 200
    offline.reload()
    assert offline.vend("alice", "dev").status == 200
    push_signed(cloud, key, POLICY, tvm.POLICY, serial=10)
    wrong("SIGNATURE_SERIAL")
    push_signed(cloud, key, POLICY, new, serial=12, parameter="/sentinel/config/other")
    wrong("SIGNATURE_BINDING")
    push_signed(cloud, key, POLICY, new, serial=12, signed_at="2026-03-01T08:00:00.001Z")
    wrong("SIGNATURE_INVALID")
    push_signed(cloud, cloud.key(spec), POLICY, new, serial=13)  # by a key that only the envelope names
    wrong("SIGNATURE_INVALID")
    cloud.put(signature_name(POLICY), "{}")
    wrong("SIGNATURE_MALFORMED")
    cloud.delete(signature_name(POLICY))
    wrong("SIGNATURE_MISSING")
    push_signed(cloud, key, POLICY, new, serial=14)
    server.reload()
    assert server.vend("alice", "dev").status == 200


def test_rotation(start_cloud, cloud):
    """POL-31: while two keys are listed either signs; the key of the record is the one that signed."""
    old, new = cloud.key("RSA_2048"), cloud.key("ECC_NIST_P256")
    push_signed(cloud, old, CATALOG, tvm.CATALOG, serial=1)
    push_signed(cloud, old, POLICY, tvm.POLICY, serial=1)
    server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=f"{old},{new}")
    assert server.vend("alice", "dev").status == 200
    push_signed(cloud, new, POLICY, tvm.POLICY, serial=2)
    server.reload()
    assert server.vend("alice", "dev").status == 200
    assert [d["policy_key_id"] for d in server.decisions()] == [old, new]


def test_kms_fails(start_cloud, cloud):
    """POL-26: a signature that nobody could judge denies, but for the grace while KMS cannot be reached."""
    key = cloud.key("ECC_NIST_P256")
    push_signed(cloud, key, CATALOG, tvm.CATALOG)
    push_signed(cloud, key, POLICY, tvm.POLICY)
    cloud.fault("Verify", "denied")
    server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=key, SENTINEL_POLICY_STALE_GRACE="300")
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    cloud.mend()
    cloud.fault("DescribeKey", "denied")
    assert server.vend("alice", "dev").status == 200  # described already
    cloud.mend()
    cloud.fault("Verify", "500")
    server.reload()
    assert server.vend("alice", "dev").status == 200 and "policy.stale" in server.output()
    cloud.mend()
    cloud.put(POLICY, tvm.POLICY + "# changed\n")
    server.reload()
    assert refused(server.vend("alice", "dev"), "POLICY_ERROR")


@pytest.mark.parametrize("spec, usage", [("ECC_NIST_P384", "SIGN_VERIFY"), ("RSA_2048", "ENCRYPT_DECRYPT"),
                                         ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")])
def test_keys_that_do_not_sign(start_cloud, cloud, spec, usage):
    """POL-50: a listed key of another spec or usage fails every load, also of what another listed key has signed."""
    good, bad = cloud.key("ECC_NIST_P256"), cloud.key(spec, usage)
    push_signed(cloud, good, CATALOG, tvm.CATALOG)
    push_signed(cloud, good, POLICY, tvm.POLICY)
    server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=f"{good},{bad}")
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")
    assert "KMS_KEY_UNUSABLE" in server.output()


def test_push_under_way(start_cloud, cloud):
    """POL-27: while only the hash differs the load is tried again, so that a push in progress is no outage."""
    key = cloud.key("ECC_NIST_P256")
    push_signed(cloud, key, CATALOG, tvm.CATALOG, serial=1)
    push_signed(cloud, key, POLICY, tvm.POLICY, serial=1)
    server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=key)
    assert server.vend("alice", "dev").status == 200
    new = tvm.POLICY + "# new\n"
    kms_sign(cloud, key, POLICY, new, serial=2)  # the signature is there first
    cloud.before("GetParameter", lambda: cloud.before("GetParameter", lambda: cloud.put(POLICY, new), name=POLICY),
                 name=POLICY)
    server.reload()
    assert server.vend("alice", "dev").status == 200
    assert server.decisions()[-1]["policy_hash"] == hashlib.sha256(new.encode()).hexdigest()
    assert "security.document_signature" not in server.output()  # no load has failed meanwhile


def test_directory_with_kms(start_tvm, shared_lab, cloud):
    """POL-50: documents of a directory may be signed by a key in KMS; there is no grace for them."""
    key = cloud.key("ECC_NIST_P256")
    server = start_tvm(shared_lab, settings={**cloud.environment(), "SENTINEL_POLICY_SIGNING_KEY": key,
                                             "SENTINEL_POLICY_STALE_GRACE": "300"})
    for name, text, parameter in (("catalog.yaml", tvm.CATALOG, "/sentinel/catalog/catalog"),
                                  ("policy.yaml", tvm.POLICY, "/sentinel/config/policy")):
        envelope = kms_sign(cloud, key, parameter, text)
        server.write(f"{name}.sig.json", json.dumps(envelope))
    assert server.vend("alice", "dev").status == 200
    cloud.fault("Verify", "500")
    server.reload()
    assert refused(server.vend("alice", "dev"), "CONFIG_ERROR")


# --- The other kinds ---

APPROVAL = 'version: "1"\nrules:\n- {name: all, approvers: [mira, tom]}\n'


@pytest.mark.parametrize("source", ["directory", "store"])
def test_every_kind_takes_the_same_way(start_tvm, start_cloud, shared_lab, cloud, source):
    """POL-27, POL-51: an approval policy is read, verified and parsed as all documents are, by the server's own check."""
    key, name = cloud.key("ECC_NIST_P256"), "/sentinel/config/approval"
    for document, text in (("/sentinel/catalog/catalog", tvm.CATALOG), (POLICY, tvm.POLICY)):
        push_signed(cloud, key, document, text)
    if source == "store":
        server = start_cloud(put=False, SENTINEL_POLICY_SIGNING_KEY=key, SENTINEL_APPROVAL_POLICY_PARAMETER=name)
    else:
        server = start_tvm(shared_lab, settings={**cloud.environment(), "SENTINEL_POLICY_SIGNING_KEY": key})

    def write(text, signed=True, **options):
        if signed:
            envelope = kms_sign(cloud, key, name, text, **options)
            server.write("approval.yaml.sig.json", json.dumps(envelope))
        server.write("approval.yaml", text)
        cloud.put(name, text)

    def verdict():
        checks = json.loads(server.tool("check", "--json").stdout)["checks"]
        return next(((c["result"], c["message"]) for c in checks if c["name"] == "Approval policy"), None)

    if source == "store":  # set and missing is a fault; absent from a directory is not configured
        assert "DOCUMENT_MISSING" in verdict()[1]
    else:
        assert verdict() is None
    write(APPROVAL)
    assert verdict()[0] == "ok"
    write(APPROVAL.replace("tom", "eve"), signed=False)
    assert verdict()[0] == "failed" and "SIGNATURE_HASH" in verdict()[1]
    write(APPROVAL, parameter="/sentinel/config/breakglass")
    assert "SIGNATURE_BINDING" in verdict()[1]
    write(APPROVAL.replace("approvers", "aprovers"))
    assert "INVALID_POLICY" in verdict()[1]


# --- Settings ---

@pytest.mark.parametrize("settings, words", [
    ({"SENTINEL_POLICY_DIR": "/x", "SENTINEL_POLICY_ROOT": "/p"}, ["SENTINEL_POLICY_DIR", "SENTINEL_POLICY_ROOT"]),
    ({"SENTINEL_CATALOG_PATH": "/c"}, ["SENTINEL_POLICY_DIR", "SENTINEL_POLICY_PARAMETER", "SENTINEL_POLICY_ROOT"]),
    ({"SENTINEL_POLICY_ROOT": "/sentinel", "SENTINEL_CATALOG_PATH": "/sentinel/catalog"}, ["SENTINEL_CATALOG_PATH"]),
    ({"SENTINEL_POLICY_ROOT": "/p", "SENTINEL_APPROVAL_POLICY_PARAMETER": "/p/a"}, ["SENTINEL_APPROVAL_POLICY_PARAMETER"]),
    ({"SENTINEL_POLICY_ROOT": "/aws/x"}, ["SENTINEL_POLICY_ROOT"]),
    ({"SENTINEL_POLICY_PARAMETER": "/p", "SENTINEL_POLICY_STALE_GRACE": "301"}, ["SENTINEL_POLICY_STALE_GRACE"]),
    ({"SENTINEL_POLICY_PARAMETER": "/p", "SENTINEL_POLICY_SIGNING_KEY": "alias/"}, ["SENTINEL_POLICY_SIGNING_KEY"]),
])
def test_sources_that_contradict(start_tvm, shared_lab, settings, words):
    """POL-51: two sources, none, or places that lie in one another stop the start and name the variables."""
    server = start_tvm(shared_lab, ready=False, settings={"SENTINEL_POLICY_DIR": None, **settings})
    assert server.process.wait(20) == 2
    server.end()  # all that it said is read
    for word in words:
        assert word in server.output()


def test_check_and_config(start_cloud, cloud):
    """POL-51: check reads the documents where they are; config shows which source is in force."""
    server = start_cloud()
    checked = json.loads(server.tool("check", "--json").stdout)["checks"]
    assert {c["name"]: c["result"] for c in checked}["catalogue"] == "ok"
    shown = {row["name"]: row["value"] for row in json.loads(server.tool("config", "--json").stdout)["settings"]}
    assert shown["SENTINEL_POLICY_PARAMETER"] == POLICY and shown["SENTINEL_POLICY_DIR"] is None
    cloud.fault("*", "500")
    checked = server.tool("check", "--json")
    assert {c["name"]: c["result"] for c in json.loads(checked.stdout)["checks"]}["catalogue"] == "unknown"
