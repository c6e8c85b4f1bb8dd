"""Each page of the deployed application: fast, readable for everyone, in both themes, and on a small screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from people import Crowd, Person
from speed import figures

from runbook.checks.web.site import LOAD_LIMIT, MEASUREMENTS
from runbook.engine.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

OPEN = ("/", "/auth/signin", "/auth/signup", "/nowhere")
INSIDE = ("/dashboard", "/chat")
WIDTHS = (320, 360)
GRAVE = ("serious", "critical")


@pytest.fixture(scope="module")
def inhabitant(people: Crowd) -> Person:
    """Somebody with tasks of all kinds and a conversation, so that each part of a page has something to show."""
    person = people.person()
    for message in (
        "add pay the rent tomorrow, urgent; add read a book, optional; add call mum",
        "complete call mum",
        "show my tasks",
    ):
        answer = person.ask("POST", f"/api/proxy/{person.id}/chat", {"message": message})
        assert answer["status"] == 200, answer["text"]
    long = "a title without any place to break it " + "x" * 120
    assert person.ask("POST", f"/api/proxy/{person.id}/tasks", {"title": long})["status"] == 201
    return person


def settle(page: Page, path: str) -> None:
    """Open a page and wait until all of it is there."""
    page.goto(path)
    page.get_by_role("heading").first.wait_for()
    page.wait_for_load_state("networkidle")


@pytest.fixture(scope="module")
def open_pages(people: Crowd) -> tuple[str, ...]:
    """The pages for all: those that are known, and those to which the landing page leads."""
    page = people.visitor()
    page.goto("/")
    links = page.get_by_role("link").evaluate_all("all => all.map((link) => link.href)")
    page.context.close()
    found = {urlsplit(link).path for link in links if link.startswith(people.address)}
    return tuple(dict.fromkeys((*OPEN, *sorted(found - set(INSIDE)))))


def test_pages_load_within_the_limit(
    people: Crowd,
    inhabitant: Person,
    open_pages: tuple[str, ...],
    settings: Settings,
    record_property: Any,
) -> None:
    """SC-002, with nothing cached; the quickest of three visits decides, for a busy machine only makes pages slower."""
    found: dict[str, dict[str, float]] = {}
    for path in (*(each for each in open_pages if each != "/nowhere"), *INSIDE):
        visits: list[dict[str, float]] = []
        while len(visits) < MEASUREMENTS and (not visits or visits[-1]["load"] / 1000 >= LOAD_LIMIT):
            page = people.visitor()
            if path in INSIDE:
                page.context.add_cookies([{**cookie} for cookie in inhabitant.context.cookies()])
            settle(page, path)
            visits.append(figures(page))
            page.context.close()
        found[path] = min(visits, key=lambda each: each["load"])
    record_property("speed", found)
    report = settings.state / "evidence" / "speed.json"
    report.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    report.write_text(json.dumps(found, indent=2) + "\n")
    slow = {path: each["load"] for path, each in found.items() if each["load"] / 1000 >= LOAD_LIMIT}
    assert slow == {}, f"SC-002; all figures: {Path(report)}"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_shuts_anyone_out(inhabitant: Person, open_pages: tuple[str, ...], theme: Any) -> None:
    """axe finds nothing serious or critical, neither on the pages nor in an open dialog."""
    page = inhabitant.page
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    found, passes = {}, 0
    for path in (*open_pages, *INSIDE):
        settle(page, path)
        violations, passed = grave(page)
        passes += passed
        if violations:
            found[path] = violations
    settle(page, "/dashboard")
    page.get_by_role("button", name="Details of a new task").click()
    page.get_by_role("dialog").wait_for()
    violations, passed = grave(page)
    if violations:
        found["dialog"] = violations
    assert found == {}
    assert passes + passed > 100, "axe has looked at next to nothing"


def grave(page: Page) -> tuple[list[str], int]:
    """The grave violations of the open page, and how many rules it keeps."""
    results = Axe().run(page).response
    violations = [
        f"{each['impact']}: {each['id']}: {each['help']}: {node['target']} {node.get('failureSummary', '')[:300]}"
        for each in results["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"][:3]
    ]
    return violations, len(results["passes"])


def test_axe_sees_what_is_wrong(people: Crowd) -> None:
    """The control of the test above."""
    page = people.visitor()
    page.goto("/auth/signin")
    page.evaluate("document.body.append(document.createElement('button'))")
    assert any("button-name" in each for each in grave(page)[0])
    page.context.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_on_a_small_screen(inhabitant: Person, open_pages: tuple[str, ...], width: int) -> None:
    """Nothing stands out to the right, so that nobody has to scroll sideways."""
    page = inhabitant.page
    page.set_viewport_size({"width": width, "height": 740})
    wide = {}
    for path in (*open_pages, *INSIDE):
        settle(page, path)
        if (needed := page.evaluate("document.scrollingElement.scrollWidth")) > width:
            wide[path] = needed
    page.set_viewport_size({"width": 1280, "height": 900})
    assert wide == {}
