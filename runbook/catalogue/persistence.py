"""Phase 7: PostgreSQL with TLS, and data that outlives the pods (user story 5)."""

from __future__ import annotations

from runbook.actions.database import database
from runbook.actions.package import release
from runbook.app.application import BACKEND
from runbook.checks.chart import chart, secret_claims, secret_template
from runbook.checks.chart.rendering import DIRECT, MESHED
from runbook.checks.cluster import pods
from runbook.checks.dapr.mutual_tls import both
from runbook.checks.database import (
    chat_changes,
    connection,
    credentials,
    logs,
    pooling,
    release_secret,
    restart,
    secret,
    tls,
)
from runbook.engine.step import Step


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
        check=tls.demanded,
        live=tls.verified,
        live_after="T112",
        needs=("T106",),
    ),
    Step(
        "T111",
        "The release is upgraded to the references to the Secret",
        check=release_secret.current,
        apply=release.deploy,
        needs=("T049", "T106", "T107", "T108", "T109"),
    ),
    Step(
        "T112",
        "The backend starts with a connection to PostgreSQL",
        check=connection.lives,
        apply=database.connect,
        needs=("T111",),
    ),
    Step(
        "T113",
        "The backend's log tells of the connection to PostgreSQL",
        check=logs.tells,
        needs=("T112",),
    ),
    Step(
        "T114",
        "A task is created, changed and deleted by chat",
        check=chat_changes.by_chat,
        needs=("T053", "T112"),
        drill=True,
        fingerprint=pods.fingerprint,
    ),
    Step(
        "T115",
        "What the chat changed is found in PostgreSQL",
        check=chat_changes.found,
        needs=("T114",),
        drill=True,
        fingerprint=pods.fingerprint,
    ),
    Step(
        "T116",
        "The backend's pod is deleted",
        check=restart.replaced_by_another,
        needs=("T115",),
        drill=True,
        fingerprint=pods.fingerprint,
    ),
    Step(
        "T117",
        "The new pod finds the data of the old one",
        check=restart.remembers,
        needs=("T116",),
        drill=True,
        fingerprint=pods.fingerprint,
    ),
    Step(
        "T118",
        "Many requests at once stay within the connection budget",
        check=pooling.within_budget,
        needs=("T112",),
        drill=True,
        fingerprint=pods.fingerprint,
    ),
    Step(
        "T119",
        "New credentials are in use after a restart, and the old ones refused",
        check=credentials.in_use,
        needs=("T112",),
        drill=True,
        fingerprint=credentials.identity,
    ),
)
