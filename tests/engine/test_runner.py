from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Self

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from runbook.engine.errors import CommandMissing, RunbookError, Unmeasurable, UsageError, WrongCluster
from runbook.engine.events import Event, Finished, Mode, Paused, Run, Started, Waiting
from runbook.engine.journal import Journal
from runbook.engine.plan import plan
from runbook.engine.runner import walk
from runbook.engine.step import Outcome, Status, Step, failed, passed, unproven
from runbook.world import World

Walk = Callable[..., Run]


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def go(world: World, journal: Journal, events: list[Event]) -> Walk:
    """Walk all given steps and collect the events."""

    def walked(steps: Sequence[Step], mode: Mode = Mode.APPLY, **options: object) -> Run:
        chosen = plan([step.id for step in steps], steps)
        return walk(chosen, world, mode=mode, journal=journal, sink=events.append, **options)  # type: ignore[arg-type]

    return walked


def good(_: World) -> Outcome:
    return passed("as wanted")


def unmeasurable(_: World) -> Outcome:
    raise Unmeasurable("could not look", hint="-")


def bad(_: World) -> Outcome:
    return failed("not as wanted", wanted="better", hint="try harder")


def away(_: World) -> Outcome:
    raise Unmeasurable("the API is away", hint="inv cluster.up")


def statuses(run: Run) -> dict[str, Status]:
    return {result.step.id: result.outcome.status for result in run.results}


class Thing:
    """Something that an apply puts right."""

    def __init__(self, right: bool = False) -> None:
        self.right = right
        self.applied = 0

    def check(self, _: World) -> Outcome:
        return passed("right") if self.right else failed("wrong", wanted="right", hint="apply")

    def apply(self, _: World) -> None:
        self.applied += 1
        self.right = True


def test_apply_runs_only_after_a_failed_check_and_is_checked(go: Walk) -> None:
    wrong, right = Thing(), Thing(right=True)
    run = go([Step("T001", "a", wrong.check, wrong.apply), Step("T002", "b", right.check, right.apply)])
    assert run.exit_code == 0
    assert (wrong.applied, right.applied) == (1, 0)
    assert [result.changed for result in run.results] == [True, False]


def test_an_apply_that_does_not_help_is_a_failure(go: Walk) -> None:
    run = go([Step("T001", "a", bad, lambda world: None)])
    assert run.exit_code == 1
    assert run.results[0].outcome.hint == "try harder"


def test_verify_never_applies(go: Walk) -> None:
    wrong = Thing()
    run = go([Step("T001", "a", wrong.check, wrong.apply)], Mode.VERIFY)
    assert run.exit_code == 1
    assert wrong.applied == 0


def test_what_cannot_be_measured_is_unproven_and_applied(go: Walk) -> None:
    thing = Thing()

    def check(world: World) -> Outcome:
        return thing.check(world) if thing.right else away(world)

    step = Step("T001", "a", check, thing.apply)
    assert statuses(go([step], Mode.VERIFY)) == {"T001": Status.UNPROVEN}
    assert statuses(go([step])) == {"T001": Status.PASSED}


@pytest.mark.parametrize(
    ("error", "changed"),
    [(UsageError("no context"), False), (WrongCluster("another"), False), (CommandMissing("x"), False),
     (RunbookError("half way"), True), (OSError("disk"), True)],
)  # fmt: skip
def test_an_apply_that_refused_before_it_began_changed_nothing(
    go: Walk, error: Exception, changed: bool
) -> None:
    def refuse(_: World) -> None:
        raise error

    run = go([Step("T001", "one", bad, refuse)])
    assert [result.changed for result in run.results] == [changed]


def test_an_error_of_an_apply_is_told_with_its_hint(go: Walk) -> None:
    def apply(_: World) -> None:
        raise RunbookError("no space left", wanted="2 GB", hint="df -h")

    outcome = go([Step("T001", "a", bad, apply)]).results[0].outcome
    assert (outcome.status, outcome.observed, outcome.wanted, outcome.hint) == (
        Status.FAILED,
        "no space left",
        "2 GB",
        "df -h",
    )


def test_an_unexpected_exception_is_one_line_and_its_traceback_is_in_the_journal(
    go: Walk, journal: Journal
) -> None:
    def check(_: World) -> Outcome:
        raise KeyError("surprise\nand more")

    outcome = go([Step("T001", "a", check)]).results[0].outcome
    assert outcome.status is Status.FAILED
    assert outcome.observed.startswith("unexpected KeyError") and "\n" not in outcome.observed
    assert "Traceback" in journal.path.read_text()


def test_even_an_exit_within_a_check_ends_with_an_answer(go: Walk) -> None:
    def check(_: World) -> Outcome:
        raise SystemExit(0)

    assert statuses(go([Step("T001", "a", check)])) == {"T001": Status.FAILED}


class Broken(RuntimeError):
    def __str__(self) -> str:
        raise ValueError("not even words")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("line", ['{"event": "finished", "step": "T001"}', "3", "[[["])
def test_no_journal_keeps_a_run_from_its_end(go: Walk, journal: Journal, line: str) -> None:
    """A line without fields ended the thread of a drill, and the run waited an hour for it."""
    journal.path.parent.mkdir(parents=True, exist_ok=True)
    journal.path.write_text(line + "\n")
    drill = Step("T001", "a", good, drill=True, fingerprint=lambda _: "x")
    assert go([drill], Mode.VERIFY, patience=20).results[0].outcome.status is Status.UNPROVEN


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_that_cannot_be_told_ends_with_an_answer_too(go: Walk) -> None:
    def broken(_: World) -> Outcome:
        raise Broken

    run = go([Step("T001", "a", broken)], patience=20)
    assert run.results[0].outcome.observed == "unexpected ValueError: not even words"


def test_a_run_that_cannot_go_on_ends_what_it_started(world: World, journal: Journal) -> None:
    """As where the disk is full: nobody reads what the threads would say."""

    def sink(event: Event) -> None:
        if isinstance(event, Finished):
            raise OSError(28, "No space left on device")

    def waits(asked: World) -> Outcome:
        asked.stopping.wait(30)
        return passed("stopped")

    steps = (Step("T001", "a", good), Step("T002", "b", waits))
    with pytest.raises(OSError, match="No space"):
        walk(plan(["T001", "T002"], steps), world, mode=Mode.VERIFY, journal=journal, sink=sink)
    assert world.stopping.is_set()


def test_a_step_without_a_check_is_unproven_and_never_green(go: Walk) -> None:
    run = go([Step("T001", "a")])
    assert run.results[0].outcome.observed == "not built yet"
    assert run.exit_code == 3


def test_a_need_that_did_not_pass_blocks_and_is_named_with_where_it_began(go: Walk) -> None:
    never = Thing()
    run = go(
        [
            Step("T001", "a", bad),
            Step("T002", "b", never.check, never.apply, needs=("T001",)),
            Step("T003", "c", good, needs=("T002",)),
            Step("T004", "d", good),
        ]
    )
    assert statuses(run) == {
        "T001": Status.FAILED,
        "T002": Status.BLOCKED,
        "T003": Status.BLOCKED,
        "T004": Status.PASSED,
    }
    assert never.applied == 0
    assert run.results[1].outcome.observed == "needs T001"
    assert run.results[2].outcome.observed == "needs T002; it began with T001"
    assert run.exit_code == 1


@pytest.mark.parametrize(
    ("checks", "code"),
    [((good, good), 0), ((good, bad), 1), ((good, away), 3), ((away, bad), 1)],
)
def test_exit_codes(go: Walk, checks: tuple[Callable[[World], Outcome], ...], code: int) -> None:
    assert go([Step(f"T{n:03d}", "x", check) for n, check in enumerate(checks, 1)]).exit_code == code


def test_the_live_half_is_asked_after_the_deployment_and_does_not_hold_it_up(
    go: Walk, events: list[Event]
) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[World], Outcome]:
        def check(_: World) -> Outcome:
            order.append(name)
            return passed(name)

        return check

    run = go(
        [
            Step("T001", "written", note("written"), live=note("live"), live_after="T002"),
            Step("T002", "deployed", note("deployed"), needs=("T001",)),
        ]
    )
    assert order == ["written", "deployed", "live"]
    assert run.results[0].outcome.observed == "written; live: live"
    assert [event.after for event in events if isinstance(event, Paused)] == ["T002"]


def test_the_worse_half_counts(go: Walk) -> None:
    live_bad = Step("T001", "written", good, live=bad, live_after="T002")
    written_bad = Step("T001", "written", bad, live=good, live_after="T002")
    deployed = Step("T002", "deployed", good)
    assert statuses(go([live_bad, deployed]))["T001"] is Status.FAILED
    assert statuses(go([written_bad, deployed]))["T001"] is Status.FAILED
    assert (
        statuses(go([replace(live_bad, live=good), replace(deployed, check=bad)]))["T001"] is Status.BLOCKED
    )


def test_a_second_half_that_is_not_asked_is_pending_and_never_green(go: Walk) -> None:
    step = Step("T001", "written", good, live=bad, live_after="T049")
    run = go([step, Step("T002", "waits for it", good, needs=("T001",))])
    assert statuses(run) == {"T001": Status.UNPROVEN, "T002": Status.PASSED}
    (pending,) = [result for result in run.results if result.pending]
    assert "the deployed object is checked once T049 has passed" in pending.outcome.observed
    assert run.exit_code == 0
    assert statuses(go([step], Mode.VERIFY)) == {"T001": Status.FAILED}


def test_a_first_half_that_fails_is_not_pending(go: Walk) -> None:
    run = go([Step("T001", "written", bad, live=good, live_after="T049")])
    assert ([result.pending for result in run.results], run.exit_code) == ([False], 1)


def test_what_a_step_waits_for_is_told(go: Walk, events: list[Event]) -> None:
    def check(world: World) -> Outcome:
        world.progress("the node")
        return passed("Ready")

    go([Step("T001", "a", check)])
    assert [type(event) for event in events[1:]] == [Started, Waiting, Finished]
    assert [event.text for event in events if isinstance(event, Waiting)] == ["the node"]


def test_remembered_answers_are_forgotten_after_an_apply(go: Walk) -> None:
    thing = Thing()

    def check(world: World) -> Outcome:
        return world.once("thing", lambda: thing.check(world))

    assert statuses(go([Step("T001", "a", check, thing.apply)])) == {"T001": Status.PASSED}


def test_a_step_that_never_answers_is_given_up_and_the_rest_goes_on(go: Walk) -> None:
    forever = threading.Event()

    def check(_: World) -> Outcome:
        forever.wait(60)
        return passed("late")

    run = go([Step("T001", "a", check), Step("T002", "b", good, needs=("T001",))], patience=0.01)
    forever.set()
    assert statuses(run) == {"T001": Status.FAILED, "T002": Status.BLOCKED}


def test_an_interruption_ends_with_what_was_done(go: Walk, events: list[Event], world: World) -> None:
    def interrupt(_: World) -> Outcome:
        world.stopping.wait(30)
        return failed("was stopped", wanted="-", hint="-")

    class Impatient(list[Event]):
        def append(self, event: Event) -> None:
            if isinstance(event, Finished):
                raise KeyboardInterrupt

    chosen = [Step("T001", "a", good), Step("T002", "b", interrupt), Step("T003", "c", good, needs=("T002",))]
    run = walk(
        plan(["T003", "T001"], chosen),
        world,
        mode=Mode.APPLY,
        journal=Journal(world.settings.state / "j.jsonl"),
        sink=Impatient().append,
    )
    assert run.exit_code == 130
    assert statuses(run) == {"T001": Status.PASSED}


class Drill:
    def __init__(self) -> None:
        self.ran = 0
        self.release = "revision 1"
        self.green = True

    def check(self, _: World) -> Outcome:
        self.ran += 1
        return passed(f"run {self.ran}") if self.green else failed("no", wanted="yes", hint="-")

    @property
    def step(self) -> Step:
        return Step("T001", "drill", self.check, drill=True, fingerprint=lambda world: self.release)


def test_a_drill_is_carried_while_its_inputs_are_the_same(go: Walk) -> None:
    drill = Drill()
    assert go([drill.step]).exit_code == 0
    again = go([drill.step], Mode.VERIFY).results[0]
    assert (drill.ran, again.outcome.status, again.carried) == (1, Status.PASSED, True)
    assert "carried, its inputs are unchanged" in again.outcome.observed
    drill.release = "revision 2"
    lost = go([drill.step], Mode.VERIFY).results[0].outcome
    assert (lost.status, lost.hint) == (Status.UNPROVEN, "inv verify.step T001 --drills")
    assert drill.ran == 1
    assert go([drill.step]).results[0].outcome.observed == "run 2"


def test_a_proof_ends_with_its_time(go: Walk, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    drill = Drill()
    go([drill.step])

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=world.settings.proof_hours, minutes=1)

    monkeypatch.setattr("runbook.engine.attempt.datetime", Later)
    outcome = go([drill.step], Mode.VERIFY).results[0].outcome
    assert outcome.status is Status.UNPROVEN
    assert "is older than 24 h (setting proof_hours)" in outcome.observed
    assert go([drill.step]).results[0].outcome.observed == "run 2"


def test_a_carried_proof_is_no_better_than_its_canary(go: Walk) -> None:
    drill = Drill()
    go([drill.step])
    for canary, status in ((good, Status.PASSED), (bad, Status.FAILED), (unmeasurable, Status.UNPROVEN)):
        again = go([replace(drill.step, canary=canary)], Mode.VERIFY).results[0]
        assert (again.outcome.status, again.carried) == (status, True)
    assert drill.ran == 1


def test_what_was_wrong_before_a_repair_is_kept(go: Walk) -> None:
    broken = [True]

    def check(_: World) -> Outcome:
        return failed("two replicas are missing", wanted="-", hint="-") if broken else passed("mended")

    result = go([Step("T001", "a", check, lambda _: broken.clear())]).results[0]
    assert (result.outcome.observed, result.before) == ("mended", "two replicas are missing")
    assert go([Step("T001", "a", good, lambda _: None)]).results[0].before == ""


def test_a_drill_runs_alone(go: Walk) -> None:
    at_once: list[str] = []
    most: dict[str, int] = {}
    others = threading.Barrier(3)

    def busy(name: str) -> Callable[[World], Outcome]:
        def check(_: World) -> Outcome:
            at_once.append(name)
            if int(name[1:]) % 2:
                time.sleep(0.05)
            else:
                others.wait(30)  # all three are here at the same time, however busy the machine is
            for each in at_once:
                most[each] = max(most.get(each, 0), len(at_once))
            at_once.remove(name)
            return passed(name)

        return check

    steps = [
        Step(f"T{n:03d}", "a step", check=busy(f"T{n:03d}"), drill=n % 2 == 1, fingerprint=lambda _: "same")
        for n in range(1, 7)
    ]
    assert go(steps).exit_code == 0
    assert {most[step.id] for step in steps if step.drill} == {1}
    assert max(most.values()) > 1


def test_drills_wait_for_the_others(go: Walk) -> None:
    order: list[str] = []

    def step(number: int, *needs: str, drill: bool = False) -> Step:
        name = f"T{number:03d}"

        def check(_: World) -> Outcome:
            order.append(name)
            return passed(name)

        return Step(name, "a step", check=check, needs=needs, drill=drill, fingerprint=lambda _: "same")

    steps = [step(1, drill=True), step(2), step(3, "T002"), step(4, drill=True), step(5, "T004")]
    assert go(steps).exit_code == 0
    assert order == ["T002", "T003", "T004", "T005", "T001"]


def test_drills_are_repeated_on_demand(go: Walk) -> None:
    drill = Drill()
    go([drill.step])
    assert go([drill.step], Mode.VERIFY, drills=True).results[0].outcome.observed == "run 2"


def test_a_drill_that_failed_since_is_not_carried(go: Walk) -> None:
    drill = Drill()
    go([drill.step])
    drill.green = False
    go([drill.step], drills=True)
    assert statuses(go([drill.step], Mode.VERIFY)) == {"T001": Status.UNPROVEN}


def test_a_release_that_cannot_be_identified_carries_nothing(go: Walk) -> None:
    drill = Drill()

    def unknown(_: World) -> str:
        raise Unmeasurable("no release", hint="inv deploy")

    step = replace(drill.step, fingerprint=unknown)
    go([step])
    go([step])
    assert drill.ran == 2


@st.composite
def catalogues(draw: st.DrawFn) -> list[tuple[tuple[str, ...], Status, bool]]:
    made: list[tuple[tuple[str, ...], Status, bool]] = []
    for number in range(draw(st.integers(1, 12))):
        ids = [f"T{n + 1:03d}" for n in range(number)]
        needs = tuple(sorted(draw(st.sets(st.sampled_from(ids), max_size=3)))) if ids else ()
        status = draw(
            st.sampled_from([Status.PASSED, Status.PASSED, Status.PASSED, Status.FAILED, Status.UNPROVEN])
        )
        made.append((needs, status, draw(st.booleans())))
    return made


@given(catalogues(), st.integers(1, 3))
@hypothesis_settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
def test_any_catalogue_is_walked_in_the_order_of_its_needs(
    go: Walk, shape: list[tuple[tuple[str, ...], Status, bool]], heavy: int
) -> None:
    lock = threading.Lock()
    ended: set[str] = set()
    wrong: list[str] = []
    busy = 0

    def make(number: int, needs: tuple[str, ...], status: Status, is_heavy: bool) -> Step:
        step_id = f"T{number + 1:03d}"

        def check(_: World) -> Outcome:
            nonlocal busy
            with lock:
                if not set(needs) <= ended:
                    wrong.append(f"{step_id} started before its needs ended")
                busy += is_heavy
                if busy > heavy:
                    wrong.append(f"{busy} heavy steps at a time")
            with lock:
                busy -= is_heavy
                ended.add(step_id)
            if status is Status.UNPROVEN:
                return unproven("?", hint="-")
            return passed("ok") if status is Status.PASSED else failed("no", wanted="yes", hint="-")

        return Step(step_id, step_id, check, needs=needs, heavy=is_heavy)

    steps = [make(number, *parts) for number, parts in enumerate(shape)]
    run = go(steps, heavy=heavy)
    assert wrong == []
    by_id = statuses(run)
    assert list(by_id) == [step.id for step in steps]
    for step, (needs, status, _) in zip(steps, shape, strict=True):
        free = all(by_id[need] is Status.PASSED for need in needs)
        assert by_id[step.id] is (status if free else Status.BLOCKED)
        assert (step.id in ended) is free


def test_the_step_on_which_most_wait_goes_first(go: Walk, events: list[Event]) -> None:
    steps = [
        Step("T001", "nothing waits for it", good, heavy=True),
        Step("T002", "all wait for it", good, heavy=True),
        Step("T003", "waits", good, needs=("T002",)),
    ]
    go(steps, heavy=1)
    assert next(event.step.id for event in events if isinstance(event, Started)) == "T002"


def test_heavy_steps_wait_for_a_core_while_light_ones_go_on(go: Walk) -> None:
    light = threading.Event()
    most = 0
    busy = 0
    lock = threading.Lock()

    def heavy(_: World) -> Outcome:
        nonlocal most, busy
        with lock:
            busy += 1
            most = max(most, busy)
        light.wait(30)  # the light step must get its turn although heavy ones fill the cores
        with lock:
            busy -= 1
        return passed("built")

    def easy(_: World) -> Outcome:
        light.set()
        return passed("asked")

    steps = [Step(f"T{n:03d}", "build", heavy, heavy=True) for n in (1, 2, 3)] + [Step("T004", "ask", easy)]
    assert go(steps, heavy=2).exit_code == 0
    assert most <= 2
