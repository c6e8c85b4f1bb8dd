"""Mutants of the network policies: each one dropped, misspelt, or opened to all, and the engine stopped.

Each must flip exactly its own cells of the matrix, and the network must follow the policies in all others. One survey
is kept open over all of them, so that a mutant costs a few seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.app.application import DATABASE_NAMESPACE, MODEL_NAMESPACE, SIDECAR_CALLS
from runbook.checks.network import isolation
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import Group, Mutant
from runbook.faults.planting import Hands, Object, planted, sweep
from runbook.faults.trial import Verdict
from runbook.netpol.matrix import Matrix
from runbook.netpol.traffic import canary
from runbook.netpol.traffic.probes import BLOCKED, Seen
from runbook.netpol.traffic.scene import MESH
from runbook.netpol.traffic.survey import Survey, surveying
from runbook.netpol.truth import OPERATOR, PLACEMENT, SCHEDULER, SENTRY, Mark, Mode

if TYPE_CHECKING:
    from runbook.engine.journal import Journal
    from runbook.world import World

Cell = tuple[str, str]
"""Source and column of the matrix."""

HEALED = 60.0
LONGEST = 1500
"""Seconds that all mutants together may take, on the slowest machine."""

ENGINE: Object = ("DaemonSet", "kube-network-policies", "kube-system")
OURS = ("frontend", "backend", "mcp-server", "redis", "neighbour", "job")
"""Sources and destinations in the application's namespace."""

UNISOLATED = ("dns", "ingress", "stranger", "metadata", "internet", *MESH.values())
"""Destinations that no policy of ours guards."""

UNKNOWN = ("neighbour", "job")
"""Pods that no policy but default-deny selects."""

CONTROL_PLANE = ((SENTRY, 50001), (OPERATOR, 6500), (PLACEMENT, 50005), (SCHEDULER, 50006))
SELECTED_NAME = "app.kubernetes.io~1name"


@dataclass(frozen=True, slots=True)
class Flip(Mutant):
    """A mutant that flips cells: those of `opens` become open, those of `closes` become closed, and no others."""

    closes: frozenset[Cell] = frozenset()
    opens: Callable[[str, str], bool] = field(default=lambda _row, _column: False)
    patience: float = 60.0
    meshed: bool = False
    """Its policy is there with Dapr only."""

    def wanted(self, matrix: Matrix) -> set[Cell]:
        """The cells that must be red; an open cell cannot be opened, nor a closed one closed."""
        return {
            cell
            for cell, ways in matrix.cells().items()
            for mark in {way.mark for way in ways}
            if (mark is Mark.OPEN and cell in self.closes)
            or (mark in (Mark.CLOSED, Mark.LOOPBACK) and self.opens(*cell))
        }


def _dropped(name: str, namespace: str, *cells: Cell, meshed: bool = False) -> Flip:
    thing: Object = ("NetworkPolicy", name, namespace)
    return Flip(
        f"{name} dropped",
        frozenset({"T078"}),
        lambda hands: hands.remove(thing),
        objects=(thing,),
        closes=frozenset(cells),
        meshed=meshed,
    )


def _call(source: str, destination: str, port: int) -> tuple[Cell, Cell]:
    """A call between services, directly or from sidecar to sidecar: only one of the two is open."""
    return (source, f"{destination}:{port}"), (source, f"{destination}:{SIDECAR_CALLS}")


def _misspelt(what: str, thing: Object, path: str, *cells: Cell) -> Flip:
    def plant(hands: Hands) -> None:
        hands.patch(thing, {"op": "replace", "path": path, "value": "backed"})

    return Flip(
        f"{what} of {thing[1]} misspelt",
        frozenset({"T077", "T078"}),
        plant,
        objects=(thing,),
        closes=frozenset(cells),
    )


def _without_default_deny(row: str, column: str) -> bool:
    """Pods that no other policy selects are wide open: to all that isolates nobody, and for such."""
    destination = _destination(column)
    if (row, column) == ("job", "postgres:5432"):
        return True  # the database's own policy awaits the job
    if row in (*UNKNOWN, "redis"):  # Redis calls nobody, so that no other policy speaks of its ways out
        return destination in (*UNISOLATED, *UNKNOWN) or column == "pods/udp"
    return row in ("ingress", "stranger") and (destination in UNKNOWN or column == "pods/udp")


def _with_allow_all(row: str, column: str) -> bool:
    """The pods of the namespace are wide open both ways; the stand-ins keep the guards of their own namespaces."""
    destination = _destination(column)
    into = destination in (*OURS, "sidecars") or column in ("pods/udp", "loopback")
    if row in OURS:
        return into or destination in UNISOLATED or (row, column) == ("job", "postgres:5432")
    return row in ("ingress", "stranger") and into


def _destination(column: str) -> str:
    return column.partition(":")[0]


def _allow_all(namespace: str) -> Mapping[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "mutant", "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{}], "egress": [{}]},
    }


def _stop_engine(hands: Hands) -> None:
    hands.patch(
        ENGINE, {"op": "add", "path": "/spec/template/spec/nodeSelector", "value": {"todo.runbook/none": "1"}}
    )

    def gone() -> None:
        if hands.world.api.list("Pod", ENGINE[2], labels=f"k8s-app={ENGINE[1]}"):
            raise NotYet("the engine still runs")

    eventually(gone, timeout=60, every=0.2, wanted="the policy engine stopped")


def group(settings: Settings) -> Group:
    """Every policy that is there with and without Dapr, and what else can be wrong with them."""
    todo = settings.namespace
    apps = ("frontend", "backend", "mcp-server")
    deny: Object = ("NetworkPolicy", "default-deny", todo)
    mutants: Sequence[Flip] = (
        _dropped("frontend-from-ingress", todo, ("ingress", "frontend:3000")),
        _dropped("frontend-to-backend", todo, *_call("frontend", "backend", 8000)),
        _dropped("frontend-to-database", todo, ("frontend", "postgres:5432")),
        _dropped("backend-from-frontend", todo, *_call("frontend", "backend", 8000)),
        _dropped("backend-to-mcp-server", todo, *_call("backend", "mcp-server", 8080)),
        _dropped("backend-to-database", todo, ("backend", "postgres:5432")),
        _dropped("backend-to-model", todo, ("backend", "model:8090")),
        _dropped("mcp-server-from-backend", todo, *_call("backend", "mcp-server", 8080)),
        _dropped("mcp-server-to-database", todo, ("mcp-server", "postgres:5432")),
        _dropped("dns", todo, *((app, "dns:53") for app in apps)),
        _dropped("postgres-from-application", DATABASE_NAMESPACE, *((app, "postgres:5432") for app in apps)),
        _dropped("offline-model-from-backend", MODEL_NAMESPACE, ("backend", "model:8090")),
        _dropped("backend-to-redis", todo, ("backend", "redis:6379"), meshed=True),
        _dropped("redis-from-backend", todo, ("backend", "redis:6379"), meshed=True),
        _dropped(
            "sidecars-to-dapr",
            todo,
            *((app, f"{part}:{port}") for app in apps for part, port in CONTROL_PLANE),
            meshed=True,
        ),
        Flip(
            "default-deny dropped",
            frozenset({"T077", "T078"}),
            lambda hands: hands.remove(deny),
            objects=(deny,),
            opens=_without_default_deny,
        ),
        Flip(
            "a policy that allows everything",
            frozenset({"T077", "T078"}),
            lambda hands: hands.create(_allow_all(todo)),
            undo=lambda hands: hands.remove(("NetworkPolicy", "mutant", todo)),
            opens=_with_allow_all,
        ),
        _misspelt(
            "the selector",
            ("NetworkPolicy", "backend-from-frontend", todo),
            f"/spec/podSelector/matchLabels/{SELECTED_NAME}",
            *_call("frontend", "backend", 8000),
        ),
        _misspelt(
            "the peer",
            ("NetworkPolicy", "mcp-server-from-backend", todo),
            f"/spec/ingress/0/from/0/podSelector/matchLabels/{SELECTED_NAME}",
            *_call("backend", "mcp-server", 8080),
        ),
        Flip("the policy engine stopped", frozenset({"T077"}), _stop_engine, objects=(ENGINE,)),
    )
    return Group("network", ("T077", "T078"), tuple(mutants), makes=("NetworkPolicy",), run=run)


def run(world: World, group: Group, journal: Journal) -> Iterator[Verdict]:  # noqa: ARG001 - as all runs
    """Each mutant's verdict.

    Raises `Unmeasurable` where the matrix is not green before anything is planted, `TimedOut` where it is not after all
    was undone.
    """
    world.api.guard()
    sweep(world, group.makes)
    with surveying(world, lifetime=LONGEST) as survey:
        _green(survey)
        for mutant in group.mutants:
            assert isinstance(mutant, Flip)
            if mutant.meshed and survey.scene.mode is not Mode.MESH:
                continue
            began, name = time.monotonic(), f"{group.name}/{mutant.name}"
            try:
                with planted(Hands(world), mutant.plant, objects=mutant.objects, undo=mutant.undo, name=name):
                    status, words = _tried(world, survey, mutant)
            except RunbookError as problem:
                status, words = Status.UNPROVEN, f"could not be planted or undone: {problem}"
            if not (mutant.closes or "T078" in mutant.reds):
                _healed(survey)
            yield Verdict(mutant, status, words, time.monotonic() - began)
        _healed(survey)


def _green(survey: Survey) -> None:
    seen = isolation.verdict_of(survey.measure())
    if not seen.green:
        raise Unmeasurable(
            f"before anything is planted: {seen.observed}",
            wanted="every cell of the matrix as it should be",
            hint="inv verify.network",
        )


def _healed(survey: Survey) -> None:
    """Once all is undone the matrix is as before; the network may take its time to follow."""

    def look() -> None:
        seen = isolation.verdict_of(survey.measure())
        if not seen.green:
            raise NotYet(seen.observed)

    eventually(look, timeout=HEALED, wanted="every cell as before", hint="inv verify.network")


def _tried(world: World, survey: Survey, mutant: Flip) -> tuple[Status, str]:
    if not mutant.closes and "T078" not in mutant.reds:
        return _unenforced(world)
    last = ""

    def look() -> str:
        nonlocal last
        matrix = survey.measure(shut=mutant.closes)
        wanted, seen = mutant.wanted(matrix), {way.cell for way in matrix.failed}
        last = _difference(wanted, seen, matrix) or _against_policies(matrix)
        if last or not wanted:
            raise NotYet(last or "it should flip no cell")
        return f"T078: {_counted(wanted)}"

    try:
        words = eventually(
            look, timeout=mutant.patience, every=0.1, slowest=0.5, wanted="exactly its cells red"
        )
    except TimedOut as problem:
        return Status.FAILED, last or problem.observed
    problems = isolation.faults(world).problems
    if bool(problems) is not ("T077" in mutant.reds):
        return Status.FAILED, f"T077 {'is red as well: ' + problems[0] if problems else 'stayed green'}"
    return Status.PASSED, f"{words}{'; T077: ' + problems[0] if problems else ''}"


def _unenforced(world: World) -> tuple[Status, str]:
    """No verdict may come of a network that does not do what policies say."""
    world.clients.memory.forget()
    try:
        proof = canary.enforced(world)
    except Unmeasurable as problem:
        return Status.PASSED, f"T077 unproven: {problem.observed}"
    return Status.FAILED, f"the canary lived: {proof}"


def _difference(wanted: set[Cell], seen: set[Cell], matrix: Matrix) -> str:
    told = [
        f"{word} {', '.join(' to '.join(cell) for cell in sorted(cells)[:4])}"
        for word, cells in (("stayed as it was:", wanted - seen), ("flipped as well:", seen - wanted))
        if cells
    ]
    astray = next((way for way in matrix.failed if way.cell not in wanted), None)
    return "; ".join([*told, str(astray)] if astray else told)


def _against_policies(matrix: Matrix) -> str:
    """The network must follow the policies, whatever the table by hand wants."""
    for way in matrix.ways:
        if way.mark not in (Mark.OPEN, Mark.CLOSED):
            continue
        blocked = [each in BLOCKED for each in way.seen]
        if not way.seen or Seen.CHECKFAILED in way.seen:
            return f"not measured: {way.source.label} to {way.target}"
        if any(blocked) if way.verdict.allowed else not all(blocked):
            seen = " then ".join(each.value for each in way.seen)
            return f"{way.source.label} to {way.target} was {seen}, but the policies say: {way.verdict}"
    return ""


def _counted(cells: set[Cell]) -> str:
    first = " to ".join(min(cells))
    return first if len(cells) == 1 else f"{len(cells)} cells, such as {first}"
