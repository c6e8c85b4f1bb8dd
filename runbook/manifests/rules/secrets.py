"""Where secrets stand, how they reach a process, and whether what is referred to exists."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from runbook.manifests.documents import at, entries, fields
from runbook.manifests.item import Hit, Item
from runbook.manifests.material import form_of, is_material, under_a_secret_name
from runbook.manifests.rule import rule
from runbook.manifests.scene import Container, Pod, Thing, containers, kinds, pods

MADE_BY = {
    "ExternalSecret": "spec.target.name",
    "SealedSecret": "metadata.name",
    "Certificate": "spec.secretName",
    "VaultStaticSecret": "spec.destination.name",
}
"""Objects of others that make a Secret, and where they say its name."""

GIVEN = ("kube-root-ca.crt",)
"""ConfigMaps that every namespace has."""


@rule(
    "SEC-01",
    "No secret stands in a manifest",
    over=kinds(),
    reason="A manifest is in version control, in the release's record and in everyone's terminal.",
    remedy="make the Secret outside of the manifests and refer to it; renew the value that stood here",
)
def in_clear(each: Thing) -> Iterator[Hit]:
    """The evidence says the form and the length, never the value."""
    if each.item.kind == "Secret":
        for path, value in _data(each.item):
            if is_material(value):
                yield each.hit(path, _told(value))
        return
    for path, name, value in _texts(each.item.raw, "", ""):
        if (form := form_of(value)) is not None:
            yield each.hit(path, form)
        elif _may_hold(path) and under_a_secret_name(name, value):
            yield each.hit(path, _told(value))


@rule(
    "SEC-02",
    "Secrets reach a process as files, not by its environment",
    over=containers,
    reason="An environment is inherited, shown by debug pages and crash reports, and never changes in a running pod.",
    remedy="mount the Secret as a volume and let the program read the file",
)
def by_environment(each: Container) -> Iterator[Hit]:
    for entry in entries(each.raw.get("env")):
        reference = fields(at(entry, "valueFrom.secretKeyRef"))
        if reference:
            yield each.hit(
                f"env[{entry.get('name')}]", f"key {reference.get('key')} of {reference.get('name')}"
            )
    for place, source in enumerate(entries(each.raw.get("envFrom"))):
        if source.get("secretRef") is not None:
            yield each.hit(f"envFrom[{place}]", f"all keys of {fields(source['secretRef']).get('name')}")


@rule(
    "SEC-03",
    "Secrets and ConfigMaps that a pod refers to are declared with their keys, and renewed where mounted",
    over=pods,
    reason="A missing one keeps the pod from starting; a file mounted by subPath keeps its first value for ever.",
    remedy="declare it (a Secret with empty values says its form) or mark it optional; mount the folder, not a subPath",
)
def references(each: Pod) -> Iterator[Hit]:
    for path, kind, reference, keys in _references(each):
        if not reference.get("optional"):
            yield from _missing(
                each, path, kind, str(reference.get("name") or reference.get("secretName")), keys
            )
    renewed = {
        str(volume.get("name"))
        for volume in entries(each.spec.get("volumes"))
        if volume.keys() & {"secret", "configMap", "projected"}
    }
    for container in each.containers:
        for mount in entries(container.raw.get("volumeMounts")):
            if mount.get("name") in renewed and (mount.get("subPath") or mount.get("subPathExpr")):
                told = f"{mount.get('subPath') or mount.get('subPathExpr')} of volume {mount['name']}"
                yield container.hit(f"volumeMounts[{mount['name']}].subPath", told)


Reference = tuple[str, str, Mapping[str, Any], list[str]]
"""Where it stands, the kind, what names it, the keys that it needs."""


def _references(pod: Pod) -> Iterator[Reference]:
    for container in pod.containers:
        inside = container.path.removeprefix(f"{pod.path}.")
        for entry in entries(container.raw.get("env")):
            for name, kind in (("secretKeyRef", "Secret"), ("configMapKeyRef", "ConfigMap")):
                if reference := fields(fields(entry.get("valueFrom")).get(name)):
                    yield f"{inside}.env[{entry.get('name')}]", kind, reference, [str(reference.get("key"))]
        for place, source in enumerate(entries(container.raw.get("envFrom"))):
            for name, kind in (("secretRef", "Secret"), ("configMapRef", "ConfigMap")):
                if reference := fields(source.get(name)):
                    yield f"{inside}.envFrom[{place}]", kind, reference, []
    for volume in entries(pod.spec.get("volumes")):
        path = f"volumes[{volume.get('name')}]"
        sources = [volume, *entries(fields(volume.get("projected")).get("sources"))]
        for source in sources:
            for name, kind in (("secret", "Secret"), ("configMap", "ConfigMap")):
                if reference := fields(source.get(name)):
                    yield (
                        path,
                        kind,
                        reference,
                        [str(each.get("key")) for each in entries(reference.get("items"))],
                    )


def _missing(pod: Pod, path: str, kind: str, name: str, keys: list[str]) -> Iterator[Hit]:
    if kind == "ConfigMap" and name in GIVEN:
        return
    found = pod.scene.find(kind, pod.item.namespace, name)
    if found is None:
        if kind == "Secret" and any(
            at(item.raw, MADE_BY[item.kind]) == name and item.namespace == pod.item.namespace
            for item in pod.scene.of(*MADE_BY)
        ):
            return
        yield pod.hit(path, f"there is no {kind} {name}")
        return
    held = {key for group in ("data", "stringData", "binaryData") for key in fields(found.raw.get(group))}
    for key in keys:
        if key not in held:
            yield pod.hit(path, f"{kind} {name} has no key {key}")


def _data(secret: Item) -> Iterator[tuple[str, str]]:
    for key, value in fields(secret.raw.get("stringData")).items():
        yield f"stringData.{key}", str(value)
    for key, value in fields(secret.raw.get("data")).items():
        try:
            yield f"data.{key}", base64.b64decode(str(value), validate=True).decode(errors="replace")
        except binascii.Error:
            yield f"data.{key}", str(value)


def _texts(value: object, path: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Every text of an object: where it stands, under which name, and itself."""
    if isinstance(value, Mapping):
        if isinstance(value.get("name"), str) and isinstance(value.get("value"), str):
            yield f"{path}.value", value["name"], value["value"]
            value = {key: each for key, each in value.items() if key != "value"}
        for key, each in value.items():
            yield from _texts(each, f"{path}.{key}" if path else str(key), str(key))
    elif isinstance(value, list):
        for place, each in enumerate(value):
            label = each.get("name", place) if isinstance(each, Mapping) else place
            yield from _texts(each, f"{path}[{label}]", name)
    elif isinstance(value, str):
        yield path, name, value


def _may_hold(path: str) -> bool:
    """Whether names there are chosen by people for values: fields of the API have names of their own."""
    return path.startswith(("data.", "metadata.annotations.")) or ".env[" in path or path.endswith("].value")


def _told(value: str) -> str:
    return f"{form_of(value) or 'a value in clear'}, {len(value.strip())} characters"


RULES = (in_clear, by_environment, references)
