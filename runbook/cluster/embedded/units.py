"""The units that our packages bring and enable: masked, so that no boot starts them, noted, and put back in the end.

A package that is upgraded enables its units again, and a mask outlives that. Units that were there before are left.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runbook.cluster.embedded import files

SYSTEM = Path("/etc/systemd/system")
RUNNING = Path("/run/systemd/system")
MASK = "/dev/null"


@dataclass(frozen=True, slots=True)
class Note:
    """`coming`: packages that are being installed; `before`: units that were enabled before that; `masked`: by us."""

    coming: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()

    @classmethod
    def read(cls, file: Path) -> Note:
        with suppress(OSError, ValueError, TypeError):
            return cls(**{key: tuple(map(str, value)) for key, value in json.loads(file.read_text()).items()})
        return cls()

    def write(self, file: Path) -> None:
        if self == Note():
            file.unlink(missing_ok=True)
        else:
            files.write_private(file, json.dumps(asdict(self)) + "\n")


def announce(note: Path, packages: Sequence[str]) -> None:
    """Remember what is about to be installed: the run after one that was killed masks its units."""
    known = Note.read(note)
    replace(known, coming=tuple(packages), before=tuple(sorted(_enabled()))).write(note)


def mask(note: Path) -> tuple[str, ...]:
    """Mask what the announced packages have enabled; returns the units."""
    known = Note.read(note)
    if not known.coming:
        return ()
    enabled = _enabled() - set(known.before)
    found = sorted(unit for unit in enabled & _units(known.coming) if not _claimed(SYSTEM / unit))
    Note(masked=tuple(sorted({*known.masked, *found}))).write(
        note
    )  # before it is done: what is noted can be undone
    for unit in found:
        (SYSTEM / unit).symlink_to(MASK)
    _reload(found)
    return tuple(found)


def unmask(note: Path) -> tuple[str, ...]:
    """Take our masks away; returns the units, which are as their packages have them again."""
    masked = [unit for unit in Note.read(note).masked if _is_masked(SYSTEM / unit)]
    for unit in masked:
        (SYSTEM / unit).unlink()
    note.unlink(missing_ok=True)
    _reload(masked)
    return tuple(masked)


def _enabled() -> set[str]:
    """The names of the units that a target wants or requires."""
    return {link.name for kind in ("wants", "requires") for link in SYSTEM.glob(f"*.{kind}/*")}


def _units(packages: Iterable[str]) -> set[str]:
    """The unit files of these packages, as far as they are installed."""
    try:
        listed = subprocess.run(
            ["dpkg-query", "--listfiles", *packages], capture_output=True, text=True, timeout=60, check=False
        ).stdout
    except FileNotFoundError:
        return set()
    return {Path(line).name for line in listed.splitlines() if "/systemd/system/" in line}


def _claimed(path: Path) -> bool:
    """Whether the machine's owner says something about this unit already."""
    return path.exists() or path.is_symlink()


def _is_masked(path: Path) -> bool:
    return path.is_symlink() and str(path.readlink()) == MASK


def _reload(changed: Sequence[str]) -> None:
    if changed and RUNNING.is_dir():
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(["systemctl", "daemon-reload"], capture_output=True, timeout=60, check=False)
