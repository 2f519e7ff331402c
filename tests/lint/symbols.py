# SPDX-License-Identifier: Apache-2.0
"""Symbols: what the static libraries export begins with sn_."""
import glob
import os
import subprocess

from common import SKIP


def exported(library):
    done = subprocess.run(["nm", "-g", "--defined-only", "--format=posix", library], capture_output=True, text=True, check=False)
    # Names with two underscores belong to the compiler and its sanitizers.
    return [line.split()[0] for line in done.stdout.splitlines() if len(line.split()) >= 2 and not line.startswith("__")]


def check(tree):
    libraries = sorted(glob.glob(os.path.join(tree.build, "src", "*", "libsn_*.a"))) if tree.build else []
    if not libraries:
        return SKIP
    return [f"{os.path.basename(library)}: '{name}' must be static or begin with sn_"
            for library in libraries for name in exported(library) if not name.startswith("sn_")]


def prepare(root):
    """Builds the sample's one source file into a library."""
    folder = os.path.join(root, "build", "src", "base")
    os.makedirs(folder)
    subprocess.run(["gcc", "-c", os.path.join(root, "a.c"), "-o", os.path.join(root, "a.o")], check=True)
    subprocess.run(["ar", "rc", os.path.join(folder, "libsn_base.a"), os.path.join(root, "a.o")], check=True)
    return os.path.join(root, "build")


GOOD = {"a.c": "int sn_a(void) { return 0; }\nstatic int b(void) { return 0; }\nint (*sn_b)(void) = b;\n"}
BAD = [
    ("a function", {"a.c": "int helper(void) { return 0; }\n"}, "'helper'"),
    ("a variable", {"a.c": "int table[3];\n"}, "'table'"),
]
