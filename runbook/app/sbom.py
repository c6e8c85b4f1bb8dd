"""What an image is made of, as a CycloneDX bill of materials: read from the image itself, so that it is what runs.

Debian's packages come from dpkg's record, Python's from their metadata, Node's from their package.json; what Next.js
compiled into the page's own files is known from the lock file alone.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.parser import HeaderParser
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclonedx.model.bom import Bom

    from runbook.app.image_archive import Archive, SavedImage

DPKG = "var/lib/dpkg/status"
OS_RELEASE = ("etc/os-release", "usr/lib/os-release")
SPACE = uuid.UUID("6f7e0c52-6a0d-4c53-9d5b-1f0a3c1b7c11")
"""Names the serial numbers that are made of image ids."""


@dataclass(frozen=True, order=True)
class Part:
    """A package: `kind` is that of its package URL, `found` says by what it is known."""

    kind: str
    name: str
    version: str
    licence: str = ""
    found: str = ""


@dataclass(frozen=True)
class Materials:
    """The parts of an image, its operating system, and what is known to be missing."""

    parts: tuple[Part, ...]
    system: str
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class Subject:
    """The image that a bill is about: `created` as its configuration says it, `base` what it stands on."""

    name: str
    tag: str
    image_id: str
    created: str
    base: str


def wanted(path: str) -> bool:
    """Whether a file of an image says what it is made of."""
    return (
        path in (DPKG, *OS_RELEASE)
        or path.endswith(".dist-info/METADATA")
        or (path.endswith("/package.json") and "node_modules/" in path)
    )


def read(archive: Archive, image: SavedImage) -> dict[str, bytes]:
    """The files of the image that say what it is made of, as a container sees them."""
    from runbook.app.image_archive import merged

    layers, contents = [], {}
    for name in image.layers:
        layer = []
        for entry, content in archive.entries(name):
            layer.append(entry)
            if entry.is_file and wanted(entry.path):
                contents[entry.path] = content()
        layers.append(layer)
    seen = merged(layers)
    return {path: data for path, data in contents.items() if path in seen}


def materials(files: Mapping[str, bytes], lock: Mapping[str, Any] | None = None) -> Materials:
    """`lock` is the package-lock.json of an image whose Node packages were compiled."""
    parts = {(part.kind, part.name, part.version): part for part in _locked(lock or {})}
    parts |= {(part.kind, part.name, part.version): part for part in _installed(files)}
    system = next((_system(files[path]) for path in OS_RELEASE if path in files), "")
    gaps = (
        () if DPKG in files else ("libraries of the base image, copied without a record of their packages",)
    )
    return Materials(tuple(sorted(parts.values())), system, gaps)


def _installed(files: Mapping[str, bytes]) -> Iterator[Part]:
    for path, data in files.items():
        text = data.decode(errors="replace")
        if path == DPKG:
            yield from _debian(text)
        elif path.endswith("METADATA"):
            metadata = HeaderParser().parsestr(text)
            licence = metadata.get("License-Expression") or metadata.get("License") or ""
            yield Part(
                "pypi", _canonical(metadata["Name"]), metadata["Version"], _one_line(licence), "metadata"
            )
        elif path.endswith("package.json"):
            yield from _node(text)


def _debian(text: str) -> Iterator[Part]:
    for paragraph in text.split("\n\n"):
        fields = HeaderParser().parsestr(paragraph)
        if (fields.get("Status") or "").endswith(" installed"):
            yield Part("deb", fields["Package"], fields["Version"], "", "dpkg")


def _node(text: str) -> Iterator[Part]:
    """Folders of a package may hold a package.json of their own, without a name or a version."""
    try:
        found = json.loads(text)
    except ValueError:
        return
    if isinstance(found, dict) and found.get("name") and found.get("version"):
        licence = found.get("license")
        yield Part(
            "npm",
            found["name"],
            found["version"],
            licence if isinstance(licence, str) else "",
            "package.json",
        )


def _locked(lock: Mapping[str, Any]) -> Iterator[Part]:
    for path, entry in (lock.get("packages") or {}).items():
        name = entry.get("name") or path.rpartition("node_modules/")[2]
        if path and entry.get("version") and not (entry.get("dev") or entry.get("optional")):
            yield Part("npm", name, entry["version"], str(entry.get("license") or ""), "package-lock.json")


def document(about: Subject, of: Materials) -> str:
    """CycloneDX 1.6 as JSON. The same image has the same document."""
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    bom = _bom(about, of)
    text: str = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=2)
    return text


def _bom(about: Subject, of: Materials) -> Bom:
    from cyclonedx.model import Property
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType

    bom = Bom(serial_number=uuid.uuid5(SPACE, about.image_id))
    bom.metadata.timestamp = datetime.fromisoformat(about.created)
    properties = [Property(name="todo.runbook:image-id", value=about.image_id)]
    properties += [Property(name="todo.runbook:not-listed", value=gap) for gap in of.gaps]
    bom.metadata.component = Component(
        type=ComponentType.CONTAINER,
        name=about.name,
        version=about.tag,
        bom_ref=f"{about.name}:{about.tag}",
        properties=properties,
    )
    base, _, version = about.base.rpartition(":")
    bom.components.add(Component(type=ComponentType.CONTAINER, name=base, version=version, bom_ref="base"))
    if of.system:
        bom.components.add(Component(type=ComponentType.OPERATING_SYSTEM, name=of.system, bom_ref="system"))
    for component in _components(of.parts):
        bom.components.add(component)
    bom.register_dependency(bom.metadata.component, bom.components)
    return bom


def _components(parts: Iterable[Part]) -> Iterator[Any]:
    from cyclonedx.contrib.license.factories import LicenseFactory
    from cyclonedx.model import Property
    from cyclonedx.model.component import Component, ComponentType
    from packageurl import PackageURL

    licences = LicenseFactory()
    for part in parts:
        space, _, short = part.name.rpartition("/")
        namespace = "debian" if part.kind == "deb" else space or None
        purl = PackageURL(part.kind, namespace, short or part.name, part.version)
        yield Component(
            type=ComponentType.LIBRARY,
            name=short,
            group=space or None,
            version=part.version,
            purl=purl,
            bom_ref=purl.to_string(),
            licenses=[licences.make_from_string(part.licence)] if part.licence else [],
            properties=[Property(name="todo.runbook:found", value=part.found)],
        )


def _system(data: bytes) -> str:
    lines = dict(
        line.partition("=")[::2] for line in data.decode(errors="replace").splitlines() if "=" in line
    )
    return str(lines.get("PRETTY_NAME", "")).strip('"')


def _canonical(name: str) -> str:
    from packaging.utils import canonicalize_name

    return str(canonicalize_name(name))


_LONGEST = 100


def _one_line(licence: str) -> str:
    """Some packages put the whole text of their licence there."""
    text = licence.strip()
    return text if "\n" not in text and len(text) <= _LONGEST else ""
