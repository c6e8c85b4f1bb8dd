"""How long each pod took from its creation to being Ready for the first time.

The API keeps only the last change of a condition, so the first one is written down when it is seen; a readiness that
comes and goes later does not change it. Of a pod that is seen late the last change is an upper bound: where it is
over the limit, the pod may have been ready long before (the machine was restarted since), and nothing is written down.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from runbook.clients.kube import workloads
from runbook.engine import state_file
from runbook.engine.errors import RunbookError
from runbook.engine.settings import Settings

Object = Mapping[str, Any]


class FirstReady:
    """A small file beside the evidence, by pod UID."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.state / "evidence" / "readiness.json"
        self._limit = settings.ready_timeout

    def seconds(self, pods: Iterable[Object]) -> dict[str, float]:
        """Seconds to the first readiness of each Ready pod, at most, by its name; newly seen ones are written down."""
        written = self._read()
        found: dict[str, float] = {}
        kept: dict[str, float] = {}
        for pod in pods:
            took = written.get(str(pod["metadata"]["uid"]))
            if took is None and (took := _measured(pod)) is None:
                continue
            found[workloads.name(pod)] = took
            if took <= self._limit:
                kept[str(pod["metadata"]["uid"])] = took
        if kept.keys() - written.keys():
            self._write(kept)
        return found

    def _read(self) -> dict[str, float]:
        try:
            content = state_file.read_json(self._path) or {}
            return {str(uid): float(took) for uid, took in content.items()}
        except (RunbookError, ValueError, TypeError):
            return {}  # damaged, or written by another version: measured again

    def _write(self, content: Mapping[str, float]) -> None:
        state_file.write_json(self._path, dict(content))


def _measured(pod: Object) -> float | None:
    ready = workloads.condition(pod, "Ready")
    if ready.get("status") != "True" or "lastTransitionTime" not in ready:
        return None
    return (
        _moment(ready["lastTransitionTime"]) - _moment(pod["metadata"]["creationTimestamp"])
    ).total_seconds()


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(str(text))
