# SPDX-License-Identifier: Apache-2.0
"""Access policies that only allow, in Rego, for timing Open Policy Agent: one rule each, written so that its index can help."""
import os
import shutil
import subprocess

import yaml

import cedar

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "opa")


def one_of(place, values):
    return f"{place} == {cedar.text(values[0])}" if len(values) == 1 else f"{place} in {{{', '.join(map(cedar.text, values))}}}"


def conditions_of(rule, groups):
    conditions = rule["conditions"]
    if "profiles" in conditions:
        yield one_of("input.resource", conditions["profiles"])
    users = [name for entry in conditions.get("users", ())
             for name in (groups[entry.removeprefix("group:")] if entry.startswith("group:") else [entry])]
    if users:
        yield "input.context.may_use_name"
        yield one_of("input.context.name", users)
    if "time" in conditions:
        time = conditions["time"]
        clock = f"input.context.clocks[{cedar.text(time['timezone'])}]"
        yield f"{clock}.day in {{{', '.join(str(cedar.DAYS.index(day)) for day in time['days'])}}}"
        yield f"{clock}.minute >= {cedar.minutes(time['hours']['start'])}"
        yield f"{clock}.minute < {cedar.minutes(time['hours']['end'])}"
    if "device" in conditions:
        device = conditions["device"]
        if device.get("require_mdm_compliant"):
            yield "input.context.device.compliant"
            yield "input.context.device.enrolled"
        wanted = cedar.version_numbers(device["min_os_version"])
        yield f"[{', '.join(f'input.context.device.v{i}' for i in range(len(wanted)))}] >= {wanted}"
        yield one_of("input.context.device.os_type", device["allowed_os_types"])


def export(document):
    policy = yaml.safe_load(document)
    rules = ["\n\t".join(["allow if {", *conditions_of(rule, policy.get("groups", {}))]) + "\n}" for rule in policy["rules"]]
    return "package access\n\ndefault allow := false\n\n" + "\n".join(rules) + "\n"


def build():
    """The program; None where Go or its module proxy is missing."""
    if shutil.which("go") is None:
        return None
    program = os.path.join(cedar.ROOT, "build", "opa", "opa_bench")
    os.makedirs(os.path.dirname(program), exist_ok=True)
    done = subprocess.run(["go", "build", "-o", program, "."], cwd=HERE, capture_output=True, text=True, check=False)
    return program if done.returncode == 0 else None
