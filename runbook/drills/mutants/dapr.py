"""Mutants of Dapr: its settings, who may call whom, the state store, and what it needs to run.

Sidecars take up a changed Configuration or Component while they run. So the state store is not opened to everybody: the
others would load it, find no way to Redis, and end after a minute. T089 wants sidecars younger than the settings of the
control plane: a mutant of these rolls the application when it is undone. T091, a drill, is asked only where it must be
red.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runbook import catalogue
from runbook.actions import mesh
from runbook.application import (
    BACKEND,
    DAPR_NAMESPACE,
    FRONTEND,
    MCP_SERVER,
    REDIS,
    REDIS_SECRET,
    STATE_STORE,
)
from runbook.checks import mutual_tls
from runbook.drills.mutants import Group, Mutant
from runbook.drills.planting import Hands, Object
from runbook.errors import Unmeasurable
from runbook.settings import Settings
from runbook.sidecars import application_pods
from runbook.waiting import NotYet, eventually
from runbook.world import workloads

SYSTEM: Object = ("Configuration.dapr.io", mutual_tls.SYSTEM, DAPR_NAMESPACE)
SENTRY: Object = ("Deployment", "dapr-sentry", DAPR_NAMESPACE)
TEMPLATE = "/spec/template/metadata/annotations"
ENABLED = "dapr.io~1enabled"
PLANTED = "mutant"
FOLLOWED = 90.0
"""Seconds until pods that were scaled away are gone, and until a policy is followed."""

OTHER_PASSWORD = "YW5vdGhlci1sb25nLXBhc3N3b3JkLWZvci1yZWRpcy0x"  # noqa: S105 - opens nothing
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


def group(settings: Settings) -> Group:
    """All of them, with the steps of Dapr that are no drills."""
    space = settings.namespace
    control: Object = ("Configuration.dapr.io", "dapr-config-backend", space)
    store: Object = ("Component.dapr.io", STATE_STORE, space)
    server: Object = ("Deployment", MCP_SERVER.name, space)
    redis: Object = ("StatefulSet", REDIS, space)
    password: Object = ("Secret", REDIS_SECRET, space)
    mutants = (
        Mutant(
            "a second daprsystem beside the application",
            frozenset({"T081", "T089"}),
            lambda hands: hands.create(_second_system(hands, space)),
            undo=lambda hands: hands.remove((SYSTEM[0], SYSTEM[1], space)),
            cause=f"daprsystem is in {DAPR_NAMESPACE}, {space}",
        ),
        Mutant(
            "the state store for another application as well",
            frozenset({"T082", "T092"}),
            lambda hands: hands.patch(store, {"op": "add", "path": "/scopes/-", "value": "another"}),
            objects=(store,),
            cause=r"another",
        ),
        Mutant(
            "another password in the Secret than Redis has",
            frozenset({"T085", "T087"}),
            lambda hands: hands.patch(
                password, {"op": "replace", "path": "/data/password", "value": OTHER_PASSWORD}
            ),
            objects=(password,),
            cause=r"does not take the password of Secret redis-auth: WRONGPASS|was made from",
        ),
        Mutant(
            "the annotation on the Deployment, where nothing reads it",
            frozenset({"T083", "T087", "T088"}),
            lambda hands: _misplace(hands, server),
            objects=(server,),
            cause=r"enabled is not set|enabled is absent|is on Deployment mcp-server itself",
        ),
        Mutant(
            "a direct connection to the backend let through",
            frozenset({"T090"}),
            _reopen,
            undo=_close,
            patience=30.0,
            cause=r":8000.* is no connection of sidecars",
        ),
        Mutant(
            "no sentry",
            frozenset({"T079", "T080"}),
            lambda hands: _scaled_away(hands, SENTRY),
            objects=(SENTRY,),
            unproven=frozenset({"T089"}),
            cause="dapr-sentry",
        ),
        Mutant(
            "no Redis",
            frozenset({"T085", "T087", "T091"}),
            lambda hands: _scaled_away(hands, redis),
            objects=(redis,),
            patience=60.0,
        ),
        Mutant(
            "no access control at the backend",
            frozenset({"T081", "T087", "T090"}),
            lambda hands: hands.patch(control, {"op": "remove", "path": "/spec/accessControl"}),
            objects=(control,),
            patience=60.0,
            cause=r"the default is not set|accessControl is absent|access control lets frontend call",
        ),
        Mutant(
            "mutual TLS off, certificates of 1h",
            frozenset({"T079", "T081", "T089"}),
            lambda hands: hands.patch(
                SYSTEM,
                {"op": "replace", "path": "/spec/mtls/enabled", "value": False},
                {"op": "replace", "path": "/spec/mtls/workloadCertTTL", "value": "1h"},
            ),
            objects=(SYSTEM,),
            undo=lambda hands: mesh.restart(hands.world),
            cause=r"mutual TLS is off; workloadCertTTL is 1h|Configuration daprsystem: spec\.mtls",
        ),
    )
    steps = (step.id for step in catalogue.STEPS if "T079" <= step.id <= "T092" and not step.drill)
    return Group("dapr", tuple(steps), mutants, makes=("NetworkPolicy", "Configuration.dapr.io"))


def _second_system(hands: Hands, space: str) -> dict[str, Any]:
    """What Dapr's own CLI would look at."""
    real = hands.read(SYSTEM)
    metadata = {"name": mutual_tls.SYSTEM, "namespace": space}
    return {**{key: real[key] for key in ("apiVersion", "kind", "spec")}, "metadata": metadata}


def _misplace(hands: Hands, server: Object) -> None:
    """Paused, so that no pod is rolled."""
    hands.patch(
        server,
        {"op": "add", "path": "/spec/paused", "value": True},
        {"op": "move", "from": f"{TEMPLATE}/{ENABLED}", "path": f"/metadata/annotations/{ENABLED}"},
    )


def _scaled_away(hands: Hands, thing: Object) -> None:
    hands.patch(thing, {"op": "replace", "path": "/spec/replicas", "value": 0})
    selected = hands.read(thing)["spec"]["selector"]["matchLabels"]
    labels = ",".join(f"{key}={value}" for key, value in selected.items())

    def gone() -> None:
        if hands.world.api.list("Pod", thing[2], labels=labels):
            raise NotYet(f"a pod of {thing[1]} is still there")

    eventually(gone, timeout=FOLLOWED, every=0.1, wanted=f"no pod of {thing[1]}")


def _reopen(hands: Hands) -> None:
    """The old way from the frontend to the backend, and a connection on it that stays."""
    world = hands.world
    space = world.settings.namespace
    hands.create(_open_way(space))
    pods = {workloads.component(pod): pod for pod in application_pods(world)}
    caller, address = workloads.name(pods[FRONTEND.name]), str(pods[BACKEND.name]["status"]["podIP"])

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
        raise Unmeasurable("no connection can be held in the frontend's pod", wanted="its process id")
    hands.kept["holder"] = (caller, number)


def _close(hands: Hands) -> None:
    """First the connection, as long as its reset is let through."""
    space = hands.world.settings.namespace
    if "holder" in hands.kept:
        caller, number = hands.kept["holder"]
        hands.world.api.exec(caller, FRONTEND.name, ["node", "-e", f"process.kill({number})"], space)
    hands.remove(("NetworkPolicy", PLANTED, space))


def _open_way(space: str) -> Mapping[str, Any]:
    def named(name: str) -> dict[str, Any]:
        return {"podSelector": {"matchLabels": {"app.kubernetes.io/name": name}}}

    port = [{"port": BACKEND.port, "protocol": "TCP"}]
    either = {"key": "app.kubernetes.io/name", "operator": "In", "values": [FRONTEND.name, BACKEND.name]}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": PLANTED, "namespace": space},
        "spec": {
            "podSelector": {"matchExpressions": [either]},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [{"from": [named(FRONTEND.name)], "ports": port}],
            "egress": [{"to": [named(BACKEND.name)], "ports": port}],
        },
    }
