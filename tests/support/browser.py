# SPDX-License-Identifier: Apache-2.0
"""The person at a browser, as far as signing in to the lab's Identity Center needs one: opens a page, fills in its form,
follows where it is sent. Also a program of that behaviour for BROWSER, which writes down what it was started with."""
import html.parser
import stat
import sys
import urllib.error
import urllib.parse
import urllib.request


class Form(html.parser.HTMLParser):
    """The one form of a page: where it goes and what stands in it."""

    def __init__(self, text):
        super().__init__()
        self.action, self.values = None, {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.action = attrs["action"]
        elif tag == "input":
            self.values[attrs["name"]] = attrs["value"]


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


# Environments with a proxy are none of a browser's on loopback.
opener = urllib.request.build_opener(Stay, urllib.request.ProxyHandler({}))


def get(url, data=None):
    """(status, headers, text) without following anything."""
    try:
        with opener.open(url, data, timeout=30) as reply:
            return reply.status, reply.headers, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def decide(url, user="alice", decision="allow", follow=True):
    """Opens the page and decides. Gives the last (status, headers, text)."""
    status, headers, text = get(url)
    if status != 200:
        return status, headers, text
    form = Form(text)
    values = {**form.values, "user": user, "decision": decision}
    answer = get(urllib.parse.urljoin(url, form.action), urllib.parse.urlencode(values).encode())
    if answer[0] == 303 and follow:
        return get(answer[1]["Location"])
    return answer


def write_program(path, user="alice", decision="allow"):
    """A program for BROWSER: notes its arguments in PATH.log, then decides."""
    path.write_text(f"#!{sys.executable}\n"
                    f"import os, sys\nsys.path.insert(0, {str(__file__).rsplit('/', 1)[0]!r})\nimport browser\n"
                    f"with open({str(path)!r} + '.log', 'a') as log: log.write(repr(sys.argv[1:]) + '\\n')\n"
                    f"if os.fork() == 0: browser.decide(sys.argv[-1], {user!r}, {decision!r})\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
