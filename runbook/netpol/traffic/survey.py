"""The survey: everything tried from everywhere at the start and at the end, and compared with what should be."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable
from runbook.netpol import matrix, truth
from runbook.netpol.matrix import Matrix, Way
from runbook.netpol.policies import verdict
from runbook.netpol.traffic import probes, scene
from runbook.netpol.traffic.outside import Outside, outside
from runbook.netpol.traffic.probes import Seen, Try
from runbook.netpol.traffic.scene import Place, Scene
from runbook.netpol.traffic.targets import Target, targets
from runbook.netpol.traffic.visitors import LIFETIME, Visitor, visiting
from runbook.netpol.truth import Mark

if TYPE_CHECKING:
    from runbook.world import World

JOB_LABELS = (
    ("app.kubernetes.io/name", "migrate"),
    ("app.kubernetes.io/part-of", "todo-app"),
    ("app.kubernetes.io/component", "migrate"),
)
"""Those of the migration's pod template; a Service selects none of them."""


STARTS = 2
"""Times that a probe is started: a busy node may fail to start one."""


@dataclass(frozen=True, slots=True)
class Survey:
    """A scene with visitors in it and the outside stood in for: it can be measured again and again."""

    world: World
    scene: Scene
    outside: Outside
    began: float

    def measure(self, *, shut: Collection[tuple[str, str]] = ()) -> Matrix:
        """Try everything twice over fresh connections, and compare. The policies are those of this moment.

        What must be open is tried until it opens, or for some seconds; but for the cells of `shut`, of which it is
        known that they will not.
        """
        namespace = self.world.settings.namespace
        policies = self.world.api.list("NetworkPolicy")
        sources = [place for place in self.scene.places if _asks(place, namespace)]
        tried = targets(self.scene, namespace, outside=not self.outside.missing)
        there = {place.role for place in self.scene.places}
        marks = truth.table(
            self.scene.mode,
            outside_model=truth.MODEL not in there,
            outside_database=truth.POSTGRES not in there,
        )
        ways: list[tuple[Place, Target, Mark]] = []
        verdicts = {}
        for source in sources:
            for target in tried:
                computed = verdict(policies, source.end, target.end, target.port, target.protocol)
                verdicts[len(ways)] = computed
                ways.append((source, target, matrix.mark_of(marks, source, target, computed)))
        troubles = {source.end.address: source.trouble for source in sources}
        first, second = (self._round(sources, ways, shut, troubles) for _ in range(2))
        seen = [tuple(each for each in pair if each) for pair in zip(first, second, strict=True)]
        proven = matrix.listening((target, both) for (_, target, _), both in zip(ways, seen, strict=True))
        judged = []
        for number, ((source, target, mark), both) in enumerate(zip(ways, seen, strict=True)):
            if source.end == target.end:
                continue
            status, reason = matrix.judge(
                mark,
                verdicts[number],
                both,
                listening=target.control in proven,
                trouble=troubles[source.end.address],
                service=target.via.startswith("service"),
            )
            judged.append(Way(source, target, mark, verdicts[number], both, status, reason))
        return Matrix(self.scene.mode, tuple(judged), time.monotonic() - self.began, self.outside.missing)

    def _round(
        self,
        sources: Sequence[Place],
        ways: Sequence[tuple[Place, Target, Mark]],
        shut: Collection[tuple[str, str]],
        troubles: dict[str, str],
    ) -> list[Seen | None]:
        """What came of every way, each source asked once and all at the same time; None where it was not tried.

        `troubles` is told why a source could not be asked.
        """
        found: list[Seen | None] = [None] * len(ways)

        def ask(source: Place) -> None:
            mine = [number for number, way in enumerate(ways) if way[0] is source]
            tries = [ways[number][1].attempt(_patience(ways[number], shut)) for number in mine]
            answers = self._asked(source, tries, troubles)
            for number, answer in zip(mine, answers, strict=True):
                found[number] = answer

        with ThreadPoolExecutor(max(1, len(sources))) as pool:
            list(pool.map(ask, sources))
        return found

    def _asked(self, source: Place, tries: Sequence[Try], troubles: dict[str, str]) -> Sequence[Seen | None]:
        """What came of the tries; a probe that could not be run is run once more before nothing is known."""
        if source.way is None:
            return [None] * len(tries)
        for _ in range(STARTS):
            try:
                return probes.run(self.world, source.way, tries)
            except Unmeasurable as problem:
                troubles[source.end.address] = problem.observed
        return [Seen.CHECKFAILED] * len(tries)


def _patience(way: tuple[Place, Target, Mark], shut: Collection[tuple[str, str]]) -> float:
    source, target, mark = way
    return probes.RETRIED if mark is Mark.OPEN and (source.label, target.column) not in shut else 0.0


@contextmanager
def surveying(world: World, *, lifetime: int = LIFETIME) -> Iterator[Survey]:
    """A survey, with all that it needs there for as long as the context lasts; one at a time on a cluster.

    `lifetime`: the seconds after which its pods end, should nobody take them back.
    """
    began = time.monotonic()
    visitors = (
        Visitor(truth.NEIGHBOUR, world.settings.namespace),
        Visitor(
            truth.JOB,
            world.settings.namespace,
            (*JOB_LABELS, ("app.kubernetes.io/instance", world.settings.release)),
        ),
        Visitor(truth.STRANGER),
    )
    with _alone(world), ThreadPoolExecutor(scene.AT_ONCE) as pool:
        early = scene.explore_early(world, pool)
        with (
            outside(world, world.api.list("Pod")) as beyond,
            visiting(world, visitors, purpose="todo-survey", lifetime=lifetime) as visit,
        ):
            world.progress("looking into the pods")
            there = scene.look(world, visit.survey, early, pool)
            world.progress("trying every way")
            yield Survey(world, there, beyond, began)


@contextmanager
def _alone(world: World) -> Iterator[None]:
    folder = world.settings.state
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "survey.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _asks(place: Place, namespace: str) -> bool:
    return place.role in scene.SOURCES or place.end.namespace == namespace
