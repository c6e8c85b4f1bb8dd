"""Sentences that change a task, or look at it: complete, reopen, delete, rename, another priority or day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from offline_model import dates, details
from offline_model.details import LEVEL
from offline_model.intents import Complete, Delete, Intent, Look, Show, Target, Unclear, Update
from offline_model.targets import NOUN, target_of, targets_of

_DONE = r"(?:done|complete|completed|finished)"
_OPEN = rf"(?:not\ (?:yet\ )?{_DONE}|undone|pending|incomplete|open|unfinished|to\ ?do|active)"
_COMPLETE = re.compile(
    rf"""^(?:
        (?:complete|finish|tick(?:\ off)?|check\ off|close|cross\ off|resolve)\ (?P<a>.+)
      | (?:mark|set|flag|tick|check|cross)\ (?P<b>.+?)\ (?:as\ |to\ )?(?:{_DONE}|off)
      | (?:i(?:'m|\ am|\ have|'ve)?\ )?(?:just\ |already\ )?{_DONE}(?:\ with|:)?\ (?P<c>.+)
      | (?P<d>(?!what|which|is\ |are\ |how).+?)\ (?:is|are|has\ been)\ (?:now\ |all\ |already\ )?{_DONE}
      | (?:i\ )?(?:have\ |'ve\ )?(?:just\ |already\ )?(?P<past>bought|called|paid|sent|did)\ (?P<e>.+)
    )(?:\ (?:now|already|today))?$""",
    re.IGNORECASE | re.VERBOSE,
)
_PRESENT = {"bought": "buy ", "called": "call ", "paid": "pay ", "sent": "send ", "did": ""}
_REOPEN = re.compile(
    rf"""^(?:
        (?:re-?open|un-?complete|un-?check|un-?tick|restart|undo)\ (?P<a>.+)
      | (?:mark|set|flag|change)\ (?P<b>.+?)\ (?:as|to|back\ to)\ {_OPEN}(?:\ again)?
      | (?:mark|set|flag)\ (?P<e>.+?)\ {_OPEN}(?:\ again)?
      | (?P<c>(?!what|which|is\ |are\ ).+?)\ (?:is|are|was)(?:n't|\ not)\ (?:yet\ )?(?:{_DONE})(?:\ yet)?
      | i\ (?:have\ not|haven't|did\ not|didn't)\ (?:yet\ )?(?:do|finish|{_DONE})\ (?P<d>.+?)(?:\ yet)?
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_DELETE = re.compile(
    r"^(?:delete|remove|erase|drop|cancel|discard|throw away|empty|get rid of|forget(?: about)?|clear|scrap)"
    r"\s+(?P<target>.+)$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^(?:change|set|update|make|edit)\ (?:the\ )?"
    r"(?P<field>title|name|priority|due\ date|deadline|date|description|notes?)\ (?:of|for|on)"
    r"\ (?P<target>.+?)\ (?:to|as|:)\ (?P<value>.+)$",
    re.IGNORECASE | re.VERBOSE,
)
_OWN_FIELD = re.compile(
    r"^(?:change|set|update|edit)\ (?P<target>.+?)'s"
    r"\ (?P<field>title|name|priority|due\ date|deadline|date|description)\ (?:to|as)\ (?P<value>.+)$",
    re.IGNORECASE | re.VERBOSE,
)
_NO_DUE = re.compile(
    r"^(?:remove|clear|delete|drop)\ (?:the\ )?(?:due\ date|deadline|date)\ (?:of|for|from|on)\ (?P<a>.+)$"
    r"|^(?P<b>.+?)\ has\ no\ (?:due\ date|deadline)(?:\ any\ ?more)?$",
    re.IGNORECASE | re.VERBOSE,
)
_NOTE = re.compile(
    r"^add (?:a |the )?(?:note|description|comment|details?) to (?P<target>.+?)"
    r"\s*(?::|saying|that says)\s*(?P<value>.+)$",
    re.IGNORECASE,
)
_SHIFT = re.compile(
    r"^(?:postpone|push|delay|move|put off|shift|snooze)(?: back| off)? (?P<target>.+?)(?: back| off)?"
    r" (?:by|for|another) (?P<value>.+)$",
    re.IGNORECASE,
)
_CHANGE = re.compile(
    r"^(?:rename|change|update|edit|move|postpone|reschedule|set|retitle|push|delay|put off|snooze|replace)"
    r"\s+(?P<target>.+?)\s+(?:back\s+)?(?:to|into|as|until|till|with|for|->)\s+(?P<value>.+)$",
    re.IGNORECASE,
)
_VERB = re.compile(r"^(?:rename|edit|change|update|retitle) ", re.IGNORECASE)
_NUMBERED = re.compile(
    rf"""^(?P<target>(?:(?:rename|edit|change|update|retitle)\ (?:{NOUN}\ )?|{NOUN}\ )\#?\d{{1,3}})
      (?:\ *:\ *|\ +)(?!is\b|as\b|to\b|and\b)(?P<value>(?<=:\ ).+|due\ .+|(?<=\d\ ).+)$""",
    re.IGNORECASE | re.VERBOSE,
)
_MAKE = re.compile(
    rf"^(?:make|give|set|mark)\s+(?!an?\ |new\ |me\ )(?P<target>.+?)\s+"
    rf"(?:as\s+)?(?P<value>(?:an?\ )?(?:very\ )?(?:{LEVEL})(?:[\ -]priority)?|(?:to\ be\ )?due\ .+)$",
    re.IGNORECASE | re.VERBOSE,
)
_STATED = re.compile(
    rf"^(?P<target>(?!what|which|who|is\ |are\ |.*,\ (?:it|this|that)\ ).+?)\ is\ (?:now\ )?"
    rf"(?P<value>(?:very\ |really\ )?(?:{LEVEL})(?:[\ -]priority)?|due\ .+)$",
    re.IGNORECASE | re.VERBOSE,
)
_PRIORITISE = re.compile(
    rf"""^(?:(?P<lower>de)?prioriti[sz]e
      |(?:raise|increase|(?P<less>lower|decrease))\ (?:the\ )?priority\ (?:of|for)
      |(?:set|give)\ (?:the\ |an?\ )?(?:priority\ )?(?P<level>{LEVEL})(?:\ priority)?\ (?:for|to|of|on))
      \ (?P<target>.+)$""",
    re.IGNORECASE | re.VERBOSE,
)
_LOOK = re.compile(
    r"^(?:show|open|read|give|tell|describe)(?: me)?(?: the)? (?:details|description|more)? ?"
    rf"(?:of |about |on |for )?(?P<a>(?:the )?{NOUN} (?:number )?#?\d+|#\d+|(?:the )?\w+ (?:one|task))$"
    r"|^(?:show|give|tell)(?: me)?(?: the)? (?:details|description) (?:of|about|for) (?P<b>.+)$"
    r"|^(?:tell|show)(?: me)? more about (?P<c>.+)$|^describe (?P<d>.+)$"
    r"|^when is (?P<e>.+?) due$",
    re.IGNORECASE,
)


def completed(said: str, today: date) -> Sequence[Intent]:
    if match := _COMPLETE.match(said):
        phrase = _PRESENT[match["past"].lower()] + match["e"] if match["past"] else _first(match)
        return [Complete(target) for target in targets_of(phrase, today)]
    return ()


def deleted(said: str, today: date) -> Sequence[Intent]:
    match = _DELETE.match(said)
    if match is None:
        return ()
    if re.fullmatch(
        r"(?:my|the|our)(?: whole| entire)? (?:todo |task )?list", match["target"], re.IGNORECASE
    ):
        return (Delete(Target(every=Show())),)
    return [Delete(target) for target in targets_of(match["target"], today)]


def looked(said: str, _: date) -> Sequence[Intent]:
    match = _LOOK.match(said)
    if match is None:
        return ()
    target = target_of(_first(match))
    return (Look(target),) if target.position is not None or not match["a"] else ()


def noted(said: str, today: date) -> Sequence[Intent]:
    """A description for a task that is there already; asked before adding, for it begins with "add"."""
    match = _NOTE.match(said)
    if match is None:
        return ()
    text = details.quoted(match["value"]) or match["value"].strip()
    return [Update(target, description=text) for target in targets_of(match["target"], today)]


def updated(said: str, today: date) -> Sequence[Intent]:
    """A changed task; reopening is read here as well, for "set x to pending" is no new title."""
    if match := _REOPEN.match(said):
        return [Complete(target, completed=False) for target in targets_of(_first(match), today)]
    if match := _NO_DUE.match(said):
        return [Update(target, no_due=True) for target in targets_of(_first(match), today)]
    if match := _FIELD.match(said) or _OWN_FIELD.match(said):
        return _field(targets_of(match["target"], today), match["field"].lower(), match["value"], today)
    if match := _PRIORITISE.match(said):
        level = details.level(match["level"]) or details.level(
            "low" if match["lower"] or match["less"] else "high"
        )
        return [Update(target, priority=level) for target in targets_of(match["target"], today)]
    if (match := _SHIFT.match(said)) and (days := dates.shift(match["value"])):
        return [Update(target, later=days) for target in targets_of(match["target"], today)]
    if match := _NUMBERED.match(said):
        return _valued(targets_of(_VERB.sub("", match["target"]), today), match["value"].strip(), today)
    match = _CHANGE.match(said) or _MAKE.match(said) or _STATED.match(said)
    if match is None or re.fullmatch(_DONE, match["value"], re.IGNORECASE):
        return ()
    return _valued(targets_of(match["target"], today), match["value"].strip(), today)


def _valued(targets: Sequence[Target], value: str, today: date) -> Sequence[Intent]:
    """A new priority, a new day or both, where the value says no more than that; else a new title."""
    if not details.quoted(value):
        rest, level = re.sub(r"^to be ", "", value, flags=re.IGNORECASE), None
        due = dates.read(rest, today)
        if due is None and (level := details.level(re.sub(r"^(?:very|really) ", "", rest))) is None:
            rest, level = details.cut_priority(rest)
            rest = re.sub(r"^and\b|\band$", "", rest.strip(" ,"), flags=re.IGNORECASE).strip(" ,")
            due = dates.read(rest, today) if level else None
            level = level if due else None
        if level or due:
            return [Update(target, priority=level, due=due) for target in targets]
    title = details.quoted(value) or details.title(value)
    return [Update(target, title=title) for target in targets] if title else ()


def _field(targets: Sequence[Target], name: str, value: str, today: date) -> Sequence[Intent]:
    change = Update(Target())
    text = details.quoted(value) or value.strip()
    if name == "priority":
        level = details.level(value)
        if level is None:
            return (Unclear("A priority is high, medium or low."),)
        change = replace(change, priority=level)
    elif name in ("due date", "deadline", "date"):
        if re.fullmatch(r"none|nothing|never", text, re.IGNORECASE):
            change = replace(change, no_due=True)
        elif due := dates.read(value, today):
            change = replace(change, due=due)
        else:
            return (Unclear(f'I could not read "{value}" as a date.'),)
    elif name in ("title", "name"):
        change = replace(change, title=text)
    else:
        change = replace(change, description=text)
    return [replace(change, target=target) for target in targets]


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group)
