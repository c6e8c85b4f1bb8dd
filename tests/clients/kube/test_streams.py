"""Streams into pods against a real WebSocket server: exit statuses, standard input, forwarded bytes, refusals."""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import socketserver
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runbook.clients.kube.api import Api
from runbook.clients.target import Kubeconfig
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

SUCCESS = json.dumps({"status": "Success"}).encode()
CLOSE = 0x8


class Pod(socketserver.StreamRequestHandler):
    """One WebSocket; what it says is the test's to choose."""

    server: Node

    def handle(self) -> None:
        self.server.asked = self.rfile.readline().decode().split()[1]
        headers = {}
        while line := self.rfile.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        if self.server.refuse:
            body = json.dumps({"kind": "Status", "message": self.server.refuse}).encode()
            self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            return
        key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
        offered = headers["sec-websocket-protocol"].split(",")[0]
        self.wfile.write(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: {offered}\r\n\r\n".encode()
        )
        self.server.talk(self)

    def say(self, *frames: bytes) -> None:
        """Binary frames, each beginning with its channel."""
        for frame in frames:
            self.wfile.write(b"\x82" + bytes([126]) + struct.pack(">H", len(frame)) + frame)

    def hear(self) -> bytes:
        """The next frame; empty for a close frame or the end."""
        head = self.rfile.read(2)
        if len(head) < 2 or head[0] & 0xF == CLOSE:
            return b""
        length = head[1] & 0x7F
        if length == 126:
            (length,) = struct.unpack(">H", self.rfile.read(2))
        mask, data = self.rfile.read(4), self.rfile.read(length)
        return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))

    def close(self) -> None:
        self.wfile.write(bytes([0x80 | CLOSE, 0]))


class Node(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Pod)
        self.asked = ""
        self.refuse = ""
        self.talk: Callable[[Pod], None] = lambda pod: pod.close()


@pytest.fixture
def node() -> Iterator[Node]:
    with Node() as serving:
        threading.Thread(target=serving.serve_forever, args=(0.02,), daemon=True).start()
        yield serving
        serving.shutdown()


class Pinned:
    provider = "existing"
    name = "todo"

    def __init__(self, path: Path, port: int) -> None:
        self._path = path
        path.write_text(
            json.dumps(
                {
                    "contexts": [{"name": "here", "context": {"cluster": "c"}}],
                    "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                }
            )
        )

    def kubeconfig(self) -> Kubeconfig:
        return Kubeconfig(self._path, "here")


@pytest.fixture
def api(node: Node, tmp_path: Path) -> Api:
    return Api(Settings(), Pinned(tmp_path / "kubeconfig", node.server_address[1]))  # type: ignore[arg-type]


def ended(*causes: dict[str, str], reason: str = "NonZeroExitCode", message: str = "it failed") -> bytes:
    verdict = {"status": "Failure", "reason": reason, "message": message, "details": {"causes": list(causes)}}
    return json.dumps(verdict).encode()


def saying(*frames: bytes) -> Callable[[Pod], None]:
    def talk(pod: Pod) -> None:
        pod.say(*frames)
        pod.close()

    return talk


def test_a_command_has_both_outputs_and_its_exit_status(api: Api, node: Node) -> None:
    verdict = ended({"reason": "ExitCode", "message": "3"})
    node.talk = saying(b"\x01o", b"\x02err", b"\x01ut\xff", b"\x03" + verdict)
    done = api.exec("p", "c", ["sh", "-c", "exit 3"], "todo")
    assert (done.stdout, done.stderr, done.code) == ("out\ufffd", "err", 3)
    assert node.asked.startswith("/api/v1/namespaces/todo/pods/p/exec?container=c")
    assert node.asked.endswith("command=sh&command=-c&command=exit%203")


def test_standard_input_is_written_and_closed(api: Api, node: Node) -> None:
    heard: list[bytes] = []

    def talk(pod: Pod) -> None:
        heard.extend([pod.hear(), pod.hear()])
        pod.say(b"\x03" + SUCCESS)
        pod.close()

    node.talk = talk
    assert api.exec("p", "c", ["cat"], "todo", stdin="ü").code == 0
    assert heard == [b"\x00\xc3\xbc", b"\xff\x00"]


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ((), "ended without a status"),
        (
            (b"\x03" + ended(reason="InternalError", message="no such file"),),
            "could not be started: no such file",
        ),
        ((b"\x03" + ended(),), "could not be started: it failed"),
    ],
)
def test_a_command_without_an_exit_status_cannot_be_measured(
    api: Api, node: Node, frames: tuple[bytes, ...], why: str
) -> None:
    node.talk = saying(*frames)
    with pytest.raises(Unmeasurable, match=why):
        api.exec("p", "c", ["nonesuch"], "todo")


def test_a_command_that_does_not_end_cannot_be_measured(api: Api, node: Node) -> None:
    def talk(pod: Pod) -> None:
        pod.hear()

    node.talk = talk
    with pytest.raises(Unmeasurable, match=r"did not end within 0\.1 s"):
        api.exec("p", "c", ["sleep", "9"], "todo", timeout=0.1)


def test_a_stream_that_breaks_cannot_be_measured(api: Api, node: Node) -> None:
    node.talk = lambda pod: pod.say(b"\x01half")
    with pytest.raises(Unmeasurable, match="broke"):
        api.exec("p", "c", ["true"], "todo")


def test_a_refused_stream_carries_the_servers_words(api: Api, node: Node) -> None:
    node.refuse = "pods is forbidden"
    with pytest.raises(Unmeasurable, match="no stream to `true` in container c: pods is forbidden;"):
        api.exec("p", "c", ["true"], "todo")
    with (
        pytest.raises(Unmeasurable, match="no stream to port 5432 of the pod: pods is forbidden;"),
        api.port_forward("p", 5432, "todo"),
    ):
        pass


def test_a_server_that_says_nothing_is_not_waited_for(
    api: Api, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runbook.clients.kube import streams

    monkeypatch.setattr(streams, "OPEN_TIMEOUT", 0.1)
    monkeypatch.setattr(Pod, "handle", lambda pod: pod.rfile.read())
    with pytest.raises(Unmeasurable, match=r"no answer within 0\.1 s"):
        api.exec("p", "c", ["true"], "todo")


def echo(pod: Pod) -> None:
    """Greet on both channels with the port, then say back what comes until the other side ends."""
    pod.say(b"\x00" + struct.pack("<H", 5432), b"\x01" + struct.pack("<H", 5432))
    while heard := pod.hear():
        pod.say(b"\x00" + heard[1:].upper())


def test_bytes_are_carried_both_ways_by_each_connection(api: Api, node: Node) -> None:
    node.talk = echo
    with api.port_forward("p", 5432, "todo") as port:
        assert node.asked == "/api/v1/namespaces/todo/pods/p/portforward?ports=5432"
        for said in (b"one", b"two"):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(said)
                assert connection.recv(10) == said.upper()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_the_end_of_the_pod_is_the_end_of_the_connection(api: Api, node: Node) -> None:
    def talk(pod: Pod) -> None:
        pod.say(b"\x00" + struct.pack("<H", 5432), b"\x01" + struct.pack("<H", 5432), b"\x00last words")
        pod.hear()
        pod.close()

    node.talk = talk
    with (
        api.port_forward("p", 5432, "todo") as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
    ):
        assert connection.recv(100) == b"last words"
        connection.sendall(b"bye")
        assert connection.recv(100) == b""


def test_a_port_that_nobody_listens_on_ends_the_connection(api: Api, node: Node) -> None:
    def talk(pod: Pod) -> None:
        pod.say(b"\x00" + struct.pack("<H", 9), b"\x01" + struct.pack("<H", 9), b"\x01connection refused")
        pod.hear()

    node.talk = talk
    with (
        api.port_forward("p", 9, "todo") as port,
        socket.create_connection(("127.0.0.1", port), timeout=5) as connection,
    ):
        assert connection.recv(100) == b""
