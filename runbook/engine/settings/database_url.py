"""One reading of PostgreSQL URLs, for the runbook and for what it gives to the three services.

A URL is taken apart once, strictly, and written again in the one form that libpq, asyncpg and node-postgres read alike.
What not all three can carry out is refused by its name before anything is built. Nothing said here shows a part of the
URL but names of parameters. Source: libpq, "Connection URIs" and "Parameter Key Words"; docs/database.md.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, unquote

from runbook.engine.errors import UsageError

FORM = "postgresql://role:password@host:5432/database?sslmode=verify-full"
PORT = 5432
VARIABLE = "TODO_DATABASE_URL"
ENCODE = (
    "percent-encode the password: python3 -c 'import getpass, urllib.parse as u; "
    'print(u.quote(getpass.getpass(), safe=""))\''
)
SYSTEM = "system"
"""As `sslrootcert`: the authorities that the system trusts. What verify-full means where no file is named."""

IN_PODS = "/etc/todo/database-ca/ca.crt"
"""Where the pods have the authority of the stand-in database, or of the user's."""

ENCRYPTED = ("require", "verify-ca", "verify-full")
CHOICES: Mapping[str, tuple[str, ...]] = {
    "sslmode": ("disable", *ENCRYPTED),
    "channel_binding": ("disable", "prefer", "require"),
}
PARAMETERS = ("sslmode", "sslrootcert", "channel_binding", "connect_timeout", "options")
"""What libpq, asyncpg and node-postgres can all carry out; in the order in which they are written."""

LONGEST_WAIT = 60
"""Seconds of `connect_timeout`, at most: a pod that waits longer looks as if it hung."""

_PARTS = {"user": "role", "password": "password", "host": "host", "port": "port", "dbname": "database"}
"""Query parameters that name a part of the URL itself, and the part."""

_REFUSED = {
    **dict.fromkeys(
        ("sslcert", "sslkey", "sslpassword", "sslcrl", "sslcrldir"), "its file is not in the pods"
    ),
    **dict.fromkeys(("passfile", "service", "servicefile"), "its file is not in the pods"),
    **dict.fromkeys(("application_name", "fallback_application_name"), "each service gives its own name"),
    "hostaddr": "node-postgres does not know it; name the host alone",
    "target_session_attrs": "node-postgres does not know it; name the server that takes writes",
    "load_balance_hosts": "node-postgres does not know it; name one host",
    "sslnegotiation": "servers before PostgreSQL 17 do not know it",
}
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SCHEMES_OF_OTHERS = ("postgres", "mysql", "mariadb", "mongodb", "sqlite", "redis", "http")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NO_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")
_BRACKETS = re.compile(r"\[(?P<host>[^\]]*)\](?::(?P<port>.*))?")
_QUOTES = "\"'`\u2018\u2019\u201c\u201d"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """A PostgreSQL URL in its parts, decoded. `parameters` holds only names of `PARAMETERS`."""

    role: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    parameters: Mapping[str, str]

    @property
    def sslmode(self) -> str:
        """As it is written; empty where it is not."""
        return self.parameters.get("sslmode", "")

    @property
    def authority(self) -> str:
        """The file of the authority that must have signed the server's certificate; empty for the system's ones."""
        named = self.parameters.get("sslrootcert", "")
        return "" if named == SYSTEM else named

    def but(self, **parameters: str) -> DatabaseUrl:
        """The same URL with other parameters; an empty value takes one away."""
        merged = {name: value for name, value in {**self.parameters, **parameters}.items() if value}
        return replace(self, parameters=MappingProxyType(merged))

    def text(self) -> str:
        """The one form: each sign encoded that any of the drivers could read in another way."""
        place = f"[{self.host}]" if ":" in self.host else self.host
        names = [name for name in PARAMETERS if name in self.parameters]
        query = "&".join(f"{name}={quote(self.parameters[name], safe='/')}" for name in names)
        user = f"{quote(self.role, safe='')}:{quote(self.password, safe='')}"
        path = quote(self.database, safe="")
        return f"postgresql://{user}@{place}:{self.port}/{path}{f'?{query}' if query else ''}"

    def libpq(self) -> dict[str, str | int]:
        """The same as libpq's own parameters."""
        return {
            "user": self.role,
            "password": self.password,
            "host": self.host,
            "port": self.port,
            "dbname": self.database,
            **self.parameters,
        }


class _Fault(Exception):
    """What is wrong with a URL, as the end of a sentence that begins with its place."""

    def __init__(self, fault: str, *, wanted: str = FORM, hint: str = f"export {VARIABLE}=...") -> None:
        super().__init__(fault)
        self.wanted, self.hint = wanted, hint


def trimmed(text: str) -> str:
    """A value as it was meant: without the white space, the line ends and the quotes that copying leaves around it."""
    bare = text.strip().strip("\ufeff\u200b").strip()
    while len(bare) > 1 and bare[0] in _QUOTES and bare[-1] in _QUOTES:
        bare = bare[1:-1].strip()
    return bare


def given(text: str, place: str = VARIABLE) -> DatabaseUrl:
    """A user's URL for the services in the cluster: read, and also encrypted and not this machine's own address.

    Raises `UsageError`, which shows no part of the URL.
    """
    url = read(text, place)
    if url.sslmode not in ENCRYPTED:
        raise UsageError(
            f"{place} has {f'sslmode={url.sslmode}' if url.sslmode else 'no sslmode'}: passwords and data may travel "
            "in plain text",
            wanted="sslmode=verify-full, or require",
            hint="add ?sslmode=verify-full to the URL",
        )
    if loopback(url.host):
        raise UsageError(
            f"{place} names this machine's loopback address, which is the pod itself to a pod",
            wanted="an address that pods reach",
            hint="name this machine's address in its network and let PostgreSQL listen there; or unset the variable",
        )
    return url


def authorities(url: DatabaseUrl, place: str = VARIABLE) -> str:
    """The certificates in the file of `sslrootcert` on this machine, which the pods get; "" where none is named.

    Raises `UsageError` for a file that holds none; a key in it stays where it is.
    """
    if not url.authority or url.authority == IN_PODS:
        return ""
    file = Path(url.authority).expanduser()
    try:
        found = "\n".join(_CERTIFICATE.findall(file.read_text(errors="replace")))
        if found:
            ssl.create_default_context(cadata=found)
            return f"{found}\n"
        fault = "holds no certificate"
    except OSError as problem:
        fault = f"cannot be read: {problem.strerror}"
    except ssl.SSLError:
        fault = "holds a certificate that cannot be read"
    raise UsageError(
        f"the file of sslrootcert in {place} {fault}",
        wanted="certificates in PEM form of the authority that signed the server's",
        hint="give the whole path of that file; or take sslrootcert out, for the system's authorities",
    )


def read(text: str, place: str = VARIABLE) -> DatabaseUrl:
    """Take a URL apart. Raises `UsageError`, which shows no part of the URL but names of parameters."""
    try:
        return _read(trimmed(text))
    except _Fault as fault:
        raise UsageError(f"{place} {fault}", wanted=fault.wanted, hint=fault.hint) from None


def loopback(host: str) -> bool:
    """Whether the host is, to whoever asks, the asker itself."""
    name = host.rstrip(".").lower()
    if name in ("localhost", "localhost.localdomain") or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    bare = getattr(address, "ipv4_mapped", None) or address
    return bool(bare.is_loopback or bare.is_unspecified)


def _read(text: str) -> DatabaseUrl:
    authority, path, query = _split(text)
    user, _, location = authority.rpartition("@")
    role, _, password = user.partition(":")
    host, port = _location(location)
    raw = {"role": role, "password": password, "host": host, "port": port, "database": path}
    parts = {name: _decoded(value) for name, value in raw.items()}
    parameters: dict[str, str] = {}
    for written, value in _pairs(query):
        name, value = ("sslmode", "require") if (written, value) == ("ssl", "true") else (written, value)
        known, key = (parts, _PARTS[name]) if name in _PARTS else (parameters, name)
        if known is parameters and name not in PARAMETERS:
            raise _unknown(name)
        if known.get(key):
            raise _Fault(f"has {name} twice", wanted=f"{name} once")
        known[key] = value
    if missing := [part for part in ("role", "password", "host", "database") if not parts[part]]:
        raise _Fault(f"names no {' and no '.join(missing)}")
    _check(parameters)
    host, port_number = _host(parts["host"]), _port(parts["port"])
    return DatabaseUrl(
        parts["role"], parts["password"], host, port_number, parts["database"], MappingProxyType(parameters)
    )


def _split(text: str) -> tuple[str, str, str]:
    """Authority, path and query of a text in which each sign has but one meaning."""
    found = _SCHEME.match(text)
    scheme = found[1].lower() if found else ""
    if not found or scheme not in ("postgresql", "postgres"):
        shown = (
            f"begins with {scheme}://" if scheme.startswith(_SCHEMES_OF_OTHERS) else "is not a PostgreSQL URL"
        )
        raise _Fault(shown)
    rest = text[found.end() :]
    authority = re.split("[/?]", rest, maxsplit=1)[0]
    beyond = rest[len(authority) :]
    unclear = "#" in rest or _NO_ESCAPE.search(rest) or any(each.isspace() for each in rest)
    if unclear or authority.count("@") > 1 or "@" in beyond or not rest.isprintable():
        raise _Fault(
            "has a sign that means something else in a URL (one of # @ / ? % or a blank)",
            wanted="such signs percent-encoded, for example %23 for # and %40 for @",
            hint=ENCODE,
        )
    path, _, query = beyond.partition("?")
    return authority, path.removeprefix("/"), query


def _location(text: str) -> tuple[str, str]:
    """Host and port, as they are written."""
    if "," in text:
        raise _Fault("names several hosts, which node-postgres does not know", wanted="one host")
    if text.startswith("["):
        found = _BRACKETS.fullmatch(text)
        if found is None or ":" not in found["host"]:
            raise _Fault("has brackets that are not around an IPv6 address", wanted="[address]:5432")
        return found["host"], found["port"] or ""
    host, _, port = text.partition(":")
    if ":" in port:
        raise _Fault("has an IPv6 address without brackets", wanted="[address]:5432")
    return host, port


def _decoded(value: str) -> str:
    try:
        plain = unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise _Fault("is not UTF-8 where it is decoded", hint=ENCODE) from None
    if any(sign < " " or sign == "\x7f" for sign in plain):
        raise _Fault("has a control character", hint=ENCODE)
    return plain


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for each in filter(None, query.split("&")):
        name, _, value = each.partition("=")
        if not re.fullmatch(r"[A-Za-z_]{1,40}", name):
            raise _Fault("has a parameter without a proper name", wanted=f"any of {', '.join(PARAMETERS)}")
        if not value:
            raise _Fault(f"has {name} without a value", wanted=f"{name}=...")
        yield name, _decoded(value)


def _unknown(name: str) -> _Fault:
    near = get_close_matches(name.lower(), PARAMETERS, n=1, cutoff=0.7)
    reason = _REFUSED.get(name, "not all of libpq, asyncpg and node-postgres know it")
    wanted = f"{near[0]}?" if near else f"any of {', '.join(PARAMETERS)}"
    return _Fault(f"has {name}: {reason}", wanted=wanted, hint=f"take {name} out of the URL")


def _check(parameters: Mapping[str, str]) -> None:
    mode, authority = parameters.get("sslmode", ""), parameters.get("sslrootcert", "")
    if mode in ("prefer", "allow"):
        raise _Fault(
            f"has sslmode={mode}, which may fall back to plain text", wanted="sslmode=verify-full, or require"
        )
    for name, choices in CHOICES.items():
        if parameters.get(name, choices[0]) not in choices:
            raise _Fault(
                f"has a value of {name} that is not known", wanted=f"{name} is one of {', '.join(choices)}"
            )
    if mode == "verify-ca" and authority in ("", SYSTEM):
        raise _Fault(
            "has sslmode=verify-ca without a file in sslrootcert", wanted="sslmode=verify-full, or a file"
        )
    if authority == SYSTEM and mode != "verify-full":
        raise _Fault("has sslrootcert=system without sslmode=verify-full", wanted="sslmode=verify-full")
    if authority and mode not in ENCRYPTED:
        raise _Fault("has sslrootcert without TLS", wanted="sslmode=verify-full")
    if parameters.get("channel_binding") == "require" and mode not in ENCRYPTED:
        raise _Fault("has channel_binding=require without TLS", wanted="sslmode=verify-full, or require")
    wait = parameters.get("connect_timeout", "1")
    if not re.fullmatch(r"[0-9]{1,4}", wait) or not 1 <= int(wait) <= LONGEST_WAIT:
        raise _Fault("has a connect_timeout out of range", wanted=f"1 to {LONGEST_WAIT} seconds")


def _host(text: str) -> str:
    if text.startswith(("/", "@")):
        raise _Fault("names a Unix socket, which no pod reaches", wanted="the name of a host")
    if "," in text:
        raise _Fault("names several hosts, which node-postgres does not know", wanted="one host")
    if ":" in text:
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            raise _Fault("has brackets that are not around an IPv6 address") from None
        if address.scope_id:
            raise _Fault("has an IPv6 address of one link only", wanted="an address that pods reach")
        return str(address)
    if not _HOST.fullmatch(text):
        raise _Fault("has a host that is not the name of a host", hint=ENCODE)
    return text


def _port(text: str) -> int:
    if not text:
        return PORT
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise _Fault("has a port that is not a number from 1 to 65535", hint=ENCODE)
    return int(text)
