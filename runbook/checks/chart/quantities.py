"""Kubernetes quantities as numbers, so that 1000m and 1, or 1Gi and 1024Mi, are equal."""

from __future__ import annotations

import re
from decimal import Decimal

_FORM = re.compile(r"^([+-]?\d+(?:\.\d*)?|[+-]?\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = ("Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


def quantity(text: object) -> Decimal:
    """The number that a quantity means: "100m" is 0.1, "1Ki" is 1024. Raises `ValueError` where it is none."""
    match = _FORM.match(str(text).strip())
    if match is None:
        raise ValueError(f"{text!r} is not a quantity")
    number, exponent, suffix = match.groups()
    if exponent:
        return Decimal(number + exponent)
    if suffix in _BINARY:
        return Decimal(number) * Decimal(1024) ** (_BINARY.index(suffix) + 1)
    return Decimal(number).scaleb(_DECIMAL.get(suffix, 0))
