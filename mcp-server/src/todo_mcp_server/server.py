"""The MCP server as an ASGI application: streamable HTTP without sessions, so any replica serves any call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from pydantic import AnyHttpUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse

from todo_mcp_server import tools
from todo_mcp_server.config import Settings
from todo_mcp_server.identity import BackendTokenVerifier
from todo_mcp_server.journal import journal_tool_calls
from todo_mcp_server.refusals import PlainServer
from todo_mcp_server.security_log import RefusalLogMiddleware
from todo_mcp_server.tasks import TaskStore

SERVICE_HOSTS = (
    "mcp-server-svc",
    "mcp-server-svc.todo",
    "mcp-server-svc.todo.svc",
    "mcp-server-svc.todo.svc.cluster.local",
    "localhost",
    "127.0.0.1",
)
"""Names under which the server is reached: its Service, a sidecar, a forwarded port."""

_MAX_BODY_BYTES = 64 * 1024
_ISSUER = AnyHttpUrl("http://backend-svc:8000")


def host_headers(settings: Settings) -> list[str]:
    """The Host headers to accept, with any port and without; another name is answered 421."""
    names = (*SERVICE_HOSTS, *settings.allowed_hosts)
    return [header for name in names for header in (name, f"{name}:*")]


async def _health(_: Request) -> JSONResponse:
    """The process serves HTTP; asks nothing else."""
    return JSONResponse({"status": "healthy"})


def create_app(settings: Settings) -> Starlette:
    """The server with its tools, `/mcp` behind the bearer check and `/health` open."""

    @asynccontextmanager
    async def lifespan(_: MCPServer[TaskStore]) -> AsyncIterator[TaskStore]:
        async with TaskStore.open(settings) as store:
            yield store

    server = PlainServer(
        "todo-mcp-server",
        version="1.0.0",
        instructions="Tasks of the signed-in user.",
        lifespan=lifespan,
        middleware=[journal_tool_calls],
        token_verifier=BackendTokenVerifier(settings.mcp_signing_key),
        # The verifier checks the audience itself; there is no authorization server to advertise.
        auth=AuthSettings(issuer_url=_ISSUER, resource_server_url=None),
        subscriptions=False,
        log_level="WARNING",
    )
    tools.register(server)
    server.custom_route("/health", methods=["GET"])(_health)
    app = server.streamable_http_app(
        stateless_http=True,
        json_response=True,
        max_request_body_size=_MAX_BODY_BYTES,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True, allowed_hosts=host_headers(settings)
        ),
    )
    app.add_middleware(RefusalLogMiddleware)
    return app
