"""Build contexts and Dockerfiles: passing, failing with the cause, not measurable."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from runbook.app.image_specs import BACKEND, FRONTEND, IMAGES, NODE, PYTHON, context_files
from runbook.checks.images import recipes
from runbook.engine.errors import Unmeasurable
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status
from runbook.world import World
from tests.fakes.worlds import world_of

GOOD = """
ARG PYTHON_BASE=python:3.13-slim
FROM ${PYTHON_BASE} AS builder
RUN true
FROM ${PYTHON_BASE} AS runtime
COPY --from=builder /app /app
USER 1000:1000
CMD ["todo-backend"]
"""


class FakeBuilder:
    """Sends what .dockerignore lets through by our own reading of it, but for what a test adds or takes away."""

    def __init__(self, *, adds: Iterable[str] = (), drops: Iterable[str] = (), away: bool = False) -> None:
        self.adds, self.drops, self.away = frozenset(adds), frozenset(drops), away

    def context(self, folder: Path) -> frozenset[str]:
        if self.away:
            raise Unmeasurable("the build engine does not answer")
        return (frozenset(context_files(folder)) | self.adds) - self.drops


def context(tmp_path: Path, rules: str | None, builder: FakeBuilder | None = None) -> Outcome:
    folder = tmp_path / "backend"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "main.py").write_text("")
    if rules is not None:
        (folder / ".dockerignore").write_text(rules)
    world = world_of(Settings(project=tmp_path), docker=builder or FakeBuilder())
    return recipes.context_excludes(BACKEND, recipes.PYTHON_CLUTTER, but_not=recipes.PYTHON_NEEDS)(world)


def test_the_rules_of_this_very_project_hold() -> None:
    world = world_of(Settings(), docker=FakeBuilder())
    for image, clutter, needs in (
        (BACKEND, recipes.PYTHON_CLUTTER, recipes.PYTHON_NEEDS),
        (FRONTEND, recipes.NODE_CLUTTER, recipes.NODE_NEEDS),
    ):
        assert recipes.context_excludes(image, clutter, but_not=needs)(world).green


@pytest.mark.parametrize(
    ("rules", "cause"),
    [
        (None, "has no .dockerignore"),
        ("", "the builder gets .env"),
        ("*\n!pyproject.toml\n!uv.lock\n!src\n", "src/package/__pycache__/module.cpython-313.pyc"),
        ("*\n!pyproject.toml\n!uv.lock\n", "does not get src/package/module.py"),
    ],
)
def test_rules_that_leak_or_starve_the_build_fail(tmp_path: Path, rules: str | None, cause: str) -> None:
    outcome = context(tmp_path, rules)
    assert outcome.status is Status.FAILED
    assert cause in outcome.observed and ".dockerignore" in outcome.hint


RULES = (Path(__file__).parents[3] / "backend" / ".dockerignore").read_text()


def test_a_digest_that_misses_a_file_of_the_builder_fails(tmp_path: Path) -> None:
    outcome = context(tmp_path, RULES, FakeBuilder(adds=["src/unseen.py"]))
    assert outcome.status is Status.FAILED and "disagree on src/unseen.py" in outcome.observed


def test_a_context_cannot_be_judged_without_a_builder_or_without_files(tmp_path: Path) -> None:
    with pytest.raises(Unmeasurable, match="does not answer"):
        context(tmp_path, RULES, FakeBuilder(away=True))
    (tmp_path / "backend" / "src" / "main.py").unlink()
    with pytest.raises(Unmeasurable, match="no file of backend"):
        world = world_of(Settings(project=tmp_path), docker=FakeBuilder())
        recipes.context_excludes(BACKEND, recipes.PYTHON_CLUTTER, but_not=recipes.PYTHON_NEEDS)(world)


def dockerfile(tmp_path: Path, text: str | None) -> Outcome:
    folder = tmp_path / "backend"
    folder.mkdir()
    if text is not None:
        (folder / "Dockerfile").write_text(text)
    return recipes.dockerfile_is_multi_stage(BACKEND, PYTHON)(world_of(Settings(project=tmp_path)))


def test_two_stages_on_the_pinned_base_pass(tmp_path: Path) -> None:
    outcome = dockerfile(tmp_path, GOOD)
    assert outcome.green and "2 stages" in outcome.observed


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("FROM ${PYTHON_BASE} AS runtime\nCOPY --from=builder /app /app\n", "", "it has 1 stage"),
        ("python:3.13-slim", "python:latest", "PYTHON_BASE defaults to python:latest"),
        ("ARG PYTHON_BASE=python:3.13-slim\n", "", "PYTHON_BASE defaults to nothing"),
        ("FROM ${PYTHON_BASE} AS runtime", "FROM python:3.9 AS runtime", "made on python:3.9"),
        ("COPY --from=builder /app /app", "COPY . .", "copies nothing from an earlier one"),
        ("USER 1000:1000", "", "root"),
        ("USER 1000:1000", "USER nobody", "runs as nobody"),
        ("USER 1000:1000", "USER 1000:1000\nUSER 0", "runs as 0"),
        ("USER 1000:1000", "# USER 1000:1000", "root"),
    ],
)
def test_a_dockerfile_fails_with_its_cause(tmp_path: Path, old: str, new: str, cause: str) -> None:
    outcome = dockerfile(tmp_path, GOOD.replace(old, new))
    assert outcome.status is Status.FAILED and cause in outcome.observed


def test_no_or_an_empty_dockerfile_fails(tmp_path: Path) -> None:
    assert "has no Dockerfile" in dockerfile(tmp_path, None).observed
    (tmp_path / "backend" / "Dockerfile").write_text("")
    empty = recipes.dockerfile_is_multi_stage(BACKEND, PYTHON)(world_of(Settings(project=tmp_path)))
    assert "0 stages" in empty.observed


def test_all_our_dockerfiles_hold(world: World) -> None:
    for image in IMAGES:
        base = image.bases[0]
        assert recipes.dockerfile_is_multi_stage(image, base)(world).green, image.name
    assert FRONTEND.bases == (NODE,)
