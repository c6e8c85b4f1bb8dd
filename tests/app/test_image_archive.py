"""Saved images: layers in order, what a container sees of them, and files that are no archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.app.image_archive import Archive, Entry, merged
from runbook.engine.errors import Unmeasurable
from tests.fakes.saved import save


def entry(path: str, mode: int = 0o644) -> Entry:
    return Entry(path, mode, 1, True)


def test_layers_are_read_with_their_files(tmp_path: Path) -> None:
    base = {"./usr/": b"", "./usr/program": (0o4755, b"binary")}
    file = save(tmp_path / "x.tar", {"one:1": [base], "two:1": [base, {"app": b"text"}]})
    with Archive(file) as archive:
        one, two = archive.images()
        assert (one.references, two.references) == (("one:1",), ("two:1",))
        assert two.layers[0] == one.layers[0]
        found = [(each, content()) for each, content in archive.entries(two.layers[0])]
    assert [each.path for each, _ in found] == ["usr", "usr/program"]
    assert (found[1][0].mode, found[1][1]) == (0o4755, b"binary")


def test_what_people_wrote_into_an_image(tmp_path: Path) -> None:
    file = save(
        tmp_path / "x.tar",
        {"one:1": [{}]},
        config={"Env": ["A=1"], "Labels": {"title": "one"}},
        history=[{"created_by": "RUN make"}],
    )
    with Archive(file) as archive:
        assert archive.images()[0].written == ("RUN make", "A=1", "title=one")


def test_later_layers_replace_and_remove() -> None:
    seen = merged(
        [
            [entry("etc/a"), entry("etc/b"), entry("opt/x/y"), entry("opt/xz"), entry("var/old")],
            [
                entry("etc/a", 0o755),
                entry("etc/.wh.b"),
                entry("opt/.wh.x"),
                entry("var/.wh..wh..opq"),
                entry("var/new"),
            ],
        ]
    )
    assert sorted(seen) == ["etc/a", "opt/xz", "var/new"]
    assert seen["etc/a"].mode == 0o755


def test_what_is_no_archive_is_unmeasurable(tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("text")
    with pytest.raises(Unmeasurable, match="is not an image archive"), Archive(tmp_path / "x.tar"):
        pass
