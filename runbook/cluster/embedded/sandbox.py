"""A sandbox: supervised services in namespaces of their own, of which the machine sees next to nothing.

Process 1 of the sandbox is s6-svscan. It has its own mounts, process numbers, host name, IPC, cgroup root and, where
asked, network. Ending that one process ends every other one in it and releases every mount. Root enters its namespaces
and runs programs there by name, so process 1 is known by what nobody else can bring about (see `processes`); one that
cannot be told to be ours is neither entered nor ended.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shlex import join
from typing import IO

from runbook.cluster.embedded import cgroups, processes, services
from runbook.cluster.embedded.processes import Launch
from runbook.cluster.embedded.services import INSIDE, ServiceDefinition
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut, UsageError

__all__ = ["INSIDE", "PROGRAMS", "Sandbox", "ServiceDefinition", "require"]

START_SECONDS = 15.0
STOP_SECONDS = 20
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROGRAMS = {
    "s6-svscan": "s6",
    "s6-log": "s6",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "ip": "iproute2",
}


class Sandbox:
    """One set of services in namespaces of its own; its data stays in `folder` when it is stopped.

    `covered` names folders of the machine that have their own content inside, kept under `folder` at the same path
    (("/var/lib",) makes /var/lib the sandbox's own). `pretended` maps files of the machine to what they say inside, for
    programs that would otherwise write a setting of the whole machine.
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        network: bool,
        *,
        covered: Sequence[str] = (),
        pretended: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.folder = folder.resolve()
        self.network = network
        self.covered = tuple(covered)
        self.pretended = dict(pretended or {})
        if self.folder.is_relative_to("/run"):
            raise UsageError(
                f"{self.folder} lies under /run, which a sandbox replaces", wanted="a state folder on disk"
            )
        self._group = f"{name}-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:8]}"

    def start(self, wanted: Mapping[str, ServiceDefinition]) -> bool:
        """Have exactly these services supervised; returns whether anything had to be changed.

        A running sandbox keeps the services whose definition is unchanged and restarts the others.
        """
        require(PROGRAMS)
        for folder in (self.folder, self.folder / "log", self.folder / "services"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._lock():
            pid = self.pid()
            if self.abandoned():
                self.stop()
            changed, removed = services.write(self.folder, wanted)
            if pid is None:
                self._launch()
                return True
            if changed or removed:
                self.run(["s6-svscanctl", "-an", str(INSIDE / "services")], timeout=10)
                self._restart(changed)
            return bool(changed or removed)

    def _restart(self, names: Iterable[str]) -> None:
        """Have these services run by their present definition. One that is new is only now being started anyway."""
        folders = [str(INSIDE / "services" / name) for name in names]
        known = [folder for folder in folders if self._supervised(folder)]
        for folder in known:
            self.run(["s6-svc", "-d", folder], timeout=10)
        if known:
            self.run(["s6-svwait", "-D", "-t", str(STOP_SECONDS * 1000), *known], timeout=STOP_SECONDS + 5)
        for folder in known:
            self.run(["s6-svc", "-u", folder], timeout=10)

    def _supervised(self, folder: str) -> bool:
        try:
            self.run(["s6-svok", folder], timeout=10)
        except CommandFailed:
            return False
        return True

    def running(self) -> bool:
        return self.pid() is not None

    @property
    def id(self) -> str:
        """What this sandbox's things on the machine are marked with; empty before its first start."""
        note = Launch.read(self._note)
        return note.id if note else ""

    @property
    def _note(self) -> Path:
        return self.folder / "process.json"

    def pid(self) -> int | None:
        """Process 1 as the machine numbers it; None when the sandbox does not run.

        Raises `RunbookError` where something else runs in the sandbox's control group.
        """
        note = Launch.read(self._note)
        found = processes.firsts(cgroups.existing(self._group))
        if note is None or not found:
            return None
        if len(found) > 1 or not note.fits(found[0]):
            raise RunbookError(
                f"process {found[0]} ({processes.command(found[0])}) runs in the control group of sandbox {self.name}, "
                "and is not the one that was started",
                wanted="nothing but what was started here",
                hint=f"ps -fp {found[0]}, and end it if nobody needs it",
            )
        if not note.pid:  # the run that launched it was killed before it could note this
            note.seen(found[0]).write(self._note)
        return found[0]

    def abandoned(self) -> bool:
        """Whether it runs though its folder was deleted: it can be ended, by its control group, and nothing else."""
        return Launch.read(self._note) is None and bool(processes.firsts(cgroups.existing(self._group)))

    def started(self) -> float:
        """When process 1 began, in seconds since the epoch and rather a second early; 0 when it does not run."""
        pid = self.pid()
        return 0.0 if pid is None else processes.began(pid) - 1

    def run(self, argv: Sequence[str], timeout: float = 60.0, *, stdin: IO[bytes] | None = None) -> str:
        """Run a command inside and return its standard output.

        Its standard input is the stream `stdin`. Raises `CommandFailed`, or `TimedOut` after `timeout` seconds.
        """
        with self._entry() as (entry, descriptors):
            try:
                done = subprocess.run(
                    [*entry, *argv],
                    stdin=subprocess.DEVNULL if stdin is None else stdin,
                    capture_output=True,
                    timeout=timeout,
                    check=False,
                    env={"PATH": SYSTEM_PATH, "LC_ALL": "C", "HOME": "/root"},
                    pass_fds=descriptors,
                )
            except subprocess.TimeoutExpired as error:
                raise TimedOut(
                    f"`{join(argv)}` in sandbox {self.name} did not end within {timeout:.0f} s"
                ) from error
        if done.returncode != 0:
            words = (done.stderr or done.stdout).decode(errors="replace").strip()[-600:]
            raise CommandFailed(
                f"`{join(argv)}` in sandbox {self.name} ended with status {done.returncode}: {words or 'no output'}",
                hint=join(["nsenter", f"--target={self.pid()}", "--all", "--", *argv]),
            )
        return done.stdout.decode(errors="replace")

    @contextmanager
    def process(self) -> Iterator[int]:
        """Process 1 by its number, which is proved to have meant no other process for as long as the block lasted."""
        pid = self.pid()
        with ExitStack() as stack:
            try:
                handle = os.pidfd_open(pid) if pid else None
            except ProcessLookupError:
                handle = None
            if handle is not None:
                stack.callback(os.close, handle)
            if pid is None or handle is None or self.pid() != pid:
                raise self._not_running()
            yield pid
            if select.select([handle], [], [], 0)[0]:  # it has ended: the number may be another's by now
                raise self._not_running()

    def _not_running(self) -> RunbookError:
        return RunbookError(
            f"sandbox {self.name} is not running", wanted="its process 1", hint="inv cluster.up"
        )

    @contextmanager
    def _entry(self) -> Iterator[tuple[list[str], list[int]]]:
        """The words before a command that make it run inside, and the open namespaces that they speak of."""
        options = {"mnt": "mount", "pid": "pid", "ipc": "ipc", "uts": "uts", "cgroup": "cgroup"}
        if self.network:
            options["net"] = "net"
        descriptors: dict[str, int] = {}
        try:
            with self.process() as pid:
                try:
                    for kind in options:
                        descriptors[kind] = os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
                except OSError as error:
                    raise self._not_running() from error
            words = [f"--{option}=/proc/self/fd/{descriptors[kind]}" for kind, option in options.items()]
            yield ["nsenter", *words, "--"], list(descriptors.values())
        finally:
            for descriptor in descriptors.values():
                os.close(descriptor)

    def states(self) -> dict[str, str]:
        """Each service and a word or two on it: `up 12 s (pid 40)`, `down`."""
        root = self.folder / "services"
        names = sorted(path.name for path in root.iterdir()) if root.is_dir() else []
        names = [name for name in names if not name.startswith(".")]
        if not self.running():
            return dict.fromkeys(names, "down")
        found = {}
        for name in names:
            try:
                words = self.run(
                    ["s6-svstat", "-o", "up,pid,updownfor", str(INSIDE / "services" / name)], timeout=10
                ).split()
            except CommandFailed:
                words = ["false"]
            found[name] = f"up {words[2]} s (pid {words[1]})" if words[0] == "true" else "down"
        return found

    def stop(self) -> None:
        """End process 1 and with it everything inside; remove the cgroups. Data in `folder` stays."""
        pid = self.pid()
        if pid is None and self.abandoned():
            (pid,) = processes.firsts(cgroups.existing(self._group))
        if pid is not None:
            self._kill(pid)
        cgroups.remove(self._group)

    def leftovers(self) -> list[str]:
        """What is still there of it, in words, but for `folder` itself: processes, mounts, cgroups."""
        groups = cgroups.existing(self._group)
        found = [f"process {pid}: {processes.command(pid)}" for pid in processes.members(groups)]
        mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
        found += [f"mount {point}" for point in mounts if Path(point).is_relative_to(self.folder)]
        return found + [f"cgroup {group}" for group in groups]

    def _launch(self) -> None:
        for file, text in self.pretended.items():
            copy = self.folder / "pretended" / file.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
        log = self.folder / "log" / "sandbox"
        log.write_text("")
        note = Launch.prepare(self._note)
        environment = {
            "PATH": SYSTEM_PATH,
            "LC_ALL": "C",
            processes.TOKEN: note.token,
            "TODO_SANDBOX_FOLDER": str(self.folder),
            "TODO_SANDBOX_NAME": self.name,
            "TODO_SANDBOX_NETWORK": "--net" if self.network else "",
            "TODO_SANDBOX_COVERED": "\n".join(self.covered),
            "TODO_SANDBOX_PRETENDED": "\n".join(self.pretended),
        }
        script = Path(__file__).with_name("sandbox-start.sh")
        cgroups.remove(self._group)  # what a sandbox that was killed left: its containers' groups
        groups = cgroups.create(self._group)
        with log.open("ab") as words:
            starter = subprocess.Popen(
                ["sh", str(script), *map(str, groups)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=words,
                start_new_session=True,
                cwd="/",
            )
        with starter:
            assert starter.stdout is not None
            ready, _, _ = select.select([starter.stdout], [], [], START_SECONDS)
            supervised = bool(ready and os.read(starter.stdout.fileno(), 1))
        if not supervised:
            words_ = log.read_text(errors="replace").strip()[-600:]
            self.stop()
            raise RunbookError(
                f"sandbox {self.name} did not start: {words_ or 'no output'}",
                wanted="s6-svscan as process 1 of new namespaces",
                hint="run it as root on Linux; a container needs --privileged",
            )
        self.pid()  # notes which process it is

    def _kill(self, pid: int) -> None:
        """End process 1; the kernel ends all others in its PID namespace before it reports this one's end."""
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            if pid in processes.firsts(cgroups.existing(self._group)):  # and no other that has its number now
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            if not select.select([handle], [], [], STOP_SECONDS)[0]:
                raise TimedOut(
                    f"process {pid} of sandbox {self.name} did not end within {STOP_SECONDS} s of SIGKILL",
                    hint=f"cat /proc/{pid}/stack",
                )
        finally:
            os.close(handle)
        deadline = time.monotonic() + STOP_SECONDS
        while processes.members(cgroups.existing(self._group)) and time.monotonic() < deadline:
            time.sleep(0.01)  # until their parents have reaped them

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Only one run at a time starts or changes this sandbox."""
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def require(programs: Mapping[str, str]) -> None:
    """Refuse early and in one line: only root makes namespaces, and every program must be there.

    `programs` maps each to the Debian package that brings it.
    """
    if os.geteuid() != 0:
        raise RunbookError(
            "a sandbox needs root", wanted="user id 0", hint="run this as root, or use minikube"
        )
    missing = [name for name in programs if shutil.which(name, path=SYSTEM_PATH) is None]
    if missing:
        packages = sorted({programs[name] for name in missing})
        raise CommandMissing(
            f"not installed: {', '.join(missing)}",
            hint=f"inv setup (or apt-get install {' '.join(packages)})",
        )
