# SPDX-License-Identifier: Apache-2.0
"""policy analyze: its witnesses judged by policy eval, and its page by readers of HTML."""
import base64
import hashlib
import html.parser
import json
import re
import subprocess

import pytest

import chromium
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


# --- In a real browser ---

@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if chromium.find() is None:
        pytest.skip("chromium is not installed")
    tab = chromium.Browser(tmp_path_factory.mktemp("browser"))
    yield tab
    tab.close()


@pytest.fixture
def team_page(tmp_path):
    """The page of an example with its catalogue, approvals and emergencies."""
    done = run("analyze", *FROM, EXAMPLES / "groups-and-hours.yaml", "--catalog", EXAMPLES / "catalog.yaml", "--approval",
               EXAMPLES / "approval.yaml", "--breakglass", EXAMPLES / "breakglass.yaml", "--html", tmp_path / "page.html")
    assert done.returncode == 0, done.stderr
    return (tmp_path / "page.html").as_uri()


VISIBLE = "[...document.querySelectorAll({!r})].filter(e => e.offsetParent !== null).map(e => e.textContent)"
# Contrast of the text of each cell with what lies behind it, as the accessibility guidelines compute it.
CONTRAST = """(() => {
  const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  return Math.min(...[...document.querySelectorAll('td.c, .legend span')].map(e => { const s = getComputedStyle(e);
    const a = light(s.color), b = light(s.backgroundColor); return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); }));
})()"""


def test_a_browser_shows_hostile_names_as_text(browser, tmp_path):
    """POL-56: nothing runs but the page's own script, nothing is asked of a network, every name is read as it is."""
    page = hostile_page(tmp_path)
    browser.open(page.as_uri())
    assert browser.requests == [page.as_uri()]
    assert browser.dialogs == [] and browser.complaints == []
    assert browser.js("document.scripts.length") == 1 and browser.js("document.images.length") == 0
    assert browser.js("document.title").endswith("p<script>.yaml")
    shown = browser.js(VISIBLE.format("section.w tbody th bdi"))
    assert shown == HOSTILE * 2, "each rule in the weeks of both profiles"
    assert browser.js("document.querySelector('#count').textContent") == "3 of 3 principals", "the script ran"
    # The windows run over midnight: Friday from 22:00 on, and Saturday until the end.
    bars = browser.js("[...document.querySelectorAll('section.w svg')].slice(0, 3).map(s => "
                      "[...s.querySelectorAll('rect')].map(r => [+r.getAttribute('x'), +r.getAttribute('width')]))")
    assert bars == [[[708, 12], [720, 3 + 6 * i]] for i in range(3)]


def test_the_policy_of_the_page_stops_what_is_not_its_own(browser, tmp_path):
    """POL-56: a script or picture that were smuggled in would not run or load."""
    page = hostile_page(tmp_path)
    text = page.read_text().replace("<footer>", "<script>document.title='mine'</script><img src='http://127.0.0.1:9/x'>"
                                    "<p onclick='1' style='color:red'>x</p><footer>")
    page.write_text(text)
    browser.open(page.as_uri())
    assert browser.js("document.title") != "mine"
    assert browser.js("document.querySelector('main > p[onclick]').style.color") == ""
    assert len(browser.complaints) >= 2
    assert all("Content Security Policy" in c["entry"]["text"] for c in browser.complaints)


def test_the_filter_leaves_what_was_asked_for(browser, team_page):
    """POL-56: by profile, by principal, by who needs nobody else, and from the address."""
    rows, heads = VISIBLE.format("#reach tbody th"), VISIBLE.format("#reach thead th")
    browser.open(team_page)
    everybody, everything = browser.js(rows), browser.js(heads)
    assert {"alice", "bob", "anyone-else"} <= set(everybody)
    browser.type("#q", "staging")
    assert browser.js(heads) == ["Principal", "staging"] and browser.js(rows) == everybody
    assert browser.js(VISIBLE.format("section.w h3")) == ["staging"]
    browser.type("#q", "ALICE")
    assert browser.js(rows) == ["alice"] and browser.js(heads) == everything
    assert browser.js("document.querySelector('#count').textContent") == f"1 of {len(everybody)} principals"
    browser.type("#q", "no such thing")
    assert browser.js(rows) == []
    browser.type("#q", "")
    assert browser.js(rows) == everybody
    browser.js("document.querySelector('#alone').click()")
    assert "anyone-else" not in browser.js(rows) and "alice" in browser.js(rows)
    browser.open(team_page + "#prod-logs")
    assert browser.js(heads) == ["Principal", "prod-logs"]
    assert browser.complaints == []


def test_the_page_can_be_read_by_everyone(browser, team_page):
    """POL-56: names for what can be operated, heads for rows and columns, enough contrast by day and by night, no page wider
    than the screen, and colours that differ by result."""
    browser.open(team_page)
    nodes = [n for n in browser.call("Accessibility.getFullAXTree")["nodes"] if not n.get("ignored")]
    names = {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes}
    assert ("searchbox", "Filter") in names and ("rowheader", "alice") in names and ("columnheader", "staging") in names
    assert ("region", "Principals and profiles") in names
    assert "status" in {role for role, _ in names}, "the count is announced"
    assert any(role == "checkbox" and name.startswith("only who gets") for role, name in names)
    for scheme in ("light", "dark"):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        assert browser.js(CONTRAST) >= 4.5, scheme
        colours = browser.js("['allow','part','ask','self','open','deny'].map(c => "
                             "getComputedStyle(document.querySelector('.legend .' + c)).backgroundColor)")
        assert len(set(colours)) == 6, colours
    for width in (1280, 390):
        browser.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=False)
        assert browser.js("document.documentElement.scrollWidth") <= width
    browser.call("Emulation.clearDeviceMetricsOverride")
