"""Everyday sentences and the one intent that each has."""

from __future__ import annotations

from datetime import date

import pytest

from offline_model.grammar import understand as intents_of
from offline_model.intents import (
    Add,
    Complete,
    Delete,
    Intent,
    Look,
    Period,
    Show,
    Small,
    Target,
    Unclear,
    Undo,
    Update,
)

TODAY = date(2026, 11, 23)  # a Monday
TOMORROW = date(2026, 11, 24)
FRIDAY = date(2026, 11, 27)
OVERDUE = Period("overdue", last=date(2026, 11, 22))
DUE_TODAY = Period("due today", TODAY, TODAY)
THIS_WEEK = Period("due this week", TODAY, date(2026, 11, 29))
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


def understand(sentence: str, today: date) -> Intent:
    """The one intent of a sentence."""
    [intent] = intents_of(sentence, today)
    return intent


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
        ("add call mum tomorrow at 5pm", Add("call mum at 5pm", due=TOMORROW)),
        ("add call mum at 5pm tomorrow", Add("call mum at 5pm", due=TOMORROW)),
        ("add call Dr. Smith tomorrow morning", Add("call Dr. Smith", due=TOMORROW)),
        ("add mow the lawn this weekend", Add("mow the lawn", due=date(2026, 11, 28))),
        ("add mow the lawn next weekend", Add("mow the lawn", due=date(2026, 12, 5))),
        ("add pay taxes next month", Add("pay taxes", due=date(2026, 12, 23))),
        ("add pay taxes in two months", Add("pay taxes", due=date(2027, 1, 23))),
        ("add report by the end of the month", Add("report", due=date(2026, 11, 30))),
        ("add report by the end of the week", Add("report", due=FRIDAY)),
        ("I need to pay the rent by friday, it is urgent", Add("pay the rent", "high", FRIDAY)),
        ("pay the rent by friday, it is urgent", Add("pay the rent", "high", FRIDAY)),
        ("set up a reminder to call Ann", Add("call Ann")),
        ("I've got to call Ann", Add("call Ann")),
        ("make a new task to call Ann", Add("call Ann")),
        ("new task: call Ann", Add("call Ann")),
        ("buy milk", Add("buy milk")),
        ("Buy milk and eggs tomorrow!", Add("buy milk and eggs".capitalize(), due=TOMORROW)),
        ("call mum asap", Add("call mum", "high")),
        ("add renew passport, make it urgent and move it to friday", Add("renew passport", "high", FRIDAY)),
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
        ("what is overdue?", Show("pending", due=OVERDUE)),
        ("overdue tasks", Show("pending", due=OVERDUE)),
        ("what is due today", Show("pending", due=DUE_TODAY)),
        ("which tasks are due tomorrow", Show("pending", due=Period("due tomorrow", TOMORROW, TOMORROW))),
        ("show tasks due this week", Show("pending", due=THIS_WEEK)),
        ("show my high-priority tasks", Show(priority="high")),
        ("tasks for today", Show("pending", due=DUE_TODAY)),
        ("anything due today?", Show("pending", due=DUE_TODAY)),
        ("am I late with anything?", Show("pending", due=OVERDUE)),
        ("what do I have to do this week?", Show("pending", due=THIS_WEEK)),
        (
            "what's due next week",
            Show("pending", due=Period("due next week", date(2026, 11, 30), date(2026, 12, 6))),
        ),
        (
            "what is on for this weekend",
            Show("pending", due=Period("due this weekend", date(2026, 11, 28), date(2026, 11, 29))),
        ),
        (
            "which tasks are due on friday?",
            Show("pending", due=Period("due on Friday, 27 November", FRIDAY, FRIDAY)),
        ),
        (
            "show tasks due in the next 3 days",
            Show("pending", due=Period("due in the next 3 days", TODAY, date(2026, 11, 26))),
        ),
        ("show tasks without a due date", Show("pending", due=Period("without a due date"))),
        ("what should I do first?", Show("pending", next_up=True)),
        ("what's next?", Show("pending", next_up=True)),
        ("find milk", Show(words="milk")),
        ("search for 'oat milk'", Show(words="oat milk")),
        ("show tasks about milk", Show(words="milk")),
        ("do I have a task for the dentist?", Show(words="dentist")),
        ("where is the milk task?", Show(words="milk")),
        ("what did I finish today?", Show("completed")),
        ("is milk on my list?", Show(words="milk")),
        ("which tasks do I have for today?", Show("pending", due=DUE_TODAY)),
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
        ("I bought milk", Complete(words("buy milk"))),
        ("complete it", Complete(Target(it=True))),
        ("complete all tasks", Complete(Target(every=Show()))),
        ("mark everything as done", Complete(Target(every=Show()))),
        ("complete all overdue tasks", Complete(Target(every=Show(due=OVERDUE)))),
        ("complete all hands meeting", Complete(words("all hands meeting"))),
        ("reopen buy milk", Complete(words("buy milk"), completed=False)),
        ("mark buy milk as not done", Complete(words("buy milk"), completed=False)),
        ("mark task 2 as pending", Complete(Target(position=2), completed=False)),
        ("buy milk is not done yet", Complete(words("buy milk"), completed=False)),
        ("uncheck #2", Complete(Target(position=2), completed=False)),
        ("undo", Undo()),
        ("undo that", Undo()),
        ("undo buy milk", Complete(words("buy milk"), completed=False)),
        ("clear my list", Delete(Target(every=Show()))),
        ("delete completed tasks", Delete(Target(every=Show("completed")))),
        ("delete all my completed tasks", Delete(Target(every=Show("completed")))),
        ("remove all low priority tasks", Delete(Target(every=Show(priority="low")))),
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
        ("postpone buy milk by 3 days", Update(words("buy milk"), later=3)),
        ("push task 2 back by a week", Update(Target(position=2), later=7)),
        ("put off buy milk until friday", Update(words("buy milk"), due=FRIDAY)),
        ("buy milk is due tomorrow", Update(words("buy milk"), due=TOMORROW)),
        ("buy milk is urgent", Update(words("buy milk"), priority="high")),
        ("make it urgent", Update(Target(it=True), priority="high")),
        ("give buy milk a high priority", Update(words("buy milk"), priority="high")),
        ("raise the priority of buy milk", Update(words("buy milk"), priority="high")),
        ("lower the priority of task 2", Update(Target(position=2), priority="low")),
        ("set high priority for buy milk", Update(words("buy milk"), priority="high")),
        ("edit task 1: buy bread", Update(Target(position=1), title="buy bread")),
        ("task 1 due tomorrow", Update(Target(position=1), due=TOMORROW)),
        ("make task 1 due friday", Update(Target(position=1), due=FRIDAY)),
        ("deprioritise buy milk", Update(words("buy milk"), priority="low")),
        ("prioritise buy milk", Update(words("buy milk"), priority="high")),
        (
            "set buy milk to high priority and due friday",
            Update(words("buy milk"), priority="high", due=FRIDAY),
        ),
        (
            "move buy milk to friday and make it urgent",
            Update(words("buy milk"), priority="high", due=FRIDAY),
        ),
        ("change buy milk's priority to low", Update(words("buy milk"), priority="low")),
        ("remove the due date of buy milk", Update(words("buy milk"), no_due=True)),
        ("set the due date of buy milk to none", Update(words("buy milk"), no_due=True)),
        ("add a note to buy milk: two litres", Update(words("buy milk"), description="two litres")),
        ("tell me more about task 2", Look(Target(position=2))),
        ("show task 2", Look(Target(position=2))),
        ("when is buy milk due?", Look(words("buy milk"))),
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
        ("what is the capital of France?", Unclear(said="what is the capital of France?")),
        ("how are you?", Small("wellbeing")),
        ("who are you?", Small("identity")),
        ("good night", Small("goodbye")),
        ("what day is it?", Small("day")),
        ("what is the weather like?", Unclear(said="what is the weather like?")),
        ("is the milk done", Unclear(said="is the milk done")),
        ("blue", Unclear(said="blue")),
        ("tell me a joke", Unclear(said="tell me a joke")),
        ("do I need to buy milk?", Unclear(said="do I need to buy milk?")),
        ("   ", Unclear()),
    ],
)
def test_small_talk_and_nonsense(sentence: str, intent: Intent) -> None:
    assert understand(sentence, TODAY) == intent


@pytest.mark.parametrize(
    ("sentence", "part"),
    [
        ("delete", "Which task?"),
        ("set the priority of milk to purple", "high, medium or low"),
        ("set the due date of milk to someday", "someday"),
    ],
)
def test_understood_but_impossible(sentence: str, part: str) -> None:
    intent = understand(sentence, TODAY)
    assert isinstance(intent, Unclear)
    assert part in intent.reason


@pytest.mark.parametrize(
    ("message", "intents"),
    [
        ("buy milk and call mum tomorrow", (Add("buy milk", due=TOMORROW), Add("call mum", due=TOMORROW))),
        ("buy milk today and call mum tomorrow", (Add("buy milk", due=TODAY), Add("call mum", due=TOMORROW))),
        ("add buy bread and butter", (Add("buy bread and butter"),)),
        ('add "salt and pepper" and "call Ann"', (Add("salt and pepper"), Add("call Ann"))),
        ("add milk, eggs and bread to my list", (Add("milk"), Add("eggs"), Add("bread"))),
        ("add two tasks: wash the car and paint", (Add("wash the car"), Add("paint"))),
        ("add:\n- wash the car\n2. call Ann", (Add("wash the car"), Add("call Ann"))),
        ("Remind me to buy tea. Then show my list!", (Add("buy tea"), Show())),
        ("complete milk and delete eggs", (Complete(words("milk")), Delete(words("eggs")))),
        ("complete tasks 1 and 3", (Complete(Target(position=1)), Complete(Target(position=3)))),
        ("delete the first two", (Delete(Target(position=1)), Delete(Target(position=2)))),
        ("delete 2-4", tuple(Delete(Target(position=number)) for number in (2, 3, 4))),
        ("hello, add tea", (Add("tea"),)),
        ("Hello! How are you? Add tea", (Add("tea"),)),
        ("add tea; blue", (Add("tea"), Unclear(said="blue"))),
        (
            "complete milk and make it urgent",
            (Complete(words("milk")), Update(words("milk"), priority="high")),
        ),
    ],
)
def test_several_things_in_one_message(message: str, intents: tuple[Intent, ...]) -> None:
    assert intents_of(message, TODAY) == intents
