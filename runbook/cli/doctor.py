"""`inv doctor`: what of this machine is in the way of a deploy, each with its remedy. Nothing is changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from runbook.checks.host.examinations import examine
from runbook.checks.host.facts import this_host
from runbook.report.json import dumps
from runbook.report.words import MARKS, PLAIN_MARKS
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.engine.settings import Settings


def diagnose(settings: Settings, *, as_json: bool = False) -> None:
    """Show each finding and exit: 0 where nothing is in the way, else 1."""
    out = Writer(sys.stdout)
    marks = MARKS if out.is_unicode else PLAIN_MARKS
    found = []
    for name, outcome in examine(World.of(settings), this_host()):
        found.append((name, outcome))
        if not as_json:
            out.line(f"{marks[outcome.status]:<2} {name:<13} {outcome.observed}")
            if not outcome.green:
                if outcome.wanted:
                    out.line(f"   {'wanted':<13} {outcome.wanted}")
                out.line(f"   {'try':<13} {outcome.hint}")
    bad = [name for name, outcome in found if not outcome.green]
    if as_json:
        rows = [
            {
                "name": name,
                "status": outcome.status.value,
                "seen": outcome.observed,
                "wanted": outcome.wanted,
                "try": outcome.hint,
            }
            for name, outcome in found
        ]
        out.line(dumps(findings=rows))
    elif bad:
        out.line(f"\n{len(bad)} of {len(found)} are in the way of a deploy: {', '.join(bad)}")
    else:
        out.line(f"\nNothing is in the way of a deploy ({len(found)} looked at).")
    sys.exit(1 if bad else 0)
