from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbook.catalogue import STEPS, engine_first
from runbook.engine.plan import heights, plan
from runbook.engine.step import Outcome, Step, passed


@st.composite
def catalogues(draw: st.DrawFn) -> tuple[Step, ...]:
    """Any list of steps whose needs point to lower numbers."""
    steps: list[Step] = []
    for number in range(1, draw(st.integers(1, 14)) + 1):
        needs = draw(st.sets(st.sampled_from([step.id for step in steps]), max_size=3)) if steps else set()
        steps.append(Step(f"T{number:03d}", f"step {number}", needs=tuple(sorted(needs))))
    return tuple(steps)


@given(catalogues(), st.data())
def test_a_plan_holds_what_was_asked_and_all_that_it_needs_and_no_more(
    steps: tuple[Step, ...], data: st.DataObject
) -> None:
    asked = data.draw(st.sets(st.sampled_from([step.id for step in steps])))
    made = plan(asked, steps)
    held = {step.id for step in made.steps}
    assert asked <= held
    assert all(set(step.needs) <= held for step in made.steps)
    wanted_by_others = {need for step in made.steps for need in step.needs}
    assert held == asked | wanted_by_others


@given(catalogues())
def test_a_plan_keeps_the_order_of_the_list(steps: tuple[Step, ...]) -> None:
    made = plan([steps[-1].id], steps)
    assert list(made.steps) == sorted(made.steps, key=lambda step: step.id)


def test_builds_wait_for_an_engine_that_the_node_brings() -> None:
    """Else a first `inv deploy` on minikube begins a build in the user's Docker and ends it in the node's."""
    made = plan(["T054"], STEPS)
    waiting = {step.id for step in engine_first(made).steps if "T045" in step.needs}
    assert waiting == {step.id for step in made.steps if "T045" in step.needs} | {"T016", "T017", "T036"}
    alone = plan(["T016"], STEPS)  # without a cluster the user's own engine builds
    assert engine_first(alone) == alone


def test_nothing_asked_is_nothing_to_do() -> None:
    assert plan([], (Step("T001", "one"),)).steps == ()


def test_a_step_is_as_high_as_the_longest_row_that_waits_for_it() -> None:
    steps = (
        Step("T001", "base"),
        Step("T002", "leaf", needs=("T001",)),
        Step("T003", "middle", needs=("T001",)),
        Step("T004", "top", needs=("T003",)),
    )
    assert heights(steps) == {"T001": 2, "T002": 0, "T003": 1, "T004": 0}


@given(catalogues())
def test_a_need_is_higher_than_what_needs_it(steps: tuple[Step, ...]) -> None:
    found = heights(steps)
    assert all(found[need] > found[step.id] for step in steps for need in step.needs)


def test_an_asked_step_brings_what_its_deployed_object_waits_for() -> None:
    def check(_: object) -> Outcome:
        return passed("")

    base, deployed = Step("T001", "base"), Step("T049", "pods", check, needs=("T001",))
    role = Step("T055", "a role", check, live=check)
    images = Step("T046", "images", check, lambda _: None, live=check)
    catalogue = (base, images, deployed, role)
    assert [step.id for step in plan(["T055"], catalogue).steps] == ["T001", "T049", "T055"]
    assert [step.id for step in plan(["T046"], catalogue).steps] == ["T046"]


def test_securing_the_application_asks_every_object_that_it_deploys() -> None:
    security = [step for step in STEPS if step.phase == "security"]
    included = {step.id for step in plan([step.id for step in security], STEPS).steps}
    assert {step.live_after for step in security if step.live} <= included
