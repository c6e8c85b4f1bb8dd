"""Phase 2: the images of backend and frontend, and the frame of the chart."""

from __future__ import annotations

from runbook.actions.images import builds as image_builds
from runbook.app import image_specs as sources
from runbook.checks.chart import chart, values
from runbook.checks.images import images, recipes
from runbook.engine.step import Step

STEPS = (
    Step(
        "T012",
        "The backend's build context leaves out what the image does not need",
        check=recipes.context_excludes(sources.BACKEND, recipes.PYTHON_CLUTTER, but_not=recipes.PYTHON_NEEDS),
        needs=("T004", "T009"),
    ),
    Step(
        "T013",
        "The backend's Dockerfile has two stages, Python 3.13 slim and user 1000",
        check=recipes.dockerfile_is_multi_stage(sources.BACKEND, sources.PYTHON),
        live=images.runs_as_numeric_user(sources.BACKEND, sources.PYTHON),
        live_after="T016",
        needs=("T009",),
    ),
    Step(
        "T014",
        "The frontend's build context leaves out what the image does not need",
        check=recipes.context_excludes(sources.FRONTEND, recipes.NODE_CLUTTER, but_not=recipes.NODE_NEEDS),
        needs=("T004", "T010"),
    ),
    Step(
        "T015",
        "The frontend's Dockerfile has two stages, Node 20 and user 1000",
        check=recipes.dockerfile_is_multi_stage(sources.FRONTEND, sources.NODE),
        live=images.runs_as_numeric_user(sources.FRONTEND, sources.NODE),
        live_after="T017",
        needs=("T010",),
    ),
    Step(
        "T016",
        "The backend image is built from these very sources",
        check=images.built_from_these_sources(sources.BACKEND),
        apply=image_builds.build(sources.BACKEND),
        needs=("T004", "T013"),
        heavy=True,
    ),
    Step(
        "T017",
        "The frontend image is built from these very sources",
        check=images.built_from_these_sources(sources.FRONTEND),
        apply=image_builds.build(sources.FRONTEND),
        needs=("T004", "T015"),
        heavy=True,
    ),
    Step(
        "T018",
        "The backend image stays under 300 MB",
        check=images.smaller_than(sources.BACKEND, megabytes=300),
        needs=("T016",),
    ),
    Step(
        "T019",
        "The frontend image stays under 200 MB",
        check=images.smaller_than(sources.FRONTEND, megabytes=200),
        needs=("T017",),
    ),
    Step(
        "T020",
        "The chart names itself todo-app, chart and application at 1.0.0",
        check=chart.metadata(name="todo-app", version="1.0.0", app_version="1.0.0"),
        needs=("T002",),
    ),
    Step(
        "T021",
        "The default values are fit for production",
        check=values.fit_for_production,
        needs=("T006", "T020"),
    ),
    Step(
        "T022",
        "The development values use the images of the node",
        check=values.fit_for_development,
        needs=("T006", "T020"),
    ),
    Step(
        "T023",
        "Names and labels come from shared template helpers",
        check=chart.helpers_are_shared,
        needs=("T006", "T020"),
    ),
    Step(
        "T024",
        "The chart passes helm lint without an error or a warning",
        check=chart.lints("postgres", "offline-model"),
        needs=("T006", "T021", "T022", "T023"),
    ),
)
