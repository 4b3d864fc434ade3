"""The log: a file in the workspace for what people need not read, secrets masked.

structlog is imported on first use, as commands that only look things up never log.
"""

import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, TextIO

_SECRET_NAMES = re.compile(r"community|password|secret|token|auth_key|priv_key", re.IGNORECASE)
_known_secrets: set[str] = set()


def keep_secret(value: str) -> str:
    """Mask this value in every log line from now on; gives it back."""
    if len(value) >= 4:
        _known_secrets.add(value)
    return value


def _mask(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in event.items():
        if _SECRET_NAMES.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = mask(value)
    return event


def mask(text: str) -> str:
    """The text with every known secret replaced."""
    for secret in _known_secrets:
        text = text.replace(secret, "***")
    return text


def open_log(state: Path | None) -> Any:
    """A structlog logger that appends JSON lines to `fleet.log` in a workspace's state folder.

    Without a workspace, or where nothing can be written, it writes to standard error.
    """
    import structlog

    stream: TextIO = sys.stderr
    try:
        if state is not None:
            state.mkdir(parents=True, exist_ok=True)
            stream = (state / "fleet.log").open("a", encoding="utf-8")
    except OSError:
        pass
    return structlog.wrap_logger(
        structlog.WriteLogger(stream),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
