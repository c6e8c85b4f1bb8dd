"""TLS towards PostgreSQL: by every URL, and by the backend's own code."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from runbook.checks.database import dialling, tls
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Status
from runbook.world import World
from tests.fakes.stored import GOOD, Server, content, make, put, refused

OUTSIDE = "postgresql://me:pw-of-me@db.example.test/todo?sslmode={}"


def outside(mode: str) -> tuple[World, Server]:
    world, api, _ = make(Settings(database_url=SecretStr(OUTSIDE.format(mode))))
    return world, api


def test_verify_full_everywhere_passes() -> None:
    world, _, _ = make()
    outcome = tls.demanded(world)
    assert (outcome.status, outcome.observed) == (Status.PASSED, "4 URLs with sslmode verify-full")


@pytest.mark.parametrize("mode", ["prefer", "allow", "disable"])
def test_a_url_that_allows_plain_text_fails(mode: str) -> None:
    world, api, _ = make()
    url = content(api)["mcp-database-url"].replace("verify-full", mode)
    put(api, {"mcp-database-url": url})
    outcome = tls.demanded(world)
    assert outcome.status is Status.FAILED
    assert outcome.observed == f"the URL of mcp-database-url has sslmode {mode}, which allows plain text"
    assert "TODO_DATABASE_URL" in outcome.hint


def test_no_mode_at_all_is_libpqs_own() -> None:
    world, api, _ = make()
    put(api, {"database-url": "postgresql://todo_backend:pw-of-it@h/todo"})
    assert "has sslmode prefer" in tls.demanded(world).observed


def test_require_is_not_enough_where_the_authority_is_known() -> None:
    world, api, _ = make()
    put(api, {"database-url": content(api)["database-url"].replace("verify-full", "require")})
    assert "though the server's authority is known" in tls.demanded(world).observed


def test_require_for_a_database_outside_passes_with_a_warning() -> None:
    world, api = outside("require")
    outcome = tls.demanded(world)
    assert outcome.status is Status.PASSED
    assert "WARNING: sslmode=require" in outcome.observed
    api.attempts["own"] |= {"certificate": False, "name": False}
    assert tls.verified(world).green


def test_a_missing_or_unreadable_url_cannot_be_judged() -> None:
    world, api, _ = make()
    put(api, {"database-url": None})
    with pytest.raises(Unmeasurable, match="lacks the key database-url"):
        tls.demanded(world)
    put(api, {"database-url": "no url"})
    with pytest.raises(Unmeasurable, match="is not a PostgreSQL URL"):
        tls.demanded(world)


def test_the_backends_code_connects_and_refuses() -> None:
    world, _, _ = make()
    outcome = tls.verified(world)
    assert outcome.status is Status.PASSED, outcome.observed
    assert "connects with TLSv1.3" in outcome.observed
    assert "refused: another authority, another name" in outcome.observed


@pytest.mark.parametrize(
    ("attempt", "answer", "words"),
    [
        ("own", GOOD | {"tls": ""}, "connects in plain text"),
        ("own", GOOD | {"certificate": False}, "takes any certificate"),
        ("own", GOOD | {"name": False}, "takes a certificate of any name"),
        ("own", refused("SSLCertVerificationError"), "the backend refuses the server: SSLCertVerificationError"),
        ("authority", GOOD, "with another authority the backend's code connected as todo_backend"),
        ("name", GOOD, "with another name the backend's code connected as todo_backend"),
    ],
)  # fmt: skip
def test_what_the_backends_code_takes_wrongly_fails(
    attempt: str, answer: dict[str, object], words: str
) -> None:
    world, api, _ = make()
    api.attempts[attempt] = answer
    outcome = tls.verified(world)
    assert outcome.status is Status.FAILED
    assert words in outcome.observed


def test_refusals_for_another_reason_prove_nothing() -> None:
    world, api, _ = make()
    api.attempts["name"] = refused("TimeoutError")
    outcome = tls.verified(world)
    assert (outcome.status, "another name: TimeoutError" in outcome.observed) == (Status.UNPROVEN, True)


def test_without_a_connection_its_refusals_say_nothing() -> None:
    world, api, _ = make()
    api.attempts["own"] = refused("ConnectionRefusedError")
    with pytest.raises(Unmeasurable, match="ConnectionRefusedError"):
        tls.verified(world)


def test_the_backends_pod_is_asked_once_in_a_run_and_its_silence_is_told() -> None:
    world, api, _ = make()
    dialling.usual(world)
    dialling.usual(world)
    assert len(api.ran) == 1
    assert "pw" not in " ".join(api.ran[0][0][:3])
    world.clients.memory.forget()
    api.broken = "Traceback\nModuleNotFoundError: No module named 'todo_backend'"
    with pytest.raises(Unmeasurable, match="No module named"):
        dialling.usual(world)
    del api.objects["Pod", "todo", "backend-1"]
    with pytest.raises(Unmeasurable, match="there is no pod of the backend"):
        dialling.usual(world)
