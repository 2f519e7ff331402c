# SPDX-License-Identifier: Apache-2.0
"""Cold start on Lambda: from the start of the process to its first call of the Runtime API, beside a static program that
only says hello; size and memory of the package's program."""
import os
import socket
import statistics
import subprocess
import tempfile
import time

from measure import once, result
from stack import peak_rss_mb

RUNS = 31


def hello_ms(folder):
    """Median of a static hello world, or None without a static C library."""
    source = os.path.join(folder, "hello.c")
    program = os.path.join(folder, "hello")
    with open(source, "w", encoding="ascii") as f:
        f.write('#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n')
    if subprocess.run(["gcc", "-O2", "-static", "-o", program, source], check=False).returncode != 0:
        return None
    once([program])
    return statistics.median(once([program])[0] * 1000 for _ in range(RUNS))


def first_next(program):
    """Milliseconds from the start to the first call of the Runtime API on a socket of ours, and the peak memory by then."""
    times, memory = [], None
    for i in range(RUNS + 1):
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            env = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % server.getsockname()[1], "AWS_REGION": "eu-west-1",
                   "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE000000000", "AWS_SECRET_ACCESS_KEY": "example", "PATH": "/usr/bin:/bin"}
            start = time.perf_counter()
            process = subprocess.Popen([program], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            try:
                server.settimeout(10)
                connection, _ = server.accept()
                head = b""
                while b"\r\n\r\n" not in head:
                    part = connection.recv(4096)
                    if not part:
                        break
                    head += part
                took = (time.perf_counter() - start) * 1000
                if b"GET /2018-06-01/runtime/invocation/next " not in head:
                    raise RuntimeError("the program did not call the Runtime API: " + head.decode("ascii", "replace"))
                memory = peak_rss_mb(process.pid)
                connection.close()
            finally:
                process.kill()
                process.wait()
        if i > 0:
            times.append(took)
    return statistics.median(times), memory


def measure(tree, release):
    program = os.path.join(release, "sentinel-tvm")
    with tempfile.TemporaryDirectory() as folder:
        hello = hello_ms(folder)
    took, memory = first_next(program)
    yield result("static hello world, start to end", hello, "ms", command="gcc -static hello.c")
    yield result("start to first Runtime API call, static release", took, "ms", peer="static hello world", peer_value=hello,
                 target="at most 5 x", limit=5, command="sentinel-tvm with AWS_LAMBDA_RUNTIME_API")
    yield result("size of the program", os.path.getsize(program) / 1e6, "MB", command="ls -l build/release/sentinel-tvm")
    yield result("peak memory at that call", memory, "MB", command="VmHWM of /proc/PID/status")
