"""Dependencies of the routes: the signed-in user, who must be the user in the path."""

from typing import Annotated

from fastapi import Depends, Header, HTTPException, Request
from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from todo_backend.auth.cookie import session_token
from todo_backend.auth.tables import preference
from todo_backend.auth.tables import session as session_table
from todo_backend.config import Settings
from todo_backend.database import unit_of_work
from todo_backend.day import DEFAULT_ZONE, HEADER, known_zone
from todo_backend.limits import RateLimit
from todo_backend.security_log import refused

UnitOfWork = Annotated[AsyncSession, Depends(unit_of_work)]


async def signed_in_user(request: Request, work: UnitOfWork) -> str:
    """The id of the user whose unexpired session the cookie names.

    Raises:
        HTTPException: 401, the same for an absent, forged, unknown and expired session.
    """
    settings: Settings = request.app.state.settings
    token = session_token(request.cookies, settings.better_auth_secret.get_secret_value())
    if token is not None:
        columns = session_table.c
        found = await work.exec(
            select(columns.userId, preference.c.time_zone)
            .join(preference, preference.c.user_id == columns.userId, isouter=True)
            .where(columns.token == token, columns.expiresAt > func.now())
        )
        if (row := found.one_or_none()) is not None:
            user_id, request.state.time_zone = row
            return str(user_id)
    refused("unauthenticated", 401)
    raise HTTPException(401, "Please sign in.")


async def path_user(
    user_id: str, signed_in: Annotated[str, Depends(signed_in_user)], request: Request
) -> str:
    """The signed-in user, who is the user in the path.

    Raises:
        HTTPException: 403 when the path names another user, 429 when this one asks too often.
    """
    limit: RateLimit = request.app.state.api_limit
    limit.check(signed_in)
    if user_id != signed_in:
        refused("forbidden", 403)
        raise HTTPException(403, "This belongs to another account.")
    return signed_in


User = Annotated[str, Depends(path_user)]

_ZONE_DESCRIPTION = (
    "Where the person is, by the IANA name: Asia/Kolkata. Remembered for requests without one."
)


async def time_zone(
    user: User,
    work: UnitOfWork,
    request: Request,
    told: Annotated[str | None, Header(alias=HEADER, description=_ZONE_DESCRIPTION)] = None,
) -> str:
    """The person's time zone: as this request tells it, else as the last one did, else UTC.

    A name that is none is passed over: a browser knows zones that this installation does not know yet.
    """
    kept: str | None = request.state.time_zone
    zone = known_zone(told) or known_zone(kept) or DEFAULT_ZONE
    if known_zone(told) and zone != kept:
        row = insert(preference).values(user_id=user, time_zone=zone)
        await work.exec(row.on_conflict_do_update(index_elements=["user_id"], set_={"time_zone": zone}))
        await work.commit()
    return zone


TimeZone = Annotated[str, Depends(time_zone)]
