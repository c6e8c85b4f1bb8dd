"""Serve the offline model: `python -m offline_model` (HOST, default 0.0.0.0; PORT, default 8090)."""

from __future__ import annotations

import os

import uvicorn


def main() -> None:
    uvicorn.run(
        "offline_model.app:app",
        host=os.environ.get("HOST", "0.0.0.0"),
        port=int(os.environ.get("PORT", "8090")),
        log_level="info",
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    main()
