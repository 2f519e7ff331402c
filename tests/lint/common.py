# SPDX-License-Identifier: Apache-2.0
"""What the lints share: the files of the project, C text without comments and strings, and the frame of a lint.

A lint is a module with
  check(tree)   a list of problems, each "path:line: what is wrong"
  BAD           samples for the self-test: (name, {path: text}, a part of the problem that must be found)
  GOOD          {path: text} in which nothing may be found
tree.build is a Meson build directory or None; a lint that needs one returns SKIP without it.
"""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = "skip"
GENERATED = (".git/", "build", "bin/", "subprojects/", ".cache/")


class Tree:
    """A source tree; of the repository only what git knows or would add."""

    def __init__(self, root=ROOT, build=None):
        self.root = root
        self.build = build
        self._paths = None

    def paths(self):
        if self._paths is None:
            done = subprocess.run(["git", "-C", self.root, "ls-files", "-co", "--exclude-standard", "-z"],
                                  capture_output=True, check=False)
            if done.returncode == 0 and os.path.exists(os.path.join(self.root, ".git")):
                found = [p for p in done.stdout.decode().split("\0") if p]
            else:
                found = [os.path.relpath(os.path.join(folder, name), self.root)
                         for folder, _, names in os.walk(self.root) for name in names]
            self._paths = sorted(p for p in set(found) if not p.startswith(GENERATED) and "__pycache__" not in p
                                 and os.path.isfile(os.path.join(self.root, p)))
        return self._paths

    def match(self, pattern):
        """Paths that match a regular expression as a whole."""
        regex = re.compile(pattern)
        return [p for p in self.paths() if regex.fullmatch(p)]

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    def exists(self, path):
        return os.path.exists(os.path.join(self.root, path))


C_FILES = r"(src|tests|contrib)/.*\.[ch]"
C_SOURCE = r"src/.*\.[ch]"

_TOKENS = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code_only(text, keep_line_comments=False):
    """C text with comments and the inside of strings blanked out; lines keep their numbers."""
    def blank(match):
        token = match.group(0)
        if token.startswith("//") and keep_line_comments:
            return token
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)
    return _TOKENS.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def find_all(path, text, pattern, what):
    """A problem for each match of a pattern in text."""
    return [f"{path}:{line_of(text, m.start())}: {what(m) if callable(what) else what}"
            for m in re.finditer(pattern, text, re.M)]
