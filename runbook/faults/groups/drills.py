"""Faults that only the drills on data and credentials find; each drill is repeated, so that this takes its time."""

from __future__ import annotations

from runbook.engine.settings import Settings
from runbook.faults import Group, losses


def group(settings: Settings) -> Group:
    """All of them; no other step is watched, since a drill disturbs the application."""
    return Group("drills", (), losses.group(settings.namespace))
