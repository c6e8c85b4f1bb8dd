"""Phase 7: PostgreSQL with TLS, and data that outlives the pods (user story 5)."""

from __future__ import annotations

from runbook.actions import database, release
from runbook.application import BACKEND
from runbook.checks import (
    chart,
    database_changes,
    database_connection,
    database_log,
    database_pool,
    database_release,
    database_restart,
    database_rotation,
    database_tls,
    pods,
    secret,
    secret_claims,
    secret_template,
)
from runbook.checks.mutual_tls import both
from runbook.checks.rendering import DIRECT, MESHED
from runbook.step import Step


def _taken(step_id: str, title: str, variable: str, family: frozenset[str]) -> Step:
    """A variable that the chart takes from the Secret: asked as it renders, of the live object, and of the Secret."""
    claim = secret_claims.takes(BACKEND, variable, family)
    return Step(
        step_id,
        title,
        check=chart.rendered(claim, DIRECT, MESHED),
        live=both(chart.deployed(claim), secret_claims.is_there(BACKEND, variable)),
        needs=("T030",),
    )


STEPS = (
    Step(
        "T105",
        "A template shows the structure of the application's Secret",
        check=secret_template.complete,
        live=secret_template.accepted,
        needs=("T002", "T006"),
    ),
    Step(
        "T106",
        "The application's Secret holds every key that it needs",
        check=secret.complete,
        apply=database.keep_secret,
        needs=("T048",),
    ),
    _taken(
        "T107",
        "The backend takes its database URL from the Secret",
        "DATABASE_URL",
        secret_claims.DATABASE,
    ),
    _taken("T108", "The backend takes its model key from the Secret", "OPENAI_API_KEY", secret_claims.MODEL),
    _taken(
        "T109",
        "The backend takes its sign-in secret from the Secret",
        "BETTER_AUTH_SECRET",
        secret_claims.SIGNATURES,
    ),
    Step(
        "T110",
        "The database URL demands TLS",
        check=database_tls.demanded,
        live=database_tls.verified,
        live_after="T112",
        needs=("T106",),
    ),
    Step(
        "T111",
        "The release is upgraded to the references to the Secret",
        check=database_release.current,
        apply=release.deploy,
        needs=("T049", "T106", "T107", "T108", "T109"),
    ),
    Step(
        "T112",
        "The backend starts with a connection to PostgreSQL",
        check=database_connection.lives,
        apply=database.connect,
        needs=("T111",),
    ),
    Step(
        "T113",
        "The backend's log tells of the connection to PostgreSQL",
        check=database_log.tells,
        needs=("T112",),
    ),
    Step(
        "T114",
        "A task is created, changed and deleted by chat",
        check=database_changes.by_chat,
        needs=("T053", "T112"),
        drill=True,
        fingerprint=pods.lasting,
    ),
    Step(
        "T115",
        "What the chat changed is found in PostgreSQL",
        check=database_changes.found,
        needs=("T114",),
        drill=True,
        fingerprint=pods.lasting,
    ),
    Step(
        "T116",
        "The backend's pod is deleted",
        check=database_restart.replaced_by_another,
        needs=("T115",),
        drill=True,
        fingerprint=pods.lasting,
    ),
    Step(
        "T117",
        "The new pod finds the data of the old one",
        check=database_restart.remembers,
        needs=("T116",),
        drill=True,
        fingerprint=pods.lasting,
    ),
    Step(
        "T118",
        "Many requests at once stay within the connection budget",
        check=database_pool.within_budget,
        needs=("T112",),
        drill=True,
        fingerprint=pods.lasting,
    ),
    Step(
        "T119",
        "New credentials are in use after a restart, and the old ones refused",
        check=database_rotation.in_use,
        needs=("T112",),
        drill=True,
        fingerprint=database_rotation.identity,
    ),
)
