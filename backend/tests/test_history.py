"""The budget of what the model is told."""

from todo_backend.chat.history import HISTORY_TOKENS, Turn, estimated_tokens, within_budget


def turn(content: str, *, mine: bool = True) -> Turn:
    return {"role": "user" if mine else "assistant", "content": content}


def test_what_fits_stays_as_it_is() -> None:
    turns = [turn("a" * 30), turn("b" * 30, mine=False), turn("c" * 30)]
    assert within_budget(turns, tokens=30) == turns


def test_the_newest_stay_and_the_rest_is_told_in_brief() -> None:
    turns = [turn("old  words " * 400), turn("an answer", mine=False), turn("b" * 30), turn("c" * 30)]
    summary, *kept = within_budget(turns, tokens=1000)
    assert kept == turns[1:]
    assert summary["role"] == "user"
    assert "1 messages" in summary["content"]
    assert "- old words old" in summary["content"]
    assert len(summary["content"]) < 200


def test_messages_that_were_not_even_read_are_counted_and_told() -> None:
    turns = [turn("newest")]
    summary, *kept = within_budget(turns, older=12, asked=["add milk", "delete bread"])
    assert kept == turns
    assert summary["content"].startswith("Earlier here, in the 12 messages that are left out, I wrote:")
    assert summary["content"].endswith("\n- add milk\n- delete bread")


def test_the_budget_holds_with_the_summary() -> None:
    turns = [turn("word " * 100) for _ in range(50)]
    whole = within_budget(turns, older=500, asked=["é" * 200] * 10)
    assert len(whole) < 51
    assert sum(estimated_tokens(entry["content"]) for entry in whole) <= HISTORY_TOKENS


def test_the_last_message_stays_however_long() -> None:
    turns = [turn("a"), turn("b" * 4000)]
    assert within_budget(turns, tokens=10)[-1] == turns[-1]


def test_tokens_are_rounded_up_and_count_bytes() -> None:
    assert [estimated_tokens("x" * length) for length in (0, 1, 3, 4)] == [0, 1, 1, 2]
    assert estimated_tokens("語" * 3) == 3
