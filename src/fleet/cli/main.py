"""The root command: knows every command's name and one line on it, and loads the one that runs."""

from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from fleet.cli.boundary import Boundary
from fleet.cli.options import common_options, forget

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("fleet.cli.init", "Make a new workspace."),
    "demo": ("fleet.cli.demo", "Take the tour: a simulated network, from inventory to report."),
    "sync": ("fleet.cli.sync", "Reconcile the sources into the joint inventory."),
    "conflict": ("fleet.cli.conflict", "What sources say differently: list, show, resolve."),
    "probe": ("fleet.cli.probe", "Ask devices who they are; store nothing."),
    "discover": ("fleet.cli.discover", "Find devices and links in the network."),
    "traps": ("fleet.cli.traps", "Receive traps and informs, and show them."),
    "poll": ("fleet.cli.poll", "Ask all devices over SNMP how they are."),
    "status": ("fleet.cli.status", "Show what is down now, and the root cause."),
    "path": ("fleet.cli.path", "Show the way between two devices or sites."),
    "impact": ("fleet.cli.impact", "Show who and what is cut off if something fails."),
    "find": ("fleet.cli.find", "Find anything by name, address, MAC, serial, tag, room, circuit."),
    "list": ("fleet.cli.list_command", "List members, sites, devices, links, outages, changes …"),
    "show": ("fleet.cli.show_command", "Show one thing whole."),
    "history": ("fleet.cli.history", "Show who changed what of a thing, and when."),
    "diff": ("fleet.cli.diff", "Show what changed between two days."),
    "deploy": ("fleet.cli.deploy", "Roll out common configuration, in waves."),
    "drift": ("fleet.cli.drift", "Show what on devices differs from the baselines."),
    "backup-config": ("fleet.cli.backup_config", "Keep versions of running configurations."),
    "change": ("fleet.cli.change", "What members decide on rollouts: show, approve, reject."),
    "device": ("fleet.cli.device", "Swap, move or retire a machine."),
    "audit": ("fleet.cli.audit", "Compare a place with what was scanned there."),
    "label": ("fleet.cli.label", "Make labels with QR codes, for machines and places."),
    "member": ("fleet.cli.member", "Members that join, leave or merge."),
    "maintenance": ("fleet.cli.maintenance", "Planned windows: add, list, end."),
    "correct": ("fleet.cli.correct", "Say afterwards what an outage counts as."),
    "report": ("fleet.cli.report", "Reports that a controller accepts."),
    "export": ("fleet.cli.export", "Write the inventory out: as files, or as a list."),
    "alert": ("fleet.cli.alert", "Who is told what fails: test a channel, show the log."),
    "import": ("fleet.cli.import_command", "Take over lists and history from elsewhere."),
    "completion": ("fleet.cli.completion", "Let the shell complete commands and names."),
    "privacy": ("fleet.cli.privacy", "Personal data: where it stands, and taking it out."),
    "store": ("fleet.cli.store", "Upgrade, check, back up and restore the database."),
    "doctor": ("fleet.cli.doctor", "Look for what is wrong, and say how to mend it."),
}


class LazyGroup(Boundary):
    """Shows all commands without importing them; imports the one that runs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, (_, line) in COMMANDS.items():
            self.add_command(TyperCommand(name=name, help=line))
        self.params.extend(common_options())

    def make_context(self, *args: Any, **extra: Any) -> Any:
        forget()
        return super().make_context(*args, **extra)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in COMMANDS:
            self.add_command(load(args[0]), args[0])
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)


def load(name: str) -> Any:
    """A command, imported now."""
    command = get_command(import_module(COMMANDS[name][0]).app)
    leaves = command.commands.values() if isinstance(command, TyperGroup) else [command]
    for leaf in leaves:
        leaf.params.extend(common_options())
    return command


app = typer.Typer(
    cls=LazyGroup,
    name="fleet",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from fleet import version

        typer.echo(f"fleet {version()}")
        raise typer.Exit


@app.callback()
def fleet(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="The version."),
    ] = False,
) -> None:
    """One toolkit for municipalities that run their IT together.

    \b
    Example:
      fleet sync && fleet poll && fleet find 00:11:22:33:44:55
    """
    assert not version
