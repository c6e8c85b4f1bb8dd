"""Refusals, one line each. The request's id is bound to the line; who and where is not written down."""

import structlog

log = structlog.get_logger(__name__)


def refused(event: str, status: int) -> None:
    """Log a refusal: `unauthenticated`, `forbidden`, `body_refused`, `rate_limited` or `off_topic`."""
    log.warning(event, security=True, status=status)
