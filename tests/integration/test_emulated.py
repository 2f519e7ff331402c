# SPDX-License-Identifier: Apache-2.0
"""The corrections that tests/support/emulated.py makes to moto's KMS, judged by openssl, which shares no code with it."""
import base64
import hashlib
import subprocess

import pytest

MESSAGE = b"SENTINEL-POLICY-SIGNATURE-V2\n" * 300  # longer than KMS takes raw


def openssl_verifies(public, signature, message, *options):
    done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", public, "-signature", signature, *options],
                          input=message, capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.parametrize("spec, algorithm, options", [
    ("ECC_NIST_P256", "ECDSA_SHA_256", ()),
    ("RSA_2048", "RSASSA_PSS_SHA_256", ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32")),
])
def test_digest_and_salt_are_those_of_kms(cloud, tmp_path, spec, algorithm, options):
    """POL-50: a signature over the digest is the signature of the message, with a salt of 32 bytes and no other."""
    arn, kms = cloud.key(spec), cloud.client("kms")
    digest = hashlib.sha256(MESSAGE).digest()
    answer = kms.sign(KeyId=arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm)
    signature = tmp_path / "signature"
    signature.write_bytes(answer["Signature"])
    public = cloud.public_pem(arn, tmp_path / "key.pub")
    assert answer["KeyId"] == arn
    assert openssl_verifies(public, signature, MESSAGE, *options)
    assert not openssl_verifies(public, signature, MESSAGE + b"x", *options)
    assert kms.verify(KeyId=arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=algorithm,
                      Signature=answer["Signature"])["SignatureValid"] is True
    with pytest.raises(kms.exceptions.KMSInvalidSignatureException):
        kms.verify(KeyId=arn, Message=hashlib.sha256(b"x").digest(), MessageType="DIGEST", SigningAlgorithm=algorithm,
                   Signature=answer["Signature"])


def test_command_line_signs_the_same(cloud, aws_cli, tmp_path):
    """The unmodified AWS CLI signs what openssl accepts."""
    arn = cloud.key("ECC_NIST_P256")
    (tmp_path / "digest").write_bytes(hashlib.sha256(MESSAGE).digest())
    answer = cloud.cli("kms", "sign", "--key-id", arn, "--message-type", "DIGEST", "--signing-algorithm", "ECDSA_SHA_256",
                       "--message", f"fileb://{tmp_path}/digest")
    (tmp_path / "signature").write_bytes(base64.b64decode(answer["Signature"]))
    assert openssl_verifies(cloud.public_pem(arn, tmp_path / "key.pub"), tmp_path / "signature", MESSAGE)
