"""When a node that is starting is ready: its API server, its processes, its kubelet's own word."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.cluster import Progress
from runbook.cluster.embedded.sandbox import Sandbox
from runbook.engine.errors import Unmeasurable
from runbook.engine.waiting import NotYet, Sight, Subject, eventually, watching

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api

API_SECONDS = 120.0
NODE_SECONDS = 90.0


def wait_for_api(api: Api, folder: Path, progress: Progress) -> None:
    """Until the API server says that it is ready and has its own namespaces."""

    def look() -> None:
        try:
            answer = api.raw("/readyz", timeout=2.0)
        except Unmeasurable as error:
            raise NotYet("the API server does not answer yet") from error
        if answer.status_code != 200:
            failing = [line[3:].split()[0] for line in answer.text.splitlines() if line.startswith("[-]")]
            more = f" and {len(failing) - 1} more" if len(failing) > 1 else ""
            raise NotYet(f"API server: {failing[0] if failing else answer.status_code}{more} not ready")
        if api.get("Namespace", "kube-system") is None:
            raise NotYet("API server: its namespaces are not there yet")

    progress("waiting for the API server")
    eventually(
        look,
        timeout=API_SECONDS,
        every=0.1,
        slowest=0.2,
        wanted="a ready API server",
        hint=f"tail {folder}/log/kube-apiserver/current",
        progress=progress,
    )


def wait_for_processes(api: Api, sandbox: Sandbox, name: str, progress: Progress) -> None:
    """Until all processes are up and the kubelet answers: the API calls a node Ready long after its kubelet died."""

    def look() -> None:
        down = [each for each, state in sandbox.states().items() if not state.startswith("up")]
        if down:
            raise NotYet(f"not up: {', '.join(down)}")
        if api.raw(f"/api/v1/nodes/{name}/proxy/healthz", timeout=5.0).status_code != 200:
            raise NotYet("the kubelet does not answer")

    eventually(
        look,
        timeout=NODE_SECONDS,
        every=0.1,
        slowest=0.3,
        wanted="all processes of the node up",
        hint=f"tail {sandbox.folder}/log/*/current",
        progress=progress,
    )


def wait_for_node(api: Api, name: str, since: str, folder: Path, progress: Progress) -> None:
    """Until the node is Ready by a report not older than `since` (RFC 3339, UTC)."""

    def judge(sight: Sight) -> None:
        found = next((node for nodes in sight.values() for node in nodes), None)
        if problem := node_problem(found, since):
            raise NotYet(problem)

    watching(
        api,
        [Subject("Node", fields=f"metadata.name={name}")],
        judge,
        timeout=NODE_SECONDS,
        wanted="a Ready node",
        hint=f"tail {folder}/log/kubelet/current",
        progress=progress,
    )


def node_problem(node: Mapping[str, Any] | None, since: str) -> str:
    """What keeps the node from being Ready now; empty when nothing does."""
    if node is None:
        return "the kubelet has not registered yet"
    conditions = {condition["type"]: condition for condition in node.get("status", {}).get("conditions", [])}
    ready = conditions.get("Ready", {})
    if ready.get("lastHeartbeatTime", "") < since:
        return "the kubelet has not reported yet"
    return "" if ready.get("status") == "True" else f"not Ready: {ready.get('message', 'no condition')}"
