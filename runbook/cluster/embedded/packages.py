"""The Debian packages that the embedded cluster, the stand-in bases and the tests need.

What counts is the program, not the package: a machine that has its `containerd` from elsewhere keeps it. Nothing that
is installed already is upgraded or removed, and no daemon is started on the host: not while packages are installed (a
policy that only apt-get sees, in a mount namespace of its own, so that a run that is killed leaves none), and not at
the next boot (`units` masks what the packages enable).
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runbook.cluster.embedded import units
from runbook.cluster.embedded.execution import follow
from runbook.engine.errors import CommandFailed, RunbookError

Progress = Callable[[str], None]

MARK = "written by the todo runbook"
APT_MINUTES = 2.0
POLICY = Path("/usr/sbin/policy-rc.d")
NO_MAIN_CLUSTER = Path("/etc/postgresql-common/createcluster.d/todo-runbook.conf")
WITHOUT_DAEMONS = Path(__file__).with_name("without-daemons.sh")


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package, the program or file (a glob below /) that makes it unnecessary, and the reason we want it."""

    name: str
    found_by: str
    reason: str

    def present(self, root: Path = Path("/")) -> bool:
        if "/" not in self.found_by:
            return _which(self.found_by) is not None
        return any(root.glob(self.found_by.lstrip("/")))


PACKAGES = (
    Package("containerd", "containerd", "runs the node's containers"),
    Package("runc", "runc", "starts a container for containerd"),
    Package("containernetworking-plugins", "/usr/lib/cni/ptp", "the pod network: ptp, host-local, portmap"),
    Package("docker.io", "dockerd", "the build engine (BuildKit)"),
    Package("iptables", "iptables", "pod network rules, and the engine's"),
    Package("nftables", "nft", "kube-proxy's rules"),
    Package("conntrack", "conntrack", "kube-proxy forgets stale connections with it"),
    Package("ipset", "ipset", "address sets of the network policy engine"),
    Package("iproute2", "ip", "the veth pair between machine and node"),
    Package("procps", "sysctl", "the node's kernel settings"),
    Package("execline", "execlineb", "scripts of the node's supervisor"),
    Package("s6", "s6-svscan", "supervises the node's processes"),
    Package("slirp4netns", "slirp4netns", "a way out for pods, where a real model or database asks for one"),
    Package("mmdebstrap", "mmdebstrap", "makes the stand-in base images"),
    Package(
        "debian-archive-keyring",
        "/usr/share/keyrings/debian-archive-keyring.gpg",
        "verifies what mmdebstrap downloads",
    ),
    Package("chromium", "chromium", "the browser of the live proofs"),
    Package(
        "postgresql", "/usr/lib/postgresql/*/bin/postgres", "PostgreSQL for tests and the stand-in for Neon"
    ),
)


def missing(packages: Sequence[Package] = PACKAGES) -> tuple[Package, ...]:
    """Those whose program is not on this machine."""
    return tuple(package for package in packages if not package.present())


def install(progress: Progress, note: Path, packages: Sequence[Package] = PACKAGES) -> tuple[str, ...]:
    """Install what is missing, by apt-get, and return the names of what was installed.

    `note` is the file in which the masked units are remembered. What an earlier run left half done is mended first.
    Raises `RunbookError` where that is impossible (not root, no apt-get, no such package, a removal would be needed).
    """
    mend(note)
    names = tuple(package.name for package in missing(packages))
    if not names:
        return ()
    by_hand = f"apt-get install {' '.join(names)}"
    apt = _which("apt-get")
    if apt is None:
        raise RunbookError(
            f"{len(names)} programs are missing and this machine has no apt-get",
            wanted="Debian or a relative of it",
            hint=f"install what these packages hold by hand: {' '.join(names)}",
        )
    if os.geteuid() != 0:
        raise RunbookError(
            f"{len(names)} Debian packages are missing and only root may install them",
            wanted=" ".join(names),
            hint=f"sudo {by_hand}",
        )
    wanted = ("install", "--yes", "--no-install-recommends", "--no-upgrade", "--no-remove", *names)
    _apt([apt], ("update",), progress)
    coming = _additions(_apt([apt], ("--simulate", *wanted), progress), by_hand)
    units.announce(note, coming)
    shield = ["sh", str(WITHOUT_DAEMONS), str(POLICY), str(NO_MAIN_CLUSTER), MARK]
    try:
        _apt([*shield, apt], wanted, progress)
    finally:
        mend(note)
    if still := missing(packages):
        raise RunbookError(
            f"apt-get ended well, yet {', '.join(p.found_by for p in still)} is not there", hint=by_hand
        )
    return names


def _which(name: str) -> str | None:
    """On PATH, or where Debian keeps what is root's: a user's PATH lacks those folders."""
    folders = (os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin")
    return shutil.which(name, path=os.pathsep.join(folders))


def mend(note: Path) -> None:
    """Put right what a run left that was killed while it installed packages; cheap where there is nothing.

    A policy of the user's own that was hidden comes back, ours goes, and the units that had come are masked.
    """
    if os.geteuid() != 0:
        return
    for path in (POLICY, NO_MAIN_CLUSTER):
        with suppress(FileNotFoundError):
            _mend(path)
    units.mask(note)


def _mend(path: Path) -> None:
    original = path.with_name(f".{path.name}.todo-runbook")  # where an earlier version put the user's own
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(
            handle, fcntl.LOCK_EX | fcntl.LOCK_NB
        )  # else apt-get is at work for us, and takes it away itself
        if original.exists() or original.is_symlink():
            original.replace(path)
        elif path.is_file() and MARK in path.read_text(errors="replace"):
            path.unlink()
            _remove_empty(path.parent)
    except BlockingIOError:
        return
    finally:
        os.close(handle)


def _remove_empty(folder: Path) -> None:
    """Folders that were made for a file of ours; one that holds anything stays, and so does what a package brings."""
    with suppress(OSError):
        for each in (folder, folder.parent):
            if each.name in ("createcluster.d", "postgresql-common"):
                each.rmdir()


def _additions(simulated: Sequence[str], by_hand: str) -> list[str]:
    """The packages that would come; refuses an upgrade.

    apt-get says `Inst NAME [INSTALLED] (NEW ...)` for an upgrade, and has no bracket for what is not there yet.
    """
    changed = [found[1] for line in simulated if (found := re.match(r"Inst (\S+) \[", line))]
    if changed:
        raise RunbookError(
            f"what is missing wants other versions of packages that are installed: {' '.join(changed)}",
            wanted="to leave what is installed as it is",
            hint=f"{by_hand}, if that is fine with you",
        )
    return [line.split()[1] for line in simulated if line.startswith("Inst ")]


def _apt(apt: Sequence[str], arguments: Sequence[str], progress: Progress) -> list[str]:
    said: list[str] = []

    def on_line(line: str) -> None:
        said.append(line)
        words = line.split()
        if line.startswith("Get:"):
            progress(f"Debian packages: downloading {words[4] if len(words) > 4 else 'lists'}")
        elif line.startswith(("Unpacking ", "Setting up ")):
            progress(f"Debian packages: {line.split(' (')[0].lower()}")

    options = (
        "DPkg::Lock::Timeout=300",
        "Dpkg::Options::=--force-confdef",
        "Dpkg::Options::=--force-confold",
    )
    flags = [flag for option in options for flag in ("-o", option)]
    environment = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "l"}
    try:
        follow([*apt, *flags, *arguments], on_line, deadline=1800, environment=environment)
    except CommandFailed as error:
        raise RunbookError(
            error.observed, wanted="apt-get to end well", hint=f"apt-get {' '.join(arguments)}"
        ) from error
    return said
