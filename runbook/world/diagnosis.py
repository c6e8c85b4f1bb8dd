"""Why a pod is not ready, beyond its own status: its last warning event and its container's last words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.errors import RunbookError
from runbook.world import workloads
from runbook.world.api import Api
from runbook.world.redaction import redact

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
