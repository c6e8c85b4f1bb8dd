"""Archives as kind and Docker read them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

from tests.field.archives import ArchivedImage, layer, save


def test_an_archive_names_every_image_first_and_holds_a_layer_once(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("text")
    shared = layer({"usr/bin/program": program, "usr/bin/other": "program", "tmp": None})
    images = [ArchivedImage(f"example/{name}:1", [shared], [f"/{name}"]) for name in ("a", "b")]
    save(tmp_path / "images.tar", images)
    with tarfile.open(tmp_path / "images.tar") as archive:
        names = archive.getnames()
        assert names[:2] == ["repositories", "manifest.json"]
        assert len([name for name in names if name.endswith("layer.tar")]) == 1
        repositories = json.load(archive.extractfile("repositories") or tmp_path.open())
    assert set(repositories) == {"example/a", "example/b"}


def test_a_layer_has_the_folders_on_the_way_first(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("text")
    (tmp_path / "layer.tar").write_bytes(layer({"usr/bin/program": program, "tmp": None}))
    with tarfile.open(tmp_path / "layer.tar") as found:
        assert found.getnames() == ["tmp", "usr", "usr/bin", "usr/bin/program"]
        assert found.getmember("tmp").mode == 0o1777 and found.getmember("usr/bin/program").mode == 0o755
