"""The channels that the settings name, ready to hand messages over."""

from functools import partial
from typing import TYPE_CHECKING

from fleet.app import App
from fleet.errors import NotFound
from fleet.flows.alerts import Channel, tell
from fleet.report.mail import Server
from fleet.report.notify import Message, by_command, by_mail, by_webhook
from fleet.report.words import Words, words
from fleet.settings.sections import Alert

if TYPE_CHECKING:
    from fleet.store.store import Store


def channels_of(fleet: App) -> list[Channel]:
    """All of them; their secrets are looked up when something is sent."""
    return [channel_of(fleet, name) for name in fleet.workspace.settings.alerts]


def tell_all(fleet: App, store: "Store") -> list[str]:
    """Send what is new through all channels; what went wrong, a line each."""
    settings = fleet.workspace.settings
    return tell(
        store,
        channels_of(fleet),
        words_of(fleet),
        fleet.now(),
        settings.poll.interval,
        settings.poll.from_site,
        settings.limits.values(),
    )


def channel_of(fleet: App, name: str) -> Channel:
    """One channel.

    Raises:
        NotFound: there is none of that name.
    """
    alerts = fleet.workspace.settings.alerts
    if name not in alerts:
        known = ", ".join(alerts) or "fleet.toml has no section [alerts.NAME]"
        raise NotFound(f"there is no channel `{name}`", hint=known)
    alert = alerts[name]
    return Channel(
        name=name,
        members=None if alert.members is None else frozenset(alert.members),
        keeps_quiet=alert.quiet,
        deliver=partial(_deliver, fleet, name, alert),
    )


def words_of(fleet: App) -> Words:
    """The language in which people are told."""
    return words(fleet.workspace.settings.cooperation.language)


def mail_server(fleet: App) -> Server:
    """The mail server of the settings, with its password."""
    settings = fleet.workspace.settings.mail
    assert settings is not None  # the settings were checked for it
    password = None
    if settings.user is not None and settings.password is not None:
        password = fleet.workspace.read_secret(settings.password, "[mail] password")
    return Server(
        host=settings.server,
        port=settings.port,
        tls=settings.tls,
        user=settings.user,
        password=password,
    )


def _deliver(fleet: App, name: str, alert: Alert, message: Message) -> None:
    settings = fleet.workspace.settings.mail
    if alert.command is not None:
        by_command(alert.command, message)
    elif alert.webhook is not None:
        url = fleet.workspace.read_secret(alert.webhook, f"[alerts.{name}] webhook")
        by_webhook(url, alert.form, message)
    elif alert.mail is not None and settings is not None:
        by_mail(mail_server(fleet), settings.sender, alert.mail, message, fleet.now())
