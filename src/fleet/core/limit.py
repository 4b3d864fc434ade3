"""From when on what is measured is told, and when it is well again."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Watched(StrEnum):
    """What has a limit."""

    STORAGE = "storage"
    TONER = "toner"
    BATTERY = "battery"
    TEMPERATURE = "temperature"


@dataclass(frozen=True, slots=True)
class Limit:
    """From when on something is told, and when it is well again.

    Args:
        at: told from here on; above `back` it is a highest value, below it a lowest.
        back: well again from here on.
    """

    at: float
    back: float

    def is_beyond(self, value: float, *, was: bool) -> bool:
        """Whether a value is beyond it, given whether it was."""
        limit = self.back if was else self.at
        if self.at >= self.back:
            return value > limit if was else value >= limit
        return value < limit if was else value <= limit


def shown(watched: Watched, value: float) -> str:
    """`94 %`, `36.5 °C`; a part is never rounded up to its limit."""
    return f"{value:.1f} °C" if watched is Watched.TEMPERATURE else f"{int(value)} %"


Limits = Mapping[Watched, Limit]
