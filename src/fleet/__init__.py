"""fleet: one toolkit for municipalities that run their IT together."""

from importlib.metadata import version as _version


def version() -> str:
    """The installed version, read from the package's own metadata."""
    return _version("fleet-toolkit")
