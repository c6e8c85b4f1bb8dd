"""Claims about who takes which key of the application's Secret: by reference, each service its own and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from runbook.app.application import BACKEND, COMPONENTS, FRONTEND, MCP_SERVER, SECRET, Component
from runbook.app.secrets import secret_data
from runbook.checks.chart.claims import Claim, Object, Scene, Seen, container_of, look, pod_spec
from runbook.checks.chart.rendering import RELEASE
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

JOB = f"{RELEASE}-migrate"
"""A hook, which the chart renders and Helm removes again: it is there in the rendered chart only."""

TAKEN: Mapping[str, Mapping[str, str]] = {
    FRONTEND.name: {"DATABASE_URL": "frontend-database-url", "BETTER_AUTH_SECRET": "better-auth-secret"},
    BACKEND.name: {
        "DATABASE_URL": "database-url",
        "OPENAI_API_KEY": "openai-api-key",
        "BETTER_AUTH_SECRET": "better-auth-secret",
        "MCP_SIGNING_KEY": "mcp-signing-key",
    },
    MCP_SERVER.name: {"DATABASE_URL": "mcp-database-url", "MCP_SIGNING_KEY": "mcp-signing-key"},
    JOB: {"DATABASE_URL": "migration-database-url"},
}
"""Who takes which key, by the variable that it comes in (D-24)."""

DATABASE = frozenset(secret_data.URL_ROLES)
MODEL = frozenset({secret_data.MODEL_KEY})
SIGNATURES = frozenset(secret_data.GENERATED)


def takes(component: Component, variable: str, family: frozenset[str]) -> Claim:
    """The variable comes from the Secret by reference, and of these keys nobody takes another than its own.

    Source: T107, T108, T109, D-24.
    """
    key = TAKEN[component.name][variable]
    wanted = (
        f"{variable} of {component.name} from key {key} of Secret {SECRET}; each service its own keys alone"
    )

    def examine(scene: Scene) -> Seen:
        problems, examined = [], 0
        for owner, title, container, volumes in _containers(scene):
            examined += 1
            problems += [f"{title} takes {whole}" for whole in _whole(container, volumes)]
            problems += _differences(owner, title, container, family)
        return Seen(f"{variable} by reference to {key}; {examined} containers examined", problems)

    return Claim(wanted, look("deployment", component.name), examine)


def is_there(component: Component, variable: str) -> Check:
    """The key that the container refers to is in the live Secret, with a value."""
    key = TAKEN[component.name][variable]
    wanted = f"the key {key} in Secret {SECRET}"

    def check(world: World) -> Outcome:
        there = secret_data.read(world, SECRET, world.settings.namespace)
        if not there.get(key):
            return failed(f"Secret {SECRET} lacks the key {key}", wanted=wanted, hint="inv deploy")
        return passed("the Secret holds it", wanted=wanted)

    return check


def _containers(scene: Scene) -> Iterator[tuple[str, str, Object, list[Any]]]:
    """Whose it is, its title, the container, and the volumes beside it. Raises `Absent` for a missing Deployment."""
    for component in COMPONENTS:
        spec = pod_spec(scene, component)
        container_of(spec, component)
        for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
            yield (
                component.name,
                f"{component.name}/{container['name']}",
                container,
                spec.get("volumes") or [],
            )
    job = scene.find("Job", JOB)
    if job is not None:
        spec = job["spec"]["template"]["spec"]
        for container in spec["containers"]:
            yield JOB, f"{JOB}/{container['name']}", container, spec.get("volumes") or []


def _whole(container: Object, volumes: list[Any]) -> list[str]:
    """Ways to take every key at once."""
    taken = [
        f"every key of Secret {source['secretRef']['name']}"
        for source in container.get("envFrom") or []
        if "secretRef" in source
    ]
    return taken + [
        f"Secret {volume['secret'].get('secretName')} as files"
        for volume in volumes
        if (volume.get("secret") or {}).get("secretName") == SECRET
    ]


def _differences(owner: str, title: str, container: Object, family: frozenset[str]) -> list[str]:
    """How the variables of a container differ from what its service takes, as far as they are about these keys."""
    wanted = {variable: key for variable, key in TAKEN[owner].items() if key in family}
    problems = []
    if title.rpartition("/")[2] not in (owner, "migrate"):
        wanted = {}  # a container beside the service's own takes nothing
    for variable in container.get("env") or []:
        name = variable["name"]
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef") or {}
        key = str(reference.get("key", ""))
        if name in wanted:
            expected = wanted.pop(name)
            if "value" in variable:
                problems.append(f"{title}: {name} is in plain text")
            elif (reference.get("name"), key) != (SECRET, expected):
                problems.append(
                    f"{title}: {name} is key {key or 'none'} of Secret {reference.get('name', 'none')},"
                    f" not {expected}"
                )
            elif reference.get("optional"):
                problems.append(f"{title}: {name} may be missing (optional)")
        elif key in family:
            problems.append(f"{title}: {name} takes key {key}, which is not its own")
    return problems + [f"{title}: {name} is not set" for name in wanted]
