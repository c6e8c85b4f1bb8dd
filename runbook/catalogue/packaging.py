"""Phase 6: one chart for development and production, upgraded and rolled back (user story 4)."""

from __future__ import annotations

from runbook.app.application import COMPONENTS
from runbook.app.blueprint import DEVELOPMENT, PRODUCTION
from runbook.checks.chart import pod_templates
from runbook.checks.chart.chart import rendered_with
from runbook.checks.chart.claims import quietly
from runbook.checks.dapr import dapr_claims
from runbook.checks.package import (
    dependencies,
    documentation,
    dry_run,
    linting,
    notes,
    production,
    rendition,
    rollbacks,
    sub_charts,
    upgrades,
)
from runbook.engine.step import Step

REPLICAS = 3

STEPS = (
    Step(
        "T093",
        "The production values ask for three replicas and a real registry",
        check=production.all_of(
            f"{REPLICAS} replicas on different nodes, pinned images of a registry, HTTPS, sidecars, a lasting Redis",
            rendered_with(
                PRODUCTION,
                *(production.replicated(each, REPLICAS) for each in COMPONENTS),
                *(quietly(pod_templates.restricted(each)) for each in COMPONENTS),
                *(quietly(dapr_claims.sidecar(each)) for each in COMPONENTS),
                production.https(),
                production.lasting_redis(),
            ),
            production.images_are_pinned,
            production.says_only_what_differs,
        ),
        needs=("T021",),
    ),
    Step(
        "T094",
        "The chart's README documents every value",
        check=documentation.complete,
        needs=("T021",),
    ),
    Step(
        "T095",
        "The notes after an install say how to go on",
        check=notes.rendered,
        live=notes.stored,
        needs=("T020",),
    ),
    Step(
        "T096",
        "The chart's dependencies are its sub-charts, each at its version",
        check=dependencies.resolved,
        needs=("T020",),
    ),
    Step(
        "T097",
        "The chart passes helm lint with each values file",
        check=linting.clean,
        needs=("T024", "T093"),
    ),
    Step(
        "T098",
        "The chart renders with the development values",
        check=rendition.complete(DEVELOPMENT, replicas=1, meshed=False, policy="Never"),
        needs=("T022", "T096"),
    ),
    Step(
        "T099",
        "The chart renders with the production values",
        check=rendition.complete(PRODUCTION, replicas=REPLICAS, meshed=True, policy="Always"),
        needs=("T093", "T096"),
    ),
    Step(
        "T100",
        "The API server accepts a dry run with the production values",
        check=dry_run.accepted,
        needs=("T048", "T080", "T099"),
    ),
    Step(
        "T101",
        "A changed image tag reaches the pods by an upgrade",
        check=upgrades.tag_reaches_the_pods,
        needs=("T049", "T051"),
        drill=True,
        fingerprint=upgrades.fingerprint,
    ),
    Step(
        "T102",
        "A broken upgrade rolls itself back",
        check=upgrades.broken_rolls_back,
        needs=("T101",),
        drill=True,
        fingerprint=upgrades.fingerprint,
    ),
    Step(
        "T103",
        "A rollback returns to the revision that was asked for",
        check=rollbacks.returns,
        needs=("T101",),
        drill=True,
        fingerprint=upgrades.fingerprint,
    ),
    Step(
        "T104",
        "One install creates the objects of every sub-chart",
        check=sub_charts.deployed,
        needs=("T049", "T096"),
    ),
)
