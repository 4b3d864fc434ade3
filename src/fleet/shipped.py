"""Where the files that come with fleet lie: templates, baselines and the example cooperation."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def templates() -> Path:
    """Jinja2 templates; a workspace overrides them by name."""
    return _first(_PACKAGE / "shipped" / "templates", _CHECKOUT / "templates")


def example_inventory() -> Path:
    """The declared inventory of the example cooperation."""
    return _first(_PACKAGE / "shipped" / "example" / "inventory", _CHECKOUT / "inventory")


def baselines() -> Path:
    """The common configuration that a new workspace starts with."""
    return _first(_PACKAGE / "shipped" / "example" / "baselines", _CHECKOUT / "baselines")


def collections() -> Path:
    """The folder of Ansible collections that holds `fleet.common`."""
    return _PACKAGE / "ansible" / "collection"


def _first(installed: Path, checkout: Path) -> Path:
    return installed if installed.is_dir() else checkout
