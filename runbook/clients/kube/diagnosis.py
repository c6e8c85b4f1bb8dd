"""Why a pod is not ready, beyond its own status: its last warning event and its container's last words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError
from runbook.engine.redaction import redact

if TYPE_CHECKING:
    from runbook.clients.kube.api import Api

LAST_LINES = 5
LONGEST = 300
"""Characters of one line that are shown."""


def why(api: Api, pod: Mapping[str, Any]) -> str:
    """The last warning event and the last log lines of each container that is not ready; empty where none are kept."""
    namespace, pod_name = str(pod["metadata"]["namespace"]), workloads.name(pod)
    told = []
    try:
        warnings = [
            e for e in api.events(namespace, about=str(pod["metadata"]["uid"])) if e.get("type") == "Warning"
        ]
        if warnings:
            told.append(
                f"event {warnings[-1].get('reason')}: {str(warnings[-1].get('message', '')).strip()[:LONGEST]}"
            )
        for container, status in workloads.containers(pod).items():
            if not status.get("ready") and (lines := last_lines(api, pod_name, container, namespace, status)):
                told.append(f"{container} wrote: {lines}")
    except RunbookError:
        told.append("its events and logs cannot be read")
    return redact("; ".join(told))


def last_lines(api: Api, pod: str, container: str, namespace: str, status: Mapping[str, Any]) -> str:
    """What the container wrote last; of its previous life where it just restarted."""
    restarted = int(status.get("restartCount", 0)) > 0 and "running" not in (status.get("state") or {})
    try:
        text = api.logs(pod, container, namespace, tail=LAST_LINES, previous=restarted)
    except RunbookError:
        return ""
    return " | ".join(line.strip()[:LONGEST] for line in text.splitlines() if line.strip())


def bundle(api: Api, namespace: str) -> dict[str, Any]:
    """All that tells why a namespace's workloads are as they are, redacted: pods, events, last log lines."""
    kept: dict[str, Any] = {}
    try:
        pods = api.list("Pod", namespace)
        kept["pods"] = [{"pod": workloads.name(pod), "status": pod.get("status")} for pod in pods]
        kept["events"] = [
            {key: event.get(key) for key in ("lastTimestamp", "type", "reason", "message", "involvedObject")}
            for event in api.events(namespace)
        ]
        kept["logs"] = {
            f"{workloads.name(pod)}/{container}": _log(api, pod, container)
            for pod in pods
            for container in workloads.containers(pod)
        }
    except RunbookError as problem:
        kept["incomplete"] = problem.observed
    redacted: dict[str, Any] = json.loads(redact(json.dumps(kept)))
    return redacted


def _log(api: Api, pod: Mapping[str, Any], container: str) -> str:
    told = []
    for previous in (True, False):
        try:
            told.append(
                api.logs(
                    workloads.name(pod), container, pod["metadata"]["namespace"], tail=100, previous=previous
                )
            )
        except RunbookError:
            continue
    return "\n".join(told)
