"""The statement of what members pay, as an HTML page for leaders."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from fleet.core.cost import AMOUNT, Key, Pot, Row, Statement
from fleet.report.look import Look
from fleet.report.template import load_template
from fleet.report.words import Words, words


def render_cost(
    statement: Statement, look: Look, labels: Mapping[str, str], row: Row | None = None
) -> str:
    """The page; the same statement gives the same bytes.

    Args:
        labels: what people call a pot, by its name.
        row: of the member whose statement it is; None: of all.
    """
    say = words(look.language)
    names = {AMOUNT: say("cost_amount"), **labels}
    lines = _lines(row, names, say) if row else []
    title = say("cost_title_member", member=row.name) if row else say("cost_title")
    return load_template(look, "report/cost.html.j2").render(
        say=say,
        look=look,
        language=look.language,
        cooperation=look.cooperation,
        title=title,
        year=statement.year,
        row=_cells(row, say) if row else None,
        lines=lines,
        rows=[_cells(one, say) for one in statement.rows],
        total=say.money(statement.ore),
        people=say.number(sum(one.population for one in statement.rows)),
        pots=[_pot(pot, names, say) for pot in statement.pots],
        population_date=say.day(statement.population_date),
        is_whole=len({one.days for one in statement.rows}) == 1,
    )


def _cells(row: Row, say: Words) -> dict[str, Any]:
    return {
        "name": row.name,
        "population": say.number(row.population),
        "days": say.number(row.days),
        "share": say.money(row.ore),
        "per_inhabitant": say.money(round(Fraction(row.ore, row.population))),
    }


def _lines(row: Row, names: Mapping[str, str], say: Words) -> list[dict[str, str]]:
    """Lines in whole øre, that add up to what the member pays."""
    whole = {name: int(part) for name, part in row.parts.items()}
    rest = row.ore - sum(whole.values())
    lines = [
        {"name": names.get(name, name), "share": say.money(ore)} for name, ore in whole.items()
    ]
    if rest:
        lines.append({"name": say("cost_rounding"), "share": say.money(rest)})
    return lines


def _pot(pot: Pot, names: Mapping[str, str], say: Words) -> dict[str, str]:
    last = pot.end - timedelta(days=1)
    return {
        "name": names.get(pot.name, pot.name),
        "period": f"{say.day(pot.start)} – {say.day(last)}",
        "key": _sharing(pot, say),
        "amount_head": say.money(pot.ore),
    }


def _sharing(pot: Pot, say: Words) -> str:
    mine = pot.each or pot.weights
    if mine is None:
        return _key(pot.key, say)
    return say("cost_key_own" if len(mine) == 1 else "cost_key_use")


def _key(key: Key, say: Words) -> str:
    """The parts of a key in per cent, which need not be whole."""
    parts = []
    for name in ("population", "equal"):
        if share := key.part(name):
            hundredths = round(share * 10_000)
            text = f"{hundredths // 100}.{hundredths % 100:02d}".removesuffix(".00")
            parts.append(say(f"cost_key_{name}", percent=say.percent(text)))
    return ", ".join(parts)
