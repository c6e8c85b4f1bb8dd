"""A chat message under a key of its own, and what the state store remembers of it.

The person is made for the occasion, without a browser, and removed afterwards with everything that belongs to it. What
is remembered of the message ends by itself: it has a time to live.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from runbook.actions import redis
from runbook.application import BACKEND, REDIS_PORT, SIDECAR_PORT
from runbook.drills.conversation import DOMAIN, PROXY, remove_people
from runbook.errors import Unmeasurable
from runbook.world import workloads
from runbook.world.redaction import conceal
from runbook.world.redis import RedisError, converse

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

TURN_SECONDS = 30.0
REPLAYED = "idempotency-replayed"
SEPARATOR = "||"
"""Between an application's id and its key, as Dapr writes them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of the same message sent twice under one key."""

    key: str
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


def send_twice(world: World) -> Sent:
    """Sign up a person through the ingress, and send one message twice under the same key.

    Raises `Unmeasurable` where nobody can be signed up, or nothing answers.
    """
    key = str(uuid4())
    try:
        with _Person(world) as person:
            world.progress("sending one chat message twice under one key")
            first, second = (person.say("Add a task to buy plums", key) for _ in range(2))
    finally:
        left = remove_people(world)
    return Sent(
        key=key,
        statuses=(first.status_code, second.status_code),
        replayed=second.headers.get(REPLAYED) == "true" and REPLAYED not in first.headers,
        same=_content(first) == _content(second),
        left=left,
    )


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


def through_sidecar(world: World, pod: dict[str, Any], store: str, key: str) -> int:
    """The status with which the sidecar of a pod answers for a key: 200 when it has it, 204 when the store has not."""
    import httpx

    name = workloads.name(pod)
    try:
        with world.api.port_forward(name, SIDECAR_PORT, world.settings.namespace) as port:
            url = f"http://127.0.0.1:{port}/v1.0/state/{store}/{key}"
            return httpx.get(url, timeout=TURN_SECONDS, trust_env=False).status_code
    except httpx.HTTPError as problem:
        raise Unmeasurable(
            f"the sidecar of pod {name} does not answer: {problem}",
            wanted="an answer of its state API",
            hint=f"kubectl --namespace {world.settings.namespace} logs {name} --container daprd",
        ) from None


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


class _Person:
    """Somebody who is signed in, by the same requests that the page makes."""

    def __init__(self, world: World) -> None:
        import httpx

        self._world = world
        self._id = ""
        self._client = httpx.Client(
            base_url=f"http://{world.http.address()}",
            headers={"Host": world.settings.host, "Origin": f"http://{world.settings.host}"},
            timeout=TURN_SECONDS,
            trust_env=False,
        )

    def __enter__(self) -> _Person:
        import httpx

        password = secrets.token_urlsafe(18)
        conceal(password)
        who = {"name": "Drill", "email": f"drill-{secrets.token_hex(4)}@{DOMAIN}", "password": password}
        try:
            answer = self._client.post("/api/auth/sign-up/email", json=who)
            self._id = str(answer.raise_for_status().json()["user"]["id"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as problem:
            self._client.close()
            raise Unmeasurable(
                f"nobody can sign up: {problem}", wanted="a person for the drill", hint="inv verify.step T051"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def say(self, message: str, key: str) -> httpx.Response:
        """The answer to a chat message, waited for while it is still being made."""
        import httpx

        end = time.monotonic() + TURN_SECONDS
        while True:
            try:
                answer = self._client.post(
                    f"{PROXY}{self._id}/chat", json={"message": message}, headers={"Idempotency-Key": key}
                )
            except httpx.HTTPError as problem:
                raise Unmeasurable(
                    f"the chat does not answer: {problem}", wanted="an answer", hint="inv verify.step T053"
                ) from None
            if answer.status_code != 409 or time.monotonic() > end:
                return answer
            time.sleep(float(answer.headers.get("retry-after", 2)))
