"""What the model is told of a conversation: the newest messages within a budget, the rest in brief."""

from collections.abc import Sequence
from typing import Literal, TypedDict

HISTORY_MESSAGES = 50
HISTORY_TOKENS = 8000
_CHARACTERS_PER_TOKEN = 4
"""A cautious mean for everyday language; the budget is no contract with one tokenizer."""
_BRIEF_LENGTH = 80


class Turn(TypedDict):
    """One message as the model's API takes it."""

    role: Literal["user", "assistant", "system"]
    content: str


def estimated_tokens(text: str) -> int:
    """About how many tokens `text` costs, rounded up."""
    return -(-len(text) // _CHARACTERS_PER_TOKEN)


def within_budget(turns: Sequence[Turn], tokens: int = HISTORY_TOKENS) -> list[Turn]:
    """The newest of `turns` that fit into `tokens`, the last always kept, headed by what was left out."""
    kept: list[Turn] = []
    left = tokens
    for turn in reversed(turns):
        left -= estimated_tokens(turn["content"])
        if left < 0 and kept:
            break
        kept.append(turn)
    kept.reverse()
    omitted = turns[: len(turns) - len(kept)]
    return [_summary(omitted), *kept] if omitted else kept


def _summary(omitted: Sequence[Turn]) -> Turn:
    """A note of what the person asked for in the messages that are left out; at most ten of them."""
    asked = [_brief(turn["content"]) for turn in omitted if turn["role"] == "user"][-10:]
    lines = "".join(f"\n- {line}" for line in asked)
    return {
        "role": "system",
        "content": f"Earlier in this conversation ({len(omitted)} messages left out) the user wrote:{lines}",
    }


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _BRIEF_LENGTH else line[: _BRIEF_LENGTH - 1] + "…"
