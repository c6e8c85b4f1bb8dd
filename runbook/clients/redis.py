"""A few words with a Redis server, in its own protocol: what a check asks is a dozen commands, not worth a client."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import closing
from typing import IO

from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import redact

TIMEOUT = 5.0

Reply = str | int | None | list["Reply"]


class RedisError(Exception):
    """The server's own refusal, such as NOAUTH."""


def converse(port: int, *commands: Sequence[str]) -> list[Reply | RedisError]:
    """The reply to each command, in order, over one connection to a forwarded port of 127.0.0.1.

    A refusal is a reply too. Raises `Unmeasurable` where the server does not answer.
    """
    try:
        with closing(socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)) as connection:
            connection.settimeout(TIMEOUT)
            connection.sendall(b"".join(_encoded(command) for command in commands))
            with connection.makefile("rb") as stream:
                return [_reply(stream) for _ in commands]
    except (OSError, ValueError) as problem:
        raise Unmeasurable(
            f"Redis does not answer: {redact(str(problem))}",
            wanted="an answer in the protocol of Redis",
            hint="kubectl --namespace todo logs statefulset/redis",
        ) from None


def _encoded(command: Sequence[str]) -> bytes:
    words = [word.encode() for word in command]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _reply(stream: IO[bytes]) -> Reply | RedisError:
    line = stream.readline()
    if not line.endswith(b"\r\n"):
        raise ValueError("the connection ended")
    kind, rest = line[:1], line[1:-2].decode(errors="replace")
    if kind == b"+":
        return rest
    if kind == b"-":
        return RedisError(rest)
    if kind == b":":
        return int(rest)
    if kind == b"$":
        return None if rest == "-1" else stream.read(int(rest) + 2)[:-2].decode(errors="replace")
    if kind == b"*":
        return None if rest == "-1" else [_element(stream) for _ in range(int(rest))]
    raise ValueError(f"not a reply of Redis: {line[:20]!r}")


def _element(stream: IO[bytes]) -> Reply:
    found = _reply(stream)
    return f"-{found}" if isinstance(found, RedisError) else found
