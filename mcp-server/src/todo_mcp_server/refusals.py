"""Refused arguments in words that a model can read and act on."""

from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from todo_mcp_server.tasks import TaskStore


def explained(name: str, error: ValidationError) -> str:
    """One line: the tool, then each refused argument with its reason; values are not repeated."""
    reasons = {
        f"{'.'.join(str(part) for part in found['loc']) or 'arguments'}: {found['msg']}"
        for found in error.errors(include_url=False, include_input=False)
    }
    return f"{name} refused its arguments: {'; '.join(sorted(reasons))}"


class PlainServer(MCPServer[TaskStore]):
    """An MCP server whose refusals are one plain line, without the SDK's prefix and links."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """Run a tool.

        Raises:
            ToolError: the arguments do not fit the schema, or the tool says why it could not.
        """
        given: Context[TaskStore, Any] | None = context
        try:
            return await super().call_tool(name, arguments, given)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                raise ToolError(explained(name, cause)) from cause
            if type(cause) is ToolError:
                raise cause from cause.__cause__
            raise
