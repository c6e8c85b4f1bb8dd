"""Calls from one sidecar to another, begun on the first one's loopback as its own application begins them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runbook.app.application import SIDECAR_PORT, Component
from runbook.clients.kube import pod_http, workloads
from runbook.clients.kube.transport import Refused
from runbook.engine.errors import TimedOut
from runbook.engine.waiting import NotYet, eventually

if TYPE_CHECKING:
    from runbook.world import World

Object = Mapping[str, Any]

SECONDS = 10.0
DENIED = "PermissionDenied"
LOG_SECONDS = 30.0
WRITTEN_SECONDS = 3.0
"""Until a line that was written can be read."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    request_id: str

    @property
    def denied(self) -> bool:
        """The called sidecar refused, by its access control; not the application, and not the network."""
        return self.status == 403 and DENIED in self.body


def call(world: World, pod: Object, called: Component, path: str) -> Answer:
    """GET a path of another application by the sidecar of this pod. Raises `Unmeasurable` where none answers."""
    request_id = str(uuid4())
    answer = pod_http.ask(
        world.api,
        pod,
        SIDECAR_PORT,
        f"/v1.0/invoke/{called.app_id}/method{path}",
        headers={"X-Request-ID": request_id},
        timeout=SECONDS,
    )
    return Answer(answer.status_code, answer.text[:500], request_id)


def heard(world: World, pods: Sequence[Object], request_id: str) -> bool:
    """Whether the application of one of these pods wrote of a request with this id, within a moment."""
    began = time.monotonic()

    def look() -> bool:
        since = LOG_SECONDS + time.monotonic() - began
        for pod in pods:
            with suppress(Refused):  # one that was ending may be gone
                text = world.api.logs(
                    workloads.name(pod), workloads.component(pod), world.settings.namespace, since=since
                )
                if request_id and request_id in text:
                    return True
        raise NotYet(f"no line with request id {request_id}")

    try:
        return eventually(look, timeout=WRITTEN_SECONDS, wanted="the request in the log")
    except TimedOut:
        return False
