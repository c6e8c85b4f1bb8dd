"""Phases of the list on one provider: each step green, and how long it took."""

from __future__ import annotations

import json
import re
import time

import pytest

from tests.field.inside import Inside

TABLE: list[str] = []
"""Provider, phase, steps and seconds of this run."""

STEPS = {"deploy": 54, "secure": 54, "db": 48, "package": 45, "dapr": 63}
"""How many steps each command has to prove. Dapr comes last: with its sidecars a node of two processors has no room for
the second set of pods that new credentials bring (T119)."""


def green(user: Inside, command: str, when: str = "") -> None:
    """Every step of the phase passes, as many as the list has. `when` tells a second run from the first."""
    begun = time.monotonic()
    done = user.inv(command, "--json", timeout=3000)
    seconds = time.monotonic() - begun
    try:
        document = re.search(
            r"^\{$.*", done.stdout, re.MULTILINE | re.DOTALL
        )  # after what was said meanwhile
        steps = json.loads(document[0] if document else "")["steps"]
    except ValueError:
        pytest.fail(done.stdout[-6000:])
    passed = sum(step["status"] == "passed" for step in steps)
    provider = user.environment["TODO_CLUSTER"]
    TABLE.append(f"{provider:<10} {command:<8} {passed} of {len(steps)} steps, {seconds:4.0f} s {when}")
    wrong = {
        step["id"]: f"{step['status']}: {step['observed']}; wanted: {step['wanted']}"
        for step in steps
        if step["status"] != "passed"
    }
    assert wrong == {}
    assert len(steps) == STEPS[command]
    assert done.returncode == 0
