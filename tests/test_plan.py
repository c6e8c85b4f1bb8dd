from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbook.plan import plan
from runbook.step import Step


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


def test_nothing_asked_is_nothing_to_do() -> None:
    assert plan([], (Step("T001", "one"),)).steps == ()
