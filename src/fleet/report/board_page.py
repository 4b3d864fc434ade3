"""The page for leaders: what they ask, answered in words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fleet.core.board import Board
from fleet.core.cost import AMOUNT, ROUNDING
from fleet.core.inventory import Inventory
from fleet.core.lifecycle import End
from fleet.core.moment import from_us, local
from fleet.core.record import Record
from fleet.core.uptime import CauseFigures, percent, seconds
from fleet.report.look import Look
from fleet.report.template import load_template
from fleet.report.words import Words, words

_CLEAR = ("difference", "what", "day")  # that need no head on a terminal
_MOST = 5  # rows of a kind, so that it stays a page


def render_board(board: Board, look: Look, inventory: Inventory, labels: Mapping[str, str]) -> str:
    """The page; the same answers give the same bytes.

    Args:
        inventory: for the names of things.
        labels: what people call a line of the costs, by its name.
    """
    say = words(look.language)
    return load_template(look, "report/board.html.j2").render(
        say=say,
        look=look,
        language=look.language,
        cooperation=look.cooperation,
        **_answers(board, look, inventory, labels, say),
        method=_method(board, say),
    )


def board_text(board: Board, look: Look, inventory: Inventory, labels: Mapping[str, str]) -> str:
    """The same answers to be read on a terminal."""
    say = words(look.language)
    found = _answers(board, look, inventory, labels, say)
    waiting = [_waiting(one, say) for one in found["open"]] or [say("board_open_none")]
    sections = {
        "have": [found["have"]],
        "down": [*found["down"], *(_listed(r, say) for r in found["causes"])],
        "cost": [*found["cost"], *(_listed(r, say) for r in found["lines"])],
        "replace": [*found["replace"], *(_listed(r, say) for r in found["ends"])],
        "saved": [found["saved"]],
        "open": [] if look.is_public else [*waiting, *(_said(d, say) for d in found["decided"])],
    }
    parts = [f"{found['title']}, {found['quarter']}"]
    for name, lines in sections.items():
        if lines:
            parts.append("\n".join(["", say(f"board_{name}_head"), *(f"  {x}" for x in lines)]))
    return "\n".join(parts)


def _listed(row: Mapping[str, str], say: Words) -> str:
    rest = (
        value if name in _CLEAR else f"{say(f'board_{name}').lower()} {value}"
        for name, value in row.items()
        if name != "name"
    )
    return f"- {row['name']}: {', '.join(rest)}"


def _waiting(one: Record, say: Words) -> str:
    return say(
        "board_open",
        title=one["title"],
        group=one["group"],
        days=one["age_days"],
        yes=one["yes"],
        members=one["members"],
    )


def _said(one: Record, say: Words) -> str:
    key = f"board_decided_{one['state']}"
    return say(key, title=one["title"], yes=one["yes"], members=one["members"])


def _answers(
    board: Board, look: Look, inventory: Inventory, labels: Mapping[str, str], say: Words
) -> dict[str, Any]:
    named = {AMOUNT: say("cost_amount"), ROUNDING: say("cost_rounding"), **labels}
    return {
        "title": say("board_title", name=board.name or look.cooperation),
        "quarter": say("board_quarter", number=board.quarter.number, year=board.quarter.year),
        "have": _have(board, say),
        "down": _down(board, say),
        "causes": [_cause(c, inventory, look, say) for c in board.uptime.causes[:_MOST]],
        "cost": _cost(board, say),
        "lines": [_line(name, ore, named, say) for name, ore in board.cost.lines[:_MOST]],
        "replace": _replace(board, say),
        "ends": [_end(one, say) for one in board.ends[:_MOST]],
        "more_ends": max(len(board.ends) - _MOST, 0),
        "saved": say("board_saved", saved=say.money(board.saved), year=board.quarter.year),
        "open": board.open[:_MOST],
        "decided": board.decided[:_MOST],
        "more_open": max(len(board.open) - _MOST, 0),
    }


def _have(board: Board, say: Words) -> str:
    key = "board_have_member" if board.member else "board_have"
    return say(
        key,
        members=say.number(board.members),
        sites=say.number(board.sites),
        users=say.number(board.users),
        devices=say.number(board.devices),
        services=say.number(board.services),
        all_services=say.number(board.all_services),
    )


def _down(board: Board, say: Words) -> list[str]:
    total, target = board.uptime.total, board.uptime.target
    if total.availability is None:
        return [say("board_down_none")]
    found = [
        say(
            "board_down",
            downtime=say.duration(seconds(total.downtime)),
            availability=say.percent(percent(total.availability)),
            target=say.percent(percent(target.availability)),
            longest=say.duration(seconds(total.longest)),
        )
    ]
    if not total.is_complete:
        found.append(say("board_down_part", coverage=say.percent(percent(total.coverage))))
    return found


def _cause(cause: CauseFigures, inventory: Inventory, look: Look, say: Words) -> dict[str, str]:
    return {
        "name": _cause_name(cause, inventory, look, say),
        "downtime": say.duration(seconds(cause.downtime)),
        "sites": say.number(len(cause.sites)),
        "users": say.number(cause.users),
    }


def _cause_name(cause: CauseFigures, inventory: Inventory, look: Look, say: Words) -> str:
    """What failed, for somebody who knows the places and not the machines."""
    if not cause.kind:
        return say("cause_unknown")
    kind = say(f"cause_{cause.kind}")
    if look.is_public:
        return kind
    if cause.kind == "device" and (device := inventory.devices.get(cause.name)):
        role = say.texts.get(f"role_{device.role}", kind)
        return say("board_at", what=role, place=inventory.sites[device.site].name)
    if cause.kind == "link" and (link := inventory.links.get(cause.name)):
        ends = [inventory.sites.get(inventory.end(end).site or "") for end in (link.a, link.b)]
        names = [site.name for site in ends if site is not None]
        return f"{kind} {' – '.join(dict.fromkeys(names))}"
    return f"{kind}: {cause.name}" if cause.name else kind


def _cost(board: Board, say: Words) -> list[str]:
    cost = board.cost
    if cost.ore is None:
        return [say("board_cost_none", year=cost.year)]
    whose = "board_cost_member" if board.member else "board_cost"
    found = [say(whose, amount=say.money(cost.ore), year=cost.year)]
    if cost.before is None:
        return found
    difference = cost.ore - cost.before
    if difference == 0:
        return [*found, say("board_cost_same", before=cost.year - 1)]
    key = "board_cost_more" if difference > 0 else "board_cost_less"
    return [*found, say(key, difference=say.money(abs(difference)), before=cost.year - 1)]


def _line(name: str, ore: int, labels: Mapping[str, str], say: Words) -> dict[str, str]:
    sign = "+" if ore > 0 else "\N{MINUS SIGN}"
    return {"name": labels.get(name, name), "difference": sign + say.money(abs(ore))}


def _replace(board: Board, say: Words) -> list[str]:
    found = [
        say(
            "board_replace",
            devices=say.number(board.replaced),
            year=board.quarter.year + 1,
            amount=say.money(board.replacing),
        )
        if board.replaced
        else say("board_replace_none", year=board.quarter.year + 1)
    ]
    if board.unpriced:
        found.append(say("board_unpriced", count=say.number(board.unpriced)))
    return found


def _end(one: End, say: Words) -> dict[str, str]:
    return {
        "name": f"{one.about} ({one.name})" if one.about else one.name,
        "what": say(f"ending_{one.ending.value}"),
        "day": say.day(one.day),
        "ring": one.contact.role if one.contact else "–",
    }


def _method(board: Board, say: Words) -> list[str]:
    begin, end = (local(from_us(us)).date() for us in board.uptime.period)
    last = end - timedelta(days=1)
    found = [
        say("board_method_period", begin=say.day(begin), end=say.day(last)),
        say("method"),
        say(
            "polling",
            interval=board.uptime.interval_s,
            confirmations=board.uptime.confirmations,
        ),
        say("site_rule"),
    ]
    if "import" in board.uptime.sources:
        found.append(say("imported"))
    if board.cost.people:
        found.append(say("cost_method", population_date=say.day(board.cost.people)))
    if board.cost.people_before and board.cost.people_before != board.cost.people:
        found.append(say("board_method_before", day=say.day(board.cost.people_before)))
    found.append(say("board_method_saved"))
    return found
