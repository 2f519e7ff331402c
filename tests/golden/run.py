#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whole-process transcripts: a command line and what it must answer, to the byte.

A file of tests/golden/cases holds cases like this one:

    # a sentence that says what is shown
    [env] NAME=value
    [file key.txt 0644] text of a file in the working directory (\\n for line ends)
    [copy audit.key key 0600] a file of tests/golden/data under another name
    [stdin] text
    $ sentinel whoami --arn x
    = exit 2
    = stdout
    ...
    = stderr
    ...

Empty sections are left out. $DIR in any line is the case's own working directory, $VERSION the program's version.
UPDATE_GOLDEN=1 writes the answers anew; the difference is then reviewed like code.
"""
import difflib
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BIN = pathlib.Path(os.environ.get("SENTINEL_BIN") or ROOT / "build" / "src" / "main")
UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"
TIMEOUT_S = 30


def split_cases(text):
    """Each case starts with its '#' line; answers stand behind '|', so none of theirs does."""
    cases, current = [], []
    for line in text.splitlines():
        if line.startswith("# ") and current:
            cases.append(current)
            current = []
        current.append(line)
    if current:
        cases.append(current)
    return cases


def version():
    for line in (ROOT / "meson.build").read_text().splitlines():
        if "version:" in line:
            return line.split("'")[1]
    raise SystemExit("no version in meson.build")


def prepare(head, directory):
    """Environment, stdin and argument vector of a case; writes its files."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": directory, "LANG": "C.UTF-8"}
    stdin, argv = "", None
    for line in head:
        line = line.replace("$DIR", directory)
        if line.startswith("[env] "):
            name, value = line[6:].split("=", 1)
            environment[name] = value
        elif line.startswith("[stdin] "):
            stdin = line[8:].replace("\\n", "\n")
        elif line.startswith("[file "):
            words, text = line[6:].split("] ", 1)
            name, mode = words.split()
            path = pathlib.Path(directory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("\\n", "\n"))
            path.chmod(int(mode, 8))
        elif line.startswith("[copy "):
            source, name, mode = line[6:].split("]")[0].split()
            path = pathlib.Path(directory, name)
            path.write_bytes((HERE / "data" / source).read_bytes())
            path.chmod(int(mode, 8))
        elif line.startswith("$ "):
            argv = shlex.split(line[2:])
        elif line and not line.startswith("#"):
            raise SystemExit(f"unknown line: {line}")
    return environment, stdin, argv


def run_case(lines):
    """The case with its answer as it is now."""
    end = next((i for i, line in enumerate(lines) if line.startswith("= ")), len(lines))
    head = lines[:end]
    while head and head[-1] == "":
        head.pop()
    with tempfile.TemporaryDirectory(prefix="golden-") as directory:
        environment, stdin, argv = prepare(head, directory)
        done = subprocess.run([BIN / argv[0], *argv[1:]], env=environment, cwd=directory, input=stdin.encode(),
                              capture_output=True, timeout=TIMEOUT_S, check=False)
        answer = [f"= exit {done.returncode}"]
        for name, stream in (("stdout", done.stdout), ("stderr", done.stderr)):
            if stream:
                text = stream.decode("utf-8", "backslashreplace")
                text = text.replace(directory, "$DIR").replace(version(), "$VERSION")
                answer += [f"= {name}"] + ["| " + line if line else "|" for line in text.split("\n")[:-1]]
                if not text.endswith("\n"):
                    answer += ["| " + text.split("\n")[-1], "= no line end"]
    return head + answer


def without_hint(case):
    """AUD-37: each error that a transcript shows says what to do next."""
    text = "\n".join(line for line in case if line.startswith("|"))
    errors = text.count(": error: ") if "= stderr" in case else 0
    return errors > text.count("|   hint: ") or '"hint":""' in text


def main():
    passed = failed = 0
    wanted = sys.argv[1:]
    for path in sorted((HERE / "cases").glob("*.txt")):
        if wanted and path.stem not in wanted:
            continue
        result = []
        for case in split_cases(path.read_text()):
            while case and case[-1] == "":
                case.pop()
            now = run_case(case)
            result += now + [""]
            if without_hint(now):
                now.append("= an error without a hint")
            if now == case:
                passed += 1
                continue
            failed += 0 if UPDATE else 1
            title = next((line for line in case if line.startswith("$ ")), "?")
            print(f"{path.name}: {title}")
            print("\n".join(difflib.unified_diff(case, now, "expected", "now", lineterm="", n=3)))
        if UPDATE:
            path.write_text("\n".join(result))
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
