"""A chat message under a key of its own, and what the state store remembers of it.

The person is made for the occasion, without a browser, and removed afterwards with everything that belongs to it. What
is remembered of the message ends by itself: it has a time to live.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runbook.app.application import BACKEND, REDIS_PORT, SIDECAR_PORT
from runbook.app.dapr import redis
from runbook.clients.kube import pod_http, workloads
from runbook.clients.redis import RedisError, converse
from runbook.engine.errors import Unmeasurable
from runbook.probes.conversation import remove_people
from runbook.probes.person import SECONDS, Person

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

REPLAYED = "idempotency-replayed"
REQUEST_ID = "x-request-id"
SEPARATOR = "||"
"""Between an application's id and its key, as Dapr writes them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of the same message sent twice under one key."""

    key: str
    request_id: str
    """Of the first one, as every service writes it down."""
    statuses: tuple[int, int]
    replayed: bool
    """The second answer was the stored first one, and said so."""
    same: bool
    left: str
    """What could not be removed; empty when nothing is left."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A key as Redis holds it."""

    name: str
    """In full, with the prefix that Dapr gives it."""
    fields: tuple[str, ...]
    seconds: int
    """Until it ends; negative where it never does."""


def send_twice(world: World, between: Callable[[], None] = lambda: None) -> Sent:
    """Sign up a person through the ingress, and send one message twice under the same key; `between` comes in between.

    Raises `Unmeasurable` where nobody can be signed up, or nothing answers.
    """
    key = str(uuid4())
    try:
        with Person(world) as person:
            world.progress("sending one chat message twice under one key")
            first = person.say("Add a task to buy plums", key)
            between()
            second = person.say("Add a task to buy plums", key)
    finally:
        left = remove_people(world)
    return Sent(
        key=key,
        request_id=first.headers.get(REQUEST_ID, ""),
        statuses=(first.status_code, second.status_code),
        replayed=second.headers.get(REPLAYED) == "true" and REPLAYED not in first.headers,
        same=_content(first) == _content(second),
        left=left,
    )


def has_server(world: World) -> bool:
    """Whether Redis has a pod at all."""
    return bool(redis.pods(world))


def recall(world: World, key: str) -> Remembered | None:
    """What Redis itself holds of a key, asked past Dapr. Raises `Unmeasurable` where it does not answer."""
    namespace, running = world.settings.namespace, redis.pods(world)
    if not running:
        raise Unmeasurable("there is no pod of Redis", wanted="its pod", hint="inv verify.step T085")
    with world.api.port_forward(workloads.name(running[0]), REDIS_PORT, namespace) as port:
        login = ["AUTH", redis.password(world)]
        _, names = _answers(converse(port, login, ["KEYS", f"*{key}*"]))
        if not names:
            return None
        name = str(names[0])
        _, held, left = _answers(converse(port, login, ["HGETALL", name], ["TTL", name]))
    return Remembered(name, tuple(map(str, held[::2])), int(left))


def through_sidecar(world: World, pod: Mapping[str, Any], store: str, key: str) -> int:
    """The status with which the sidecar of a pod answers for a key: 200 when it has it, 204 when the store has not."""
    return pod_http.ask(
        world.api, pod, SIDECAR_PORT, f"/v1.0/state/{store}/{key}", timeout=SECONDS
    ).status_code


def own_key(name: str) -> str:
    """The application's part of a key of Redis; empty where it has not the backend's prefix."""
    prefix = f"{BACKEND.app_id}{SEPARATOR}"
    return name.removeprefix(prefix) if name.startswith(prefix) else ""


def _content(answer: httpx.Response) -> Any:
    """What an answer says; the order of its fields is nobody's promise."""
    try:
        return answer.json()
    except ValueError:
        return answer.text


def _answers(replies: list[Any]) -> list[Any]:
    """Raises `Unmeasurable` for a refusal of Redis."""
    for reply in replies:
        if isinstance(reply, RedisError):
            raise Unmeasurable(
                f"Redis refuses: {reply}", wanted="an answer", hint="inv verify.step T085"
            ) from None
    return replies
