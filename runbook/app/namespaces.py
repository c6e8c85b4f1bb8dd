"""The namespaces that the settings call for, and what one that is there lacks of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from runbook.app.application import DATABASE_NAMESPACE, MODEL_NAMESPACE
from runbook.engine.errors import RunbookError
from runbook.ownership.installation import namespace_problem

if TYPE_CHECKING:
    from runbook.world import World

MANIFEST = Path("k8s/namespace.yaml")


def manifest(world: World) -> dict[str, Any]:
    """The application's namespace as its file says, under the name of the settings."""
    path = world.settings.project / MANIFEST
    try:
        document = yaml.safe_load(path.read_text())
        labels = dict(document["metadata"].get("labels") or {})
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as problem:
        raise RunbookError(
            f"{MANIFEST} is not a Namespace: {problem}",
            wanted="a manifest of kind Namespace",
            hint=f"git diff {MANIFEST}",
        ) from None
    if world.settings.production:
        labels["env"] = "production"
    return _namespace(world.settings.namespace, labels)


def wanted(world: World) -> list[dict[str, Any]]:
    """All namespaces that the settings call for; the stand-ins' ones only where they are used."""
    found = [manifest(world)]
    if not world.settings.database_url.get_secret_value():
        found.append(restricted(world, DATABASE_NAMESPACE))
    if not world.settings.openai_api_key.get_secret_value():
        found.append(restricted(world, MODEL_NAMESPACE))
    return found


def restricted(world: World, name: str) -> dict[str, Any]:
    """A further namespace whose pods are held to the same standard as the application's."""
    own = manifest(world)["metadata"]["labels"]
    strict = {key: value for key, value in own.items() if key.startswith("pod-security")}
    return _namespace(name, {"app.kubernetes.io/part-of": "todo-app"} | strict)


def problem_of(world: World, each: Mapping[str, Any], there: Mapping[str, Any] | None) -> str:
    """Empty when the namespace is ours and has its labels; others that it has besides are nobody's business."""
    return namespace_problem(world.settings, there) or lacking(each, there)


def lacking(each: Mapping[str, Any], there: Mapping[str, Any] | None) -> str:
    """Empty when a namespace, whoever made it, is there and has the labels that ours would have."""
    name = each["metadata"]["name"]
    if there is None:
        return f"there is no namespace {name}"
    labels = there["metadata"].get("labels") or {}
    missing = {key: value for key, value in each["metadata"]["labels"].items() if labels.get(key) != value}
    if not missing:
        return ""
    return f"namespace {name} lacks {', '.join(f'{key}={value}' for key, value in sorted(missing.items()))}"


def _namespace(name: str, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": dict(labels)}}
