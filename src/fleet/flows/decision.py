"""Proposals of the expert groups, on which members decide as they do on rollouts."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import Path

from fleet.core.approval import Answer, holding
from fleet.core.baseline import ChangeClass
from fleet.core.decision import Rules, State, state_of
from fleet.core.inventory import Inventory
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound, NotPermitted

_LONGEST = 100_000


def read_proposal(
    path: Path,
    inventory: Inventory,
    *,
    group: str,
    change_class: ChangeClass,
    members: Collection[str],
    service: str | None,
    at: datetime,
    proposals: Sequence[Record] = (),
) -> Record:
    """A proposal that a group wrote in Markdown; its first heading is the title.

    The same text to the same members is the same proposal; another text under the same file name
    takes the place of the one before, and the answers to that one say nothing any more.

    Args:
        members: who decides; all of the day's if empty.
        proposals: all that there are, the newest first.

    Raises:
        Malformed: the file has no title, or is no text.
        NotFound: there is no such member, service, or group.
        NotPermitted: another group proposed something under this name.
    """
    text = _text(path)
    title = _title(text, path)
    there = [m.slug for m in inventory.members.values() if m.is_member(local(at).date())]
    _check(inventory, there, group, members, service)
    asked = sorted(members or there)
    name = _name(path.stem)
    content: Record = {
        "decision": name,
        "title": title,
        "text": text,
        "group": group,
        "service": service,
        "class": change_class.value,
        "members": asked,
    }
    before = _before(proposals, name, group)
    if before is not None and all(before["document"][k] == v for k, v in content.items()):
        return dict(before["document"])
    # What came before belongs to it: an old text that comes again is answered anew.
    said = [content, before["id"] if before else None]
    digest = hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
    return {
        "id": f"{name}-{digest[:8]}",
        "digest": digest,
        **content,
        "slices": dict.fromkeys(asked, digest),
        # What rollouts have, and a decision has not.
        "baselines": [],
        "targets": 0,
        "groups": [],
        "waves": [],
        "items": [],
    }


def _check(
    inventory: Inventory,
    there: Collection[str],
    group: str,
    members: Collection[str],
    service: str | None,
) -> None:
    """That everybody and everything is there that a proposal names."""
    for member in members:
        if member not in there:
            raise NotFound(f"`{member}` is no member today", hint="fleet list members")
    if service is not None and service not in inventory.services:
        raise NotFound(f"there is no service `{service}`", hint="fleet list services")
    groups = sorted({s.group for s in inventory.services.values() if s.group})
    if group not in groups:
        known = f"groups of the services: {', '.join(groups) or 'none'}"
        raise NotFound(f"no service names the group `{group}`", hint=known)


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{path} is no text: {error}") from error
    if len(text) > _LONGEST:
        raise Malformed(f"{path} is longer than {_LONGEST} characters")
    return unicodedata.normalize("NFC", text).strip() + "\n"


def _before(proposals: Sequence[Record], name: str, group: str) -> Record | None:
    """The newest proposal under a name."""
    found = next((p for p in proposals if p["document"].get("decision") == name), None)
    if found is not None and found["document"]["group"] != group:
        raise NotPermitted(
            f"{name} is a proposal of {found['document']['group']}",
            hint="give the file another name: one file is one proposal",
        )
    return found


def _title(text: str, path: Path) -> str:
    """The first heading, or the first line of a text without any."""
    lines = [line for line in text.splitlines() if line.strip()]
    first = next((line for line in lines if line.startswith("# ")), lines[0] if lines else "")
    if not first.strip("# "):
        raise Malformed(f"{path.name} is empty", hint="its first line is the title: # Felles lønn")
    return first.strip("# ")


def _name(stem: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", _ascii(stem.lower())).strip("-")
    if not name:
        raise Malformed(f"`{stem}` gives no name", hint="call the file like felles-lonn.md")
    return name


def _ascii(text: str) -> str:
    plain = text.replace("æ", "ae").replace("ø", "o")
    return unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()


def is_decision(proposal: Record) -> bool:
    """Whether a proposal is a decision, and no rollout."""
    return "decision" in proposal["document"]


def decision_state(
    rules: Rules, proposal: Record, proposals: Sequence[Record], answers: Sequence[Answer]
) -> State:
    """How far a decision has come.

    Args:
        proposals: all of them, the newest first.
    """
    name = proposal["document"]["decision"]
    newest = next(p for p in proposals if p["document"].get("decision") == name)
    if newest["id"] != proposal["id"]:
        return State.REPLACED
    slices = proposal["document"]["slices"]
    rule = rules(ChangeClass(proposal["class"]))
    return state_of(rule, list(slices), holding(answers, slices))
