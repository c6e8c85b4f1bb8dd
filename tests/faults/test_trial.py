"""Mutants: killed, survived, astray, unproven; restored always; and the groups that are registered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from runbook import catalogue
from runbook import faults as mutants
from runbook.clients.kube.transport import Refused
from runbook.engine.errors import RunbookError, TimedOut, Unmeasurable, UsageError, WrongCluster
from runbook.engine.journal import Journal
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status, Step, failed, passed, unproven
from runbook.faults import GROUPS, Group, Mutant, pods, trial
from runbook.faults.planting import Hands
from runbook.report import trials
from runbook.report.writer import Writer
from runbook.world import World
from tests.fakes.worlds import FakeApi, world_of

Answer = Callable[[], Outcome]
GOOD = passed("as wanted")
BAD = failed("the fault", wanted="none", hint="undo it")
UNKNOWN = unproven("no answer", hint="look")


class Field:
    """Two steps whose outcomes a planted fault decides."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now: dict[str, Outcome] = {"T001": GOOD, "T002": GOOD}
        self.api = FakeApi()
        self.world: World = world_of(Settings(), api=self.api)
        self.undone = 0
        steps = tuple(Step(each, each, check=self._asked(each)) for each in self.now)
        monkeypatch.setattr(catalogue, "STEPS", steps)

    def _asked(self, step: str) -> Callable[[World], Outcome]:
        return lambda _: self.now[step]

    def mutant(self, *reds: str, **outcomes: Outcome) -> Mutant:
        def plant(_: Hands) -> None:
            self.now.update(outcomes)

        def undo(_: Hands) -> None:
            self.undone += 1
            self.now.update(T001=GOOD, T002=GOOD)

        return Mutant("wrong on purpose", frozenset(reds), plant, undo=undo, patience=0.2, settles=0.3)

    def run(self, journal: Journal, *mutants: Mutant) -> list[trial.Verdict]:
        return list(trial.run(self.world, Group("test", ("T001", "T002"), mutants, ("Pod",)), journal))


@pytest.fixture
def field(monkeypatch: pytest.MonkeyPatch) -> Field:
    return Field(monkeypatch)


@pytest.mark.parametrize(
    ("reds", "outcomes", "status", "words"),
    [
        (["T001"], {"T001": BAD}, Status.PASSED, "T001"),
        (["T001", "T002"], {"T001": BAD, "T002": BAD}, Status.PASSED, "T001, T002"),
        ([], {}, Status.PASSED, "all stayed green"),
        (["T001"], {}, Status.FAILED, "T001 passed (as wanted)"),
        (["T001", "T002"], {"T001": BAD}, Status.FAILED, "T002 passed (as wanted)"),
        (
            ["T001"],
            {"T001": BAD, "T002": BAD},
            Status.FAILED,
            "red as well after 0.3 s: T002 failed (the fault)",
        ),
        (
            ["T001"],
            {"T001": BAD, "T002": UNKNOWN},
            Status.FAILED,
            "red as well after 0.3 s: T002 unproven (no answer)",
        ),
        ([], {"T002": BAD}, Status.FAILED, "red as well after 0.3 s: T002"),
        (["T001"], {"T001": UNKNOWN}, Status.UNPROVEN, "T001 unproven (no answer)"),
    ],
)
def test_exactly_the_named_steps_turn_red(
    field: Field, journal: Journal, reds: list[str], outcomes: dict[str, Outcome], status: Status, words: str
) -> None:
    (verdict,) = field.run(journal, field.mutant(*reds, **outcomes))
    assert verdict.status is status
    assert words in verdict.words
    assert field.undone == 1


@pytest.mark.parametrize(
    ("other", "cause", "status"),
    [
        (UNKNOWN, "the fault", Status.PASSED),
        (UNKNOWN, "another cause", Status.FAILED),
        (GOOD, "the fault", Status.FAILED),
        (BAD, "the fault", Status.FAILED),
    ],
)
def test_the_cause_is_named_and_what_cannot_be_measured_is_unproven(
    field: Field, journal: Journal, other: Outcome, cause: str, status: Status
) -> None:
    mutant = field.mutant("T001", T001=BAD, T002=other)
    (verdict,) = field.run(journal, replace(mutant, cause=cause, unproven=frozenset({"T002"})))
    assert verdict.status is status
    assert "T002" in verdict.words
    assert field.undone == 1


def told(words: str = "", problem: Exception | None = None) -> Callable[[Hands], str]:
    """What must hold meanwhile, and what is seen of it."""

    def meanwhile(_: Hands) -> str:
        if problem is not None:
            raise problem
        return words

    return meanwhile


@pytest.mark.parametrize(
    ("meanwhile", "status", "words"),
    [
        (told("the chat answers"), Status.PASSED, "; the chat answers"),
        (told(problem=RunbookError("the chat is silent")), Status.FAILED, "; meanwhile: the chat is silent"),
        (told(problem=TimedOut("after 60 s: 502")), Status.FAILED, "; meanwhile: after 60 s: 502"),
        (told(problem=Unmeasurable("nobody can sign up")), Status.UNPROVEN, "meanwhile: nobody can sign up"),
    ],
)
def test_what_must_hold_meanwhile_is_looked_at_while_the_fault_is_there(
    field: Field, journal: Journal, meanwhile: Callable[[Hands], str], status: Status, words: str
) -> None:
    seen: list[Outcome] = []

    def look(hands: Hands) -> str:
        seen.append(field.now["T001"])
        return meanwhile(hands)

    (verdict,) = field.run(journal, replace(field.mutant("T001", T001=BAD), meanwhile=look))
    assert verdict.status is status
    assert verdict.words.endswith(words)
    assert seen == [BAD]
    assert field.undone == 1


def test_nobody_looks_meanwhile_where_the_fault_does_not_show(field: Field, journal: Journal) -> None:
    (verdict,) = field.run(journal, replace(field.mutant("T001"), meanwhile=told(problem=AssertionError())))
    assert verdict.status is Status.FAILED
    assert verdict.shown is None


def test_the_time_until_the_fault_shows_is_told(field: Field, journal: Journal) -> None:
    killed, control = field.run(journal, field.mutant("T001", T001=BAD), field.mutant())
    assert killed.shown is not None
    assert killed.words == f"T001 in {killed.shown:.1f} s"
    assert (control.shown, control.words) == (None, "all stayed green")


def test_a_drill_is_repeated(field: Field, journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it proved of this release before the fault was planted says nothing."""
    asked = []

    def drilled(_: World) -> Outcome:
        asked.append(1)
        return field.now["T001"]

    drill = Step("T001", "a drill", check=drilled, drill=True, fingerprint=lambda _: "the same")
    monkeypatch.setattr(catalogue, "STEPS", (drill, *catalogue.STEPS[1:]))
    (verdict,) = field.run(journal, field.mutant("T001", T001=BAD))
    assert verdict.status is Status.PASSED
    assert len(asked) > 2


def test_what_cannot_be_planted_is_unproven_and_undone(field: Field, journal: Journal) -> None:
    def stuck(_: Hands) -> None:
        raise TimedOut("pod mutant is Pending")

    (verdict,) = field.run(journal, replace(field.mutant("T001"), plant=stuck))
    assert verdict.status is Status.UNPROVEN
    assert "pod mutant is Pending" in verdict.words
    assert field.undone == 1


def test_nothing_is_planted_where_all_is_not_green_before(field: Field, journal: Journal) -> None:
    field.now["T002"] = BAD
    with pytest.raises(Unmeasurable, match="before anything is planted: T002 failed"):
        field.run(journal, field.mutant("T001", T001=BAD))
    assert field.undone == 0


def test_no_more_is_planted_where_a_step_stays_red(
    field: Field, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "HEALED", 0.2)
    first = replace(field.mutant("T001", T001=BAD), undo=lambda _: None)
    later = field.mutant("T002", T002=BAD)
    with pytest.raises(TimedOut, match="T001 failed"):
        field.run(journal, first, later)
    assert field.undone == 0


def test_another_cluster_is_refused_before_anything(
    field: Field, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise WrongCluster("another cluster answers")

    monkeypatch.setattr(field.api, "guard", refuse)
    with pytest.raises(WrongCluster):
        field.run(journal, field.mutant("T001", T001=BAD))
    assert field.undone == 0


def test_an_interruption_restores(field: Field, journal: Journal) -> None:
    def interrupted(_: Hands) -> None:
        field.now["T001"] = BAD
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        field.run(journal, replace(field.mutant("T001"), plant=interrupted))
    assert field.undone == 1
    assert field.now["T001"] is GOOD


def test_what_a_killed_run_left_is_removed_first(field: Field, journal: Journal) -> None:
    Hands(field.world).create({"kind": "Pod", "metadata": {"name": "mutant", "namespace": "todo"}})
    field.run(journal)
    assert ("Pod", "todo", "mutant") not in field.api.objects


class Stream:
    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        return

    def isatty(self) -> bool:
        return False


def verdict(status: Status, *reds: str, name: str = "a fault") -> trial.Verdict:
    mutant = Mutant(name, frozenset(reds), lambda _: None)
    return trial.Verdict(mutant, status, "words", 1.5)


def test_survivors_are_named_and_controls_are_not_counted() -> None:
    stream: Any = Stream()
    found = [
        verdict(Status.PASSED, "T001"),
        verdict(Status.FAILED, "T001", name="a survivor"),
        verdict(Status.UNPROVEN, "T002", name="a riddle"),
        verdict(Status.PASSED, name="a control"),
    ]
    group = Group("test", ("T001", "T002"), tuple(each.mutant for each in found))
    assert trials.told(Writer(stream), group, found) == found
    assert "4 to plant, each to be undone; 2 steps are watched." in stream.text
    assert "✔  killed    a fault     words (1.5 s)" in stream.text
    assert "1 of 3 mutants killed, 1 of 1 controls harmless, in 6.0 s" in stream.text
    assert stream.text.endswith("  survived  a survivor\n  unproven  a riddle\n")


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([Status.PASSED, Status.PASSED], 0),
        ([Status.PASSED, Status.FAILED, Status.UNPROVEN], 1),
        ([Status.PASSED, Status.UNPROVEN], 3),
        ([], 3),
    ],
)
def test_the_exit_code_says_what_came_of_them(statuses: list[Status], code: int) -> None:
    assert trials.exit_code([verdict(status, "T001") for status in statuses]) == code


def test_the_verdicts_are_told_as_json() -> None:
    found = [verdict(Status.PASSED, "T002", "T001"), verdict(Status.PASSED, name="a control")]
    group = Group("test", ("T001", "T002"), tuple(each.mutant for each in found))
    document = json.loads(trials.as_json(group, found))
    assert (document["planted"], document["killed"], document["exit_code"]) == (1, 1, 0)
    assert document["mutants"][0] == {
        "name": "a fault",
        "reds": ["T001", "T002"],
        "verdict": "killed",
        "words": "words",
        "shown": None,
        "seconds": 1.5,
    }


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_each_group_watches_built_steps_and_names_its_mutants_apart(name: str) -> None:
    group = mutants.group(name, Settings())
    names = [each.name for each in group.mutants]
    assert len(set(names)) == len(names)
    built = {step.id for step in catalogue.STEPS if step.check is not None}
    assert set(group.steps) <= built
    assert {red for each in group.mutants for red in each.reds} <= built
    assert any(not each.reds for each in group.mutants) or name != "security"


def test_each_step_of_dapr_is_turned_red_by_a_mutant_but_two() -> None:
    """T084 is of the same annotations as T083, T086 would write a password where it can be read."""
    group = mutants.group("dapr", Settings())
    reds = {red for each in group.mutants for red in each.reds}
    wanted = {"T079", "T080", "T081", "T082", "T083", "T085", "T087", "T088", "T089", "T090", "T091", "T092"}
    assert reds >= wanted


def test_each_step_of_the_security_group_that_looks_live_is_turned_red_by_a_mutant() -> None:
    group = mutants.group("security", Settings())
    reds = {red for each in group.mutants for red in each.reds}
    assert {f"T{number:03d}" for number in range(71, 77)} <= reds


def test_an_unknown_group_and_an_unknown_mutant_are_refused() -> None:
    with pytest.raises(UsageError, match="no mutants named 'everything'"):
        mutants.group("everything", Settings())
    group = mutants.group("security", Settings())
    assert [each.name for each in mutants.only(group, ["wildcards"]).mutants] == ["a role with wildcards"]
    with pytest.raises(UsageError, match="no mutant of security"):
        mutants.only(group, ["unheard of"])


def test_a_scratch_pod_is_like_the_backends_and_no_service_selects_it() -> None:
    container = {"name": "backend", "image": "todo-backend:1.0.0", "securityContext": {"runAsUser": 1000}}
    template = {"spec": {"serviceAccountName": "backend-sa", "containers": [container]}}
    metadata = {"name": "backend", "namespace": "todo"}
    api = FakeApi({"kind": "Deployment", "metadata": metadata, "spec": {"template": template}})
    pod = pods.scratch(Hands(world_of(Settings(), api=api)))
    assert pod["spec"]["containers"][0]["image"] == "todo-backend:1.0.0"
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == "mutant"
    pods.context(runAsUser=1001)(pod)
    assert container["securityContext"] == {"runAsUser": 1000}, "the Deployment's own was changed"


def test_a_pod_that_the_standard_refuses_is_made_while_it_is_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {pods.ENFORCE: "restricted"}
    api = FakeApi({"kind": "Namespace", "metadata": {"name": "todo", "labels": labels}})
    template = {"spec": {"containers": [{"name": "backend", "image": "x", "securityContext": {}}]}}
    metadata = {"name": "backend", "namespace": "todo"}
    api.put({"kind": "Deployment", "metadata": metadata, "spec": {"template": template}})
    levels: list[str] = []
    monkeypatch.setattr(pods, "_running", lambda *_: None)
    create = api.create

    def watched(manifest: Any) -> Any:
        levels.append(api.objects["Namespace", "", "todo"]["metadata"]["labels"][pods.ENFORCE])
        return create(manifest)

    monkeypatch.setattr(api, "create", watched)
    mutant = pods.pod_mutant("privileged", {"T074"}, pods.context(privileged=True), refused=True)
    hands = Hands(world_of(Settings(), api=api))
    mutant.plant(hands)
    assert levels == ["privileged"]
    assert api.objects["Namespace", "", "todo"]["metadata"]["labels"][pods.ENFORCE] == "restricted"
    assert mutant.undo is not None
    mutant.undo(hands)
    assert ("Pod", "todo", "mutant") not in api.objects


def test_a_step_that_is_red_only_for_a_moment_is_not_astray(field: Field, journal: Journal) -> None:
    """As where the API server learns a moment late that a label is back."""
    looks: list[int] = []

    def late(_: World) -> Outcome:
        looks.append(1)
        return BAD if len(looks) == 2 else GOOD

    object.__setattr__(catalogue.find("T002"), "check", late)
    (verdict,) = field.run(journal, field.mutant("T001", T001=BAD))
    assert verdict.status is Status.PASSED


def test_a_pod_is_tried_again_until_the_lifted_standard_admits_it(monkeypatch: pytest.MonkeyPatch) -> None:
    api = FakeApi()
    hands = Hands(world_of(Settings(), api=api))
    answers = [Refused('violates PodSecurity "restricted"', code=403)] * 2
    create = api.create

    def late(manifest: Any) -> Any:
        if answers:
            raise answers.pop()
        return create(manifest)

    monkeypatch.setattr(api, "create", late)
    pods._admitted(hands, {"kind": "Pod", "metadata": {"name": "mutant", "namespace": "todo"}})
    assert ("Pod", "todo", "mutant") in api.objects
    answers.append(Refused("exceeded quota", code=403))
    with pytest.raises(Refused, match="quota"):
        pods._admitted(hands, {"kind": "Pod", "metadata": {"name": "other", "namespace": "todo"}})


def test_every_step_of_the_list_has_a_fault_that_turns_it_red() -> None:
    planted = {
        step for name in GROUPS for each in mutants.group(name, Settings()).mutants for step in each.reds
    }
    assert [step.id for step in catalogue.STEPS if step.id not in planted] == []
