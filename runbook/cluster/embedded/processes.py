"""Process 1 of a sandbox, known by what nobody else can bring about, and all that runs beside it.

A label can be worn by anyone: an environment variable, a name, a number in a file. So a process counts only if the
kernel says that it is a member of the sandbox's own control groups (which only root can join), runs as our user in our
user namespace and is number 1 one PID namespace down, and if the note of its launch agrees: a random token that it
carries in its environment, and, once noted, the boot, the number and the start time. Only we can read that note.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from runbook.cluster.embedded import files

TOKEN = "TODO_SANDBOX_TOKEN"  # noqa: S105  the name of a variable
"""The variable that process 1 carries its token in."""

PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"


@dataclass(frozen=True, slots=True)
class Launch:
    """The note of a launch. `id` names the sandbox for good and is no secret; the token is new with each launch."""

    id: str
    token: str
    boot: str = ""
    pid: int = 0
    """As the machine numbers it; 0 until it was seen."""
    ticks: int = 0
    """When it was started: clock ticks since the boot."""

    @classmethod
    def prepare(cls, file: Path) -> Launch:
        """Note a launch before it happens, so that a run that is killed in the middle leaves no unknown process."""
        before = cls.read(file)
        made = cls(before.id if before else secrets.token_hex(8), secrets.token_hex(32))
        made.write(file)
        return made

    @classmethod
    def read(cls, file: Path) -> Launch | None:
        """The note; None where there is none, or none that can be read: then nobody is known by it."""
        with suppress(OSError, ValueError, TypeError):
            note = cls(**json.loads(file.read_text()))
            if len(note.token) >= 32 and note.id:
                return note
        return None

    def write(self, file: Path) -> None:
        files.write_private(file, json.dumps(asdict(self)) + "\n")

    def seen(self, pid: int) -> Launch:
        """The note with what the kernel says about this process."""
        return replace(self, boot=BOOT.read_text().strip(), pid=pid, ticks=_ticks(pid))

    def fits(self, pid: int) -> bool:
        """Whether this process is the one that was launched."""
        try:
            environment = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
            noted = not self.pid or self == self.seen(pid)
        except OSError:
            return False
        return noted and f"{TOKEN}={self.token}".encode() in environment


def firsts(groups: Iterable[Path]) -> list[int]:
    """Each process that is number 1 of its PID namespace, ours by user and user namespace, and in all these groups.

    Containers of a node are further down, in groups and in PID namespaces, and are not among them.
    """
    groups = list(groups)
    members = [_members(group) | _members(group / "supervisor") for group in groups if _is_ours(group)]
    if not groups or len(members) != len(groups):
        return []
    return sorted(pid for pid in set.intersection(*members) if _is_first(pid))


def members(groups: Iterable[Path]) -> list[int]:
    """All processes of these groups and of the groups in them, by the machine's numbers."""
    found: set[int] = set()
    for group in groups:
        for folder in (group, *(path for path in group.rglob("*") if path.is_dir())):
            found |= _members(folder)
    return sorted(found)


def began(pid: int) -> float:
    """When the process was started, in seconds since the epoch, to about a second."""
    boot = next(
        line.split()[1] for line in (PROC / "stat").read_text().splitlines() if line.startswith("btime")
    )
    return int(boot) + _ticks(pid) / os.sysconf("SC_CLK_TCK")


def command(pid: int) -> str:
    """Its command line, or that it has ended."""
    with suppress(OSError):
        words = (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return words.strip()
    return "ended"


def _ticks(pid: int) -> int:
    # The name, which comes before, may hold anything.
    return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19])


def _members(group: Path) -> set[int]:
    with suppress(OSError):  # a group that is being removed, or one of threads
        return {int(line) for line in (group / "cgroup.procs").read_text().split() if line != "0"}
    return set()


def _is_ours(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_uid == os.geteuid()
    return False


def _is_first(pid: int) -> bool:
    """Number 1 one level down, with all its user ids ours, in our own user namespace."""
    folder = PROC / str(pid)
    try:
        fields = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines())
        same_users = os.path.samestat((folder / "ns/user").stat(), (PROC / "self/ns/user").stat())
    except (OSError, ValueError):
        return False
    ours = fields.get("Uid", "").split() == [str(os.geteuid())] * 4
    return ours and same_users and fields.get("NSpid", "").split()[1:] == ["1"]
