"""Giving a report out: kept revisions of closed months, folders with an index, mail."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.moment import from_us, local, to_us
from fleet.core.record import Record
from fleet.core.spans import Span
from fleet.core.uptime import By, UptimeReport, percent, seconds
from fleet.report.files import to_bytes
from fleet.report.mail import Attachment, write_mail
from fleet.report.render import Look, label_of, render_index
from fleet.report.words import words
from fleet.sources.append import write_whole

if TYPE_CHECKING:
    from email.message import EmailMessage

    from fleet.flows.report import Wanted
    from fleet.store.reader import Reader
    from fleet.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A closed month as it was given out.

    Args:
        changes: how many rows differ from the revision before; None: it is no new revision.
    """

    name: str
    number: int
    digest: str
    changes: int | None


def month_of(period: Span) -> date | None:
    """The first day of the month that a period is, if it is a whole one."""
    begin, end = (local(from_us(us)) for us in period)
    first = begin.date()
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    is_whole = first.day == 1 and to_us(first) == period[0] and to_us(following) == period[1]
    return first if is_whole and end > begin else None


def revision_name(wanted: "Wanted") -> str | None:
    """Under which name a report is kept; None: it is not about a whole month."""
    month = month_of(wanted.period)
    if month is None:
        return None
    parts = ["uptime", f"{month:%Y-%m}", wanted.by.value]
    if wanted.member is not None:
        parts.append(wanted.member)
    if wanted.is_weighted:
        parts.append("users")
    return "-".join(parts)


def keep(reader: "Reader", open_store: Any, name: str, document: Record, now: datetime) -> Revision:
    """Keep a report on a closed month, if it is not what was kept last.

    Args:
        open_store: opens the database for writing, if that is needed.
    """
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    kept = reader.revisions(name)
    if kept and kept[-1][2] == digest:
        return Revision(name=name, number=kept[-1][1], digest=digest, changes=None)
    number = kept[-1][1] + 1 if kept else 1
    store: Store
    with open_store() as store:
        store.add_revision(name, number, digest, text, now)
    changes = 0
    if kept:
        before = json.loads(reader.revision_document(name, number - 1) or "{}")
        changes = len(difference(before, document))
    return Revision(name=name, number=number, digest=digest, changes=changes)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Record]:
    """What differs between two documents, by row and field; the total is a row too."""
    found: list[Record] = []
    for section in ("rows", "causes"):
        old = {_key(row): row for row in before.get(section, [])}
        new = {_key(row): row for row in after.get(section, [])}
        if section == "rows":
            old |= {"total": before.get("total", {})}
            new |= {"total": after.get("total", {})}
        for key in sorted({*old, *new}):
            one, other = old.get(key, {}), new.get(key, {})
            for field in dict.fromkeys((*one, *other)):
                if one.get(field) != other.get(field):
                    found.append(
                        {
                            "row": key,
                            "field": field,
                            "before": one.get(field),
                            "after": other.get(field),
                        }
                    )
    for field in ("method", "target", "weight", "sources"):
        one, other = before.get(field), after.get(field)
        if one != other:
            found.append({"row": "report", "field": field, "before": one, "after": other})
    return found


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['kind']} {row['name']}" if "kind" in row else str(row["name"])


# --- folders


def file_stem(wanted: "Wanted") -> str:
    """What the files of a report are called: `uptime-2026-10-site`."""
    if name := revision_name(wanted):
        return name
    begin, end = (local(from_us(us)) for us in wanted.period)
    last = end - timedelta(microseconds=1)
    span = (
        f"{begin:%Y-%m-%d}" if begin.date() == last.date() else f"{begin:%Y-%m-%d}_{last:%Y-%m-%d}"
    )
    parts = ["uptime", span, wanted.by.value, *([wanted.member] if wanted.member else [])]
    return "-".join(parts)


_FOLDER_SUFFIXES = (".html", ".csv", ".json")


def write_folder(
    folder: Path, report: UptimeReport, wanted: "Wanted", look: Look, document: Record
) -> list[Path]:
    """The files of a report, and the page that links all reports in the folder."""
    stem = file_stem(wanted)
    if look.is_public:
        stem += "-public"
    written = []
    for suffix in _FOLDER_SUFFIXES:
        path = folder / f"{stem}{suffix}"
        write_whole(path, to_bytes(report, suffix, look, document))
        written.append(path)
    index = folder / "index.html"
    write_whole(index, render_index(_months(folder, look), look).encode())
    return [*written, index]


_FILE = re.compile(r"uptime-(?P<span>\d{4}-\d{2}(-\d{2}(_\d{4}-\d{2}-\d{2})?)?)-.*\.html")


def _months(folder: Path, look: Look) -> list[Record]:
    """The reports in a folder, newest first."""
    say = words(look.language)
    found = []
    for path in folder.glob("uptime-*.html"):
        beside = path.with_suffix(".json")
        if not _FILE.fullmatch(path.name) or not beside.is_file():
            continue
        document = json.loads(beside.read_text(encoding="utf-8"))
        begin, end = (datetime.fromisoformat(document[key]) for key in ("from", "to"))
        title = f"{say.period(begin, end)}: {say('title_' + document['by'])}"
        if path.stem.endswith("-public"):
            title += f" ({say('public').lower()})"
        availability = say.percent(document["total"]["availability_percent"])
        found.append(
            {"file": path.name, "title": title, "availability": availability, "begin": begin}
        )
    return sorted(found, key=lambda m: (m["begin"], m["file"]), reverse=True)


# --- mail


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
    if report.by is By.CAUSE:
        bad = []
    lines.append(say("mail_down") if bad else say("mail_none"))
    lines += [
        f"  {label_of(report, row.name, say)}: {say.duration(seconds(row.downtime))}"
        f" ({say.percent(percent(row.availability))})"
        for row in bad[:20]
    ]
    if len(bad) > 20:
        lines.append(f"  … {len(bad) - 20}")
    stem = file_stem(wanted)
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


def with_revision(look: Look, revision: Revision | None) -> Look:
    """The look of a page that says which revision it is."""
    return look if revision is None else replace(look, revision=revision.number)
