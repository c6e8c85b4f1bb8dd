"""People who use the deployed application in a browser: each in a profile of their own, all removed at the end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from runbook.clients.browser import listen
from runbook.probes.conversation import DOMAIN
from runbook.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

PATIENCE = 45.0
"""Seconds to wait for anything in a page; slower than any limit, so that what is slow is measured and not lost."""

_FETCH = """async ([method, path, body, headers]) => {
    const answer = await fetch(path, {
        method,
        headers: body === null ? headers : { "Content-Type": "application/json", ...headers },
        body: body === null ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    let json = null;
    try { json = JSON.parse(text); } catch { /* told as text */ }
    return { status: answer.status, type: answer.headers.get("Content-Type") ?? "", text, json };
}"""
_MINE = "journey-%@" + DOMAIN
_REMOVAL = (
    'DELETE FROM task WHERE user_id IN (SELECT id FROM "user" WHERE email LIKE %s)',
    'DELETE FROM "user" WHERE email LIKE %s',
)


@dataclass(frozen=True)
class Heard:
    """What the assistant answered in the page."""

    text: str
    chips: tuple[str, ...]
    """The tool calls that the page shows, in words."""
    seconds: float


@dataclass
class Person:
    """Somebody with an account, and the page in front of them."""

    name: str
    email: str
    password: str = field(repr=False)
    page: Page
    id: str = ""
    problems: list[str] = field(default_factory=list)
    """What the developer tools would show: errors, and answers of 400 and above."""

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """A request as the page's own script would send it: status, type, text, json."""
        return ask(self.page, method, path, body, headers)

    def say(self, message: str) -> Heard:
        """Write to the assistant and wait for the whole answer."""
        answers = self.page.get_by_test_id("message-assistant")
        before = answers.count()
        self.page.get_by_label("Message", exact=True).fill(message)
        began = time.monotonic()
        self.page.get_by_role("button", name="Send").click()
        answer = answers.nth(before)
        answer.wait_for()
        seconds = time.monotonic() - began
        chips = tuple(chip.inner_text().strip() for chip in answer.get_by_test_id("tool-call").all())
        return Heard(answer.inner_text(), chips, seconds)

    def task(self, title: str) -> Any:
        """The entries of the list, or of the panel beside the chat, with this title."""
        return self.page.get_by_test_id("task-item").filter(has_text=title)


class Crowd:
    """Opens profiles and makes accounts."""

    def __init__(self, world: World, browser: Browser) -> None:
        self.world = world
        self._browser = browser
        self.name = "Journey"
        """What everybody is called."""
        self.address = f"http://{world.settings.host}"

    def visitor(self, **options: Any) -> Page:
        """The page of somebody who is not signed in, in a fresh profile; `options` are those of the profile."""
        context = self._browser.new_context(
            base_url=self.address,
            locale="en-GB",
            service_workers="block",
            **{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **options},
        )
        context.set_default_timeout(PATIENCE * 1000)
        return context.new_page()

    def newcomer(self, **options: Any) -> Person:
        """Somebody without an account yet."""
        nonce = secrets.token_hex(4)
        page = self.visitor(**options)
        person = Person(f"Journey {nonce[:4]}", f"journey-{nonce}@{DOMAIN}", secrets.token_urlsafe(18), page)
        listen(page, person.problems)
        return person

    def person(self, **options: Any) -> Person:
        """Somebody with an account, signed in, before an empty page of the application."""
        person = self.newcomer(**options)
        person.page.goto("/auth/signin")
        credentials = {"name": person.name, "email": person.email, "password": person.password}
        for step in ("sign-up", "sign-in"):
            made = person.ask("POST", f"/api/auth/{step}/email", credentials)
            assert made["status"] == 200, made["text"]
        person.id = made["json"]["user"]["id"]
        return person


def ask(page: Page, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """A request from within a page: its cookies and origin go along."""
    return page.evaluate(_FETCH, [method, path, body, headers or {}])


@contextmanager
def crowd(world: World) -> Iterator[Crowd]:
    """A browser for as many people as wanted. Their accounts and all that belongs to them are removed at the end."""
    try:
        with world.browser.page(timeout=PATIENCE) as page:
            browser = page.context.browser
            assert browser is not None
            yield Crowd(world, browser)
    finally:
        with world.database.connect() as connection:
            for statement in _REMOVAL:
                connection.execute(statement, (_MINE,))
