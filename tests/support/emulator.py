# SPDX-License-Identifier: Apache-2.0
"""AWS's own Lambda runtime interface emulator, built once into build/emulator where a Go toolchain and its module proxy are at hand."""
import os
import shutil
import subprocess

from harness import ROOT

MODULE = "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"
VERSION = "v0.0.0-20261030222936-bef5c4ba774d"
PLACE = ROOT / "build" / "emulator"
BUILD_TIMEOUT_S = 400


def program():
    """(path, None), or (None, why there is none)."""
    path = PLACE / "bin" / "aws-lambda-rie"
    if path.exists():
        return path, None
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin:/usr/lib/go/bin")
    if go is None:
        return None, "no Go toolchain to build the Lambda emulator with"
    place = {"GOPATH": PLACE / "path", "GOCACHE": PLACE / "cache", "GOBIN": PLACE / "bin", "GOFLAGS": "-modcacherw"}
    environment = {**os.environ, **{name: str(value) for name, value in place.items()}}
    try:
        done = subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=environment, capture_output=True, text=True, timeout=BUILD_TIMEOUT_S,
                              check=False)
    except subprocess.TimeoutExpired:
        return None, "the Lambda emulator did not build in time"
    finally:
        for rest in ("path", "cache"):
            shutil.rmtree(PLACE / rest, ignore_errors=True)
    if done.returncode != 0 or not path.exists():
        return None, f"the Lambda emulator could not be built: {done.stderr.strip()[-200:]}"
    return path, None
