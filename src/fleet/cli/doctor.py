"""`fleet doctor`"""

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import say, show_rows
from fleet.core.record import to_record
from fleet.flows.doctor import examine

app = new_command()


@app.command()
def doctor(output: OutputOption = Output.TABLE) -> None:
    """Look for what is wrong, and say how to mend it.

    Settings, declared files, database, secrets, Ansible, clock. Ends with 1 if something is
    wrong.

    \b
    Example:
      fleet doctor
    """
    fleet = open_app()
    found = list(
        examine(
            fleet.workspace, lambda: fleet.reader, fleet.declared, fleet.ask_netbox, fleet.now()
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
