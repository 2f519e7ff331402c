# SPDX-License-Identifier: Apache-2.0
"""Nothing in the project may need what a stranger does not have: paths of one machine, package indexes, foreign texts."""
import re

from common import line_of

# Put together here, so that this file does not hold them.
WORDS = [
    (r"/" + r"work/", "a path of one machine"),
    (r"/home/[a-z]", "a path of one machine"),
    (r"\.\./shared/" + r"(?!data)", "a folder that only its makers have"),
    (r"\b00-" + r"decisions\b|\bidentity-" + r"audit\.md\b|\bprovisioning" + r"\.md\b|\bhouse-" + r"style\b",
     "a text that the reader does not have"),
    (r"\b(pypi|files\.pythonhosted|registry\.npmjs|registry\.yarnpkg|proxy\.golang|crates|index\.docker)\." + r"(org|io)\b",
     "the name of a package index"),
    (r"deb\." + r"debian\.org|archive\." + r"ubuntu\.com", "the name of a package index"),
]


def check(tree):
    problems = []
    for path in tree.paths():
        if "/corpus/" in path or path.endswith((".png", ".ico", "/Cargo.lock")):  # cargo writes where a crate is from
            continue
        text = tree.read(path)
        for pattern, what in WORDS:
            for match in re.finditer(pattern, text):
                problems.append(f"{path}:{line_of(text, match.start())}: '{match.group(0)}': {what}")
    return problems


GOOD = {"README.md": "SENTINEL_TEST_DATA defaults to ../shared/data. See docs/security-model.md and teamwork/plan.\n"}
BAD = [
    ("path", {"docs/a.md": "see /" + "work/x\n"}, "path of one machine"),
    ("foreign text", {"src/a.c": "/* house-" + "style 2 */\n"}, "does not have"),
    ("shared folder", {"src/a.c": "/* ../sha" + "red/spec */\n"}, "only its makers have"),
    ("index", {"tests/run": "pip install -i https://pypi." + "org/simple\n"}, "package index"),
]
