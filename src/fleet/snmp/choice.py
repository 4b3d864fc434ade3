"""Which engine asks whom: the fast one, and pysnmp for what only that speaks."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from fleet.snmp.credentials import Access
from fleet.snmp.engine import Hear, Question, SnmpEngine
from fleet.snmp.fast import FastEngine
from fleet.snmp.usm import PRIVACIES


def can_ask(access: Access) -> bool:
    """Whether the fast engine speaks what the credential asks for."""
    return access.priv is None or access.priv.protocol in PRIVACIES


def open_engine(
    accesses: Mapping[str, Access],
    *,
    timeout_s: float,
    retries: int,
    clock: Callable[[], datetime],
) -> SnmpEngine:
    """An engine for these credentials.

    A credential decides, and nothing else: no device is asked by another engine because of what
    it answered.
    """
    fast = FastEngine(accesses, timeout_s=timeout_s, retries=retries, clock=clock)
    others = {name for name, access in accesses.items() if not can_ask(access)}
    if not others:
        return fast
    from fleet.snmp.pysnmp import PysnmpEngine

    complete = PysnmpEngine(accesses, timeout_s=timeout_s, retries=retries, clock=clock)
    return _Divided(fast, complete, others)


class _Divided:
    """Two engines, one after the other."""

    def __init__(self, fast: SnmpEngine, complete: SnmpEngine, others: set[str]) -> None:
        self._fast = fast
        self._complete = complete
        self._others = others

    def ask(self, questions: Sequence[Question], hear: Hear, *, spread_s: float = 0.0) -> None:
        """Ask all; see `SnmpEngine.ask`."""
        usual = [q for q in questions if q.target.credential not in self._others]
        others = [q for q in questions if q.target.credential in self._others]
        self._fast.ask(usual, hear, spread_s=spread_s)
        self._complete.ask(others, hear)
