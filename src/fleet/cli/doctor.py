"""`fleet doctor`"""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import count_of, note, say, show_rows
from fleet.core.record import to_record
from fleet.errors import NotFound
from fleet.flows.doctor import examine

app = new_command()


def _check_files(fleet: App) -> None:
    fleet.declared()
    if fleet.reader is not None:
        fleet.books(fleet.inventory()).check()


@app.command()
def doctor(
    prometheus: Annotated[
        Path | None,
        typer.Option(
            "--prometheus", metavar="FILE", help="Only write fleet's own health, for Prometheus."
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Look for what is wrong, and say how to mend it.

    Settings, declared files, database, measurements, secrets, Ansible, clock. Ends with 1 if
    something is wrong. With --prometheus: how the polls go, devices by member and state, how far
    other stores are behind, and sizes, in a file for the textfile collector of node_exporter.

    \b
    Example:
      fleet doctor
      fleet doctor --prometheus /var/lib/prometheus/node-exporter/fleet.prom
    """
    fleet = open_app()
    if prometheus is not None:
        from fleet.flows.health import write_health

        if fleet.reader is None:
            raise NotFound("there is no inventory yet", hint="fleet sync")
        metrics = fleet.metrics()
        with metrics or nullcontext():
            now = fleet.now()
            count = write_health(fleet.workspace, fleet.reader, metrics, now, prometheus)
        note(f"wrote {count_of(count, 'number')} to {prometheus}")
        return
    found = list(
        examine(
            fleet.workspace,
            lambda: fleet.reader,
            lambda: _check_files(fleet),
            fleet.ask_netbox,
            fleet.metrics,
            fleet.now(),
        )
    )
    if output is Output.TABLE:
        for diagnosis in found:
            say(f"{'wrong' if diagnosis.mend else 'ok':5}  {diagnosis.what}: {diagnosis.found}")
            if diagnosis.mend:
                say(f"         mend: {diagnosis.mend}")
    else:
        show_rows([to_record(d) for d in found], output, {})
    finish(FINDINGS if any(d.mend for d in found) else 0)
