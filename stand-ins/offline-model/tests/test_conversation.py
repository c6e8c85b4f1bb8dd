"""Whole turns: a sentence, the tool calls that follow from it, and the words at the end."""

from __future__ import annotations

import json

import pytest

from offline_model.sentences import ASK_WHICH, CONFIRM, OFFER_LIST, failed
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
    assert text.startswith('Done: I added "buy milk" (high priority, due tomorrow).')
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
    assert text.startswith('Done: I completed "buy milk" (medium priority).')


def test_completing_by_number_counts_the_list_from_one() -> None:
    todo = TodoList("third", "second", "first")
    chat = Chat(todo)
    assert '"second"' in chat.say("complete task 2")
    assert '"third"' in chat.say("complete the last task")
    assert "There is no number 9: my last list has 3." in chat.say("complete task 9")


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


def test_a_number_counts_the_list_that_was_shown_last() -> None:
    todo = TodoList("buy milk", "call Ann", "read")
    todo.complete_task(todo.tasks[0]["id"])
    chat = Chat(todo)
    assert cards(chat.say("show my pending tasks")) == ["call Ann", "buy milk"]
    assert 'I completed "buy milk"' in chat.say("complete the second one")
    assert chat.called == ["complete_task", "list_tasks"]


def test_the_answer_to_which_one_may_repeat_the_verb_or_name_several() -> None:
    todo = TodoList("buy milk", "buy tea", "buy eggs", "buy salt")
    chat = Chat(todo)
    chat.say("complete buy")
    chat.say("complete the first one")
    chat.say("delete buy")
    chat.say("2 and 3")
    assert [task["title"] for task in todo.tasks] == ["buy salt", "buy milk"]
    assert todo.tasks[0]["is_completed"]
    chat.say("reopen buy")
    chat.say("rename buy to get something")
    assert chat.say("buy milk").startswith('Done: I updated "get something"')
    chat.say("delete something else")


def test_both_answers_which_one() -> None:
    todo = TodoList("buy milk", "buy tea", "call Ann")
    chat = Chat(todo)
    chat.say("delete buy")
    assert 'I deleted "buy tea" and "buy milk".' in chat.say("both")


def test_which_one_may_stay_unanswered() -> None:
    todo = TodoList("buy milk", "buy tea")
    chat = Chat(todo)
    chat.say("delete buy")
    assert "changed nothing" in chat.say("neither, thanks")
    chat.say("delete buy")
    assert 'I added "read a book"' in chat.say("add read a book")
    assert len(todo.tasks) == 3


def test_several_tasks_are_added_at_once() -> None:
    chat = Chat(TodoList())
    text = chat.say("buy milk and call mum tomorrow")
    assert chat.rounds == [["add_task", "add_task"], ["list_tasks"]]
    assert text.startswith(
        'Done: I added "buy milk" (medium priority, due tomorrow) and "call mum" (medium priority, due'
    )
    assert cards(text) == ["call mum", "buy milk"]


def test_without_parallel_calls_they_are_made_one_by_one() -> None:
    chat = Chat(TodoList("buy milk", "call Ann"), parallel=False)
    chat.say("complete buy milk, delete call Ann and add tea")
    assert chat.rounds == [["list_tasks"], ["complete_task"], ["delete_task"], ["add_task"], ["list_tasks"]]
    assert [task["title"] for task in chat.todo.tasks] == ["tea", "buy milk"]


def test_one_of_several_changes_may_fail() -> None:
    todo = TodoList("buy milk")
    todo.broken = "add_task"
    text = Chat(todo).say("complete buy milk and add tea")
    assert 'Done: I completed "buy milk"' in text
    assert "Sorry, I could not create the task: the database is away." in text


def test_reopening() -> None:
    todo = TodoList("buy milk")
    chat = Chat(todo)
    chat.say("complete buy milk")
    assert 'I reopened "buy milk"' in chat.say("mark buy milk as not done")
    assert ("complete_task", {"task_id": todo.tasks[0]["id"], "completed": False}) in todo.calls
    assert '"buy milk" is open already.' in chat.say("reopen buy milk")
    chat.say("complete it")
    assert '"buy milk" is completed already.' in chat.say("complete buy milk")


def test_undo_takes_back_what_was_just_done() -> None:
    todo = TodoList("buy milk", "call Ann")
    chat = Chat(todo)
    chat.say("set the priority of buy milk to high and complete call Ann")
    assert "please say how it should be" in chat.say("undo")
    chat.say("complete buy milk")
    assert 'I reopened "buy milk"' in chat.say("undo")
    assert 'I completed "buy milk"' in chat.say("undo")
    chat.say("delete buy milk")
    assert 'I added "buy milk" (high priority)' in chat.say("undo that")
    assert 'I deleted "buy milk"' in chat.say("undo")
    assert "nothing to undo" in Chat(TodoList()).say("undo")


def test_it_is_the_task_spoken_of_last() -> None:
    todo = TodoList("call Ann")
    chat = Chat(todo)
    chat.say("add buy milk")
    chat.say("make it urgent and move it to friday")
    assert (todo.tasks[0]["priority"], todo.tasks[0]["target_completion_date"]) == ("high", "2026-11-27")
    assert chat.rounds == [["update_task"], ["list_tasks"]]
    assert "which task you mean" in Chat(TodoList("a", "b")).say("complete it")


def test_many_tasks_are_deleted_only_after_a_yes() -> None:
    todo = TodoList("buy milk", "call Ann", "read")
    todo.complete_task(todo.tasks[0]["id"])
    chat = Chat(todo)
    assert chat.say("delete all tasks").endswith(CONFIRM)
    assert "changed nothing" in chat.say("no")
    assert len(todo.tasks) == 3
    assert '1. "read"' in chat.say("delete completed tasks")
    assert 'I deleted "read"' in chat.say("yes, please")
    assert "no task to delete" in chat.say("delete completed tasks")
    chat.say("complete everything")
    assert all(task["is_completed"] for task in todo.tasks)


def test_a_yes_without_a_question_means_nothing() -> None:
    chat = Chat(TodoList("buy milk"))
    assert "did not understand" in chat.say("yes")
    assert chat.called == []


def test_a_slip_of_the_pen_is_asked_about() -> None:
    todo = TodoList("buy milk")
    chat = Chat(todo)
    assert chat.say("delete buy mlik").endswith('Do you mean "buy milk"?')
    assert chat.called == ["list_tasks"]
    assert 'I deleted "buy milk"' in chat.say("yes")


def test_no_match_offers_the_list() -> None:
    chat = Chat(TodoList("buy milk"))
    assert chat.say("complete cheese").endswith(OFFER_LIST)
    assert cards(chat.say("yes please")) == ["buy milk"]


def test_two_names_in_one_phrase() -> None:
    todo = TodoList("bread and butter", "milk", "eggs")
    chat = Chat(todo)
    chat.say("complete bread and butter")
    assert [task["is_completed"] for task in todo.tasks] == [False, False, True]
    assert 'I deleted "milk" and "eggs".' in chat.say("delete milk and eggs")


def test_putting_off_counts_from_the_due_day() -> None:
    todo = TodoList()
    todo.add_task("report", due_date="2026-11-30T00:00:00")
    chat = Chat(todo)
    chat.say("postpone report by 2 days")
    assert todo.tasks[0]["target_completion_date"] == "2026-12-02"
    chat.say("remove the due date of report")
    assert todo.tasks[0]["target_completion_date"] is None
    chat.say("postpone it by a week")
    assert todo.tasks[0]["target_completion_date"] == "2026-11-30"


def test_one_task_in_detail() -> None:
    todo = TodoList()
    todo.add_task("report", description="with figures")
    text = Chat(todo).say("tell me more about report")
    assert 'Here is "report" (medium priority). with figures' in text
    assert cards(text) == ["report"]


def test_what_next_names_the_most_pressing() -> None:
    todo = TodoList("some day", "another day")
    todo.add_task("urgent", priority="high")
    todo.add_task("late", due_date="2026-11-20")
    assert cards(Chat(todo).say("what should I do first?")) == ["late", "urgent", "another day"]


def test_searching_uses_the_tool_where_there_is_one() -> None:
    todo = TodoList("buy milk", "call Ann")
    assert cards(Chat(todo).say("find milk")) == ["buy milk"]
    asked = Chat(todo, tools=[tool("search_tasks", query="string")]).model(
        [{"role": "user", "content": "find milk"}]
    )
    assert [(call.name, call.arguments) for call in asked.calls] == [("search_tasks", {"query": "milk"})]


def test_long_lists_are_cut_and_counted() -> None:
    text = Chat(TodoList(*(f"number {n}" for n in range(30)))).say("show my tasks")
    assert text.startswith("You have 30 tasks:")
    assert text.endswith("These are the first 20 of 30.")
    assert len(cards(text)) == 20


def test_part_of_a_message_may_be_unclear() -> None:
    text = Chat(TodoList()).say("add tea; blue")
    assert 'I added "tea"' in text
    assert 'I did not understand "blue".' in text


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
    [asked] = (
        Chat(todo, tools=tools).model([{"role": "user", "content": "show my high priority tasks"}]).calls
    )
    assert asked.arguments == {"status": "all", "priority": "high"}


def test_a_period_is_asked_of_a_tool_that_knows_it() -> None:
    tools = [tool("list_tasks", status="string", due_from="string", due_before="string")]
    chat = Chat(TodoList(), tools=tools)
    for said, arguments in (
        ("what is overdue?", {"status": "pending", "due_before": "2026-11-23"}),
        (
            "what is due tomorrow?",
            {"status": "pending", "due_from": "2026-11-24", "due_before": "2026-11-25"},
        ),
    ):
        [asked] = chat.model([{"role": "user", "content": said}]).calls
        assert asked.arguments == arguments


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


@pytest.mark.parametrize(
    "said",
    [
        *("add pizza, then delete it", "add pizza and then mark it as done", "add pizza and complete it"),
        *("add pizza and delete it", "complete buy stamps, add pizza and delete it"),
    ],
)
def test_it_is_the_new_task_and_no_other(said: str) -> None:
    todo = TodoList()
    chat = Chat(todo)
    chat.say("add call the bank")
    chat.say("add buy stamps")
    text = chat.say(said)
    by_title = {task["title"]: task["is_completed"] for task in todo.tasks}
    assert by_title["call the bank"] is False
    assert by_title["buy stamps"] is said.startswith("complete")
    assert by_title.get("pizza", False) is False
    assert 'I left "pizza" as I added it' in text


def test_a_number_that_was_not_shown_is_refused() -> None:
    todo = TodoList()
    chat = Chat(todo)
    for number in range(30):
        chat.say(f"add errand {number:02d}")
    chat.say("show my tasks")
    assert "There is no number 25: my last list has 20." in chat.say("mark task 25 as done")
    assert not any(task["is_completed"] for task in todo.tasks)


def test_a_limit_is_said_before_the_question() -> None:
    todo = TodoList()
    chat = Chat(todo)
    for number in range(30):
        chat.say(f"add errand {number:02d}")
    asked = chat.say("delete everything")
    assert "I can delete 20 tasks at a time, so these first. This will permanently delete 20 tasks:" in asked
    chat.say("yes")
    assert len(todo.tasks) == 10


def test_a_title_with_fences_breaks_no_list() -> None:
    chat = Chat(TodoList())
    chat.say('add "explain ``` fences to Tom"')
    assert chat.say("show my tasks").count("```") == 3
