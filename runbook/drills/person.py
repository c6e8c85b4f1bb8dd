"""Somebody who is signed in for a drill, without a browser; removed by `conversation.remove_people`."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from runbook.drills.conversation import DOMAIN, PROXY
from runbook.errors import Unmeasurable
from runbook.world.redaction import conceal

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

TURN_SECONDS = 30.0


class Person:
    """Signs up and asks by the same requests that the page makes, through the ingress.

    Raises `Unmeasurable` where nobody can be signed up, or nothing answers.
    """

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

    def __enter__(self) -> Person:
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

    def get(self, path: str, *, host: str = "") -> httpx.Response:
        """The answer to a GET. Raises httpx's own errors: whoever asks again and again counts them."""
        return self._client.get(path, headers={"Host": host} if host else None)

    @property
    def tasks(self) -> str:
        """Where the person's tasks are: the frontend asks the backend, and that the database."""
        return f"{PROXY}{self._id}/tasks"

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
