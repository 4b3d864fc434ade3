"""Norwegian kroner: amounts as they are written and as whole øre."""

import re
from decimal import Decimal

_AMOUNT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,2})?")


def to_amount(text: str) -> Decimal:
    """An amount as it is written, in kroner with two decimals.

    Raises:
        ValueError: it has a comma, an exponent, a blank, or more than two decimals.
    """
    if not _AMOUNT.fullmatch(text):
        raise ValueError(f"`{text}` is no amount in kroner")
    return Decimal(text).quantize(Decimal("0.01"))


def to_ore(amount: Decimal) -> int:
    """Kroner → øre."""
    return int(amount * 100)


def from_ore(ore: int) -> str:
    """Øre → kroner with two decimals."""
    sign = "-" if ore < 0 else ""
    return f"{sign}{abs(ore) // 100}.{abs(ore) % 100:02d}"
