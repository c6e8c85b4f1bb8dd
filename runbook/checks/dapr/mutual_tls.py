"""The settings of mutual TLS where they count: `daprsystem` beside Dapr's control plane, read when pods are made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from runbook.app.application import DAPR_NAMESPACE
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

SYSTEM = "daprsystem"
_UNITS = {"h": 3600, "m": 60, "s": 1}


def configured(*, lifetime: str, skew: str) -> Check:
    """There is one `daprsystem`, it is the control plane's, mutual TLS is on, with this lifetime and clock skew.

    A second one of that name, in another namespace, would be what Dapr's own CLI looks at. Source: T081, D-03.
    """
    wanted = f"one Configuration {SYSTEM}, in {DAPR_NAMESPACE}: mutual TLS, certificates of {lifetime}, skew {skew}"

    def check(world: World) -> Outcome:
        hint = "kubectl get configurations.dapr.io --all-namespaces"
        found = [
            each for each in world.api.list("Configuration.dapr.io") if each["metadata"]["name"] == SYSTEM
        ]
        places = sorted(str(each["metadata"].get("namespace")) for each in found)
        if places != [DAPR_NAMESPACE]:
            return failed(f"{SYSTEM} is in {', '.join(places) or 'no namespace'}", wanted=wanted, hint=hint)
        settings = found[0]["spec"].get("mtls") or {}
        problems = [] if settings.get("enabled") is True else ["mutual TLS is off"]
        problems += [
            f"{key} is {settings.get(key, 'not set')}, not {figure}"
            for key, figure in (("workloadCertTTL", lifetime), ("allowedClockSkew", skew))
            if seconds(str(settings.get(key, ""))) != seconds(figure)
        ]
        if problems:
            return failed("; ".join(problems), wanted=wanted, hint=f"{hint} --output yaml")
        return passed(f"{SYSTEM}: mutual TLS, certificates of {lifetime}, skew {skew}", wanted=wanted)

    return check


def both(one: Check, other: Check) -> Check:
    """Two checks as one: green when both are, else the first that is not."""

    def check(world: World) -> Outcome:
        first = one(world)
        if not first.green:
            return first
        second = other(world)
        if not second.green:
            return second
        return passed(f"{first.observed}; {second.observed}", wanted=f"{first.wanted}; {second.wanted}")

    return check


def seconds(duration: str) -> int | None:
    """A duration of Go, such as 24h or 1h30m; None for what is none."""
    if not re.fullmatch(r"(\d+[hms])+", duration):
        return None
    return sum(int(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", duration))
