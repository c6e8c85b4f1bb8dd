"""Streams into pods: exit codes, both outputs, what could not be started, and a port that leads through."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from typing import Any

import pytest
import websocket

from runbook.errors import Unmeasurable
from runbook.world import streams
from runbook.world.kubeconfig import Connection
from runbook.world.streams import CLOSE, STDERR, STDIN, STDOUT, VERDICT, forwarded, run_in_container

HERE = Connection(
    "https://127.0.0.1:6443", ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), token="token-of-the-test"
)
BINARY = websocket.ABNF.OPCODE_BINARY
SUCCESS = json.dumps({"status": "Success"}).encode()


def verdict(code: int) -> bytes:
    causes = [{"reason": "ExitCode", "message": str(code)}]
    return json.dumps(
        {"status": "Failure", "reason": "NonZeroExitCode", "details": {"causes": causes}}
    ).encode()


class FakeSocket:
    """Frames that a test scripts: channel and content; None is a closed connection."""

    def __init__(self, *frames: tuple[int, bytes] | None) -> None:
        self.frames = list(frames)
        self.sent: list[bytes] = []
        self.closed = False

    def recv_data(self) -> tuple[int, bytes]:
        if not self.frames:
            raise websocket.WebSocketTimeoutException
        frame = self.frames.pop(0)
        if frame is None:
            return websocket.ABNF.OPCODE_CLOSE, b"\x03\xe8"
        return BINARY, bytes([frame[0]]) + frame[1]

    def send_binary(self, content: bytes) -> None:
        self.sent.append(content)

    def settimeout(self, _: float) -> None:
        return

    def close(self) -> None:
        self.closed = True


def opening(monkeypatch: pytest.MonkeyPatch, wire: Any) -> list[tuple[str, dict[str, Any]]]:
    opened: list[tuple[str, dict[str, Any]]] = []

    def connect(url: str, **options: Any) -> Any:
        opened.append((url, options))
        if isinstance(wire, Exception):
            raise wire
        return wire() if callable(wire) else wire

    monkeypatch.setattr(streams.websocket, "create_connection", connect)
    return opened


def run(*argv: str, stdin: str | None = None) -> Any:
    return run_in_container(HERE, "/api/v1/x/exec", "backend", argv, timeout=1, stdin=stdin)


def test_both_outputs_and_success(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = FakeSocket((STDOUT, b""), (STDOUT, b"out"), (STDERR, b"err"), (STDOUT, b"put"), (VERDICT, SUCCESS))
    opened = opening(monkeypatch, wire)
    result = run("cat", "/proc/1/status")
    assert (result.stdout, result.stderr, result.code) == ("output", "err", 0)
    url, options = opened[0]
    assert url.startswith("wss://127.0.0.1:6443/api/v1/x/exec?container=backend")
    assert url.endswith("command=cat&command=%2Fproc%2F1%2Fstatus")
    assert options["header"] == ["Authorization: Bearer token-of-the-test"]
    assert wire.closed


def test_an_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, FakeSocket((STDERR, b"no"), (VERDICT, verdict(42))))
    assert run("false").code == 42


def test_input_is_sent_and_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = FakeSocket((VERDICT, SUCCESS))
    opening(monkeypatch, wire)
    run("cat", stdin="given")
    assert wire.sent == [bytes([STDIN]) + b"given", bytes([CLOSE, STDIN])]


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        (
            ((VERDICT, b'{"status": "Failure", "message": "no such file"}'),),
            "could not be started: no such file",
        ),
        ((None,), "ended without a status"),
        ((), "did not end within 1 s"),
    ],
)
def test_what_has_no_exit_code_cannot_be_measured(
    frames: Any, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening(monkeypatch, FakeSocket(*frames))
    with pytest.raises(Unmeasurable, match=words):
        run("x")


def test_a_refused_stream_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, websocket.WebSocketException("Handshake status 403 Forbidden"))
    with pytest.raises(Unmeasurable, match="no stream to `x` in container backend: Handshake status 403"):
        run("x")


class Pod:
    """The far end of a forwarded port: answers each message in capitals, by the framing of the API server."""

    def __init__(self) -> None:
        self.sock, self._far = socket.socketpair()
        self._greetings = [bytes([0]) + b"\x40\x1f", bytes([1]) + b"\x40\x1f"]
        for _ in self._greetings:
            self._far.send(b".")

    def recv_data(self) -> tuple[int, bytes]:
        content = self.sock.recv(1 if self._greetings else 65536)
        if self._greetings:
            return BINARY, self._greetings.pop(0)
        return BINARY, bytes([0]) + content

    def send_binary(self, frame: bytes) -> None:
        assert frame[0] == 0
        self._far.sendall(frame[1:].upper())

    def close(self) -> None:
        self.sock.close()
        self._far.close()


def test_a_forwarded_port_leads_through_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = opening(monkeypatch, Pod)
    with forwarded(HERE, "/api/v1/x/portforward", 8000) as port:
        for word in (b"first", b"second"):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as peer:
                peer.sendall(word)
                assert peer.recv(100) == word.upper()
    assert opened[0][0].endswith("/portforward?ports=8000")
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any("_serve" in each.name for each in threading.enumerate()):
        time.sleep(0.01)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_port_that_cannot_be_reached_is_told_before_anyone_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, websocket.WebSocketException("pod not found"))
    with (
        pytest.raises(Unmeasurable, match="no stream to port 5432 of the pod: pod not found"),
        forwarded(HERE, "/x", 5432),
    ):
        pass
