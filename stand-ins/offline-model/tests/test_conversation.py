"""Whole turns: a sentence, the tool calls that follow from it, and the words at the end."""

from __future__ import annotations

import json

from offline_model.conversation import ASK_WHICH
from offline_model.sentences import failed
from world import TOOLS, Chat, TodoList, tool


def cards(text: str) -> list[str]:
    """Titles in the fenced JSON block of an answer."""
    block = text.split("```json\n")[1].split("\n```")[0]
    return [task["title"] for task in json.loads(block)["tasks"]]


def test_adding_confirms_with_details_and_shows_the_new_list() -> None:
    chat = Chat(TodoList("call Ann"))
    text = chat.say('Add "buy milk" high priority, due tomorrow')
    assert chat.todo.calls == [
        ("add_task", {"title": "buy milk", "priority": "high", "due_date": "2026-11-24"}),
        ("list_tasks", {"status": "all"}),
    ]
    assert text.startswith('Done: I added "buy milk" (high priority, due 2026-11-24).')
    assert cards(text) == ["buy milk", "call Ann"]


def test_the_day_in_the_system_message_wins_over_the_clock() -> None:
    chat = Chat(TodoList(), system="You manage tasks. Today is Thursday, 2027-04-01 (UTC).")
    chat.say("add buy milk tomorrow")
    assert chat.todo.calls[0][1]["due_date"] == "2027-04-02"


def test_only_arguments_in_the_tools_schema_are_sent() -> None:
    slim = [t for t in TOOLS if t["function"]["name"] == "list_tasks"]
    slim.append(
        {"type": "function", "function": {"name": "add_task", "parameters": {"properties": {"title": {}}}}}
    )
    chat = Chat(TodoList(), tools=slim)
    chat.say("add buy milk asap, due tomorrow")
    assert chat.todo.calls[0] == ("add_task", {"title": "buy milk"})


def test_listing_asks_the_tool_for_the_status() -> None:
    todo = TodoList("buy milk", "call Ann")
    todo.complete_task(todo.tasks[0]["id"])
    chat = Chat(todo)
    text = chat.say("show my pending tasks")
    assert chat.todo.calls == [("list_tasks", {"status": "pending"})]
    assert cards(text) == ["buy milk"]
    assert "1 pending task" in text
    assert "no overdue tasks" in chat.say("what is overdue?")


def test_overdue_compares_with_today_and_leaves_completed_ones_out() -> None:
    todo = TodoList()
    todo.add_task("late", due_date="2026-11-20T00:00:00")
    todo.add_task("today", due_date="2026-11-23T00:00:00")
    todo.add_task("late but done", due_date="2026-11-20T00:00:00")
    todo.complete_task(todo.tasks[0]["id"])
    assert cards(Chat(todo).say("what is overdue?")) == ["late"]
    assert cards(Chat(todo).say("what is due today?")) == ["today"]


def test_completing_by_name_lists_first_then_acts_on_the_id() -> None:
    todo = TodoList("buy milk", "call Ann")
    wanted = todo.tasks[1]["id"]
    chat = Chat(todo)
    text = chat.say("complete buy milk")
    assert chat.todo.calls == [
        ("list_tasks", {"status": "all"}),
        ("complete_task", {"task_id": wanted}),
        ("list_tasks", {"status": "all"}),
    ]
    assert text.startswith('Done: I completed "buy milk" (medium priority, completed).')


def test_completing_by_number_counts_the_list_from_one() -> None:
    todo = TodoList("third", "second", "first")
    chat = Chat(todo)
    assert '"second"' in chat.say("complete task 2")
    assert '"third"' in chat.say("complete the last task")
    assert "no task that matches task 9" in chat.say("complete task 9")


def test_completing_prefers_the_open_one_of_two_namesakes() -> None:
    todo = TodoList("buy milk", "buy milk")
    todo.complete_task(todo.tasks[0]["id"])
    Chat(todo).say("complete buy milk")
    assert all(task["is_completed"] for task in todo.tasks)


def test_an_id_needs_no_list_before() -> None:
    todo = TodoList("buy milk")
    chat = Chat(todo)
    chat.say(f"delete {todo.tasks[0]['id']}")
    assert chat.called == ["delete_task", "list_tasks"]
    assert todo.tasks == []


def test_renaming_and_other_changes() -> None:
    todo = TodoList("buy milk")
    chat = Chat(todo)
    assert '"buy oat milk"' in chat.say("rename buy milk to buy oat milk")
    chat.say("set the priority of oat milk to high")
    chat.say("move buy oat milk to tomorrow")
    chat.say("set the description of task 1 to two litres")
    task = todo.tasks[0]
    assert (task["title"], task["priority"], task["target_completion_date"], task["description"]) == (
        "buy oat milk",
        "high",
        "2026-11-24",
        "two litres",
    )


def test_two_to_five_matches_are_listed_and_the_answer_continues() -> None:
    todo = TodoList("buy milk", "buy tea", "call Ann")
    chat = Chat(todo)
    question = chat.say("delete buy")
    assert question.endswith(ASK_WHICH)
    assert chat.called == ["list_tasks"]
    assert '"buy milk"' in chat.say("the second one")
    assert [task["title"] for task in todo.tasks] == ["call Ann", "buy tea"]


def test_the_answer_to_which_one_may_be_words() -> None:
    todo = TodoList("buy milk", "buy tea")
    chat = Chat(todo)
    chat.say("complete buy")
    assert '"buy tea"' in chat.say("tea")


def test_a_number_without_a_question_before_means_nothing() -> None:
    chat = Chat(TodoList("buy milk"))
    chat.say("show my tasks")
    assert "did not understand" in chat.say("the second one")
    assert chat.called == []


def test_six_or_more_matches_ask_for_more_specific_words() -> None:
    chat = Chat(TodoList(*(f"buy item {n}" for n in range(6))))
    assert "6 tasks match" in chat.say("delete buy item")
    assert chat.called == ["list_tasks"]


def test_no_match_changes_nothing() -> None:
    chat = Chat(TodoList("buy milk"))
    assert 'no task that matches "cheese"' in chat.say("delete cheese")
    assert chat.called == ["list_tasks"]


def test_an_exact_title_beats_longer_ones() -> None:
    todo = TodoList("milk", "buy milk")
    Chat(todo).say("delete milk")
    assert [task["title"] for task in todo.tasks] == ["buy milk"]


def test_a_failing_tool_is_reported_by_operation() -> None:
    todo = TodoList("buy milk")
    chat = Chat(todo)
    for broken, sentence, operation in (
        ("add_task", "add tea", "create the task"),
        ("list_tasks", "show my tasks", "read your tasks"),
        ("list_tasks", "delete buy milk", "read your tasks"),
        ("delete_task", "delete buy milk", "delete the task"),
    ):
        todo.broken = broken
        assert chat.say(sentence) == f"Sorry, I could not {operation}: the database is away."


def test_a_failure_that_names_its_operation_is_not_repeated() -> None:
    assert failed(
        "create the task", "Error executing tool add_task: could not create the task: no account"
    ) == ("Sorry, I could not create the task: no account.")


def test_a_priority_is_asked_of_a_tool_that_knows_it() -> None:
    todo = TodoList("buy milk")
    chat = Chat(todo)
    chat.say("show my high priority tasks")
    assert chat.todo.calls == [("list_tasks", {"status": "all"})]
    tools = [tool("list_tasks", status="string", priority="string")]
    asked = Chat(todo, tools=tools).model([{"role": "user", "content": "show my high priority tasks"}]).call
    assert asked is not None
    assert asked.arguments == {"status": "all", "priority": "high"}


def test_a_change_stands_even_when_the_list_afterwards_fails() -> None:
    todo = TodoList()
    todo.broken = "list_tasks"
    assert Chat(todo).say("add tea") == 'Done: I added "tea" (medium priority).'


def test_without_the_tool_nothing_is_pretended() -> None:
    assert "no tool add_task" in Chat(TodoList(), tools=[]).say("add tea")


def test_nonsense_calls_no_tool_and_says_so() -> None:
    chat = Chat(TodoList())
    assert "did not understand" in chat.say("what is the capital of France?")
    assert chat.called == []
    assert "offline model" in chat.say("hello")
    assert "welcome" in chat.say("thanks")
    assert "reopen" in chat.say("reopen buy milk")
