"""`inv setup` for the embedded cluster: the Debian packages first, then the toolchain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from runbook.cluster.embedded import packages, units
from runbook.cluster.embedded.toolchain import Toolchain
from runbook.engine.settings import Settings

Progress = Callable[[str], None]


def setup(settings: Settings, progress: Progress) -> tuple[str, ...]:
    """Install what is missing; returns the names of what was installed. A second call does nothing."""
    return (*packages.install(progress, _note(settings)), *Toolchain(settings).install(progress))


def setup_engine(settings: Settings, progress: Progress) -> None:
    """Only what the build engine wants: images can build while the rest of the toolchain compiles."""
    packages.install(progress, _note(settings))
    Toolchain(settings).install(progress, only=("buildx",))


def mend(settings: Settings) -> None:
    """Put right what a run left on the machine that was killed while it installed packages."""
    packages.mend(_note(settings))


def put_back(settings: Settings) -> str:
    """Undo what `setup` changed beside installing: units are unmasked, a policy is mended; in words, or empty."""
    mend(settings)
    if not (found := units.unmask(_note(settings))):
        return ""
    return f"{', '.join(found)} unmasked: the packages stay, and the next boot starts them (apt-get purge, if unwanted)"


def _note(settings: Settings) -> Path:
    """What belongs to the machine is noted beside the clusters' state folders."""
    return settings.state.parent / "packages.json"


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
