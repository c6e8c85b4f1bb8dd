"""The tables of the frontend's authentication library, as its PostgreSQL adapter expects them.

The backend creates them and reads `session`; the frontend writes them. Names in camel case are the library's.
"""

from sqlalchemy import Boolean, Column, DateTime, ForeignKey, Index, String, Table, Text, text
from sqlmodel import SQLModel

metadata = SQLModel.metadata

_NOW = text("now()")


def _time(name: str, *, nullable: bool = False, now: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable, server_default=_NOW if now else None)


def _owner() -> Column[str]:
    return Column("userId", Text, ForeignKey("user.id", ondelete="CASCADE"), nullable=False)


user = Table(
    "user",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", String(255), nullable=False),
    Column("email", String(255), nullable=False, unique=True),
    Column("emailVerified", Boolean, nullable=False, server_default=text("false")),
    Column("image", Text),
    _time("createdAt", now=True),
    _time("updatedAt", now=True),
)

session = Table(
    "session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("token", Text, nullable=False, unique=True),
    _time("expiresAt"),
    _owner(),
    Column("ipAddress", Text),
    Column("userAgent", Text),
    _time("createdAt", now=True),
    _time("updatedAt", now=True),
    Index("ix_session_userId", "userId"),
)

preference = Table(
    "preference",
    metadata,
    Column("user_id", Text, ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("time_zone", Text, nullable=False),
)
"""What the backend remembers of a person: the IANA name of the zone that their browser told last."""

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("accountId", Text, nullable=False),
    Column("providerId", Text, nullable=False),
    _owner(),
    Column("accessToken", Text),
    Column("refreshToken", Text),
    Column("idToken", Text),
    _time("accessTokenExpiresAt", nullable=True),
    _time("refreshTokenExpiresAt", nullable=True),
    Column("scope", Text),
    Column("password", Text),
    _time("createdAt", now=True),
    _time("updatedAt", now=True),
    Index("ix_account_userId", "userId"),
)

verification = Table(
    "verification",
    metadata,
    Column("id", Text, primary_key=True),
    Column("identifier", Text, nullable=False),
    Column("value", Text, nullable=False),
    _time("expiresAt"),
    _time("createdAt", now=True),
    _time("updatedAt", now=True),
    Index("ix_verification_identifier", "identifier"),
)
