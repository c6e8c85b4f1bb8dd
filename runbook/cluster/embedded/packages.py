"""The Debian packages that the embedded cluster, the stand-in bases and the tests need.

What counts is the program, not the package: a machine that has its `containerd` from elsewhere keeps it. Nothing that
is installed already is upgraded or removed, and no daemon is started on the host.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from runbook.cluster.embedded.execution import follow
from runbook.errors import CommandFailed, RunbookError

Progress = Callable[[str], None]

MARK = "written by the todo runbook"
APT_MINUTES = 2.0
POLICY = Path("/usr/sbin/policy-rc.d")
NO_DAEMONS = (
    f"#!/bin/sh\n# {MARK} while it installs packages: no daemon is to be started on this machine\nexit 101\n"
)
NO_MAIN_CLUSTER = Path("/etc/postgresql-common/createcluster.d/todo-runbook.conf")


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


def install(progress: Progress, packages: Sequence[Package] = PACKAGES) -> tuple[str, ...]:
    """Install what is missing, by apt-get, and return the names of what was installed.

    Raises `RunbookError` where that is impossible (not root, no apt-get, no such package, a removal would be needed).
    """
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
    with daemons_stay_off(POLICY, NO_MAIN_CLUSTER):
        _apt(apt, ("update",), progress)
        _refuse_changes(_apt(apt, ("--simulate", *wanted), progress), by_hand)
        _apt(apt, wanted, progress)
    if still := missing(packages):
        raise RunbookError(
            f"apt-get ended well, yet {', '.join(p.found_by for p in still)} is not there", hint=by_hand
        )
    return names


def _which(name: str) -> str | None:
    """On PATH, or where Debian keeps what is root's: a user's PATH lacks those folders."""
    folders = (os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin")
    return shutil.which(name, path=os.pathsep.join(folders))


def _refuse_changes(simulated: Sequence[str], by_hand: str) -> None:
    """apt-get says `Inst NAME [INSTALLED] (NEW ...)` for an upgrade, and has no bracket for what is not there yet."""
    changed = [found[1] for line in simulated if (found := re.match(r"Inst (\S+) \[", line))]
    if changed:
        raise RunbookError(
            f"what is missing wants other versions of packages that are installed: {' '.join(changed)}",
            wanted="to leave what is installed as it is",
            hint=f"{by_hand}, if that is fine with you",
        )


def _apt(apt: str, arguments: Sequence[str], progress: Progress) -> list[str]:
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
        follow([apt, *flags, *arguments], on_line, deadline=1800, environment=environment)
    except CommandFailed as error:
        raise RunbookError(
            error.observed, wanted="apt-get to end well", hint=f"apt-get {' '.join(arguments)}"
        ) from error
    return said


@contextmanager
def daemons_stay_off(policy: Path, main_cluster: Path) -> Iterator[None]:
    """While this holds, packages start no service and PostgreSQL gets no `main` cluster; all is put back after.

    A machine that has a policy of its own gets it back, also when the run before this one was killed.
    """
    with ExitStack() as stack:
        stack.enter_context(_alone(policy.parent))
        stack.enter_context(_instead_of(policy, NO_DAEMONS, 0o755))
        stack.enter_context(_instead_of(main_cluster, f"# {MARK}\ncreate_main_cluster = false\n", 0o644))
        yield


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One run at a time puts files of ours into this folder; the lock is on the folder itself and leaves nothing."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def _instead_of(path: Path, text: str, mode: int) -> Iterator[None]:
    """Hold `text` in the place of a file that may exist; the original waits beside it under a name of ours."""
    original = path.with_name(f".{path.name}.todo-runbook")
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    if original.exists() or original.is_symlink():
        original.replace(path)
    elif path.is_file() and MARK in path.read_text(errors="replace"):
        path.unlink()
    if path.exists() or path.is_symlink():
        path.replace(original)
    try:
        path.write_text(text)
        path.chmod(mode)
        yield
    finally:
        path.unlink(missing_ok=True)
        if original.exists() or original.is_symlink():
            original.replace(path)
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
