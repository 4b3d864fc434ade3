"""Asking devices who they are: all facts, nothing stored."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fleet.core.facts import SYSTEM, TABLES, Facts, read_facts, scalars_to_ask
from fleet.core.inventory import Device
from fleet.core.record import Record, to_record
from fleet.core.walk import Answer, Outcome, Target, Walk
from fleet.platforms import load_platforms

if TYPE_CHECKING:
    from fleet.snmp.engine import Further, Question, SnmpEngine


def target_of(device: Device) -> Target:
    """Where a device of the inventory is asked."""
    return Target(
        name=device.name,
        address=device.address,
        port=device.port,
        credential=device.credential,
        site=device.site,
    )


def full_question(target: Target) -> "Question":
    """Everything that fleet can read of a device.

    The system group goes first: it says which of the maker's own rows are worth asking for.
    """
    from fleet.snmp.engine import Question

    return Question(target=target, scalars=SYSTEM, further=_further)


def _further(walk: Walk) -> "Further":
    from fleet.snmp.engine import Further

    return Further(scalars=scalars_to_ask(walk, load_platforms()), tables=TABLES)


def read_answer(answer: Answer) -> Facts:
    """The facts in an answer to `full_question`.

    What one device says may be stranger than anybody foresaw; it never spoils the others.
    """
    try:
        return read_facts(answer.walk, answer.unread, load_platforms())
    except Exception as error:  # noqa: BLE001 - named as unread, with what it was
        return Facts(unread=(*answer.unread, f"facts: {type(error).__name__}: {error}"[:200]))


def probe(
    snmp: "SnmpEngine", targets: Sequence[Target], hear: Callable[[int, Record], Any]
) -> None:
    """Ask devices who they are.

    Args:
        targets: whom to ask, each by a name of its own.
        hear: gets the number of a target and its row as soon as it is there: `address`, `port`,
            `reachable`, `error`, `credential` and the facts.
    """
    places = {target.name: number for number, target in enumerate(targets)}

    def take(outcome: Outcome) -> None:
        number = places[outcome.target]
        hear(number, _row(targets[number], outcome))

    snmp.ask([full_question(target) for target in targets], take)


def _row(target: Target, outcome: Outcome) -> Record:
    if isinstance(outcome, Answer):
        facts, error = read_answer(outcome), outcome.error
    else:
        facts = Facts()
        error = outcome.reason.value + (f": {outcome.detail}" if outcome.detail else "")
    return {
        "address": target.address,
        "port": target.port,
        "reachable": isinstance(outcome, Answer),
        "error": error,
        "credential": target.credential,
        **to_record(facts),
    }
