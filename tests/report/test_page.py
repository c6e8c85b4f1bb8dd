"""The page of a run in a real Chromium: three widths, light and dark, search, filter, keyboard; nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runbook.clients.browser import QUIET, Browser
from runbook.clients.process.commands import Commands
from runbook.engine.errors import CommandMissing
from runbook.engine.events import Mode, Result, Run
from runbook.engine.plan import plan
from runbook.engine.settings import Settings
from runbook.engine.step import Outcome, Status, Step, failed, passed
from runbook.report import html, timeline
from tests.fakes.worlds import FakeCluster

if TYPE_CHECKING:
    from playwright.sync_api import Page

LONG = "x" * 300
STEPS = (
    Step("T001", "The first step", phase="setup"),
    Step("T049", "The pods are ready", phase="deployment", needs=("T001",)),
    Step("T050", "Another one, beside it", phase="deployment", needs=("T001",)),
    Step("T053", "A message is answered", phase="deployment", needs=("T049",), drill=True),
)
RUN = Run(
    plan([step.id for step in STEPS], STEPS),
    Mode.APPLY,
    (
        Result(
            STEPS[0],
            passed("as wanted", detail=LONG),
            2.0,
            changed=True,
            before="was broken",
            spans=((0.0, 2.0),),
        ),
        Result(
            STEPS[1], failed(f"seen {LONG}", wanted="ready", hint=f"kubectl {LONG}"), 6.0, spans=((2.0, 8.0),)
        ),
        Result(STEPS[2], passed("fine"), 3.0, spans=((2.0, 5.0),)),
        Result(STEPS[3], Outcome(Status.PASSED, "answered (proved at 2026-01-01; carried)"), carried=True),
    ),
    10.0,
)


def test_bars_are_side_by_side_and_the_chain_is_marked() -> None:
    found = {bar.result.step.id: bar for bar in timeline.bars(RUN)}
    assert [found[step].lane for step in ("T001", "T050", "T049")] == [0, 0, 1]
    assert (found["T049"].left, found["T049"].width) == (20.0, 60.0)
    assert timeline.critical(RUN) == ["T001", "T049"]
    assert [step for step, bar in found.items() if bar.critical] == ["T001", "T049"]
    assert timeline.bars(Run(RUN.plan, RUN.mode)) == []


def test_requirements_are_proven_only_by_all_of_their_steps() -> None:
    page = html.text(RUN)
    assert "AS-001" in page
    assert "AS-003" in page  # by T053 alone of its steps: not in full
    assert "AS-010" not in page  # none of its steps was asked


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    settings = Settings()
    try:
        executable = Browser(settings, FakeCluster(), Commands(settings)).executable()  # type: ignore[arg-type]
    except CommandMissing:
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=[*QUIET], chromium_sandbox=False, timeout=120_000
        )
        yield browser
        browser.close()


@pytest.fixture(params=[(320, "light"), (768, "dark"), (1280, "light")], ids=str)
def page(request: pytest.FixtureRequest, chromium: Any, tmp_path: Path) -> Iterator[Page]:
    width, scheme = request.param
    file = tmp_path / "run.html"
    file.write_text(html.text(RUN), encoding="utf-8")
    shown = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    shown.set_default_timeout(60_000)
    shown.goto(file.as_uri())
    yield shown
    shown.close()


def test_nothing_is_cut_off_and_it_can_be_searched_filtered_and_reached_by_keyboard(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    right = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.time')].map(e => e.getBoundingClientRect().right))"
    )
    assert right <= page.evaluate("window.innerWidth")
    assert page.locator("#shown").inner_text() == "4 of 4 steps"
    page.keyboard.press("/")
    page.keyboard.type("beside")
    assert page.locator(".step:visible").evaluate_all("all => all.map(e => e.id)") == ["T050"]
    page.keyboard.press("Escape")
    page.get_by_label("passed").uncheck()
    assert page.locator(".step:visible").evaluate_all("all => all.map(e => e.id)") == ["T049"]
    assert page.locator("#shown").inner_text() == "1 of 4 steps"


def test_words_have_contrast_and_parts_have_names(page: Page) -> None:
    """4.5 to 1 for every text (WCAG 2.1, 1.4.3), measured as the browser computes the colours."""
    lows = page.evaluate(
        """() => {
          const parse = colour => colour.match(/[0-9.]+/g).slice(0, 3).map(Number).map(value => {
            const part = value / 255; return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
          const light = colour => { const [r, g, b] = parse(colour); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
          const clear = colour => /, 0[)]$/.test(colour);
          const back = element => {
            for (let e = element; e; e = e.parentElement) {
              const colour = getComputedStyle(e).backgroundColor;
              if (!clear(colour)) return colour;
            }
            return "rgb(255, 255, 255)";
          };
          return [...document.querySelectorAll("body *")].filter(e => e.checkVisibility()
            && !["SCRIPT", "INPUT"].includes(e.tagName)
            && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())).map(e => {
            const [a, b] = [light(getComputedStyle(e).color), light(back(e))].sort((x, y) => y - x);
            return [(a + 0.05) / (b + 0.05), e.tagName, e.className]; }).filter(each => each[0] < 4.5);
        }"""
    )
    assert lows == []
    assert page.locator("h1").count() == 1
    assert page.evaluate("[...document.querySelectorAll('input')].every(e => e.labels.length === 1)")
    assert page.evaluate(
        "[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0 && e.getAttribute('aria-label'))"
    )
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.evaluate(
        "[...document.querySelectorAll('a')].every(e => document.querySelector(e.getAttribute('href')))"
    )


def test_it_prints_without_controls_and_with_every_step(page: Page) -> None:
    page.emulate_media(media="print")
    assert not page.locator(".controls").is_visible()
    assert page.locator(".step:visible").count() == len(STEPS)
