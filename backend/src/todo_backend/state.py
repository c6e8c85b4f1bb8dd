"""Short-lived state in Dapr's state store, which all replicas share."""

from typing import Any, Protocol
from urllib.parse import quote

import httpx2

from todo_backend.config import Settings

_TIMEOUT_SECONDS = 2


class StateUnavailableError(Exception):
    """The state store does not answer as documented; the text says at which question."""


class StateStore(Protocol):
    """Values by key, each with its time to live in seconds.

    All methods raise `StateUnavailableError` when the store fails.
    """

    async def create(self, key: str, value: dict[str, Any], seconds: int) -> bool:
        """Keep a value under a new key; False when the key is taken."""

    async def read(self, key: str) -> dict[str, Any] | None:
        """The value, or None."""


class DaprState:
    """A state component behind the Dapr sidecar's HTTP API.

    A value is kept by a first-write with an ETag that no stored value has: that needs an absent key.
    """

    _ABSENT = "0"

    def __init__(self, store: str, port: int) -> None:
        self._url = f"/v1.0/state/{quote(store, safe='')}"
        self._http = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_TIMEOUT_SECONDS)

    async def create(self, key: str, value: dict[str, Any], seconds: int) -> bool:
        """Keep a value under a new key; False when the key is taken."""
        entry = {
            "key": key,
            "value": value,
            "etag": self._ABSENT,
            "options": {"concurrency": "first-write"},
            "metadata": {"ttlInSeconds": str(seconds)},
        }
        answer = await self._ask("POST", self._url, [entry], accepted=(409,))
        return answer.status_code != 409

    async def read(self, key: str) -> dict[str, Any] | None:
        """The value, or None."""
        answer = await self._ask("GET", f"{self._url}/{quote(key, safe='')}")
        if answer.status_code == 204 or not answer.content:
            return None
        try:
            found = answer.json()
        except ValueError as error:
            raise StateUnavailableError("GET: no JSON") from error
        return found if isinstance(found, dict) else None

    async def close(self) -> None:
        """Close the connections to the sidecar."""
        await self._http.aclose()

    async def _ask(
        self, method: str, path: str, body: Any = None, accepted: tuple[int, ...] = ()
    ) -> httpx2.Response:
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx2.HTTPError as error:
            raise StateUnavailableError(f"{method}: {type(error).__name__}") from error
        if answer.is_error and answer.status_code not in accepted:
            raise StateUnavailableError(f"{method}: {answer.status_code}")
        return answer


def open_state(settings: Settings) -> DaprState | None:
    """The store that the settings name, if any."""
    return DaprState(settings.state_store, settings.dapr_http_port) if settings.state_store else None
