"""What a machine looks like from outside, taken before and after a run: cleanup leaves it as it was."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
OURS = (
    "s6-",
    "kube",
    "etcd",
    "containerd",
    "dockerd",
    "runc",
    "coredns",
    "traefik",
    "storage-",
    "slirp4netns",
    "chrom",
)
"""How the names of the programs begin that a run starts; others come and go on a machine as they like."""


@dataclass(frozen=True)
class Machine:
    """Sets of lines, so that a difference names what was left or lost."""

    processes: frozenset[str]
    mounts: frozenset[str]
    interfaces: frozenset[str]
    routes: frozenset[str]
    netfilter: frozenset[str]
    cgroups: frozenset[str]
    files: frozenset[str]

    @classmethod
    def now(cls, *, folders: tuple[Path, ...]) -> Machine:
        """`folders`: whose file names are compared; the contents of /etc/hosts are compared always."""
        hosts = hashlib.sha256(Path("/etc/hosts").read_bytes()).hexdigest()
        return cls(
            processes=frozenset(_processes()),
            mounts=frozenset(line.split(" - ")[0].split()[4] for line in _lines("/proc/self/mountinfo")),
            interfaces=frozenset(link["ifname"] for link in json.loads(_output("ip", "-j", "link"))),
            routes=frozenset(_output("ip", "route", "show", "table", "all").splitlines()),
            netfilter=frozenset(_netfilter()),
            cgroups=frozenset(_cgroups()),
            files=frozenset(
                [f"/etc/hosts {hosts}", *(path for folder in folders for path in _files(folder))]
            ),
        )

    def difference(self, before: Machine) -> dict[str, dict[str, list[str]]]:
        """Per kind, what is there now and was not before, and the reverse; empty when nothing changed."""
        found = {}
        for kind in self.__dataclass_fields__:
            now, then = getattr(self, kind), getattr(before, kind)
            if now != then:
                found[kind] = {"left": sorted(now - then), "lost": sorted(then - now)}
        return found


def _files(folder: Path) -> list[str]:
    """All paths below; what a running node removes during the walk is left out."""
    return [str(Path(root, name)) for root, inner, names in os.walk(folder) for name in (*inner, *names)]


def _processes() -> list[str]:
    """Command lines of the programs of our kinds; a kernel thread has none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().rstrip(b"\0").decode(errors="replace").split("\0")
        except OSError:
            continue
        if Path(words[0]).name.startswith(OURS):
            found.append(" ".join(words))
    return found


def _netfilter() -> list[str]:
    """Rules without their counters."""
    listed = json.loads(_output("nft", "-j", "list", "ruleset"))["nftables"]
    return [json.dumps(_without_counters(item), sort_keys=True) for item in listed if "metainfo" not in item]


def _without_counters(value: object) -> object:
    if isinstance(value, dict):
        return {
            key: _without_counters(item) for key, item in value.items() if key not in ("counter", "handle")
        }
    if isinstance(value, list):
        return [_without_counters(item) for item in value]
    return value


def _cgroups() -> list[str]:
    return [str(path) for path in CGROUPS.glob("*/*") if path.is_dir()]


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=30).stdout
