"""The scripts: thin ways to the commands. Run against a recorder in the place of `inv`, and asked of git."""

from __future__ import annotations

import json
import shlex
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.engine.errors import CommandFailed, CommandMissing, Unmeasurable
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

FOLDER = "scripts"
SCRIPTS = ("setup-minikube.sh", "build-images.sh", "deploy.sh", "cleanup.sh")
ASK = 30.0
OPTION = ("--name", "recorded")
"""Passed to a script, which must hand it on to each command."""

RECORDER = Path(__file__).with_name("recorder.sh")
"""Takes the place of `inv`. A file of the project: one that is written here could be busy when it is run."""

EXECUTABLE_MODE = "100755"


def calls(script: str, *commands: str) -> Check:
    """The script runs these commands of ours in this order, hands its options on, and ends with the first that fails.

    Found out by running it with a recorder in the place of `inv`. Source: T120-T123.
    """
    wanted = (
        f"{FOLDER}/{script} runs inv {', inv '.join(commands)}, with its own options, and stops at a failure"
    )

    def check(world: World) -> Outcome:
        path = world.settings.project / FOLDER / script
        hint = f"bash -x {FOLDER}/{script}"
        if not path.is_file():
            return failed(f"there is no {FOLDER}/{script}", wanted=wanted, hint="git status")
        if strange := sorted(set(commands) - names(world)):
            return failed(f"inv knows no {', '.join(strange)}", wanted=wanted, hint="inv --list")
        code, said = _recorded(world, path, 0)
        told = [f"{command} {' '.join(OPTION)}" for command in commands]
        if code or said != told:
            return failed(
                f"it ran inv {', inv '.join(said) or 'nothing'}, and ended with {code}",
                wanted=wanted,
                hint=hint,
            )
        code, said = _recorded(world, path, 3)
        if code != 3 or said != told[:1]:
            return failed(
                f"where the first command ended with 3, it ran {len(said)} and ended with {code}",
                wanted=wanted,
                hint=hint,
            )
        return passed(f"it runs inv {', inv '.join(commands)}", wanted=wanted, commands=list(commands))

    return check


def executable(world: World) -> Outcome:
    """Each script may be executed, here and in what git hands to others.

    Source: T130.
    """
    wanted = (
        f"the executable bit on every {FOLDER}/*.sh, in the folder and in git's index ({EXECUTABLE_MODE})"
    )
    found = sorted((world.settings.project / FOLDER).glob("*.sh"))
    problems = [
        f"there is no {FOLDER}/{name}" for name in SCRIPTS if name not in {each.name for each in found}
    ]
    modes = _index(world)
    for each in found:
        if not each.stat().st_mode & stat.S_IXUSR:
            problems.append(f"{FOLDER}/{each.name} may not be executed")
        elif modes.get(each.name, EXECUTABLE_MODE) != EXECUTABLE_MODE:
            problems.append(f"git's index has {FOLDER}/{each.name} as {modes[each.name]}")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=f"git update-index --chmod=+x {FOLDER}/*.sh")
    return passed(
        f"{len(found)} scripts may be executed", wanted=wanted, scripts=[each.name for each in found]
    )


def tracked(world: World) -> Outcome:
    """Each script is in git, as it is here. Asks only: what goes into git is a person's decision.

    Source: T131.
    """
    wanted = f"every {FOLDER}/*.sh in git, without a change beside it"
    modes = _index(world)
    here = sorted(each.name for each in (world.settings.project / FOLDER).glob("*.sh"))
    problems = [f"git does not know {FOLDER}/{name}" for name in here if name not in modes]
    problems += [f"there is no {FOLDER}/{name}" for name in SCRIPTS if name not in here]
    changed = _git(world, "status", "--porcelain", "--", FOLDER).splitlines()
    problems += [f"changed and not committed: {line[3:]}" for line in changed if not line.startswith("??")]
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=f"git add {FOLDER}/ && git commit")
    return passed(f"git has all {len(here)} scripts as they are here", wanted=wanted)


def names(world: World) -> set[str]:
    """Every command that Invoke knows of this project, aliases included. Raises `Unmeasurable`."""
    return set(listed(world)) | {alias for each in listed(world).values() for alias in each["aliases"]}


def listed(world: World) -> Mapping[str, Mapping[str, Any]]:
    """Full name of a command -> its help and its aliases, as `inv --list` has them."""
    return world.once("commands", lambda: dict(_told(_list(world))))


def _list(world: World) -> Mapping[str, Any]:
    import sys

    argv = [sys.executable, "-m", "invoke", "--list", "--list-format=json"]
    try:
        said = world.commands.run(argv, timeout=ASK, cwd=world.settings.project).stdout
        found: Mapping[str, Any] = json.loads(said)
    except (CommandFailed, ValueError) as problem:
        raise Unmeasurable(f"inv does not list its commands: {problem}", hint="inv --list") from None
    return found


def _told(collection: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    default = collection.get("default")
    for task in collection["tasks"]:
        aliases = [f"{prefix}{alias}" for alias in task["aliases"]]
        if prefix and task["name"] == default:
            aliases.append(prefix.rstrip("."))
        yield f"{prefix}{task['name']}", {"help": task["help"], "aliases": aliases}
    for inner in collection["collections"]:
        yield from _told(inner, f"{prefix}{inner['name']}.")


def _recorded(world: World, script: Path, code: int) -> tuple[int, list[str]]:
    """The script's exit status, and the words with which it ran `inv`, which ends with `code`."""
    with tempfile.TemporaryDirectory(prefix="todo-scripts-") as folder:
        said = Path(folder, "said")
        environment = {"INV": str(RECORDER), "RECORDED": str(said), "RECORDED_CODE": str(code)}
        done = world.commands.run(["bash", script, *OPTION], timeout=ASK, env=environment, check=False)
        return done.code, said.read_text().splitlines() if said.exists() else []


def _index(world: World) -> dict[str, str]:
    """Name -> mode of the scripts that git knows."""
    lines = _git(world, "ls-files", "--stage", "--", FOLDER).splitlines()
    return {Path(line.partition("\t")[2]).name: line.split()[0] for line in lines}


def _git(world: World, *words: str) -> str:
    root = world.settings.project
    try:
        return world.commands.run(["git", "-C", root, *words], timeout=ASK).stdout
    except (CommandFailed, CommandMissing) as problem:
        raise Unmeasurable(
            f"git does not answer for this folder: {problem.observed}",
            wanted="a checkout of the project",
            hint=shlex.join(["git", "-C", str(root), "status"]),
        ) from None
