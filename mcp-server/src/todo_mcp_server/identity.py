"""Who calls: the identity that the backend vouches for by a short-lived signed token.

The user's id is never a parameter of a tool, so neither the model nor a crafted message can choose it.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

import jwt
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken, TokenVerifier
from pydantic import SecretStr

ISSUER = "todo-backend"
AUDIENCE = "todo-mcp-server"
_LEEWAY_SECONDS = 5
_UNKNOWN_REQUEST = "-"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class BackendTokenVerifier(TokenVerifier):
    """Accepts the backend's tokens: HS256, issuer, audience, expiry and a subject."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    async def verify_token(self, token: str) -> AccessToken | None:
        """The verified identity, or None for a token that is not the backend's or has expired."""
        try:
            claims = jwt.decode(
                token,
                self._key.get_secret_value(),
                algorithms=["HS256"],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["sub", "iss", "aud", "iat", "exp"]},
            )
        except jwt.InvalidTokenError:
            return None
        subject = claims["sub"]
        if not subject:
            return None
        return AccessToken(
            token=token,
            client_id=ISSUER,
            scopes=[],
            subject=subject,
            claims={"iss": ISSUER} | {name: str(claims.get(name, "")) for name in ("jti", "zoneinfo")},
        )


_zones = cache(available_timezones)


def _zone(name: Any) -> ZoneInfo:
    """The zone of that IANA name; UTC for what is none, as from a backend that tells none."""
    return ZoneInfo(name if name in _zones() else "UTC")


def _uuid(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (TypeError, ValueError):
        return None


@dataclass(frozen=True)
class Caller:
    """One HTTP request's verified user and the request id that ties the services' logs together."""

    user_id: str
    zone: ZoneInfo
    """Where the user is: their day decides what is overdue."""
    request_id: str
    message_id: UUID | None
    """Of this one message, however often it comes; None where the token names none."""
    trace_id: str
    """Of the W3C header `traceparent`; empty without one."""

    @classmethod
    def of(cls, request: Any) -> "Caller":
        """The caller of a Starlette request that has passed the bearer check.

        Raises:
            PermissionError: the request carries no verified identity.
        """
        user = request.scope.get("user") if request is not None else None
        subject = user.access_token.subject if isinstance(user, AuthenticatedUser) else None
        if subject is None:
            raise PermissionError("the request carries no verified identity")
        claims = (user.access_token.claims if isinstance(user, AuthenticatedUser) else None) or {}
        trace = _TRACEPARENT.match(request.headers.get("traceparent", ""))
        return cls(
            user_id=subject,
            zone=_zone(claims.get("zoneinfo")),
            message_id=_uuid(claims.get("jti")),
            request_id=request.headers.get("x-request-id", _UNKNOWN_REQUEST),
            trace_id=trace[1] if trace else "",
        )
