"""This machine finds the application by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook.clients.process.resolver import addresses
from runbook.engine.step import Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World


def resolves(world: World) -> Outcome:
    """The first address that the resolver gives for the host is the ingress controller's.

    Source: T047.
    """
    host, address = world.settings.host, world.cluster.ingress_address()
    wanted = f"{host} resolves to {address}"
    found = addresses(host)
    if not found:
        return failed(
            f"{host} is not known on this machine", wanted=wanted, hint="inv deploy", addresses=found
        )
    if found[0] != address:
        return failed(
            f"{host} resolves to {', '.join(found)}", wanted=wanted, hint="inv deploy", addresses=found
        )
    return passed(f"{host} resolves to {address}", wanted=wanted, addresses=found)
