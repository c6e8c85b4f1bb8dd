"""Entry of the process."""

import uvicorn

from todo_mcp_server import logs
from todo_mcp_server.config import Settings
from todo_mcp_server.server import create_app

_KEEP_ALIVE_SECONDS = 65


def run() -> None:
    """Serve until SIGTERM, then finish the calls under way."""
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
