"""How often the assistant may be asked, by one person and by all: counted in PostgreSQL, for all replicas."""

from fastapi import HTTPException
from sqlalchemy import text

from todo_backend.config import Settings
from todo_backend.database import Sessions
from todo_backend.security_log import refused

_MINUTE, _DAY = 60, 24 * 3600
_COUNT = text("SELECT rate_limit_count(:key, :most, :seconds)")


class Allowance:
    """Turns of the assistant, which each ask the model up to ten times: what it costs is bounded by them."""

    def __init__(self, settings: Settings, sessions: Sessions) -> None:
        self._sessions = sessions
        self._of_a_person = (
            ("minute", settings.chat_requests_per_minute, _MINUTE),
            ("day", settings.chat_requests_per_day, _DAY),
        )
        self._of_all = settings.chat_requests_per_day_in_all

    async def take(self, user_id: str) -> None:
        """Count one turn.

        Raises:
            HTTPException: 429 when there were too many, with `Retry-After`.
        """
        limits = [
            (f"chat-{name}:{user_id}", most, seconds, "You have asked the assistant very often.")
            for name, most, seconds in self._of_a_person
        ]
        limits.append(
            ("chat-all", self._of_all, _DAY, "The assistant was asked as often as it may be today.")
        )
        async with self._sessions() as work:
            connection = await work.connection()
            for key, most, seconds, why in limits:
                if not most:
                    continue
                counted = await connection.execute(_COUNT, {"key": key, "most": most, "seconds": seconds})
                # Each by itself: the count of all is one row, which nobody may keep for longer than that.
                await work.commit()
                connection = await work.connection()
                if wait := counted.scalar_one():
                    refused("rate_limited", 429)
                    raise HTTPException(429, f"{why} {_please_wait(wait)}", {"Retry-After": str(wait)})


def _please_wait(seconds: int) -> str:
    if seconds <= 120:
        return f"Please wait {seconds}s."
    minutes = -(-seconds // 60)
    return f"Please wait {minutes} minutes." if minutes <= 120 else f"Please wait {-(-minutes // 60)} hours."
