"""Which task a phrase names, and which tasks of a list those are."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from datetime import date

from offline_model import dates, details, results
from offline_model.details import LEVEL
from offline_model.intents import Show, Status, Target
from offline_model.results import Task

NOUN = r"(?:tasks?|to-?dos?|items?|reminders?|entry|entries|things?)"

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_ONE = rf"(?:number\ |no\.?\ |nr\.?\ |\#\ ?)?\d{{1,3}}(?:st|nd|rd|th)?|{'|'.join(_ORDINALS)}|last"
_POSITION = re.compile(
    rf"^(?:the\ )?(?:{NOUN}\ )?(?:number\ |no\.?\ |nr\.?\ |\#\ ?)?"
    rf"(?P<digits>\d{{1,3}})(?:st|nd|rd|th)?(?:\ (?:one|{NOUN}))?$"
    rf"|^(?:the\ )?(?P<ordinal>{'|'.join(_ORDINALS)}|last)(?:\ (?:one|{NOUN}))?$",
    re.IGNORECASE | re.VERBOSE,
)
_POSITIONS = re.compile(
    rf"^(?:the\ )?(?:{NOUN}\ )?(?:numbers?\ )?(?:the\ )?(?:{_ONE})"
    rf"(?:(?:\ *,\ *(?:and\ )?|\ and\ |\ &\ )(?:the\ )?(?:{NOUN}\ )?(?:{_ONE}))+(?:\ (?:ones?|{NOUN}))?$",
    re.IGNORECASE | re.VERBOSE,
)
_RUN = re.compile(
    rf"^(?:the\ )?first\ (?P<count>\w+)(?:\ {NOUN}|\ ones)?$"
    rf"|^(?:{NOUN}\ )?(?P<from>\d+)\ ?(?:-|to)\ ?(?P<to>\d+)$",
    re.IGNORECASE | re.VERBOSE,
)
_EVERY = re.compile(
    rf"""^(?:(?:all|every|each)(?:\ (?:of\ )?(?:the|my|them|these|those))?\b
      |everything\b|them$|both(?:\ of\ them)?$
      |(?:the|my)?\ ?(?=(?:completed|done|overdue|pending|open|old|{LEVEL})[\w\ -]*\b{NOUN[:-1]}s?)$))
      \ ?(?P<rest>.*)$""",
    re.IGNORECASE | re.VERBOSE,
)
_IT = re.compile(
    r"^(?:it|that|this|that one|this one|that task|this task|the same(?: one| task)?)$", re.IGNORECASE
)
_STOP_WORDS = frozenset(("the", "a", "an", "my", "to", "of", "for", "task", "with", "and", "that"))
_PENDING = re.compile(
    r"\b(?:pending|open|incomplete|uncompleted|unfinished|remaining|left|outstanding|not done|undone|to do)\b"
)
_COMPLETED = re.compile(r"\b(?:completed?|done|finish(?:ed)?)\b")
_ALIKE = 0.78
"""Likeness of two titles above which one may be a slip of the pen for the other."""
MOST = 20
"""Tasks that one message changes at most."""


def targets_of(text: str, today: date) -> tuple[Target, ...]:
    """The tasks that a phrase names: one, several by number, or all of a kind."""
    phrase = text.strip(" .,;:!?")
    if several := _positions_of(phrase):
        return tuple(Target(position=position) for position in several)
    match = _EVERY.match(phrase)
    if match and not details.quoted(phrase) and (every := _kind(match["rest"], phrase, today)):
        return (Target(every=every),)
    return (target_of(phrase),)


def target_of(text: str) -> Target:
    """The one task that a phrase names."""
    phrase = text.strip(" .,;:!?")
    if found := _UUID.search(phrase):
        return Target(id=found.group().lower())
    if position := position_of(phrase):
        return Target(position=position)
    if quoted := details.quoted(phrase):
        return Target(words=quoted)
    if _IT.match(phrase):
        return Target(it=True)
    words = re.sub(
        rf"^(?:the |my |that |this )?(?:{NOUN} )?(?:called |named |titled |about |to )?",
        "",
        phrase,
        flags=re.IGNORECASE,
    )
    words = re.sub(rf"(?<=\S) {NOUN}$| (?:from|off|on|in) (?:my|the) list$", "", words, flags=re.IGNORECASE)
    return Target(words=words.strip() or phrase)


def position_of(phrase: str) -> int | None:
    """The list position that a phrase names: "2", "#2", "task 2", "the second one", "the last one" (-1)."""
    match = _POSITION.match(phrase.strip(" .,;:!?"))
    if match is None:
        return None
    if digits := match["digits"]:
        return int(digits) or None
    return _ordinal(match["ordinal"])


def status_of(text: str) -> Status:
    """Whether a phrase asks for pending or completed tasks."""
    low = text.lower()
    if _PENDING.search(low):
        return "pending"
    return "completed" if _COMPLETED.search(low) else "all"


def level_in(text: str) -> str | None:
    """The word for a priority inside a phrase."""
    match = re.search(rf"\b(?:{LEVEL})\b", text, re.IGNORECASE)
    return match.group() if match else None


def _ordinal(word: str) -> int:
    return -1 if word.lower() == "last" else _ORDINALS.index(word.lower()) + 1


def _positions_of(phrase: str) -> tuple[int, ...]:
    if run := _RUN.match(phrase):
        if run["from"]:
            start, end = int(run["from"]), int(run["to"])
            return tuple(range(start, end + 1)) if 0 < start < end < start + MOST else ()
        word = run["count"].lower()
        count = dates.NUMBERS.get(word) or (int(word) if word.isdigit() else 0)
        return tuple(range(1, count + 1)) if 1 < count <= MOST else ()
    if not _POSITIONS.match(phrase):
        return ()
    found = re.findall(rf"\d{{1,3}}|\b(?:{'|'.join(_ORDINALS)}|last)\b", phrase, re.IGNORECASE)
    return tuple(int(word) if word.isdigit() else _ordinal(word) for word in found)


def _kind(rest: str, phrase: str, today: date) -> Show | None:
    """The kind of tasks that "all ..." speaks of; None where the words rather belong to a title."""
    due = dates.period(phrase, today)
    status = status_of(phrase)
    level = details.level(level_in(phrase))
    known = re.sub(
        rf"\b(?:{NOUN}|{LEVEL}|priority|due|on|in|of|the|my|list|are|is|that|which|them|one|ones|with|old|and|days?"
        r"|overdue|late|today|tomorrow|this|next|week|weekend|month|without|a|no|date|deadline"
        r"|pending|open|incomplete|unfinished|remaining|completed?|done|finished|from)\b|[^\w]",
        "",
        rest,
        flags=re.IGNORECASE,
    )
    return None if known else Show(status, level, due)


def belongs(asked: Show, task: Task) -> bool:
    """Whether a task is of the kind that was asked for."""
    if asked.status != "all" and results.is_completed(task) != (asked.status == "completed"):
        return False
    if asked.priority and task.get("priority") != asked.priority:
        return False
    if asked.due is not None and not asked.due.holds(results.due_day(task)):
        return False
    text = f"{task.get('title', '')} {task.get('description', '')}".casefold()
    return all(_stem(word) in text for word in _words(asked.words))


def matching(words: str, tasks: Sequence[Task]) -> list[Task]:
    """Matches by title: equal, else containing the phrase, else containing all its telling words."""
    wanted = words.casefold()
    titles = [(task, str(task["title"]).casefold()) for task in tasks]
    telling = [_stem(word) for word in _words(wanted)]
    for fits in (
        lambda title: title == wanted,
        lambda title: re.search(rf"(?<!\w){re.escape(wanted)}(?!\w)", title) is not None,
        lambda title: wanted in title,
        lambda title: (
            bool(telling) and all(any(w.startswith(word) for w in title.split()) for word in telling)
        ),
    ):
        if found := [task for task, title in titles if fits(title)]:
            return found
    return []


def alike(words: str, tasks: Sequence[Task]) -> Task | None:
    """The task whose title differs from the words by a slip of the pen."""
    by_title = {str(task["title"]).casefold(): task for task in tasks}
    found = difflib.get_close_matches(words.casefold(), by_title, n=1, cutoff=_ALIKE)
    return by_title[found[0]] if found else None


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"\w+", text.casefold()) if word not in _STOP_WORDS]


def _stem(word: str) -> str:
    """Without the plural's s: "reports" finds "report"."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
