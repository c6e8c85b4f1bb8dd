"""What a conversation said before: open questions, the list shown last, the task spoken of last.

A history carries words only, so all of it is read from the answers themselves.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from offline_model import details, grammar, results
from offline_model.intents import (
    Add,
    Complete,
    Delete,
    Intent,
    Look,
    Show,
    Small,
    Target,
    Targeted,
    Unclear,
    Undo,
    Update,
)
from offline_model.results import Task
from offline_model.sentences import ASK_WHICH, CONFIRM, OFFER_LIST
from offline_model.targets import matching, targets_of
from offline_model.wire import Message

_YES = re.compile(
    r"(?:yes|y|yeah|yep|yup|sure|ok|okay|please|please do|do it|go ahead|of course|correct|right|exactly"
    r"|confirm(?:ed)?|that one|that'?s (?:it|right|the one)|i do|fine)"
    r"(?:[, ]+(?:please|do it|go ahead|delete them|all of them|thanks))*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:no|n|nope|nah|never ?mind|cancel|stop|don'?t|do not|leave (?:it|them)|neither|nothing|not now"
    r"|none(?: of (?:them|these|those))?|forget (?:it|about it)|keep (?:it|them))"
    r"(?:[, ]+(?:thanks|thank you|please|never ?mind))*",
    re.IGNORECASE,
)
_MEANT = re.compile(r'Do you mean "(.+)"\?$')
_NUMBERED = re.compile(r'^\d+\. "(.+?)"(?: \(|$)', re.MULTILINE)
_BLOCK = re.compile(r"```json\n(.+?)\n```", re.DOTALL)
_REPORT = re.compile(r'\bI (added|completed|reopened|deleted|updated) ((?:[^."]|"[^"]*"|\.(?=\d))+)\.')
_TITLE = re.compile(r'"([^"]+)"')
_NOT_KNOWN = "I do not know which task you mean: please name it, or say its number in the list."


def meant(messages: Sequence[Message], today: date) -> tuple[Intent, ...]:
    """What the last of `messages`, a user's, asks for in the light of those before it."""
    said, before = messages[-1].text, messages[:-1]
    last = next(
        (i for i in range(len(before) - 1, -1, -1) if before[i].role == "assistant" and before[i].text), -1
    )
    if last >= 0:
        question = before[last].text.rstrip()
        asker = next((i for i in range(last - 1, -1, -1) if before[i].role == "user"), -1)
        earlier = meant(before[: asker + 1], today) if _is_question(question) and asker >= 0 else ()
        if continued := _continued(said, question, earlier, today):
            return continued
    return tuple(each for intent in grammar.understand(said, today) for each in _settled(intent, before))


def _is_question(text: str) -> bool:
    return text.endswith((ASK_WHICH, CONFIRM, OFFER_LIST)) or _MEANT.search(text) is not None


def _continued(said: str, question: str, earlier: Sequence[Intent], today: date) -> tuple[Intent, ...]:
    """The earlier intent with what the answer adds to it; nothing where the message starts anew."""
    if not _is_question(question):
        return ()
    answer = said.strip().rstrip(" .!,")
    if _NO.fullmatch(answer):
        return (Small("dropped"),)
    agreed = _YES.fullmatch(answer) is not None
    if question.endswith(OFFER_LIST):
        return (Show(),) if agreed else ()
    if question.endswith(CONFIRM):
        doubted = [each for each in earlier if isinstance(each, Delete) and each.target.every]
        return tuple(replace(each, confirmed=True) for each in doubted) if agreed else ()
    asked = next(
        (e for e in earlier if isinstance(e, Targeted) and e.target.words and str(e.target) in question), None
    )
    if asked is None:
        return ()
    if slip := _MEANT.search(question):
        return (replace(asked, target=Target(words=slip[1])),) if agreed else ()
    return _chosen(answer, question, asked, today)


def _chosen(answer: str, question: str, asked: Targeted, today: date) -> tuple[Intent, ...]:
    """The task or tasks that an answer to "which one?" picks, by number or by words of the title."""
    understood = grammar.understand(answer, today)
    first = understood[0]
    phrase_targets = targets_of(answer, today)
    if isinstance(first, type(asked)) and (first.target.position or first.target.every or first.target.it):
        phrase_targets = tuple(each.target for each in understood if isinstance(each, type(asked)))
    numbers = [target.position for target in phrase_targets if target.position is not None]
    if numbers:
        return tuple(replace(asked, target=replace(asked.target, position=number)) for number in numbers)
    if phrase_targets[0].every is not None or re.fullmatch(
        r"all(?: of them)?|both|any", answer, re.IGNORECASE
    ):
        return (replace(asked, target=replace(asked.target, every=Show())),)
    offered = [{"title": title} for title in _NUMBERED.findall(question)]
    words = phrase_targets[0].words
    if words and (fitting := matching(words, offered)):
        return tuple(replace(asked, target=Target(words=str(task["title"]))) for task in fitting[:1])
    if isinstance(first, Unclear) and not first.reason and words:
        return (replace(asked, target=Target(words=words)),)
    return ()


def _settled(intent: Intent, before: Sequence[Message]) -> tuple[Intent, ...]:
    """An intent whose "task 2" and "it" are tasks of the answers before, where those name them."""
    if isinstance(intent, Undo):
        return _undone(before)
    if not isinstance(intent, Complete | Delete | Update | Look):
        return (intent,)
    target = intent.target
    if target.it:
        found = _spoken_of(before)
        return (replace(intent, target=found),) if found else (Unclear(_NOT_KNOWN),)
    if target.position is not None and not target.words:
        shown = _last_list(before)
        index = target.position - 1 if target.position > 0 else target.position
        if -len(shown) <= index < len(shown):
            return (replace(intent, target=_target(shown[index])),)
        if shown:
            return (Unclear(f"There is no number {target.position}: my last list has {len(shown)}."),)
    return (intent,)


def _spoken_of(before: Sequence[Message]) -> Target | None:
    """The task that "it" means: the one changed last, or the only one of the list shown last."""
    for message in reversed(before):
        if message.role != "assistant" or not message.text:
            continue
        shown = _tasks(message.text)
        if reports := _reports(message.text):
            title = reports[-1][1][-1]
            return next((_target(task) for task in shown if task["title"] == title), Target(words=title))
        if len(shown) == 1:
            return _target(shown[0])
        if shown:
            return None
    return None


def _undone(before: Sequence[Message]) -> tuple[Intent, ...]:
    answers = [message.text for message in before if message.role == "assistant" and message.text]
    intents: list[Intent] = []
    for past, titles in _reports(answers[-1]) if answers else ():
        for title in titles:
            known = next(
                (t for text in answers[-2::-1] for t in _tasks(text) if t["title"] == title), {"title": title}
            )
            if past == "completed":
                intents.append(Complete(Target(words=title), completed=False))
            elif past == "reopened":
                intents.append(Complete(Target(words=title)))
            elif past == "added":
                intents.append(Delete(Target(words=title)))
            elif past == "deleted":
                intents.append(
                    Add(
                        title,
                        details.level(known.get("priority")),
                        results.due_day(known),
                        known.get("description") or None,
                    )
                )
            else:
                return (Unclear("I do not remember what it was before: please say how it should be."),)
    return tuple(intents) or (Unclear("There is nothing to undo: my last answer changed nothing."),)


def _reports(text: str) -> list[tuple[str, list[str]]]:
    """What an answer said it did: the verb and the titles."""
    words = text.split("\n", 1)[0]
    return [(past, found) for past, rest in _REPORT.findall(words) if (found := _TITLE.findall(rest))]


def _last_list(before: Sequence[Message]) -> list[Task]:
    for message in reversed(before):
        if message.role == "assistant" and (shown := _tasks(message.text)):
            return shown
    return []


def _tasks(text: str) -> list[Task]:
    """The tasks of an answer's JSON block."""
    match = _BLOCK.search(text)
    if match is None:
        return []
    try:
        return [task for task in json.loads(match[1])["tasks"] if task.get("id") and task.get("title")]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []


def _target(task: Task) -> Target:
    return Target(words=str(task["title"]), id=str(task["id"]))
