"""DATABASE_URL in asyncpg's words, with libpq's meaning of each parameter.

By itself the driver hands what it does not know to the server, which refuses it, and verifies by a file
alone. Backend and MCP server have the same module, byte for byte; tests/database_urls.json holds it to one
table.
"""

import re
import ssl
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

_MODES = ("disable", "require", "verify-ca", "verify-full")
_BINDINGS = ("disable", "prefer", "require")
_PARAMETERS = ("sslmode", "sslrootcert", "channel_binding", "connect_timeout", "options")
_NO_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_SYSTEM = "system"
_LONGEST_WAIT = 60


def driver_arguments(url: str, *, application: str, timeout: float) -> dict[str, Any]:
    """Arguments for `asyncpg.connect`; `timeout` is in seconds, where the URL has no connect_timeout.

    Raises ValueError for a URL that cannot be used, OSError for a file that is absent.

    asyncpg has no channel binding: `channel_binding` is accepted, and `sslmode` says what is verified.
    """
    parts, parameters = read(url)
    options = {"options": parameters["options"]} if "options" in parameters else {}
    return {
        "host": unquote(parts.hostname) if parts.hostname else None,
        "port": parts.port,
        "user": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "database": unquote(parts.path.removeprefix("/")) or None,
        "ssl": _tls(parameters.get("sslmode", ""), parameters.get("sslrootcert", _SYSTEM)),
        "server_settings": {"application_name": application, **options},
        "timeout": float(parameters.get("connect_timeout", timeout)),
    }


def read(url: str) -> tuple[SplitResult, dict[str, str]]:
    """The parts of a URL and its parameters. Raises ValueError, which shows nothing but parameters' names."""
    scheme, _, rest = url.partition("://")
    if scheme.lower() not in ("postgresql", "postgres"):
        raise ValueError(f"not postgresql://{', but mysql://' if scheme == 'mysql' else ', so no URL'}")
    if _unclear(rest):
        raise ValueError("signs such as # @ / ? % in the password are not percent-encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("the port is not a port, or the host not a host") from None
    if "," in parts.netloc.rpartition("@")[2]:
        raise ValueError("several hosts are named")
    if port == 0:
        raise ValueError("the port is not a port")
    return parts, _parameters(parts.query)


def _unclear(rest: str) -> bool:
    """Whether a sign behind the scheme may mean another thing than it was meant to."""
    place = re.split("[/?]", rest, maxsplit=1)[0]
    if "#" in rest or rest.count("@") > min(place.count("@"), 1) or _NO_ESCAPE.search(rest):
        return True
    return not unquote(rest, errors="replace").isprintable()


def _parameters(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in filter(None, query.split("&")):
        name, _, value = each.partition("=")
        if name not in _PARAMETERS:
            raise ValueError(f"{name} is not one of {', '.join(_PARAMETERS)}")
        if name in found or not value:
            raise ValueError(f"{name} is empty or named twice")
        found[name] = unquote(value)
    mode, authority = found.get("sslmode", _MODES[0]), found.get("sslrootcert", "")
    if mode not in _MODES:
        raise ValueError(f"sslmode is not one of {', '.join(_MODES)}")
    if found.get("channel_binding", _BINDINGS[0]) not in _BINDINGS:
        raise ValueError(f"channel_binding is not one of {', '.join(_BINDINGS)}")
    if (authority == _SYSTEM and mode != "verify-full") or (not authority and mode == "verify-ca"):
        raise ValueError("sslrootcert and sslmode do not go together")
    wait = found.get("connect_timeout", "1")
    if not (wait.isascii() and wait.isdigit() and 1 <= int(wait) <= _LONGEST_WAIT):
        raise ValueError(f"connect_timeout is not 1 to {_LONGEST_WAIT} seconds")
    return found


def _tls(mode: str, authority: str) -> ssl.SSLContext | str | bool:
    """What libpq does for the mode; without one, TLS where the server has it."""
    if mode in ("", "disable"):
        return "prefer" if not mode else False
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    if authority != _SYSTEM:
        context.load_verify_locations(cafile=authority)
    elif mode == "require":
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_default_certs()
    return context
