"""`fleet backup-config`"""

from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, SiteOption, new_command, open_app
from fleet.cli.show import count_of, note
from fleet.errors import NotFound
from fleet.flows.lookup import Scope, select

app = new_command()


@app.command(no_args_is_help=False)
def backup_config(
    device: Annotated[
        list[str] | None, typer.Option("--device", help="Only this one; may be repeated.")
    ] = None,
    member: MemberOption = None,
    site: SiteOption = None,
) -> None:
    """Keep versions of the running configurations of network devices, in the workspace's git.

    Secrets are masked by a keyed hash: it can be seen that one changed, and not what it is. Ends
    with 1 if a device could not be read.

    \b
    Example:
      fleet backup-config --member smola
    """
    from fleet.ansible.devices import is_linux
    from fleet.ansible.platforms import PLATFORMS

    fleet = open_app()
    inventory = fleet.inventory()
    for name in device or []:
        if name not in inventory.devices:
            raise NotFound(f"there is no device `{name}`", hint=f"try: fleet find {name}")
    meant = [
        d
        for key in (d.key for d in select(inventory, "device", Scope(member=member, site=site)))
        if (d := inventory.devices[key]).is_polled
        and d.platform in PLATFORMS
        and d.address
        and not is_linux(d)
        and (not device or d.name in device)
    ]
    if not meant:
        raise NotFound("no network device there that fleet can read", hint="is `platform` known?")
    vault = fleet.vault()
    observed = fleet.devices.read([(d, ()) for d in meant])
    failed = {name: o.error for name, o in observed.items() if o.error}
    configs = {name: o.config for name, o in observed.items() if o.config is not None}
    changed = vault.version(configs, inventory, "Running configurations")
    for name, error in sorted(failed.items()):
        note(f"{name}: {error}")
    note(
        f"{count_of(len(configs), 'configuration')} read, {len(changed)} changed"
        + (f": {', '.join(changed)}" if changed else "")
    )
    finish(FINDINGS if failed else 0)
