"""Faults of phase 2: what images are made by, the images themselves, and the frame of the chart; each in a copy."""

from __future__ import annotations

from runbook.app.image_specs import BACKEND, FRONTEND, MCP_SERVER, Image
from runbook.engine.settings import Settings
from runbook.faults import Group, Mutant
from runbook.faults.copies import edited, in_copy

OTHER = r"is of other sources"
"""What a changed recipe does besides: the built image is not made by it."""


def group(settings: Settings) -> Group:  # noqa: ARG001 - as all groups
    """All of them, with the steps of the phase."""
    steps = tuple(f"T{number:03d}" for number in range(12, 25))
    mutants = (
        *of_recipes(BACKEND, "T012", "T013", "T016"),
        *of_recipes(FRONTEND, "T014", "T015", "T017"),
        *of_image(BACKEND, MCP_SERVER, "T016", "T018"),
        *of_image(FRONTEND, MCP_SERVER, "T017", "T019"),
        *_of_the_chart(),
    )
    return Group("foundation", steps, mutants, files=steps)


def of_recipes(image: Image, context: str, dockerfile: str, built: str) -> tuple[Mutant, ...]:
    """Of an image's build context and Dockerfile; `built` is the step that compares the image with them."""
    return (
        edited(
            f"secrets let into the build context of {image.context}",
            f"{context} {built}",
            f"{image.context}/.dockerignore",
            "**/.env*\n",
            "!src/**/.env*\n",
            rf"the builder gets \S*\.env|{OTHER}",
        ),
        edited(
            f"a Dockerfile of {image.context} that ends as root",
            f"{dockerfile} {built}",
            f"{image.context}/Dockerfile",
            "USER 1000:1000",
            "USER 0:0",
            rf"runs as 0:0|{OTHER}",
        ),
    )


def of_image(image: Image, other: Image, built: str, size: str) -> tuple[Mutant, ...]:
    """Of the built image: a stale one under its name, and one that is too large."""
    return (
        in_copy(
            f"another image under the name {image.name}",
            built,
            lambda copy: copy.retag(image, other),
            OTHER,
        ),
        in_copy(
            f"an image {image.name} of {image.limit} MB",
            f"{built} {size}",
            lambda copy: copy.fill(image, image.limit),
            rf"has {image.limit}\.\d MB; largest layers: {image.limit}\.\d MB|no source digest",
        ),
    )


def _of_the_chart() -> tuple[Mutant, ...]:
    chart = "charts/todo-app"
    return (
        edited(
            "another version of the chart",
            "T020",
            f"{chart}/Chart.yaml",
            "version: 1.0.0\nappVersion",
            "version: 1.1.0\nappVersion",
            r"version is 1\.1\.0",
        ),
        edited(
            "production values that never pull",
            "T021",
            f"{chart}/values.yaml",
            "imagePullPolicy: IfNotPresent",
            "imagePullPolicy: Never",
            "never pulled",
        ),
        edited(
            "development values that always pull",
            "T022",
            f"{chart}/values-dev.yaml",
            "imagePullPolicy: Never",
            "imagePullPolicy: Always",
            "is Always",
        ),
        edited(
            "a template with labels of its own",
            "T023",
            f"{chart}/charts/frontend/templates/ingress.yaml",
            'include "todo-app.labels" .',
            '"app: own"',
            "its own",
        ),
        edited(
            "a template that Helm cannot read",
            "T021 T022 T023 T024",
            f"{chart}/templates/NOTES.txt",
            "{{ .Release.Name }}",
            "{{ .Release.Name.deep }}",
            r"NOTES\.txt",
        ),
    )
