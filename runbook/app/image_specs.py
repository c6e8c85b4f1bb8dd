"""The images that we build: what each is built from, and the digest that ties an image to its sources."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathspec import PathSpec

SOURCE_DIGEST = "todo.runbook/source-digest"
"""Image label: what the image was built from (`source_digest`)."""

NUMERIC_USER = "1000:1000"


@dataclass(frozen=True, slots=True)
class Base:
    """A base image: the build argument that names it, the official reference, and the stand-in of ours."""

    argument: str
    official: str
    stand_in: str


PYTHON = Base("PYTHON_BASE", "python:3.13-slim", "todo-base-python:3.13-trixie")
UV = Base("UV_BASE", "astral/uv:0.13.9", "todo-base-uv:0.13.9")
NODE = Base("NODE_BASE", "node:20-alpine", "todo-base-node:20-trixie")
DATABASE = Base("POSTGRES_BASE", "postgres:17", "todo-base-postgres:17-trixie")
STATE = Base("REDIS_BASE", "redis:8", "todo-base-redis:8-trixie")


@dataclass(frozen=True, slots=True)
class Image:
    """An image of ours. `limit`: its unpacked size must stay below so many MB (10^6 bytes); 0 where nothing asks."""

    name: str
    context: str
    bases: tuple[Base, ...]
    limit: int = 0

    def reference(self, tag: str) -> str:
        return f"{self.name}:{tag}"


BACKEND = Image("todo-backend", "backend", (PYTHON, UV), limit=300)
FRONTEND = Image("todo-frontend", "frontend", (NODE,), limit=200)
MCP_SERVER = Image("todo-mcp-server", "mcp-server", (PYTHON, UV), limit=200)
OFFLINE_MODEL = Image("todo-offline-model", "stand-ins/offline-model", (PYTHON, UV))
POSTGRES = Image("todo-postgres", "stand-ins/postgres", (DATABASE,))
REDIS = Image("todo-redis", "stand-ins/redis", (STATE,))
"""Built when Dapr is turned on, which wants a state store."""

APPLICATION = (BACKEND, FRONTEND, MCP_SERVER)
STAND_INS = (OFFLINE_MODEL, POSTGRES)
IMAGES = (*APPLICATION, *STAND_INS, REDIS)


def context_files(folder: Path) -> dict[str, Path]:
    """What the builder gets of a folder, by relative path: every file and link that .dockerignore lets through."""
    ignored = _ignored(folder / ".dockerignore")
    found = {}
    for root, folders, names in os.walk(folder):
        here = Path(root)
        links = [name for name in folders if (here / name).is_symlink()]
        # Nothing below an excluded folder can come back where no exception reaches below it.
        folders[:] = sorted(
            name for name in folders if name not in links and ignored.may_hold(_relative(here / name, folder))
        )
        for name in (*names, *links):
            path = _relative(here / name, folder)
            if not ignored.match(path):
                found[path] = here / name
    return dict(sorted(found.items()))


def source_digest(folder: Path, arguments: Mapping[str, str]) -> str:
    """sha256 over the build context, the Dockerfile and the build arguments (base image ids among them).

    Names, contents, the executable bit and the targets of links count; times and owners do not.
    """
    digest = hashlib.sha256(json.dumps(dict(arguments), sort_keys=True).encode())
    files = context_files(folder)
    for name in ("Dockerfile", ".dockerignore"):
        files[name] = folder / name
    for path, file in sorted(files.items()):
        if file.is_symlink():
            kind, content = "link", os.fsencode(file.readlink())
        else:
            kind, content = ("program" if os.access(file, os.X_OK) else "file"), file.read_bytes()
        digest.update(f"{kind} {path} {len(content)}\n".encode())
        digest.update(content)
    return f"sha256:{digest.hexdigest()}"


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


@dataclass(frozen=True, slots=True)
class _Ignored:
    """The rules of a .dockerignore file as the builder reads them: rooted patterns, of which the last match counts."""

    rules: PathSpec[Any]
    exceptions: tuple[str, ...]

    def match(self, path: str) -> bool:
        return self.rules.match_file(path)

    def may_hold(self, folder: str) -> bool:
        """Whether anything in the folder can get through."""
        if not self.match(folder):
            return True
        return any(
            pattern == folder or pattern.startswith(("**", f"{folder}/")) or folder.startswith(f"{pattern}/")
            for pattern in self.exceptions
        )


@lru_cache(maxsize=32)
def _parsed(text: str) -> _Ignored:
    from pathspec import PathSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    lines = [line.strip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    rooted = []
    for line in lines:
        negated, pattern = ("!", line[1:]) if line.startswith("!") else ("", line)
        rooted.append(f"{negated}/{pattern.strip().strip('/').removeprefix('./')}")
    exceptions = tuple(line[1:].strip().strip("/") for line in lines if line.startswith("!"))
    return _Ignored(PathSpec.from_lines(GitIgnoreSpecPattern, rooted), exceptions)


def _ignored(file: Path) -> _Ignored:
    return _parsed(file.read_text() if file.is_file() else "")
