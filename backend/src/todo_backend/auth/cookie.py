"""The session cookie: `<token>.<signature>`, URL-encoded; the signature is HMAC-SHA-256 in base64."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import unquote

_NAME = "better-auth.session_token"
COOKIE_NAMES = (f"__Secure-{_NAME}", f"__Host-{_NAME}", _NAME)
"""The names under which the cookie may come; the prefixes are those of HTTPS."""


def session_token(cookies: Mapping[str, str], secret: str) -> str | None:
    """The token of the first session cookie whose signature holds, or None."""
    for name in COOKIE_NAMES:
        if (value := cookies.get(name)) and (token := verified_token(value, secret)):
            return token
    return None


def verified_token(cookie_value: str, secret: str) -> str | None:
    """The token of a signed cookie value, or None when it is malformed or signed with another key."""
    token, _, signature = unquote(cookie_value).rpartition(".")
    if not token:
        return None
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
    wanted = hmac.digest(secret.encode(), token.encode(), hashlib.sha256)
    return token if hmac.compare_digest(given, wanted) else None
