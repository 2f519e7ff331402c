# SPDX-License-Identifier: Apache-2.0
"""A real browser without a window, driven through its DevTools protocol over two pipes."""
import json
import os
import select
import shutil
import subprocess

NAMES = ("chromium", "chromium-browser", "google-chrome")
TIMEOUT_S = 20


def find():
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One tab. What the page does on its own is kept: requests, dialogs, errors and refusals of its policy."""

    def __init__(self, directory):
        down_read, self.down = os.pipe()
        self.up, up_write = os.pipe()

        def place():
            # The browser reads from descriptor 3 and writes to 4; copies first, since either may be in the way.
            read, write = os.dup(down_read), os.dup(up_write)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [find(), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--remote-debugging-pipe", f"--user-data-dir={directory}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=place, env={"PATH": os.environ["PATH"], "HOME": str(directory)})
        os.close(down_read)
        os.close(up_write)
        self.rest, self.number, self.session = b"", 0, None
        self.requests, self.dialogs, self.complaints, self.loaded = [], [], [], 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Accessibility"):
            self.call(f"{domain}.enable")

    def receive(self):
        while b"\0" not in self.rest:
            if not select.select([self.up], [], [], TIMEOUT_S)[0]:
                raise RuntimeError("the browser says nothing")
            piece = os.read(self.up, 1 << 16)
            if not piece:
                raise RuntimeError("the browser is gone")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(params["message"])
        elif method == "Page.loadEventFired":
            self.loaded += 1
        elif method in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.complaints.append(params)

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def open(self, url):
        """Loads a page; an empty one before it, since another place of the same page would load nothing."""
        for each in ("about:blank", url):
            self.requests, self.dialogs, self.complaints, before = [], [], [], self.loaded
            self.call("Page.navigate", url=each)
            while self.loaded == before:
                self.note(self.receive())

    def js(self, expression):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def type(self, selector, text):
        """Puts text into a field as a keyboard does."""
        self.js(f"(() => {{ const e = document.querySelector({selector!r}); e.focus(); e.select(); }})()")
        if text:
            self.call("Input.insertText", text=text)
        else:
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key="Delete", code="Delete", windowsVirtualKeyCode=46)

    def close(self):
        os.close(self.down)  # which ends it
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.up)
