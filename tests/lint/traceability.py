#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Acceptance checks against tests: prints checks without a test and cited ids that do not exist; exit 1 on either."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from acceptance import checks_of  # noqa: E402
from common import Tree, line_of  # noqa: E402

ID = re.compile(r"\b((?:POL|TVM|AUD|VLT|APR|PRV|ATK)-[0-9]+)\b")
ATTACK_NAME = re.compile(r"\b(?:test_)?attack_([0-9]{2})_\w+")


def citations(tree):
    """{id: [places]} of all that tests cite; an attack test cites its class by its name."""
    found = {}
    for path in tree.match(r"tests/.*\.(c|h|py|sh|toml|txt|md)"):
        if path.startswith("tests/lint/") or "/corpus/" in path:
            continue
        text = tree.read(path)
        for match in ID.finditer(text):
            found.setdefault(match[1], []).append(f"{path}:{line_of(text, match.start())}")
        for match in ATTACK_NAME.finditer(text):
            found.setdefault(f"ATK-{match[1]}", []).append(f"{path}:{line_of(text, match.start())}")
    return found


def check(tree):
    known, cited = checks_of(tree), citations(tree)
    problems = [f"{path}:{line}: {name} has no test" for name, (path, line, deferred, _) in sorted(known.items())
                if name not in cited and not deferred]
    problems += [f"{places[0]}: {name} is no acceptance check" for name, places in sorted(cited.items()) if name not in known]
    return problems


GOOD = {"docs/acceptance/policy.md": "- **POL-01** A rule that matches decides the request.\n"
                                     "- **POL-02** (deferred: grants) A grant turns a refusal into an issue.\n",
        "docs/acceptance/attacks.md": "- **ATK-31** HTTP is abused in some way or other.\n",
        "tests/unit/a.c": "/* POL-01: decides. */\nstatic void attack_31_smuggling(void **state)\n"}
BAD = [
    ("no test", {"docs/acceptance/policy.md": GOOD["docs/acceptance/policy.md"], "tests/a.py": "pass\n"}, "POL-01 has no test"),
    ("no check", {"docs/acceptance/policy.md": GOOD["docs/acceptance/policy.md"],
                  "tests/a.py": '"""POL-01, POL-77"""\n'}, "POL-77 is no acceptance check"),
    ("attack without a class", {"tests/a.py": "def test_attack_99_x():\n"}, "ATK-99 is no acceptance check"),
]


def main():
    tree = Tree()
    known, cited, problems = checks_of(tree), citations(tree), check(tree)
    for problem in problems:
        print(problem)
    deferred = sum(1 for check_ in known.values() if check_[2])
    proven = sum(1 for name in known if name in cited)
    print(f"{len(known)} checks: {proven} with a test, {deferred} deferred; {len(problems)} problems")
    return 1 if problems or not known else 0


if __name__ == "__main__":
    sys.exit(main())
