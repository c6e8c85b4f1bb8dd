"""Mutants of the database: its Secret, and who takes what of it; those of roles and server are in `server`.

The drills are asked only where they must be red.
"""

from __future__ import annotations

import base64
import secrets as randomness
from collections.abc import Callable, Mapping
from typing import Any

from runbook import catalogue
from runbook.app.application import AUTHORITY, BACKEND, SECRET
from runbook.app.secrets import secret_data
from runbook.app.secrets.authority import certify
from runbook.app.secrets.secret_data import LAST_APPLIED
from runbook.checks.database import dialling
from runbook.clients.kube import workloads
from runbook.engine.redaction import conceal
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant, server
from runbook.faults.planting import Hands, Object

CONTAINERS = "/spec/template/spec/containers"


def group(settings: Settings) -> Group:
    """All of them, with the steps of the database that are no drills."""
    space = settings.namespace
    steps = (step.id for step in catalogue.STEPS if "T105" <= step.id <= "T119" and not step.drill)
    mutants = (
        *_of_secret(space),
        *_of_references(space),
        *server.of_roles(),
        *server.of_server(space),
    )
    return Group("database", tuple(steps), mutants)


def _of_secret(space: str) -> tuple[Mutant, ...]:
    secret: Object = ("Secret", SECRET, space)

    def changed(
        name: str, key: str, change: Callable[[str], str], cause: str, *more: str, unproven: str = ""
    ) -> Mutant:
        return Mutant(
            name,
            frozenset({"T106", "T111", *more}),
            lambda hands: _set(hands, secret, key, change),
            objects=(secret,),
            cause=cause,
            unproven=frozenset({unproven} - {""}),
        )

    return (
        Mutant(
            "a key of the Secret missing",
            frozenset({"T106", "T108", "T111"}),
            lambda hands: hands.patch(secret, {"op": "remove", "path": f"/data/{secret_data.MODEL_KEY}"}),
            objects=(secret,),
            cause="lacks the key openai-api-key",
        ),
        changed(
            "white space behind a key", "better-auth-secret", lambda value: value + "\n", "has white space"
        ),
        changed(
            "a key in base64 twice",
            "mcp-signing-key",
            lambda value: base64.b64encode(value.encode()).decode(),
            "mcp-signing-key .* was encoded twice",
        ),
        changed(
            "a sign-in secret that is too short",
            "better-auth-secret",
            lambda value: value[:20],
            "better-auth-secret .* has less than 32 characters",
        ),
        changed(
            "a URL that allows plain text",
            "database-url",
            lambda value: value.replace("sslmode=verify-full", "sslmode=prefer"),
            "sslmode prefer, which allows plain text|database-url .* does not sign in as",
            "T110",
        ),
        Mutant(
            "a copy of the values in an annotation",
            frozenset({"T106"}),
            lambda hands: hands.patch(
                secret, {"op": "add", "path": "/metadata/annotations", "value": {LAST_APPLIED: "{}"}}
            ),
            objects=(secret,),
            cause="holds a copy of its values",
        ),
        Mutant(
            "a Secret that can never be changed",
            frozenset({"T105", "T106"}),
            lambda hands: _freeze(hands, secret),
            undo=lambda hands: _thaw(hands, secret),
            cause="immutable",
        ),
        Mutant(
            "another authority than the server's",
            frozenset({"T106", "T110", "T111", "T112"}),
            lambda hands: _mistrust(hands, space),
            objects=(("ConfigMap", AUTHORITY, space),),
            undo=_nudge,
            patience=150.0,
            cause="is not the authority of the database's certificate|SSLCertVerificationError",
        ),
    )


def _of_references(space: str) -> tuple[Mutant, ...]:
    """Deployments are paused meanwhile, so that no pod is rolled."""
    backend: Object = ("Deployment", BACKEND.name, space)

    def referring(name: str, reds: set[str], variable: str, change: Mapping[str, Any], cause: str) -> Mutant:
        return Mutant(
            name,
            frozenset(reds),
            lambda hands: _refer(hands, backend, variable, change),
            objects=(backend,),
            cause=f"{cause}|Deployment backend",
        )

    def key(name: str, **more: Any) -> dict[str, Any]:
        return {"valueFrom": {"secretKeyRef": {"name": SECRET, "key": name, **more}}}

    return (
        referring(
            "the backend takes the owner's URL",
            {"T107", "T111"},
            "DATABASE_URL",
            key("migration-database-url"),
            "DATABASE_URL is key migration-database-url",
        ),
        referring(
            "a model key that is in plain text",
            {"T108", "T111"},
            "OPENAI_API_KEY",
            {"value": "in clear"},
            "OPENAI_API_KEY is in plain text",
        ),
        referring(
            "a sign-in secret that may be missing",
            {"T109"},  # the release says nothing of it, so that it is no difference from it
            "BETTER_AUTH_SECRET",
            key("better-auth-secret", optional=True),
            "BETTER_AUTH_SECRET may be missing",
        ),
    )


def _set(hands: Hands, secret: Object, key: str, change: Callable[[str], str]) -> None:
    value = change(base64.b64decode(hands.read(secret)["data"][key]).decode())
    conceal(value)
    encoded = base64.b64encode(value.encode()).decode()
    hands.patch(secret, {"op": "replace", "path": f"/data/{key}", "value": encoded})


def _freeze(hands: Hands, secret: Object) -> None:
    hands.kept["secret"] = hands.read(secret)
    hands.patch(secret, {"op": "add", "path": "/immutable", "value": True})


def _thaw(hands: Hands, secret: Object) -> None:
    """Only another one in its place can be changed again."""
    if "secret" in hands.kept:
        hands.remove(secret)
        hands.restore(secret, hands.kept["secret"])


def _mistrust(hands: Hands, space: str) -> None:
    stranger = certify(["nobody.invalid"]).authority
    operation = {
        "op": "replace",
        "path": f"/data/{secret_data.AUTHORITY_KEY.replace('/', '~1')}",
        "value": stranger,
    }
    hands.patch(("ConfigMap", AUTHORITY, space), operation)
    _nudge(hands)


def _nudge(hands: Hands) -> None:
    """The kubelet looks at a pod's volumes when the pod changes, and else once a minute."""
    for pod in dialling.backend_pods(hands.world):
        thing: Object = ("Pod", workloads.name(pod), hands.world.settings.namespace)
        path = "/metadata/annotations/todo.runbook~1nudged"
        hands.patch(thing, {"op": "add", "path": path, "value": randomness.token_hex(4)})


def _refer(hands: Hands, deployment: Object, variable: str, change: Mapping[str, Any]) -> None:
    containers = hands.read(deployment)["spec"]["template"]["spec"]["containers"]
    number, environment = next(
        (number, each["env"]) for number, each in enumerate(containers) if each["name"] == BACKEND.name
    )
    place = next(place for place, each in enumerate(environment) if each["name"] == variable)
    hands.patch(
        deployment,
        {"op": "add", "path": "/spec/paused", "value": True},
        {
            "op": "replace",
            "path": f"{CONTAINERS}/{number}/env/{place}",
            "value": {"name": variable, **change},
        },
    )
