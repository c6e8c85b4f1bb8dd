"""Runs in a pod: tells what listens there, or tries connections, all at once, and tells what came of each.

Only the standard library, since the pod has nothing else. `listeners` prints the kernel's socket tables; any other
argument is a plan, one target a line: id protocol host port payload-in-hex seconds-for-one-try seconds-in-all.
A line of the answer: id outcome milliseconds reply-in-hex. With `-` there is no payload, or no reply.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import sys
import time
from pathlib import Path

TABLES = ("tcp", "tcp6", "udp", "udp6")
REFUSED, TIMEOUT, PROHIBITED = "REFUSED", "TIMEOUT", "PROHIBITED"
ERRORS = {
    errno.ECONNREFUSED: REFUSED,
    errno.ETIMEDOUT: TIMEOUT,
    errno.EHOSTUNREACH: PROHIBITED,
    errno.ENETUNREACH: PROHIBITED,
    errno.EACCES: PROHIBITED,
    errno.EPERM: PROHIBITED,
}
PAUSE = 0.25
ANSWER = 5.0
"""Seconds for the answer of one who has taken the connection: it may be busy, but it is there."""


async def over_tcp(host: str, port: int, payload: bytes, seconds: float) -> tuple[str, bytes]:
    reader, writer = await asyncio.wait_for(asyncio.open_connection(host, port), seconds)
    try:
        if not payload:
            return "OPEN", b""
        writer.write(payload)
        reply = await asyncio.wait_for(reader.read(512), ANSWER)
    except (TimeoutError, OSError):
        return "SILENT", b""
    else:
        return ("OPEN", reply) if reply else ("SILENT", b"")
    finally:
        writer.close()


async def over_udp(host: str, port: int, payload: bytes, seconds: float) -> tuple[str, bytes]:
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as it:
        it.setblocking(False)
        it.connect((host, port))
        for _ in range(2):  # a datagram may be lost
            it.send(payload)
            try:
                return "OPEN", await asyncio.wait_for(loop.sock_recv(it, 512), seconds / 2)
            except TimeoutError:
                continue
    return TIMEOUT, b""


async def one_try(protocol: str, host: str, port: int, payload: bytes, seconds: float) -> tuple[str, bytes]:
    way = over_udp if protocol == "UDP" else over_tcp
    try:
        return await way(host, port, payload, seconds)
    except TimeoutError:
        return TIMEOUT, b""
    except socket.gaierror:
        return "DNS", b""
    except OSError as problem:
        return ERRORS.get(problem.errno or 0, "CHECKFAILED"), b""


async def target(line: str) -> str:
    number, protocol, host, port, payload, seconds, in_all = line.split()
    words = b"" if payload == "-" else bytes.fromhex(payload)
    began = time.monotonic()
    while True:
        outcome, reply = await one_try(protocol, host, int(port), words, float(seconds))
        took = time.monotonic() - began
        if outcome == "OPEN" or took + PAUSE >= float(in_all):
            return f"{number} {outcome} {took * 1000:.0f} {reply.hex() or '-'}"
        await asyncio.sleep(PAUSE)


async def everything(plan: str) -> None:
    for answer in await asyncio.gather(*(target(line) for line in plan.splitlines() if line)):
        sys.stdout.write(answer + "\n")


def listeners() -> None:
    for table in TABLES:
        file = Path("/proc/net") / table
        if file.exists():
            sys.stdout.write(f"== {table}\n{file.read_text()}")


if __name__ == "__main__":
    if sys.argv[1] == "listeners":
        listeners()
    else:
        asyncio.run(everything(sys.argv[1]))
