# SPDX-License-Identifier: Apache-2.0
"""The commands on policies, judged by other readers of their outputs."""
import json
import shutil
import subprocess
import xml.etree.ElementTree

import pytest

import harness

SENTINEL = harness.BIN / "sentinel"
EXAMPLES = harness.ROOT / "examples" / "policy"
DATA = harness.ROOT / "tests" / "golden" / "data"


def run(*arguments, cwd=None, home="/nonexistent"):
    return subprocess.run([SENTINEL, "policy", *arguments], env=harness.closed_environment(home), cwd=cwd,
                          capture_output=True, text=True, check=False, timeout=30)


@pytest.fixture
def tested(tmp_path):
    for name in ("billing-prod.yaml", "billing-prod.test.yaml"):
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path


def test_examples_pass_and_are_covered():
    """Every shipped policy has tests, and they cover each rule and condition."""
    done = run("test", "--json", "--min-coverage", "100", EXAMPLES)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    policies = {path.name for path in EXAMPLES.glob("*.yaml") if not path.name.endswith(".test.yaml")}
    assert {file["policy"].rsplit("/", 1)[1] for file in answer["files"]} == policies - {"catalog.yaml"}
    assert answer["coverage"]["missed"] == []


def test_examples_have_no_finding_above_their_purpose():
    """Lint over the examples with their catalogue finds no unknown profile and no rule out of order."""
    policies = [path for path in EXAMPLES.glob("*.yaml") if ".test." not in path.name and path.name != "catalog.yaml"]
    done = run("validate", "--json", "--catalog", EXAMPLES / "catalog.yaml", *policies)
    codes = {issue["code"] for result in json.loads(done.stdout)["results"] for issue in result["issues"]}
    assert done.returncode == 0
    assert codes.isdisjoint({"unknown-profile", "allow-before-deny", "unreachable-rule"})


def test_junit_is_read_by_an_xml_parser(tested):
    """POL-53: the suites, cases and failures; hostile names stay text."""
    text = (tested / "billing-prod.test.yaml").read_text()
    text = text.replace("rule: freeze-weekend", "rule: everything-else").replace("nobody at", "'<b>&\"nobody\" at").replace(
        "weekend\n", "weekend'\n", 1)
    (tested / "billing-prod.test.yaml").write_text(text)
    done = run("test", "--junit", "out.xml", "billing-prod.test.yaml", cwd=tested)
    assert done.returncode == 1, done.stderr
    suites = xml.etree.ElementTree.parse(tested / "out.xml").getroot()
    suite, = suites
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    good, bad = suite
    assert good.find("failure") is None
    assert bad.get("name") == '<b>&"nobody" at the weekend'
    assert bad.get("classname") == "billing-prod.yaml"
    assert "everything-else" in bad.find("failure").text and "freeze-weekend" in bad.find("failure").text


def test_policy_hash_of_eval(tested):
    """The hash is that of the file's bytes, as the log and signatures have it."""
    import hashlib
    done = run("eval", "billing-prod.yaml", "--json", "-q", "--user", "rita", "--profile", "x", cwd=tested)
    assert json.loads(done.stdout)["policy_hash"] == hashlib.sha256(
        (tested / "billing-prod.yaml").read_bytes()).hexdigest()
