"""Text of others in files that people open in a spreadsheet."""

import re

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().,:/%-]*$)")


def harmless(text: str) -> str:
    """Text that no spreadsheet takes for a formula: one begins with = + - @ (CWE-1236).

    Numbers, dates and telephone numbers stay as they are.
    """
    return f"'{text}" if _FORMULA.match(text) else text
