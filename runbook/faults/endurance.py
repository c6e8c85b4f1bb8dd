"""What people notice while something is broken: the chat goes on, or says that it cannot, and comes back by itself."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from runbook.actions.dapr import redis as redis_release
from runbook.app.application import BACKEND, SIDECAR, SIDECAR_PORT, STATE_STORE
from runbook.app.dapr import redis
from runbook.app.sidecars import application_pods, of_component
from runbook.clients.kube import workloads
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.waiting import NotYet, Sight, Subject, eventually, watching
from runbook.faults.planting import Hands
from runbook.probes import remembered
from runbook.probes.conversation import remove_people
from runbook.probes.person import Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

MESSAGE = "Add a task to buy cherries"
BACK = 60.0
"""Seconds within which the chat answers again by itself."""

EVERY = 1.0
"""Seconds between two messages of somebody who tries again."""

FLOOD = r"""
import socket, sys
from concurrent.futures import ThreadPoolExecutor
port, path = int(sys.argv[1]), sys.argv[2]
body = b'[{"key": "mutant", "value": "' + b'x' * (4 * 1000 * 1000)
fields = ['Host: localhost', 'Content-Type: application/json', f'Content-Length: {len(body) + 3}']
head = '\r\n'.join([f'POST {path} HTTP/1.1', *fields, '', ''])
def hold(_):
    try:
        with socket.create_connection(('127.0.0.1', port), timeout=60) as way:
            way.sendall(head.encode())
            way.sendall(body)
            way.recv(1)
    except OSError:
        pass
with ThreadPoolExecutor(150) as pool:
    list(pool.map(hold, range(150)))
"""
"""Values of the state store that never come to their end: the sidecar keeps what it has of each in memory."""

FLOOD_SECONDS = 120.0
NOTICED = 20.0
"""Seconds until the API knows that a container has been started anew."""

READY_SECONDS = 120.0


def chat_answers(hands: Hands) -> str:
    """One message of somebody new is answered. Raises `RunbookError` where it is not."""
    began = time.monotonic()
    try:
        with Person(hands.world) as person:
            answer = person.say(MESSAGE)
    finally:
        remove_people(hands.world)
    if answer.status_code != 200:
        raise RunbookError(
            f"the chat answers {answer.status_code}: {answer.text[:200]}", wanted="an answer to a message"
        )
    return f"the chat answers ({time.monotonic() - began:.1f} s with signing up)"


def state_outlives_its_pod(hands: Hands) -> str:
    """A message that a backend answered, which is deleted then, is known to the next one."""
    world = hands.world
    words: list[str] = []

    def lost() -> None:
        _replace_backend(world)
        with Person(world) as other:  # a call may still meet the old pod: a person tries again, as told
            words.append(_comeback(other, "the new pod was ready"))

    sent = remembered.send_twice(world, between=lost)
    if sent.statuses != (200, 200):
        raise RunbookError(f"the chat answered {sent.statuses[0]} and {sent.statuses[1]}", wanted="200 twice")
    if not (sent.replayed and sent.same):
        raise RunbookError("the new pod computed another answer", wanted="the answer that the old one gave")
    return f"another pod gave the answer of the one that was deleted; {words[0]}"


def starts_over_empty(hands: Hands) -> str:
    """Redis is killed: messages go on being answered; then it is empty, and used again, and nobody restarts anything.

    Source: D-06.
    """
    world = hands.world
    before = _sidecars(world)
    kept = remembered.send_twice(world)
    if not kept.replayed or remembered.recall(world, kept.key) is None:
        raise Unmeasurable("nothing was kept before Redis was killed", wanted="an answer in Redis")
    for pod in redis.pods(world):
        world.api.delete(
            "Pod", workloads.name(pod), world.settings.namespace, uid=pod["metadata"]["uid"], grace=0
        )
    words = chat_answers(hands)
    redis_release.wait(world)
    if remembered.recall(world, kept.key) is not None:
        raise RunbookError("Redis still has what it held", wanted="an empty Redis, as without persistence")
    began = time.monotonic()
    eventually(lambda: _kept_again(world), timeout=BACK, every=EVERY, wanted="a state store that keeps again")
    if _sidecars(world) != before:
        raise RunbookError("a sidecar was restarted", wanted="sidecars that connect again by themselves")
    return f"{words} without Redis; {time.monotonic() - began:.1f} s after it came back empty, answers are kept again"


def exhaust_sidecar(hands: Hands) -> None:
    """Fill the memory of the backend's sidecar until the kernel ends it; then see how the chat comes back.

    Raises `TimedOut` where the sidecar bears it.
    """
    world = hands.world
    pod = of_component(application_pods(world), BACKEND)[0]
    name, space = workloads.name(pod), world.settings.namespace
    try:
        with Person(world) as person:
            flood = ["python3", "-c", FLOOD, str(SIDECAR_PORT), f"/v1.0/state/{STATE_STORE}"]
            world.api.exec(name, BACKEND.name, flood, space, timeout=FLOOD_SECONDS)
            hands.kept["comeback"] = _comeback(person, "the sidecar ended")
    finally:
        remove_people(world)
    eventually(lambda: _ended(world, name), timeout=NOTICED, every=0.2, wanted="a sidecar without memory")


def comeback(hands: Hands) -> str:
    """What `exhaust_sidecar` saw."""
    return str(hands.kept["comeback"])


def replace_backend(hands: Hands) -> None:
    """A pod whose sidecar never crashed, in the place of the one whose sidecar did."""
    _replace_backend(hands.world)


def _comeback(person: Person, what: str) -> str:
    """Ask until the chat answers. Raises `RunbookError` for an answer that no page could show."""
    began = time.monotonic()
    seen: list[int] = []

    def back() -> None:
        answer = person.say(MESSAGE)
        if answer.status_code == 200:
            return
        seen.append(answer.status_code)
        if not _is_kind(answer):
            raise RunbookError(
                f"the chat answered {answer.status_code}: {answer.text[:200]}",
                wanted="a reason that the page shows",
            )
        raise NotYet(f"{answer.status_code}")

    eventually(back, timeout=BACK, every=EVERY, slowest=3.0, wanted="the chat again")
    meanwhile = f", before that {', '.join(map(str, sorted(set(seen))))} with a reason" if seen else ""
    return f"the chat answered {time.monotonic() - began:.1f} s after {what}{meanwhile}"


def _ended(world: World, pod: str) -> None:
    there = world.api.get("Pod", pod, world.settings.namespace)
    if there is None or not (workloads.containers(there).get(SIDECAR) or {}).get("restartCount"):
        raise NotYet("the sidecar bore the flood")


def _is_kind(answer: httpx.Response) -> bool:
    """A refusal of our own, in words: not a page of some proxy, and not silence."""
    try:
        return bool(str(answer.json()["detail"]).strip())
    except (json.JSONDecodeError, KeyError, TypeError):
        return False


def _kept_again(world: World) -> None:
    sent = remembered.send_twice(world)
    if not (sent.replayed and remembered.recall(world, sent.key)):
        raise NotYet(f"answered {sent.statuses[1]}, not kept")


def _replace_backend(world: World) -> None:
    space = world.settings.namespace
    old = {pod["metadata"]["uid"]: pod for pod in of_component(application_pods(world), BACKEND)}
    for uid, pod in old.items():
        world.api.delete("Pod", workloads.name(pod), space, uid=uid)
    subject = Subject("Pod", space, labels=f"app.kubernetes.io/name={BACKEND.name}")

    def others(sight: Sight) -> None:
        there = [pod for pod in sight[subject] if pod["metadata"]["uid"] not in old]
        if text := workloads.describe([workloads.pod_problem(pod) for pod in there]):
            raise NotYet(text)
        if len(there) < len(old):
            raise NotYet("the new pod is not there yet")

    watching(
        world.api,
        [subject],
        others,
        timeout=READY_SECONDS,
        wanted=f"another pod of {BACKEND.name}, ready",
        hint=f"kubectl --namespace {space} get pods,events",
        stopping=world.stopping,
    )


def _sidecars(world: World) -> dict[str, tuple[str, int]]:
    """Each pod, and how often its containers were started anew."""
    return {
        workloads.name(pod): (pod["metadata"]["uid"], workloads.restarts(pod))
        for pod in application_pods(world)
    }
