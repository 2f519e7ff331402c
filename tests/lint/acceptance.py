# SPDX-License-Identifier: Apache-2.0
"""Form of docs/acceptance: one line a check, numbered, complete sentences that need no other text."""
import re

AREAS = {"policy": "POL", "tvm": "TVM", "audit": "AUD", "vault": "VLT", "approvals": "APR", "provisioning": "PRV",
         "attacks": "ATK"}
CHECK = re.compile(r"- \*\*([A-Z]{3})-([0-9]{2,3})\*\* (?:\(deferred: ([^()]+)\) )?(.+)")


def checks_of(tree):
    """{id: (path, line, deferred, text)} of all well-formed checks."""
    found = {}
    for path in tree.match(r"docs/acceptance/[a-z-]+\.md"):
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            match = CHECK.fullmatch(line)
            if match:
                found.setdefault(f"{match[1]}-{match[2]}", (path, number, match[3], match[4]))
    return found


def check_line(path, number, line, area, seen):
    where = f"{path}:{number}"
    match = CHECK.fullmatch(line)
    if not match:
        return [f"{where}: a check is '- **{area}-NN** Sentence.' or '- **{area}-NN** (deferred: what it waits for) Sentence.'"]
    problems = []
    if match[1] != area:
        problems.append(f"{where}: {match[1]} is not the area of this file ({area})")
    if match[2] in seen:
        problems.append(f"{where}: {area}-{match[2]} stands on line {seen[match[2]]} already")
    elif seen and int(match[2]) < max(int(n) for n in seen):
        problems.append(f"{where}: {area}-{match[2]} is out of order")
    seen[match[2]] = number
    if not match[4].rstrip().endswith((".", "`")) or len(match[4]) < 20:
        problems.append(f"{where}: the check must be a whole sentence")
    if re.search(r"§|\bsection [0-9]|\b(see|as in) (the )?(spec|section)|\bdecisions? [0-9]", match[4]):
        problems.append(f"{where}: the check refers to another text")
    return problems


def check(tree):
    problems = []
    for path in tree.match(r"docs/acceptance/.*"):
        name = path.split("/")[-1]
        if name == "README.md":
            continue
        area = AREAS.get(name.removesuffix(".md"))
        if area is None:
            problems.append(f"{path}: no area of this name; there are {', '.join(AREAS)}")
            continue
        seen = {}
        for number, line in enumerate(tree.read(path).splitlines(), 1):
            if line.startswith(("-", "*")):
                problems += check_line(path, number, line, area, seen)
    return problems


GOOD = {"docs/acceptance/policy.md": "# Policy\n\n- **POL-01** A rule that matches decides the request.\n"
                                     "- **POL-02** (deferred: grants) A grant turns a refusal into an issue.\n"}
_P = "docs/acceptance/policy.md"
BAD = [
    ("form", {_P: "- POL-01 A rule that matches decides.\n"}, "a check is"),
    ("one digit", {_P: "- **POL-1** A rule that matches decides.\n"}, "a check is"),
    ("area", {_P: "- **TVM-01** A rule that matches decides.\n"}, "not the area"),
    ("twice", {_P: "- **POL-01** A rule that matches decides.\n" * 2}, "already"),
    ("order", {_P: "- **POL-02** A rule that matches decides.\n- **POL-01** A rule that matches decides.\n"}, "out of order"),
    ("reference", {_P: "- **POL-01** All errors of §7 are found.\n"}, "another text"),
    ("no sentence", {_P: "- **POL-01** Errors\n"}, "whole sentence"),
    ("file", {"docs/acceptance/misc.md": "x\n"}, "no area"),
]
