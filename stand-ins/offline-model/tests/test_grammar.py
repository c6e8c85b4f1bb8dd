"""Everyday sentences and the one intent that each has."""

from __future__ import annotations

from datetime import date

import pytest

from offline_model.grammar import understand
from offline_model.intents import Add, Complete, Delete, Intent, Show, Small, Target, Unclear, Update

TODAY = date(2026, 11, 23)  # a Monday
TOMORROW = date(2026, 11, 24)
FRIDAY = date(2026, 11, 27)
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def words(text: str) -> Target:
    return Target(words=text)


@pytest.mark.parametrize(
    ("sentence", "intent"),
    [
        ('add "buy milk"', Add("buy milk")),
        ("Add buy milk", Add("buy milk")),
        ("Please add a task to buy milk.", Add("buy milk")),
        ("Can you create a new task called “Pay the rent”?", Add("Pay the rent")),
        ("create a task: call Ann", Add("call Ann")),
        ('Add a task "buy milk 7c9e" high priority, due tomorrow', Add("buy milk 7c9e", "high", TOMORROW)),
        ('create "buy milk" with high priority due tomorrow', Add("buy milk", "high", TOMORROW)),
        ("create 'buy milk' with low priority", Add("buy milk", "low")),
        ("add high priority task to call mom by friday", Add("call mom", "high", FRIDAY)),
        ("add an urgent task call mom", Add("call mom", "high")),
        ("add buy milk tomorrow, urgent", Add("buy milk", "high", TOMORROW)),
        ("add buy milk asap", Add("buy milk", "high")),
        ("add clean the garage when possible", Add("clean the garage", "low")),
        ("add milk to my shopping list", Add("milk")),
        ("put eggs on my list", Add("eggs")),
        ("remind me to water the plants in 3 days", Add("water the plants", due=date(2026, 11, 26))),
        ("I need to call the dentist next week", Add("call the dentist", due=date(2026, 11, 30))),
        ("don't forget to lock the door", Add("lock the door")),
        ("add write a note to Ann", Add("write a note to Ann")),
        (
            "add pay rent with description: use the new account",
            Add("pay rent", description="use the new account"),
        ),
        ("add renew passport by 2027-01-15", Add("renew passport", due=date(2027, 1, 15))),
        ("add send cards by December 20th", Add("send cards", due=date(2026, 12, 20))),
        ("add file taxes due 1 March", Add("file taxes", due=date(2027, 3, 1))),
        ("add plan the party the day after tomorrow", Add("plan the party", due=date(2026, 11, 25))),
        ("add report due friday with medium priority", Add("report", "medium", FRIDAY)),
        ("add meet Bob on monday", Add("meet Bob", due=date(2026, 11, 30))),
        ("add impossible date due 2026-02-31", Add("impossible date due 2026-02-31")),
        ('add "read tomorrow" tomorrow', Add("read tomorrow", due=TOMORROW)),
    ],
)
def test_adding(sentence: str, intent: Intent) -> None:
    assert understand(sentence, TODAY) == intent


@pytest.mark.parametrize(
    ("sentence", "intent"),
    [
        ("show my tasks", Show()),
        ("Show me all tasks", Show()),
        ("list", Show()),
        ("my tasks", Show()),
        ("list all", Show()),
        ("What's on my list?", Show()),
        ("what do I have to do?", Show("pending")),
        ("show pending tasks", Show("pending")),
        ("pending tasks", Show("pending")),
        ("which tasks are left?", Show("pending")),
        ("show completed tasks", Show("completed")),
        ("what tasks are done", Show("completed")),
        ("How many tasks are finished?", Show("completed")),
        ("what is overdue?", Show("pending", due="overdue")),
        ("overdue tasks", Show("pending", due="overdue")),
        ("what is due today", Show("pending", due="today")),
        ("which tasks are due tomorrow", Show("pending", due="tomorrow")),
        ("show tasks due this week", Show("pending", due="week")),
        ("show my high-priority tasks", Show(priority="high")),
        ("list low priority pending tasks", Show("pending", "low")),
    ],
)
def test_showing(sentence: str, intent: Intent) -> None:
    assert understand(sentence, TODAY) == intent


@pytest.mark.parametrize(
    ("sentence", "intent"),
    [
        ("complete buy milk", Complete(words("buy milk"))),
        ('mark "buy milk" as done', Complete(words("buy milk"))),
        ("mark buy milk as completed", Complete(words("buy milk"))),
        ("buy milk is done", Complete(words("buy milk"))),
        ("done with buy milk", Complete(words("buy milk"))),
        ("I have finished the report", Complete(words("report"))),
        ("complete task 2", Complete(Target(position=2))),
        ("mark #3 as done", Complete(Target(position=3))),
        ("finish the second one", Complete(Target(position=2))),
        ("complete the last task", Complete(Target(position=-1))),
        ("tick off the milk task", Complete(words("milk"))),
        (f"complete {ID.upper()}", Complete(Target(id=ID))),
        ("delete buy milk", Delete(words("buy milk"))),
        ("please remove the task called buy milk", Delete(words("buy milk"))),
        ("remove milk from my list", Delete(words("milk"))),
        ("get rid of task 4", Delete(Target(position=4))),
        ("rename buy milk to buy oat milk", Update(words("buy milk"), title="buy oat milk")),
        ('change "buy milk" to "buy tea"', Update(words("buy milk"), title="buy tea")),
        ("update task 1 to call Ann", Update(Target(position=1), title="call Ann")),
        ("set the priority of buy milk to high", Update(words("buy milk"), priority="high")),
        ("change priority of task 2 to low", Update(Target(position=2), priority="low")),
        ("make buy milk urgent", Update(words("buy milk"), priority="high")),
        ("set task 3 to low priority", Update(Target(position=3), priority="low")),
        ("move buy milk to friday", Update(words("buy milk"), due=FRIDAY)),
        ("postpone task 1 until tomorrow", Update(Target(position=1), due=TOMORROW)),
        ("change the due date of buy milk to next week", Update(words("buy milk"), due=date(2026, 11, 30))),
        (
            "set the description of buy milk to two litres",
            Update(words("buy milk"), description="two litres"),
        ),
        ("change the title of task 2 to buy tea", Update(Target(position=2), title="buy tea")),
    ],
)
def test_changing(sentence: str, intent: Intent) -> None:
    assert understand(sentence, TODAY) == intent


@pytest.mark.parametrize(
    ("sentence", "intent"),
    [
        ("hello!", Small("greeting")),
        ("Hi there", Small("greeting")),
        ("thanks a lot", Small("thanks")),
        ("what can you do?", Small("help")),
        ("what is the capital of France?", Unclear()),
        ("is the milk done", Unclear()),
        ("blue", Unclear()),
        ("   ", Unclear()),
    ],
)
def test_small_talk_and_nonsense(sentence: str, intent: Intent) -> None:
    assert understand(sentence, TODAY) == intent


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("delete all tasks", "one task at a time"),
        ("complete everything", "one task at a time"),
        ("mark all tasks as done", "one task at a time"),
        ("reopen buy milk", "reopen"),
        ("mark buy milk as not done", "reopen"),
        ("set the priority of milk to purple", "high, medium or low"),
        ("set the due date of milk to someday", "someday"),
    ],
)
def test_understood_but_impossible(sentence: str, part: str) -> None:
    intent = understand(sentence, TODAY)
    assert isinstance(intent, Unclear)
    assert part in intent.reason
