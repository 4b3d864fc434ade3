"""The only wiring: opens workspace, database, walker and the rest when they are first used."""

import getpass
import os
import sys
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.inventory import Inventory
from fleet.errors import Missing, NoSecret, NotFound

if TYPE_CHECKING:
    from fleet.ansible.devices import Devices
    from fleet.ansible.secrets import Secrets
    from fleet.flows.backup import Vault
    from fleet.flows.books import Books
    from fleet.flows.deploy import Planner
    from fleet.flows.sync import Sources
    from fleet.metrics.embedded import Keep
    from fleet.metrics.reader import MetricReader
    from fleet.metrics.sink import MetricSink
    from fleet.settings import Poll, Workspace
    from fleet.snmp.engine import SnmpEngine
    from fleet.sources.netbox.source import NetBoxSource
    from fleet.store.reader import Reader
    from fleet.store.store import Store


class App:
    """What a command works with.

    Args:
        folder: the workspace if the user named one.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._netboxes: dict[str, NetBoxSource] = {}

    @cached_property
    def workspace(self) -> "Workspace":
        from fleet.settings import open_workspace

        return open_workspace(self._folder)

    def close(self) -> None:
        """Close what was opened."""
        if reader := self.__dict__.pop("reader", None):
            reader.close()
        if devices := self.__dict__.pop("devices", None):
            devices.close()
        for netbox in self._netboxes.values():
            netbox.close()
        self._netboxes.clear()

    def now(self) -> datetime:
        return datetime.now(UTC)

    @property
    def actor(self) -> str:
        """The operating system's user, who answers for what this command changes."""
        try:
            return getpass.getuser()
        except (KeyError, OSError):
            return f"uid {os.getuid()}"

    @cached_property
    def reader(self) -> "Reader | None":
        """What looks things up; None before the first sync."""
        from fleet.store.reader import open_reader

        return open_reader(self.workspace.store_url())

    def inventory(self) -> Inventory:
        """The joint inventory; empty before the first sync."""
        return self.reader.inventory() if self.reader else Inventory()

    def declared(self, times: dict[tuple[str, str], int] | None = None) -> Inventory:
        """The inventory as the workspace's files declare it.

        Args:
            times: is filled with when each thing was written, microseconds since 1970.
        """
        from fleet.sources.files import read_files

        workspace = self.workspace
        credentials = workspace.settings.snmp.credentials
        return read_files(workspace.inventory, workspace.root, credentials, times)

    def books(self, inventory: Inventory) -> "Books":
        """What the cooperation writes down beside its inventory, to which it may refer."""
        from fleet.flows.books import Books

        return Books(self.workspace.inventory, self.workspace.root, inventory)

    def sources(self, names: Collection[str]) -> "Sources":
        """What a sync reads: the named sources, or all.

        Raises:
            NotFound: there is no such source.
        """
        from fleet.flows.sync import Sources

        known = ("files", *self.workspace.settings.sources, "snmp")
        for name in names:
            if name not in known:
                raise NotFound(f"there is no source `{name}`", hint=f"sources: {', '.join(known)}")
        wanted = names or known
        times: dict[tuple[str, str], int] = {}
        return Sources(
            times=times,
            files=(lambda: self.declared(times)) if "files" in wanted else None,
            netboxes=[self.netbox(n) for n in self.workspace.settings.sources if n in wanted],
            has_snmp="snmp" in wanted,
        )

    def netbox(self, name: str) -> "NetBoxSource":
        """A NetBox of the settings; it is closed with the rest.

        Raises:
            NoSecret: its token is not to be had.
        """
        from fleet.sources.netbox.source import NetBoxSource

        if name not in self._netboxes:
            settings = self.workspace.settings.sources[name]
            token = self.workspace.read_secret(settings.token, f"[sources.{name}] token")
            ca = str(self.workspace.root / settings.ca) if settings.ca else None
            self._netboxes[name] = NetBoxSource(name, settings, token, ca)
        return self._netboxes[name]

    def ask_netbox(self, name: str) -> str:
        """What a NetBox of the settings says of itself.

        Raises:
            RemoteError: it does not answer.
            NoSecret: its token is not to be had.
        """
        major, minor = self.netbox(name).client.capabilities.version
        return f"NetBox {major}.{minor} answers at {self.workspace.settings.sources[name].url}"

    def store(self) -> "Store":
        """The database, open for writing; made if there is none."""
        from fleet.store.store import Store

        return Store(self.workspace.store_url())

    def snmp(
        self,
        credentials: Iterable[str],
        *,
        community: str | None = None,
        timeout_s: float | None = None,
    ) -> "SnmpEngine":
        """What asks devices over SNMP.

        Args:
            credentials: names in the settings.
            community: asked with instead (version 2c), under every name; needs no workspace.
            timeout_s: asked once, and waited for so long; as in the settings if None.
        """
        from fleet.snmp.choice import open_engine
        from fleet.snmp.credentials import Access, read_credentials

        if community is not None:
            access = Access(version="2c", community=community)
            accesses = dict.fromkeys(credentials, access)
        else:
            accesses = {**read_credentials(self.workspace, credentials)}
        poll = self._poll_settings(needs_workspace=community is None)
        timeout, retries = (poll.timeout_s, poll.retries) if timeout_s is None else (timeout_s, 0)
        return open_engine(accesses, timeout_s=timeout, retries=retries, clock=self.now)

    @cached_property
    def devices(self) -> "Devices":
        """What reads and changes devices over their own command line."""
        from fleet.ansible.devices import Devices

        return Devices(self.workspace)

    @property
    def metrics_file(self) -> Path:
        """Where measurements are kept."""
        return self.workspace.state / "metrics.db"

    @property
    def keep(self) -> "Keep":
        """How long measurements are kept."""
        from fleet.metrics.embedded import Keep

        settings = self.workspace.settings.metrics
        return Keep(
            samples=timedelta(days=settings.keep_samples_days),
            hours=timedelta(days=settings.keep_hours_days),
            days=timedelta(days=settings.keep_days_days),
        )

    def sink(self, name: str) -> "MetricSink":
        """Another store that measurements are sent to.

        Raises:
            NoSecret: its secret is not to be had.
        """
        from fleet.metrics.remote import Door, RemoteWrite, VictoriaMetrics

        sink = self.workspace.settings.metrics.sinks[name]
        secret = None
        if sink.secret is not None:
            secret = self.workspace.read_secret(sink.secret, f"[metrics.sinks.{name}] secret")
        door = Door(
            url=sink.url,
            user=sink.user,
            secret=secret,
            ca=str(self.workspace.root / sink.ca) if sink.ca else None,
            headers=sink.headers,
        )
        return VictoriaMetrics(door) if sink.kind == "victoriametrics" else RemoteWrite(door)

    def metrics(self) -> "MetricReader | None":
        """What was measured; None: nothing yet."""
        from fleet.metrics.reader import open_metrics

        return open_metrics(self.metrics_file, _warn)

    def vault(self) -> "Vault":
        """What keeps configurations of network devices.

        Raises:
            NoSecret: the key that hides their secrets is not to be had.
        """
        from fleet.flows.backup import Vault

        settings = self.workspace.settings.deploy
        if settings.key is None:
            raise NoSecret(
                "configurations of network devices are kept under a key, and [deploy] names none",
                hint='key = { env = "FLEET_KEY" }, and for instance: openssl rand -hex 32',
            )
        return Vault(
            root=self.workspace.root,
            folder=self.workspace.state / "configs",
            key=self.workspace.read_secret(settings.key, "[deploy] key").encode(),
            known=self.secrets.known(),
        )

    @cached_property
    def secrets(self) -> "Secrets":
        """What fetches secrets that baselines refer to."""
        from fleet.ansible.secrets import Secrets

        return Secrets(self.workspace.root)

    def planner(self, *, reads: bool, style: str | None = None) -> "Planner":
        """What makes plans of rollouts.

        Args:
            reads: whether devices are asked what they have.
            style: of the playbooks; what fleet itself runs if None.
        """
        from fleet import shipped
        from fleet.ansible.generate import Generator, Style
        from fleet.ansible.render import Renderer
        from fleet.core.topology import Network
        from fleet.flows.deploy import Planner

        settings = self.workspace.settings
        templates = [self.workspace.root / "templates", shipped.templates()]
        wanted = Style(style or Style.BUNDLE)
        return Planner(
            Network(self.inventory(), settings.poll.from_site),
            Renderer(templates),
            Generator(templates, settings.deploy, wanted, self.secrets.known),
            self.secrets,
            self.devices.read if reads else None,
            owners=not settings.deploy.root,
        )

    def _poll_settings(self, *, needs_workspace: bool) -> "Poll":
        try:
            return self.workspace.settings.poll
        except Missing:
            if needs_workspace:
                raise
            from fleet.settings import Poll

            return Poll()

    @cached_property
    def log(self) -> Any:
        from fleet.log import open_log

        try:
            return open_log(self.workspace.state)
        except Exception:  # noqa: BLE001 - without a workspace there is still a log
            return open_log(None)


def _warn(text: str) -> None:
    sys.stderr.write(f"{text}\n")
