# SPDX-License-Identifier: Apache-2.0
"""Policy evaluation: nanoseconds and allocations by number of rules, with and without time windows."""
import os

from measure import json_lines, result


def measure(tree, release):
    command = [os.path.join(tree, "tests", "bench", "policy_bench")]
    for line in json_lines(command):
        yield result(line["name"], line["value"], line["unit"], command="tests/bench/policy_bench")
