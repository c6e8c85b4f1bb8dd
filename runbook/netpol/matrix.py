"""The three-way comparison: the table by hand, what the policies compute, what connections showed. No I/O here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runbook.engine.step import Status
from runbook.netpol import truth
from runbook.netpol.policies import Verdict
from runbook.netpol.traffic.probes import BLOCKED, Seen
from runbook.netpol.traffic.scene import Place
from runbook.netpol.traffic.targets import Target
from runbook.netpol.truth import Mark

UNSHOWN = "but nothing showed that it was listening"
WORST_FIRST = (Status.FAILED, Status.UNPROVEN, Status.PASSED)


@dataclass(frozen=True, slots=True)
class Way:
    """One source, one target, and all that is known of the connection between them."""

    source: Place
    target: Target
    mark: Mark
    verdict: Verdict
    seen: tuple[Seen, ...]
    """At the start and at the end of the survey."""
    status: Status
    reason: str = ""

    @property
    def cell(self) -> tuple[str, str]:
        return (self.source.label, self.target.column)

    def __str__(self) -> str:
        return f"{self.source.label} to {self.target}: {self.reason}"


def mark_of(
    marks: Mapping[tuple[str, str, int], Mark], source: Place, target: Target, verdict: Verdict
) -> Mark:
    """What the table by hand wants; what no policy can forbid is only reported."""
    mark = truth.wanted(
        marks,
        source.role,
        target.role,
        target.listed,
        protocol=target.protocol,
        loopback=target.loopback,
    )
    return Mark.REPORTED if verdict.own_node and mark is Mark.CLOSED else mark


def judge(
    mark: Mark,
    verdict: Verdict,
    seen: Sequence[Seen],
    *,
    listening: bool,
    trouble: str = "",
    service: bool = False,
) -> tuple[Status, str]:
    """Whether table, policies and connections agree, and if not, what is the matter.

    `listening`: something was seen to reach that very port in the same survey; `trouble`: why nothing could be tried;
    `service`: a Service was dialled, which refuses by itself while it has no ready endpoint.
    """
    if mark in (Mark.REPORTED, Mark.UNJUDGED):
        return Status.PASSED, ""
    if mark is Mark.OPEN and not verdict.allowed:
        return Status.FAILED, f"must be open, but the policies forbid it ({verdict})"
    if mark is not Mark.OPEN and verdict.allowed:
        return Status.FAILED, f"must be closed, but the policies allow it ({verdict})"
    if not seen or Seen.CHECKFAILED in seen:
        return Status.UNPROVEN, trouble or "the probe did not work"
    words = " then ".join(dict.fromkeys(each.value for each in seen))
    if mark is Mark.OPEN:
        good = all(each is Seen.OPEN for each in seen)
        return (Status.PASSED, "") if good else (Status.FAILED, f"must be open, and was {words}")
    if service and Seen.REFUSED in seen and not {Seen.OPEN, Seen.SILENT} & set(seen):
        return Status.UNPROVEN, f"{words}, as a Service without a ready endpoint does"
    refusable = mark is Mark.LOOPBACK
    if any(each not in BLOCKED and not (refusable and each is Seen.REFUSED) for each in seen):
        return Status.FAILED, f"must be closed, and was {words}"
    if not listening and not refusable:
        return Status.UNPROVEN, f"{words}, {UNSHOWN}"
    return Status.PASSED, ""


def listening(ways: Iterable[tuple[Target, Sequence[Seen]]]) -> frozenset[tuple[str, int, str]]:
    """The ports that were reached by someone in every round: by an allowed source, or by the pod itself."""
    found = set()
    for target, seen in ways:
        proof = (Seen.REFUSED,) if target.vacant else (Seen.OPEN, Seen.SILENT)
        if seen and all(each in proof for each in seen):
            found.add(target.control)
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Matrix:
    """All ways of a survey."""

    mode: truth.Mode
    ways: tuple[Way, ...]
    seconds: float
    missing: str = ""
    """Why the world outside could not be stood in for; empty where it was."""

    @property
    def failed(self) -> tuple[Way, ...]:
        return tuple(way for way in self.ways if way.status is Status.FAILED)

    @property
    def unproven(self) -> tuple[Way, ...]:
        """Those first that could not be tried: they may be why nothing shows that another one listens."""
        found = [way for way in self.ways if way.status is Status.UNPROVEN]
        return tuple(sorted(found, key=lambda way: way.reason.endswith(UNSHOWN)))

    def cells(self) -> dict[tuple[str, str], list[Way]]:
        """The ways of each cell that is shown: source and column."""
        found: dict[tuple[str, str], list[Way]] = {}
        for way in self.ways:
            if way.mark is not Mark.UNJUDGED:
                found.setdefault(way.cell, []).append(way)
        return found

    def evidence(self) -> dict[str, Any]:
        """As reports show it: rows, columns, and for each cell a mark, a status and, where not green, the reasons."""
        cells = self.cells()
        rows = list(dict.fromkeys(way.source.label for way in self.ways))
        columns = _ordered(dict.fromkeys(column for _, column in cells))
        return {
            "mode": self.mode.value,
            "ways": len([way for way in self.ways if way.mark is not Mark.UNJUDGED]),
            "seconds": round(self.seconds, 1),
            "rows": rows,
            "columns": columns,
            "cells": {f"{row} {column}": _cell(ways) for (row, column), ways in cells.items()},
            "outside": self.missing or "stood in for",
        }


def _cell(ways: Sequence[Way]) -> dict[str, Any]:
    """One cell: the worst of its ways."""
    worst = min(ways, key=lambda way: WORST_FIRST.index(way.status))
    cell: dict[str, Any] = {
        "hand": worst.mark.value,
        "computed": "allowed" if worst.verdict.allowed else "denied",
        "seen": [each.value for each in worst.seen],
        "status": worst.status.value,
        "ways": len(ways),
    }
    if reasons := [str(way) for way in ways if way.status is not Status.PASSED]:
        cell["reasons"] = reasons
    return cell


def _ordered(columns: Iterable[str]) -> list[str]:
    """Ours first, then what lies around them, as the table by hand has it; leftovers before the closing ones."""
    order = list(
        dict.fromkeys(f"{role}:{port}" for mode in truth.Mode for _, role, port in truth.table(mode))
    )
    last = ["pods/udp", "loopback"]

    def rank(column: str) -> tuple[int, int]:
        if column in last:
            return (2, last.index(column))
        return (0, order.index(column)) if column in order else (1, 0)

    return sorted(columns, key=rank)
