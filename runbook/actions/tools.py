"""Install the tools and start the build engine, where they are ours to install: under the embedded cluster."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from runbook.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

_one_at_a_time = threading.Lock()
"""Several steps want the same toolchain; the first builds it and the others find it there."""


def install(world: World) -> None:
    """Build and install what the embedded cluster is made of; on a user's own cluster its tools are the user's."""
    if world.cluster.provider != "embedded":
        return
    from runbook.cluster.embedded import setup

    with _alone(world):
        setup.setup(world.settings, world.progress)


def start_engine(world: World) -> None:
    """Have a build engine that answers: the user's Docker, else ours."""
    if world.cluster.provider != "embedded":
        return
    from runbook.cluster.embedded import setup
    from runbook.cluster.embedded.engine import Engine

    with _alone(world):
        setup.setup_engine(world.settings, world.progress)
    Engine(world.settings).up(world.progress)


@contextmanager
def _alone(world: World) -> Iterator[None]:
    if not _one_at_a_time.acquire(blocking=False):
        world.progress("the toolchain, which another step installs")
        _one_at_a_time.acquire()
    try:
        yield
    finally:
        _one_at_a_time.release()


def stop_engine(world: World) -> Outcome:
    """End the build engine that we started, unless another cluster of ours still builds with it.

    The user's own Docker is left alone, and our layers stay in the cache.
    """
    from runbook.cluster.embedded.engine import Engine

    wanted = "nothing of our build engine left"
    state = world.settings.state
    others = sorted(each.name for each in state.parent.glob("*/") if each.name != state.name)
    engine = Engine(world.settings)
    if others and engine.leftovers():
        return passed(f"the build engine stays: cluster {', '.join(others)} uses it too", wanted=wanted)
    engine.down(world.progress)
    left = engine.leftovers()
    if left:
        return failed(f"still there: {', '.join(left)}", wanted=wanted, hint="inv cleanup")
    return passed("no build engine of ours runs", wanted=wanted)
