"""The person's day: their time zone, and due dates as days with an optional time of day."""

from datetime import MAXYEAR, UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

HEADER = "X-Time-Zone"
DEFAULT_ZONE = "UTC"

_FIRST_YEAR = 1900
"""The database takes year 1, and its driver returns it without a zone; nobody needs such dates."""


_zones = cache(available_timezones)


def known_zone(name: str | None) -> str | None:
    """`name` if it is a time zone of the IANA database, such as Asia/Kolkata; else None."""
    return name if name in _zones() else None


def local(now: datetime, zone: str) -> datetime:
    """The moment `now` on the clocks of `zone`."""
    return now.astimezone(ZoneInfo(zone))


def begin_of_day(now: datetime, zone: str) -> datetime:
    """Today in `zone`, as due dates are kept: midnight, marked as UTC."""
    return local(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)


def as_written(due: datetime) -> datetime:
    """A due date as it is kept: day and time as they were written, marked as UTC whatever zone came along.

    A due date belongs to the person's calendar and moves with no time zone; midnight means the day alone.
    """
    if due.year < _FIRST_YEAR:
        raise ValueError(f"must lie within the years {_FIRST_YEAR} to {MAXYEAR}")
    return due.replace(tzinfo=UTC)
