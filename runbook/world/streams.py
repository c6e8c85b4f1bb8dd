"""Streams into a pod over WebSocket: commands in containers and forwarded ports."""

from __future__ import annotations

import json
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from urllib.parse import urlencode

import websocket

from runbook.errors import Unmeasurable
from runbook.world.commands import CommandResult
from runbook.world.kubeconfig import Connection
from runbook.world.redaction import redact

CONNECT_TIMEOUT = 10.0
STDIN, STDOUT, STDERR, VERDICT = 0, 1, 2, 3
CLOSE = 255
"""Channel numbers of the protocol v5.channel.k8s.io; CLOSE ends one of the others."""

CHUNK = 65536
SHORTEST_WAIT = 0.01


def run_in_container(
    connection: Connection,
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
    wire = _open(connection, f"{path}?{urlencode(asked)}", "v5.channel.k8s.io", what)
    written: dict[int, bytearray] = {STDOUT: bytearray(), STDERR: bytearray(), VERDICT: bytearray()}
    deadline = time.monotonic() + timeout
    try:
        if stdin is not None:
            wire.send_binary(bytes([STDIN]) + stdin.encode())
            wire.send_binary(bytes([CLOSE, STDIN]))
        while not written[VERDICT]:
            wire.settimeout(max(deadline - time.monotonic(), SHORTEST_WAIT))
            opcode, frame = wire.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                break
            if frame:
                written.setdefault(frame[0], bytearray()).extend(frame[1:])
    except websocket.WebSocketTimeoutException:
        raise Unmeasurable(
            f"{what} did not end within {timeout:g} s", wanted="an end of the command"
        ) from None
    except (websocket.WebSocketException, OSError) as problem:
        raise Unmeasurable(f"the stream to {what} broke: {redact(str(problem))}") from None
    finally:
        wire.close()
    out, err = (written[channel].decode(errors="replace") for channel in (STDOUT, STDERR))
    return CommandResult(out, err, _exit_code(bytes(written[VERDICT]), what))


def _exit_code(verdict: bytes, what: str) -> int:
    """The exit status that the kubelet reports; a command that could not be started has none."""
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
def forwarded(connection: Connection, path: str, port: int) -> Iterator[int]:
    """Listen on a free port of 127.0.0.1 and lead each connection to the pod's port until the context ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        local_port = int(listener.getsockname()[1])
        # A first connection proves that the pod's port can be reached, before anyone waits on the local one.
        _open(connection, f"{path}?ports={port}", "v4.channel.k8s.io", f"port {port} of the pod").close()
        accepting = threading.Thread(target=_serve, args=(listener, connection, path, port), daemon=True)
        accepting.start()
        try:
            yield local_port
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
    accepting.join(timeout=1)


def _serve(listener: socket.socket, connection: Connection, path: str, port: int) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_lead, args=(peer, connection, path, port), daemon=True).start()


def _lead(peer: socket.socket, connection: Connection, path: str, port: int) -> None:
    """Carry bytes both ways between one local connection and the pod's port."""
    with peer:
        try:
            wire = _open(connection, f"{path}?ports={port}", "v4.channel.k8s.io", f"port {port} of the pod")
        except Unmeasurable:
            return
        greeted: set[int] = set()
        assert wire.sock is not None
        try:
            with selectors.DefaultSelector() as ready:
                ready.register(peer, selectors.EVENT_READ)
                ready.register(wire.sock, selectors.EVENT_READ)
                while _pump(ready, peer, wire, greeted):
                    pass
        except (websocket.WebSocketException, OSError):
            return
        finally:
            wire.close()


def _pump(
    ready: selectors.BaseSelector, peer: socket.socket, wire: websocket.WebSocket, greeted: set[int]
) -> bool:
    """Move what is there to be moved; False once either side has ended."""
    # TLS may hold decrypted bytes that the selector cannot see.
    pending = getattr(wire.sock, "pending", lambda: 0)() > 0
    events = [] if pending else ready.select()
    if pending or any(key.fileobj is wire.sock for key, _ in events):
        opcode, frame = wire.recv_data()
        if opcode == websocket.ABNF.OPCODE_CLOSE:
            return False
        if not frame:
            return True
        channel, data = frame[0], frame[1:]
        if channel not in greeted:
            # The first frame of each channel carries the port number only.
            greeted.add(channel)
            data = data[struct.calcsize("<H") :]
        if channel == 1 and data:
            return False
        if data:
            peer.sendall(data)
    if any(key.fileobj is peer for key, _ in events):
        data = peer.recv(CHUNK)
        if not data:
            return False
        wire.send_binary(b"\x00" + data)
    return True


def _open(connection: Connection, path: str, protocol: str, what: str) -> websocket.WebSocket:
    server = connection.server.replace("https://", "wss://", 1).replace("http://", "ws://", 1)
    try:
        return websocket.create_connection(
            f"{server}{path}",
            timeout=CONNECT_TIMEOUT,
            subprotocols=[protocol],
            header=[f"{name}: {value}" for name, value in connection.headers.items()],
            sslopt={"context": connection.tls},
            http_no_proxy=["*"],
            enable_multithread=True,
        )
    except (websocket.WebSocketException, OSError) as problem:
        raise Unmeasurable(
            f"no stream to {what}: {redact(str(problem))}",
            wanted="a stream into the pod",
            hint="inv cluster.status",
        ) from None
