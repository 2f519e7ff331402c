# SPDX-License-Identifier: Apache-2.0
"""Reads tests/counts.toml: count("kills") is how often the proof is repeated in this run.

The column is "ci" unless SENTINEL_COUNTS names the other. As a program: counts.py NAME [ci|soak] prints the number.
"""
import os
import sys
import tomllib

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "counts.toml")
COLUMNS = ("ci", "soak")


def count(name, column=None):
    column = column or os.environ.get("SENTINEL_COUNTS") or "ci"
    if column not in COLUMNS:
        raise ValueError(f"no column '{column}' in {PATH}; there are {', '.join(COLUMNS)}")
    with open(PATH, "rb") as file:
        table = tomllib.load(file)
    if name not in table:
        raise ValueError(f"no proof '{name}' in {PATH}")
    return int(table[name][column])


def is_soak():
    return os.environ.get("SENTINEL_COUNTS") == "soak"


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: counts.py NAME [ci|soak]")
    try:
        print(count(*sys.argv[1:]))
    except ValueError as problem:
        sys.exit(f"counts.py: {problem}")
