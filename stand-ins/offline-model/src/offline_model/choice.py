"""The `tool_choice` of a request: auto, none, required, one named tool, or a list of allowed tools."""

from __future__ import annotations

from datetime import date
from typing import Any

from offline_model import conversation
from offline_model.wire import Call, Reply, Request, Tool


class ChoiceError(ValueError):
    """A `tool_choice` that the request's tools do not allow; its text is for the caller."""


def reply(request: Request, clock: date) -> Reply:
    """The reply, within what `tool_choice` allows. `clock` is today. Raises `ChoiceError`."""
    mode, tools = _allowed(request)
    said = conversation.answer(
        request.model_copy(update={"tools": tools, "tool_choice": "none" if mode == "none" else "auto"}),
        clock,
    )
    if said.calls or mode in ("auto", "none"):
        return said
    return Reply(calls=[_forced(tools, request)])


def _allowed(request: Request) -> tuple[str, list[Tool]]:
    """The mode and the tools that may be called."""
    choice = request.tool_choice
    if isinstance(choice, str):
        if choice not in ("none", "auto", "required"):
            raise ChoiceError(
                f"Invalid value: '{choice}'. Supported values are: 'none', 'auto', and 'required'."
            )
        if choice == "required" and not request.tools:
            raise ChoiceError("'tool_choice' is only allowed when 'tools' are specified.")
        return choice, request.tools
    if choice.get("type") == "allowed_tools":
        allowed = choice.get("allowed_tools") or {}
        names = [_name(tool) for tool in allowed.get("tools") or ()]
        return str(allowed.get("mode", "auto")), [_offered(request, name) for name in names]
    return "required", [_offered(request, _name(choice))]


def _name(choice: dict[str, Any]) -> str:
    return str((choice.get("function") or {}).get("name", ""))


def _offered(request: Request, name: str) -> Tool:
    for tool in request.tools:
        if tool.function.name == name:
            return tool
    raise ChoiceError(f"Tool choice '{name}' not found in 'tools' parameter.")


def _forced(tools: list[Tool], request: Request) -> Call:
    """A call where the sentence asks for none: reading where possible, else the sentence in each field."""
    reading = [tool for tool in tools if tool.function.name == "list_tasks"]
    tool = (reading or tools)[0]
    said = next((message.text for message in reversed(request.messages) if message.role == "user"), "")
    required = tool.function.parameters.get("required") or ()
    return Call(name=tool.function.name, arguments=dict.fromkeys(required, said))
