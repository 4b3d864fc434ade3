"""Datagrams that answered nothing, and what they tell of the devices that were asked."""

from dataclasses import dataclass, field

Sender = tuple[str, int]

_MOST = 10_000  # addresses of which is remembered what they sent


@dataclass(slots=True)
class Strays:
    """How many came: a few are normal, many tell of trouble in the network."""

    malformed: int = 0
    foreign: int = 0  # from an address that was not asked, or with an id that was not sent
    late: int = 0  # or answered twice


@dataclass(slots=True)
class Strangers:
    """Who sent what, in one round; a flood of addresses does not fill the memory.

    Args:
        strays: what is counted.
    """

    strays: Strays
    asked: set[Sender] = field(default_factory=set)
    malformed: set[Sender] = field(default_factory=set)
    notes: dict[Sender, str] = field(default_factory=dict)

    def sent_malformed(self, sender: Sender) -> None:
        """What came is not SNMP, or not an answer to what was asked."""
        self.strays.malformed += 1
        if len(self.malformed) < _MOST:
            self.malformed.add(sender)

    def sent_foreign(self, sender: Sender, *, is_anothers: bool) -> str | None:
        """An answer that was not asked of this address.

        Args:
            is_anothers: whether somebody else was asked with its id.

        Returns:
            What to say of that somebody.
        """
        self.strays.foreign += 1
        if len(self.notes) < _MOST:
            self.notes[sender] = "it answers with a request id that was not sent to it"
        if is_anothers and sender not in self.asked:
            return f"an answer came from {sender[0]}, which was not asked"
        return None
