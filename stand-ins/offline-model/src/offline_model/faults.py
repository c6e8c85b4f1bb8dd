"""Errors in the API's own form, and those that a test orders by the header `X-Offline-Model-Fault`."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

FAULT_HEADER = "X-Offline-Model-Fault"
"""Name of the header; its value is the status to answer with: one of `ORDERED`."""

RETRY_AFTER = 1
"""Seconds, as the rate limit's answer tells them."""

ORDERED: dict[int, tuple[str, str, str | None]] = {
    400: (
        "This model's maximum context length was exceeded.",
        "invalid_request_error",
        "context_length_exceeded",
    ),
    401: ("Incorrect API key provided.", "invalid_request_error", "invalid_api_key"),
    403: (
        "You are not allowed to use this model.",
        "invalid_request_error",
        "unsupported_country_region_territory",
    ),
    404: (
        "The model does not exist or you do not have access to it.",
        "invalid_request_error",
        "model_not_found",
    ),
    429: ("Rate limit reached for requests. Please try again in 1s.", "requests", "rate_limit_exceeded"),
    500: ("The server had an error while processing your request. Sorry about that!", "server_error", None),
    503: ("The engine is currently overloaded, please try again later.", "service_unavailable_error", None),
}
"""Message, type and code for each status."""


def error(
    status: int,
    message: str,
    kind: str = "invalid_request_error",
    *,
    param: str | None = None,
    code: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """An error as the API answers it."""
    content = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return JSONResponse(content, status, headers)


def ordered(value: str | None) -> Response | None:
    """The error that a request orders by its header; None where it orders none."""
    if not value:
        return None
    if not value.isdecimal() or int(value) not in ORDERED:
        known = ", ".join(str(status) for status in ORDERED)
        return error(400, f"{FAULT_HEADER}: {value[:20]} is none of {known}", param=FAULT_HEADER)
    status = int(value)
    message, kind, code = ORDERED[status]
    headers = {}
    if status == 429:
        headers = {
            "retry-after": str(RETRY_AFTER),
            "retry-after-ms": str(RETRY_AFTER * 1000),
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": f"{RETRY_AFTER}s",
        }
    return error(status, message, kind, code=code, headers=headers)
