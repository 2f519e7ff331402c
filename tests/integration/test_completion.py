# SPDX-License-Identifier: Apache-2.0
"""Completion scripts in the real shells."""
import os
import pty
import select
import shutil
import subprocess
import time

import pytest

import harness

SENTINEL = harness.BIN / "sentinel"


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\n[profile base-one]\n[profile base-two]\n# [profile no]\n")
    cache = tmp_path / ".cache" / "sentinel"
    cache.mkdir(parents=True)
    (cache / "profiles").write_text("dev\nstaging\nteam/prod\n")
    (tmp_path / "afile").write_text("")
    return tmp_path


def environment(home):
    return harness.closed_environment(home, TERM="dumb") | {"PATH": f"{harness.BIN}:/usr/bin:/bin"}


CASES = [
    ("sentinel cred", ["credential-process"]),
    ("sentinel audit ", ["verify-logs"]),
    ("sentinel exec ", ["dev", "staging", "team/prod"]),
    ("sentinel exec st", ["staging"]),
    ("sentinel exec --aws-profile base-", ["base-one", "base-two"]),
    ("sentinel export dev --format ", ["env", "json", "ini", "dotenv", "fish", "powershell"]),
    ("sentinel export dev --tvm-a", ["--tvm-auth"]),
    ("sentinel completion ", ["bash", "zsh", "fish"]),
]


def bash(home, line):
    script = (f"source <(sentinel completion bash)\nCOMP_LINE={line!r}\nCOMP_POINT=${{#COMP_LINE}}\n"
              "read -r -a COMP_WORDS <<< \"$COMP_LINE\"\n[[ $COMP_LINE == *' ' ]] && COMP_WORDS+=('')\n"
              "COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_sentinel_complete\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n")
    done = subprocess.run(["bash", "--norc", "-c", script], env=environment(home), cwd=home, capture_output=True,
                          text=True, timeout=30, check=False)
    assert done.stderr == ""
    return done.stdout.split()


def fish(home, line):
    done = subprocess.run(["fish", "--no-config", "-c",
                           f"sentinel completion fish | source; complete -C {line!r}"], env=environment(home), cwd=home,
                          capture_output=True, text=True, timeout=60, check=False)
    return [entry.split("\t")[0] for entry in done.stdout.splitlines()]


@pytest.mark.parametrize("line, words", CASES)
def test_bash(home, line, words):
    assert sorted(bash(home, line)) == sorted(words)


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize("line, words", CASES)
def test_fish(home, line, words):
    assert sorted(fish(home, line)) == sorted(words)


def zsh_screen(home, keys):
    """What an interactive zsh shows after these keys; widths are wide so that nothing wraps."""
    (home / ".zshrc").write_text("PS1='> '\nautoload -Uz compinit; compinit -u\nsource <(sentinel completion zsh)\n"
                                 "setopt no_beep auto_list no_always_last_prompt\nLISTMAX=1000\nprint ready\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(home)
        os.execve("/usr/bin/zsh", ["zsh", "-i"], environment(home) | {"TERM": "vt100", "ZDOTDIR": str(home)})
    seen, sent, until, quiet_since = b"", False, time.monotonic() + 30, None
    try:
        while time.monotonic() < until:
            ready, _, _ = select.select([terminal], [], [], 0.25)
            if ready:
                try:
                    piece = os.read(terminal, 65536)
                except OSError:
                    break
                if not piece:
                    break
                seen += piece
                quiet_since = None
                continue
            if b"ready" in seen and not sent:
                os.write(terminal, keys.encode())
                sent, seen = True, b""
                continue
            if sent and len(seen) > len(keys):
                quiet_since = quiet_since or time.monotonic()
                if time.monotonic() - quiet_since > 1.0:
                    break
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        os.close(terminal)
    return seen.decode("utf-8", "replace")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize("keys, shown", [
    ("sentinel cred\t", ["credential-process"]),
    ("sentinel exec \t", ["dev", "staging", "team/prod"]),
    ("sentinel export dev --format \t", ["powershell", "dotenv"]),
    ("sentinel audit verify-logs --key-file af\t", ["afile"]),
])
def test_zsh(home, keys, shown):
    screen = zsh_screen(home, keys)
    for word in shown:
        assert word in screen, screen


@pytest.mark.parametrize("script_of", ["bash", "zsh", "fish"])
def test_scripts_are_well_formed(script_of, tmp_path):
    """Each shell reads its script without a complaint."""
    shell = shutil.which(script_of)
    if shell is None:
        pytest.skip(f"{script_of} is not installed")
    path = tmp_path / "script"
    path.write_text(subprocess.run([SENTINEL, "completion", script_of], capture_output=True, text=True,
                                   check=True).stdout)
    done = subprocess.run([shell, "-n", path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_completion_is_silent_and_contacts_nobody(home):
    """Broken files, no home, nonsense: no text on stderr, and an answer."""
    (home / ".aws" / "config").write_bytes(b"\xff\xfe[profile \x00]\n[profile")
    for words in (["exec", ""], ["exec", "--aws-profile", ""], ["", ""], ["--", "x"], []):
        for env in (environment(home), {"PATH": "/usr/bin"}):
            done = subprocess.run([SENTINEL, "--completion-bash", *words], env=env, capture_output=True, check=False)
            assert done.stderr == b"" and done.returncode in (0, 10, 11)
