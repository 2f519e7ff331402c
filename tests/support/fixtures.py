# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration and security tests: the real programs, started fresh, ended whatever happens."""

import pytest

import emulated
import harness
import stub_sts
import tvm as tvm_support


@pytest.fixture
def start():
    """start(Program(...)) keeps a program for the test and kills it, and all it started, at the end."""
    programs = []

    def keep(program):
        programs.append(program)
        return program

    yield keep
    for program in reversed(programs):
        program.kill()


@pytest.fixture
def start_lab(start, tmp_path):
    """start_lab(config=None, ...) gives a ready lab in a directory of its own."""
    count = 0

    def begin(config=None, **options):
        nonlocal count
        count += 1
        return start(harness.Lab(tmp_path / f"lab{count}", config=config, **options)).wait_ready()

    return begin


@pytest.fixture
def lab(start_lab):
    """A fresh lab with the built-in configuration."""
    return start_lab()


@pytest.fixture(scope="module")
def shared_lab(tmp_path_factory):
    """A lab with the built-in configuration for tests that neither turn its clock nor break it."""
    program = harness.Lab(tmp_path_factory.mktemp("lab"))
    try:
        yield program.wait_ready()
        assert program.end() == 0, program.output()  # also what a sanitizer found on the way
    finally:
        program.kill()


@pytest.fixture
def aws_cli():
    if not harness.AWS_CLI.exists():
        pytest.skip(f"{harness.AWS_CLI} is not installed")
    return harness.AWS_CLI


@pytest.fixture
def start_tvm(start, tmp_path):
    """start_tvm(lab, ...) gives a ready sentinel-tvm; at the end no secret may stand in its logs and files."""
    servers = []

    def begin(lab, *, directory=None, ready=True, **options):
        place = directory or tmp_path / f"tvm{len(servers)}"
        server = start(tvm_support.Tvm(place, lab, **options))
        servers.append(server)
        return server.wait_ready() if ready else server

    yield begin
    for server in servers:
        server.end()
        server.assert_no_secret_left()


@pytest.fixture
def tvm_server(start_tvm, shared_lab):
    """A fresh server over the lab of this module."""
    return start_tvm(shared_lab)


@pytest.fixture
def start_stub():
    """start_stub(...) gives an STS whose answers the test writes."""
    stubs = []

    def begin(**options):
        stubs.append(stub_sts.StubSts(**options))
        return stubs[-1]

    yield begin
    for stub in stubs:
        stub.close()


@pytest.fixture
def stubbed(start_tvm, start_stub, shared_lab):
    """stubbed(**options) gives (stub, server): a server whose STS says what the test wants, callers' identities included."""
    def begin(own=None, **options):
        stub = start_stub(**({"own_arn": own} if own else {}))
        settings = {"AWS_PROFILE": "tvm-user", **options.pop("settings", {})}
        return stub, start_tvm(shared_lab, sts_url=stub.url, settings=settings, **options)
    return begin


class Faults:
    """The machine's faults of tests/support/faults.c, switched while a program runs."""

    def __init__(self, directory, library):
        self.directory = directory
        directory.mkdir()
        self.env = {"LD_PRELOAD": library, "SN_FAULTS": directory}

    def set(self, flag):
        (self.directory / flag).touch()

    def clear(self, flag):
        (self.directory / flag).unlink()


@pytest.fixture(scope="session")
def takes_preload():
    """Whether calls of the programs under test can be replaced: not in static ones and not under a sanitizer."""
    program = harness.BIN / "sentinel-tvm"
    return "libc.so" in harness.linked_libraries(program) and not harness.is_instrumented(program)


@pytest.fixture
def faults(tmp_path, takes_preload):
    library = harness.BIN.parents[1] / "tests" / "support" / "faults.so"
    if not library.exists() or not takes_preload:
        pytest.skip("this build takes no preloaded library")
    return Faults(tmp_path / "faults", library)


@pytest.fixture(scope="session")
def emulator():
    if emulated.MISSING:
        pytest.skip(emulated.MISSING)
    server = emulated.Aws()
    yield server
    server.close()


@pytest.fixture
def cloud(emulator):
    """Parameter Store and KMS, empty and whole."""
    emulator.reset()
    yield emulator
    emulator.mend()
