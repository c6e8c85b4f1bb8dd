"""The journal of tool calls: one line each, whatever became of it, without what people wrote."""

import time
from collections.abc import Mapping
from typing import Any

import structlog
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types import CallToolResult

from todo_mcp_server.identity import Caller

log = structlog.get_logger(__name__)


async def journal_tool_calls(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware of the MCP server that writes `tool_call` lines; other messages pass unseen."""
    if ctx.method != "tools/call":
        return await call_next(ctx)
    started = time.perf_counter()
    caller = Caller.of(ctx.request)
    line: dict[str, Any] = {
        "tool": str((ctx.params or {}).get("name", ""))[:64],
        "request_id": caller.request_id[:128],
        "trace_id": caller.trace_id,
        "outcome": "error",
    }
    try:
        result = await call_next(ctx)
        line |= _outcome(result)
        return result
    finally:
        log.info("tool_call", **line, duration_ms=round((time.perf_counter() - started) * 1000, 1))


def _outcome(result: HandlerResult) -> dict[str, Any]:
    if not isinstance(result, CallToolResult):
        result = CallToolResult.model_validate(result)
    if result.is_error:
        return {"outcome": "error"}
    content = result.structured_content
    if not isinstance(content, Mapping):
        return {"outcome": "ok"}
    if "tasks" in content:
        return {"outcome": "ok", "tasks": len(content["tasks"])}
    return {"outcome": "ok", "task_id": (content.get("task") or content).get("id")}
