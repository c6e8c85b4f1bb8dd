"""Somebody who is signed in through the ingress, by the same requests that the page makes.

Made for a drill, and removed afterwards with everything that belongs to them.
"""

from __future__ import annotations

import secrets
import time
from types import TracebackType
from typing import TYPE_CHECKING

from runbook.engine.errors import Unmeasurable
from runbook.engine.redaction import conceal
from runbook.probes.conversation import DOMAIN, PROXY

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

SECONDS = 30.0
"""How long an answer may take; a message that is still being answered is waited for as long again."""

SIGN_UP = "/api/auth/sign-up/email"
SIGN_IN = "/api/auth/sign-in/email"
TRIES = 3
TOO_MANY = 429
"""The status of a sign-up among many others: it says how long to wait."""

BUSY = 409
"""The status of a message that is being answered right now, where it says when to ask again."""


class Person:
    """Their account ends with the context only as far as the connection goes: `remove_people` takes it away."""

    def __init__(self, world: World) -> None:
        self._api = ""
        self.email = f"drill-{secrets.token_hex(4)}@{DOMAIN}"
        self._client = world.http.client(timeout=SECONDS, headers={"Origin": world.settings.url})

    def __enter__(self) -> Person:
        """Sign up. Raises `Unmeasurable` where nobody can."""
        import httpx

        password = secrets.token_urlsafe(18)
        conceal(password)
        who = {"name": "Drill", "email": self.email, "password": password}
        try:
            self._patiently(SIGN_UP, who)
            self._api = f"{PROXY}{self._patiently(SIGN_IN, who).json()['user']['id']}"
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as problem:
            self._client.close()
            raise Unmeasurable(
                f"nobody can sign up: {problem}", wanted="a person for the drill", hint="inv verify.step T051"
            ) from None
        return self

    def _patiently(self, path: str, who: dict[str, str]) -> httpx.Response:
        answer = self._client.post(path, json=who)
        for _ in range(TRIES - 1):
            if answer.status_code != TOO_MANY:
                break
            time.sleep(float(answer.headers.get("Retry-After", "10")))
            answer = self._client.post(path, json=who)
        return answer.raise_for_status()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def ask(self, method: str, path: str, **request: object) -> httpx.Response:
        """The answer to a request below this person's own path, whatever its status. Raises `httpx.HTTPError`."""
        return self._client.request(method, f"{self._api}{path}", **request)  # type: ignore[arg-type]

    def say(self, message: str, key: str = "") -> httpx.Response:
        """The answer to a chat message, waited for while it is still being made. `key`: its Idempotency-Key.

        Raises `Unmeasurable` where nothing answers.
        """
        import httpx

        end = time.monotonic() + SECONDS
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                answer = self.ask("POST", "/chat", json={"message": message}, headers=headers)
            except httpx.HTTPError as problem:
                raise Unmeasurable(
                    f"the chat does not answer: {str(problem) or type(problem).__name__}",
                    wanted="an answer",
                    hint="inv verify.step T053",
                ) from None
            again = answer.headers.get("Retry-After")
            if answer.status_code != BUSY or again is None or time.monotonic() > end:
                return answer
            time.sleep(float(again))
