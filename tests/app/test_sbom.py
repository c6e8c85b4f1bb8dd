"""Bills of materials: what an image says of its packages, in a document that CycloneDX's own schema takes."""

from __future__ import annotations

import json
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from runbook.app import sbom
from runbook.app.image_archive import Archive
from runbook.app.sbom import Part, Subject
from tests.fakes.saved import OS_RELEASE, save

DPKG = b"""\
Package: libc6
Status: install ok installed
Version: 2.41-12

Package: gone
Status: deinstall ok config-files
Version: 1
"""
SITE = "app/.venv/lib/python3.13/site-packages"
FILES = {
    **OS_RELEASE,
    "var/lib/dpkg/status": DPKG,
    f"{SITE}/Some_Thing-1.2.dist-info/METADATA": b"Name: Some_Thing\nVersion: 1.2\nLicense-Expression: MIT\n\nText",
    f"{SITE}/long-1.dist-info/METADATA": b"Name: long\nVersion: 1\nLicense: all\n of\n its\n text\n",
    "app/node_modules/@scope/name/package.json": b'{"name": "@scope/name", "version": "3.0.0", "license": "ISC"}',
    "app/node_modules/@scope/name/esm/package.json": b'{"type": "module"}',
    "app/node_modules/bad/package.json": b"{",
    "app/other.txt": b"nothing",
}
LOCK = {
    "packages": {
        "": {"name": "frontend", "version": "1.0.0"},
        "node_modules/@scope/name": {"version": "3.0.0"},
        "node_modules/compiled": {"version": "4.0.0", "license": "MIT"},
        "node_modules/a/node_modules/deep": {"version": "5.0.0"},
        "node_modules/tester": {"version": "1.0.0", "dev": True},
        "node_modules/other-system": {"version": "1.0.0", "optional": True},
    }
}
ABOUT = Subject(
    "todo-backend", "1.0.0", "sha256:12", "2026-11-23T18:00:00.123456789Z", "registry:5000/python:3.13"
)


def test_only_what_a_container_sees_is_read(tmp_path: Path) -> None:
    file = save(tmp_path / "x.tar", {"x:1": [FILES, {"app/node_modules/.wh.@scope": b""}]})
    with Archive(file) as archive:
        found = sbom.read(archive, archive.images()[0])
    assert "app/node_modules/@scope/name/package.json" not in found
    assert "app/other.txt" not in found
    assert found["var/lib/dpkg/status"] == DPKG


def test_parts_of_all_three_kinds_and_of_the_lock() -> None:
    found = sbom.materials(FILES, LOCK)
    assert found.system == "Debian GNU/Linux 13 (trixie)"
    assert found.gaps == ()
    assert found.parts == (
        Part("deb", "libc6", "2.41-12", "", "dpkg"),
        Part("npm", "@scope/name", "3.0.0", "ISC", "package.json"),
        Part("npm", "compiled", "4.0.0", "MIT", "package-lock.json"),
        Part("npm", "deep", "5.0.0", "", "package-lock.json"),
        Part("pypi", "long", "1", "", "metadata"),
        Part("pypi", "some-thing", "1.2", "MIT", "metadata"),
    )


def test_what_cannot_be_listed_is_said() -> None:
    assert sbom.materials(OS_RELEASE).gaps == (
        "libraries of the base image, copied without a record of their packages",
    )


def test_the_document_is_valid_and_the_same_for_the_same_image() -> None:
    text = sbom.document(ABOUT, sbom.materials(FILES, LOCK))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    assert document["metadata"]["component"]["name"] == "todo-backend"
    purls = {each.get("purl") for each in document["components"]}
    assert purls >= {"pkg:deb/debian/libc6@2.41-12", "pkg:npm/%40scope/name@3.0.0", "pkg:pypi/some-thing@1.2"}
    assert {("registry:5000/python", "3.13")} <= {
        (e["name"], e.get("version")) for e in document["components"]
    }
    assert sbom.document(ABOUT, sbom.materials(FILES, LOCK)) == text
    bare = sbom.document(ABOUT, sbom.materials({}))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bare) is None
    assert "not-listed" in bare
