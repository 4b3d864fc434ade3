"""Giving a report out: into a folder with an index, and by mail."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.core.moment import from_us, local
from fleet.core.record import Record
from fleet.core.uptime import UptimeReport, percent, seconds
from fleet.flows.revisions import revision_name
from fleet.report.files import to_bytes
from fleet.report.look import Look
from fleet.report.mail import Attachment, write_mail
from fleet.report.render import label_of, render_index
from fleet.report.words import words
from fleet.sources.append import write_whole

if TYPE_CHECKING:
    from email.message import EmailMessage

    from fleet.flows.report import Wanted


def file_stem(wanted: "Wanted", look: Look) -> str:
    """What the files of a report are called: `uptime-2026-10-site`, with what makes it special."""
    special = ["public"] if look.is_public else []
    if look.other_language:
        special.append(look.other_language)
    return "-".join([_stem(wanted), *special])


def _stem(wanted: "Wanted") -> str:
    if name := revision_name(wanted):
        return name
    begin, end = (local(from_us(us)) for us in wanted.period)
    last = end - timedelta(microseconds=1)
    span = (
        f"{begin:%Y-%m-%d}" if begin.date() == last.date() else f"{begin:%Y-%m-%d}_{last:%Y-%m-%d}"
    )
    if any((begin.hour, begin.minute, end.hour, end.minute)):
        span = f"{begin:%Y-%m-%dT%H%M}_{end:%Y-%m-%dT%H%M}"
    parts = ["uptime", span, wanted.by.value, *([wanted.member] if wanted.member else [])]
    return "-".join([*parts, *(["users"] if wanted.is_weighted else [])])


_FOLDER_SUFFIXES = (".html", ".csv", ".json")


def write_folder(
    folder: Path, report: UptimeReport, wanted: "Wanted", look: Look, document: Record
) -> list[Path]:
    """The files of a report, and the page that links all reports in the folder."""
    stem = file_stem(wanted, look)
    written = []
    for suffix in _FOLDER_SUFFIXES:
        path = folder / f"{stem}{suffix}"
        write_whole(path, to_bytes(report, suffix, look, document))
        written.append(path)
    index = folder / "index.html"
    write_whole(index, render_index(_months(folder, look), look).encode())
    return [*written, index]


def _months(folder: Path, look: Look) -> list[Record]:
    """The reports in a folder, newest first; for everybody: only those that are."""
    say = words(look.language)
    found = []
    for path in folder.glob("uptime-*.html"):
        is_public = "-public" in path.stem
        if look.is_public and not is_public:
            continue
        try:
            document = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            begin, end = (datetime.fromisoformat(document[key]) for key in ("from", "to"))
            title = f"{say.period(begin, end)}: {say('title_' + document['by'])}"
            availability = say.percent(document["total"]["availability_percent"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not one of ours
        if is_public:
            title += f" ({say('public').lower()})"
        found.append(
            {"file": path.name, "title": title, "availability": availability, "begin": begin}
        )
    return sorted(found, key=lambda m: (m["begin"], m["file"]), reverse=True)


def to_mail(
    report: UptimeReport,
    wanted: "Wanted",
    look: Look,
    document: Record,
    *,
    sender: str,
    to: Sequence[str],
    at: datetime,
) -> "EmailMessage":
    """A report as a letter: what was down in words, the page and its figures attached."""
    say = words(look.language)
    begin, end = (from_us(us) for us in report.period)
    total = report.total
    subject = say(
        "mail_subject",
        cooperation=look.cooperation,
        period=say.period(begin, end),
        availability=say.percent(percent(total.availability)),
    )
    lines = [subject, ""]
    bad = sorted((r for r in report.rows if r.downtime), key=lambda r: (-r.downtime, r.name))
    lines.append(say("mail_down") if bad else say("mail_none"))
    lines += [
        f"  {report.labels.get(row.name, label_of(report, row.name, say))}:"
        f" {say.duration(seconds(row.downtime))} ({say.percent(percent(row.availability))})"
        for row in bad[:20]
    ]
    if len(bad) > 20:
        lines.append(f"  … {len(bad) - 20}")
    stem = file_stem(wanted, look)
    types = {".html": "text/html", ".csv": "text/csv"}
    return write_mail(
        sender=sender,
        to=to,
        subject=subject,
        text="\n".join(lines) + "\n",
        attachments=[
            Attachment(
                name=stem + suffix, content=to_bytes(report, suffix, look, document), type=type_
            )
            for suffix, type_ in types.items()
        ],
        at=at,
    )
