"""The screenshot tour: pictures of the deployed application for docs/tour.md.

Run against what is deployed: `python tests/live/tour.py`. The person in the pictures is made for the occasion and
removed afterwards; each picture is taken anew, so that the tour shows what there is.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from commands import PROJECT
from people import Crowd, Person, crowd

from runbook.engine.settings import load
from runbook.world import World

FOLDER = PROJECT / "docs" / "tour"
DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}

FIRST = (
    "buy milk and call the dentist tomorrow; pay the rent by friday, it is urgent; add read a book, optional"
)


def take(person: Person, name: str) -> None:
    """One picture, once all of the page is there and nothing moves."""
    page = person.page
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    page.mouse.move(0, 0)
    page.screenshot(path=FOLDER / f"{name}.png", animations="disabled", caret="hide")


def wide(people: Crowd, theme: str) -> Person:
    return people.person(viewport=DESKTOP, color_scheme=theme)


def outside(people: Crowd) -> None:
    """What somebody sees who is not signed in."""
    visitor = people.newcomer(viewport=DESKTOP, color_scheme="light")
    visitor.page.goto("/")
    visitor.page.get_by_role("heading").first.wait_for()
    take(visitor, "landing")
    visitor.page.goto("/auth/signup")
    visitor.page.get_by_label("Name", exact=True).fill("Guest")
    visitor.page.get_by_label("Email", exact=True).fill("guest@example.org")
    take(visitor, "sign-up")
    visitor.context.close()


def inside(people: Crowd) -> None:
    """The chat makes tasks; the dashboard shows them; in light, then in dark."""
    person = wide(people, "light")
    page = person.page
    page.goto("/chat")
    page.get_by_label("Message", exact=True).wait_for()
    take(person, "chat-empty")
    person.say(FIRST)
    person.say("complete buy milk")
    person.task("buy milk").filter(has=page.locator(":checked")).first.wait_for()
    take(person, "chat")
    page.get_by_role("button", name="New chat").first.click()
    person.say("add buy bread; add buy tea")
    person.say("delete buy")
    take(person, "chat-asks")
    person.say("the first one")
    page.goto("/dashboard")
    person.task("pay the rent").first.wait_for()
    take(person, "dashboard")
    page.get_by_role("button", name=re.compile("^Edit pay the rent")).click()
    page.get_by_role("dialog").wait_for()
    take(person, "dashboard-edit")
    page.keyboard.press("Escape")
    page.emulate_media(color_scheme="dark")
    take(person, "dashboard-dark")
    page.goto("/chat")
    page.get_by_label("Message", exact=True).wait_for()
    person.say("what is due this week?")
    take(person, "chat-dark")
    on_a_phone(people, person)
    person.context.close()


def on_a_phone(people: Crowd, person: Person) -> None:
    """The same person's tasks and chat on a small screen."""
    page = people.visitor(viewport=PHONE, color_scheme="light", has_touch=True, is_mobile=True)
    page.context.add_cookies([{**cookie} for cookie in person.context.cookies()])
    small = Person(person.name, person.email, person.password, page, person.id)
    page.goto("/dashboard")
    small.task("pay the rent").first.wait_for()
    take(small, "phone-dashboard")
    page.goto("/chat")
    page.get_by_label("Message", exact=True).wait_for()
    small.say("show my tasks")
    take(small, "phone-chat")
    page.context.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with crowd(World.of(load({}, {}, os.environ))) as people:
        people.name = "Guest"
        outside(people)
        inside(people)
    for picture in sorted(Path(FOLDER).glob("*.png")):
        print(f"{picture.relative_to(PROJECT)}  {picture.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
