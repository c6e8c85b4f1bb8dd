"""The chat as a person meets it, and the way that an answer took through the services."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, MCP_SERVER, Component
from runbook.checks.cluster.pods import fingerprint
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.probes import conversation
from runbook.probes.conversation import Proof

if TYPE_CHECKING:
    from runbook.world import World

ANSWER_LIMIT = 10.0
"""Seconds (SC-003)."""

CANARY_SECONDS = 10.0
"""For so long an answer counts as one of now."""

TOOL = "add_task"
EARLIER = 120.0
"""Seconds of log that are read before the conversation: clocks of node and machine may differ a little."""


def answers(world: World) -> Outcome:
    """A person signs up in a browser, sends a message, sees the answer within ten seconds and the task in the list.

    A drill: the person and the task are removed afterwards.

    Source: T053.
    """
    wanted = f"an answer in the browser within {ANSWER_LIMIT:g} s, and its task in the list"
    proof = conversation.hold(world, fingerprint(world))
    evidence = asdict(proof)
    hint = f"kubectl -n {world.settings.namespace} logs deployment/backend --tail 30"
    problem = _problem(proof)
    if problem:
        return failed(problem, wanted=wanted, hint=hint, **evidence)
    told = f"answered in {proof.seconds:.1f} s, task `pears {proof.nonce}` in the list"
    if proof.left:
        told += f"; not cleaned up: {proof.left}"
    return passed(told, wanted=wanted, **evidence)


def answers_now(world: World) -> Outcome:
    """One message of somebody new is answered in time, and its task is in PostgreSQL: while T053's proof is carried.

    Source: T053.
    """
    wanted = f"an answer within {ANSWER_LIMIT:g} s now, and its task"
    proof = _canary(world)
    hint = "inv verify.step T053 --drills"
    if proof.rows_problem:
        return unproven(f"the row could not be read: {proof.rows_problem}", wanted=wanted, hint=hint)
    if problem := _problem(proof):
        return failed(f"now {problem}", wanted=wanted, hint=hint, **asdict(proof))
    return passed(f"answered in {proof.seconds:.1f} s now", wanted=wanted, **asdict(proof))


def used_the_mcp_server_now(world: World) -> Outcome:
    """The logs show the request and the tool call of that message: while T054's proof is carried.

    Source: T054.
    """
    return _way(world, _canary(world))


def _canary(world: World) -> Proof:
    """One message for both steps of a run; what comes later in the same process sends another."""
    return world.once(
        ("chat canary", time.monotonic() // CANARY_SECONDS), lambda: conversation.by_http(world)
    )


def _problem(proof: Proof) -> str:
    if proof.problem:
        return "; ".join([proof.problem, *proof.page_problems])
    if proof.status != 200:
        return f"the message was answered {proof.status}: {proof.answer}"
    if proof.seconds >= ANSWER_LIMIT:
        return f"the answer took {proof.seconds:.1f} s"
    return "" if proof.listed else "the task of the message is not in the list"


def used_the_mcp_server(world: World) -> Outcome:
    """The logs of backend and MCP server show that very request and its tool call, and PostgreSQL held its row.

    It is the conversation of the step before; where another drill has replaced the pods that logged it, one more
    message takes its place. The row was read by a connection that is not the application's.

    Source: T054.
    """
    proof = conversation.require(world.settings, fingerprint(world))
    return _way(world, conversation.by_http(world) if _log_is_gone(world, proof) else proof)


def _log_is_gone(world: World, proof: Proof) -> bool:
    """All pods of one of the two services are younger than the conversation."""
    asked = datetime.fromisoformat(proof.at)
    for component in (BACKEND, MCP_SERVER):
        labels = f"app.kubernetes.io/name={component.name}"
        pods = world.api.list("Pod", world.settings.namespace, labels=labels)
        born = [datetime.fromisoformat(pod["metadata"]["creationTimestamp"]) for pod in pods]
        if born and min(born) > asked:
            return True
    return False


def _way(world: World, proof: Proof) -> Outcome:
    wanted = (
        "one request id in the answer, the backend's log and the MCP server's log, and the row in PostgreSQL"
    )
    namespace = world.settings.namespace
    hint = f"kubectl -n {namespace} logs deployment/mcp-server --tail 30"
    if not proof.request_id:
        return failed("the answer carried no X-Request-ID", wanted=wanted, hint=hint, nonce=proof.nonce)
    calls = [line for line in _lines(world, MCP_SERVER, proof) if line.get("event") == "tool_call"]
    asked = [line for line in _lines(world, BACKEND, proof) if line.get("event") == "mcp_tool_call"]
    evidence: dict[str, Any] = {
        "request_id": proof.request_id,
        "nonce": proof.nonce,
        "mcp_server": calls,
        "backend": asked,
        "rows": list(proof.rows),
    }
    problem = _way_problem(proof, calls, asked)
    if problem:
        return failed(problem, wanted=wanted, hint=hint, **evidence)
    if proof.rows_problem:
        return unproven(
            f"the row could not be read: {proof.rows_problem}",
            wanted=wanted,
            hint="inv verify.step T053 --drills",
            **evidence,
        )
    made = {str(line.get("task_id")) for line in calls if line.get("tool") == TOOL}
    rows = {str(row["id"]) for row in proof.rows}
    if not rows & made:
        return failed(
            f"PostgreSQL held rows {sorted(rows)} for the message, the MCP server says it made {sorted(made)}",
            wanted=wanted,
            hint=hint,
            **evidence,
        )
    return passed(
        f"request {proof.request_id}: the backend called {TOOL}, the MCP server made task {min(rows & made)},"
        " PostgreSQL held its row",
        wanted=wanted,
        **evidence,
    )


def _way_problem(proof: Proof, calls: list[Mapping[str, Any]], asked: list[Mapping[str, Any]]) -> str:
    if not any(line.get("tool") == TOOL and line.get("outcome") == "ok" for line in calls):
        others = ", ".join(f"{line.get('tool')}: {line.get('outcome')}" for line in calls) or "none"
        return f"the MCP server's log has no successful {TOOL} for request {proof.request_id} (its calls: {others})"
    if not any(line.get("tool") == TOOL for line in asked):
        return f"the backend's log has no call of {TOOL} for request {proof.request_id}"
    return ""


def _lines(world: World, component: Component, proof: Proof) -> list[Mapping[str, Any]]:
    """JSON log lines of the conversation's request. Raises `Unmeasurable` where the log says nothing."""
    namespace = world.settings.namespace
    pods = world.api.list("Pod", namespace, labels=f"app.kubernetes.io/name={component.name}")
    age = (datetime.now(UTC) - datetime.fromisoformat(proof.at)).total_seconds() + EARLIER
    read, found = 0, []
    for pod in pods:
        for line in _parsed(world.api.logs(workloads.name(pod), component.name, namespace, since=age)):
            read += 1
            if line.get("request_id") == proof.request_id:
                found.append(line)
    if not read:
        raise Unmeasurable(
            f"the log of {component.name} has no line in JSON since the conversation",
            wanted="a log that can be read",
            hint=f"kubectl -n {namespace} logs deployment/{component.name} --tail 30",
        )
    return found


def _parsed(log: str) -> Iterator[Mapping[str, Any]]:
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry
