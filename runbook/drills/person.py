"""Somebody who is signed in, by the same requests that the page makes, without a browser."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any

from runbook.errors import RunbookError, Unmeasurable
from runbook.world.redaction import conceal

if TYPE_CHECKING:
    import httpx

    from runbook.world import World

TURN_SECONDS = 30.0
PROXY = "/api/proxy/"

_PERSON = """SELECT id FROM "user" WHERE email LIKE %s"""
_REMOVAL = (
    'DELETE FROM task WHERE user_id IN (SELECT id FROM "user" WHERE email LIKE %s)',
    'DELETE FROM "user" WHERE email LIKE %s',
)


class Person:
    """An account of its own at `domain`, made on entering; `remove_people` takes it away again."""

    def __init__(self, world: World, domain: str) -> None:
        import httpx

        self.id = ""
        self._email = f"drill-{secrets.token_hex(4)}@{domain}"
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
        who = {"name": "Drill", "email": self._email, "password": password}
        try:
            answer = self._client.post("/api/auth/sign-up/email", json=who)
            self.id = str(answer.raise_for_status().json()["user"]["id"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as problem:
            self._client.close()
            raise Unmeasurable(
                f"nobody can sign up: {problem}", wanted="a person for the drill", hint="inv verify.step T051"
            ) from None
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, method: str, path: str, *, body: Any = None, request_id: str = "") -> httpx.Response:
        """The answer to a request below the person's own address. Raises httpx's errors."""
        headers = {"X-Request-ID": request_id} if request_id else {}
        return self._client.request(method, f"{PROXY}{self.id}/{path}", json=body, headers=headers)

    def say(self, message: str, key: str = "", conversation: str = "") -> httpx.Response:
        """The answer to a chat message, waited for while it is still being made."""
        import httpx

        said = {"message": message} | ({"conversation_id": conversation} if conversation else {})
        end = time.monotonic() + TURN_SECONDS
        while True:
            try:
                answer = self._client.post(
                    f"{PROXY}{self.id}/chat", json=said, headers={"Idempotency-Key": key} if key else {}
                )
            except httpx.HTTPError as problem:
                raise Unmeasurable(
                    f"the chat does not answer: {problem}", wanted="an answer", hint="inv verify.step T053"
                ) from None
            if answer.status_code != 409 or time.monotonic() > end:
                return answer
            time.sleep(float(answer.headers.get("retry-after", 2)))


def remove_people(world: World, domain: str) -> str:
    """Remove all people of a domain of drills, this one's and any that an interrupted one left; says what is left."""
    mine = (f"%@{domain}",)
    try:
        with world.database.connect() as connection:
            for statement in _REMOVAL:
                connection.execute(statement, mine)
        left = world.database.query(_PERSON, mine)
    except RunbookError as problem:
        return f"the drill's person is still there: {problem.observed}"
    return f"{len(left)} people of drills are still there" if left else ""
