# SPDX-License-Identifier: Apache-2.0
"""Generated policies decided by Cedar, by its own crate and by its WebAssembly form, and by us."""
import json
import os
import subprocess

import pytest

import cedar
import counts
import harness

SEED = 20260127
REQUESTS = 50


@pytest.fixture(scope="module")
def pairs():
    policies = counts.count("cedar_pairs") // REQUESTS
    program = harness.BIN.parents[1] / "tests" / "support" / "policy_pairs"
    done = subprocess.run([program, str(SEED), str(policies), str(REQUESTS)], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def native():
    """The crate; what CI built before. Elsewhere it is used when it is there, since building it takes a minute or two."""
    engine = cedar.native_path("dev")
    if os.environ.get("CI") or counts.is_soak():
        engine = cedar.build_native("dev")
        assert engine is not None, "cedar-policy could not be built: needs cargo and a crate index"
    if not engine.exists():
        pytest.skip("cedar-policy is not built here; tests/support/cedar/build builds it")
    return [engine]


@pytest.fixture(scope="module")
def wasm():
    engine = cedar.install_wasm()
    if engine is None:
        assert not os.environ.get("CI"), "@cedar-policy/cedar-wasm could not be installed"
        pytest.skip("no node, or no package index to install @cedar-policy/cedar-wasm from")
    return engine


def compare(engine, pairs):
    """Asks twice: who is allowed, and who is asked for approval. Returns how often each outcome was seen."""
    allow, approval = ([cedar.export(pair["document"], word) for pair in pairs] for word in ("allow", "require_approval"))
    requests = []
    for pair in pairs:
        zones = cedar.zones_of(pair["document"])
        requests.append([cedar.request_of(request, zones) for request in pair["requests"]])
    first, second = (cedar.decide(engine, [(text, asked) for (text, _), asked in zip(exported, requests)])
                     for exported in (allow, approval))
    seen = {}
    for number, pair in enumerate(pairs):
        for at, ours in enumerate(pair["decisions"]):
            (allowed, reasons, faults), (asked, other_reasons, other_faults) = first[number][at], second[number][at]
            effect = "allow" if allowed == "allow" else "require_approval" if asked == "allow" else "deny"
            rules = {allow[number][1][i] for i in reasons} | {approval[number][1][i] for i in other_reasons}
            theirs = {"effect": effect, "rule_index": max(rules, default=-1)}
            what = f"{pair['document']}\n{pair['requests'][at]}\n{allow[number][0]}"
            assert faults == other_faults == 0, what
            assert len(rules) <= 1, what
            assert theirs == ours, f"Cedar says {theirs}, we say {ours}:\n{what}"
            key = effect if ours["rule_index"] >= 0 else "default"
            seen[key] = seen.get(key, 0) + 1
    return seen


def assert_agrees(engine, pairs):
    seen = compare(engine, pairs)
    total = sum(seen.values())
    assert total == counts.count("cedar_pairs") // REQUESTS * REQUESTS
    for outcome in ("allow", "require_approval", "deny", "default"):
        assert seen.get(outcome, 0) >= total // 20, seen


def test_cedar_crate_decides_as_we_do(native, pairs):
    """POL-01, POL-02: effect and deciding rule of every pair, by the cedar-policy crate."""
    assert_agrees(native, pairs)


def test_cedar_wasm_decides_as_we_do(wasm, pairs):
    """POL-01, POL-02: the same by the WebAssembly form."""
    assert_agrees(wasm, pairs)


def test_export_is_not_order_blind(wasm):
    """Of two rules that both match the first decides in the export too: a judge that sees no order would prove nothing."""
    rules = [{"name": "r0", "effect": "deny", "conditions": {"profiles": ["dev"]}},
             {"name": "r1", "effect": "allow", "conditions": {"profiles": ["dev"]}}]
    request = {"arn": "arn:aws:iam::111122223333:user/alice", "kind": "user", "account": "111122223333",
               "own_account": "111122223333", "role": "", "name": "alice", "vouched": True, "profile": "dev", "mode": "server",
               "unix_s": 1769425200, "session_store": "", "posture": None}
    answers = []
    for order in (rules, rules[::-1]):
        text, _ = cedar.export(json.dumps({"version": "1", "rules": order}), "allow")
        answers += cedar.decide(wasm, [(text, [cedar.request_of(request, {"UTC"})])])[0]
    assert [answer[0] for answer in answers] == ["deny", "allow"]
