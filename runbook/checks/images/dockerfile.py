"""A Dockerfile, parsed: its stages, and what speaks against it."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import Any

from dockerfile_parse import DockerfileParser

from runbook.app.image_specs import Base

_FROM_STAGE = re.compile(r"--from=(\S+)")


@dataclass(slots=True)
class Stage:
    """One FROM and what follows. `base` is as written, such as ${PYTHON_BASE}."""

    base: str
    name: str = ""
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def values(self, instruction: str) -> list[str]:
        return [value for name, value in self.instructions if name == instruction]


class Dockerfile:
    """The instructions of a Dockerfile, by stage; `arguments` are the defaults of those declared before the first."""

    def __init__(self, text: str) -> None:
        parser = DockerfileParser(fileobj=io.BytesIO(text.encode()))
        self.arguments: dict[str, str] = {}
        self.stages: list[Stage] = []
        structure: list[dict[str, Any]] = parser.structure
        for entry in structure:
            instruction, value = str(entry["instruction"]).upper(), str(entry["value"]).strip()
            if instruction == "FROM":
                base, *rest = [word for word in value.split() if not word.startswith("--")]
                self.stages.append(Stage(base, rest[1] if len(rest) == 2 else ""))
            elif self.stages and instruction != "COMMENT":
                self.stages[-1].instructions.append((instruction, value))
            elif instruction == "ARG":
                name, _, default = value.partition("=")
                self.arguments[name] = default.strip("\"'")

    def problems(self, base: Base, user: str) -> list[str]:
        """What keeps this from being: builder and runtime on a pinned base argument, as that numeric user."""
        if len(self.stages) < 2:
            return [f"it has {len(self.stages)} stage{'s' * (len(self.stages) != 1)}"]
        runtime, earlier = self.stages[-1], self.stages[:-1]
        found = []
        if self.arguments.get(base.argument) != base.official:
            found.append(f"ARG {base.argument} defaults to {self.arguments.get(base.argument) or 'nothing'}")
        if runtime.base not in (f"${base.argument}", f"${{{base.argument}}}"):
            found.append(f"the last stage is made on {runtime.base}")
        names = {stage.name for stage in earlier if stage.name} | {
            str(number) for number in range(len(earlier))
        }
        sources = {match[1] for value in runtime.values("COPY") if (match := _FROM_STAGE.search(value))}
        if not sources & names:
            found.append("the last stage copies nothing from an earlier one")
        users = runtime.values("USER")
        if not users or users[-1] != user:
            found.append(f"the last stage runs as {users[-1] if users else 'root: it names no user'}")
        return found
