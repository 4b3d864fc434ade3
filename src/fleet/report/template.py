"""Templates of pages, which a workspace may override by name."""

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from fleet.report.look import Look


def load_template(look: Look, name: str) -> Template:
    """A template of a page."""
    environment = Environment(
        loader=FileSystemLoader(look.templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(name)
