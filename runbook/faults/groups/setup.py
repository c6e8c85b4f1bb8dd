"""Faults of phase 1: the project's folders, in a copy of them, and the tools that this machine has."""

from __future__ import annotations

from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant
from runbook.faults.copies import Copy, edited, in_copy, json_of


def group(settings: Settings) -> Group:  # noqa: ARG001 - as all groups
    """All of them, with the steps of the phase; each is about files or programs."""
    steps = tuple(f"T{number:03d}" for number in range(1, 12))
    return Group("setup", steps, (*_files(), *_tools()), files=steps)


def _files() -> tuple[Mutant, ...]:
    return (
        in_copy(
            "no pyproject.toml in the root",
            "T001",
            lambda copy: copy.remove("pyproject.toml"),
            r"has no pyproject\.toml",
        ),
        in_copy(
            "no manifests beside the parts",
            "T002",
            lambda copy: copy.remove("k8s"),
            "missing or empty: k8s",
        ),
        in_copy(
            "no templates for Dapr",
            "T003",
            lambda copy: copy.remove("charts/todo-app/templates/dapr"),
            "missing or empty in charts/todo-app: templates/dapr",
        ),
        edited(
            "a dependency of the backend that the lock file does not have",
            "T009",
            "backend/pyproject.toml",
            "dependencies = [",
            'dependencies = [\n  "nowhere-to-be-found>=1",',
            r"uv\.lock and pyproject\.toml differ in nowhere-to-be-found",
        ),
        in_copy(
            "a frontend without a first page",
            "T010",
            lambda copy: copy.remove("frontend/src/app/page.tsx"),
            r"there is no page\.tsx",
        ),
        edited(
            "an entry point of the MCP server that names nothing",
            "T011",
            "mcp-server/pyproject.toml",
            "main:run",
            "main:nothing",
            "names no function of",
        ),
    )


def _tools() -> tuple[Mutant, ...]:
    """Programs of another version, or of none, in the place of this machine's."""
    return (
        in_copy(
            "a Docker Engine of 2019",
            "T004",
            lambda copy: copy.instead("docker", json_of(Server={"Version": "19.03.1"})),
            r"Docker Engine 19\.03\.1 answers",
        ),
        in_copy(
            "nothing that starts a Kubernetes, no Helm and no kubectl",
            "T005 T006 T007 T008",
            Copy.without_tools,
            "not built yet|is not there|is not installed|there is no Dapr CLI, and",
        ),
        in_copy(
            "a Dapr CLI of 2022",
            "T008",
            lambda copy: copy.instead("dapr", json_of(**{"Cli version": "1.9.0"})),
            r"the Dapr CLI is 1\.9\.0",
        ),
    )
