"""Install the tools; start the build engine, where it is ours to start: under the embedded cluster."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runbook.engine.errors import CommandMissing
from runbook.engine.step import Apply, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

_engine_parts = threading.Lock()
_toolchain = threading.Lock()
"""Several steps want the same parts; the first makes them and the others find them there."""


def install(world: World) -> None:
    """Build and install what the embedded cluster is made of; another cluster's own programs are the user's."""
    if world.cluster.provider != "embedded":
        return
    from runbook.cluster.embedded.setup import setup

    _install_engine_parts(world)
    with _alone(_toolchain, world):
        setup(world.settings, world.progress)


def install_program(name: str) -> Apply:
    """The whole toolchain under the embedded cluster; elsewhere this program, which neither PATH nor the toolchain has.

    Raises `CommandMissing`, with what to do on this platform, where it cannot be built here.
    """

    def apply(world: World) -> None:
        if world.cluster.provider == "embedded":
            install(world)
        elif world.commands.find(name) is None:
            _build(world, name)

    return apply


def start_engine(world: World) -> None:
    """Have a build engine that answers: the user's Docker, with a buildx of ours where it has none, else ours.

    Ours wants only the packages and buildx, so that images build while the rest of the toolchain compiles.
    """
    if world.cluster.provider != "embedded":
        try:
            world.cluster.docker_environment()
        except CommandMissing:
            _build(world, "buildx")
        return
    from runbook.cluster.embedded.engine import Engine

    _install_engine_parts(world)
    Engine(world.settings).up(world.progress)


def _build(world: World, program: str) -> None:
    with _alone(_toolchain, world):
        world.clients.built(program, world.progress)


def _install_engine_parts(world: World) -> None:
    """Before everything else, whichever step comes first: the images wait for them."""
    from runbook.cluster.embedded.setup import setup_engine

    with _alone(_engine_parts, world):
        setup_engine(world.settings, world.progress)


@contextmanager
def _alone(lock: threading.Lock, world: World) -> Iterator[None]:
    if not lock.acquire(blocking=False):
        world.progress("the toolchain, which another step installs")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def stop_engine(world: World) -> Outcome:
    """End the build engine that we started, unless another cluster of ours still builds with it.

    The user's own Docker is left alone, and our layers stay in the cache.
    """
    from runbook.cluster.embedded import setup
    from runbook.cluster.embedded.engine import Engine

    wanted = "nothing of our build engine left"
    others = running_clusters(world)
    engine = Engine(world.settings)
    if others and engine.leftovers():
        return passed(f"the build engine stays: cluster {', '.join(others)} uses it too", wanted=wanted)
    engine.down(world.progress)
    left = engine.leftovers()
    if left:
        return failed(f"still there: {', '.join(left)}", wanted=wanted, hint="inv cleanup")
    put_back = "" if _other_clusters(world) else setup.put_back(world.settings)
    return passed("; ".join(filter(None, ("no build engine of ours runs", put_back))), wanted=wanted)


def _at_work(name: str, world: World) -> bool:
    """Whether a run of another cluster is under way, which may be building while its node is not there yet."""
    try:
        with (world.settings.state.parent / name / "run.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def running_clusters(world: World) -> list[str]:
    """The other clusters of ours that run now, or are being made: they use the toolchain, and may build."""
    return [name for name in _other_clusters(world) if _runs(name, world) or _at_work(name, world)]


def _other_clusters(world: World) -> list[str]:
    """The names that have a state folder beside this cluster's."""
    state = world.settings.state
    return sorted(each.name for each in state.parent.glob("*/") if each.name != state.name)


def _runs(name: str, world: World) -> bool:
    """Whether the embedded node of that name runs now; a folder alone may be years old."""
    from runbook.cluster.embedded.node import Embedded

    return Embedded(world.settings.model_copy(update={"cluster_name": name})).sandbox.running()
