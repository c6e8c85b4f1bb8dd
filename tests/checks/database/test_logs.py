"""The logs: a connection told with its encryption, attempts told where there is none, and no secret."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from runbook.checks.database import logs
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes import running
from tests.fakes.stored import Server, content, make

CONNECTED = {
    "event": "database_connected",
    "tls": "TLSv1.3",
    "cipher": "TLS_AES_256_GCM_SHA384",
    "attempt": 1,
}
UNAVAILABLE = {"event": "database_unavailable", "error": "DatabaseUnavailableError < ConnectionRefusedError"}


def lines(*entries: dict[str, Any], at: str = running.BORN) -> str:
    return "".join(json.dumps({"time": at, **each}) + "\n" for each in entries)


def retry(attempt: int, pause: float) -> dict[str, Any]:
    error = "ConnectionRefusedError"
    return {"event": "database_retry", "attempt": attempt, "pause_seconds": pause, "error": error}


@pytest.fixture
def told() -> tuple[World, Server]:
    world, api, _ = make()
    api.logged["backend-1"] = "Started\n" + lines(CONNECTED, {"event": "request"})
    return world, api


def test_a_connection_with_its_encryption_passes(told: tuple[World, Server]) -> None:
    world, _ = told
    outcome = logs.tells(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert outcome.observed == (
        "database_connected with TLSv1.3, TLS_AES_256_GCM_SHA384 at attempt 1; no secret in 3 lines of 4 logs"
    )


def test_a_connection_in_plain_text_fails(told: tuple[World, Server]) -> None:
    world, api = told
    api.logged["backend-1"] = lines(CONNECTED | {"tls": ""})
    assert logs.tells(world).observed == "pod backend-1 logged a connection in plain text"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([{"event": "request"}], "logged no connection: and no attempt"),
        ([retry(1, 0.5), retry(2, 1.0)], "2 attempts so far, pauses of 0.5, 1 s"),
        (
            [retry(1, 0.5), retry(1, 0.5), retry(2, 1.0), retry(3, 2.0), UNAVAILABLE],
            "4 attempts, pauses of 0.5, 1, 2 s, then DatabaseUnavailableError < ConnectionRefusedError",
        ),
        ([UNAVAILABLE], "1 attempts, pauses of  s, then"),
    ],
)
def test_what_it_tells_instead_is_said(
    entries: list[dict[str, Any]], words: str, told: tuple[World, Server]
) -> None:
    world, api = told
    api.logged["backend-1"] = lines(*entries)
    outcome = logs.tells(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_a_log_without_its_beginning_proves_nothing(told: tuple[World, Server]) -> None:
    world, api = told
    for text in ("", lines({"event": "request"}, at="2026-01-01T12:00:00Z")):
        api.logged["backend-1"] = text
        outcome = logs.tells(world)
        assert (outcome.status, outcome.observed) == (
            Status.UNPROVEN,
            "the beginning of the log of pod backend-1 is gone",
        )


@pytest.mark.parametrize("place", ["backend-1", "frontend-1", "mcp-server-1", "postgres-0"])
@pytest.mark.parametrize(
    "form", [str, lambda v: base64.b64encode(v.encode()).decode(), lambda v: quote(v, safe="")]
)
def test_a_secret_in_any_log_and_form_is_named_and_not_shown(
    place: str, form: Any, told: tuple[World, Server]
) -> None:
    world, api = told
    secret = content(api)["mcp-signing-key"]
    api.logged[place] = api.logged.get(place, "") + f"key: {form(secret)}\n"
    outcome = logs.tells(world)
    assert outcome.status is Status.FAILED
    assert f"the log of {place}/" in outcome.observed
    assert "holds the value of todo-secrets/mcp-signing-key" in outcome.observed
    assert secret not in str(outcome)


def test_a_password_in_a_url_is_found(told: tuple[World, Server]) -> None:
    world, api = told
    api.logged["postgres-0"] = f"connecting with {content(api)['database-url']}\n"
    assert "the value of todo-secrets/database-url" in logs.tells(world).observed


def test_nothing_to_read_or_to_look_for_is_no_verdict(told: tuple[World, Server]) -> None:
    world, api = told
    for name in ("todo-secrets", "postgres-roles", "postgres-tls"):
        for space in ("todo", "todo-database"):
            api.objects.pop(("Secret", space, name), None)
    with pytest.raises(Unmeasurable, match="no secret to look for"):
        logs.tells(world)
    for pod in (*api.list("Pod", "todo"), *api.list("Pod", "todo-database")):
        running.waiting(pod, "CrashLoopBackOff")
    with pytest.raises(Unmeasurable, match="no container of the application runs"):
        logs.tells(world)
