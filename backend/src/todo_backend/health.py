"""Whether the process lives (/health) and whether it can serve (/ready); kept apart on purpose.

A failing /health restarts the pod, so it must not hang on anything that a restart cannot mend.
"""

import asyncio
from collections.abc import Awaitable

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import text
from starlette.responses import JSONResponse

router = APIRouter(tags=["health"])
log = structlog.get_logger(__name__)


@router.get("/")
async def about(request: Request) -> dict[str, str]:
    """What answers here."""
    return {"message": "Todo AI Chatbot API", "version": request.app.version}


@router.get("/health")
async def health() -> dict[str, str]:
    """The process serves HTTP; asks nothing else."""
    return {"status": "healthy"}


class Readiness(BaseModel):
    """What was asked, and how each answered: ok or failed."""

    status: str = Field(examples=["ready"])
    checks: dict[str, str] = Field(examples=[{"database": "ok", "mcp_server": "ok"}])


@router.get(
    "/ready",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "something needed does not answer"}},
)
async def ready(request: Request) -> JSONResponse:
    """Whether the database and the MCP server answer; 503 with the one that does not."""
    seconds: float = request.app.state.settings.ready_timeout
    database, mcp_server = await asyncio.gather(
        _answers("database", _ask_database(request), seconds),
        _answers("mcp_server", _ask_mcp_server(request), seconds),
    )
    checks = {"database": "ok" if database else "failed", "mcp_server": "ok" if mcp_server else "failed"}
    is_ready = database and mcp_server
    return JSONResponse(
        {"status": "ready" if is_ready else "not ready", "checks": checks}, 200 if is_ready else 503
    )


async def _answers(name: str, question: Awaitable[None], seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await question
    except Exception as error:
        log.warning("not_ready", check=name, exc_info=error)
        return False
    return True


async def _ask_database(request: Request) -> None:
    async with request.app.state.engine.connect() as connection:
        await connection.execute(text("SELECT 1"))


async def _ask_mcp_server(request: Request) -> None:
    answer = await request.app.state.http.get(request.app.state.mcp_health_url)
    answer.raise_for_status()
