"""Make a part of the toolchain: compile it from verified Go modules, or take it from a verified wheel."""

from __future__ import annotations

import re
import shutil
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

from runbook.cluster.embedded.execution import follow, output
from runbook.cluster.embedded.parts import GoPart, Part, WheelPart
from runbook.engine.errors import CommandFailed, CommandMissing, RunbookError, TimedOut

Say = Callable[[str], None]

CHART = "chart"
"""The folder, beside a part's commands, of the Helm chart that came with it."""

DOWNLOADING = "downloading "
"""How the word of a module that comes in begins."""

BUILD_SECONDS = 3600.0
"""A build that takes longer hangs: the longest one takes minutes."""


@cache
def go_version() -> str:
    """Such as go1.26.8, or "" where there is no Go."""
    try:
        return output(["go", "env", "GOVERSION"], environment={"GOTOOLCHAIN": "local"}).strip()
    except CommandMissing:
        return ""


def demand_go(parts: Iterable[Part]) -> None:
    """Raise `CommandMissing` unless the machine's Go can build all of these parts."""
    go_parts = [part for part in parts if isinstance(part, GoPart)]
    if not go_parts:
        return
    wanted = max(part.wanted_go for part in go_parts)
    wanted_text = f"Go {'.'.join(map(str, wanted))} or newer"
    hint = "install a current Go from go.dev/dl or a backport, and put its bin folder on PATH"
    found = go_version()
    if not found:
        raise CommandMissing("`go` is not installed", wanted=wanted_text, hint=hint)
    numbers = tuple(int(number) for number in re.findall(r"\d+", found)[:3])
    if numbers < wanted:
        raise CommandMissing(f"the Go of this machine is {found}", wanted=wanted_text, hint=hint)


def go_environment(*, cgo: bool = False) -> dict[str, str]:
    """The same for every build, whatever the user's own settings are.

    -mod=readonly makes the committed go.sum the judge: a module that it does not name, or names with another hash, ends
    the build. Go's ordinary caches are used, so that a second build is quick.
    """
    return {
        "CGO_ENABLED": "1" if cgo else "0",
        "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


def make(part: Part, folder: Path, say: Say) -> None:
    """Put the part's commands into `folder`. Raises `RunbookError` with the end of the builder's output."""
    try:
        if isinstance(part, GoPart):
            _compile(part, folder, say)
        else:
            _unpack(part, folder, say)
    except (CommandFailed, TimedOut) as error:
        raise RunbookError(
            f"{part.name} {part.version} could not be made: {error.observed}",
            wanted="a build that ends well",
            hint=error.hint or "inv setup (it resumes; a download that failed is tried again)",
        ) from error
    for name in part.names:
        if not (folder / name).is_file():
            raise RunbookError(f"the build of {part.name} brought no `{name}`", hint="inv setup")


def fetch_modules(part: GoPart, cancelled: threading.Event) -> None:
    """Download what the part is compiled from, so that its build need not wait; failures are left to the build."""
    follow(
        ["go", "list", "-deps", f"-tags={','.join(part.tags)}", "-f={{.ImportPath}}", part.package],
        _ignore,
        deadline=BUILD_SECONDS,
        environment=go_environment(cgo=part.cgo),
        directory=part.source,
        cancelled=cancelled,
    )


def _compile(part: GoPart, folder: Path, say: Say) -> None:
    def on_line(line: str) -> None:
        if line.startswith("go: downloading "):
            say(f"{DOWNLOADING}{line.split()[2]}")
        else:
            say("compiling")

    first, *others = part.names
    say("compiling")
    follow(
        [
            "go",
            "build",
            f"-tags={','.join(part.tags)}",
            f"-ldflags={part.linker_flags}",
            "-o",
            str(folder / (part.name if others else first)),
            part.package,
        ],
        on_line,
        deadline=BUILD_SECONDS,
        environment=go_environment(cgo=part.cgo),
        directory=part.source,
    )
    if others:
        for name in part.names:
            (folder / name).symlink_to(part.name)
    if part.chart:
        _copy_chart(part, folder / CHART)


def _copy_chart(part: GoPart, target: Path) -> None:
    """The chart as the verified module holds it, under the part's version: in the module it says 0.0.0."""
    module = output(
        ["go", "list", "-m", "-f={{.Dir}}", part.upstream],
        environment=go_environment(),
        directory=part.source,
    ).strip()
    shutil.copytree(Path(module) / part.chart, target, copy_function=shutil.copyfile)
    number = part.version.removeprefix("v")
    for folder in (target, *(each for each in target.rglob("*") if each.is_dir())):
        folder.chmod(0o755)  # Go's module cache is read-only
    for file in target.rglob("Chart.yaml"):
        file.write_text(file.read_text().replace("'0.0.0'", f"'{number}'"))


def _unpack(part: WheelPart, folder: Path, say: Say) -> None:
    """Install the wheel into a folder of its own, and take its command."""
    say("downloading")
    target = folder / "wheel"
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check"]
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--target={target}"]
    follow([*pip, *options, "-r", str(part.source)], _ignore, deadline=BUILD_SECONDS)
    (target / "bin" / part.name).rename(folder / part.name)
    (folder / part.name).chmod(0o755)
    shutil.rmtree(target)


def _ignore(_: str) -> None:
    return None
