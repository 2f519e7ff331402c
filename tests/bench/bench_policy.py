# SPDX-License-Identifier: Apache-2.0
"""Access policies: one decision by family and number of rules, beside a loop of dependent loads, Cedar and OPA; loading
beside libyaml's events; the worst inputs; the validate command; reading a log of decisions back and deciding them again."""
import json
import os
import statistics
import subprocess
import sys
import tempfile

from measure import compare, json_lines, once, result

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "support"))
COMMAND = "tests/bench/policy_bench"
LOAD_COMMAND = "tests/bench/policy_load_bench"
FAMILIES = ("one rule", "many profiles", "many users of one profile", "groups", "time windows", "device rules")
ADVERSARIAL = "adversarial"
PEER_RULES = 50
TRUE_RUNS = 41


def evaluation(figures):
    """figures: (family, rules, what) -> value."""
    load_ns = figures["calibration", 1, "dependent load"]
    yield result("one dependent load", load_ns, "ns", command=COMMAND)
    for family in FAMILIES:
        for rules in sorted(r for f, r, what in figures if f == family and what == "evaluate"):
            name = f"{family}, {rules} rules"
            yield result(f"evaluate: {name}", figures[family, rules, "evaluate"], "ns", target="at most 60 ns", limit=60,
                         command=COMMAND)
            yield result(f"evaluate: {name}, in dependent loads", figures[family, rules, "evaluate"], "ns",
                         peer="one dependent load", peer_value=load_ns, command=COMMAND)
            yield result(f"intern: {name}", figures[family, rules, "intern"], "ns", target="at most 100 ns", limit=100,
                         command=COMMAND)
        yield result(f"evaluate: {family}, 10000 rules", figures[family, 10000, "evaluate"], "ns", peer="the same with 10",
                     peer_value=figures[family, 10, "evaluate"], target="at most 2 x", limit=2, command=COMMAND)
    worst = figures[ADVERSARIAL, 10000, "evaluate"]
    yield result("evaluate: 10000 closed windows of one profile", worst / 1000, "us", target="at most 10 us", limit=10,
                 command=COMMAND)
    allocations = max(value for (_, _, what), value in figures.items() if what == "allocations")
    yield result("allocations per evaluation, the most of all", allocations, "", target="none", limit=0, command=COMMAND)


def loading(tree):
    lines = {(line["what"], line["input"]): line["value"]
             for line in json_lines([os.path.join(tree, "tests", "bench", "policy_load_bench")])}
    yield result("load and verify 10000 rules", lines["load", "10000 rules"], "ms", peer="bare libyaml events",
                 peer_value=lines["events", "10000 rules"], target="at most 2 x", limit=2, command=LOAD_COMMAND)
    for (what, name), value in lines.items():
        if what == "worst":
            yield result(f"worst input: {name}", value, "ms", command=LOAD_COMMAND)


def ask(engine, question):
    """(nanoseconds a decision, requests allowed), or None where the peer is missing."""
    if engine is None:
        return None
    done = subprocess.run(engine, input=json.dumps(question) + "\n", capture_output=True, text=True, check=False, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    said = json.loads(done.stdout)
    return said["ns"], said["allowed"]


def peers(tree, figures):
    """The same policies and requests, everything parsed beforehand. Ours is interning and evaluation together."""
    import cedar
    import opa
    native, wasm, rego = cedar.build_native("release"), cedar.install_wasm(), opa.build()
    engines = [("Cedar, native", native and [native, "time"], "cedar", 1 / 20),
               ("OPA", rego and [rego], "opa", 1 / 20),
               ("Cedar, WebAssembly", wasm and [*wasm, "time"], "cedar", None)]
    for family in FAMILIES:
        dump = json_lines([os.path.join(tree, "tests", "bench", "policy_bench"), "dump", family, str(PEER_RULES)])[0]
        zones = cedar.zones_of(dump["document"])
        requests = [cedar.request_of(request, zones) for request in dump["requests"]]
        text = {"cedar": cedar.export_unordered(dump["document"]), "opa": opa.export(dump["document"])}
        ours = sum(figures[family, PEER_RULES, what] for what in ("intern", "evaluate"))
        for name, engine, language, limit in engines:
            answer = ask(engine, {"policies": text[language], "requests": requests})
            target = {} if limit is None else {"target": "below 1/20", "limit": limit}
            if answer is None:
                yield result(f"decide beside {name}: {family}", None, "ns", peer=name, command="peer cannot be built here")
            else:
                theirs, allowed = answer
                if allowed != dump["allowed"]:
                    raise RuntimeError(f"{name} allows {allowed} of the requests of '{family}', we allow {dump['allowed']}")
                yield result(f"decide beside {name}: {family}", ours, "ns", peer=f"{name} ({theirs:,.0f} ns)",
                             peer_value=theirs, command=COMMAND, **target)


def validate(tree, release):
    example = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "examples", "policy")
    document = os.path.join(example, sorted(name for name in os.listdir(example)
                                            if name.endswith(".yaml") and not name.endswith(".test.yaml"))[0])
    command = ["policy", "validate", document]
    times = compare({"static": [os.path.join(release, "sentinel"), *command],
                     "dynamic": [os.path.join(tree, "src", "main", "sentinel"), *command], "true": ["/bin/true"]},
                    runs=TRUE_RUNS)
    yield result("policy validate, static, whole process", times["static"], "ms", peer="/bin/true", peer_value=times["true"],
                 target="at most 3 x", limit=3, command="sentinel policy validate FILE")
    yield result("policy validate, dynamic, whole process", times["dynamic"], "ms", peer="/bin/true",
                 peer_value=times["true"], command="sentinel policy validate FILE")


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


def measure(tree, release):
    figures = {(line["family"], line["rules"], line["what"]): line["value"]
               for line in json_lines([os.path.join(tree, "tests", "bench", "policy_bench")])}
    yield from evaluation(figures)
    yield from loading(tree)
    yield from peers(tree, figures)
    yield from validate(tree, release)
    yield from simulation(os.path.join(tree, "tests", "bench", "simulate_bench"))
