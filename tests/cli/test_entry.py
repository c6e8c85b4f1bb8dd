"""What a command does around a walk: exit codes, signals, the lock, the files that it leaves."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from runbook import catalogue
from runbook.catalogue.requirements import BY_ID
from runbook.cli import entry
from runbook.cli.lock import one_run
from runbook.clients.process.ending import SIGNALS
from runbook.engine.errors import Unmeasurable, UsageError
from runbook.engine.events import Mode
from runbook.engine.redaction import conceal
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status, Step, failed, passed
from runbook.faults import Group, sweeping, trial
from runbook.netpol.traffic import visitors
from runbook.world import World


def good(_: World) -> Outcome:
    return passed("as wanted")


def bad(_: World) -> Outcome:
    return failed("not as wanted", wanted="better", hint="try harder")


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        catalogue, "STEPS", (Step("T001", "one", good), Step("T002", "two", bad), Step("T003", "three"))
    )


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(("asked", "code"), [(("T001",), 0), (("T001", "T002"), 1), (("T001", "T003"), 3)])
def test_a_command_exits_with_what_came_of_it(settings: Settings, asked: tuple[str, ...], code: int) -> None:
    with pytest.raises(SystemExit) as ended:
        entry.ask(settings, "verify", asked)
    assert ended.value.code == code


@pytest.mark.usefixtures("steps")
def test_reports_are_written_beside_what_is_shown(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(tmp_path / "deep" / name) for name in ("run.xml", "run.html", "run.json")]
    with pytest.raises(SystemExit):
        entry.ask(settings, "verify", ["T001"], json=True, files=files)
    shown = capsys.readouterr()
    assert json.loads(shown.out) == json.loads(Path(files[2]).read_text())
    assert "T001" in shown.err
    assert Path(files[0]).read_text().startswith("<?xml")
    assert Path(files[1]).read_text().startswith("<!doctype html>")


@pytest.mark.usefixtures("steps")
def test_a_second_run_on_the_cluster_is_refused_and_changes_nothing(settings: Settings) -> None:
    with one_run(settings.state, "deploy"), pytest.raises(UsageError, match="another run"):
        entry.make(settings, "deploy", ["T001"])
    assert not (settings.state / "journal.jsonl").exists()


@pytest.mark.usefixtures("steps")
def test_a_reader_that_went_away_ends_what_only_looks(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    seen: list[str] = []

    def check(_: World) -> Outcome:
        seen.append("asked")
        return passed("as wanted")

    steps = (Step("T001", "one", check), Step("T002", "two", check, needs=("T001",)))
    monkeypatch.setattr(catalogue, "STEPS", steps)
    monkeypatch.setattr(sys, "stdout", Gone())
    with pytest.raises(SystemExit) as ended:
        entry.make(settings, "deploy", ["T002"])
    assert (ended.value.code, len(seen)) == (0, 2)
    with pytest.raises((SystemExit, KeyboardInterrupt)):
        entry.ask(settings, "verify", ["T002"])
    assert len(seen) == 2


def test_an_existing_cluster_without_a_context_ends_a_run_in_one_line(settings: Settings) -> None:
    chosen = settings.model_copy(update={"cluster": "existing", "context": ""})
    for command in (entry.make, entry.ask):
        with pytest.raises(UsageError, match="an existing cluster needs a context"):
            command(chosen, "deploy", entry.DEPLOYMENT)
    assert not (settings.state / "journal.jsonl").exists()


def test_a_requirement_stands_for_the_steps_that_prove_it() -> None:
    assert entry.one("sc-003") == BY_ID["SC-003"].steps
    assert entry.one("t49") == ("T049",)
    with pytest.raises(UsageError, match="one step at a time"):
        entry.one("T053 T054")
    with pytest.raises(UsageError, match="there is no step"):
        entry.one("AS-999")


@pytest.mark.parametrize("number", SIGNALS)
def test_an_interruption_ends_the_commands_of_the_run_and_exits_130(
    tmp_path: Path, number: signal.Signals
) -> None:
    program = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where these tests run in a script's background
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from runbook import catalogue
from runbook.cli import entry
from runbook.cli.guard import plainly
from runbook.engine.settings import Settings
from runbook.engine.step import Step, passed

def hang(world):
    import threading, time
    from runbook.clients.process.foreground import _running
    def tell():
        while not _running:
            time.sleep(0.01)
        print("child", next(iter(_running)).pid, flush=True)
    threading.Thread(target=tell, daemon=True).start()
    world.commands.run(["sleep", "300"], timeout=300)
    return passed("never")

catalogue.STEPS = (Step("T001", "a", lambda world: passed("ok")), Step("T002", "b", hang, needs=("T001",)))
with plainly():
    entry.make(Settings(), "deploy", ["T002"])
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        child = 0
        for line in process.stdout:
            if line.startswith("child"):
                child = int(line.split()[1])
                break
        os.kill(process.pid, number)
        rest = process.stdout.read()
        errors = process.stderr.read()
        assert process.wait(30) == 130
    assert "Interrupted after" in rest and "1 of 2 steps passed, 1 not reached" in rest
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize(
    "name", ["", None, True, "run", "/proc/nope/run.json", "folder.json", "taken/run.json"]
)
def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "taken").touch()
    with pytest.raises(UsageError, match="--report"):
        entry.ask(settings, "verify", ["T001"], files=[name])
    assert not (settings.state / "journal.jsonl").exists()
    assert sorted(each.name for each in tmp_path.iterdir() if each.name != "cache") == [
        "folder.json",
        "taken",
    ]


@pytest.mark.usefixtures("steps")
@pytest.mark.parametrize("name", ["RUN.JSON", "run.Xml", "run.HTML"])
def test_a_report_holds_no_secret_whatever_its_form(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    secret = 'p@ss"w/\\ö<&x'
    conceal(secret)

    def leaky(_: World) -> Outcome:
        return failed(f"refused {secret}", wanted="x", hint=f"psql {secret}", **{"key": [secret], secret: 1})

    monkeypatch.setattr(catalogue, "STEPS", (Step("T001", "one", leaky),))
    with pytest.raises(SystemExit):
        entry.ask(settings, "verify", ["T001"], files=[str(tmp_path / name)])
    written = (tmp_path / name).read_text()
    assert "refused ***" in written
    for form in (secret, json.dumps(secret)[1:-1], "ö<&x", "&lt;&amp;x", "p@ss"):
        assert form not in written


def test_a_report_of_an_unknown_kind_is_refused_before_the_run(settings: Settings) -> None:
    with pytest.raises(UsageError, match=r"run\.pdf"):
        entry.ask(settings, "verify", ["T001"], files=["run.pdf"])


def test_exactly_what_is_asked_is_asked_and_of_the_cluster_only(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither what a step needs nor how the chart renders; among the asked ones needs count."""
    steps = (
        Step("T001", "one", bad),
        Step("T002", "two", bad, live=good, needs=("T001",)),
        Step("T003", "three", good, needs=("T001", "T002")),
        Step("T004", "four", bad),
        Step("T005", "five", good, needs=("T004",)),
    )
    monkeypatch.setattr(catalogue, "STEPS", steps)
    with pytest.raises(SystemExit) as ended:
        entry.ask_only(settings, "verify.security", ["T002", "T003"])
    assert ended.value.code == 0
    assert "2 of 2 steps passed" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        entry.ask_only(settings, "verify.security", ["T004", "T005"])
    assert ended.value.code == 1
    assert "needs T004" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "code"), [(Status.PASSED, 0), (Status.FAILED, 1), (Status.UNPROVEN, 3)])
def test_mutants_exit_with_what_came_of_them(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    status: Status,
    code: int,
) -> None:
    def run(_world: World, group: Group, _journal: object) -> list[trial.Verdict]:
        return [trial.Verdict(each, status, "T076", 0.1) for each in group.mutants]

    monkeypatch.setattr(trial, "run", run)
    with pytest.raises(SystemExit) as ended:
        entry.kill_mutants(settings, "security", ["wildcards"], json=True)
    assert ended.value.code == code
    shown = capsys.readouterr()
    assert json.loads(shown.out)["mutants"][0]["name"] == "a role with wildcards"
    assert "a role with wildcards" in shown.err


def test_mutants_are_planted_by_one_run_at_a_time(settings: Settings) -> None:
    with one_run(settings.state, "verify"), pytest.raises(UsageError, match="another run"):
        entry.kill_mutants(settings, "security")


@pytest.mark.parametrize("answers", [True, False])
def test_a_cluster_that_a_run_starts_is_swept_before_it_is_used(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answers: bool,
) -> None:
    """A killed run, then the machine was started again: what it planted is put back all the same."""
    running = [answers]
    swept: list[str] = []

    def left(_: object) -> list[SimpleNamespace]:
        if not running[0]:
            raise Unmeasurable("the Kubernetes API does not answer")
        return [SimpleNamespace(words="NetworkPolicy default-deny")] if not swept else []

    def used(_: object) -> Outcome:
        return passed("clean") if swept else failed("a fault is planted")

    def up(_: object) -> None:
        running[0] = True

    cluster = Step(
        "T043",
        "The cluster runs",
        check=lambda _: passed("runs") if running[0] else failed("stopped"),
        apply=up,
    )
    monkeypatch.setattr(sweeping, "left", left)
    monkeypatch.setattr(sweeping, "sweep", lambda _: swept.append("swept"))
    monkeypatch.setattr(visitors, "make_room", lambda *_, **__: None)
    monkeypatch.setattr(entry, "_refuse_foreign", lambda *_: None)
    steps = (cluster, Step("T044", "It is used", check=used, needs=("T043",)))
    with pytest.raises(SystemExit) as ended:
        entry._walk(settings, "deploy", ["T043", "T044"], Mode.APPLY, False, (), False, among=steps)
    assert (ended.value.code, swept) == (0, ["swept"])
    assert "Putting back what an interrupted run had planted: NetworkPolicy" in capsys.readouterr().out
