"""`inv logs`: what the containers of the application wrote, and write."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING

from runbook.app import log_streams
from runbook.engine.errors import UsageError
from runbook.report.log_lines import LogPrinter
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.engine.settings import Settings

TAIL = 100
"""Lines of each container that are shown first."""


def show(settings: Settings, component: str = "", *, follow: bool = False, tail: str = "") -> None:
    """The last `tail` lines of each container and, with `follow`, what is written from then on, until Ctrl-C."""
    if tail and not tail.isdigit():
        raise UsageError(f"--tail {tail}", wanted="a number of lines", hint="inv logs --tail 20")
    world, count = World.of(settings), int(tail) if tail else TAIL
    places = log_streams.sources(world, component)
    printer = LogPrinter(Writer(sys.stdout))
    if not follow:
        for line in log_streams.written(world, places, count):
            printer.show(line.pod, line.container, line.time, line.text)
        return
    world.api.version()  # a cluster that does not answer is said at once, not waited for
    with closing(log_streams.followed(world, places, count)) as lines:  # type: ignore[type-var]
        for line in lines:
            printer.show(line.pod, line.container, line.time, line.text)
            if printer.writer.gone:
                return
