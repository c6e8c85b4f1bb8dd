"""Interrupt commands at random moments, and look at what is left: nothing, and one further run is green.

    .venv/bin/python bench/kill_loop.py --count 50               on the deployed cluster of TODO_CLUSTER_NAME
    .venv/bin/python bench/kill_loop.py --count 4 --seed 1 --longest 10 --only deploy,db

Each interruption (SIGKILL, SIGTERM, SIGHUP or Ctrl-C) meets a command that has something to do. Afterwards no process
of the run is left, its lock is free, no traceback was shown; every tenth time, and at the end, one further deploy
passes and nothing planted is left. A cleanup is interrupted every twentieth time and last of all. Prints a line for
each; exit code 1 where something was left.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from rich.console import Console  # noqa: E402

from runbook import faults  # noqa: E402
from runbook.app.application import COMPONENTS  # noqa: E402
from runbook.clients.process import guardian  # noqa: E402
from runbook.engine.errors import RunbookError  # noqa: E402
from runbook.engine.settings import Settings, load  # noqa: E402
from runbook.faults import planting, sweeping  # noqa: E402
from runbook.world import World  # noqa: E402

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

COMMANDS: dict[str, tuple[tuple[str, ...], float]] = {
    "deploy": (("deploy",), 25.0),
    "dapr": (("dapr",), 40.0),
    "package": (("package", "--drills"), 40.0),
    "db": (("db", "--drills"), 40.0),
    "mutants": (("verify.mutants",), 40.0),
    "cleanup": (("cleanup", "--yes"), 25.0),
}
"""A command, and the seconds within which it is interrupted."""

GRACE = 45.0
"""Seconds that an interrupted run may take to end; the restoring of a fault has deadlines of its own."""

GROUPS = ("security", "network", "database", "package")
"""Of mutants: one of them at random, beginning with one of its mutants at random."""

KINDS = (
    *(
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
        "NetworkPolicy",
        "Pod",
        "Deployment",
        "Service",
    ),
    *("ConfigMap", "Secret", "Namespace", "Ingress"),
)
"""Of which mutants make objects."""


class Loop:
    def __init__(self, settings: Settings, seed: int, longest: float) -> None:
        self.settings = settings
        self.longest = longest
        self.random = random.Random(seed)  # noqa: S311 - moments, not secrets
        self.out = Console(soft_wrap=True, highlight=False)
        self.found: list[str] = []
        self.counts: Counter[str] = Counter()

    def interrupt(self, name: str, number: int) -> None:
        """Start a command, interrupt it at a random moment, and look at what is left of it."""
        words, longest = COMMANDS[name]
        if name == "deploy":
            self._give_work()
        if name == "mutants":
            words += self._mutants()
        sign, after = self.random.choice(SIGNALS), self.random.uniform(0.3, min(longest, self.longest))
        mark = secrets.token_hex(12)
        log = Path(f"/tmp/kill-loop-{os.getpid()}.log")  # noqa: S108 - this program's own
        with (
            log.open("wb") as said,
            subprocess.Popen(
                [sys.executable, "-m", "invoke", *words],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "RUNBOOK_RUN": mark},
                start_new_session=True,
            ) as run,
        ):
            try:
                code = run.wait(after)
                ended = "had ended"
            except subprocess.TimeoutExpired:
                if sign in (signal.SIGINT, signal.SIGHUP):  # a terminal tells all that it started
                    os.killpg(run.pid, sign)
                else:
                    run.send_signal(sign)
                began = time.monotonic()
                try:
                    code = run.wait(GRACE)
                except subprocess.TimeoutExpired:
                    self._bad(name, f"did not end within {GRACE:g} s of {sign.name}")
                    run.kill()
                    code = run.wait()
                ended = f"ended {time.monotonic() - began:.1f} s later"
                self.counts[sign.name] += 1
                self.counts[name] += 1
        self._free(name)
        orphans = guardian.marked(mark)
        for process in orphans:
            told = Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            self._bad(name, f"process {process} is left: {told[:200]}")
        text = log.read_text(errors="replace")
        # Python itself says where it was interrupted while it was still loading Invoke: that is none of ours.
        ours = "Traceback" in text and any(f"{PROJECT}/{part}" in text for part in ("runbook", "tasks.py"))
        if ours or "unexpected " in text:
            at = max(text.find("Traceback"), text.find("unexpected "))
            self._bad(name, f"said {text[at : at + 400]!r}")
        self.out.print(
            f"{number:>3}  {name:<8} {sign.name:<8} after {after:5.1f} s: {ended}, exit code {code}"
        )
        log.unlink()

    def further(self) -> None:
        """One further run: green, and nothing planted is left."""
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "invoke", "deploy"],
            cwd=PROJECT,
            capture_output=True,
            text=True,
            check=False,
        )
        took = time.monotonic() - began
        if done.returncode != 0:
            self._bad(
                "deploy",
                f"the further run ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-500:]}",
            )
        try:
            left = self._planted()
        except RunbookError as problem:
            self._bad("deploy", f"the cluster does not answer after it: {problem}")
            return
        for each in left:
            self._bad("deploy", f"planted, and still there: {each}")
        self.out.print(
            f"     one further deploy in {took:.0f} s: exit code {done.returncode}, planted: {left or 'nothing'}"
        )

    def _planted(self) -> list[str]:
        world = World.of(self.settings)
        marked = ((kind, each) for kind in KINDS for each in world.api.list(kind, labels=planting.MARK))
        left = [each.words for each in sweeping.left(world)]
        return left + [f"{kind} {each['metadata']['name']}" for kind, each in marked]

    def _give_work(self) -> None:
        """A Deployment is deleted by hand, so that a deploy has to bring the release back."""
        component = self.random.choice(COMPONENTS)
        with suppress(RunbookError):  # no cluster just now: there is work enough
            World.of(self.settings).api.delete("Deployment", component.name, self.settings.namespace)

    def _mutants(self) -> tuple[str, ...]:
        group = faults.group(self.random.choice(GROUPS), self.settings)
        return (group.name, "--only", self.random.choice(group.mutants).name)

    def _free(self, name: str) -> None:
        """The lock is free once all that the run started has ended."""
        path = self.settings.state / "run.lock"
        deadline = time.monotonic() + guardian.LIMIT + 5
        while path.exists():
            with path.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        self._bad(name, "the lock is still held")
                        return
                else:
                    return
            time.sleep(0.1)

    def _bad(self, name: str, what: str) -> None:
        self.found.append(f"{name}: {what}")
        self.out.print(f"     LEFT  {name}: {what}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=50, help="interruptions (default: 50)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the moments; printed")
    parser.add_argument("--longest", type=float, default=60.0, help="seconds until an interruption, at most")
    parser.add_argument("--only", default=",".join(COMMANDS), help="commands, separated by commas")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name]
    if unknown := [name for name in names if name not in COMMANDS]:
        parser.error(f"no command {unknown[0]}; wanted: some of {', '.join(COMMANDS)}")
    for each in (
        signal.SIGINT,
        signal.SIGHUP,
    ):  # a shell in the background has them ignored, and so its children
        signal.signal(each, signal.SIG_DFL)
    loop = Loop(load({}, {}, os.environ), given.seed, given.longest)
    loop.out.print(f"seed {given.seed}, cluster {loop.settings.cluster_name}")
    # A cleanup takes everything with it: it is interrupted seldom, and last before a further run.
    usual = [name for name in names if name != "cleanup"] or names
    for number in range(1, given.count + 1):
        checkpoint = number % 10 == 0 or number == given.count
        last = number == given.count or number % 20 == 0
        name = "cleanup" if last and "cleanup" in names else usual[number % len(usual)]
        loop.interrupt(name, number)
        if checkpoint:
            loop.further()
    made = sum(loop.counts[each.name] for each in SIGNALS)
    loop.out.print(f"{made} interruptions: {dict(loop.counts)}; {len(loop.found)} things were left")
    for each in loop.found:
        loop.out.print(f"  {each}")
    sys.exit(1 if loop.found else 0)


if __name__ == "__main__":
    main()
