from __future__ import annotations

import re
import subprocess
import sys

import pytest

from runbook.catalogue import PHASES, PRINTED, STEPS, Phase, find, join, of_phases
from runbook.engine.errors import UsageError
from runbook.engine.step import Step


def test_the_list_is_the_phases_one_after_another() -> None:
    assert [step.id for step in STEPS] == [step.id for phase in PHASES for step in phase.steps]
    assert all(step.phase and step.printed for step in STEPS)


def test_titles_are_sentences_of_their_own() -> None:
    titles = [step.title for step in STEPS]
    assert len(set(titles)) == len(titles)
    for title in titles:
        assert re.fullmatch(r"(?:[A-Z]|kubectl).{8,}[^.]", title), title


def test_needs_name_nothing_twice() -> None:
    for step in STEPS:
        assert len(set(step.needs)) == len(step.needs), step.id


def test_live_halves_wait_for_the_deployment() -> None:
    ids = {step.id for step in STEPS}
    assert {step.live_after for step in STEPS} <= ids


def test_drills_have_a_fingerprint() -> None:
    assert [step.id for step in STEPS if step.drill and step.fingerprint is None] == []


def test_what_is_not_built_has_no_apply_either() -> None:
    assert [step.id for step in STEPS if step.check is None and (step.apply or step.live)] == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ((Step("T001", "a"), Step("T001", "b")), "the id T001 is used twice"),
        ((Step("T1", "a"),), "'T1' is not a step id"),
        (
            (Step("T001", "a", needs=("T002",)), Step("T002", "b")),
            "needs T002, which does not come before it",
        ),
        ((Step("T001", "a", needs=("T001",)),), "does not come before it"),
        ((Step("T001", "a"), Step("T002", "b", needs=("T1",))), "needs T1, which does not come"),
        ((Step("T002", "a", needs=("T001",)), Step("T001", "b")), "does not come before it"),
    ],
)
def test_a_list_without_a_valid_order_is_refused(steps: tuple[Step, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        join([Phase("any", "", steps)])


def test_a_new_step_may_be_added_to_the_phase_that_it_is_about() -> None:
    phases = [
        Phase("first", "", (Step("T001", "a"), Step("T002", "b"), Step("T132", "c", needs=("T001",)))),
        Phase("second", "", (Step("T003", "d", needs=("T132",)),)),
    ]
    assert [step.id for step in join(phases)] == ["T001", "T002", "T132", "T003"]
    assert [phase.span for phase in phases] == ["T001-T002, T132", "T003"]


def test_printed_ids_differ_from_the_ids_that_they_stand_for() -> None:
    assert all(canonical != printed for canonical, printed in PRINTED.items())
    assert PRINTED.keys() <= {step.id for step in STEPS}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_each_id_finds_its_own_step_in_every_spelling(step: Step) -> None:
    for name in (step.id, step.id.lower(), f" {step.id} ", step.id[1:], str(int(step.id[1:]))):
        assert find(name) is step


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_a_printed_number_is_found_or_refused_with_its_candidates(step: Step) -> None:
    sharing = [other for other in STEPS if other.printed == step.printed]
    if sharing == [step]:
        assert find(step.printed, printed=True) is step
        return
    with pytest.raises(UsageError) as caught:
        find(step.printed, printed=True)
    for other in sharing:
        assert f"{other.id} {other.title!r}" in str(caught.value)


def test_a_number_that_the_list_skips_is_not_in_the_printed_list() -> None:
    skipped = next(step.id for step in STEPS if step.id not in {other.printed for other in STEPS})
    with pytest.raises(UsageError, match="in the printed list"):
        find(skipped, printed=True)


@pytest.mark.parametrize("name", ["T000", "T132", "T1000", "chat", "", "-1"])
def test_an_unknown_step_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="there is no step"):
        find(name)


def test_phases_name_their_steps() -> None:
    for phase in PHASES:
        assert of_phases(phase.name) == tuple(step.id for step in phase.steps)


def test_it_is_imported_without_heavy_clients() -> None:
    heavy = (
        "playwright",
        "python_on_whales",
        "psycopg",
        "rich",
        "jinja2",
        "httpx",
        "plumbum",
        "cryptography",
    )
    program = f"import sys, runbook.catalogue; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
