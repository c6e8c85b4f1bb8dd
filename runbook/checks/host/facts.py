"""What is to be known of this machine, as values and questions that tests can answer otherwise."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import stat
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from runbook.clients.process.environment import PROXIES, given
from runbook.clients.process.resolver import addresses
from runbook.cluster import capacity

MIB = 1024 * 1024
CONNECT_SECONDS = 2.0
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class Host:
    """`memory` counts MiB, `now` seconds since 1970; `tunable` reads a file of /proc, empty where there is none."""

    system: str
    machine: str
    python: tuple[int, int]
    root: bool
    cpus: int
    memory: int
    now: float
    encoding: str
    environ: Callable[[str], str]
    free: Callable[[Path], int]
    """MiB on the disk of a folder, which need not be there."""
    unwritable: Callable[[Path], str]
    """Why a folder takes no file; empty where it does."""
    resolve: Callable[[str], list[str]]
    connects: Callable[[str, int], bool]
    readable_by_others: Callable[[Path], bool]
    tunable: Callable[[str], str]


def this_host() -> Host:
    whole = capacity.of_this_machine()
    return Host(
        system=platform.system(),
        machine=platform.machine(),
        python=sys.version_info[:2],
        root=os.geteuid() == 0,
        cpus=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else whole.cpus,
        memory=min([whole.memory, *_limits()]),
        now=time.time(),
        encoding=(sys.stdout.encoding if sys.stdout else "") or "",
        environ=given,
        free=lambda path: shutil.disk_usage(_nearest(path)).free // MIB,
        unwritable=_unwritable,
        resolve=addresses,
        connects=_connects,
        readable_by_others=lambda path: bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)),
        tunable=_tunable,
    )


def proxies(host: Host) -> Mapping[str, str]:
    """The proxies of the environment by name; a value in small letters counts where the other is not set."""
    found = {name: host.environ(name) or host.environ(name.lower()) for name in PROXIES}
    return {name: value for name, value in found.items() if value}


def address_of(proxy: str) -> tuple[str, int]:
    """Host and port of a proxy. Raises ValueError for what is no address."""
    parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or {"https": 443, "socks5": 1080, "socks5h": 1080}.get(parts.scheme, 80)


def _limits() -> list[int]:
    """The memory that a container or a slice may use, where it is bounded."""
    found = []
    for file in _LIMITS:
        text = _tunable(file)
        if text.isdigit() and int(text) < 1 << 60:
            found.append(int(text) // MIB)
    return found


def _nearest(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _unwritable(path: Path) -> str:
    """A file is put there and taken away again; folders are not made."""
    nearest = _nearest(path)
    probe = nearest / f".todo-runbook-doctor-{os.getpid()}"
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as problem:
        return f"{nearest}: {problem.strerror}"
    return ""


def _connects(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=CONNECT_SECONDS):
            return True
    except OSError:
        return False


def _tunable(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
