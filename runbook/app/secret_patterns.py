"""Secret material, known by its form or by the name that it goes under. Nothing here returns a secret."""

from __future__ import annotations

import re

SHORTEST = 6
"""Characters below which a value is no secret worth the name."""

_FORMS = {
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----",
    "a password in a URL": r"(?i)\b[a-z][a-z0-9+.-]*://[^\s:/@$<{*]+:(?![\s$<{*])[^\s:/@]+@[\w\[]",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})\b",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{20,}",
    "an API key": r"\bsk-[A-Za-z0-9_-]{20,}",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
}
FORMS = {name: re.compile(pattern) for name, pattern in _FORMS.items()}

_NAME = re.compile(
    r"(?i)(?:^|[_./-])(?:pass(?:wd|word|phrase)|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|"
    r"encryption[_-]?key|credentials?)$"
)
_STAND_IN = re.compile(
    r"(?i)^(?:$|<.*>|\$\{.*\}|\$\(.*\)|\{\{.*\}\}|\*+|x+|\.\.\.|change[-_ ]?me.*|replace[-_ ]?me.*|your[-_ ].*|"
    r"example.*|placeholder|todo|none|null|true|false|\d+|/.*|https?://[^@]*)$",
    re.DOTALL,
)
"""What stands where a secret will: empty, a placeholder, a switch, a number, a path, an address."""


def form_of(text: str) -> str | None:
    """Which form of secret material a text holds, if any."""
    return next((name for name, pattern in FORMS.items() if pattern.search(text)), None)


def under_a_secret_name(name: str, value: str) -> bool:
    """Whether a value is in plain text under a name that says it is a secret."""
    camel = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return bool(_NAME.search(camel)) and is_material(value)


def is_material(value: str) -> bool:
    """Whether a value that ought to be secret is one, and no placeholder for it."""
    return len(value.strip()) >= SHORTEST and not _STAND_IN.match(value.strip())
