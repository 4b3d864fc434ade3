"""`fleet store`"""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import hint, note, say, show_rows

app = new_command()

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A SQLite file.")]


@app.callback()
def store() -> None:
    """Upgrade, check, back up and restore the database."""


@app.command()
def upgrade() -> None:
    """Bring the database to this fleet's form.

    \b
    Example:
      fleet store backup before.db && fleet store upgrade
    """
    from fleet.store.engine import open_engine
    from fleet.store.migrate import upgrade as run

    before, after = run(open_engine(open_app().workspace.store_url()))
    if before == after:
        note(f"the database has form {after} already")
    else:
        note(f"the database went from {before or 'empty'} to {after}")


@app.command()
def check(output: OutputOption = Output.TABLE) -> None:
    """Look for what is wrong inside the database.

    \b
    Example:
      fleet store check
    """
    from fleet.store.care import check as run

    problems = run(open_app().workspace.store_url())
    if output is Output.TABLE:
        for problem in problems:
            say(problem)
    else:
        show_rows([{"problem": problem} for problem in problems], output, {"problem": ""})
    if problems:
        hint("hint: fleet store restore BACKUP, after moving the damaged database away")
    else:
        note("the database is sound")
    finish(FINDINGS if problems else 0)


@app.command()
def backup(file: FileArgument) -> None:
    """Copy the database into a file, while others go on writing.

    \b
    Example:
      fleet store backup fleet-2026-11-21.db
    """
    from fleet.store.care import back_up

    back_up(open_app().workspace.store_url(), file)
    note(f"wrote {file}")


@app.command()
def restore(file: FileArgument) -> None:
    """Fill an empty database from a backup; never overwrites.

    \b
    Example:
      fleet store restore fleet-2026-11-21.db
    """
    from fleet.store.care import restore as run

    run(open_app().workspace.store_url(), file)
    note(f"restored {file}")
