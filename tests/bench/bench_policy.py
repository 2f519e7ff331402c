# SPDX-License-Identifier: Apache-2.0
"""Policy evaluation by number of rules and kind; reading a log of decisions back and deciding them again."""
import os
import statistics
import tempfile

from measure import json_lines, once, result


def measure(tree, release):
    command = [os.path.join(tree, "tests", "bench", "policy_bench")]
    for line in json_lines(command):
        yield result(line["name"], line["value"], line["unit"], command="tests/bench/policy_bench")
    yield from simulation(os.path.join(tree, "tests", "bench", "simulate_bench"))


def simulation(program):
    """Reading as processes, in turn with wc -l on the same file, by CPU time; deciding in memory."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "audit.log")
        once([program, log, "make"])
        size = os.path.getsize(log)
        commands = {"wc -l": ["wc", "-l", log], "own": [program, log, "read"]}
        cpu = {name: [] for name in commands}
        for _ in range(11):
            for name, command in commands.items():
                cpu[name].append(once(command)[1])
        speed = {name: size / statistics.median(times) / 1e6 for name, times in cpu.items()}
        yield result("simulate: reading own records", speed["own"], "MB/s", peer="wc -l", peer_value=speed["wc -l"],
                     target=">= 1/3 of wc -l", limit=1 / 3, higher=True, command="tests/bench/simulate_bench LOG read")
        for line in json_lines([program, log]):
            goal = {"target": ">= 5 million/s", "limit": 5e6, "higher": True} if line["unit"] == "decisions/s" else {}
            yield result(line["name"], line["value"], line["unit"], command="tests/bench/simulate_bench LOG", **goal)
