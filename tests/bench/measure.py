# SPDX-License-Identifier: Apache-2.0
"""What the benchmark groups share: timing whole processes, reading JSON lines of C programs, comparing."""
import json
import os
import shutil
import statistics
import subprocess
import time


def result(name, value, unit, peer=None, peer_value=None, target=None, limit=None, higher=False, command=None):
    """One figure. limit bounds the ratio to the peer (or the value where there is no peer); higher turns the bound round."""
    ratio = value / peer_value if value is not None and peer_value else None
    judged = ratio if peer is not None else value
    met = None
    if limit is not None:
        met = judged is not None and (judged >= limit if higher else judged <= limit)
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio, "target": target, "met": met,
            "command": command}


def once(command, env=None):
    """Wall and CPU seconds, peak KiB of one run; its output is thrown away."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, process.returncode


def compare(commands, runs=21, env=None):
    """Median wall milliseconds of each command, run in turn so that a change of the machine's speed meets all alike.

    commands: name -> argument vector. A program that is not installed gives None."""
    times = {name: [] for name in commands}
    for i in range(runs + 1):
        for name, command in commands.items():
            if shutil.which(command[0]) is None:
                continue
            wall, _, _, code = once(command, env)
            if code != 0:
                raise RuntimeError(f"{' '.join(command)}: exit code {code}")
            if i > 0:
                times[name].append(wall * 1000)
    return {name: statistics.median(t) if t else None for name, t in times.items()}


def json_lines(command, env=None, timeout=900):
    """The results that a C program prints, one JSON object a line."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=timeout)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
