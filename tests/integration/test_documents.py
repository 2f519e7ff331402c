# SPDX-License-Identifier: Apache-2.0
"""Pages made from the command table: the committed reference is current, man pages are clean, help is complete."""
import json
import os
import shutil
import subprocess
import sys

import pytest

import harness

SENTINEL = harness.BIN / "sentinel"


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def commands():
    return run(SENTINEL, "help", "--format=names").stdout.splitlines()


def test_reference_is_current():
    done = run(sys.executable, harness.ROOT / "docs" / "generate", "--check", harness.BIN)
    assert done.returncode == 0, done.stdout


def test_every_command_explains_itself():
    assert len(commands()) >= 11
    for name in commands():
        page = run(SENTINEL, *name.split(), "--help")
        topic = run(SENTINEL, "help", *name.split())
        if name != "lab":  # hands its words to sentinel-lab
            assert page.returncode == 0 and page.stdout == topic.stdout
        assert topic.stdout.startswith(f"sentinel {name} - ")
        for part in ("Usage: sentinel ", "Options:\n", "Exit codes:\n"):
            assert part in topic.stdout, name
        assert max(len(line) for line in topic.stdout.splitlines() if not line.startswith("  ")) <= 110


def test_man_pages_have_no_warnings(tmp_path):
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    for name in ["", *commands()]:
        page = tmp_path / "page.1"
        page.write_text(run(SENTINEL, "help", "--format=man", *name.split()).stdout)
        done = run("groff", "-man", "-ww", "-Tutf8", "-z", page)
        assert (done.returncode, done.stderr) == (0, ""), name


def test_examples_name_commands_that_exist():
    """Every example of every page is accepted by the parser as far as its words go."""
    pages = {name: run(SENTINEL, "help", *name.split()).stdout for name in commands()}
    aliases = [line.split("sentinel ", 1)[1] for page in pages.values() for line in page.splitlines() if line.startswith("Also:")]
    known = [*pages, *aliases]
    assert "credentials" in aliases
    for text in pages.values():
        for line in text.split("Examples:\n")[-1].splitlines():
            for part in line.split("sentinel ")[1:]:
                assert any(part.startswith(command) for command in known), line


def test_output_that_cannot_be_written():
    """A full device is an error, not a success."""
    with open("/dev/full", "wb") as full:
        done = subprocess.run([SENTINEL, "help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 3 and "cannot write the result" in done.stderr


def test_closed_standard_descriptors():
    """A program started without stdin, stdout and stderr does not write into a file it opens later."""
    done = subprocess.run(["/bin/sh", "-c", f"exec '{SENTINEL}' version >&- 2>&- <&-"], check=False)
    assert done.returncode in (0, 3)


def test_json_errors_reach_a_person_too():
    """With --json stdout holds the one document; a terminal on stderr shows the error when stdout goes elsewhere."""
    arguments = [SENTINEL, "whoami", "--json", "--arn", "nobody"]
    master, slave = os.openpty()
    piped = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=slave, timeout=60, check=False)
    error = json.loads(piped.stdout)["error"]
    shown = os.read(master, 65536).decode()
    assert piped.returncode == 2 and error["code"] == "INVALID_ARN" and error["message"] in shown and "hint: " in shown
    alone = subprocess.run(arguments, stdout=slave, stderr=slave, timeout=60, check=False)
    assert alone.returncode == 2 and json.loads(os.read(master, 65536)) == {"error": error}  # once is enough
    os.close(slave)
    os.close(master)
    quiet = subprocess.run(arguments, capture_output=True, timeout=60, check=False)
    assert json.loads(quiet.stdout) == {"error": error} and quiet.stderr == b""


def test_man_pages_are_installed(tmp_path):
    """Meson's install writes the page of each command, as the program prints it."""
    build = harness.BIN.parents[1]
    if not (build / "build.ninja").exists() or not shutil.which("meson"):
        pytest.skip("the programs under test lie outside a build directory")
    done = run("meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    (pages,) = tmp_path.rglob("man1")
    assert (pages / "sentinel-tvm-serve.1").exists()
    for name in commands():
        page = run(SENTINEL, "help", "--format=man", *name.split()).stdout
        assert (pages / f"sentinel-{name.replace(' ', '-')}.1").read_text() == page
