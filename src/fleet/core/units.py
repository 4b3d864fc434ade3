"""Rates and sizes as people read them."""


def bits(value: float) -> str:
    """`812 Mbit/s`; powers of ten, as lines are sold."""
    for power, prefix in ((9, "G"), (6, "M"), (3, "k")):
        if value >= 0.9995 * 10**power:
            return f"{_three(value / 10**power)} {prefix}bit/s"
    return f"{_three(value)} bit/s"


def octets(value: float) -> str:
    """`1.24 TB`; powers of ten."""
    for power, prefix in ((15, "P"), (12, "T"), (9, "G"), (6, "M"), (3, "k")):
        if value >= 0.9995 * 10**power:
            return f"{_three(value / 10**power)} {prefix}B"
    return f"{_three(value)} B"


def _three(value: float) -> str:
    """With three digits, as far as there are any."""
    digits = 0 if value >= 99.95 else 1 if value >= 9.995 else 2
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
