"""`inv verify.manifests`: find, judge, report, and exit with what came of it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.errors import UsageError
from runbook.manifests import sources
from runbook.manifests.judgement import judge
from runbook.manifests.rules import RULES
from runbook.manifests.waivers import read
from runbook.report import files as report_files
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.settings import Settings

OUR_WAIVERS = Path("charts/waivers.yaml")
FORMS = {
    f".{end}": f"runbook.manifests.report.{name}"
    for end, name in (("sarif", "sarif"), ("xml", "junit"), ("json", "json"))
}


def verify(
    chosen: Settings,
    path: str = "",
    *,
    waivers: str = "",
    values: Sequence[str] = (),
    json: bool = False,
    files: Sequence[str] = (),
) -> None:
    """Judge the manifests at a path, or without one our own charts. Asks no cluster."""
    if values and not path:
        raise UsageError("--values without --path", wanted="a chart for the values files")
    writers = report_files.writers(files, FORMS)
    file = Path(waivers) if waivers else None if path else chosen.project / OUR_WAIVERS
    allowed = read(file, {rule.id for rule in RULES}) if file else ()
    world = World.of(chosen)
    found = (
        sources.theirs(world, Path(path), [Path(each) for each in values]) if path else sources.ours(world)
    )
    today = datetime.now(UTC).date()
    judgement = judge(found.scenes, RULES, allowed, today=today, passed_over=found.passed_over)
    for write in writers:
        write(judgement)
    writer = Writer(sys.stdout)
    if json:
        from runbook.manifests.report import json as as_json

        writer.line(as_json.text(judgement))
    else:
        from runbook.manifests.report import console

        console.show(judgement, writer)
    sys.exit(judgement.exit_code)
