"""Decisions and contracts as a package that can be archived: open formats, the same bytes again.

A ZIP file of UTF-8 text and JSON, without times of its own; `manifest.json` has the SHA-256 of
every other file, so that it can be seen in twenty years whether one was changed.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence

from fleet.core.approval import Answer, Say, holding
from fleet.core.decision import Rules
from fleet.core.inventory import Inventory
from fleet.core.moment import text_of
from fleet.core.record import Record, encode
from fleet.flows.decision import decision_state, is_decision

_NEVER = (1980, 1, 1, 0, 0, 0)  # the first time that ZIP knows


def archive_of(
    inventory: Inventory,
    proposals: Sequence[Record],
    answers: Sequence[Answer],
    rules: Rules,
    member: str | None = None,
) -> dict[str, bytes]:
    """The files of an archive, by their names.

    Args:
        proposals: rollouts and decisions, the newest first.
        answers: of all members, the oldest first.
        member: only what it was asked about, and what it said.
    """
    files: dict[str, bytes] = {}
    contracts = [encode(c) for _, c in sorted(inventory.contracts.items())]
    files["contracts.json"] = _json(contracts)
    for proposal in proposals:
        if member is not None and member not in proposal["document"]["slices"]:
            continue
        said = [a for a in answers if a.change == proposal["id"] and member in (None, a.member)]
        folder = "decisions" if is_decision(proposal) else "rollouts"
        state = (
            decision_state(rules, proposal, proposals, answers).value
            if is_decision(proposal)
            else None
        )
        document = _document(proposal, said, state)
        files[f"{folder}/{proposal['id']}.json"] = _json(document)
        if is_decision(proposal):
            files[f"{folder}/{proposal['id']}.md"] = proposal["document"]["text"].encode()
    digests = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    files["manifest.json"] = _json({"form": "fleet-archive 1", "sha256": digests})
    return files


def _document(proposal: Record, said: Sequence[Answer], state: str | None) -> Record:
    document = proposal["document"]
    about = {
        name: document.get(name) for name in ("title", "group", "service", "baselines", "targets")
    }
    return {
        "id": proposal["id"],
        "digest": proposal["digest"],
        "class": proposal["class"],
        **about,
        "members": sorted(document["slices"]),
        "proposed_at": text_of(proposal["at"]),
        "state": state,
        "answers": [
            {
                "member": a.member,
                "say": a.say.value,
                "role": a.role,
                "reason": a.reason,
                "at": text_of(a.at),
                "holds": document["slices"].get(a.member) == a.slice,
                "signed": a.signed,
                "health": dict(a.health),
            }
            for a in said
        ],
        "yes": sum(a.say is Say.YES for a in holding(said, document["slices"]).values()),
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def to_zip(files: Mapping[str, bytes]) -> bytes:
    """The files as one; the same files give the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _NEVER)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, files[name])
    return out.getvalue()
