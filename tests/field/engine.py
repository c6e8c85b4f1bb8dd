"""A Docker engine of its own for the field's clusters: dockerd with bridges and published ports, in a sandbox.

The machine sees neither its network nor its mounts nor its /etc: what reaches a cluster's published port, or writes a
line of /etc/hosts, has to run inside (`entry`). slirp4netns is the way to the package registries.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from runbook.cluster.embedded.sandbox import INSIDE, PROGRAMS, Sandbox, ServiceDefinition, require
from runbook.engine.waiting import NotYet, eventually

HERE = Path(__file__).resolve().parent
START_SECONDS = 60.0
_NAMESPACES = ("--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup")
_SYS_RESOURCE = 24
"""The number of CAP_SYS_RESOURCE in linux/capability.h."""

NEEDED = {
    "dockerd": "docker.io",
    "slirp4netns": "slirp4netns",
    "jq": "jq",
    "iptables": "iptables",
    "runc": "runc",
}


class FieldEngine:
    """One engine with its data below `folder`. All methods are idempotent."""

    def __init__(self, folder: Path, name: str = "todo-field") -> None:
        self.folder = folder
        self.socket = folder / "run" / "docker.sock"
        self._sandbox = Sandbox(name, folder, network=True)

    @property
    def environment(self) -> dict[str, str]:
        return {"DOCKER_HOST": f"unix://{self.socket}"}

    def up(self) -> None:
        require(PROGRAMS | NEEDED)
        for folder in (self.socket.parent, *(self.folder / "etc" / each for each in ("upper", "work"))):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "daemon.json").write_text(json.dumps(self._options()))
        self._sandbox.start({"way-out": _WAY_OUT, "dockerd": _DOCKERD})
        eventually(
            self._answers,
            timeout=START_SECONDS,
            every=0.1,
            wanted="dockerd to answer",
            hint=f"{self.folder}/log",
        )

    def down(self, *, forget: bool = False) -> None:
        """End it with every container. Images stay in `folder`, unless they are to be forgotten."""
        self._sandbox.stop()
        shutil.rmtree(self.folder / "etc", ignore_errors=True)
        if forget:
            shutil.rmtree(self.folder, ignore_errors=True)

    def leftovers(self) -> list[str]:
        return self._sandbox.leftovers()

    def entry(self) -> list[str]:
        """The words before a command that make it run inside."""
        return ["nsenter", f"--target={self._sandbox.pid()}", *_NAMESPACES, "--"]

    def docker(self, *arguments: str, timeout: float = 600.0, stdin: bytes | None = None) -> str:
        """A command of the client. Raises `CalledProcessError` with its words."""
        return run(["docker", *arguments], self.environment, timeout=timeout, stdin=stdin)

    def has(self, image: str) -> bool:
        return bool(self.docker("image", "ls", "--quiet", image).strip())

    def _answers(self) -> None:
        try:
            self.docker("version", timeout=10)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
            raise NotYet(str(getattr(problem, "stderr", problem))) from problem

    @staticmethod
    def _options() -> dict[str, object]:
        options: dict[str, object] = {"deprecated-key-path": "/run/docker-key.json"}
        capabilities = next(
            line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapBnd")
        )
        if not int(capabilities.split()[1], 16) >> _SYS_RESOURCE & 1:
            options |= {"default-runtime": "field", "runtimes": {"field": {"path": str(HERE / "runc.sh")}}}
        return options


_ETC = (
    "set -e; grep -q ' /etc overlay ' /proc/mounts || mount -t overlay -o "
    f"lowerdir=/etc,upperdir={INSIDE}/etc/upper,workdir={INSIDE}/etc/work overlay /etc; "
    "rm -f /etc/resolv.conf; echo nameserver 10.0.2.3 >/etc/resolv.conf"
)
# Seen by a node, the unified hierarchy of a hybrid machine would be the machine's own, shared by all nodes.
_UNIFIED = "/sys/fs/cgroup/unified"
_OLD_GROUPS_ALONE = f'[ "$(stat -fc %T {_UNIFIED} 2>/dev/null)" != cgroup2fs ] || umount {_UNIFIED}'

_SLIRP = "nsenter --net=/run/host-network -- slirp4netns --netns-type=path --configure --mtu=65520"
_WAY_OUT = ServiceDefinition(
    [*_SLIRP.split(), "--disable-host-loopback", "/proc/1/ns/net", "tap0"],
    before=[["sh", "-c", "! ip link show tap0 >/dev/null 2>&1 || ip link delete tap0"]],
)
_OPTIONS = (
    f"--host=unix://{INSIDE}/run/docker.sock --data-root={INSIDE}/data --config-file={INSIDE}/daemon.json"
    " --exec-opt=native.cgroupdriver=cgroupfs --group=root --log-level=warn"
)
_DOCKERD = ServiceDefinition(
    ["dockerd", *_OPTIONS.split()],
    before=[["sh", "-c", _ETC], ["sh", "-c", _OLD_GROUPS_ALONE], ["rm", "-f", "/run/docker.pid"]],
)


def run(
    argv: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    *,
    timeout: float = 600.0,
    stdin: bytes | None = None,
) -> str:
    """Standard output of a command that has to succeed."""
    done = subprocess.run(
        [str(word) for word in argv],
        env={**os.environ, **(environment or {})},
        input=stdin or b"",
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    if done.returncode != 0:
        words = (done.stderr or done.stdout).decode(errors="replace")
        raise subprocess.CalledProcessError(done.returncode, list(map(str, argv)), done.stdout, words[-2000:])
    return done.stdout.decode(errors="replace")
