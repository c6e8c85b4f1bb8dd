"""Phase 2: the images of backend and frontend, and the frame of the chart."""

from __future__ import annotations

from runbook.checks import chart, values
from runbook.step import Step

STEPS = (
    Step("T012", "The backend's build context leaves out what the image does not need", needs=("T009",)),
    Step("T013", "The backend's Dockerfile has two stages, Python 3.13 slim and user 1000", needs=("T009",)),
    Step("T014", "The frontend's build context leaves out what the image does not need", needs=("T010",)),
    Step("T015", "The frontend's Dockerfile has two stages, Node 20 and user 1000", needs=("T010",)),
    Step(
        "T016",
        "The backend image is built from these very sources",
        needs=("T004", "T012", "T013"),
        heavy=True,
    ),
    Step(
        "T017",
        "The frontend image is built from these very sources",
        needs=("T004", "T014", "T015"),
        heavy=True,
    ),
    Step("T018", "The backend image stays under 300 MB", needs=("T016",)),
    Step("T019", "The frontend image stays under 200 MB", needs=("T017",)),
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
