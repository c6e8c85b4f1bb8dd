from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest

from runbook.engine import journal as module
from runbook.engine.errors import RunbookError
from runbook.engine.events import Mode, Result
from runbook.engine.journal import Journal, Place
from runbook.engine.plan import Plan
from runbook.engine.redaction import conceal
from runbook.engine.step import Status, Step, failed, passed

STEP = Step("T001", "one")
OTHER = Step("T002", "two")


def test_the_last_word_on_a_step_counts(journal: Journal) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, failed("no", wanted="yes", hint="-")))
    journal.finished(Result(OTHER, passed("fine")))
    journal.finished(Result(STEP, passed("yes", port=80)))
    last = journal.last()
    assert {step: entry.outcome.status for step, entry in last.items()} == {
        "T001": Status.PASSED,
        "T002": Status.PASSED,
    }
    assert last["T001"].outcome.evidence == {"port": 80}


def test_no_journal_is_no_news(journal: Journal) -> None:
    assert journal.last() == {}
    assert journal.proved("T001", "x") is None


def test_a_torn_line_is_passed_over_and_closed(journal: Journal) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, passed("before")))
    with journal.path.open("a") as file:
        file.write('{"event": "finished", "step": "T002", "obs')
    assert journal.last().keys() == {"T001"}
    journal.finished(Result(OTHER, passed("after")))
    assert journal.last().keys() == {"T001", "T002"}


ODD: list[dict[str, object]] = [
    {"event": "finished", "step": "T001"},
    {"event": "finished"},
    {"step": "T001"},
    {"status": "skipped"},
    {"status": None},
    {"status": 3},
    {"at": 17},
    {"at": "yesterday"},
    {"at": None},
    {"evidence": None},
    {"evidence": "text"},
    {"observed": 3},
    {"hint": None},
    {"fingerprint": 5},
    {"step": None},
    {"step": ["T001"]},
    {"place": "here"},
    {"place": {"provider": 3, "new": True}},
    {"run": ["x"]},
    {"schema": 2, "outcome": {"status": "passed"}},
]


@pytest.mark.parametrize("odd", [*ODD, "word", 3, None, [], [1]])
def test_a_line_of_another_version_is_passed_over(journal: Journal, odd: object) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(OTHER, passed("fine"), fingerprint="x"))
    whole = json.loads(journal.path.read_text().splitlines()[-1])
    if isinstance(odd, dict) and odd not in ODD[:2]:
        odd = {**whole, "step": "T001", **odd}
    with journal.path.open("a") as file:
        file.write(json.dumps(odd) + "\n" + "[" * 50_000 + "\n")
    assert journal.last()["T002"].outcome.observed == "fine"
    assert journal.proved("T001", "never") is None
    assert journal.proved("T002", "x") is not None
    assert all(isinstance(entry.outcome.status, Status) for entry in journal.last().values())


def test_a_journal_that_cannot_be_written_is_told_in_one_line(journal: Journal) -> None:
    journal.path.mkdir(parents=True)
    with pytest.raises(RunbookError, match=r"journal\.jsonl cannot be written"):
        journal.finished(Result(STEP, passed("x")))
    with pytest.raises(RunbookError, match=r"journal\.jsonl cannot be read"):
        journal.last()


def test_a_killed_run_leaves_all_that_it_finished(journal: Journal) -> None:
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from runbook.engine.events import Mode
        from runbook.engine.journal import Journal, Place
        from runbook.engine.plan import plan
        from runbook.engine.runner import walk
        from runbook.engine.settings import Settings
        from runbook.engine.step import Step, passed
        from runbook.world import World

        def hang(world):
            print("hanging", flush=True)
            time.sleep(60)

        steps = (Step("T001", "a", lambda world: passed("ok")), Step("T002", "b", hang, needs=("T001",)))
        walk(plan(["T002"], steps), World.of(Settings()), mode=Mode.APPLY, journal=Journal(Path(sys.argv[1])),
             sink=lambda event: None)
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(journal.path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "hanging\n"
        os.kill(process.pid, signal.SIGKILL)
    assert journal.last()["T001"].outcome.status is Status.PASSED
    assert "T002" not in journal.last()
    journal.finished(Result(OTHER, passed("resumed")))
    assert journal.last().keys() == {"T001", "T002"}


def test_a_proof_stands_on_its_fingerprint(journal: Journal) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, passed("proved"), fingerprint="release 1"))
    assert journal.proved("T001", "release 2") is None
    assert journal.proved("T002", "release 1") is None
    entry = journal.proved("T001", "release 1")
    assert entry is not None and entry.outcome.observed == "proved"
    journal.finished(Result(STEP, failed("no", wanted="yes", hint="-"), fingerprint="release 1"))
    assert journal.proved("T001", "release 1") is None


def test_a_carried_proof_keeps_the_time_at_which_it_was_made(journal: Journal) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, passed("proved"), fingerprint="1"))
    first = journal.proved("T001", "1")
    journal.finished(Result(STEP, passed("proved (at noon)"), fingerprint="1", carried=True))
    assert journal.proved("T001", "1") == first


def test_secrets_never_reach_the_journal(journal: Journal) -> None:
    conceal('canary"in\\quotes')
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(
        Result(
            STEP,
            passed('log: canary"in\\quotes', nested={"list": ['x canary"in\\quotes y']}),
            details="postgresql://me:hunter2hunter2@host/db",
        )
    )
    text = journal.path.read_text()
    assert "canary" not in text and "hunter2" not in text
    assert [json.loads(line)["event"] for line in text.splitlines()] == ["began", "finished"]


def test_only_its_owner_can_read_it(journal: Journal) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    assert journal.path.stat().st_mode & 0o777 == 0o600


def test_a_long_journal_is_shortened_to_the_last_of_each_step(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = Plan((STEP,), frozenset())
    journal.began(plan, Mode.APPLY)
    for number in range(50):
        journal.finished(Result(STEP, passed(f"run {number}"), fingerprint="1"))
    monkeypatch.setattr(module, "LARGEST", 1000)
    journal.began(plan, Mode.APPLY)
    assert len(journal.path.read_text().splitlines()) == 2
    assert journal.last()["T001"].outcome.observed == "run 49"
    assert journal.proved("T001", "1") is not None


def test_an_outcome_belongs_to_the_cluster_of_its_run(journal: Journal) -> None:
    """What a run saw before its cluster was up is about the same one; what another saw is not."""
    there = Place("kind", "uid-1", "a" * 32)
    now = [Place()]
    journal = Journal(journal.path, lambda: now[0])
    journal.began(Plan((STEP, OTHER), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, passed("an image was built")))
    assert not journal.last()["T001"].place.is_here(there)
    now[0] = there
    journal.finished(Result(OTHER, passed("a pod is ready")))
    assert {entry.place for entry in journal.last().values()} == {there}
    for other in (Place(), Place("kind", "uid-2", "a" * 32), Place("existing", "uid-1", "a" * 32)):
        assert not any(entry.place.is_here(other) for entry in journal.last().values())
    assert not Place().is_here(Place()), "no cluster is no place"


def test_a_proof_is_of_one_cluster(journal: Journal) -> None:
    journal = Journal(journal.path, lambda: Place("kind", "uid-1"))
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, passed("proved"), fingerprint="1"))
    assert journal.proved("T001", "1")
    assert Journal(journal.path, lambda: Place("kind", "uid-2")).proved("T001", "1") is None


def test_the_journal_of_an_older_version_is_of_no_cluster(journal: Journal) -> None:
    journal.began(Plan((STEP,), frozenset()), Mode.APPLY)
    journal.finished(Result(STEP, passed("proved"), fingerprint="1"))
    lines = [json.loads(line) for line in journal.path.read_text().splitlines()]
    for line in lines:
        line.pop("place", None)
    journal.path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert not journal.last()["T001"].place.is_here(Place("kind", "uid-1"))
