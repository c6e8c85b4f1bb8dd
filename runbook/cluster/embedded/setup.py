"""`inv setup` for the embedded cluster: the Debian packages first, then the toolchain."""

from __future__ import annotations

from collections.abc import Callable

from runbook.cluster.embedded import packages
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.settings import Settings

Progress = Callable[[str], None]


def setup(settings: Settings, progress: Progress) -> tuple[str, ...]:
    """Install what is missing; returns the names of what was installed. A second call does nothing."""
    return (*packages.install(progress), *Toolchain(settings).install(progress))


def setup_engine(settings: Settings, progress: Progress) -> None:
    """Only what the build engine wants: images can build while the rest of the toolchain compiles."""
    packages.install(progress)
    Toolchain(settings).install(progress, only=("buildx",))


def setup_plan(settings: Settings) -> tuple[str, ...]:
    """What `setup` would do, one line each, with the time that it usually takes on 2 cores."""
    lines = []
    wanted = packages.missing()
    if wanted:
        names = " ".join(package.name for package in wanted)
        lines.append(f"apt-get install {names} (about {packages.APT_MINUTES:.0f} min)")
    planned = Toolchain(settings).plan()
    for part in planned:
        state = "installed" if part.installed else f"to be made (about {_minutes(part.minutes)})"
        lines.append(f"{part.name} {part.version}: {state}")
    total = sum(part.minutes for part in planned) + (packages.APT_MINUTES if wanted else 0)
    lines.append(f"in all about {_minutes(total)}" if total else "nothing to do")
    return tuple(lines)


def _minutes(minutes: float) -> str:
    return "1 min" if minutes < 1.5 else f"{minutes:.0f} min"
