"""Faults of phase 8: scripts and README, in a copy; the drills run the copy's scripts on their scratch cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from runbook.cluster.embedded import link
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant
from runbook.faults.copies import Copy, copied, in_copy
from runbook.probes.scratch import INTERFACES, Scratch
from runbook.world import World

ASK = 30.0


def group(settings: Settings) -> Group:  # noqa: ARG001 - as all groups
    """All of them, with the steps of the phase that are no drills."""
    steps = (*(f"T{number:03d}" for number in range(120, 126)), "T130", "T131")
    return Group("automation", steps, (*_of_scripts(), *_of_the_readme(), *_of_drills()), files=steps)


def _script(step: str, name: str, old: str, new: str, cause: str) -> Mutant:
    path = f"scripts/{name}"

    def change(copy: Copy) -> None:
        copy.edit(path, old, new)
        copy.commit()

    return in_copy(f"{name} with {new.strip() or 'a command left out'}", step, change, cause)


def _of_scripts() -> tuple[Mutant, ...]:
    def not_executable(copy: Copy) -> None:
        (copy.root / "scripts/deploy.sh").chmod(0o644)
        copy.commit()

    def not_committed(copy: Copy) -> None:
        copy.commit()
        copy.edit("scripts/deploy.sh", "set -euo pipefail", "set -euo pipefail # changed")

    return (
        _script(
            "T120", "setup-minikube.sh", '"$inv" dapr.install "$@"\n', "", "it ran inv setup.*, and ended"
        ),
        _script("T121", "build-images.sh", '"$inv" build "$@"', '"$inv" build', "it ran inv build, "),
        _script(
            "T122",
            "deploy.sh",
            '"$inv" deploy "$@"',
            '"$inv" deploy "$@" || true',
            "where the first command ended with 3, it ran 1 and ended with 0",
        ),
        _script("T123", "cleanup.sh", '"$inv" cleanup "$@"', "true", "it ran inv nothing"),
        in_copy("a script that may not be executed", "T130", not_executable, "deploy.sh may not be executed"),
        in_copy(
            "a script that was changed and not committed", "T131", not_committed, "not committed: scripts/"
        ),
    )


def _of_the_readme() -> tuple[Mutant, ...]:
    def edit(name: str, step: str, old: str, new: str, cause: str) -> Mutant:
        def change(copy: Copy) -> None:
            copy.edit("README.md", old, new)
            copy.commit()

        return in_copy(name, step, change, cause)

    return (
        edit(
            "a command in the README that does not exist",
            "T124",
            "      sbom        ",
            "      bom         ",
            "its list has no line for sbom",
        ),
        edit("no section on trouble", "T125", "## When something is wrong", "## Else", "it has 0 pieces of"),
    )


def _of_drills() -> tuple[Mutant, ...]:
    """The copy's scripts are run on the scratch cluster, which is taken away by those of the project."""

    def drilled(name: str, reds: str, cause: str, change: Callable[[Copy], None]) -> Mutant:
        made = in_copy(name, reds, change, cause, patience=1.0)  # once is enough: a drill takes minutes
        return replace(made, elsewhere=lambda world: _beside(world, change))

    return (
        drilled(
            "a set-up that installs no Dapr",
            "T120 T126",
            "(?i)dapr|it ran inv setup",
            lambda copy: copy.edit("scripts/setup-minikube.sh", '"$inv" dapr.install "$@"\n', ""),
        ),
        drilled(
            "a build that brings nothing into the node",
            "T121 T127",
            "does not hold todo-|it ran inv build",
            lambda copy: copy.edit("scripts/build-images.sh", '"$inv" cluster.load "$@"\n', ""),
        ),
        drilled(
            "a namespace of another environment in the manifest",
            "T128",
            "T042 failed",
            lambda copy: copy.edit("k8s/namespace.yaml", "env: development", "env: staging"),
        ),
        drilled(
            "a clean-up that leaves an interface", "T129", "there is still|still there", _leave_interface
        ),
    )


@contextmanager
def _beside(world: World, change: Callable[[Copy], None]) -> Iterator[World]:
    with copied(world, change) as other:
        try:
            yield other
        finally:
            scratch = Scratch.beside(world)
            name = link.interface(scratch.world.settings.cluster_name)
            if (INTERFACES / name).exists():
                world.commands.run(["ip", "link", "delete", name, "type", "dummy"], timeout=ASK, check=False)
            scratch.clean()


def _leave_interface(copy: Copy) -> None:
    name = link.interface(Scratch.beside(copy.world).world.settings.cluster_name)
    line = f"if [[ -z ${{INV:-}} ]]; then ip link add {name} type dummy || true; fi\n"
    path = "scripts/cleanup.sh"
    copy.write(path, (copy.root / path).read_text() + line)
