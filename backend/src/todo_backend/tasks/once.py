"""A change that comes with a key is made once, however often the network between the services repeats it.

Sidecars repeat a call whose connection broke, also one that was carried out; PUT bears that by itself.
"""

from typing import Annotated
from uuid import UUID, uuid4, uuid5

from fastapi import Header
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

_TASKS = UUID("6f2b6a0e-3a57-4f0b-9d0c-0a7d3c1f5e21")
_REMEMBERED_SECONDS = 3600
_FIRST = text("SELECT rate_limit_count(:key, 1, :seconds) = 0")

Key = Annotated[
    UUID | None,
    Header(
        alias="Idempotency-Key", description="One per change: sent again, it is answered and not made again."
    ),
]


def id_of(user: str, key: UUID | None) -> UUID:
    """The id of the task that `key` makes: the same each time, and another for each user."""
    return uuid4() if key is None else uuid5(_TASKS, f"{user} {key}")


async def first_time(work: AsyncSession, user: str, key: UUID | None) -> bool:
    """Whether the change was not made before; counts with `work`, so what is rolled back was never made."""
    if key is None:
        return True
    counted = await (await work.connection()).execute(
        _FIRST, {"key": f"change:{user}:{key}", "seconds": _REMEMBERED_SECONDS}
    )
    return bool(counted.scalar_one())
