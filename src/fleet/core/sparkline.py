"""A small chart in a line of text."""

from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], top: float | None = None) -> str:
    """One character for each value, the higher the fuller; a space where nothing is known.

    Args:
        top: what a full character stands for; the highest value if None.
    """
    most = max((value for value in values if value is not None), default=0.0)
    full = top or most or 1.0
    return "".join(
        " " if value is None else _BLOCKS[min(int(value / full * len(_BLOCKS)), len(_BLOCKS) - 1)]
        for value in values
    )


def tall(values: Sequence[float | None], rows: int, top: float) -> list[str]:
    """The same, several lines high, from the top down."""
    found = []
    for row in range(rows - 1, -1, -1):
        line = ""
        for value in values:
            eighths = 0 if value is None else int(value / (top or 1.0) * rows * 8 + 0.5) - row * 8
            if row == 0 and value is not None:
                eighths = max(eighths, 1)
            line += " " if eighths <= 0 else _BLOCKS[min(eighths, 8) - 1]
        found.append(line.rstrip())
    return found
