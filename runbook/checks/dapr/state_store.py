"""State saved through the backend: kept by Dapr in Redis under the backend's name, for a while, and for nobody else."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER, STATE_STORE
from runbook.app.sidecars import application_pods, of_component, reachable
from runbook.engine.step import Outcome, failed, passed
from runbook.probes import remembered
from runbook.probes.dapr import invocation

if TYPE_CHECKING:
    from runbook.world import World

FIELDS = ("data", "version")
"""What Dapr keeps of a value in Redis: the value, and the version that its ETag is."""

KEPT_SECONDS = 600
"""How long an answer is kept under its key at most."""


def kept(world: World) -> Outcome:
    """One chat message sent twice under one key is answered once, by a tool of the MCP server; Redis holds that answer
    under the backend's name and with a time to live; the backend's sidecar reads it, the frontend's has no such store.

    A drill: the person and the task are removed afterwards; what is remembered ends by itself.

    Source: T091, D-26.
    """
    wanted = f"the answer in Redis under {BACKEND.app_id}{remembered.SEPARATOR}..., with a time to live, for it alone"
    hint = (
        f"kubectl --namespace {world.settings.namespace} logs deployment/backend --all-containers --tail 30"
    )
    sent = remembered.send_twice(world)
    if sent.statuses != (200, 200):
        return failed(
            f"the message was answered {sent.statuses[0]}, and sent again {sent.statuses[1]}",
            wanted=wanted,
            hint=hint,
        )
    if not (sent.replayed and sent.same):
        return failed("the same message under the same key was answered again", wanted=wanted, hint=hint)
    if not remembered.has_server(world):  # the answer was remembered elsewhere: measured, and not as wanted
        return failed(
            "Redis has no pod, so nothing is kept in it", wanted=wanted, hint="inv verify.step T085"
        )
    held = remembered.recall(world, sent.key)
    if held is None:
        return failed(
            "Redis holds nothing of that key: the answer was kept elsewhere", wanted=wanted, hint=hint
        )
    problems = []
    own = remembered.own_key(held.name)
    if not own:
        problems.append(f"Redis holds it as {held.name}, without the prefix {BACKEND.app_id}")
    if set(FIELDS) - set(held.fields):
        problems.append(f"it has the fields {', '.join(held.fields)}, not {', '.join(FIELDS)}")
    if not 0 < held.seconds <= KEPT_SECONDS:
        problems.append(f"it ends in {held.seconds} s, not within {KEPT_SECONDS}")
    if not problems:
        problems += _through_sidecars(world, own)
    if not invocation.heard(world, reachable(world, MCP_SERVER), sent.request_id):
        problems.append("the MCP server never heard of the message: it was answered without a tool")
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, state=asdict(held))
    left = f"; not cleaned up: {sent.left}" if sent.left else ""
    return passed(
        f"a message sent twice was answered once; Redis keeps the answer for {held.seconds} s more under"
        f" {held.name.partition('-')[0]}-...; the frontend's sidecar has no such store{left}",
        wanted=wanted,
        state=asdict(held),
    )


def _through_sidecars(world: World, key: str) -> list[str]:
    """That the backend's sidecar has it shows that the question finds it."""
    pods = application_pods(world)
    inside, outside = (
        remembered.through_sidecar(world, of_component(pods, component)[0], STATE_STORE, key)
        for component in (BACKEND, FRONTEND)
    )
    problems = [] if inside == 200 else [f"the backend's own sidecar answers {inside} for it"]
    if outside < 400:
        problems.append(f"the frontend's sidecar answers {outside} for it, and should not know the store")
    return problems
