"""What images are made by: the rules of the build context, and the Dockerfile."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runbook.app.image_specs import NUMERIC_USER, Base, Image, context_files
from runbook.checks.images.dockerfile import Dockerfile
from runbook.engine.errors import Unmeasurable
from runbook.engine.step import Check, Outcome, failed, passed

if TYPE_CHECKING:
    from runbook.world import World

SHOWN = 5
"""Files that an outcome names, of many."""

PYTHON_CLUTTER = (
    ".env",
    ".git/HEAD",
    ".mypy_cache/cache.json",
    ".pytest_cache/README.md",
    ".venv/bin/activate",
    "__pycache__/module.cpython-313.pyc",
    "dist/package.whl",
    "src/package/__pycache__/module.cpython-313.pyc",
    "src/package/.env.local",
    "tests/test_module.py",
)
"""Must never reach the builder of a Python image: secrets, history, other machines' byte code, tests."""

NODE_CLUTTER = (
    ".env",
    ".env.local",
    ".git/HEAD",
    ".next/BUILD_ID",
    "coverage/index.html",
    "node_modules/package/index.js",
    "npm-debug.log",
    "src/.env.production",
    "tests/page.test.ts",
)

PYTHON_NEEDS = ("pyproject.toml", "uv.lock", "src/package/module.py")
NODE_NEEDS = ("package.json", "package-lock.json", "src/app/page.tsx")


def context_excludes(image: Image, clutter: Sequence[str], *, but_not: Sequence[str]) -> Check:
    """The image's .dockerignore keeps `clutter` from the builder, and lets `but_not` through: the builder is asked.

    It is asked twice: with planted clutter under the same rules, and with the folder as it is, of which our source
    digest must know every file. Source: T012, T014, T034.
    """

    def check(world: World) -> Outcome:
        folder = world.settings.project / image.context
        rules = folder / ".dockerignore"
        wanted = f"a builder that gets {', '.join(but_not)}, and nothing like {', '.join(clutter[:SHOWN])}"
        hint = f"edit {image.context}/.dockerignore"
        if not rules.is_file():
            return failed(f"{image.context} has no .dockerignore", wanted=wanted, hint=hint)
        with tempfile.TemporaryDirectory(prefix="todo-clutter-") as scratch:
            _plant(Path(scratch), rules, (*clutter, *but_not))
            seen = world.docker.context(Path(scratch))
        if kept := [path for path in but_not if path not in seen]:
            return failed(f"the builder does not get {', '.join(kept)}", wanted=wanted, hint=hint)
        if leaked := [path for path in clutter if path in seen]:
            return failed(f"the builder gets {', '.join(leaked)}", wanted=wanted, hint=hint, leaked=leaked)
        sent, known = world.docker.context(folder), frozenset(context_files(folder))
        if not sent:
            raise Unmeasurable(f"the builder got no file of {image.context}", wanted=wanted, hint=hint)
        if sent != known:
            some = ", ".join(sorted(sent ^ known)[:SHOWN])
            return failed(
                f"the builder and our source digest disagree on {some}",
                wanted="a digest over just what the builder gets",
                hint=f"simplify the patterns of {image.context}/.dockerignore",
            )
        return passed(
            f"the builder gets {len(sent)} files and none of the clutter", wanted=wanted, files=len(sent)
        )

    return check


def dockerfile_is_multi_stage(image: Image, base: Base) -> Check:
    """A builder stage and a runtime stage, the latter on the pinned base, as a numeric user who is not root.

    Source: T013, T015, T035.
    """
    wanted = (
        f"a runtime stage on {base.argument}={base.official}, fed by a builder stage, as user {NUMERIC_USER}"
    )
    hint = f"edit {image.context}/Dockerfile"

    def check(world: World) -> Outcome:
        path = world.settings.project / image.context / "Dockerfile"
        if not path.is_file():
            return failed(f"{image.context} has no Dockerfile", wanted=wanted, hint=hint)
        dockerfile = Dockerfile(path.read_text())
        if problems := dockerfile.problems(base, NUMERIC_USER):
            return failed("; ".join(problems), wanted=wanted, hint=hint)
        stages = len(dockerfile.stages)
        return passed(
            f"{stages} stages, the last on {base.official} as user {NUMERIC_USER}",
            wanted=wanted,
            stages=stages,
        )

    return check


def _plant(folder: Path, rules: Path, paths: Sequence[str]) -> None:
    shutil.copy(rules, folder / ".dockerignore")
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("planted\n")
