# SPDX-License-Identifier: Apache-2.0
"""policy analyze: its witnesses judged by policy eval, and its page by readers of HTML."""
import base64
import hashlib
import html.parser
import json
import re
import subprocess

import harness

SENTINEL = harness.BIN / "sentinel"
EXAMPLES = harness.ROOT / "examples" / "policy"
FROM = ("--from", "2026-03-02")
ACCOUNT = "111122223333"
# Names that a policy may have and that a page must not obey; letters from right to left among them.
HOSTILE = ["<script>alert(1)</script>", "\"><img src=x onerror=alert(2)>", "'; alert(3) //", "</style><b>x", "&lt;b&gt;",
           "שלום עולם", "]]>--><!--", "javascript:alert(4)"]


def run(*arguments, cwd=None):
    return subprocess.run([SENTINEL, "policy", *arguments], env=harness.closed_environment("/nonexistent"), cwd=cwd,
                          capture_output=True, text=True, check=False, timeout=60)


def analyze(*arguments, cwd=None):
    done = run("analyze", "--json", *FROM, *arguments, cwd=cwd)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def evaluate(policy, witness, tmp_path):
    """What policy eval says to the request of a witness."""
    who = ("--caller-arn" if witness["principal"].startswith("arn:") else "--user", witness["principal"])
    words = ["eval", "--json", "-q", policy, *who, "--tvm-account", ACCOUNT, "--profile", witness["profile"], "--time",
             witness["time"]]
    if "posture" in witness:
        (tmp_path / "posture.json").write_text(json.dumps(witness["posture"]))
        words += ["--posture", tmp_path / "posture.json"]
    return json.loads(run(*words).stdout)["effect"]


def test_witnesses_are_confirmed_by_eval(tmp_path):
    """POL-56: each row shows the best that is got, and policy eval says the same to its request."""
    best = {"allow": 2, "require_approval": 1, "deny": 0}
    checked = 0
    for policy in (EXAMPLES / "regulated.yaml", EXAMPLES / "on-call.yaml"):
        for row in analyze(policy, "--catalog", EXAMPLES / "catalog.yaml", "--tvm-account", ACCOUNT)["reach"]:
            shown = evaluate(policy, row["witness"], tmp_path)
            assert shown == max(row["results"], key=best.get), row
            assert row["without_second_human"] == bool(row["via"]) == (shown == "allow")
            checked += 1
    assert checked > 30


def test_a_window_one_minute_wider_is_found_and_confirmed(tmp_path):
    """POL-56: reach-grown with a witness in exactly that minute."""
    text = (EXAMPLES / "groups-and-hours.yaml").read_text()
    assert 'end: "19:00"' in text
    (tmp_path / "new.yaml").write_text(text.replace('end: "19:00"', 'end: "19:01"'))
    answer = analyze(tmp_path / "new.yaml", "--against", EXAMPLES / "groups-and-hours.yaml", "--tvm-account", ACCOUNT)
    changes = answer["reach_diff"]
    assert changes and {f["code"] for f in answer["findings"]} >= {"reach-grown"}
    for change in changes:
        assert (change["from"], change["to"]) == ("deny", "allow")
        assert change["witness"]["time"].endswith(("T19:00:00.000Z", "T18:00:00.000Z")), "19:00 in Lisbon"
        assert evaluate(EXAMPLES / "groups-and-hours.yaml", change["witness"], tmp_path) == "deny"
        assert evaluate(tmp_path / "new.yaml", change["witness"], tmp_path) == "allow"


def test_a_directory_is_read_whole(tmp_path):
    """POL-56: catalogue, approval and break-glass policies of a directory count, and places begin with the file."""
    (tmp_path / "policies" / "team").mkdir(parents=True)
    (tmp_path / "policies" / "a.yaml").write_text(
        'version: "1"\nrules:\n  - {name: one, effect: deny, conditions: {}}\n  - {name: two, effect: allow, conditions: {users: [rita]}}\n')
    (tmp_path / "policies" / "team" / "b.yaml").write_text(
        'version: "1"\nrules:\n  - {name: ask, effect: require_approval, conditions: {users: [rita, omar]}}\n')
    (tmp_path / "catalog.yaml").write_text('version: "1"\nprofiles:\n' + "".join(
        f'  {name}: {{role_arn: "arn:aws:iam::{ACCOUNT}:role/Target{i}"}}\n' for i, name in enumerate(("a", "team/b", "c"))))
    (tmp_path / "approval.yaml").write_text(
        'version: "1"\nrules:\n  - {name: leads, approvers: [ana, ina], auto_approve: {users: [omar]}}\n')
    (tmp_path / "breakglass.yaml").write_text('version: "1"\nrules:\n  - {name: on-call, profiles: [a], users: [rita]}\n')
    answer = analyze(tmp_path, "--vouching-roles", "Target*")
    assert answer["space"]["profiles"] == 3
    idle, = [f for f in answer["findings"] if f["code"] == "never-matches"]
    assert idle["location"] == ["policies/a.yaml rules[1]"]
    rows = {(r["profile"], r["principal"]): r for r in answer["reach"]}
    assert rows["team/b", "omar"]["via"] == [{"kind": "auto_approval", "rule": "leads"}]
    assert rows["team/b", "rita"]["via"] == [] and rows["team/b", "rita"]["results"] == ["require_approval"]
    assert rows["a", "rita"]["via"] == [{"kind": "break_glass", "rule": "on-call"}]
    assert rows["c", "rita"]["results"] == ["deny"]
    both = run("analyze", tmp_path, "--catalog", tmp_path / "catalog.yaml")
    assert both.returncode == 2 and "its own catalogue" in both.stderr


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts, self.blocks, self.inside = [], [], [], {}, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, key, value) for key, value in attrs]
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside in ("script", "style"):
            self.blocks[self.inside] = self.blocks.get(self.inside, "") + data
        else:
            self.texts.append(data)


def hostile_page(folder):
    """A page over a policy whose every name is chosen to break out of it."""
    folder = folder / "a<i>&'\""
    folder.mkdir()
    rules = [{"name": name, "effect": ("allow", "deny", "require_approval")[i % 3],
              "conditions": {"profiles": ["prod", "team/dev"], "users": ["rita"],
                             "time": {"days": ["friday"], "hours": {"start": "22:00", "end": f"0{i}:30"},
                                      "timezone": "Asia/Jerusalem"}}} for i, name in enumerate(HOSTILE)]
    (folder / "p<script>.yaml").write_text(json.dumps({"version": "1", "rules": rules}, ensure_ascii=False))
    done = run("analyze", *FROM, folder / "p<script>.yaml", "--html", folder / "page.html")
    assert done.returncode == 0, done.stderr
    return folder / "page.html"


def test_the_page_holds_names_as_text_and_loads_nothing(tmp_path):
    """POL-56: one style sheet, one script, both named by hash; nothing refers to anything outside."""
    path = hostile_page(tmp_path)
    text = path.read_text()
    page = Page(text)
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert set(page.tags) <= {"html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "h3", "p", "div", "label",
                              "input", "output", "ul", "li", "span", "abbr", "main", "table", "caption", "thead", "tbody",
                              "tr", "th", "td", "bdi", "section", "svg", "line", "rect", "small", "strong", "code",
                              "footer", "script"}
    for tag, key, value in page.attributes:
        assert key not in ("src", "href", "srcset", "action", "style") and not key.startswith("on"), (tag, key, value)
    for word in ("url(", "@import", "fetch", "XMLHttp", "WebSocket", "innerHTML", "eval(", "http:", "https:"):
        assert word not in page.blocks["script"] + page.blocks["style"]
    policy = next(v for t, k, v in page.attributes if k == "content" and "default-src" in v)
    for block in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.blocks[block].encode()).digest()).decode()
        assert f"{block}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy
    shown = set(page.texts)
    for name in HOSTILE:
        assert name in shown, name
    assert "<bdi>שלום עולם</bdi>" in text
    assert not re.search(r"<(b|i|img)[ >]", text)
