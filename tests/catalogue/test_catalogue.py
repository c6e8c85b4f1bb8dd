from __future__ import annotations

import re
import subprocess
import sys

import pytest

from runbook.catalogue import PHASES, PRINTED, STEPS, Phase, find, join, of_phases
from runbook.errors import UsageError
from runbook.step import Step

COUNTS = {
    "setup": 11,
    "foundation": 13,
    "deployment": 30,
    "security": 24,
    "mesh": 14,
    "packaging": 12,
    "persistence": 15,
    "automation": 12,
}


def test_it_has_131_consecutive_steps_in_eight_phases() -> None:
    assert [step.id for step in STEPS] == [f"T{number:03d}" for number in range(1, 132)]
    assert {phase.name: len(phase.steps) for phase in PHASES} == COUNTS


def test_titles_are_sentences_of_their_own() -> None:
    titles = [step.title for step in STEPS]
    assert len(set(titles)) == len(titles)
    for title in titles:
        assert re.fullmatch(r"(?:[A-Z]|kubectl).{8,}[^.]", title), title


def test_needs_point_to_lower_numbers_and_name_nothing_twice() -> None:
    for step in STEPS:
        assert len(set(step.needs)) == len(step.needs), step.id
        assert all(need < step.id for need in step.needs), step.id


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
        ((Step("T001", "a"), Step("T003", "c")), "gap or a duplicate"),
        ((Step("T001", "a"), Step("T001", "b")), "gap or a duplicate"),
        ((Step("T001", "a", needs=("T002",)), Step("T002", "b")), "not lower-numbered"),
        ((Step("T001", "a", needs=("T001",)),), "not lower-numbered"),
        ((Step("T001", "a"), Step("T002", "b", needs=("T1",))), "not lower-numbered"),
    ],
)
def test_a_broken_numbering_is_refused(steps: tuple[Step, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        join([Phase("any", "", steps)])


def test_the_first_days_aliases_are_kept() -> None:
    assert len(PRINTED) == 32
    assert len({step.printed for step in STEPS}) == 103
    assert all(canonical != printed for canonical, printed in PRINTED.items())


@pytest.mark.parametrize(
    ("name", "found"),
    [("T049", "T049"), ("t49", "T049"), ("49", "T049"), (" T001 ", "T001"), ("T106", "T106"), ("89", "T089")],
)
def test_a_step_is_found_by_its_id_and_by_its_place(name: str, found: str) -> None:
    assert find(name).id == found


def test_an_alias_that_means_several_steps_is_refused_with_its_candidates() -> None:
    with pytest.raises(UsageError) as caught:
        find("T089")
    for candidate in ("79 = T079", "84 = T084", "89 = T089", "'Dapr is installed on the cluster'"):
        assert candidate in str(caught.value)


def test_every_printed_id_is_found_or_refused_and_every_place_is_found() -> None:
    for step in STEPS:
        assert find(str(int(step.id[1:]))).id == step.id
        meant = [other for other in STEPS if step.printed in (other.id, other.printed)]
        if len(meant) == 1:
            assert find(step.printed) is step
        else:
            with pytest.raises(UsageError):
                find(step.printed)


@pytest.mark.parametrize("name", ["T000", "T132", "T1000", "chat", "", "-1"])
def test_an_unknown_step_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="there is no step"):
        find(name)


def test_phases_name_their_steps() -> None:
    assert of_phases("setup", "foundation", "deployment") == tuple(f"T{n:03d}" for n in range(1, 55))


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
