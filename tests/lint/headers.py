# SPDX-License-Identifier: Apache-2.0
"""Every header of src and tests compiles alone."""
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

from common import ROOT, SKIP

BANNED = os.path.join(ROOT, "src", "base", "banned.h")


def compile_alone(compiler, tree, path):
    include = ["-iquote", os.path.join(tree.root, "src"), "-iquote", os.path.join(tree.root, "tests", "support")]
    done = subprocess.run([compiler, "-std=gnu17", "-D_GNU_SOURCE", '-DSN_VERSION="0"', '-DSN_TEST_COUNTS="x"', "-include",
                           BANNED, "-Wall", "-Werror", "-Wno-unused-function", *include, "-fsyntax-only", "-x", "c", "-"],
                          input=f'#include "{os.path.join(tree.root, path)}"\n', capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    return [f"{path}: does not compile alone: {errors[0] if errors else done.stderr}"] if done.returncode else []


def check(tree):
    compiler = shutil.which(os.environ.get("CC", "gcc").split()[-1]) or shutil.which("cc")
    if compiler is None:
        return SKIP
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda path: compile_alone(compiler, tree, path), tree.match(r"(src|tests)/.*\.h"))
    return [problem for problems in found for problem in problems]


GOOD = {"src/base/a.h": "#include <stddef.h>\nsize_t sn_a(void);\n"}
BAD = [("a type without its header", {"src/base/a.h": "struct sn_slice sn_a(bool b);\n"}, "src/base/a.h: does not compile alone")]
