from __future__ import annotations

import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from rich.console import Console
from rich.text import Text

from runbook.engine.events import Began, Event, Finished, Mode, Paused, Result, Run, Started, Waiting
from runbook.engine.plan import plan
from runbook.engine.redaction import conceal
from runbook.engine.step import Outcome, Status, Step, failed, passed
from runbook.report import html, junit
from runbook.report import json as as_json
from runbook.report.console import ConsoleReporter
from runbook.report.plain import PlainReporter
from runbook.report.words import clock, counts, duration, opening, summary
from runbook.report.writer import Writer

SECRET = "canary-secret-4711"
STEPS = (
    Step("T001", "The page loads", phase="setup"),
    Step("T002", "The image is small", phase="setup"),
    Step("T003", "The pods are ready", phase="setup", needs=("T002",)),
)
PLAN = plan(["T001", "T003"], STEPS)


@pytest.fixture(autouse=True)
def _known_secret() -> None:
    conceal(SECRET)


@pytest.fixture
def run() -> Run:
    return Run(
        PLAN,
        Mode.APPLY,
        (
            Result(STEPS[0], passed(f"200 with <b>{SECRET}</b>"), 2.5, changed=True),
            Result(
                STEPS[1], failed("212 MB", wanted="under 200 MB", hint="docker history x", key=SECRET), 0.2
            ),
            Result(STEPS[2], Outcome(Status.BLOCKED, "needs T002", hint="inv verify.step T002")),
        ),
        63.0,
    )


@pytest.fixture
def green() -> Run:
    steps = (Step("T053", "A chat message is answered"),)
    return Run(plan(["T053"], steps), Mode.APPLY, (Result(steps[0], passed("in 2.1 s"), 3.0),), 125.0)


def events(run: Run) -> list[Event]:
    told: list[Event] = [Began(run.plan, run.mode)]
    for count, result in enumerate(run.results, 1):
        told += [Started(result.step), Waiting(result.step, f"for {SECRET}"), Finished(result, count, 3)]
    return told


def test_plain_lines_say_what_was_seen_wanted_and_what_to_try(run: Run) -> None:
    stream = io.StringIO()
    reporter = PlainReporter(Writer(stream))
    for event in events(run):
        reporter.on_event(event)
    reporter.end(run)
    text = stream.getvalue()
    for words in (
        "passed   T001  The page loads",
        "failed   T002",
        "seen     212 MB",
        "wanted   under 200 MB",
        "try      docker history x",
        "blocked  T003  The pods are ready: needs T002",
        "1 of 3 steps passed, 1 failed, 1 blocked in 1 min 03 s",
    ):
        assert words in text
    assert SECRET not in text


def test_success_is_said_aloud_with_the_address(green: Run) -> None:
    stream = io.StringIO()
    PlainReporter(Writer(stream), "http://todo.local/").end(green)
    assert "1 of 1 steps passed in 2 min 05 s" in stream.getvalue()
    assert "A chat message is answered: in 2.1 s (T053)" in stream.getvalue()
    assert stream.getvalue().rstrip().endswith("http://todo.local/")


def test_no_address_is_offered_where_not_all_passed(run: Run) -> None:
    stream = io.StringIO()
    PlainReporter(Writer(stream), "http://todo.local/").end(run)
    assert "http://" not in stream.getvalue()


def test_an_interrupted_run_says_how_to_go_on(run: Run) -> None:
    told = summary(Run(run.plan, run.mode, run.results[:1], 5.0, interrupted=True))
    assert told.headline == "Interrupted after 5.0 s: 1 of 3 steps passed, 2 not reached"
    assert (
        "resume",
        "run the same command again; passed steps are checked again, not done again",
    ) in told.lines


def test_the_live_display_shows_running_steps_and_what_they_wait_for(run: Run) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, highlight=False)
    reporter = ConsoleReporter(Writer(stream), console=console)
    reporter.on_event(Began(run.plan, run.mode))
    reporter.on_event(Started(STEPS[1]))
    reporter.on_event(Waiting(STEPS[1], f"layer 3 of {SECRET}"))
    with console.capture() as shown:
        console.print(reporter)
    assert "T002" in shown.get() and "layer 3 of ***" in shown.get() and "0 of 3 passed" in shown.get()
    reporter.on_event(Paused(STEPS[1], "T049"))
    with console.capture() as shown:
        console.print(reporter)
    assert "T002" not in shown.get()
    for event in events(run)[1:]:
        reporter.on_event(event)
    reporter.end(run)
    assert "docker history x" in stream.getvalue()
    assert SECRET not in stream.getvalue()


def test_a_long_hint_goes_on_below_itself_and_what_is_still_seen_is_not_said_twice(run: Run) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=40, height=30, no_color=True)
    reporter = ConsoleReporter(Writer(stream), console=console)
    reporter.on_event(Began(run.plan, run.mode))
    bad = Result(STEPS[1], failed("seen " * 12, wanted="w", hint="docker history x"))
    with console.capture() as shown:
        reporter.on_event(Finished(bad, 1, 3))
    told = [line for line in shown.get().splitlines() if "seen seen" in line]
    assert len(told) > 1
    assert len({Text.from_ansi(line).plain.index("seen seen") for line in told}) == 1
    with console.capture() as shown:
        reporter.end(Run(run.plan, run.mode, (run.results[0], bad), 1.0))
    assert "docker history" not in shown.get()
    console.height = 1
    with console.capture() as shown:
        reporter.end(Run(run.plan, run.mode, (run.results[0], bad), 1.0))
    assert "docker history" in shown.get()


def test_the_first_line_says_what_a_run_may_do() -> None:
    assert opening(1, Mode.VERIFY) == "Checking 1 step; nothing will be changed."
    assert opening(2, Mode.APPLY) == "Checking 2 steps; what is missing will be created."


def test_the_status_is_a_word_and_not_only_a_colour(run: Run) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=100, no_color=True)
    reporter = ConsoleReporter(Writer(stream), console=console)
    for event in events(run):
        reporter.on_event(event)
    reporter.end(run)
    assert all(word in stream.getvalue() for word in ("passed", "failed", "blocked"))


def test_json_holds_every_outcome(run: Run) -> None:
    stream = io.StringIO()
    Writer(stream).line(as_json.text(run))
    document = json.loads(stream.getvalue())
    assert document["counts"] == {"passed": 1, "failed": 1, "unproven": 0, "blocked": 1}
    assert document["exit_code"] == 1
    assert [step["id"] for step in document["steps"]] == ["T001", "T002", "T003"]
    assert document["steps"][1]["hint"] == "docker history x"
    assert SECRET not in stream.getvalue()


def test_junit_counts_only_what_passed_as_green(run: Run) -> None:
    suite = Xml.fromstring(junit.text(run))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [len(case.findall("failure") + case.findall("error")) for case in suite] == [0, 1, 1]
    assert SECRET not in junit.text(run)


def test_junit_survives_control_characters(green: Run) -> None:
    odd = Run(
        green.plan, green.mode, (Result(green.plan.steps[0], failed("\x1b[31mred\x00", wanted="", hint="")),)
    )
    Xml.fromstring(junit.text(odd))


def test_the_page_stands_alone_and_escapes_what_was_seen(run: Run, tmp_path: Path) -> None:
    page = html.text(run)
    assert "&lt;b&gt;***&lt;/b&gt;" in page and SECRET not in page
    assert "src=" not in page and not re.search(r'href="(?!#)|url\(|@import|https?://', page)
    assert 'id="T002"' in page and "docker history x" in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.012, "12 ms"),
        (0.96, "1.0 s"),
        (3.44, "3.4 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (3720, "1 h 02 min"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_clocks_count_up_in_place() -> None:
    assert [clock(7), clock(754), clock(3723)] == ["0:07", "12:34", "1:02:03"]


def test_counts_name_what_is_missing(run: Run) -> None:
    assert counts(run) == "1 of 3 steps passed, 1 failed, 1 blocked"
    assert counts(Run(PLAN, Mode.VERIFY)) == "0 of 3 steps passed, 3 not reached"


def test_a_writer_without_unicode_writes_words_only(run: Run, tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="ascii") as stream:
        reporter = PlainReporter(Writer(stream))
        for event in events(run):
            reporter.on_event(event)
    assert "!! failed   T002" in (tmp_path / "log").read_text()


def test_a_reader_that_went_away_is_no_error() -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    Writer(Gone()).line("words")
