# SPDX-License-Identifier: Apache-2.0
"""Hardening of the linked programs: position-independent, read-only relocations, bound at start, no executable stack,
stack canaries, no run paths."""
import glob
import os
import subprocess

from common import SKIP

PROGRAMS = ("sentinel", "sentinel-full", "sentinel-tvm", "sentinel-lab")


def readelf(path, *options):
    return subprocess.run(["readelf", "-W", *options, path], capture_output=True, text=True, check=False).stdout


def check_program(path):
    name = os.path.basename(path)
    header, segments, dynamic = readelf(path, "-h"), readelf(path, "-l"), readelf(path, "-d")
    symbols = readelf(path, "-s")
    stack = [line.split() for line in segments.splitlines() if "GNU_STACK" in line]
    tests = [
        ("DYN (" in header, "not position-independent"),
        ("GNU_RELRO" in segments, "relocations stay writable (no RELRO)"),
        ("BIND_NOW" in dynamic or "NOW" in [w for line in dynamic.splitlines() if "FLAGS" in line for w in line.split()],
         "symbols are bound late (no BIND_NOW)"),
        (bool(stack) and not any("E" in word for word in stack[0][6:7]), "the stack is executable"),
        ("__stack_chk_fail" in symbols, "no stack canaries"),
        ("RPATH" not in dynamic and "RUNPATH" not in dynamic, "it has a run path"),
        ("TEXTREL" not in dynamic, "its code is relocated"),
        (not any(" RWE " in line for line in segments.splitlines() if "LOAD" in line), "a segment is writable and executable"),
    ]
    return [f"{name}: {what}" for good, what in tests if not good]


def check(tree):
    if not tree.build:
        return SKIP
    programs = [p for name in PROGRAMS for p in glob.glob(os.path.join(tree.build, "src", "main", name))]
    programs += [p for name in PROGRAMS for p in glob.glob(os.path.join(tree.build, name))]
    if not programs:
        return SKIP
    return [problem for path in programs for problem in check_program(path)]


def prepare(root):
    """Links the sample with the flags of its file 'flags'."""
    folder = os.path.join(root, "build", "src", "main")
    os.makedirs(folder)
    with open(os.path.join(root, "flags"), encoding="utf-8") as file:
        flags = file.read().split()
    subprocess.run(["gcc", os.path.join(root, "a.c"), "-o", os.path.join(folder, "sentinel"), *flags], check=True,
                   capture_output=True)
    return os.path.join(root, "build")


_PROGRAM = "int f(char *); int f(char *a) { char b[64]; for (int i = 0; a[i]; i++) b[i] = a[i]; return b[3]; }\n" \
           "int main(int c, char **v) { (void)c; return f(v[0]); }\n"
_GOOD = "-fPIE -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -fstack-protector-strong"
GOOD = {"a.c": _PROGRAM, "flags": _GOOD}
BAD = [
    ("no PIE", {"a.c": _PROGRAM, "flags": _GOOD.replace("-fPIE -pie", "-no-pie")}, "not position-independent"),
    ("no RELRO", {"a.c": _PROGRAM, "flags": _GOOD.replace("-z,relro,", "-z,norelro,")}, "no RELRO"),
    ("lazy", {"a.c": _PROGRAM, "flags": _GOOD.replace(",-z,now", ",-z,lazy")}, "no BIND_NOW"),
    ("stack", {"a.c": _PROGRAM, "flags": _GOOD.replace("noexecstack", "execstack")}, "stack is executable"),
    ("no canaries", {"a.c": _PROGRAM, "flags": _GOOD.replace("-fstack-protector-strong", "-fno-stack-protector")},
     "no stack canaries"),
    ("run path", {"a.c": _PROGRAM, "flags": _GOOD + " -Wl,-rpath,/tmp"}, "run path"),
]
