"""Which form of the database this fleet reads and writes."""

from fleet.errors import SchemaOutdated

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006")
HEAD = REVISIONS[-1]


def check_revision(found: str | None) -> None:
    """Let a database through only if it has this fleet's form.

    Raises:
        SchemaOutdated: it is older or newer.
    """
    if found == HEAD:
        return
    if found in REVISIONS:
        raise SchemaOutdated(
            f"the database has form {found}, this fleet needs {HEAD}",
            hint="make a backup with `fleet store backup FILE`, then run `fleet store upgrade`",
        )
    raise SchemaOutdated(
        f"the database has form {found}, which this fleet does not know (it knows up to {HEAD})",
        hint="a newer fleet wrote it: install that one here too",
    )
