"""Due dates in everyday words, read against a given day."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
}  # fmt: skip

_DAYS = "|".join(WEEKDAYS)
_MONTHS = "|".join(f"{month}|{month[:3]}" for month in MONTHS)
_COUNT = r"\d{1,3}|" + "|".join(NUMBERS)

_PHRASE = rf"""
    (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
  | (?P<after>the\ day\ after\ tomorrow|day\ after\ tomorrow)
  | (?P<near>today|tonight|tomorrow)
  | in\ (?P<count>{_COUNT})\ (?P<unit>day|week)s?
  | (?P<nextweek>next\ week)
  | (?:next\ |this\ )?(?P<weekday>{_DAYS})
  | (?P<month>{_MONTHS})\ (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)
  | (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\ (?:of\ )?(?P<month2>{_MONTHS})
"""
_MARK = r"(?:due(?:\ date)?(?:\ is)?(?:\ on|\ by|\ for|\ in(?=\ \d{4}))?|by|until|before|on|for)"

_AT_END = re.compile(rf"[\s,;(]*\b(?:{_MARK}[\s:]+)?(?:{_PHRASE})[\s.,;)]*$", re.IGNORECASE | re.VERBOSE)
_MARKED = re.compile(rf"[\s,;(]*\bdue[\s:]+(?:on\ |by\ )?(?:{_PHRASE})\b[\s)]*", re.IGNORECASE | re.VERBOSE)
_WHOLE = re.compile(rf"^(?:{_MARK}\s+)?(?:{_PHRASE})$", re.IGNORECASE | re.VERBOSE)


@dataclass(frozen=True, slots=True)
class Dated:
    """A text without its date phrase, and the day that the phrase meant."""

    rest: str
    due: date


def read(phrase: str, today: date) -> date | None:
    """The day that a whole phrase means ("tomorrow", "in 3 days", "next friday"), or None."""
    match = _WHOLE.match(phrase.strip(" .,;!?"))
    return _day(match, today) if match else None


def take(text: str, today: date) -> Dated | None:
    """Split a due date from a text: at its end, or anywhere when introduced by "due"."""
    for pattern in (_MARKED, _AT_END):
        match = pattern.search(text)
        if match is None:
            continue
        due = _day(match, today)
        rest = f"{text[: match.start()]} {text[match.end() :]}".strip()
        if due is not None and rest:
            return Dated(rest, due)
    return None


def _day(match: re.Match[str], today: date) -> date | None:
    found = {name: value.lower() for name, value in match.groupdict().items() if value}
    if "iso" in found:
        return _iso(found["iso"])
    if "after" in found:
        return today + timedelta(days=2)
    if "near" in found:
        return today + timedelta(days=1 if found["near"] == "tomorrow" else 0)
    if "count" in found:
        count = NUMBERS.get(found["count"]) or int(found["count"])
        return today + timedelta(days=count * (7 if found["unit"] == "week" else 1))
    if "nextweek" in found:
        return today + timedelta(days=7)
    if "weekday" in found:
        return today + timedelta(days=(WEEKDAYS.index(found["weekday"]) - today.weekday() - 1) % 7 + 1)
    return _calendar(found.get("month") or found["month2"], int(found.get("day") or found["day2"]), today)


def _calendar(month: str, day: int, today: date) -> date | None:
    """The next such day: this year's, or next year's once it has passed."""
    number = next(index for index, name in enumerate(MONTHS, 1) if name.startswith(month[:3]))
    for year in (today.year, today.year + 1):
        due = _iso(f"{year:04d}-{number:02d}-{day:02d}")
        if due is not None and due >= today:
            return due
    return None


def _iso(text: str) -> date | None:
    """The date, or None where the calendar has no such day."""
    with suppress(ValueError):
        return date.fromisoformat(text)
    return None
