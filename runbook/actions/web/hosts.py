"""The hosts entry of the application: one marked line, added only where the name is not known rightly, and removable.

The file keeps its mode, owner and every other byte. Where it cannot be replaced (a bind mount, as in a container), it
is rewritten in place.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.clients.process.resolver import addresses
from runbook.engine.errors import RunbookError
from runbook.ownership import installation
from runbook.ownership.ledger import Ledger

if TYPE_CHECKING:
    from runbook.engine.settings import Settings
    from runbook.world import World

HOSTS = Path("/etc/hosts")
KIND = "hosts entry"
MARK = "# todo-runbook"

_CANNOT_REPLACE = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})


def mark(settings: Settings) -> str:
    """How our line ends: with the cluster's name for people, and the id of this installation, which counts."""
    return f"{MARK} {settings.cluster_name} {installation.identity(settings)}"


def enter(world: World, path: Path = HOSTS) -> None:
    """Make this machine find the host at the ingress address. Raises `RunbookError` where a foreign line differs."""
    settings = world.settings
    host, address = settings.host, world.cluster.ingress_address()
    if addresses(host)[:1] == [address]:
        return
    ours = _ours(settings)
    ledger = Ledger(settings)
    known = ledger.holds(KIND, host)
    ledger.add(KIND, host)
    text = _read(path)
    _write(path, _with(_without(text, ours), f"{address} {host} {mark(settings)}"))
    if addresses(host)[:1] != [address]:
        _write(path, text)  # a line that does not help is not left behind
        if not known:
            ledger.strike(KIND, host)
        raise RunbookError(
            f"{path} has a line for {host} that is not ours: {_foreign(text, host, ours)}",
            wanted=f"{address} {host}",
            hint=f"remove that line from {path}, or choose another name: TODO_HOST=todo.localhost inv deploy",
        )


def present(settings: Settings, path: Path = HOSTS) -> bool:
    """Whether our line is there."""
    return any(map(_ours(settings), _read(path).splitlines()))


def remove(settings: Settings, path: Path = HOSTS) -> None:
    """Take our line out; nothing else changes, and nothing happens where there is none."""
    text = _read(path)
    without = _without(text, _ours(settings))
    if without != text:
        _write(path, without)
    Ledger(settings).strike(KIND, settings.host)


def _ours(settings: Settings) -> Callable[[str], bool]:
    """Tells our lines: by the id; one of an older version, which carries none, where the ledger has its host."""
    known = installation.known(settings)
    older = f"{MARK} {settings.cluster_name}"
    hosts = {each.name for each in Ledger(settings).entries() if each.kind == KIND}

    def is_ours(line: str) -> bool:
        text, mark, end = line.rstrip().partition(MARK)
        if not mark:
            return False
        if mark + end == older:
            return bool(hosts.intersection(text.split()[1:]))
        return bool(known) and end.split()[-1:] == [known]

    return is_ours


def _with(text: str, line: str) -> str:
    """The line at the end; a file without a last newline stays without one, so that it can be restored exactly."""
    if not text or text.endswith("\n"):
        return f"{text}{line}\n"
    return f"{text}\n{line}"


def _without(text: str, is_ours: Callable[[str], bool]) -> str:
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if not is_ours(line)]
    if len(kept) < len(lines) and kept and not lines[-1].endswith("\n"):
        kept[-1] = kept[-1].removesuffix("\n")
    return "".join(kept)


def _foreign(text: str, host: str, is_ours: Callable[[str], bool]) -> str:
    for line in text.splitlines():
        if host in line.partition("#")[0].split()[1:] and not is_ours(line):
            return line.strip()
    return "another resolver answers for it"


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError as problem:
        raise RunbookError(f"{path} cannot be read: {problem.strerror}", wanted="a hosts file") from None


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole, or where that cannot be, its content."""
    content = text.encode(errors="surrogateescape")
    try:
        _replace(path, content)
    except OSError as problem:
        if problem.errno not in _CANNOT_REPLACE:
            raise
        _rewrite(path, content)


def _replace(path: Path, content: bytes) -> None:
    real = path.resolve()
    stat = real.stat()
    draft = real.with_name(f".{real.name}.todo-runbook.{os.getpid()}")
    try:
        with draft.open("wb") as file:
            os.fchmod(file.fileno(), stat.st_mode & 0o7777)
            os.fchown(file.fileno(), stat.st_uid, stat.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(real)
    finally:
        draft.unlink(missing_ok=True)


def _rewrite(path: Path, content: bytes) -> None:
    try:
        with path.open("r+b") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    except OSError as problem:
        last = content.decode(errors="replace").rstrip("\n").rpartition("\n")[2]
        raise RunbookError(
            f"{path} cannot be written: {problem.strerror}",
            wanted=f"the line: {last}",
            hint=f"echo '{last}' | sudo tee -a {path}",
        ) from None
