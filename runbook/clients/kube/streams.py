"""Streams into a pod over the WebSockets of the `kubernetes` package: commands in containers and forwarded ports.

Its functions are called without the generated API in front of them, whose import takes seconds, and which for the time
of the call diverts all requests of its client to the WebSocket, those of other threads too.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from kubernetes.client.exceptions import ApiException
from kubernetes.stream.ws_client import (
    ERROR_CHANNEL,
    STDERR_CHANNEL,
    STDIN_CHANNEL,
    STDOUT_CHANNEL,
    PortForward,
    WSClient,
    portforward_call,
    websocket_call,
)
from websocket import WebSocketException

from runbook.clients.kube.client import Client
from runbook.clients.process.commands import CommandResult
from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import redact

T = TypeVar("T")

OPEN_TIMEOUT = 10.0
CHUNK = 65536
SHORTEST_WAIT = 0.01


def run_in_container(
    client: Client,
    path: str,
    container: str,
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: str | None,
) -> CommandResult:
    """Run a command in a container to its end. Raises `Unmeasurable` where it cannot be started or does not end."""
    asked = [("container", container), ("stdout", "true"), ("stderr", "true")]
    if stdin is not None:
        asked.append(("stdin", "true"))
    asked += [("command", part) for part in argv]
    what = f"`{redact(' '.join(argv))}` in container {container}"
    deadline = time.monotonic() + timeout
    stream: WSClient = _opened(client, websocket_call, path, asked, what)
    try:
        if stdin is not None:
            stream.write_channel(STDIN_CHANNEL, stdin.encode())
            stream.close_channel(STDIN_CHANNEL)
        while stream.is_open() and (left := deadline - time.monotonic()) > 0:
            stream.sock.settimeout(max(left, SHORTEST_WAIT))
            stream.update(timeout=left)
        if stream.is_open():
            raise Unmeasurable(f"{what} did not end within {timeout:g} s", wanted="an end of the command")
    except (WebSocketException, OSError) as problem:
        raise Unmeasurable(f"the stream to {what} broke: {redact(str(problem))}") from None
    finally:
        stream.close()
    out, err, verdict = (
        stream.read_channel(each) for each in (STDOUT_CHANNEL, STDERR_CHANNEL, ERROR_CHANNEL)
    )
    return CommandResult(
        out.decode(errors="replace"), err.decode(errors="replace"), _exit_code(verdict, what)
    )


def _exit_code(verdict: bytes, what: str) -> int:
    """The exit status that the kubelet reports; a command that could not be started has none.

    Not by `WSClient.returncode`: it ends in a TypeError, IndexError or ValueError where the stream ended without a
    verdict or the command could not be started (kubernetes-client/python 1840, 2156, 2328).
    """
    try:
        status = json.loads(verdict)
    except ValueError:
        raise Unmeasurable(f"{what} ended without a status", wanted="an exit status") from None
    if status.get("status") == "Success":
        return 0
    if status.get("reason") == "NonZeroExitCode":
        causes = (status.get("details") or {}).get("causes") or []
        for cause in causes:
            if cause.get("reason") == "ExitCode":
                return int(cause["message"])
    raise Unmeasurable(
        f"{what} could not be started: {redact(str(status.get('message', '')))}", wanted="the command started"
    )


@contextmanager
def forwarded(client: Client, path: str, port: int) -> Iterator[int]:
    """Listen on a free port of 127.0.0.1 and lead each connection to the pod's port until the context ends.

    The package gives one socket pair for each forwarding; libpq and others need a port that they can connect to.
    """

    def forward() -> PortForward:
        asked = [("ports", str(port))]
        stream: PortForward = _opened(client, portforward_call, path, asked, f"port {port} of the pod")
        return stream

    with socket.create_server(("127.0.0.1", 0)) as listener:
        # A first connection proves that the pod's port can be reached, before anyone waits on the local one.
        _hang_up(forward().socket(port))
        accepting = threading.Thread(target=_serve, args=(listener, forward, port), daemon=True)
        accepting.start()
        try:
            yield int(listener.getsockname()[1])
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    accepting.join(timeout=1)


def _serve(listener: socket.socket, forward: Callable[[], PortForward], port: int) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_lead, args=(peer, forward, port), daemon=True).start()


def _lead(peer: socket.socket, forward: Callable[[], PortForward], port: int) -> None:
    """Carry bytes both ways between one local connection and the pod's port, until either side ends."""
    with peer:
        try:
            pod: socket.socket = forward().socket(port)
        except Unmeasurable:
            return
        upward = threading.Thread(target=_carry, args=(peer, pod), daemon=True)
        upward.start()
        _carry(pod, peer)
        with suppress(OSError):
            peer.shutdown(socket.SHUT_RDWR)
        upward.join()
        _hang_up(pod)


def _carry(source: socket.socket, target: socket.socket) -> None:
    """Carry what the source says, then tell the target that this was all."""
    with suppress(OSError):
        while data := source.recv(CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _hang_up(pod: socket.socket) -> None:
    """Say that this was all, and hear the rest: closed with bytes unread, the socket would end the package's thread
    with a traceback."""
    with suppress(OSError):
        pod.shutdown(socket.SHUT_WR)
        while pod.recv(CHUNK):
            pass
    pod.close()


def _opened(
    client: Client, call: Callable[..., Any], path: str, params: list[tuple[str, str]], what: str
) -> Any:
    """A stream of the package. Opened in a thread of its own, since the package knows no deadline for that."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def open_it() -> None:
        try:
            method, url, headers, *_ = client.serialized("GET", path, params)
            answers.put(
                call(client.configuration, method, url, headers=headers, _preload_content=False, binary=True)
            )
        except Exception as problem:  # noqa: BLE001 - carried to the thread that waits
            answers.put(problem)

    threading.Thread(target=open_it, daemon=True).start()
    try:
        stream = answers.get(timeout=OPEN_TIMEOUT)
    except queue.Empty:
        raise _unopened(what, f"no answer within {OPEN_TIMEOUT:g} s") from None
    if isinstance(stream, Exception):
        raise _unopened(what, _reason(stream))
    return stream


def _unopened(what: str, why: str) -> Unmeasurable:
    return Unmeasurable(
        f"no stream to {what}: {redact(why)}", wanted="a stream into the pod", hint="inv cluster.status"
    )


def _reason(problem: Exception) -> str:
    """The API server's own words where it refused to open a WebSocket; the package appends headers and body to them."""
    if isinstance(problem, ApiException):
        refused = problem.__context__
        with suppress(ValueError, TypeError, AttributeError):
            return str(json.loads(getattr(refused, "resp_body", "") or "")["message"])
        return str(problem.reason)
    return str(problem)
