"""The budget of what the model is told."""

from todo_backend.chat.history import Turn, estimated_tokens, within_budget


def turn(content: str, *, mine: bool = True) -> Turn:
    return {"role": "user" if mine else "assistant", "content": content}


def test_what_fits_stays_as_it_is() -> None:
    turns = [turn("a" * 40), turn("b" * 40, mine=False), turn("c" * 40)]
    assert within_budget(turns, tokens=30) == turns


def test_the_newest_stay_and_the_rest_is_told_in_brief() -> None:
    turns = [turn("old  words " * 20), turn("an answer", mine=False), turn("b" * 40), turn("c" * 40)]
    summary, *kept = within_budget(turns, tokens=20)
    assert kept == turns[2:]
    assert summary["role"] == "system"
    assert "2 messages" in summary["content"]
    assert "- old words old" in summary["content"]
    assert "an answer" not in summary["content"]
    assert len(summary["content"]) < 200


def test_the_last_message_stays_however_long() -> None:
    turns = [turn("a"), turn("b" * 4000)]
    assert within_budget(turns, tokens=10)[-1] == turns[-1]


def test_tokens_are_rounded_up() -> None:
    assert [estimated_tokens("x" * length) for length in (0, 1, 4, 5)] == [0, 1, 1, 2]
