"""Plain words in, intents out. No I/O, no model: the order of the patterns is the whole grammar."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import date

from offline_model import clauses, dates, details, questions
from offline_model.changes import completed, deleted, looked, noted, updated
from offline_model.details import LEVEL
from offline_model.intents import Add, Intent, Priority, Small, Target, Targeted, Unclear, Undo, Update
from offline_model.targets import NOUN

# Curly quotes and long dashes, as phones write them.
_STRAIGHT = {0x201C: '"', 0x201D: '"', 0x201E: '"', 0x2018: "'", 0x2019: "'", 0x2013: "-", 0x2014: "-"}
_POLITE = re.compile(
    r"^(?:hi|hello|hey)[,!. ]+(?!there)|^(?:please|kindly|ok|okay|now|and|then|also|so|yes|sure)[,! ]+"
    r"|^(?:great|thanks|thank you)[,!] *"
    r"|^(?:can|could|would|will) you (?:please )?(?!do\b)|^let'?s |^(?:actually|sorry|oh)[, ]+"
    r"|^(?:can|could|may) i (?:please )?(?=see|have|get)|^i(?: have|'ve) (?=finished|completed|done)"
    r"|^i(?:'d like| would like| want)(?: you)? to"
    r" (?=add|create|see|delete|remove|complete|mark|change|rename|know)"
    r"|^i(?:'d like| would like| want) (?=a new (?:task|todo)|another task)",
    re.IGNORECASE,
)
_LIST = rf"(?:my|the|our)\ (?:{NOUN}\ |shopping\ |grocery\ )?list"
_LEVEL_WORDS = rf"(?:very\ |really\ )?(?:{LEVEL})(?:[\ -]priority)?"

_ADD = re.compile(
    rf"""^(?:
        (?:add|create|insert|write\ down|note\ down|put(?!\ off))\b
        (?:\ me)?(?:\ an?|\ the|\ another|\ one)?(?:\ more)?(?:\ new)?
        (?P<level>\ {_LEVEL_WORDS})?(?:\ {NOUN})?(?:\ to\ {_LIST})?
        (?:\ (?:called|named|titled|saying|that\ says|for\ me\ to|to|for|about))?\s*[:,-]?\s+
      | (?:make(?:\ me)?|new|an?(?=\ new))(?:\ an?|\ another)?(?:\ new)?
        (?P<level2>\ {_LEVEL_WORDS})?\ {NOUN}(?!\ ?\#?\d)
        (?:\ (?:called|named|titled|to|for|about))?\s*[:,-]?\s+
      | set(?:\ up)?\ an?\ reminder\ (?:to|for|about|that)\s+ | remind\ me\ (?:to|about|that)\s+
      | (?:do\ not|don'?t)\ (?:let\ me\ )?forget\ (?:to\s+)?
      | i(?:\ still)?\ (?:need\ to|have\ to|ought\ to|must|should|need|gotta|want\ to)\ (?!see\b|do\b|know\b)
      | (?:i'?ve\ got\ to|i\ got\ to|we\ need\ to|we\ have\ to|we\ need)\ (?!do\b)
      | (?:remember|memo|note|task|to-?do)\s*(?::|\ to\b)\s*
    )(?P<rest>.+)$""",
    re.IGNORECASE | re.VERBOSE,
)
_TO_LIST = re.compile(rf"\s+(?:to|on|onto|in|into)\ {_LIST}|\s+to\ my\ {NOUN}", re.IGNORECASE | re.VERBOSE)
_UNDO = re.compile(
    r"^(?:undo|revert|(?:i )?take (?:it|that) back)(?: (?:that|it|this|the last (?:change|one|thing)))?$",
    re.I,
)
_NEVER_A_TASK = re.compile(r"\b(?:my|the|your) (?:tasks|todos|to-dos|list|todo list)\b|\?$", re.IGNORECASE)

_SMALL: tuple[tuple[str, str], ...] = (
    (
        "greeting",
        r"(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day))(?: there| again| assistant)?",
    ),
    (
        "thanks",
        r"(?:many |ok |okay )?thanks(?: a lot| so much)?|thank you(?: very much| so much)?|thx|cheers|perfect"
        r"|cool|nice|awesome|wonderful|(?:good|great)(?: job| work)?|well done|ok|okay|got it"
        r"|(?:that'?s|you are|you'?re) (?:great|perfect|all|awesome|the best)",
    ),
    (
        "help",
        r"help(?: me)?|what (?:can|do) (?:you|i) (?:do|say|ask)(?: here| for me)?|how does this work"
        r"|how can you help(?: me)?|what are (?:you able to do|your skills)|commands"
        r"|how do (?:i|you) use this",
    ),
    ("wellbeing", r"how are you(?: doing)?(?: today)?|how'?s it going|what'?s up|how do you do"),
    (
        "identity",
        r"who are you|what are you|are you (?:a )?(?:human|robot|bot|real|an ai|ai)|who made you"
        r"|what'?s your name",
    ),
    (
        "goodbye",
        r"(?:good ?)?bye(?: bye)?|see you(?: later| soon)?|good ?night|that'?s all for (?:today|now)",
    ),
    (
        "day",
        r"what(?:'s| is) (?:today(?:'s date)?|the date(?: today)?)"
        r"|(?:what|which) day is (?:it|today)(?: today)?",
    ),
)


def understand(text: str, today: date) -> tuple[Intent, ...]:
    """The intents of a message, in order; at least one."""
    found: list[Intent] = []
    for sentence in clauses.split(plain(text)):
        found += _merged([each for clause in sentence for each in _clause(clause, today)])
    telling = [each for each in found if not isinstance(each, Small)]
    return tuple(telling or found[:1] or [Unclear()])


def plain(text: str) -> str:
    """Straight quotes; spaces and tabs as single spaces, new lines kept."""
    lines = (" ".join(line.split()) for line in text.translate(_STRAIGHT).splitlines())
    return "\n".join(line for line in lines if line)


def _clause(text: str, today: date) -> Sequence[Intent]:
    said = _bare(text)
    if not said:
        return ()
    steps: tuple[Callable[[str, date], Sequence[Intent]], ...] = (
        _small,
        noted,
        _added,
        updated,
        deleted,
        looked,
        questions.shown,
        completed,
        _imperative,
    )
    for step in steps:
        if found := step(said, today):
            return found
    return (Unclear(said=text.strip()),)


def _bare(text: str) -> str:
    """No polite opening and no closing punctuation; a question mark is kept out of sight, not out of mind."""
    said = text.strip()
    while (shorter := _POLITE.sub("", said, count=1)) != said and shorter:
        said = shorter
    said = re.sub(r"[,\s]+(?:please|thanks|thank you|for me)[.!? ]*$", "", said, flags=re.IGNORECASE)
    return said.rstrip(" .!?;,")


def _small(said: str, _: date) -> Sequence[Intent]:
    if _UNDO.match(said):
        return (Undo(),)
    if re.fullmatch(
        r"(?:add|delete|remove|complete|finish|rename|change|update)(?: an?)?(?: new)?(?: task)?", said, re.I
    ):
        return (Unclear(f'Which task? Say for example "{said.split()[0].lower()} buy milk".'),)
    for kind, pattern in _SMALL:
        if re.fullmatch(pattern, said, re.IGNORECASE):
            return (Small(kind),)  # type: ignore[arg-type]
    return ()


def _added(said: str, today: date) -> Sequence[Intent]:
    match = _ADD.match(said)
    if match is None:
        return ()
    return _task(match["rest"], today, details.level((match["level"] or match["level2"] or "").strip()))


def _imperative(said: str, today: date) -> Sequence[Intent]:
    """A bare task: "buy milk tomorrow"."""
    if not clauses.begins_a_task(said) or _NEVER_A_TASK.search(said):
        return ()
    return _task(said, today, None)


def _task(rest: str, today: date, priority: Priority | None) -> Sequence[Intent]:
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
    if due is None:
        dated = dates.take(around, today)
        around, due = (dated.rest, dated.due) if dated else (around, None)
    title = quoted or details.title(around)
    return (Add(title, found or priority, due, description),) if title else ()


def _merged(intents: Sequence[Intent]) -> list[Intent]:
    """A sentence's intents: "it" is the task before it; a day at the end is for all tasks added."""
    merged: list[Intent] = []
    target: Target | None = None
    added: Add | None = None
    for each in intents:
        before = merged[-1] if merged else None
        if isinstance(each, Update) and each.target.it and isinstance(before, Add):
            merged[-1] = replace(
                before,
                priority=each.priority or before.priority,
                due=each.due or before.due,
                description=each.description or before.description,
            )
            continue
        if (
            isinstance(each, Update)
            and isinstance(before, Update)
            and each.target in (before.target, Target(it=True))
        ):
            merged[-1] = _both(before, each)
            continue
        if isinstance(each, Add):
            added = each
        if isinstance(each, Targeted):
            if each.target.it and added is not None:
                # It is the new task, which has no id yet; the one spoken of before is not meant.
                merged.append(
                    Unclear(f'I left "{added.title}" as I added it: please say the rest once more.')
                )
                continue
            added = None
            if each.target.it and target is not None:
                each = replace(each, target=target)
            target = target if each.target.it else each.target
        merged.append(each)
    adds = [each for each in merged if isinstance(each, Add)]
    if len(adds) > 1 and len(adds) == len(merged) and adds[-1].due and not any(add.due for add in adds[:-1]):
        return [replace(add, due=adds[-1].due) for add in adds]
    return merged


def _both(first: Update, second: Update) -> Update:
    """One change of one task in place of two; the later words win."""
    said = {item.name: getattr(second, item.name) for item in fields(second) if getattr(second, item.name)}
    return replace(first, **{**said, "target": first.target})
