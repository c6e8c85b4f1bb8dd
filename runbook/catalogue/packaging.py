"""Phase 6: one chart for development and production, upgraded and rolled back (user story 4)."""

from __future__ import annotations

from runbook.step import Step

STEPS = (
    Step("T093", "The production values ask for three replicas and a real registry", needs=("T021",)),
    Step("T094", "The chart's README documents every value", needs=("T021",)),
    Step("T095", "The notes after an install say how to go on", needs=("T020",)),
    Step("T096", "The chart's dependencies are its sub-charts, each at its version", needs=("T020",)),
    Step("T097", "The chart passes helm lint with each values file", needs=("T024", "T093")),
    Step("T098", "The chart renders with the development values", needs=("T022", "T096")),
    Step("T099", "The chart renders with the production values", needs=("T093", "T096")),
    Step("T100", "The API server accepts a dry run with the production values", needs=("T043", "T099")),
    Step("T101", "A changed image tag reaches the pods by an upgrade", needs=("T049",)),
    Step("T102", "A broken upgrade rolls itself back", needs=("T101",)),
    Step("T103", "A rollback returns to the revision that was asked for", needs=("T101",)),
    Step("T104", "One install creates the objects of every sub-chart", needs=("T049", "T096")),
)
