"""The pages of the site that are generated from the program itself: steps and settings."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from mkdocs.structure.files import File, Files

from runbook import catalogue
from runbook.cli.explain import known
from runbook.engine import settings as module
from runbook.engine.settings import Settings

STEPS = "reference/steps.md"
SETTINGS = "reference/settings.md"


def on_files(files: Files, config: Any) -> Files:
    """Add both pages to what is in docs/."""
    for name, lines in ((STEPS, steps()), (SETTINGS, settings())):
        files.append(File.generated(config, name, content="\n".join(lines)))
    return files


def steps() -> Iterator[str]:
    """Per phase and step: what is asked, the control and the faults, what it proves, where it differs from the list."""
    yield "# Steps\n\nAs `inv explain T078` shows one, without what was last seen on a cluster.\n"
    chosen = Settings()
    for phase, entries in groupby(catalogue.STEPS, key=lambda step: step.phase):
        yield f"## {phase.capitalize()}\n"
        for step in entries:
            yield f"### {step.id} {step.title}\n"
            for label, text in known(chosen, step, {})[1:]:
                if label not in ("phase", "last"):
                    yield f"- *{label}* {escaped(text)}"
            yield ""


def settings() -> Iterator[str]:
    """Each setting with its variable, its default and its meaning."""
    yield "# Settings\n\nIn the `runbook:` section of `invoke.yaml`, by a variable, or by `--cluster` and `--name`."
    yield "`inv settings` shows what holds here, and where each value comes from.\n"
    yield "| setting | variable | default | meaning |\n|---|---|---|---|"
    variables = {key: name for name, key in module.VARIABLES.items()}
    meanings = dict(documented())
    for key, field in Settings.model_fields.items():
        if key in variables:
            default = "" if key in module.SECRETS else f"`{field.default}`" if field.default != "" else ""
            yield f"| `{key}` | `{variables[key]}` | {default} | {escaped(meanings.get(key, ''))} |"


def documented() -> Iterator[tuple[str, str]]:
    """The text below each field of `Settings`."""
    body = ast.parse(inspect.getsource(Settings)).body[0]
    assert isinstance(body, ast.ClassDef)
    for field, text in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(text, ast.Expr)
            and isinstance(field.target, ast.Name)
        ):
            yield field.target.id, " ".join(str(ast.literal_eval(text.value)).split())


def escaped(text: str) -> str:
    """As text, not as markup."""
    return text.replace("<", "&lt;").replace("|", "\\|").replace("[", "\\[").replace("*", "\\*")
