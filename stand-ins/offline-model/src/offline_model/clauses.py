"""A message cut into clauses: "add milk and eggs; then show my list" asks for more than one thing."""

from __future__ import annotations

import re

_VERBS = (
    "apply approve arrange ask assemble attend bake book bring brush build buy call catch charge check "
    "choose clean collect compare confirm congratulate contact cook count cut debug decide defrost "
    "deliver deploy design discuss do download draft draw drive dust eat email empty exercise feed fetch "
    "file fill finalise finalize find finish fix fold follow get give go grab hang help hire hoover "
    "install invite invoice iron jog join knit learn lend load lock look mail make measure meditate meet "
    "mend message mop mow open order organise organize pack paint park pay phone photograph pick plan "
    "plant play polish post practice practise prepare print publish purchase put rake read refill "
    "register rehearse renew rent repaint repair replace reply report repot request research reserve "
    "respond return review revise ride ring run scan schedule see sell send sew share shop shovel sign "
    "sing sketch sort speak start stop stretch study submit swap sweep swim take talk teach tell test "
    "text tidy train transfer translate trim try turn unpack upgrade upload vacuum visit walk wash watch "
    "water weed whisk wipe withdraw work wrap write"
)
VERBS = frozenset(_VERBS.split(" "))
"""What people put on their lists: a phrase that begins so is a task of its own."""

_COMMANDS = (
    "add|create|complete|tick|untick|mark|reopen|uncomplete|delete|remove|erase|rename|retitle|show|list|display|remind"
    "|reschedule|postpone|prioriti[sz]e|search|undo"
)
_SHARED = "set|change|move|update|make|finish|close|cancel|drop|push|delay|give|edit|put|check"
"""Words that command where a command came before, and that begin a task where a task was added before."""

_QUOTED = re.compile(r"\"[^\"]*\"|(?:^|(?<=\s))'[^']+'(?=[\s,.;!?]|$)")
_HELD = {
    ",": "\ue000",
    ";": "\ue001",
    ".": "\ue002",
    " and ": "\ue003",
    "!": "\ue004",
    "?": "\ue005",
    "\n": "\ue006",
}
_ABBREVIATED = (
    r"(?<!\bdr)(?<!\bmr)(?<!\bmrs)(?<!\bms)(?<!\bst)(?<!\bno)(?<!\bnr)(?<!\bvs)(?<!\bprof)(?<!\be\.g)"
)
_SENTENCE = re.compile(rf"(?<=[^\s.!?]){_ABBREVIATED}[.!?]+\s+(?=\S)|\s*;\s*|\n+", re.IGNORECASE)
_JOINT = re.compile(
    r"\s*,\s*(?:and then|then|and also|and)\s+|\s+(?:and then|and also|and|&|plus)\s+|\s*,\s*",
    re.IGNORECASE,
)
_OF_IT = re.compile(r"^\w+ (?:it|them|that)\b", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_ADDING = re.compile(
    r"^(?:please\s+)?(?:add|create|new|put|remind|remember|don'?t forget|i (?:need|have|must|should))\b", re.I
)
_PLURAL = re.compile(
    r"^(?:please )?(?:add|create|put|make)(?: me)?"
    r"(?: these| the following| a few| some| new| \d+| two| three| four| five)*"
    r" (?:tasks|todos|to-dos|items|things|reminders)"
    r"\s*(?:[:-]\s*|to my list\s*:?\s*|called\s+|named\s+)?(?P<rest>.*)$",
    re.IGNORECASE | re.DOTALL,
)
_TO_LIST = re.compile(r"\s+(?:to|on|onto|in) (?:my|the|our) (?:[\w-]+ )?list$", re.IGNORECASE)


def split(message: str) -> list[list[str]]:
    """The sentences of a message, each as clauses that ask for one thing each; quoted parts stay whole."""
    text = _QUOTED.sub(_hold, message.strip())
    sentences = [_listed(text)]
    if not sentences[0]:
        sentences = [_joined(sentence.strip()) for sentence in _SENTENCE.split(text) if sentence.strip()]
    return [[_release(clause) for clause in clauses] for clauses in sentences]


def _listed(text: str) -> list[str]:
    """One adding clause for each line or part of "add these tasks: ..."."""
    head, *rest = text.split("\n")
    bullets = [_BULLET.sub("", line).strip() for line in rest if line.strip()]
    if bullets and _ADDING.match(head) and head.rstrip().endswith((":", "list", "tasks")):
        return [f"add {line}" for line in bullets]
    match = _PLURAL.match(text)
    if match is None or not match["rest"].strip() or "\n" in text:
        return []
    return [f"add {part}" for part in _parts(match["rest"]) if part]


def _joined(sentence: str) -> list[str]:
    """Cut a sentence where a joint is followed by a new command or a new task."""
    adding = bool(_ADDING.match(sentence)) or begins_a_task(sentence)
    if adding and (listed := _TO_LIST.search(sentence)):
        verb = re.match(r"^(?:please\s+)?(?:add|put)\s+", sentence, re.IGNORECASE)
        parts = _parts(sentence[verb.end() : listed.start()]) if verb else []
        if len(parts) > 1 and not any(_begins(part, _COMMANDS) for part in parts):
            return [f"add {part}" for part in parts]
    clauses: list[str] = []
    start, head = 0, ""
    for joint in _JOINT.finditer(sentence):
        rest = sentence[joint.end() :]
        next_head = ""
        if _begins(rest, _COMMANDS):
            adding = bool(_ADDING.match(rest))
        elif adding and (begins_a_task(rest) or _begins(rest, _SHARED) or rest.startswith('"')):
            next_head = "" if _OF_IT.search(rest) else "add "
        elif adding or not _begins(rest, _SHARED):
            continue
        clauses.append(head + sentence[start : joint.start()])
        start, head = joint.end(), next_head
    clauses.append(head + sentence[start:])
    return [clause.strip() for clause in clauses if clause.strip()]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in _JOINT.split(text) if part and part.strip()]


def begins_a_task(text: str) -> bool:
    """Whether a phrase reads as a task by itself: "buy milk", "to call Ann"."""
    words = re.match(r"(?:to\s+)?([a-z]+)\s+(?!me\b|i\b|you\b|we\b|they\b)\S", text, re.IGNORECASE)
    return words is not None and words[1].lower() in VERBS


def _begins(text: str, words: str) -> bool:
    return re.match(rf"(?:please\s+|also\s+)?(?:{words})\b", text, re.IGNORECASE) is not None


def _hold(match: re.Match[str]) -> str:
    text = match.group()
    for plain, held in _HELD.items():
        text = text.replace(plain, held)
    return text


def _release(text: str) -> str:
    for plain, held in _HELD.items():
        text = text.replace(held, plain)
    return text
