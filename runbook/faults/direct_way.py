"""The old way from the frontend to the backend, past their sidecars: let through again, and a connection held on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook.app.application import BACKEND, FRONTEND
from runbook.app.sidecars import application_pods, of_component
from runbook.clients.kube import workloads
from runbook.engine.errors import Unmeasurable
from runbook.engine.waiting import NotYet, eventually
from runbook.faults.planting import Hands

NAME = "mutant"
FOLLOWED = 90.0
"""Seconds until a policy is followed."""

HOLD = """
const {spawn} = require('child_process');
const held = spawn(process.execPath, ['-e', process.argv[1]], {detached: true, stdio: 'ignore'});
held.unref(); console.log(held.pid);
"""
"""Starts a program in the pod that outlives the command, and tells its number."""

CONNECTION = """
const way = require('net').connect(%d, '%s');
const end = () => { way.resetAndDestroy(); process.exit(); };
way.on('error', end); process.on('SIGTERM', end); setTimeout(end, 120000);
"""
"""A connection that is held, and reset in the end: nothing of it stays in the lists of either side."""


def reopen(hands: Hands) -> None:
    """Open the way, and hold a connection on it."""
    world = hands.world
    space = world.settings.namespace
    hands.create(_open_way(space))
    pods = application_pods(world)
    caller = workloads.name(of_component(pods, FRONTEND)[0])
    address = str(of_component(pods, BACKEND)[0]["status"]["podIP"])

    def connected() -> None:
        """A sidecar's way out is closed to this port, and the network follows a moment late: so try, then hold."""
        asked = f"require('net').connect({BACKEND.port}, '{address}').setTimeout(2000, () => process.exit(1))"
        answer = world.api.exec(
            caller,
            FRONTEND.name,
            [
                "node",
                "-e",
                f"{asked}.on('connect', function () {{ this.resetAndDestroy();"
                " process.exit(); }).on('error', () => process.exit(1))",
            ],
            space,
        )
        if answer.code:
            raise NotYet("the way is not open yet")

    eventually(connected, timeout=FOLLOWED, every=0.2, wanted="a direct connection")
    hold = ["node", "-e", HOLD, CONNECTION % (BACKEND.port, address)]
    number = world.api.exec(caller, FRONTEND.name, hold, space).stdout.strip()
    if not number.isdigit():
        raise Unmeasurable("no connection can be kept open in the frontend's pod", wanted="its process id")
    hands.kept["holder"] = (caller, number)


def close(hands: Hands) -> None:
    """First the connection, as long as its reset is let through."""
    space = hands.world.settings.namespace
    if "holder" in hands.kept:
        caller, number = hands.kept["holder"]
        hands.world.api.exec(caller, FRONTEND.name, ["node", "-e", f"process.kill({number})"], space)
    hands.remove(("NetworkPolicy", NAME, space))


def _open_way(space: str) -> Mapping[str, Any]:
    def named(name: str) -> dict[str, Any]:
        return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}

    port = [{"port": BACKEND.port, "protocol": "TCP"}]
    either = {"key": "app.kubernetes.io/name", "operator": "In", "values": [FRONTEND.name, BACKEND.name]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": NAME, "namespace": space},
        "spec": {
            "podSelector": {"matchExpressions": [either]},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [named(FRONTEND.name)], "ports": port}],
            "egress": [{"to": [named(BACKEND.name)], "ports": port}],
        },
    }
