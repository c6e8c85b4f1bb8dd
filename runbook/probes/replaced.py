"""The backend's pods deleted under a person, and the same person's data looked at through the new ones."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND
from runbook.app.sidecars import application_pods
from runbook.clients.kube import workloads
from runbook.engine import evidence
from runbook.engine.errors import Unmeasurable
from runbook.engine.waiting import NotYet, Sight, Subject, eventually, watching
from runbook.probes import rows
from runbook.probes.conversation import remove_people
from runbook.probes.person import Person

if TYPE_CHECKING:
    from runbook.world import World

NAME = "replaced"
ANSWERED = 60.0
"""Seconds after the new pod is Ready in which the application must answer again; mostly it does at once."""

LOGGED = 15.0
"""Seconds until a line is in the log that the API server shows."""


def hold(world: World, identity: str) -> Mapping[str, Any]:
    """Have a person store something, delete the pods, wait for new ones, ask for it again, and write all of it down."""
    nonce = secrets.token_hex(4)
    seen: dict[str, Any] = {"identity": identity, "nonce": nonce}
    try:
        with Person(world) as person:
            _store(person, nonce)
            seen["before"] = rows.of_person(world, nonce)
            _replace(world, seen)
            _ask(world, person, seen)
            seen["after"] = rows.of_person(world, nonce)
    finally:
        seen["left"] = remove_people(world)
        evidence.write(world.settings, NAME, seen)
    return seen


def _store(person: Person, nonce: str) -> None:
    """A task by chat, with its conversation, and one by the API."""
    said = person.say(f"Add a task to buy quinces {nonce}")
    if said.status_code != 200:
        raise Unmeasurable(
            f"the message was answered {said.status_code}",
            wanted="something stored before the pod is deleted",
            hint="inv verify.step T053 --drills",
        )
    rows.store(person, f"keep {nonce}")


def _replace(world: World, seen: dict[str, Any]) -> None:
    space = world.settings.namespace
    old = {pod["metadata"]["uid"]: workloads.name(pod) for pod in _pods(world)}
    seen["old"] = sorted(old.values())
    world.progress(f"deleting pod {', '.join(seen['old'])}")
    began = time.monotonic()
    for uid, name in old.items():
        world.api.delete("Pod", name, space, uid=uid)
    subject = Subject("Pod", space, f"app.kubernetes.io/name={BACKEND.name}")

    def judge(sight: Sight) -> list[str]:
        pods = sight[subject]
        there = {pod["metadata"]["uid"] for pod in pods}
        new = [pod for pod in pods if pod["metadata"]["uid"] not in old]
        ready = [workloads.name(pod) for pod in new if not workloads.pod_problem(pod)]
        if len(ready) >= len(old) and "ready_seconds" not in seen:
            seen["ready_seconds"] = round(time.monotonic() - began, 2)
        if there & old.keys() or len(ready) < len(old):
            words = [workloads.pod_problem(pod) for pod in pods]
            raise NotYet(workloads.describe(words) or "a deleted pod is still there")
        return sorted(ready)

    seen["new"] = watching(
        world.api,
        (subject,),
        judge,
        timeout=world.settings.ready_timeout,
        wanted="the deleted pods gone, and as many new ones Ready",
        hint=f"kubectl --namespace {space} get pods,events",
        progress=world.progress,
        stopping=world.stopping,
    )
    seen["gone_seconds"] = round(time.monotonic() - began, 2)


def _ask(world: World, person: Person, seen: dict[str, Any]) -> None:
    """The person's tasks and conversations, with a request id that is looked for in the new pods' logs."""
    import httpx

    request, began = f"drill-{secrets.token_hex(8)}", time.monotonic()

    def listed() -> httpx.Response:
        try:
            answer = person.ask("GET", "/tasks", headers={"X-Request-ID": request})
        except httpx.HTTPError as problem:
            raise NotYet(repr(problem)) from None
        if answer.status_code != 200:
            raise NotYet(f"the list of tasks was answered {answer.status_code}")
        return answer

    answer = eventually(listed, timeout=ANSWERED, wanted="an answer of the new pod", stopping=world.stopping)
    seen["answered_seconds"] = round(time.monotonic() - began, 2)
    seen["titles"] = sorted(str(task["title"]) for task in answer.json()["tasks"])
    seen["conversations"] = person.ask("GET", "/conversations").json().get("total", 0)
    seen["request_id"] = answer.headers.get("x-request-id", "")

    def logged() -> str:
        for name in seen["new"]:
            if request in world.api.logs(name, BACKEND.name, world.settings.namespace):
                return str(name)
        raise NotYet(f"request {request} is in no log of a new pod")

    seen["served_by"] = eventually(logged, timeout=LOGGED, wanted="the request in the log of a new pod")


def _pods(world: World) -> list[dict[str, Any]]:
    """Raises `Unmeasurable` where the backend has none that could be deleted."""
    found = [pod for pod in application_pods(world) if workloads.component(pod) == BACKEND.name]
    if not found:
        raise Unmeasurable("the backend has no pod", wanted="a pod to delete", hint="inv deploy")
    return found
