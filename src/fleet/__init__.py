"""fleet: one toolkit for municipalities that run their IT together."""


def version() -> str:
    """The installed version, read from the package's own metadata."""
    from importlib.metadata import version as installed  # half of what `import fleet` would cost

    return installed("fleet-toolkit")
