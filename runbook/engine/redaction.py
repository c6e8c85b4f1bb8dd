"""What must never be shown: the values of secrets, wherever they turn up in a text.

Whoever learns a secret (a Kubernetes Secret read, a password made, a setting given) says so with `conceal`;
whoever shows foreign text (error messages, log lines, evidence) passes it through `redact`, a document through
`redacted`. Both take time in proportion to the length of the text, whatever it holds.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
import shlex
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

SHORTEST = 6
"""Shorter values are not concealed: they would blank out ordinary words."""

SHORTEST_LINE = 16
"""The same for one line of a value of several (a key in PEM): the last one may be short."""

SHORTEST_INSIDE = 8
"""The same for what base64 shows of a value in the middle of a text: three quarters of it must be unmistakable."""

MASK = "***"

_WORD = re.compile(r"[^\s\"'<>`]+")
_USER = re.compile(r"(?i)(?<![a-z0-9+.-])(?P<head>[a-z][a-z0-9+.-]{0,40}://[^\s:/@]{0,256}:)")
_BEARER = re.compile(r"(?i)\b(?P<head>bearer\s{1,8})[A-Za-z0-9._~+/=-]{8,}")
_BASIC = re.compile(r"(?i)\b(?P<head>basic\s{1,8})(?P<code>[A-Za-z0-9+/=_-]{8,})")
_API_KEY = re.compile(r"(?<![A-Za-z0-9_-])sk-[A-Za-z0-9_-]{16,}")
_SIGNED_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")
_NAMED = re.compile(
    r"""(?ix)
    (?P<head>
        (?: pass(?:word|wd|phrase) | pwd | api[-_]?key | (?:access|auth|refresh|id)[-_]?token | client[-_]?secret )
        (?: \s{0,8} = \s{0,8} | ["'] \s{0,8} : \s{0,8} (?=["']) )
    )
    (?P<value> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s&;,"'<>]+ )
    """
)
"""A pair of libpq's conninfo, of a URL's query or of an environment, and a member of a JSON object or a repr."""

_secrets: set[str] = set()
_longest_first: tuple[str, ...] = ()
_lock = threading.Lock()


def conceal(*values: str) -> None:
    """Remember secret values, in all the forms in which they travel; of a URL its password as well."""
    global _longest_first
    with _lock:
        before = len(_secrets)
        for value in values:
            for part in {value, value.strip(), *passwords(value)}:
                if len(part) >= SHORTEST:
                    _secrets.update(_forms(part))
        if len(_secrets) != before:
            _longest_first = tuple(sorted(_secrets, key=len, reverse=True))


def redact(text: str) -> str:
    """The text without any known secret, without passwords in URLs and in pairs, credentials, tokens and API keys."""
    for value in _longest_first:
        text = text.replace(value, MASK)
    if "://" in text and "@" in text:
        text = _WORD.sub(_without_password, text)
    text = _BEARER.sub(rf"\g<head>{MASK}", text)
    text = _BASIC.sub(_without_credential, text)
    text = _API_KEY.sub(MASK, text)
    text = _NAMED.sub(_without_value, text)
    return _SIGNED_TOKEN.sub(MASK, text)


def redacted(value: Any) -> Any:
    """The same JSON value with every text and every key redacted; what JSON does not know becomes text."""
    if isinstance(value, Mapping):
        return {redact(str(key)): redacted(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(item) for item in value]
    return value if value is None or isinstance(value, (bool, int, float)) else redact(str(value))


def passwords(value: str) -> Iterator[str]:
    """The passwords of a URL (userinfo and query) or of a conninfo, as written and decoded."""
    head = _USER.match(value)
    rest = value[head.end() :] if head else ""
    # A password that was not percent-encoded may hold any of `@/?#`: everything up to the last `@` is concealed, and
    # what stands before the first as well.
    found = [rest.rpartition("@")[0], re.split(r"[@/?#]", rest)[0] if "@" in rest else ""]
    found += [match["value"].strip("\"'") for match in _NAMED.finditer(value)]
    for each in found:
        yield from {each, unquote(each)}


def _forms(value: str) -> Iterator[str]:
    """As it is, encoded, escaped and quoted; of several lines each one."""
    yield value
    raw = value.encode(errors="surrogateescape")
    for code in (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()):
        yield code.rstrip("=")
    for code in _inside(raw):
        if len(code) >= SHORTEST_INSIDE:
            yield code
            yield code.translate({ord("+"): "-", ord("/"): "_"})
    for escaped in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield escaped
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), escaped)
    for escaped in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        yield escaped[1:-1]
        yield escaped[1:-1].replace("/", r"\/")
        yield json.dumps(escaped[1:-1])[1:-1]
    yield repr(value)[1:-1]
    yield repr(raw)[2:-1]
    yield html.escape(value)
    yield html.escape(value, quote=False)
    yield shlex.quote(value).strip("'")
    yield value.replace("'", "''")
    if "\n" in value:
        lines = [line.strip() for line in value.splitlines()]
        content = [line for line in lines if not line.startswith("-----")]
        yield "".join(content)
        yield from (line for line in content if len(line) >= SHORTEST_LINE)


def _inside(raw: bytes) -> Iterator[str]:
    """What base64 shows of the bytes wherever they begin in a longer text, as in `user:password`."""
    for offset in range(3):
        code = base64.b64encode(bytes(offset) + raw).decode().rstrip("=")
        # The first and the last character may hold bits of the neighbours.
        first, last = (0, 2, 3)[offset], len(code) - (1 if (offset + len(raw)) % 3 else 0)
        yield code[first:last]


def _without_password(match: re.Match[str]) -> str:
    """A word that holds a URL with a user and a password, which may itself hold `@`, `/` and `:`."""
    word = match[0]
    if "://" not in word or "@" not in word or (head := _USER.search(word)) is None:
        return word
    end = word.rfind("@")
    return word if end < head.end() else f"{word[: head.end()]}{MASK}{word[end:]}"


def _without_credential(match: re.Match[str]) -> str:
    """Base64 of `user:password`; else it is an ordinary word behind "basic"."""
    code = match["code"].rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
    try:
        plain = base64.b64decode(code + "=" * (-len(code) % 4), validate=True)
    except (binascii.Error, ValueError):
        return match[0]
    return f"{match['head']}{MASK}" if b":" in plain else match[0]


def _without_value(match: re.Match[str]) -> str:
    value = match["value"]
    mark = value[0] if value[0] in "\"'" and len(value) > 1 else ""
    return f"{match['head']}{mark}{MASK}{mark}"
