"""What the model is told of a conversation: the newest messages within a budget, the rest in brief."""

from collections.abc import Sequence
from typing import Literal, TypedDict

HISTORY_MESSAGES = 50
HISTORY_TOKENS = 8000
BRIEFS = 10
BRIEF_LENGTH = 80
_BYTES_PER_TOKEN = 3
"""Cautious for every language; the budget is no contract with one tokenizer."""


class Turn(TypedDict):
    """One message as the model's API takes it."""

    role: Literal["user", "assistant"]
    content: str


def estimated_tokens(text: str) -> int:
    """About how many tokens `text` costs, rounded up."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def within_budget(
    turns: Sequence[Turn], older: int = 0, asked: Sequence[str] = (), tokens: int = HISTORY_TOKENS
) -> list[Turn]:
    """The newest of `turns` that fit into `tokens`, the last always kept, headed by what was left out.

    `older` messages come before `turns`; `asked` is what the user wrote in the last of them.
    """
    kept: list[Turn] = []
    left = tokens - (_SUMMARY_TOKENS if older or _cost(turns) > tokens else 0)
    for turn in reversed(turns):
        left -= estimated_tokens(turn["content"])
        if left < 0 and kept:
            break
        kept.append(turn)
    kept.reverse()
    omitted = turns[: len(turns) - len(kept)]
    if not older and not omitted:
        return kept
    wrote = [*asked, *(turn["content"] for turn in omitted if turn["role"] == "user")]
    return [_summary(older + len(omitted), wrote), *kept]


def _cost(turns: Sequence[Turn]) -> int:
    return sum(estimated_tokens(turn["content"]) for turn in turns)


def _summary(omitted: int, wrote: Sequence[str]) -> Turn:
    """What the person asked for last in the messages that are left out: their words, so said by them."""
    lines = "".join(f"\n- {_brief(text)}" for text in wrote[-BRIEFS:])
    return {
        "role": "user",
        "content": f"Earlier here, in the {omitted} messages that are left out, I wrote:{lines}",
    }


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= BRIEF_LENGTH else line[: BRIEF_LENGTH - 1] + "…"


_SUMMARY_TOKENS = estimated_tokens(_summary(10_000, ["…" * BRIEF_LENGTH] * BRIEFS)["content"])
"""What the longest summary may cost."""
