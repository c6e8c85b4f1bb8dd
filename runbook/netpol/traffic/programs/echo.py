"""Runs in a pod that is sent for a survey, or in the stand-in for the world outside: answers on TCP and UDP ports.

Arguments: seconds after which it ends by itself, then ports such as 7777, 7777/udp or 192.0.2.1:53/udp. With `-` for
the seconds it first waits for a line, since its addresses come later, and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import cast

ANSWER = b"here\n"


class Datagrams(asyncio.DatagramProtocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)  # Python 3.11 has it of no such class

    def datagram_received(self, _: bytes, address: tuple[str, int]) -> None:
        self.transport.sendto(ANSWER, address)


async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(ANSWER)
    writer.close()


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def serve(seconds: str, ports: list[str]) -> None:
    loop = asyncio.get_running_loop()
    if seconds == "-":
        say("waiting")
        sys.stdin.readline()
    for each in ports:
        place, _, protocol = each.partition("/")
        address, _, port = place.rpartition(":")
        if protocol == "udp":
            # Bound to its own address, since an answer must come from where it was asked.
            it = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            it.setblocking(False)
            it.bind((address, int(port)))
            await loop.create_datagram_endpoint(Datagrams, sock=it)
        else:
            await asyncio.start_server(answer, address or "0.0.0.0", int(port))  # noqa: S104
    say("ready")
    if seconds == "-":
        await loop.run_in_executor(None, sys.stdin.read)
    else:
        await asyncio.sleep(float(seconds))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2:]))
