"""Which faults turn which step red, and what came of each when it was last planted."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runbook import catalogue, faults
from runbook.engine import state_file
from runbook.report.json import dumps
from runbook.report.writer import Writer

if TYPE_CHECKING:
    from runbook.engine.settings import Settings
    from runbook.faults import Mutant
    from runbook.faults.trial import Verdict

FILE = "mutants.json"
NEVER = "never planted here"
KILLED = "killed"


def remember(settings: Settings, group: str, verdicts: Sequence[Verdict]) -> None:
    """Write down what came of these, beside what is known of the others."""
    path = settings.state / FILE
    known = state_file.read_json(path) or {}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    seen = {f"{group}/{each.mutant.name}": {"verdict": each.word, "at": now} for each in verdicts}
    state_file.write_json(path, {**known, **seen})


def show(settings: Settings, only: str = "", *, json: bool = False) -> None:
    """Write a line for each step and fault, and how many were killed of all there are; `only` one group's."""
    names = [only] if only else sorted(faults.GROUPS)
    groups = {name: faults.group(name, settings).mutants for name in names}
    known = state_file.read_json(settings.state / FILE) or {}
    rows = {
        step.id: [
            {"group": name, "fault": mutant.name, **_seen(known, name, mutant)}
            for name, mutants in groups.items()
            for mutant in mutants
            if step.id in mutant.reds
        ]
        for step in catalogue.STEPS
    }
    planted = [(name, each) for name, mutants in groups.items() for each in mutants if each.reds]
    verdicts = [_seen(known, name, each)["verdict"] for name, each in planted]
    killed, never = verdicts.count(KILLED), verdicts.count(NEVER)
    bare = [step for step, found in rows.items() if not found]
    out = Writer(sys.stdout)
    if json:
        out.line(dumps(steps=rows, faults=len(planted), killed=killed, never_planted=never))
        return
    for step in catalogue.STEPS:
        out.line(f"{step.id}  {step.title}")
        for row in rows[step.id]:
            out.line(f"      {row['group']}: {row['fault']}: {row['verdict']}{_at(row['at'])}")
    out.line()
    out.line(f"{len(rows) - len(bare)} of {len(rows)} steps have a fault" + _without(bare, only))
    out.line(
        f"{killed} of {len(planted)} faults killed when last planted on this cluster; {never} never planted here"
    )


def _without(bare: Sequence[str], only: str) -> str:
    return f"; none: {catalogue.ranges(bare)}" if bare and not only else ""


def _seen(known: Any, group: str, mutant: Mutant) -> dict[str, str]:
    seen = known.get(f"{group}/{mutant.name}") if isinstance(known, dict) else None
    if not isinstance(seen, dict):
        return {"verdict": NEVER, "at": ""}
    return {"verdict": str(seen.get("verdict", NEVER)), "at": str(seen.get("at", ""))}


def _at(at: str) -> str:
    return f" ({at})" if at else ""
