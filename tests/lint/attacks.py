#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The attack classes of docs/acceptance/attacks.md with their tests; exit 1 while a class that is not deferred has none."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from acceptance import checks_of  # noqa: E402
from common import Tree  # noqa: E402

CLASSES = 36
DEFINITION = {
    ".c": re.compile(r"^static void (attack_([0-9]{2})_\w+)\(void \*\*\w+\)", re.M),
    ".py": re.compile(r"^\s*(?:async )?def (test_attack_([0-9]{2})_\w+)\(", re.M),
}


def tests_of(tree):
    """{number: [(path, name)]} of the tests that are defined, not merely mentioned."""
    found = {}
    for path in tree.match(r"tests/.*\.(c|py)"):
        if path.startswith("tests/lint/"):
            continue
        for match in DEFINITION[os.path.splitext(path)[1]].finditer(tree.read(path)):
            found.setdefault(match[2], []).append((path, match[1]))
    return found


def classes_of(tree):
    return {name[4:]: check for name, check in checks_of(tree).items() if name.startswith("ATK-")}


def check(tree):
    classes, tests = classes_of(tree), tests_of(tree)
    problems = [f"{path}:{line}: class {number} has no test" for number, (path, line, deferred, _) in sorted(classes.items())
                if not deferred and number not in tests]
    problems += [f"{tests[number][0][0]}: class {number} does not exist" for number in sorted(tests) if number not in classes]
    problems += [f"docs/acceptance/attacks.md: class {number:02} is missing" for number in range(1, CLASSES + 1)
                 if f"{number:02}" not in classes]
    return problems


_ALL = "".join(f"- **ATK-{n:02}** (deferred: later) An attack of some kind is refused.\n" for n in range(1, CLASSES + 1))
_ONE = _ALL.replace("**ATK-08** (deferred: later)", "**ATK-08**")
_DOC = "docs/acceptance/attacks.md"
GOOD = {_DOC: _ONE, "tests/a.c": "static void attack_08_bomb(void **state)\n{\n"}
BAD = [
    ("no test", {_DOC: _ONE}, "class 08 has no test"),
    ("only mentioned", {_DOC: _ONE, "tests/a.c": "/* attack_08_bomb */\n"}, "class 08 has no test"),
    ("no class", {_DOC: _ALL, "tests/a.py": "def test_attack_77_x():\n    pass\n"}, "class 77 does not exist"),
    ("class missing", {_DOC: _ALL.replace("ATK-36", "POL-36")}, "class 36 is missing"),
]


def main():
    tree = Tree()
    classes, tests, problems = classes_of(tree), tests_of(tree), check(tree)
    for number, (_, _, deferred, text) in sorted(classes.items()):
        title = text.split(". ")[0].split(": ")[0]
        print(f"{number}  {title[:100]}")
        if deferred:
            print(f"      deferred: {deferred}")
        for path, name in tests.get(number, []):
            print(f"      {name}  ({path})")
        if not deferred and number not in tests:
            print("      NO TEST")
    for problem in problems:
        print(problem)
    covered = sum(1 for number in classes if number in tests)
    print(f"{len(classes)} classes, {covered} with tests, {sum(len(t) for t in tests.values())} tests, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
