"""Questions for tasks: which ones to show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from offline_model import dates, details
from offline_model.details import LEVEL
from offline_model.intents import Intent, Period, Show, Status
from offline_model.targets import NOUN, level_in, status_of

_ASKING = re.compile(
    r"^(?:show|list|display|see|view|get|give|tell|print|read|fetch|have)\b"
    r"|^(?:what|which|how many|how much|do i have|have i got|are there|is there|any|anything|am i|when)\b",
    re.IGNORECASE,
)
_ABOUT_TASKS = re.compile(
    rf"\b{NOUN}\b|\blist\b|\boverdue\b|\bdue\b|\bpending\b|\b(?:completed?|done|finish(?:ed)?)\b|\blate\b|\bbehind\b"
    r"|\bto do\b|\bleft\b|\bon my plate\b|\bmy day\b|\bagenda\b|\bschedule\b"
    r"|\b(?:high|low|medium)[ -]priority\b|\b(?:urgent|important)\b"
    r"|\bon (?:for )?(?:today|tomorrow)\b|\b(?:planned|scheduled|up)\b"
    r"|^what(?:'s| is| do i have| have i got) .*(?:today|tomorrow|this week|next week|weekend)$"
    r"|^(?:show|list)(?: me)?(?: all| everything)?$",
    re.IGNORECASE,
)
_SHORT = re.compile(
    rf"^(?:all |my |the |pending |open |completed |done |overdue |(?:{LEVEL})(?: |-)(?:priority )?)*"
    r"(?:tasks|todos|to-dos|list|overdue|pending|agenda)"
    r"(?: (?:due )?(?:for )?(?:today|tomorrow|this week|next week))?$",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"^what(?:'s| is)? (?:next|(?:the )?most (?:important|urgent|pressing)\b.*)$"
    r"|^what (?:should|shall|must|do) i (?:need to |have to )?(?:do|start|work on|tackle|begin)(?: with)?"
    r" (?:first|next|now)\b.*$"
    r"|^where (?:should|shall|do) i (?:start|begin)$|^(?:what )?(?:now|next)$|^what has priority$",
    re.IGNORECASE,
)
_SEARCH = re.compile(
    rf"""^(?:
        (?:search|look|find|look\ up)(?:\ (?:my|in\ my|through\ my|all)\ (?:{NOUN}|list))?(?:\ for)?
        (?:\ (?:all\ |any\ |my\ |the\ )?{NOUN})?
        (?:\ (?:about|with|containing|for|named|called|on|mentioning|related\ to|regarding
          |that\ (?:mention|contain)s?))?\ (?P<a>.+)
      | (?:show|list|display|see|get|give|which|what|do\ i\ have|have\ i\ got|(?:is|are)\ there|any(?:thing)?)
        \b.*?\b(?:{NOUN}|anything|something|one)\ (?:do\ i\ have\ |are\ there\ |i\ have\ )?
        (?:about|containing|mention(?:ing)?|named|called|regarding|related\ to
          |that\ (?:mention|contain|are\ about)s?|with\ the\ words?|with|for|to)\ (?P<b>.+)
      | where(?:'s|\ is)\ (?P<d>.+?)(?:\ {NOUN})?
      | (?:is|do\ i\ have|have\ i\ got|did\ i\ add)\ (?P<c>(?!anything|any\b|there|it\b).+?)\ (?:already\ )?
        on\ (?:my|the)\ (?:{NOUN}\ )?list
    )$""",
    re.IGNORECASE | re.VERBOSE,
)


def shown(said: str, today: date) -> Sequence[Intent]:
    """Which tasks a sentence asks for; nothing where it does not ask."""
    if _NEXT.match(said):
        return (Show("pending", next_up=True),)
    if words := _words(said, today):
        return (Show(status_of(said), words=words),)
    if not _SHORT.match(said) and not (_ASKING.search(said) and _ABOUT_TASKS.search(said)):
        return ()
    due = dates.period(said, today)
    if status_of(said) == "completed" and not re.search(r"\bdue\b", said, re.IGNORECASE):
        due = None  # "what did I finish today": the tools do not tell when
    return (Show(_status(said, due), details.level(level_in(said)), due),)


def _words(said: str, today: date) -> str:
    """What a search looks for; empty where "for today" or "with high priority" only narrows the list."""
    match = _SEARCH.match(said)
    if match is None:
        return ""
    found = next(group for group in match.groups() if group)
    quoted = details.quoted(found)
    if not quoted and (
        dates.period(found, today)
        or details.level(level_in(found))
        or re.fullmatch(rf"(?:do|me|now|be done|complete|show|{NOUN})", found, re.IGNORECASE)
        or re.match(r"(?:do|a due date|be (?:done|finished))\b", found, re.IGNORECASE)
    ):
        return ""
    return quoted or re.sub(r"^(?:the|my|a|an|word|words)\s+", "", found, flags=re.IGNORECASE).strip(" '\"")


def _status(said: str, due: Period | None) -> Status:
    status = status_of(said)
    if status == "all" and (due or re.search(r"\bhave to\b|\bneed to\b", said, re.IGNORECASE)):
        return "pending"
    return status
