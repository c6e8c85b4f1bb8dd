"""Connections that are tried from one pod: the plan that its probe gets, and what the answers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable
from runbook.netpol.policies import TCP, UDP

if TYPE_CHECKING:
    from runbook.netpol.traffic.reach import Way
    from runbook.world import World

PATIENCE = 1.5
"""Seconds for one try: the kernel asks once more after the first second."""

RETRIED = 6.0
"""Seconds within which a way that must be open has to open: rules may lag behind a new pod."""

SLACK = 30.0
"""Seconds beyond the tries that a probe may take to start and end, on a machine that has other things to do."""


class Seen(StrEnum):
    """What came of a connection."""

    OPEN = "OPEN"
    SILENT = "SILENT"
    """Connected, and no answer came."""
    REFUSED = "REFUSED"
    """Reached the other end, where nothing listens."""
    TIMEOUT = "TIMEOUT"
    PROHIBITED = "PROHIBITED"
    """Something on the way said so."""
    DNS = "DNS"
    """Answered, but the name was not resolved."""
    CHECKFAILED = "CHECKFAILED"
    """The probe itself did not work: nothing is known."""


BLOCKED = frozenset({Seen.TIMEOUT, Seen.PROHIBITED})


@dataclass(frozen=True, slots=True)
class Try:
    """One connection to try. `payload` is sent; then only an answer counts as OPEN."""

    host: str
    port: int
    protocol: str = TCP
    payload: bytes = b""
    retried: float = 0.0
    """Seconds within which it is tried again until it opens."""
    resolves: bool = False
    """The payload asks for a name: the answer must hold an address."""

    def line(self, number: int) -> str:
        payload = self.payload.hex() or ("00" if self.protocol == UDP else "-")
        return f"{number} {self.protocol} {self.host} {self.port} {payload} {PATIENCE:g} {self.retried:g}"


def run(world: World, way: Way, tries: Sequence[Try]) -> list[Seen]:
    """What came of each try, all tried at once. Raises `Unmeasurable` where the probe did not run."""
    if not tries:
        return []
    plan = "\n".join(each.line(number) for number, each in enumerate(tries))
    longest = max(each.retried for each in tries)
    answers = _read(way.ask(world, plan, seconds=longest + PATIENCE * 2 + SLACK))
    return [_judged(each, answers.get(number)) for number, each in enumerate(tries)]


def _read(text: str) -> Mapping[int, tuple[str, bytes]]:
    found = {}
    for line in text.splitlines():
        try:
            number, outcome, _, reply = line.split()
            found[int(number)] = (outcome, b"" if reply == "-" else bytes.fromhex(reply))
        except ValueError:
            raise Unmeasurable(f"the probe said {line[:100]!r}", wanted="an outcome for each try") from None
    return found


def _judged(asked: Try, answer: tuple[str, bytes] | None) -> Seen:
    if answer is None or answer[0] not in Seen.__members__:
        return Seen.CHECKFAILED
    seen = Seen(answer[0])
    if seen is Seen.OPEN and asked.resolves and not _resolved(answer[1], asked.protocol):
        return Seen.DNS
    return seen


def question(name: str, protocol: str = UDP) -> bytes:
    """A DNS question for the address of a name."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    message = b"\x54\x6f\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + labels + b"\x00\x00\x01\x00\x01"
    return len(message).to_bytes(2, "big") + message if protocol == TCP else message


def _resolved(reply: bytes, protocol: str) -> bool:
    """No error, and at least one answer."""
    message = reply[2:] if protocol == TCP else reply
    return len(message) >= 12 and message[3] & 0x0F == 0 and int.from_bytes(message[6:8], "big") > 0
