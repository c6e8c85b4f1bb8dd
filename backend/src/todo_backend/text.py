"""Types of what people write, with the limits of the tables."""

from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from todo_backend.models import DESCRIPTION_LENGTH, TITLE_LENGTH

MESSAGE_LENGTH = 2000


def without_nul(text: str) -> str:
    """PostgreSQL keeps no NUL, so it is refused at the door."""
    if "\0" in text:
        raise ValueError("must not contain the character NUL")
    return text


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_LENGTH),
    AfterValidator(without_nul),
]
Description = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=DESCRIPTION_LENGTH),
    AfterValidator(without_nul),
]
MessageText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MESSAGE_LENGTH),
    AfterValidator(without_nul),
]
