"""`inv verify.images` and `inv sbom`: what is inside of the built images, told and written down."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.app import image_specs, sbom
from runbook.app.provenance import base_references
from runbook.checks.images import contents
from runbook.engine.step import Outcome, Status, passed, unproven
from runbook.report.json import dumps
from runbook.report.words import MARKS, explanation
from runbook.report.writer import Writer
from runbook.world import World

if TYPE_CHECKING:
    from runbook.app.image_archive import Entry, SavedImage
    from runbook.app.image_specs import Image
    from runbook.engine.settings import Settings

FOLDER = Path("build/sbom")


def verify(chosen: Settings, *, as_json: bool = False) -> None:
    """Look into all images that the engine holds, and exit with what came of it."""
    world, out = World.of(chosen), Writer(sys.stdout)
    seen = list(_inspected(world))
    if as_json:
        out.line(dumps(images=[{"title": title, **_fields(outcome)} for title, outcome in seen]))
    else:
        for title, outcome in seen:
            out.line(f"{MARKS[outcome.status]} {outcome.status.value:<8} {title}: {outcome.observed}")
            if not outcome.green:
                for name, text in explanation(outcome)[1:]:
                    out.line(f"  {name:<8} {text}")
    sys.exit(exit_code([outcome for _, outcome in seen]))


def exit_code(outcomes: list[Outcome]) -> int:
    """0 all passed, 1 a failure, 3 unproven or nothing looked at."""
    statuses = {outcome.status for outcome in outcomes}
    if Status.FAILED in statuses:
        return 1
    return 0 if statuses == {Status.PASSED} else 3


def _inspected(world: World) -> list[tuple[str, Outcome]]:
    known = contents.of_this_run(world)
    layers: dict[str, contents.Layer] = {}
    ours = {image.reference(world.settings.tag) for image in image_specs.APPLICATION}
    seen = []
    with contents.saved(world, held(world)) as archive:
        for image in archive.images():
            for name in image.layers:
                if name not in layers:
                    layers[name] = contents.read_layer(archive, name, known)
            own = [layers[name] for name in image.layers]
            reference, there = _reference(image), contents.filesystem(own)
            seen += [
                ("setuid", contents.without_privileged_files(reference, there)),
                ("secrets", contents.without_secrets(reference, image, own, known)),
                ("shells", _shells(reference, there, judged=reference in ours)),
            ]
    seen.append(("secrets", _compared(known)))
    return sorted(seen, key=lambda each: each[0])


def _shells(reference: str, there: dict[str, Entry], *, judged: bool) -> Outcome:
    """A stand-in's entry point may be a script; what it has is told."""
    if judged:
        return contents.without_shells(reference, there)
    return passed(
        f"{reference}: {', '.join(contents.shells(there)) or 'none'} (a stand-in: shown, not judged)"
    )


def _compared(known: dict[str, bytes]) -> Outcome:
    wanted = "the secrets of the running application, to search their values"
    if not known:
        return unproven(
            "no application runs whose secrets could be searched for", wanted=wanted, hint="inv deploy"
        )
    return passed(
        f"{len(known)} secrets of the running application were searched for by value", wanted=wanted
    )


def write_bills(chosen: Settings) -> None:
    """A bill of materials for each image, in build/sbom."""
    world, out = World.of(chosen), Writer(sys.stdout)
    folder = chosen.project / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    by_reference = {image.reference(chosen.tag): image for image in image_specs.IMAGES}
    with contents.saved(world, held(world)) as archive:
        for image in archive.images():
            reference = _reference(image)
            source = by_reference[reference]
            found = sbom.materials(sbom.read(archive, image), _lock(chosen.project / source.context))
            facts = world.docker.image(reference)
            file = folder / f"{source.name}.cdx.json"
            about = sbom.Subject(
                source.name,
                chosen.tag,
                facts.id if facts else "",
                image.configuration["created"],
                base_references(world, source.bases[:1])[source.bases[0].argument],
            )
            text = sbom.document(about, found)
            file.write_text(text + "\n", encoding="utf-8")
            out.line(f"{FOLDER / file.name}: {_told(found)}")


def held(world: World) -> list[Image]:
    """The images that the engine holds; those of the application must be there."""
    return [
        image
        for image in image_specs.IMAGES
        if image in image_specs.APPLICATION or world.docker.image(image.reference(world.settings.tag))
    ]


def _lock(context: Path) -> dict[str, object] | None:
    file = context / "package-lock.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else None


def _told(found: sbom.Materials) -> str:
    kinds = {"deb": "Debian", "pypi": "Python", "npm": "Node"}
    counts = [f"{sum(part.kind == kind for part in found.parts)} {name}" for kind, name in kinds.items()]
    gaps = f"; not listed: {'; '.join(found.gaps)}" if found.gaps else ""
    listed = ", ".join(each for each in counts if not each.startswith("0 ")) or "no"
    return f"{listed} packages{gaps}"


def _reference(image: SavedImage) -> str:
    return image.references[0]


def _fields(outcome: Outcome) -> dict[str, object]:
    return {
        "status": outcome.status.value,
        "observed": outcome.observed,
        "wanted": outcome.wanted,
        "hint": outcome.hint,
    }
