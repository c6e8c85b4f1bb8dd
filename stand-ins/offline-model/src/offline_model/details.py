"""The details of a task inside a sentence: priority, description, quoted words."""

from __future__ import annotations

import re

from offline_model.intents import Priority

_PRIORITY_WORDS: tuple[tuple[Priority, str], ...] = (
    ("high", r"high|highest|top|urgent|important|critical|crucial"),
    ("medium", r"medium|normal|middle"),
    ("low", r"low|lowest|optional|unimportant"),
)
LEVEL = "|".join(words for _, words in _PRIORITY_WORDS)
_PRIORITY = re.compile(
    rf"[\s,;(\[]*\b(?:(?:with|at|as|of)\ )?(?:an?\ )?"
    rf"(?:(?P<before>{LEVEL})[\ -]priority|priority(?:\ is|\ to|:|=)?\ *(?P<after>{LEVEL})"
    r"|(?P<asap>asap|as\ soon\ as\ possible|urgently|right\ away)"
    r"|(?P<someday>when(?:ever)?\ (?:it'?s\ )?possible|optionally|some\ ?day|no\ hurry|when\ i\ have\ time))"
    r"\b[\s)\]]*",
    re.IGNORECASE | re.VERBOSE,
)
_ENDING = re.compile(
    r"[\s,;(\[]+(?:(?:it|this|that)(?: is|'?s) )?\(?(?:very |really |super )?"
    r"(?P<word>urgent|important|critical|optional)[\s)\].!]*$",
    re.IGNORECASE,
)
_DESCRIPTION = re.compile(
    r"[\s,;]*\b(?:with (?:the |a )?(?:description|details?|notes?)(?: is|:|=)?"
    r"|(?:description|details?|notes?)(?: is|:|=))\s+(?P<text>.+)$",
    re.IGNORECASE,
)


def level(text: str | None) -> Priority | None:
    """The priority that a phrase such as "a high priority" or "urgent" means as a whole."""
    if not text:
        return None
    phrase = re.sub(r"^(?:an? )?|[ -]priority$|^priority ", "", text.strip().lower()).strip()
    return next((level for level, words in _PRIORITY_WORDS if re.fullmatch(words, phrase)), None)


def cut_priority(text: str) -> tuple[str, Priority | None]:
    """The text without its priority phrase, and that priority."""
    if match := _PRIORITY.search(text):
        rest = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;")
        if match["asap"] or match["someday"]:
            return rest, "high" if match["asap"] else "low"
        return rest, level(match["before"] or match["after"])
    if match := _ENDING.search(text):
        return text[: match.start()], level(match["word"])
    return text, None


def cut_description(text: str) -> tuple[str, str | None]:
    """The text without "with the description ...", and that description."""
    match = _DESCRIPTION.search(text)
    if match is None or not text[: match.start()].strip(" ,;"):
        return text, None
    return text[: match.start()], quoted(match["text"]) or match["text"].strip()


def quoted(text: str) -> str:
    """The first quoted part, or an empty string."""
    match = re.search(r'"([^"]+)"|(?:^|(?<=\s))\'([^\']+)\'(?=\s|$)', text)
    return (match[1] or match[2]).strip() if match else ""


def title(text: str) -> str:
    """A task title out of what remains of a sentence."""
    words = re.sub(r"^(?:to|that|about|called|named)\s+", "", text.strip(" .,;:!?-"), flags=re.IGNORECASE)
    return " ".join(words.split()).strip(" .,;:!?-\"'")
