"""The application, and the entry of its process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from todo_backend import day, errors, health, logs
from todo_backend.allowance import Allowance
from todo_backend.chat import router as chat
from todo_backend.chat.assistant import Assistant
from todo_backend.chat.exchange import Exchanges
from todo_backend.chat.idempotency import Idempotency
from todo_backend.config import Settings
from todo_backend.database import create_engine, create_sessions, greet
from todo_backend.limits import BodyLimitMiddleware, RateLimit
from todo_backend.request_context import HEADER, RequestContextMiddleware
from todo_backend.state import open_state
from todo_backend.tasks import router as tasks

_KEEP_ALIVE_SECONDS = 65
"""Longer than the callers keep idle connections, so that none is closed under a request."""


_LAST_ANSWERS_SECONDS = 3
"""For answers whose readers have gone, after the requests under way have had their time."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The API; settings come from the environment unless given. Connects to nothing yet."""
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        engine = create_engine(settings)
        assistant = Assistant(settings)
        state = open_state(settings)
        async with httpx2.AsyncClient(timeout=settings.mcp_timeout) as http:
            app.state.settings = settings
            app.state.engine = engine
            app.state.sessions = create_sessions(engine)
            app.state.exchanges = Exchanges(settings, app.state.sessions, assistant)
            app.state.idempotency = Idempotency(
                app.state.sessions, state, settings.chat_timeout, settings.openai_model
            )
            app.state.api_limit = RateLimit(settings.api_requests_per_minute)
            app.state.allowance = Allowance(settings, app.state.sessions)
            app.state.http = http
            # Beside the MCP endpoint, also behind a sidecar's invocation path.
            app.state.mcp_health_url = str(httpx2.URL(str(settings.mcp_server_url)).join("health"))
            greeting = asyncio.create_task(greet(engine))
            yield
            greeting.cancel()
            await app.state.exchanges.finish(_LAST_ANSWERS_SECONDS)
        if state is not None:
            await state.close()
        await assistant.close()
        await engine.dispose()

    app = FastAPI(
        title="Todo AI Chatbot API",
        version="1.0.0",
        summary="Tasks, conversations and the assistant of a signed-in user",
        lifespan=lifespan,
    )
    app.include_router(health.router)
    app.include_router(tasks.router)
    app.include_router(chat.router)
    errors.install(app)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=[settings.frontend_origin],
        allow_credentials=True,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        allow_headers=["Content-Type", HEADER, "Idempotency-Key", day.HEADER],
        expose_headers=[HEADER, "Retry-After", "Idempotency-Replayed"],
    )
    app.add_middleware(BodyLimitMiddleware, max_bytes=settings.max_body_bytes)
    app.add_middleware(RequestContextMiddleware)
    return app


def run() -> None:
    """Serve until SIGTERM, then finish the requests under way."""
    settings = Settings()
    app = create_app(settings)
    logs.configure()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_timeout,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
    )


if __name__ == "__main__":
    run()
