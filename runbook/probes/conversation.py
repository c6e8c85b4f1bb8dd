"""A person's way through the application, in a browser: sign up, ask the assistant for a task, find it in the list.

The person is made for the occasion and removed afterwards with everything that belongs to it. What was seen is written
down as a proof, so that the next step can ask the other ends of the same conversation.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbook.clients.browser import listen
from runbook.engine import state_file
from runbook.engine.errors import RunbookError, Unmeasurable
from runbook.engine.redaction import conceal, redact, redacted
from runbook.engine.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from runbook.world import World

DOMAIN = "drill.invalid"
"""E-mail domain of the drill's own people: nobody else's can end so."""

PATIENCE = 45.0
"""Seconds to wait for anything in the page; slower than any limit, so that a slow answer is measured and not lost."""

CHAT_REQUEST = "/chat"
PROXY = "/api/proxy/"

_TASK = """SELECT id::text, user_id, title, created_at::text FROM task WHERE title LIKE %s"""
_PERSON = """SELECT id FROM "user" WHERE email LIKE %s"""
_REMOVAL = (
    'DELETE FROM task WHERE user_id IN (SELECT id FROM "user" WHERE email LIKE %s)',
    'DELETE FROM "user" WHERE email LIKE %s',
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What one conversation left at each of its ends. Free of secrets."""

    identity: str
    """Fingerprint of the application that it was held with."""
    at: str
    nonce: str
    request_id: str = ""
    seconds: float = 0.0
    status: int = 0
    answer: str = ""
    tools: tuple[str, ...] = ()
    """Tool calls that the page showed."""
    listed: bool = False
    """The task was seen in the list of tasks."""
    rows: tuple[Mapping[str, Any], ...] = ()
    """Rows of the task in PostgreSQL, read by an independent connection while they existed."""
    rows_problem: str = ""
    left: str = ""
    """What could not be removed; empty when nothing is left."""
    problem: str = ""
    """Why the conversation did not come to its end; empty when it did."""
    page_problems: tuple[str, ...] = ()
    pictures: tuple[str, ...] = field(default=())


def path_of(settings: Settings) -> Path:
    return settings.state / "evidence" / "conversation.json"


def last(settings: Settings) -> Proof | None:
    """The proof of the last conversation, if one was held."""
    try:
        content = state_file.read_json(path_of(settings)) or {}
        return Proof(**{**content, "tools": tuple(content["tools"]), "rows": tuple(content["rows"])})
    except (RunbookError, TypeError, KeyError):
        return None  # none, or written by another version


def hold(world: World, identity: str) -> Proof:
    """Hold one conversation, look at PostgreSQL while its task exists, remove its person, and write the proof down."""
    seen: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "nonce": secrets.token_hex(4),
        "identity": identity,
    }
    try:
        _converse(world, seen)
        _read_rows(world, seen)
    finally:
        seen["left"] = remove_people(world)
        proof = Proof(**seen)
        state_file.write_json(path_of(world.settings), redacted(asdict(proof)))
    return proof


def by_http(world: World) -> Proof:
    """The same by the requests that the page makes, in two seconds and without a browser; nothing is written down."""
    from runbook.probes.person import Person

    seen: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(),
        "nonce": secrets.token_hex(4),
        "identity": "",
    }
    email = ""
    try:
        with Person(world) as person:
            email = person.email
            began = time.monotonic()
            answer = person.say(f"Add a task to buy pears {seen['nonce']}")
            seen["seconds"] = round(time.monotonic() - began, 2)
            seen |= {"status": answer.status_code, "request_id": answer.headers.get("x-request-id", "")}
            seen["answer"] = redact(answer.text[:300])
        _read_rows(world, seen)
    finally:
        if email:
            seen["left"] = remove_people(world, email)
    return Proof(**seen, listed=bool(seen.get("rows")))


def _converse(world: World, seen: dict[str, Any]) -> None:
    from playwright.sync_api import Error

    problems: list[str] = []
    folder = world.settings.state / "evidence"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stage = "opening the sign-up page"
    with world.browser.page(timeout=PATIENCE) as page:
        listen(page, problems)
        try:
            world.progress("signing up a person in Chromium")
            stage = "signing up"
            _sign_up(page, str(seen["nonce"]))
            stage = "sending the message and waiting for the answer"
            world.progress("waiting for the answer to a chat message")
            _chat(page, seen)
            page.screenshot(path=folder / "chat.png")
            stage = "looking for the task in the list"
            page.goto("/dashboard")
            task = page.get_by_test_id("task-item").filter(has_text=str(seen["nonce"]))
            task.first.wait_for()
            seen["listed"] = True
            page.screenshot(path=folder / "dashboard.png")
        except Error as problem:
            page.screenshot(path=folder / "conversation-failed.png")
            seen["problem"] = redact(f"while {stage}: {problem.message.splitlines()[0]}{_told_on(page)}")
    seen["page_problems"] = tuple(redact(each) for each in problems)
    seen["pictures"] = tuple(str(each) for each in sorted(folder.glob("*.png")))


def _sign_up(page: Page, nonce: str) -> None:
    password = secrets.token_urlsafe(18)
    conceal(password)
    page.goto("/auth/signup")
    page.get_by_label("Name", exact=True).fill("Drill")
    page.get_by_label("Email", exact=True).fill(f"drill-{nonce}@{DOMAIN}")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Confirm password", exact=True).fill(password)
    page.get_by_role("button", name="Create account").click()
    page.wait_for_url("**/dashboard")


def _chat(page: Page, seen: dict[str, Any]) -> None:
    """Send the message and measure until the answer is seen, as a person would (SC-003)."""
    page.goto("/chat")
    page.get_by_label("Message").fill(f"Add a task to buy pears {seen['nonce']}")
    with page.expect_response(
        lambda answer: (
            answer.request.method == "POST"
            and PROXY in answer.url
            and answer.url.partition("?")[0].endswith(CHAT_REQUEST)
        )
    ) as asked:
        began = time.monotonic()
        page.get_by_role("button", name="Send").click()
    response = asked.value
    seen["status"] = response.status
    seen["request_id"] = response.headers.get("x-request-id", "")
    answer = page.get_by_test_id("message-assistant").last
    answer.wait_for()
    seen["seconds"] = round(time.monotonic() - began, 2)
    seen["answer"] = answer.inner_text()[:300]
    seen["tools"] = tuple(chip.inner_text().strip() for chip in page.get_by_test_id("tool-call").all())


def _told_on(page: Page) -> str:
    """What the page itself says is wrong."""
    from playwright.sync_api import Error

    try:
        told = " ".join(each.inner_text().strip() for each in page.get_by_role("alert").all())
    except Error:
        return ""
    return f" (the page says: {told.strip()[:300]})" if told.strip() else ""


def _read_rows(world: World, seen: dict[str, Any]) -> None:
    world.progress("reading the task from PostgreSQL")
    try:
        seen["rows"] = tuple(world.database.query(_TASK, (f"%{seen['nonce']}%",)))
    except RunbookError as problem:
        seen["rows_problem"] = problem.observed


def remove_people(world: World, email: str = f"%@{DOMAIN}") -> str:
    """Remove all people of drills, also those that an interrupted one left, or the one named; says what is left."""
    mine = (email,)
    try:
        with world.database.connect() as connection:
            for statement in _REMOVAL:
                connection.execute(statement, mine)
        left = world.database.query(_PERSON, mine)
    except RunbookError as problem:
        return f"the drill's person is still there: {problem.observed}"
    return f"{len(left)} people of drills are still there" if left else ""


def require(settings: Settings, identity: str) -> Proof:
    """The last proof, which must have been held with the application as it runs now. Raises `Unmeasurable`."""
    hint = "inv verify.step T053 --drills"
    proof = last(settings)
    if proof is None:
        raise Unmeasurable("no conversation has been run yet", wanted="a conversation to look at", hint=hint)
    if proof.identity != identity:
        raise Unmeasurable(
            f"the last conversation, at {proof.at}, was run with another release or other pods",
            wanted="a conversation with the application as it runs now",
            hint=hint,
        )
    return proof
