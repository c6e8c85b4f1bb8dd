"""Many requests at once: served from pools, within the budget of connections, and nothing left open afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, FRONTEND, MCP_SERVER, SECRET
from runbook.app.secrets import secret_data
from runbook.checks.database import connection_budget, dialling
from runbook.checks.database.connection_budget import DEVELOPMENT, Budget
from runbook.engine.errors import TimedOut
from runbook.engine.step import Outcome, failed, passed, unproven
from runbook.engine.waiting import NotYet, eventually
from runbook.probes import users

if TYPE_CHECKING:
    from runbook.world import World

KEYS = {
    BACKEND.name: "database-url",
    FRONTEND.name: "frontend-database-url",
    MCP_SERVER.name: "mcp-database-url",
}
SETTLED = 20.0
"""Seconds until what was opened for the crowd is closed again."""

FEWEST_LOOKS = 5

_STATES = """SELECT count(*)::int AS sessions, count(*) FILTER (WHERE state LIKE 'idle in transaction%%')::int AS held
FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"""


def within_budget(world: World) -> Outcome:
    """Requests queue for a connection and are served, or told when to come again and served then; no role ever has more
    sessions than its pools may open.

    The budget, by the processes' own settings and with a rollout's surge, is below the server's limit, also with the
    replicas of every values file. Afterwards each pool is back to its size, and no session holds a transaction.

    A drill of bounded number and time, through the ingress of this machine only.

    Source: T118, D-13.
    """
    wanted = "every request served, sessions within the budget, the budget below the server's limit"
    hint = f"kubectl --namespace {world.settings.namespace} logs deployment/backend --tail 30"
    budget = connection_budget.live(world)
    roles = _roles(world)
    shared = len(set(roles.values())) < len(roles)
    seen, counted = users.crowd(world, sorted(set(roles.values())))
    problems = _overdrawn(budget, connection_budget.as_rendered(world, budget.pools))
    problems += [
        f"{number} request{'s' if number > 1 else ''} ended with {what}"
        for what, number in sorted(seen.errors.items())
    ]
    allowed = _allowed(budget, roles)
    problems += [
        f"{role} had {most} sessions at once, its budget is {allowed[role]}"
        for role, most in counted.most.items()
        if most > allowed[role]
    ]
    problems += _leaks(world, budget, shared)
    evidence: dict[str, Any] = {
        "budget": {name: budget.of(name) for name in budget.pools},
        "most": budget.most,
        "limit": budget.limit,
        "sessions": counted.most,
        "looks": counted.looks,
    }
    if problems:
        return failed("; ".join(problems), wanted=wanted, hint=hint, **evidence)
    if counted.looks < FEWEST_LOOKS or not counted.most:
        return unproven(
            f"the sessions were counted {counted.looks} times", wanted=wanted, hint=hint, **evidence
        )
    turned = f", {len(seen.retries)} answers said to retry later" if len(seen.retries) else ""
    told = ", ".join(f"{role} {most} of {allowed[role]}" for role, most in sorted(counted.most.items()))
    slowest = seen.slowest
    left = f"; not cleaned up: {seen.left}" if seen.left else ""
    return passed(
        f"{seen.answered} requests, {users.AT_ONCE} at once, in {seen.lasted:.1f} s (slowest {slowest:.1f} s{turned}),"
        f" no error; sessions at most: {told}; budget {budget.steady}, rolling {budget.most} of {budget.limit}{left}",
        wanted=wanted,
        **evidence,
    )


def _roles(world: World) -> dict[str, str]:
    """The role that each component signs in as, by its URL."""
    from runbook.clients.database import parameters_of

    there = secret_data.read(world, SECRET, world.settings.namespace)
    return {
        component: str(parameters_of(there.get(key, ""), f"{key} in Secret {SECRET}").get("user"))
        for component, key in KEYS.items()
    }


def _allowed(budget: Budget, roles: dict[str, str]) -> dict[str, int]:
    """A role that several components share has the sum of their budgets."""
    allowed: dict[str, int] = {}
    for component, role in roles.items():
        allowed[role] = allowed.get(role, 0) + budget.of(component)
    return allowed


def _overdrawn(budget: Budget, rendered: dict[str, int]) -> list[str]:
    problems = [
        f"{title}: up to {most} connections, the server has {budget.limit}"
        for title, most in {"as deployed": budget.most, **rendered}.items()
        if most > budget.limit
    ]
    if set(budget.replicas.values()) == {1} and budget.steady not in DEVELOPMENT:
        problems.append(
            f"one replica each opens up to {budget.steady} connections,"
            f" not {DEVELOPMENT.start} to {DEVELOPMENT.stop - 1}"
        )
    return problems


def _leaks(world: World, budget: Budget, shared: bool) -> list[str]:
    """What stays open once all is answered; asked as each role, to whom alone the server tells it all."""
    size = int(dialling.usual(world).settings["database_pool_size"])
    kept = {**{name: budget.of(name) for name in KEYS}, BACKEND.name: size * budget.replicas[BACKEND.name]}

    def settled() -> None:
        for component, key in KEYS.items():
            row = world.database.query(_STATES, key=key)[0]
            most = sum(kept.values()) if shared else kept[component]
            if row["held"]:
                raise NotYet(f"{row['held']} sessions of {component} hold a transaction")
            if row["sessions"] > most:
                raise NotYet(f"{component} keeps {row['sessions']} sessions, more than {most}")

    try:
        eventually(settled, timeout=SETTLED, wanted="pools back to their size")
    except TimedOut as problem:
        return [problem.observed]
    return []
