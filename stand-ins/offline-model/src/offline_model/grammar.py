"""Plain words in, one intent out. No I/O, no model: the order of the patterns is the whole grammar."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from offline_model import dates, details
from offline_model.details import LEVEL
from offline_model.intents import Add, Complete, Delete, Intent, Show, Small, Target, Unclear, Update

_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# Curly quotes and long dashes, as phones write them.
_STRAIGHT = {0x201C: '"', 0x201D: '"', 0x201E: '"', 0x2018: "'", 0x2019: "'", 0x2013: "-", 0x2014: "-"}
_POLITE = re.compile(
    r"^(?:hi|hello|hey)[,!. ]+(?!there)|^(?:please|kindly|ok|okay|now|and|then)[, ]+"
    r"|^(?:can|could|would|will) you (?:please )?|^let'?s "
    r"|^i(?:'d like| would like| want) (?:you )?to (?=add|create|see|delete|remove)",
    re.IGNORECASE,
)
_NOUN = r"(?:tasks?|to-?dos?|items?|reminders?|entry)"
_LIST = rf"(?:my|the|our)\ (?:{_NOUN}\ |shopping\ )?list"

_ADD = re.compile(
    rf"""^(?:
        (?:add|create|make|new|put|insert|write\ down|note(?:\ down)?)\b
        (?:\ me)?(?:\ an?|\ the|\ another)?(?:\ new)?
        (?P<level>\ (?:{LEVEL})(?:[\ -]priority)?)?(?:\ {_NOUN})?(?:\ to\ {_LIST})?
        (?:\ (?:called|named|titled|saying|that\ says|for\ me\ to|to|for|about))?\s*[:,-]?\s+
      | remind\ me\ (?:to|about|that)\s+ | (?:do\ not|don'?t)\ (?:let\ me\ )?forget\ (?:to\s+)?
      | i\ (?:need\ to|have\ to|ought\ to|must|should|need)\ (?!see\b|do\b)
      | (?:remember|memo|task|to-?do)\s*(?::|\ to\b)\s*
    )(?P<rest>.+)$""",
    re.IGNORECASE | re.VERBOSE,
)
_TO_LIST = re.compile(rf"\s+(?:to|on|onto|in|into)\ {_LIST}|\s+to\ my\ {_NOUN}", re.IGNORECASE | re.VERBOSE)

_DONE = r"(?:done|complete|completed|finished)"
_COMPLETE = re.compile(
    rf"""^(?:
        (?:complete|finish|tick(?:\ off)?|check(?:\ off)?|close)\ (?P<a>.+)
      | (?:mark|set|flag)\ (?P<b>.+?)\ (?:as\ |to\ )?{_DONE}
      | (?:i(?:'m|\ am|\ have|'ve)?\ )?{_DONE}(?:\ with|:)?\ (?P<c>.+)
      | (?P<d>.+?)\ (?:is|are|has\ been)\ (?:now\ )?{_DONE}
    )$""",
    re.IGNORECASE | re.VERBOSE,
)
_DELETE = re.compile(
    r"^(?:delete|remove|erase|drop|cancel|discard|throw away|get rid of|forget(?: about)?)\s+(?P<target>.+)$",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^(?:change|set|update|make|edit)\ (?:the\ )?"
    r"(?P<field>title|name|priority|due\ date|deadline|date|description)\ (?:of|for|on)"
    r"\ (?P<target>.+?)\ (?:to|as|:)\ (?P<value>.+)$",
    re.IGNORECASE | re.VERBOSE,
)
_CHANGE = re.compile(
    r"^(?:rename|change|update|edit|move|postpone|reschedule|set|retitle)\s+(?P<target>.+?)\s+(?:to|into|as|until|till|->)\s+(?P<value>.+)$",
    re.IGNORECASE,
)
_MAKE = re.compile(
    rf"^make\s+(?!an?\ |new\ |me\ )(?P<target>.+?)\s+(?P<value>(?:an?\ )?(?:{LEVEL})(?:[\ -]priority)?)$",
    re.IGNORECASE | re.VERBOSE,
)

_SHOW = re.compile(
    r"^(?:show|list|display|see|view|get|give|tell|print|read|fetch)\b"
    r"|^(?:what|which|how many|do i have|are there|is there|any)\b",
    re.IGNORECASE,
)
_ABOUT_TASKS = re.compile(
    rf"\b{_NOUN}\b|\blist\b|\boverdue\b|\bdue\b|\bpending\b|\b(?:completed|done|finished)\b"
    r"|\bto do\b|\bleft\b|\bon my plate\b"
    r"|\b(?:high|low|medium)[ -]priority\b|^(?:show|list)(?: me)?(?: all| everything)?$",
    re.IGNORECASE,
)
_REOPEN = re.compile(
    r"^(?:reopen|uncomplete|undo)\b|\bas (?:not done|undone|pending|incomplete|open)$", re.IGNORECASE
)
_BULK = re.compile(
    rf"^(?:all|every|each|everything)\b.*|^(?:my|the)\ {_NOUN[:-1]}s)$", re.IGNORECASE | re.VERBOSE
)

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_POSITION = re.compile(
    rf"^(?:the\ )?(?:{_NOUN}\ )?(?:number\ |no\.?\ |nr\.?\ |\#\ ?)?"
    rf"(?P<digits>\d{{1,3}})(?:st|nd|rd|th)?(?:\ (?:one|{_NOUN}))?$"
    rf"|^(?:the\ )?(?P<ordinal>{'|'.join(_ORDINALS)}|last)(?:\ (?:one|{_NOUN}))?$",
    re.IGNORECASE | re.VERBOSE,
)


def understand(text: str, today: date) -> Intent:
    """The intent of one sentence."""
    said = _plain(text)
    if not said:
        return Unclear()
    return (
        _small(said)
        or _impossible(said)
        or _updated(said, today)
        or _added(said, today)
        or _deleted(said)
        or _shown(said)
        or _completed(said)
        or Unclear()
    )


def target_of(text: str) -> Target:
    """Which task a phrase names."""
    phrase = text.strip(" .,;:!?")
    if found := _UUID.search(phrase):
        return Target(id=found.group().lower())
    if position := position_of(phrase):
        return Target(position=position)
    if quoted := details.quoted(phrase):
        return Target(words=quoted)
    words = re.sub(
        rf"^(?:the |my )?(?:{_NOUN} )?(?:called |named |titled |about |to )?", "", phrase, flags=re.IGNORECASE
    )
    words = re.sub(rf"(?<=\S) {_NOUN}$| (?:from|off|on|in) (?:my|the) list$", "", words, flags=re.IGNORECASE)
    return Target(words=words.strip() or phrase)


def position_of(phrase: str) -> int | None:
    """The list position that a phrase names: "2", "#2", "task 2", "the second one", "the last one" (-1)."""
    match = _POSITION.match(phrase.strip(" .,;:!?"))
    if match is None:
        return None
    if digits := match["digits"]:
        return int(digits) or None
    ordinal = match["ordinal"].lower()
    return -1 if ordinal == "last" else _ORDINALS.index(ordinal) + 1


def _plain(text: str) -> str:
    """Straight quotes, single spaces, no polite opening and no closing punctuation."""
    said = text.translate(_STRAIGHT)
    said = " ".join(said.split()).strip()
    while (shorter := _POLITE.sub("", said, count=1)) != said and shorter:
        said = shorter
    said = re.sub(r"[,\s]+(?:please|thanks|thank you)[.! ]*$", "", said, flags=re.IGNORECASE)
    return said.rstrip(" .!?;,")


def _small(said: str) -> Small | None:
    low = said.lower()
    if re.fullmatch(r"(?:hi|hello|hey|good (?:morning|afternoon|evening))(?: there)?", low):
        return Small("greeting")
    if re.fullmatch(r"(?:many )?thanks(?: a lot)?|thank you(?: very much| so much)?|great|perfect|cool", low):
        return Small("thanks")
    if re.fullmatch(r"help(?: me)?|what can (?:you|i) (?:do|say|ask)(?: here)?|how does this work", low):
        return Small("help")
    return None


def _impossible(said: str) -> Unclear | None:
    if _REOPEN.search(said):
        return Unclear("I have no tool to reopen a completed task.")
    for pattern, group in ((_DELETE, "target"), (_COMPLETE, "a"), (_COMPLETE, "b")):
        match = pattern.match(said)
        if match and match[group] and _BULK.match(match[group]):
            return Unclear("I change one task at a time: please name the task, or its number in the list.")
    return None


def _added(said: str, today: date) -> Add | None:
    match = _ADD.match(said)
    if match is None:
        return None
    rest, priority = match["rest"], details.level(match["level"])
    rest, description = details.cut_description(rest)
    quoted = details.quoted(rest)
    # A quoted title is taken as it is: only the words around it are read for details.
    around = _TO_LIST.sub("", re.sub(rf"[\"']{re.escape(quoted)}[\"']", "_", rest) if quoted else rest)
    around, found = details.cut_priority(around)
    dated = dates.take(around, today)
    around, due = (dated.rest, dated.due) if dated else (around, None)
    if found is None:
        # "by tomorrow, urgent" and "urgent, by tomorrow" are both said.
        around, found = details.cut_priority(around)
    title = quoted or details.title(around)
    return Add(title, found or priority, due, description) if title else None


def _updated(said: str, today: date) -> Update | Unclear | None:
    if match := _FIELD.match(said):
        return _field(target_of(match["target"]), match["field"].lower(), match["value"], today)
    match = _MAKE.match(said) or _CHANGE.match(said)
    if match is None or re.fullmatch(_DONE, match["value"], re.IGNORECASE):
        return None
    target, value = target_of(match["target"]), match["value"].strip()
    if not details.quoted(value):
        if level := details.level(value):
            return Update(target, priority=level)
        if due := dates.read(value, today):
            return Update(target, due=due)
    return Update(target, title=details.quoted(value) or details.title(value))


def _field(target: Target, name: str, value: str, today: date) -> Update | Unclear:
    if name == "priority":
        level = details.level(value)
        return Update(target, priority=level) if level else Unclear("A priority is high, medium or low.")
    if name in ("due date", "deadline", "date"):
        due = dates.read(value, today)
        return Update(target, due=due) if due else Unclear(f'I could not read "{value}" as a date.')
    text = details.quoted(value) or value.strip()
    return Update(target, description=text) if name == "description" else Update(target, title=text)


def _completed(said: str) -> Complete | None:
    match = _COMPLETE.match(said)
    if match is None:
        return None
    return Complete(target_of(next(group for group in match.groups() if group)))


def _deleted(said: str) -> Delete | None:
    match = _DELETE.match(said)
    return Delete(target_of(match["target"])) if match else None


def _shown(said: str) -> Show | None:
    short = re.fullmatch(
        r"(?:all |my |the |pending |open |completed |done |overdue )*(?:tasks|todos|to-dos|list)", said, re.I
    )
    if not short and not (_SHOW.search(said) and _ABOUT_TASKS.search(said)):
        return None
    low = said.lower()
    due: Literal["overdue", "today", "tomorrow", "week"] | None = None
    if re.search(r"\boverdue\b|\blate\b|\bpast due\b|\bmissed\b", low):
        due = "overdue"
    elif word := re.search(r"\b(today|tomorrow)\b", low):
        due = "today" if word.group() == "today" else "tomorrow"
    elif re.search(r"\b(?:this|next|coming) week\b", low):
        due = "week"
    status: Literal["all", "pending", "completed"] = "all"
    if re.search(
        r"\b(?:pending|open|incomplete|uncompleted|unfinished|remaining|left|outstanding|not done|to do)\b",
        low,
    ):
        status = "pending"
    elif re.search(r"\b(?:completed?|done|finished)\b", low):
        status = "completed"
    elif due:
        status = "pending"
    return Show(status, details.level(_found(rf"\b(?:{LEVEL})\b", low)), due)


def _found(pattern: str, text: str) -> str | None:
    match = re.search(pattern, text)
    return match.group() if match else None
