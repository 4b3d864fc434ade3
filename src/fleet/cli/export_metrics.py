"""`fleet export metrics`"""

from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from fleet.app import App
from fleet.cli.show import count_of, note
from fleet.core.inventory import Device
from fleet.core.moment import local, parse_moment, to_instant, to_us
from fleet.errors import Malformed, NotFound, NotPermitted
from fleet.flows.lookup import Scope, select

_DEFAULT = timedelta(days=30)


class Step(StrEnum):
    SAMPLE = "sample"
    HOUR = "hour"
    DAY = "day"


def export_metrics(
    fleet: App, to: Path, scope: Scope, since: str | None, until: str | None, step: Step
) -> None:
    """Write what was measured to a file.

    Raises:
        Malformed: the file is of no form that is known, or the period ends before it begins.
        NotFound: nothing was measured.
    """
    from fleet.metrics.export import SUFFIXES, rows_of, write_rows

    if to.suffix not in SUFFIXES:
        raise Malformed(f"no form is known by `{to.name}`", hint=f"one of {', '.join(SUFFIXES)}")
    end = fleet.now() if until is None else to_instant(parse_moment(until))
    today = local(end).replace(hour=0, minute=0, second=0, microsecond=0)
    begin = today - _DEFAULT if since is None else to_instant(parse_moment(since))
    if begin >= end:
        if until is None:
            raise Malformed(f"{since} is not over yet", hint="--since lies before now")
        raise Malformed("the period ends before it begins", hint="--since comes before --until")
    inventory = fleet.inventory()
    devices = {
        d.name: (d.site, inventory.sites[d.site].member)
        for d in select(inventory, "device", replace(scope, retired_too=True))
        if isinstance(d, Device)
    }
    metrics = fleet.metrics()
    if metrics is None:
        raise NotFound("nothing was measured yet", hint="fleet poll measures in every fifth cycle")
    with metrics:
        try:
            span = (to_us(begin), to_us(end))
            count = write_rows(to, rows_of(metrics, devices, span, step.value), step.value)
        except OSError as error:
            raise NotPermitted(f"cannot write {to}: {error.strerror}") from error
    note(f"{count_of(count, 'row')} written to {to}.")
