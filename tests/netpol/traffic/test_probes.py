"""Plans and answers of probes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from runbook.engine.errors import Unmeasurable
from runbook.netpol.traffic.probes import Seen, Try, question, run
from runbook.netpol.traffic.reach import Way


@dataclass
class Told:
    """A way that says what a test gives it."""

    words: str
    plan: str = ""

    def ask(self, _world: Any, argument: str, *, seconds: float) -> str:
        self.plan = argument
        assert seconds > 0
        return self.words


def asked(words: str, *tries: Try) -> list[Seen]:
    return run(cast("Any", None), cast("Way", Told(words)), tries)


ONE = Try("10.1.0.5", 8000)


def test_each_try_gets_its_outcome_whatever_the_order() -> None:
    assert asked("1 TIMEOUT 1500 -\n0 OPEN 3 68657265\n", ONE, ONE) == [Seen.OPEN, Seen.TIMEOUT]


@pytest.mark.parametrize("words", ["", "1 OPEN 3 -\n", "0 BANANA 3 -\n", "0 CHECKFAILED 3 -\n"])
def test_an_answer_that_is_missing_or_unknown_is_never_read_as_blocked(words: str) -> None:
    assert asked(words, ONE)[0] is Seen.CHECKFAILED


@pytest.mark.parametrize("words", ["bash: not found", "0 OPEN", "x OPEN 3 -"])
def test_words_that_are_no_answer_are_unmeasurable(words: str) -> None:
    with pytest.raises(Unmeasurable):
        asked(words, ONE)


def test_no_try_asks_nobody() -> None:
    assert asked("never read") == []


def _reply(code: int, answers: int, protocol: str = "UDP") -> str:
    message = (
        question("a.svc")[:3] + bytes([0x80 | code]) + b"\x00\x01" + answers.to_bytes(2, "big") + b"\x00" * 4
    )
    return (len(message).to_bytes(2, "big") + message if protocol == "TCP" else message).hex()


@pytest.mark.parametrize("protocol", ["UDP", "TCP"])
@pytest.mark.parametrize(
    ("code", "answers", "seen"), [(0, 1, Seen.OPEN), (3, 0, Seen.DNS), (0, 0, Seen.DNS), (2, 1, Seen.DNS)]
)
def test_a_name_that_is_not_resolved_is_not_open(protocol: str, code: int, answers: int, seen: Seen) -> None:
    name = Try("10.2.0.10", 53, protocol, question("a.svc", protocol), resolves=True)
    assert asked(f"0 OPEN 3 {_reply(code, answers, protocol)}\n", name) == [seen]


def test_the_plan_is_one_line_a_try() -> None:
    way = Told("0 OPEN 1 -\n1 OPEN 1 -\n")
    run(
        cast("Any", None),
        cast("Way", way),
        [Try("10.1.0.5", 9, "UDP"), Try("::1", 8000, payload=b"?", retried=6.0)],
    )
    assert way.plan.splitlines() == ["0 UDP 10.1.0.5 9 00 1.5 0", "1 TCP ::1 8000 3f 1.5 6"]
