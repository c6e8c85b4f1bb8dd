"""The probes that run in pods, tried against listeners of this machine's own loopback."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from runbook.netpol.listeners import parse
from runbook.netpol.traffic.probes import Seen, Try, question
from runbook.netpol.traffic.reach import NODE, PYTHON, SHELL, Program, source

INTERPRETERS = [PYTHON, NODE] if shutil.which("node") else [PYTHON]


def said(program: Program, argument: str) -> str:
    argv = program.argv(argument)
    if program is PYTHON:
        argv[0] = sys.executable
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True).stdout


def outcome(program: Program, asked: Try) -> str:
    return said(program, asked.line(0)).split()[1]


@pytest.fixture
def listener() -> Iterator[Callable[[bytes], int]]:
    """Makes a TCP listener that says some words to whoever asks; with none it stays silent."""
    open_: list[socket.socket] = []

    def listen(words: bytes) -> int:
        it = socket.create_server(("127.0.0.1", 0))
        open_.append(it)

        def serve() -> None:
            while True:
                try:
                    peer, _ = it.accept()
                except OSError:
                    return
                open_.append(peer)
                peer.recv(100)
                peer.sendall(words) if words else peer.close()

        threading.Thread(target=serve, daemon=True).start()
        return int(it.getsockname()[1])

    yield listen
    for each in open_:
        each.close()


@pytest.fixture
def vacant() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as it:
        return int(it.getsockname()[1])


@pytest.mark.parametrize("program", INTERPRETERS, ids=lambda program: program.name)
def test_tcp(program: Program, listener: Callable[[bytes], int], vacant: int) -> None:
    assert outcome(program, Try("127.0.0.1", listener(b"here"), payload=b"?")) == Seen.OPEN
    assert outcome(program, Try("127.0.0.1", listener(b""))) == Seen.OPEN, (
        "without a question none is answered"
    )
    assert outcome(program, Try("127.0.0.1", listener(b""), payload=b"?")) == Seen.SILENT
    assert outcome(program, Try("127.0.0.1", vacant)) == Seen.REFUSED


@pytest.mark.parametrize("program", INTERPRETERS, ids=lambda program: program.name)
def test_a_connection_that_is_never_taken_is_a_timeout(program: Program) -> None:
    """A full backlog drops what comes: nothing is refused and nothing is answered."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        it.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(it.getsockname())
        assert outcome(program, Try("127.0.0.1", it.getsockname()[1])) == Seen.TIMEOUT
        for each in waiting:
            each.close()


@pytest.mark.parametrize("program", INTERPRETERS, ids=lambda program: program.name)
def test_udp(program: Program, vacant: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        assert outcome(program, Try("127.0.0.1", silent.getsockname()[1], "UDP")) == Seen.TIMEOUT
    assert outcome(program, Try("127.0.0.1", vacant, "UDP")) == Seen.REFUSED


@pytest.mark.parametrize("program", INTERPRETERS, ids=lambda program: program.name)
def test_what_listens_is_told(program: Program, listener: Callable[[bytes], int]) -> None:
    port = listener(b"")
    assert (port, True) in {(each.port, each.loopback) for each in parse(said(program, "listeners"))}


def test_the_answering_pod_answers_both_ways(vacant: int) -> None:
    argv = [sys.executable, "-I", "-c", source("echo.py"), "60", str(vacant), f"127.0.0.1:{vacant}/udp"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as echo:
        assert echo.stdout is not None
        assert echo.stdout.readline() == b"ready\n"
        for protocol in ("TCP", "UDP"):
            assert outcome(PYTHON, Try("127.0.0.1", vacant, protocol, b"?")) == Seen.OPEN
        echo.kill()


def test_the_listener_of_the_outside_waits_for_its_addresses_and_ends_with_its_input(vacant: int) -> None:
    argv = [sys.executable, "-I", "-c", source("echo.py"), "-", f"127.0.0.1:{vacant}/udp"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as echo:
        assert echo.stdout is not None
        assert echo.stdin is not None
        assert echo.stdout.readline() == b"waiting\n"
        echo.stdin.write(b"go\n")
        echo.stdin.flush()
        assert echo.stdout.readline() == b"ready\n"
        assert outcome(PYTHON, Try("127.0.0.1", vacant, "UDP", b"?")) == Seen.OPEN
        echo.stdin.close()
        assert echo.wait(timeout=10) == 0


def test_a_shell_without_nc_is_no_interpreter() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", source(SHELL.script), "probe", Try("127.0.0.1", 1).line(0)],
        env={"PATH": "/nowhere"},
        capture_output=True,
        timeout=10,
    )
    assert done.returncode == 127


def test_a_question_for_a_name() -> None:
    asked = question("a.svc")
    assert asked[12:] == b"\x01a\x03svc\x00\x00\x01\x00\x01"
    assert question("a.svc", "TCP") == len(asked).to_bytes(2, "big") + asked
