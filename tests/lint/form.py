# SPDX-License-Identifier: Apache-2.0
"""Form of files: licence line, header guards, length, and a README in each folder of the source."""
import re

from common import C_FILES

LICENCE = "SPDX-License-Identifier: Apache-2.0"
MAX_LINES = 700
README_MAX_LINES = 20
SCRIPT = r"(.*\.(py|sh|service|socket|yml)|Makefile|tests/lint/[a-z-]+|tests/run|\.ci/run|packaging/.*/(build-[a-z]+|install)|contrib/demo/run)"


def guard_of(path):
    return "SN_" + re.sub(r"[^A-Z0-9]", "_", re.sub(r"^src/", "", path).upper())


def check_header(path, text):
    guard = guard_of(path)
    if path.startswith("tests/"):  # test headers may leave out their folders
        found = re.search(r"^#ifndef (SN_TESTS?_\w+_H)$", text, re.M)
        guard = found[1] if found else guard
    lines = [line for line in text.splitlines() if line.startswith("#")]
    if lines[:2] != [f"#ifndef {guard}", f"#define {guard}"] or lines[-1:] != ["#endif"]:
        return [f"{path}:1: the header guard must be {guard}, around everything"]
    return []


def check_c(path, text):
    problems = []
    lines = text.splitlines()
    if not lines or lines[0] != f"/* {LICENCE} */":
        problems.append(f"{path}:1: the first line must be /* {LICENCE} */")
    if len(lines) < 2 or not lines[1].startswith("/*"):
        problems.append(f"{path}:2: a comment must say what the file is for")
    if len(lines) > MAX_LINES:
        problems.append(f"{path}:{MAX_LINES}: longer than {MAX_LINES} lines ({len(lines)})")
    if path.endswith(".h"):
        problems += check_header(path, text)
    return problems


def check_folders(tree):
    problems = []
    folders = {"/".join(p.split("/")[:2]) for p in tree.match(r"src/[^/]+/.*")}
    folders |= {"/".join(p.split("/")[:2]) for p in tree.match(r"tests/[^/]+/.*")}
    for folder in sorted(folders):
        path = f"{folder}/README.md"
        if not tree.exists(path):
            problems.append(f"{folder}: has no README.md")
        elif len(tree.read(path).splitlines()) > README_MAX_LINES:
            problems.append(f"{path}: longer than {README_MAX_LINES} lines")
    return problems


def check(tree):
    problems = []
    for path in tree.match(C_FILES):
        problems += check_c(path, tree.read(path))
    for path in tree.match(SCRIPT):
        text = tree.read(path)
        if LICENCE not in "\n".join(text.splitlines()[:3]) and text:
            problems.append(f"{path}:1: '# {LICENCE}' must stand in the first three lines")
        if path.endswith(".py") and len(text.splitlines()) > MAX_LINES:
            problems.append(f"{path}: longer than {MAX_LINES} lines")
    return problems + check_folders(tree)


HEAD = f"/* {LICENCE} */\n/* x/a.h - a thing. */\n"
GOOD = {"src/base/a.h": HEAD + "#ifndef SN_BASE_A_H\n#define SN_BASE_A_H\nint sn_a;\n#endif\n",
        "src/base/README.md": "# base\n", "tests/fuzz/README.md": "# fuzz\n", "tests/fuzz/a.py": f"# {LICENCE}\n"}
BAD = [
    ("no licence", {"src/base/a.c": "/* base/a.c - a. */\n"}, "first line"),
    ("no purpose", {"src/base/a.c": f"/* {LICENCE} */\nint a;\n"}, "what the file is for"),
    ("wrong guard", {"src/base/a.h": HEAD + "#ifndef A_H\n#define A_H\n#endif\n"}, "SN_BASE_A_H"),
    ("no guard", {"src/base/a.h": HEAD + "int a;\n"}, "SN_BASE_A_H"),
    ("too long", {"src/base/a.c": HEAD + "\n" * 700}, "longer than 700"),
    ("test too long", {"tests/unit/a.c": HEAD + "\n" * 700}, "longer than 700"),
    ("no README", {"src/base/a.c": HEAD}, "src/base: has no README"),
    ("long README", {"src/base/README.md": "x\n" * 21}, "longer than 20"),
    ("script without licence", {"tests/fuzz/a.py": "pass\n"}, "first three lines"),
]
