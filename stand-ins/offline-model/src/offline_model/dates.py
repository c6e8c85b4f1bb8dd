"""Days in everyday words, read against a given day: when a task is due, and which tasks are asked for."""

from __future__ import annotations

import calendar
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

from offline_model.intents import Period

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
NUMBERS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5,
    "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "a couple of": 2, "a few": 3,
}  # fmt: skip
SATURDAY = 5

_DAYS = "|".join(WEEKDAYS)
_MONTHS = "|".join(f"{month}|{month[:3]}" for month in MONTHS)
_COUNT = r"\d{1,3}|" + "|".join(sorted(NUMBERS, key=len, reverse=True)).replace(" ", r"\ ")
_PART = r"(?:\ (?:early\ |late\ )?(?:morning|noon|afternoon|evening|night))?"

_PHRASE = rf"""
    (?P<iso>\d{{4}}-\d{{2}}-\d{{2}})
  | (?P<after>the\ day\ after\ tomorrow|day\ after\ tomorrow)
  | (?P<near>today|tonight|tomorrow|tmrw|tmr|this\ (?:morning|afternoon|evening)){_PART}
  | (?:in|within)\ (?P<count>{_COUNT})\ (?P<unit>day|week|month)s?
  | (?P<count2>{_COUNT})\ (?P<unit2>day|week|month)s?\ from\ (?:now|today)
  | (?P<next>next\ (?:week|month|year))
  | (?:the\ )?end\ of\ (?:the\ |this\ )?(?P<end>day|week|month|year)
  | (?:the\ |this\ |on\ the\ )?(?P<nextweekend>next\ )?(?P<weekend>weekend)
  | (?:next\ |this\ |coming\ )?(?P<weekday>{_DAYS}){_PART}
  | (?P<month>{_MONTHS})\ (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)
  | (?:the\ )?(?P<day2>\d{{1,2}})(?:st|nd|rd|th)?\ (?:of\ )?(?P<month2>{_MONTHS})
"""
_CLOCK = r"(?P<clock>\ (?:at|around|by)\ (?:\d{1,2}(?::\d{2})?\ ?(?:am|pm|h|o'clock)?|noon|midnight))?"
_MARK = r"(?:due(?:\ date)?(?:\ is)?(?:\ on|\ by|\ for|\ in(?=\ \d{4}))?|by|until|before|on|for|from|at)"

_AT_END = re.compile(
    rf"[\s,;(]*\b(?:{_MARK}[\s:]+)?(?:{_PHRASE}){_CLOCK}[\s.,;)]*$", re.IGNORECASE | re.VERBOSE
)
_MARKED = re.compile(rf"[\s,;(]*\bdue[\s:]+(?:on\ |by\ )?(?:{_PHRASE})\b[\s)]*", re.IGNORECASE | re.VERBOSE)
_WHOLE = re.compile(rf"^(?:{_MARK}\s+)?(?:{_PHRASE}){_CLOCK}$", re.IGNORECASE | re.VERBOSE)
_WITHIN = re.compile(rf"\b(?:{_PHRASE})\b", re.IGNORECASE | re.VERBOSE)
_SHIFT = re.compile(
    rf"^(?:by )?(?:another )?(?P<count>{_COUNT}) (?:more )?(?P<unit>day|week)s?$", re.IGNORECASE
)


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
    """Split a due date from a text: at its end, or anywhere when introduced by "due".

    A time of day stays in the text: tasks are due on a day.
    """
    for pattern in (_MARKED, _AT_END):
        match = pattern.search(text)
        if match is None:
            continue
        due = _day(match, today)
        kept = match.groupdict().get("clock") or ""
        rest = f"{text[: match.start()]}{kept} {text[match.end() :]}".strip()
        if due is not None and text[: match.start()].strip() + text[match.end() :].strip():
            return Dated(rest, due)
    return None


def shift(phrase: str) -> int | None:
    """The days by which something is put off: "by 2 days", "a week"."""
    match = _SHIFT.match(phrase.strip(" .,;!?"))
    if match is None:
        return None
    return _number(match["count"]) * (7 if match["unit"].lower() == "week" else 1)


def period(text: str, today: date) -> Period | None:
    """The days that a question asks about: "overdue", "due today", "this week", "on friday"."""
    low = text.lower()
    monday = today - timedelta(days=today.weekday())
    if re.search(r"\boverdue\b|\blate\b|\bpast due\b|\bmissed\b|\bbehind\b", low):
        return Period("overdue", last=today - timedelta(days=1))
    if re.search(r"\b(?:without|have no|has no|with no|no) (?:a )?(?:due date|deadline|date)\b", low):
        return Period("without a due date")
    if days := re.search(rf"\bnext ({_COUNT}) days\b", low):
        return Period(f"due in the next {days[1]} days", today, today + timedelta(days=_number(days[1])))
    if re.search(r"\b(?:this|coming|the) week\b(?!end)", low):
        return Period("due this week", today, monday + timedelta(days=6))
    if re.search(r"\bnext week\b(?!end)", low):
        return Period("due next week", monday + timedelta(days=7), monday + timedelta(days=13))
    if re.search(r"\bthis month\b", low):
        return Period("due this month", today, _month_end(today))
    match = _WITHIN.search(text)
    day = _day(match, today) if match else None
    if match is None or day is None:
        return None
    if match["weekend"]:
        words = "due next weekend" if match["nextweekend"] else "due this weekend"
        return Period(words, day, day + timedelta(days=1))
    return Period(
        {0: "due today", 1: "due tomorrow"}.get((day - today).days, f"due on {said(day, today)}"), day, day
    )


def said(day: date, today: date) -> str:
    """A day as people say it: "today", "Friday, 27 November"; with the year where it is another."""
    distance = (day - today).days
    if -1 <= distance <= 1:
        return ("yesterday", "today", "tomorrow")[distance + 1]
    year = f" {day.year}" if day.year != today.year else ""
    return f"{WEEKDAYS[day.weekday()].title()}, {day.day} {MONTHS[day.month - 1].title()}{year}"


def _day(match: re.Match[str], today: date) -> date | None:
    found = {name: value.lower() for name, value in match.groupdict().items() if value}
    if "iso" in found:
        return _iso(found["iso"])
    if "after" in found:
        return today + timedelta(days=2)
    if "near" in found:
        return today + timedelta(days=1 if found["near"] in ("tomorrow", "tmrw", "tmr") else 0)
    if "count" in found or "count2" in found:
        count = _number(found.get("count") or found["count2"])
        return _later(today, count, found.get("unit") or found["unit2"])
    if "next" in found:
        unit = found["next"].removeprefix("next ")
        return _later(today, 12, "month") if unit == "year" else _later(today, 1, unit)
    if "end" in found:
        return _end(found["end"], today)
    if "weekend" in found:
        saturday = today + timedelta(days=max(SATURDAY - today.weekday(), 0))
        return saturday + timedelta(days=7 if "nextweekend" in found else 0)
    if "weekday" in found:
        return today + timedelta(days=(WEEKDAYS.index(found["weekday"]) - today.weekday() - 1) % 7 + 1)
    return _calendar(found.get("month") or found["month2"], int(found.get("day") or found["day2"]), today)


def _number(word: str) -> int:
    return NUMBERS.get(word.lower()) or int(word)


def _later(today: date, count: int, unit: str) -> date | None:
    """So many days, weeks or months on; the last day of a month that is shorter."""
    if unit != "month":
        return today + timedelta(days=count * (7 if unit == "week" else 1))
    months = today.month - 1 + count
    year, month = today.year + months // 12, months % 12 + 1
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def _month_end(today: date) -> date:
    return today.replace(day=calendar.monthrange(today.year, today.month)[1])


def _end(unit: str, today: date) -> date:
    """The last day of the unit; a week of work ends on Friday."""
    if unit == "week":
        return today + timedelta(days=max(4 - today.weekday(), 0))
    if unit == "month":
        return _month_end(today)
    return today if unit == "day" else date(today.year, 12, 31)


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
