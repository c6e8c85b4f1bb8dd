"""Breaking the deployed application on purpose: the right step turns red and names the cause; then all is restored."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial

import pytest
from planting import BACKEND, FRONTEND, MCP_SERVER, READY, Fault, Hands, planted

from runbook.catalogue import find
from runbook.cli.entry import journal_of
from runbook.engine.attempt import attempt
from runbook.engine.events import Mode, worse
from runbook.engine.step import Outcome
from runbook.world import World

CONTAINER = "/spec/template/spec/containers/0"
DATABASE = ("StatefulSet", "postgres", "todo-database")
DNS = ("Deployment", "coredns", "kube-system")
INGRESS_CLASS = ("IngressClass", "nginx", "")
SECRET = ("Secret", "todo-secrets", "todo")


def _replace(path: str, value: object) -> dict[str, object]:
    return {"op": "replace", "path": path, "value": value}


def _lose_a_secret_key(hands: Hands) -> None:
    hands.patch(SECRET, {"op": "remove", "path": "/data/mcp-database-url"})
    hands.kubectl("-n", "todo", "delete", "pod", "-l", "app.kubernetes.io/name=mcp-server", "--wait=false")


def _stale_image(hands: Hands) -> None:
    """Another image under the backend's tag, as an old build would be."""
    client = hands.world.docker.client
    hands.kept["image"] = client.image.inspect("todo-backend:1.0.0").id
    client.image.tag("todo-mcp-server:1.0.0", "todo-backend:1.0.0")


def _fresh_image(hands: Hands) -> None:
    hands.world.docker.client.image.tag(hands.kept["image"], "todo-backend:1.0.0")


FAULTS = (
    Fault(
        "wrong image tag",
        {"T049": r"ErrImageNeverPull|ImagePullBackOff"},
        lambda hands: hands.patch(BACKEND, _replace(f"{CONTAINER}/image", "todo-backend:9.9.9")),
        objects=(BACKEND,),
    ),
    Fault(
        "missing secret key",
        {"T049": r"mcp-database-url"},
        _lose_a_secret_key,
        objects=(SECRET,),
    ),
    Fault(
        "wrong probe path",
        {"T032": r"/nowhere", "T049": r"404"},
        lambda hands: hands.patch(BACKEND, _replace(f"{CONTAINER}/readinessProbe/httpGet/path", "/nowhere")),
        objects=(BACKEND,),
    ),
    Fault(
        "wrong port",
        {"T033": r"9999", "T050": r"9999|backend"},
        lambda hands: hands.patch(
            ("Service", "backend-svc", "todo"), _replace("/spec/ports/0/targetPort", 9999)
        ),
        objects=(("Service", "backend-svc", "todo"),),
    ),
    Fault(
        "MCP server gone",
        {"T049": r"mcp-server", "T050": r"mcp-server"},
        lambda hands: hands.scale(MCP_SERVER, 0),
        objects=(MCP_SERVER,),
    ),
    Fault(
        "database gone",
        {"T053": r"(?i)database|503|ready"},
        lambda hands: hands.scale(DATABASE, 0),
        objects=(DATABASE,),
        drills=True,
    ),
    Fault(
        "root filesystem writable",
        {"T025": r"readOnlyRootFilesystem"},
        lambda hands: hands.patch(
            FRONTEND, _replace(f"{CONTAINER}/securityContext/readOnlyRootFilesystem", False)
        ),
        objects=(FRONTEND,),
    ),
    Fault(
        "program that writes to its read-only root",
        {"T049": r"Read-only file system"},
        lambda hands: hands.patch(
            BACKEND,
            {
                "op": "add",
                "path": f"{CONTAINER}/command",
                "value": ["python", "-c", "open('/written', 'w')"],
            },
        ),
        objects=(BACKEND,),
    ),
    Fault(
        "missing ingress class",
        {"T044": r"nginx", "T051": r"404|not"},
        lambda hands: hands.kubectl("delete", "ingressclass", "nginx"),
        objects=(INGRESS_CLASS,),
    ),
    Fault(
        "stale image under the same tag",
        {"T016": r"(?i)digest|source", "T046": r"todo-backend"},
        _stale_image,
        undo=_fresh_image,
    ),
    Fault(
        "no DNS",
        {"T043": r"DNS"},
        lambda hands: hands.scale(DNS, 0),
        objects=(DNS,),
    ),
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name.replace(" ", "-"))
def test_a_fault_turns_its_step_red(fault: Fault, world: World) -> None:
    check_fault(fault, world)


def check_fault(fault: Fault, world: World) -> None:
    """Green before, red with the cause named while the fault is there, green again after."""
    _all_green(fault, world)
    with planted(fault, world):
        for step, cause in fault.reds.items():
            seen = _until(partial(_names, cause), step, world, fault)
            assert not seen.green, f"{step} stayed green with {fault.name}"
            assert _names(cause, seen), f"{step} does not name the cause: {_words(seen)}"
    _all_green(fault, world)


def _all_green(fault: Fault, world: World) -> None:
    for step in ("T049", *fault.reds):
        seen = _until(lambda outcome: outcome.green, step, world, fault, READY)
        assert seen.green, f"{step} is not green without the fault: {_words(seen)}"


def _names(cause: str, outcome: Outcome) -> bool:
    return not outcome.green and re.search(cause, _words(outcome)) is not None


def _words(outcome: Outcome) -> str:
    return f"{outcome.observed}; wanted: {outcome.wanted}; try: {outcome.hint}"


def _ask(step_id: str, world: World, *, drills: bool) -> Outcome:
    """A step's check and its live half, as `inv verify` asks them."""
    world.clients.memory.forget()
    step = find(step_id)
    journal = journal_of(world.settings)
    outcome = attempt(step, world, mode=Mode.VERIFY, journal=journal, repeat=drills).outcome
    if step.live is not None:
        live = attempt(step, world, mode=Mode.VERIFY, journal=journal, live=True).outcome
        outcome = worse(outcome, live)
    return outcome


def _until(
    wanted: Callable[[Outcome], bool], step_id: str, world: World, fault: Fault, patience: float | None = None
) -> Outcome:
    """The first wanted outcome; or the last one, once patience has ended."""
    deadline = time.monotonic() + (patience or fault.patience)
    while True:
        outcome = _ask(step_id, world, drills=fault.drills)
        if wanted(outcome) or time.monotonic() > deadline:
            return outcome
        time.sleep(1.0)
