"""The budget of connections, and a crowd that has to stay within it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest

from runbook.checks.database import connection_budget, pooling
from runbook.checks.database.connection_budget import FRONTEND_POOL, Budget
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status
from runbook.probes import users
from runbook.probes.load import Failure, LoadResult, Sessions
from tests.fakes import running
from tests.fakes.stored import Database, Server, make

POOLS = {"frontend": 5, "backend": 10, "mcp-server": 5}
ONE = dict.fromkeys(POOLS, 1)


@dataclass
class Seen:
    load: LoadResult
    sessions: Sessions


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    roles = {"todo_backend": 10, "todo_frontend": 2, "todo_mcp": 1}
    found = Seen(LoadResult({"list": [0.1] * 239 + [0.9]}, lasted=4.0), Sessions(roles, looks=50))
    monkeypatch.setattr(users, "crowd", lambda *_: (found.load, found.sessions))
    monkeypatch.setattr(connection_budget, "as_rendered", lambda *_: {"defaults": 66})
    monkeypatch.setattr(pooling, "SETTLED", 0.1)
    return found


def ask(
    limit: int = 97, sessions: int = 5, held: int = 0, **changes: Any
) -> tuple[Outcome, Server, Database]:
    world, api, database = make()
    database.answers |= {
        "max_connections": [{"most": limit + 3, "reserved": 3}],
        "idle in transaction": [{"sessions": sessions, "held": held}],
    }
    api.process |= changes
    return pooling.within_budget(world), api, database


def test_a_crowd_within_the_budget_passes(seen: Seen) -> None:
    outcome, _, database = ask()
    assert outcome.status is Status.PASSED, outcome.observed
    assert "240 requests, 40 at once, in 4.0 s (slowest 0.9 s), no error" in outcome.observed
    assert "todo_backend 10 of 10, todo_frontend 2 of 5, todo_mcp 1 of 5" in outcome.observed
    assert "budget 20, rolling 46 of 97" in outcome.observed
    asked = {key for statement, key in database.asked if "idle in transaction" in statement}
    assert asked == {"database-url", "frontend-database-url", "mcp-database-url"}


def test_a_role_beyond_its_budget_fails(seen: Seen) -> None:
    seen.sessions.most["todo_backend"] = 25
    outcome, _, _ = ask()
    assert outcome.status is Status.FAILED
    assert outcome.observed == "todo_backend had 25 sessions at once, its budget is 10"


def test_requests_that_were_not_served_fail(seen: Seen) -> None:
    seen.load.failures += [Failure(1.0, "list", "503")] * 3 + [Failure(1.0, "list", "ReadTimeout")]
    assert "3 requests ended with list: 503; 1 request ended with list: ReadTimeout" in ask()[0].observed


def test_a_budget_beyond_the_servers_limit_fails(seen: Seen) -> None:
    assert "as deployed: up to 46 connections, the server has 40" in ask(limit=40)[0].observed
    assert "defaults: up to 66 connections, the server has 60" in ask(limit=60)[0].observed


def test_one_replica_each_has_ten_to_twenty(seen: Seen) -> None:
    assert "opens up to 115 connections, not 10 to 20" in ask(database_pool_size=100, limit=300)[0].observed


def test_what_stays_open_fails(seen: Seen) -> None:
    assert "hold a transaction" in ask(held=1)[0].observed
    assert "backend keeps 9 sessions, more than 5" in ask(sessions=9)[0].observed


def test_sessions_that_were_hardly_counted_prove_nothing(seen: Seen) -> None:
    seen.sessions.looks = 1
    assert ask()[0].status is Status.UNPROVEN
    seen.sessions.looks, seen.sessions.most = 50, {}
    assert ask()[0].status is Status.UNPROVEN


def test_a_process_that_does_not_say_its_pool_is_no_verdict(seen: Seen) -> None:
    world, api, _ = make()
    running.waiting(api.objects["Pod", "todo", "mcp-server-1"], "CrashLoopBackOff")
    with pytest.raises(Unmeasurable, match="the MCP server has no running pod"):
        pooling.within_budget(world)


def test_the_sum_counts_replicas_surge_jobs_and_ourselves() -> None:
    budget = Budget(POOLS, dict.fromkeys(POOLS, 3), ONE, 97)
    assert (budget.of("backend"), budget.steady, budget.most) == (30, 60, 60 + 20 + 1 + 5)


def test_the_frontends_pool_is_the_one_of_its_program() -> None:
    program = (Settings().project / "frontend/src/server/database.ts").read_text()
    found = re.search(r"^const CONNECTIONS = (\d+);$", program, re.MULTILINE)
    assert found
    assert int(found[1]) == FRONTEND_POOL
    assert "max: CONNECTIONS" in program
