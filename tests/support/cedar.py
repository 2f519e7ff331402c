# SPDX-License-Identifier: Apache-2.0
"""Access policies as Cedar policies, and the engines that decide them: a foreign judge of the evaluator.

Cedar has no order: any forbid beats every permit. So a rule becomes a policy that holds when the rule matches *unless* an
earlier rule does; at most one of them holds, and its number is the deciding rule. Cedar has two answers, a policy three:
export() is asked twice, once with "allow" permitted and once with "require_approval".

All of the language is exported. The context of a request holds what Cedar cannot compute: day and minute on the clock of
each zone that the document names, from Python's zone data, and a version as a list of numbers.
"""
import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import zoneinfo

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent / "cedar"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
VERSION_PARTS = 8
WASM = "@cedar-policy/cedar-wasm@4.13.0"


def text(value):
    return json.dumps(value, ensure_ascii=True)


def any_of(terms):
    return "(" + " || ".join(terms) + ")"


def entry_term(entry, groups):
    if entry.startswith("group:"):
        return any_of(entry_term(member, groups) for member in groups[entry.removeprefix("group:")])
    if entry.startswith("arn:"):
        return f"principal == User::{text(entry)}"
    if entry.startswith("role:"):
        return f"(context.is_session && context.role == {text(entry.removeprefix('role:'))})"
    return f"(context.may_use_name && context.name == {text(entry)})"


def minutes(clock):
    hours, rest = clock.split(":")
    return int(hours) * 60 + int(rest)


def time_terms(time):
    clock = f"context.clocks[{text(time.get('timezone', 'UTC'))}]"
    days = [DAYS.index(day) for day in time.get("days", DAYS)]
    today, after_midnight = (f"{sorted({(day + later) % 7 for day in days})}.contains({clock}.day)" for later in (0, 1))
    if "hours" not in time:
        return [today]
    start, end = minutes(time["hours"]["start"]), minutes(time["hours"]["end"])
    if start < end:
        return [today, f"{clock}.minute >= {start}", f"{clock}.minute < {end}"]
    return [any_of((f"({today} && {clock}.minute >= {start})", f"({after_midnight} && {clock}.minute < {end})"))]


def version_numbers(version):
    """The leading digits of each part; None where a part is too long to compare."""
    parts = [part for part in re.split(r"[.+-]", version) if part]
    digits = [re.match(r"[0-9]*", part)[0] for part in parts]
    return None if not version or any(len(d) > 9 for d in digits) else [int(d or 0) for d in digits]


def version_term(wanted):
    """wanted[0] < v0, or equal and the rest decides; a device's version has zeros behind its end."""
    term = "true"
    for place in reversed(range(len(wanted))):
        have = f"context.device.v{place}"
        term = f"({have} > {wanted[place]} || ({have} == {wanted[place]} && {term}))"
    return term


def device_terms(device):
    terms = ["context has device"]
    for field, attributes in (("require_encryption", ["encrypted"]), ("require_mdm", ["enrolled"]),
                              ("require_mdm_compliant", ["compliant", "enrolled"]), ("require_firewall", ["firewall"])):
        if device.get(field):
            terms += [f"context.device has {name} && context.device.{name}" for name in attributes]
    if "min_os_version" in device:
        terms += ["context.device has v0", version_term(version_numbers(device["min_os_version"]))]
    if "allowed_os_types" in device:
        terms.append(f"{text(sorted({name.lower() for name in device['allowed_os_types']}))}.contains(context.device.os_type)")
    return terms


def rule_term(rule, groups):
    conditions = rule["conditions"]
    terms = []
    if conditions.get("profiles"):
        terms.append(any_of(f"resource == Profile::{text(name)}" for name in conditions["profiles"]))
    if conditions.get("users"):
        terms.append(any_of(entry_term(entry, groups) for entry in conditions["users"]))
    if conditions.get("mode"):
        terms.append(f"{text(conditions['mode'])}.contains(context.mode)")
    if "time" in conditions:
        terms += time_terms(conditions["time"])
    if conditions.get("device"):
        terms += device_terms(conditions["device"])
    return " && ".join(terms) or "true"


NEEDS = {"allow": "true", "require_server": 'context.mode == "server"',
         "require_server_session": 'context.mode == "server" && context.has_store'}


def export(document, permitted):
    """(Cedar text, the rule of each of its policies) where permitted is "allow" or "require_approval"."""
    policy = yaml.safe_load(document)
    groups = policy.get("groups", {})
    out, rules, earlier = [], [], []
    for number, rule in enumerate(policy["rules"]):
        term = rule_term(rule, groups)
        guard = f"\n  unless {{ {any_of(earlier)} }}" if earlier else ""
        need = NEEDS.get(rule["effect"]) if permitted == "allow" else None
        if rule["effect"] == permitted == "require_approval":
            need = "true"
        for word, extra in (("permit", need), ("forbid", f"!({need})" if need else "true")):
            if extra is not None and extra != "!(true)":
                out.append(f"{word}(principal, action, resource)\n  when {{ ({term}) && {extra} }}{guard};")
                rules.append(number)
        earlier.append(f"({term})")
    return "\n".join(out), rules


def export_unordered(document):
    """Cedar text of a policy that only allows, for timing: without the guards that give rules an order, and with the
    profile where Cedar looks first."""
    policy = yaml.safe_load(document)
    out = []
    for rule in policy["rules"]:
        assert rule["effect"] == "allow"
        (profile,) = rule["conditions"].pop("profiles")
        out.append(f"permit(principal, action, resource == Profile::{text(profile)})\n"
                   f"  when {{ {rule_term(rule, policy.get('groups', {}))} }};")
    return "\n".join(out)


def zones_of(document):
    return {rule["conditions"].get("time", {}).get("timezone", "UTC") for rule in yaml.safe_load(document)["rules"]}


def device_of(posture):
    out = {name: posture[name] for name in ("encrypted", "enrolled", "compliant", "firewall") if name in posture}
    out["os_type"] = posture["os_type"].lower()
    numbers = version_numbers(posture["os_version"])
    if numbers is not None:
        out |= {f"v{place}": number for place, number in enumerate((numbers + [0] * VERSION_PARTS)[:VERSION_PARTS])}
    return out


def request_of(request, zones):
    """A request of policy_pairs as an engine takes it."""
    local = {zone: datetime.datetime.fromtimestamp(request["unix_s"], zoneinfo.ZoneInfo(zone)) for zone in zones}
    context = {
        "name": request["name"], "role": request["role"], "mode": request["mode"], "has_store": request["session_store"] != "",
        "is_session": request["role"] != "",
        "may_use_name": request["vouched"] and (request["kind"] != "user" or request["account"] == request["own_account"]),
        "clocks": {zone: {"day": at.weekday(), "minute": at.hour * 60 + at.minute} for zone, at in local.items()},
    }
    if request["posture"] is not None:
        context["device"] = device_of(request["posture"])
    return {"principal": request["arn"], "resource": request["profile"], "context": context}


# --- engines: programs that read {"policies", "requests"} a line and print a line of [decision, [number...], errors] ---

def native_path(profile):
    return ROOT / "build" / "cedar" / {"dev": "debug", "release": "release"}[profile] / "cedar_judge"


def build_native(profile):
    """The program over the cedar-policy crate; None where there is no new enough cargo or no crate index."""
    done = subprocess.run([HERE / "build", profile], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr[-2000:])
        return None
    return native_path(profile)


def install_wasm():
    """The command of the WebAssembly form; None where there is no node or no package index."""
    place = ROOT / "build" / "cedar" / "npm"
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None
    if not (place / "node_modules" / "@cedar-policy").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(place), WASM],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return None
    return ["node", str(HERE / "cedar_wasm.js"), str(place / "node_modules")]


def decide(engine, questions):
    """questions: list of (Cedar text, requests). For each, a list of (decision, numbers of the policies, errors)."""
    lines = "".join(json.dumps({"policies": policies, "requests": requests}) + "\n" for policies, requests in questions)
    done = subprocess.run([str(part) for part in engine], input=lines, capture_output=True, text=True, check=False, timeout=600,
                          env=dict(os.environ))
    if done.returncode != 0:
        raise RuntimeError(f"{engine[0]}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]
