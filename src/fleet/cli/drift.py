"""`fleet drift`"""

from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.deploy import prepare
from fleet.cli.deploy_view import show_groups
from fleet.cli.options import (
    MemberOption,
    Output,
    OutputOption,
    SiteOption,
    new_command,
    open_app,
)
from fleet.cli.show import count_of, say, show_rows, show_value
from fleet.core.moment import short_text, text_of
from fleet.core.record import Record
from fleet.flows.deploy import Prepared
from fleet.flows.lookup import Scope

app = new_command()

_UNREAD = "it could not be read: "


@app.command(no_args_is_help=False)
def drift(
    baselines: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[BASELINE]…",
            help="Which; if none, all but those by name that were never rolled out.",
        ),
    ] = None,
    member: MemberOption = None,
    site: SiteOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what on the devices differs from the baselines now, and since when that is known.

    Reads the devices as a rollout does, and changes nothing. Ends with 1 if something differs
    or a device could not be read.

    \b
    Example:
      fleet drift ntp --member smola
    """
    fleet = open_app()
    # What was rolled out by its name is looked at without it.
    ran = {name for run in fleet.reader.runs() for name in run.baselines} if fleet.reader else set()
    made = prepare(fleet, baselines or [], Scope(member=member, site=site), [], also=ran)
    at = fleet.now()
    unread = {
        o.device: o.reason.removeprefix(_UNREAD)
        for o in made.plan.left_out
        if o.reason.startswith(_UNREAD)
    }
    looked = {(d.device, d.baseline) for d in made.desired if d.device not in unread}
    differing = {(item.device, item.baseline) for item in made.plan.items}
    with fleet.store() as store:
        since = store.rollouts.keep_drift(looked, differing, at)
    groups = [
        {
            "baseline": group.baseline,
            "devices": list(group.devices),
            "since": text_of(min(since[name, group.baseline] for name in group.devices)),
            "diff": group.diff,
        }
        for group in made.plan.groups
    ]
    document: Record = {"at": text_of(at), "clean": _clean(made), "groups": groups}
    document["unread"] = [{"device": n, "reason": r} for n, r in sorted(unread.items())]
    if output is Output.TABLE:
        _show(document, {text_of(t): short_text(t) for t in since.values()})
    elif output is Output.CSV:
        show_rows(groups, output, dict.fromkeys(("baseline", "devices", "since", "diff"), ""))
    else:
        show_value(document, output)
    finish(FINDINGS if groups or unread else 0)


def _clean(made: Prepared) -> int:
    return len(made.plan.unchanged)


def _show(document: Record, times: dict[str, str]) -> None:
    for group in document["groups"]:
        show_groups([group])
        say(f"  known since {times[group['since']]}")
    for one in document["unread"]:
        say(f"{one['device']}: {one['reason']}")
    differing = len({name for group in document["groups"] for name in group["devices"]})
    verb = "differs" if differing == 1 else "differ"
    say(
        f"{count_of(differing, 'device')} {verb}, {document['clean']} "
        f"as they should be, {len(document['unread'])} could not be read."
    )
