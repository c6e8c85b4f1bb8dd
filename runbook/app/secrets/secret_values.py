"""Values of a Secret: what makes one unusable, said without the value, and what can be mended about it."""

from __future__ import annotations

import base64

SHORTEST = 32
"""Characters of a generated key, at least."""

SCHEMES = ("postgresql://", "postgres://")
LEFT_OUT = ("...", "…", "changeme", "<", "PASSWORD@")
"""What a template or an example writes where a value belongs."""


def fault_of(value: str, *, url: bool = False, generated: bool = False) -> str:
    """Why a value cannot be used, as the end of a sentence; empty for a good one. `url`: it must be PostgreSQL's."""
    if value != value.strip():
        return "has white space around its value"
    if decoded(value):
        return "holds base64 of a value: it was encoded twice"
    if any(part in value for part in LEFT_OUT):
        return "holds a placeholder"
    if url and not value.startswith(SCHEMES):
        return "holds no PostgreSQL URL"
    if generated and len(value) < SHORTEST:
        return f"has less than {SHORTEST} characters"
    return ""


def mended(value: str) -> str:
    """Without white space around it, and without a second encoding."""
    plain = value.strip()
    return (decoded(plain) or plain).strip()


def decoded(value: str) -> str:
    """What was encoded twice; empty where it was not: random characters decode to no readable text."""
    try:
        text = base64.b64decode(value, validate=True).decode("ascii")
    except ValueError:
        return ""
    return text if len(text) >= 8 and text.strip().isprintable() else ""
