"""Mutants of Dapr: its settings, who may call whom, the state store, and what it needs to run.

Sidecars take up a changed Configuration or Component while they run. So the state store is not opened to everybody: the
others would load it, find no way to Redis, and end after a minute. T089 wants sidecars younger than the settings of the
control plane: a mutant of these rolls the application when it is undone. T091, a drill, is asked only where it must be
red.
"""

from __future__ import annotations

from typing import Any

from runbook import catalogue
from runbook.actions.cluster import rollout
from runbook.actions.dapr import mesh
from runbook.actions.package import release
from runbook.app import sidecars
from runbook.app.application import DAPR_NAMESPACE, MCP_SERVER, REDIS, REDIS_SECRET, STATE_STORE
from runbook.checks.dapr import mutual_tls
from runbook.engine.settings import Settings
from runbook.engine.waiting import NotYet, eventually
from runbook.faults import Group, Mutant, certificates, direct_way, endurance, newcomer
from runbook.faults.certificates import SYSTEM
from runbook.faults.planting import Hands, Object

INJECTOR: Object = ("Deployment", sidecars.INJECTOR, DAPR_NAMESPACE)
SENTRY: Object = ("Deployment", "dapr-sentry", DAPR_NAMESPACE)
TEMPLATE = "/spec/template/metadata/annotations"
ENABLED = "dapr.io~1enabled"
FOLLOWED = 90.0
"""Seconds until pods that were scaled away are gone."""

OTHER_PASSWORD = "YW5vdGhlci1sb25nLXBhc3N3b3JkLWZvci1yZWRpcy0x"  # noqa: S105 - opens nothing


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
            meanwhile=endurance.chat_answers,
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
            direct_way.reopen,
            undo=direct_way.close,
            patience=30.0,
            cause=r":8000.* bypasses the sidecars",
        ),
        Mutant(
            "no sentry",
            frozenset({"T079", "T080"}),
            lambda hands: _scaled_away(hands, SENTRY),
            objects=(SENTRY,),
            unproven=frozenset({"T089"}),
            cause="dapr-sentry",
            meanwhile=endurance.chat_answers,
        ),
        Mutant(
            "no Redis",
            frozenset({"T085", "T087", "T091"}),
            lambda hands: _scaled_away(hands, redis),
            objects=(redis,),
            patience=60.0,
            meanwhile=endurance.chat_answers,
        ),
        Mutant(
            "no access control at the backend",
            frozenset({"T081", "T087", "T090"}),
            lambda hands: hands.patch(control, {"op": "remove", "path": "/spec/accessControl"}),
            objects=(control,),
            patience=90.0,
            settles=90.0,  # the sidecar starts over, once it has waited for calls under way
            cause=r"the default is not set|accessControl is absent|access control lets frontend call",
        ),
        Mutant(
            "mutual TLS off, and pods recreated",
            frozenset({"T079", "T081", "T088", "T089", "T090"}),
            certificates.without_tls,
            objects=(SYSTEM,),
            undo=lambda hands: mesh.restart(hands.world),
            patience=60.0,
            cause=r"mutual TLS is off|spec\.mtls|without --enable-mtls|takes a client without TLS",
        ),
        Mutant(
            "certificates of a minute, renewed while people work",
            frozenset({"T079", "T081", "T089"}),
            certificates.short_lived,
            objects=(SYSTEM,),
            undo=certificates.restart_all,
            cause=r"workloadCertTTL is 1m|spec\.mtls",
            meanwhile=certificates.renewed_under_load,
        ),
        Mutant(
            "the backend's sidecar out of memory",
            frozenset({"T088"}),
            endurance.exhaust_sidecar,
            undo=endurance.replace_backend,
            cause="daprd of pod backend-.* restarted . times .OOMKilled",
            meanwhile=endurance.comeback,
        ),
        Mutant(
            "no injector, and a pod to be made",
            frozenset({"T079", "T080", "T087"}),
            lambda hands: _uninjected(hands, space),
            objects=(INJECTOR,),
            undo=lambda hands: release.wait(hands.world),
            patience=60.0,
            cause="dapr-sidecar-injector",
            meanwhile=endurance.chat_answers,
        ),
        Mutant(
            "another application with a sidecar (control)",
            frozenset(),
            newcomer.arrive,
            undo=newcomer.leave,
            meanwhile=newcomer.is_kept_out,
        ),
        Mutant(
            "the backend's pod deleted (control)",
            frozenset(),
            lambda _: None,
            meanwhile=endurance.state_outlives_its_pod,
        ),
        Mutant(
            "Redis killed and started over empty (control)",
            frozenset(),
            lambda _: None,
            meanwhile=endurance.starts_over_empty,
        ),
    )
    steps = (step.id for step in catalogue.STEPS if "T079" <= step.id <= "T092" and not step.drill)
    return Group(
        "dapr",
        tuple(steps),
        mutants,
        makes=("NetworkPolicy", "Configuration.dapr.io", "Deployment"),
    )


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


def _uninjected(hands: Hands, space: str) -> None:
    """The old pod goes on until there is a new one, which there is not."""
    _scaled_away(hands, INJECTOR)
    rollout.restart(hands.world, space, [MCP_SERVER.name])
