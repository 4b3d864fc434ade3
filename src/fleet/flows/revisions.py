"""Reports on months that are over, kept as they were given out."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fleet.core.moment import from_us, local, to_us
from fleet.core.record import Record
from fleet.core.spans import Span
from fleet.core.uptime import By

if TYPE_CHECKING:
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
    first = local(from_us(period[0])).date()
    following = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
    is_whole = first.day == 1 and to_us(first) == period[0] and to_us(following) == period[1]
    return first if is_whole else None


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
    if wanted.is_public and wanted.by is By.SERVICE:
        parts.append("public")
    return "-".join(parts)


def keep(
    reader: "Reader", open_store: "Callable[[], Store]", name: str, document: Record, now: datetime
) -> Revision:
    """Keep a report on a closed month, if it is not what was kept last.

    Args:
        open_store: opens the database for writing, if that is needed.
    """
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    kept = reader.revisions(name)
    if kept and kept[-1][2] == digest:
        return Revision(name=name, number=kept[-1][1], digest=digest, changes=None)
    with open_store() as store:
        number, before = store.keep_revision(name, digest, text, now)
    changes = None
    if before is not None:
        changes = len(difference(json.loads(before), document))
    return Revision(name=name, number=number, digest=digest, changes=changes)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Record]:
    """What differs between two documents, by row and field; the total is a row too."""
    found: list[Record] = []
    sections = ("rows",) if after.get("by") == "cause" else ("rows", "causes")
    for section in sections:
        old = {_key(row): row for row in before.get(section, [])}
        new = {_key(row): row for row in after.get(section, [])}
        if section == "rows":
            old[""] = before.get("total", {})
            new[""] = after.get("total", {})
        for key in sorted({*old, *new}):
            one, other = old.get(key, {}), new.get(key, {})
            for field in dict.fromkeys((*one, *other)):
                if one.get(field) != other.get(field):
                    found.append(
                        {
                            "row": key or "total",
                            "field": field,
                            "before": one.get(field),
                            "after": other.get(field),
                        }
                    )
    for field in ("method", "target", "weight", "sources", "corrections"):
        one, other = before.get(field), after.get(field)
        if one != other:
            found.append({"row": "report", "field": field, "before": one, "after": other})
    return found


def _key(row: Mapping[str, Any]) -> str:
    return f"{row['kind']} {row['name']}" if "kind" in row else str(row["name"])
