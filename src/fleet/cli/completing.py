"""What the shell offers while somebody types: names of the inventory that begin so."""

import os
from collections.abc import Callable, Sequence

VARIABLE = "_FLEET_COMPLETE"  # set by the shell when it asks
_MOST = 200  # names; nobody reads more


def is_asked() -> bool:
    """Whether it is the shell that runs the command line, to know what may follow."""
    return VARIABLE in os.environ


def prepare() -> None:
    """Let Typer answer shells; it does so by itself only with options of its own."""
    # It has no __all__.
    from typer.completion import completion_init  # type: ignore[attr-defined]

    completion_init()


def names(*kinds: str) -> Callable[[str], list[str]]:
    """Offers the names of things of some kinds; of any if none is given."""

    def offer(incomplete: str) -> list[str]:
        return _names(kinds, incomplete)

    return offer


def _names(kinds: Sequence[str], incomplete: str) -> list[str]:
    """In one look-up; nothing where there is no workspace, as a shell has no use for an error."""
    from fleet.cli.options import open_app
    from fleet.errors import FleetError

    try:
        reader = open_app().reader
        return reader.names_that_begin(incomplete, kinds, _MOST) if reader else []
    except FleetError:
        return []


def kinds(incomplete: str) -> list[str]:
    """Offers the kinds of things, as `fleet show` takes them."""
    every = ("device", "interface", "link", "site", "member", "service", "contract")
    return [kind for kind in every if kind.startswith(incomplete)]
