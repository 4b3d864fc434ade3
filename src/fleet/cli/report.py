"""`fleet report`"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet import shipped
from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Language, MemberOption, Output, OutputOption, new_command, open_app
from fleet.cli.period import (
    FromOption,
    MonthOption,
    ToOption,
    YesterdayOption,
    read_period,
)
from fleet.cli.report_access import access
from fleet.cli.report_adoption import adoption
from fleet.cli.report_board import board
from fleet.cli.report_capacity import capacity
from fleet.cli.report_changes import changes
from fleet.cli.report_compare import balance, compare, staffing
from fleet.cli.report_cost import cost
from fleet.cli.report_inventory import inventory
from fleet.cli.report_invoices import invoices
from fleet.cli.report_lifecycle import lifecycle
from fleet.cli.report_move import move
from fleet.cli.report_power import power
from fleet.cli.report_procurement import procurement
from fleet.cli.report_table import COLUMNS, show_table
from fleet.cli.report_traffic import traffic
from fleet.cli.report_training import training
from fleet.cli.report_uptime import make_uptime
from fleet.cli.show import count_of, hint, local_times, note, show_rows, show_value
from fleet.core.moment import from_us, text_of, to_us
from fleet.core.spans import SECOND
from fleet.core.uptime import By, UptimeReport
from fleet.errors import Invalid, NotFound, NotPermitted
from fleet.flows.report import Wanted
from fleet.flows.revisions import difference, keep, revision_name
from fleet.report.look import SUFFIXES, Look
from fleet.report.rows import to_document, to_public
from fleet.store.reader import Reader

app = new_command()


class Weight(StrEnum):
    USERS = "users"


@app.callback()
def report() -> None:
    """Reports that a controller accepts."""


@app.command()
def uptime(
    from_: FromOption = None,
    to: ToOption = None,
    month: MonthOption = None,
    yesterday: YesterdayOption = False,
    by: Annotated[By, typer.Option("--by", help="One row for each of these.")] = By.SITE,
    member: MemberOption = None,
    weight: Annotated[
        Weight | None, typer.Option("--weight", help="Totals: each second once per user.")
    ] = None,
    language: Annotated[
        Language | None, typer.Option("--language", help="Of the page; default: fleet.toml's.")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="For everybody: without devices, causes, slugs.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help=".html .pdf .csv .xlsx .json, or a folder with an index."
        ),
    ] = None,
    mail: Annotated[
        bool, typer.Option("--mail", help="Send it to those whom fleet.toml names.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """What was up, for how much of its service hours, and what took the rest.

    Without a period: last month. A month that is over is kept as it was given out; if facts come
    later, the next run is a new revision. Ends with 1 if a row was measured for less than 98 % of
    its time.

    \b
    Example:
      fleet report uptime --month 2026-10 --by member
      fleet report uptime --yesterday --mail --out reports/
      fleet report uptime --month 2026-10 --by cause
    """
    fleet = open_app()
    wanted = Wanted(
        period=read_period(fleet, from_, to, month, yesterday),
        by=by,
        member=member,
        is_weighted=weight is not None,
        is_public=public,
    )
    _check(wanted, public, out)
    _give(fleet, wanted, language, public=public, out=out, mail=mail, output=output)


def _give(
    fleet: App,
    wanted: Wanted,
    language: Language | None,
    *,
    public: bool,
    out: Path | None,
    mail: bool,
    output: Output,
) -> None:
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    made = make_uptime(fleet, fleet.reader, wanted)
    giving = _Giving(fleet, fleet.reader, made, wanted, language, public)
    if out is not None:
        giving.write(out)
    if mail:
        giving.send()
    if out is None and not mail:
        giving.show(output)
    giving.tell()
    # What had no service hours at all could not be measured, and lacks nothing.
    finish(0 if all(row.is_complete or not row.net for row in made.rows) else FINDINGS)


app.command()(changes)
app.command()(cost)
app.command()(invoices)
app.command()(adoption)
app.command()(access)
app.command()(capacity)
app.command()(lifecycle)
app.command()(power)
app.command()(procurement)
app.command()(traffic)
app.command()(training)
app.command()(compare)
app.command()(staffing)
app.command()(balance)
app.command()(board)
app.command()(move)
app.command()(inventory)


@app.command("list")
def list_(output: OutputOption = Output.TABLE) -> None:
    """List the reports on closed months that were given out, with their revisions.

    \b
    Example:
      fleet report list
    """
    fleet = open_app()
    kept = fleet.reader.revisions() if fleet.reader else []
    rows = [
        {"name": name, "number": number, "at": text_of(from_us(at)), "digest": digest}
        for name, number, digest, at in kept
    ]
    if output is Output.TABLE:
        rows = [dict(local_times(row)) for row in rows]
    columns = {"name": "Report", "number": "Revision", "at": "Given out", "digest": "Digest"}
    show_rows(rows, output, columns)


@app.command()
def diff(
    name: Annotated[str, typer.Argument(metavar="REPORT", help="As `fleet report list` names it.")],
    old: Annotated[int | None, typer.Argument(help="Revision; the one before the last.")] = None,
    new: Annotated[int | None, typer.Argument(help="Revision; the last one.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what differs between two revisions of a report. Ends with 1 if something does.

    \b
    Example:
      fleet report diff uptime-2026-10-site
    """
    fleet = open_app()
    numbers = [number for _, number, _, _ in fleet.reader.revisions(name)] if fleet.reader else []
    if not numbers:
        raise NotFound(f"no report `{name}` was kept", hint="fleet report list")
    last = numbers[-1] if new is None else new
    first = max(numbers[0], last - 1) if old is None else old
    documents = []
    for number in (first, last):
        assert fleet.reader is not None
        text = fleet.reader.revision_document(name, number)
        if text is None:
            raise NotFound(f"{name} has no revision {number}", hint="fleet report list")
        documents.append(json.loads(text))
    found = difference(documents[0], documents[1])
    show_rows(found, output, {"row": "Row", "field": "Field", "before": "Before", "after": "After"})
    note(f"revisions {first} and {last} of {name}: {count_of(len(found), 'difference')}")
    finish(FINDINGS if found else 0)


def _check(wanted: Wanted, public: bool, out: Path | None) -> None:
    if public and wanted.by in (By.DEVICE, By.CAUSE):
        raise typer.BadParameter(
            f"a public report is not by {wanted.by.value}: it names no device",
            param_hint="--public",
        )
    if wanted.is_weighted and wanted.by in (By.DEVICE, By.SERVICE):
        raise typer.BadParameter(
            f"users are those of sites; a report by {wanted.by.value} has none",
            param_hint="--weight",
        )
    is_file = out is not None and not out.is_dir() and out.suffix
    if out is not None and is_file and out.suffix not in SUFFIXES:
        raise typer.BadParameter(
            f"`{out.name}`: write one of {' '.join(SUFFIXES)}, or a folder", param_hint="--out"
        )


def _language(made: UptimeReport, wanted: Wanted, usual: str, asked: Language | None) -> str:
    """As asked; else the member's own, if the report is about one; else the cooperation's."""
    if asked is not None:
        return asked.value
    own = made.member_language if wanted.member is not None else None
    return own if own in ("nb", "nn") else usual


class _Giving:
    """Gives a report out: shows, writes or sends it, and keeps a month that is over."""

    def __init__(
        self,
        fleet: App,
        reader: Reader,
        made: UptimeReport,
        wanted: Wanted,
        language: Language | None,
        public: bool,
    ) -> None:
        cooperation = fleet.workspace.settings.cooperation
        self._fleet = fleet
        self._made = made
        self._wanted = wanted
        self._document = to_document(made)
        name = revision_name(wanted)
        # A little later than its end, when nothing of it can go on being known.
        settled = made.period[1] + 3 * made.interval_s * SECOND
        is_over = settled <= to_us(fleet.now())
        self._revision = (
            keep(reader, fleet.store, name, self._document, fleet.now())
            if name and is_over and made.total.known
            else None
        )
        if self._revision:
            number, digest = self._revision.number, self._revision.digest
            self._document |= {"revision": {"number": number, "digest": digest}}
        tongue = _language(made, wanted, cooperation.language, language)
        if public:
            self._document = to_public(self._document, made.labels)
        self._look = Look(
            language=tongue,
            cooperation=cooperation.name,
            templates=[fleet.workspace.root / "templates", shipped.templates()],
            is_public=public,
            revision=self._revision.number if self._revision else None,
            other_language=None if tongue == cooperation.language else tongue,
        )

    def tell(self) -> None:
        """Say if the month looks otherwise than when it was last given out."""
        revision = self._revision
        if revision and revision.changes is not None and revision.number > 1:
            note(
                f"new facts: this is revision {revision.number} of {revision.name}, "
                f"{count_of(revision.changes, 'difference')} to the one before"
            )
            hint(f"hint: fleet report diff {revision.name}")

    def show(self, output: Output) -> None:
        """On the terminal, or for another program."""
        if output is Output.TABLE:
            show_table(self._made, self._document)
        elif output is Output.CSV:
            show_rows(self._document["rows"], output, COLUMNS)
        else:
            show_value(self._document, output)

    def write(self, out: Path) -> None:
        """Into a file, or a folder with an index."""
        from fleet.flows.publish import write_folder
        from fleet.report.files import to_bytes
        from fleet.sources.append import write_whole

        try:
            if out.is_dir() or not out.suffix:
                written = write_folder(out, self._made, self._wanted, self._look, self._document)
                for path in written:
                    note(f"wrote {path}")
                return
            content = to_bytes(self._made, out.suffix, self._look, self._document)
            write_whole(out, content)
        except OSError as error:
            raise NotPermitted(f"cannot write {out}: {error.strerror}") from error
        note(f"wrote {out}")

    def send(self) -> None:
        """To those whom the settings name."""
        from fleet.cli.channels import mail_server
        from fleet.flows.publish import to_mail
        from fleet.report.mail import send

        workspace = self._fleet.workspace
        settings = workspace.settings.mail
        if settings is None:
            hint_ = (
                '[mail]\n  server = "smtp.example.no"\n  sender = "fleet@example.no"\n  to = ["…"]'
            )
            raise Invalid("fleet.toml has no section [mail]", hint=hint_)
        letter = to_mail(
            self._made,
            self._wanted,
            self._look,
            self._document,
            sender=settings.sender,
            to=settings.to,
            at=self._fleet.now(),
        )
        send(mail_server(self._fleet), letter)
        note(f"sent to {', '.join(settings.to)}")
