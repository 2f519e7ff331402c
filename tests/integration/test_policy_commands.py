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
OTHER_KINDS = {"approval.yaml", "breakglass.yaml", "catalog.yaml", "ratelimit.yaml"}
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
    assert {file["policy"].rsplit("/", 1)[1] for file in answer["files"]} == policies - OTHER_KINDS
    assert answer["coverage"]["missed"] == []


def test_examples_have_no_finding_above_their_purpose():
    """Lint over the examples with their catalogue finds no unknown profile and no rule out of order."""
    policies = [path for path in EXAMPLES.glob("*.yaml") if ".test." not in path.name and path.name != "catalog.yaml"]
    done = run("validate", "--json", "--catalog", EXAMPLES / "catalog.yaml", *policies)
    codes = {issue["code"] for result in json.loads(done.stdout)["results"] for issue in result["issues"]}
    assert done.returncode == 0
    assert codes.isdisjoint({"unknown-profile", "allow-before-deny", "unreachable-rule"})


def test_examples_of_every_kind_are_valid():
    """All shipped documents pass together, and nothing is odd about those that are not access policies."""
    documents = [path for path in EXAMPLES.glob("*.yaml") if ".test." not in path.name]
    done = subprocess.run([SENTINEL, "config", "validate", "--json", *documents], env=harness.closed_environment("/nonexistent"),
                          capture_output=True, text=True, check=False, timeout=30)
    answer = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout
    assert {result["config_type"] for result in answer["results"]} == {"policy", "approval", "breakglass", "ratelimit", "catalog"}
    assert answer["summary"]["valid"] == len(documents)
    done = run("lint", "--strict", "--catalog", EXAMPLES / "catalog.yaml", *(EXAMPLES / name for name in sorted(OTHER_KINDS)))
    assert (done.returncode, done.stdout) == (0, "")


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


@pytest.mark.parametrize("name", [path.name.replace(".test.yaml", "") for path in sorted(EXAMPLES.glob("*.test.yaml"))] +
                         ["billing-prod"])
def test_the_printed_cases_catch_all_survivors(tmp_path, name):
    """POL-54: every survivor differs from the policy, and the case shown for it passes and notices it."""
    folder = DATA if name == "billing-prod" else EXAMPLES
    for suffix in (".yaml", ".test.yaml"):
        shutil.copy(folder / (name + suffix), tmp_path / (name + suffix))
    shutil.copy(EXAMPLES / "catalog.yaml", tmp_path / "catalog.yaml")
    tests = tmp_path / f"{name}.test.yaml"
    before = json.loads(run("test", "--json", "--mutate", tests).stdout)["mutation"]
    assert before["mutants"] == before["caught"] + len(before["survived"])
    if before["survived"]:
        text = run("test", "--mutate", tests).stdout
        cases = [line[2:] for line in text.splitlines() if line.startswith("    ")]
        tests.write_text(tests.read_text().rstrip("\n") + "\n" + "\n".join(cases) + "\n")
    done = run("test", "--json", "--mutate", tests)
    after = json.loads(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert after["summary"]["failed"] == 0
    assert after["mutation"]["survived"] == []
    assert after["mutation"]["mutants"] == before["mutants"]
    assert after["mutation"]["equivalent"] == before["equivalent"]


def test_dropping_sunday_survives_and_dropping_saturday_does_not(tested):
    """POL-54: the tests of the guide try a Saturday only."""
    done = run("test", "--json", "--mutate", tested / "billing-prod.test.yaml")
    assert done.returncode == 1
    changes = {(m["location"], m["change"]) for m in json.loads(done.stdout)["mutation"]["survived"]}
    assert ("rules[1].conditions.time.days", "'sunday' dropped") in changes
    assert ("rules[1].conditions.time.days", "'saturday' dropped") not in changes


def test_rules_made_equivalent_by_an_earlier_one_yield_no_survivor(tmp_path):
    """POL-54: what an earlier rule decides alone is not asked for again."""
    (tmp_path / "p.yaml").write_text("""version: "1"
rules:
  - {name: all, effect: deny, conditions: {}}
  - {name: one, effect: allow, conditions: {profiles: [prod], users: [rita, omar]}}
  - {name: two, effect: require_approval, conditions: {profiles: [prod, test]}}
""")
    (tmp_path / "p.test.yaml").write_text("""version: "1"
cases:
  - name: all
    principal: [rita, omar, other]
    profile: [prod, test, other]
    expect: {effect: deny, rule: all}
""")
    done = run("test", "--json", "--mutate", tmp_path / "p.test.yaml")
    mutation = json.loads(done.stdout)["mutation"]
    assert mutation["survived"] == []
    assert mutation["equivalent"] >= 8, "each change of the two hidden rules"
    assert done.returncode == 0


def test_a_space_too_large_to_search_is_said_so(tmp_path):
    """POL-54: exit 3, naming the largest factor; never an answer about a part."""
    names = ", ".join(f"u{i}" for i in range(1000))
    windows = "".join(f"""
  - name: w{i}
    effect: allow
    conditions: {{profiles: [p{i}], users: [{names}],
      time: {{hours: {{start: "{i // 60:02}:{i % 60:02}", end: "23:59"}}}}}}""" for i in range(120))
    (tmp_path / "p.yaml").write_text(f'version: "1"\nrules:{windows}\n')
    (tmp_path / "p.test.yaml").write_text("""version: "1"
cases:
  - {name: a, principal: nobody, profile: none, time: "2026-03-02T00:00:00Z", expect: {effect: deny}}
""")
    done = run("test", "--mutate", tmp_path / "p.test.yaml")
    assert done.returncode == 3
    assert "principals" in done.stderr or "mutants" in done.stderr
