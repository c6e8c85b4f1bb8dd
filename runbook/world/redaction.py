"""What must never be shown: the values of secrets, wherever they turn up in a text.

Whoever learns a secret (a Kubernetes Secret read, a password made, a setting given) says so with `conceal`;
whoever shows foreign text (error messages, log lines, evidence) passes it through `redact`.
"""

from __future__ import annotations

import base64
import re
import threading
from urllib.parse import quote

SHORTEST = 6
"""Shorter values are not concealed: they would blank out ordinary words."""

MASK = "***"

_URL_PASSWORD = re.compile(r"(?i)(?P<head>[a-z][a-z0-9+.-]*://[^\s:/@]+:)[^\s@]+(?=@)")
_BEARER = re.compile(r"(?i)\b(?P<head>bearer\s+)[A-Za-z0-9._~+/=-]{8,}")
_API_KEY = re.compile(r"\bsk-[A-Za-z0-9_-]{16,}")
_SIGNED_TOKEN = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")

_secrets: set[str] = set()
_lock = threading.Lock()


def conceal(*values: str) -> None:
    """Remember secret values, also in the forms in which they travel: base64 and percent-encoded."""
    with _lock:
        for value in values:
            if len(value) < SHORTEST:
                continue
            _secrets.add(value)
            _secrets.add(base64.b64encode(value.encode()).decode())
            _secrets.add(quote(value, safe=""))


def redact(text: str) -> str:
    """The text without any known secret, without passwords in URLs, bearer tokens and API keys."""
    with _lock:
        known = sorted(_secrets, key=len, reverse=True)
    for value in known:
        text = text.replace(value, MASK)
    text = _URL_PASSWORD.sub(rf"\g<head>{MASK}", text)
    text = _BEARER.sub(rf"\g<head>{MASK}", text)
    text = _API_KEY.sub(MASK, text)
    return _SIGNED_TOKEN.sub(MASK, text)
