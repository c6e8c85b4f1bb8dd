"""The source digest: what counts, what does not, and that .dockerignore is read as the builder reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook.app.image_specs import IMAGES, context_files, source_digest
from runbook.engine.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "Dockerfile",
        "src/main.py",
        "src/data.txt",
        "src/__pycache__/main.pyc",
        "tests/test.py",
        "README.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / ".dockerignore").write_text("*\n!src\n**/__pycache__\n")
    return tmp_path


def digest(folder: Path, **arguments: str) -> str:
    return source_digest(folder, arguments)


@pytest.mark.parametrize(
    ("rules", "files"),
    [
        ("*\n!src\n**/__pycache__\n", ["src/data.txt", "src/main.py"]),
        ("# a comment\n\n*\n!src/*.py\n", ["src/main.py"]),
        ("*\n!/src/\nsrc/data.txt\n", ["src/__pycache__/main.pyc", "src/main.py"]),
        ("src\ntests\n", [".dockerignore", "Dockerfile", "README.md"]),
        ("main.py\nsrc\ntests\nREADME.md\nDocker*\n.dockerignore", []),
        ("**/*.md\nsrc\ntests\n!README.md\n", [".dockerignore", "Dockerfile", "README.md"]),
        (
            "*.py\nsrc/__pycache__\nREADME.md\nDockerfile\n.dockerignore",
            ["src/data.txt", "src/main.py", "tests/test.py"],
        ),
    ],
)
def test_the_rules_are_rooted_and_the_last_match_counts(folder: Path, rules: str, files: list[str]) -> None:
    (folder / ".dockerignore").write_text(rules)
    assert list(context_files(folder)) == files


def test_equal_sources_have_equal_digests_wherever_they_lie(folder: Path) -> None:
    before = digest(folder, BASE="a")
    moved = folder.with_name("elsewhere")
    folder.rename(moved)
    (moved / "src/main.py").touch()
    assert digest(moved, BASE="a") == before


@pytest.mark.parametrize("file", ["src/main.py", "Dockerfile", ".dockerignore"])
def test_a_changed_source_changes_the_digest(folder: Path, file: str) -> None:
    before = digest(folder)
    with (folder / file).open("a") as source:
        source.write("#")
    assert digest(folder) != before


@pytest.mark.parametrize("file", ["tests/test.py", "README.md", "src/__pycache__/main.pyc"])
def test_what_is_not_sent_does_not_count(folder: Path, file: str) -> None:
    before = digest(folder)
    (folder / file).write_text("changed")
    assert digest(folder) == before


def test_arguments_names_modes_and_links_count(folder: Path) -> None:
    seen = {digest(folder), digest(folder, BASE="a"), digest(folder, BASE="b")}
    (folder / "src/main.py").chmod(0o755)
    seen.add(digest(folder))
    (folder / "src/data.txt").rename(folder / "src/renamed.txt")
    seen.add(digest(folder))
    (folder / "src/link").symlink_to("main.py")
    seen.add(digest(folder))
    (folder / "src/link").unlink()
    (folder / "src/link").symlink_to("renamed.txt")
    seen.add(digest(folder))
    assert len(seen) == 7


def test_content_cannot_slide_from_one_file_into_the_next(folder: Path) -> None:
    (folder / "src/data.txt").write_text("ab")
    (folder / "src/main.py").write_text("c")
    before = digest(folder)
    (folder / "src/data.txt").write_text("a")
    (folder / "src/main.py").write_text("bc")
    assert digest(folder) != before


def test_each_image_of_the_project_has_sources_and_distinct_names() -> None:
    root = Settings().project
    assert len({image.name for image in IMAGES}) == len(IMAGES)
    for image in IMAGES:
        assert context_files(root / image.context), image.name
        assert (root / image.context / "Dockerfile").is_file()
