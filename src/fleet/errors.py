"""Every error that fleet raises on purpose, with the exit status it ends in.

FleetError(message, *, hint=None)                                              exit
├─ SettingsError  Missing, Invalid, NoSecret                                     3    fix fleet.toml, environment or secrets
├─ DataError      NotFound, Duplicate, Malformed, SchemaOutdated                 4    input does not fit; nothing was changed
├─ RemoteError    Unreachable, TimedOut, Rejected, Unexpected                    5    a server that fleet leans on did not serve
├─ Refused        NotConfirmed (2), NotPermitted, TooMany, PlanStale, Locked …   6    we could, but must not; nothing was changed
└─ anything else                                                                 70   a bug: one line for people, trace in the log
"""  # noqa: E501 - the tree is easier to read in one piece

from typing import ClassVar


class FleetError(Exception):
    """What went wrong, where, and (as `hint`) how to mend it."""

    exit_status: ClassVar[int] = 70

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(FleetError):
    exit_status = 3


class Missing(SettingsError):
    """No workspace or no settings file where one is needed."""


class Invalid(SettingsError):
    """A setting that fleet does not know or cannot use."""


class NoSecret(SettingsError):
    """A secret that the settings name is not there, or is empty."""


class DataError(FleetError):
    exit_status = 4


class NotFound(DataError):
    """A thing that somebody named is not in the inventory."""


class Duplicate(DataError):
    """One name for two things."""


class Malformed(DataError):
    """Input that does not have the form it must have."""


class SchemaOutdated(DataError):
    """The database is older or newer than this fleet."""


class RemoteError(FleetError):
    exit_status = 5


class Unreachable(RemoteError):
    """A server that fleet leans on does not answer."""


class TimedOut(RemoteError):
    """A server, or a lock on the database, took too long."""


class Rejected(RemoteError):
    """A server answered, and said no."""


class Unexpected(RemoteError):
    """A server or a program answered what nobody foresaw."""


class Refused(FleetError):
    exit_status = 6


class NotConfirmed(Refused):
    """A change that nobody said yes to, where nobody can be asked."""

    exit_status = 2


class NotPermitted(Refused):
    """The operating system does not let fleet do it."""


class TooMany(Refused):
    """More would change than a person is likely to have meant."""


class PlanStale(Refused):
    """The inventory changed after the plan was made."""


class ClockBehind(Refused):
    """The clock says an earlier time than what was seen last."""


class Locked(Refused):
    """Another fleet is doing the same thing right now."""
