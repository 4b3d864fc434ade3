"""Plans of rollouts and how they ended, as people read them."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fleet.cli.options import Output
from fleet.cli.show import count_of, hint, say, show_rows, show_value
from fleet.core.record import to_record
from fleet.core.rollout import Plan
from fleet.flows.deploy import to_document

if TYPE_CHECKING:
    from fleet.flows.rollout import Report

_SHOWN_LINES = 200


def show_plan(made: Plan, output: Output) -> None:
    """What would be done."""
    if output is Output.CSV:
        rows = [to_record(g) for g in made.groups]
        show_rows(rows, output, {"baseline": "", "devices": "", "diff": ""})
        return
    if output is not Output.TABLE:
        show_value(to_document(made), output)
        return
    show_groups([to_record(g) for g in made.groups])
    if made.unchanged:
        what = "have it already" if made.devices_read else "would get nothing of it"
        say(f"{count_of(len(made.unchanged), 'device')} {what}")
    for reason, count in sorted(Counter(o.reason for o in made.left_out).items()):
        say(f"left out: {count_of(count, 'device')}: {reason}")
    for wave in made.waves:
        say(
            f"wave {wave.number} ({wave.why}): {count_of(len(wave.devices), 'device')}: "
            f"{some(wave.devices)}"
        )
    for danger in made.refused:
        say(f"refused: {danger.reason}; cut off: {', '.join(danger.sites)}")
    show_risks(made.risks)
    if not made.devices_read:
        say("No device was asked; all of it is shown as new.")
    say(f"Plan {made.id}: {', '.join(made.baselines)} on {count_of(made.targets, 'device')}.")


def show_groups(groups: list[dict[str, object]]) -> None:
    """What changes, once for all devices on which the same changes."""
    lines = 0
    for place, group in enumerate(groups):
        if lines > _SHOWN_LINES:
            rest = len(groups) - place
            say(f"… and {count_of(rest, 'more difference')} (-o json: all)")
            break
        devices = group["devices"]
        assert isinstance(devices, list)
        diff = str(group["diff"])
        verb = "gets" if len(devices) == 1 else "get"
        who = f"{count_of(len(devices), 'device')} {verb} this: {some(devices)}"
        say(f"# {group['baseline']}: {who}")
        say(diff.rstrip("\n"))
        lines += diff.count("\n")


def show_risks(risks: Mapping[str, str]) -> None:
    """What can go wrong, for those who decide."""
    for baseline, risk in sorted(risks.items()):
        say(f"risk of {baseline}: {risk}")


def some(names: "tuple[str, ...] | list[str]") -> str:
    """The first of many names."""
    return ", ".join(names[:6]) + (" …" if len(names) > 6 else "")


def show_check(changed: Mapping[str, list[str]]) -> bool:
    """What Ansible would change; whether something failed."""
    for what, names in sorted(changed.items()):
        say(f"{what}: {count_of(len(names), 'device')}: {some(sorted(names))}")
    return bool(changed.get("failed"))


def show_report(made: Plan, report: "Report", tell: Callable[[str], None]) -> None:
    """How a run ended."""
    for outcome in report.outcomes:
        if outcome.failed:
            said = f": {outcome.message}" if outcome.message else ""
            tell(f"{outcome.device}: {outcome.baseline}: {outcome.result.value}{said}")
    for reason, count in sorted(Counter(report.skipped.values()).items()):
        tell(f"not touched: {count_of(count, 'device')}: {reason}")
    counts = Counter(outcome.result.value for outcome in report.outcomes)
    if counts:
        tell("; ".join(f"{count} {result}" for result, count in sorted(counts.items())) + ".")
    if report.dark:
        tell(f"still dark: {some(tuple(report.dark))}")
    if report.waves_left:
        devices = sum(len(wave.devices) for wave in report.waves_left)
        tell(f"{report.ended}: {count_of(devices, 'device')} in later waves were not touched")
        if report.ended != "interrupted":
            hint("hint: mend what failed, then run the same command again")
