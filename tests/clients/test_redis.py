"""The protocol of Redis: every kind of reply, refusals among them, and a server that breaks off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from runbook.clients.redis import RedisError, converse
from runbook.engine.errors import Unmeasurable


@contextmanager
def server(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Takes one connection, keeps what it hears, and says its piece."""
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            connection.sendall(answer)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield int(listener.getsockname()[1]), heard


def test_each_kind_of_reply_is_read_in_order() -> None:
    answer = b"+OK\r\n:12\r\n$5\r\nhe\r\nl\r\n$-1\r\n*2\r\n$1\r\na\r\n*1\r\n:1\r\n-NOAUTH no\r\n"
    with server(answer) as (port, heard):
        *found, refusal = converse(port, ["A"], ["B", "c"], *[["X"]] * 4)
    assert found == ["OK", 12, "he\r\nl", None, ["a", [1]]]
    assert isinstance(refusal, RedisError)
    assert str(refusal) == "NOAUTH no"
    assert heard[0].startswith(b"*1\r\n$1\r\nA\r\n*2\r\n$1\r\nB\r\n$1\r\nc\r\n")


@pytest.mark.parametrize("answer", [b"", b"+OK", b"HTTP/1.1 400 Bad Request\r\n"])
def test_what_is_no_reply_is_no_verdict(answer: bytes) -> None:
    with server(answer) as (port, _), pytest.raises(Unmeasurable, match="Redis does not answer"):
        converse(port, ["PING"])
