"""The tables. A class here ends in Row and never leaves the store.

The columns of the inventory's tables are the fields of the core types by their JSON names,
nested values as JSON text: every reader of the database sees the words of the declared files.
Clocks of machines (polls, states, changes) are whole microseconds since 1970 in UTC (`_us`),
since sums of them must be exact.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

from fleet.store.rollout_tables import (
    AnswerRow,
    DriftRow,
    LeaseRow,
    OutcomeRow,
    ProposalRow,
    RolloutRow,
    StepRow,
)
from fleet.store.row import Row, table_of
from fleet.store.sync_tables import AgreedRow, ConflictRow, OperationRow, PlanRow

__all__ = [
    "AgreedRow",
    "AnswerRow",
    "ConflictRow",
    "DriftRow",
    "LeaseRow",
    "OperationRow",
    "OutcomeRow",
    "PlanRow",
    "ProposalRow",
    "RolloutRow",
    "StepRow",
    "table_of",
]


class _ThingRow(Row):
    """A row of the joint inventory and the source that it came from."""

    source: str = Field(sa_type=Text)


class MemberRow(_ThingRow, table=True):
    __tablename__ = "member"
    slug: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    number: str = Field(sa_type=Text)
    county: str | None = Field(sa_type=Text)
    language: str = Field(sa_type=Text)
    memberships: str = Field(sa_type=Text)
    population: str = Field(sa_type=Text)
    earlier: str = Field(sa_type=Text)
    ended: str | None = Field(sa_type=Text)
    successors: str = Field(sa_type=Text)
    contact: str | None = Field(sa_type=Text)
    retired: str | None = Field(sa_type=Text)


class ContractRow(_ThingRow, table=True):
    __tablename__ = "contract"
    slug: str = Field(sa_type=Text, unique=True)
    supplier: str = Field(sa_type=Text)
    from_: str = Field(sa_column=Column("from", Text, nullable=False))
    until: str | None = Field(sa_type=Text)
    notice_by: str | None = Field(sa_type=Text)
    cost_per_year: str | None = Field(sa_type=Text)
    split: str | None = Field(sa_type=Text)
    share_only: str = Field(sa_type=Text)
    contact: str | None = Field(sa_type=Text)
    retired: str | None = Field(sa_type=Text)


class SiteRow(_ThingRow, table=True):
    __tablename__ = "site"
    slug: str = Field(sa_type=Text, unique=True)
    member: str = Field(sa_type=Text, foreign_key="member.slug", index=True)
    name: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    address: str | None = Field(sa_type=Text)
    latitude: float | None
    longitude: float | None
    opening_hours: str | None = Field(sa_type=Text)
    users: int | None
    member_from: str | None = Field(sa_type=Text)
    member_until: str | None = Field(sa_type=Text)
    contact: str | None = Field(sa_type=Text)
    retired: str | None = Field(sa_type=Text)


class DeviceRow(_ThingRow, table=True):
    __tablename__ = "device"
    name: str = Field(sa_type=Text, unique=True)
    site: str = Field(sa_type=Text, foreign_key="site.slug", index=True)
    role: str = Field(sa_type=Text)
    address: str | None = Field(sa_type=Text)
    port: int
    credential: str = Field(sa_type=Text)
    platform: str | None = Field(sa_type=Text)
    vendor: str | None = Field(sa_type=Text)
    model: str | None = Field(sa_type=Text)
    serial: str | None = Field(sa_type=Text)
    asset_tag: str | None = Field(sa_type=Text)
    room: str | None = Field(sa_type=Text)
    rack: str | None = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    commissioned: str | None = Field(sa_type=Text)
    decommissioned: str | None = Field(sa_type=Text)
    owner: str | None = Field(sa_type=Text)
    contract: str | None = Field(sa_type=Text, foreign_key="contract.slug")
    warranty_until: str | None = Field(sa_type=Text)
    fed_by: str | None = Field(sa_type=Text)


class InterfaceRow(_ThingRow, table=True):
    __tablename__ = "interface"
    __table_args__ = (Index("uq_interface_device_name", "device", "name", unique=True),)
    device: str = Field(sa_type=Text, foreign_key="device.name")
    name: str = Field(sa_type=Text)
    mac: str | None = Field(sa_type=Text)
    address: str | None = Field(sa_type=Text)
    description: str | None = Field(sa_type=Text)
    retired: str | None = Field(sa_type=Text)


class LinkRow(_ThingRow, table=True):
    __tablename__ = "link"
    __table_args__ = (Index("uq_link_a_b", "a", "b", unique=True),)
    a: str = Field(sa_type=Text)
    b: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    capacity_mbps: int | None
    provider: str | None = Field(sa_type=Text)
    circuit_id: str | None = Field(sa_type=Text)
    contract: str | None = Field(sa_type=Text, foreign_key="contract.slug")
    retired: str | None = Field(sa_type=Text)


class ServiceRow(_ThingRow, table=True):
    __tablename__ = "service"
    slug: str = Field(sa_type=Text, unique=True)
    name: str = Field(sa_type=Text)
    kind: str | None = Field(sa_type=Text)
    group: str | None = Field(sa_type=Text)
    criticality: str = Field(sa_type=Text)
    needs: str = Field(sa_type=Text)
    public: bool
    use: str = Field(sa_type=Text)
    contact: str | None = Field(sa_type=Text)
    retired: str | None = Field(sa_type=Text)


class ChangeRow(Row, table=True):
    """Append-only: triggers refuse to update or delete."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_kind_key_at_us", "kind", "key", "at_us"),)
    at_us: int = Field(sa_type=BigInteger, index=True)
    actor: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    fields: str = Field(sa_type=Text)
    plan: str | None = Field(sa_type=Text)  # digest of the plan that it was part of


class LookupRow(Row, table=True):
    __tablename__ = "lookup"
    __table_args__ = (Index("ix_lookup_kind_name", "kind", "name"),)
    kind: str = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    member: str | None = Field(sa_type=Text)
    site: str | None = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    value: str = Field(sa_type=Text)
    normal: str = Field(sa_type=Text, index=True)
    source: str = Field(sa_type=Text)


class TrackRow(SQLModel, table=True):
    __tablename__ = "track"
    device: str = Field(sa_type=Text, primary_key=True)
    state: str = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)
    last_at_us: int = Field(sa_type=BigInteger)
    root: str | None = Field(sa_type=Text)
    failures: int
    failing_since_us: int | None = Field(sa_type=BigInteger)
    booted_us: int | None = Field(sa_type=BigInteger)
    boots: int | None
    other: str | None = Field(sa_type=Text)
    other_since_us: int | None = Field(sa_type=BigInteger)
    others: int = Field(sa_column=Column(Integer, nullable=False, server_default="0"))


class StateRow(Row, table=True):
    """One stretch of one state; the open one has no end."""

    __tablename__ = "state"
    __table_args__ = (
        Index("uq_state_device_since_us", "device", "since_us", unique=True),
        Index(
            "uq_state_open",
            "device",
            unique=True,
            sqlite_where=text("until_us IS NULL"),
            postgresql_where=text("until_us IS NULL"),
        ),
        Index("ix_state_until_us", "until_us"),
    )
    device: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)
    until_us: int | None = Field(sa_type=BigInteger)
    cause: str | None = Field(sa_type=Text)
    source: str = Field(sa_type=Text)  # poll or import
    root: str | None = Field(sa_type=Text)  # the root cause: `device NAME` or `link KEY`


class ConditionRow(Row, table=True):
    """One stretch of one state of a part of a device: a port, its battery, its load."""

    __tablename__ = "condition"
    __table_args__ = (
        Index("uq_condition_since_us", "device", "subject", "since_us", unique=True),
        Index(
            "uq_condition_open",
            "device",
            "subject",
            unique=True,
            sqlite_where=text("until_us IS NULL"),
            postgresql_where=text("until_us IS NULL"),
        ),
    )
    device: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)
    until_us: int | None = Field(sa_type=BigInteger)
    last_at_us: int = Field(sa_type=BigInteger)


class FollowedRow(Row, table=True):
    """A part of a device whose state is looked at, and where the device has it."""

    __tablename__ = "followed"
    __table_args__ = (Index("uq_followed_device_subject", "device", "subject", unique=True),)
    device: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    number: int | None  # ifIndex of a port
    name: str | None = Field(sa_type=Text)  # what the device calls it


class EventRow(Row, table=True):
    """Something that happened to a device at an instant: a reboot."""

    __tablename__ = "event"
    __table_args__ = (Index("uq_event_device_kind_at_us", "device", "kind", "at_us", unique=True),)
    device: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    seen_us: int = Field(sa_type=BigInteger)  # when the observation was made that tells it


class MaintenanceRow(Row, table=True):
    """A planned window; one that was ended early keeps the end that was announced."""

    __tablename__ = "maintenance"
    kind: str = Field(sa_type=Text)  # device, site, member, service
    name: str = Field(sa_type=Text)
    start_us: int = Field(sa_type=BigInteger)
    end_us: int = Field(sa_type=BigInteger)
    announced_us: int = Field(sa_type=BigInteger)
    reason: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    ended_us: int | None = Field(sa_type=BigInteger)
    ended_by: str | None = Field(sa_type=Text)


class CorrectionRow(Row, table=True):
    """Append-only: what a person says of an outage; of several the last one holds."""

    __tablename__ = "correction"
    kind: str = Field(sa_type=Text)  # device or site
    name: str = Field(sa_type=Text)
    start_us: int = Field(sa_type=BigInteger)
    end_us: int | None = Field(sa_type=BigInteger)
    reading: str = Field(sa_type=Text)  # planned, user-reported, excluded, as-seen
    role: str = Field(sa_type=Text)
    reason: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)


class AuditRow(Row, table=True):
    """Append-only: what was seen at a place."""

    __tablename__ = "audit"
    site: str = Field(sa_type=Text, index=True)
    room: str | None = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    document: str = Field(sa_type=Text)  # JSON: the counts, whether it was whole, the rows


class RevisionRow(Row, table=True):
    """Append-only: a report on a closed month, as it was given out."""

    __tablename__ = "revision"
    __table_args__ = (Index("uq_revision_name_number", "name", "number", unique=True),)
    name: str = Field(sa_type=Text)
    number: int
    digest: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    document: str = Field(sa_type=Text)


class FactRow(SQLModel, table=True):
    """What a device last said of itself."""

    __tablename__ = "fact"
    device: str = Field(sa_type=Text, primary_key=True)
    at_us: int = Field(sa_type=BigInteger)
    facts: str = Field(sa_type=Text)
    tried_us: int | None = Field(sa_type=BigInteger)  # when reading them last broke off


class AlertRow(Row, table=True):
    """A message that was sent through a channel."""

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_channel_key", "channel", "key"),)
    at_us: int = Field(sa_type=BigInteger)
    channel: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    phase: str = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)
    text: str = Field(sa_type=Text)


class WhereaboutsRow(Row, table=True):
    """Behind which port of a device a MAC address was seen, from the first time to the last.

    `until_us` is empty as long as the device still has it there whenever it is asked.
    """

    __tablename__ = "whereabouts"
    __table_args__ = (Index("ix_whereabouts_device_port", "device", "port"),)
    mac: str = Field(sa_type=Text, index=True)
    device: str = Field(sa_type=Text)
    port: str = Field(sa_type=Text)
    vlan: int | None
    since_us: int = Field(sa_type=BigInteger)
    until_us: int | None = Field(sa_type=BigInteger)


class RoundRow(Row, table=True):
    """One finished poll of many devices."""

    __tablename__ = "round"
    at_us: int = Field(sa_type=BigInteger, index=True)
    duration_us: int = Field(sa_type=BigInteger)
    devices: int
    up: int
    down: int
    unreachable: int
    unknown: int
    requests: int
    timeouts: int
    # What was seen of every device, for a day: late results are put in their place by it.
    seen: bytes | None = Field(sa_type=LargeBinary)


ROWS: dict[str, type[SQLModel]] = {
    "member": MemberRow,
    "contract": ContractRow,
    "site": SiteRow,
    "device": DeviceRow,
    "interface": InterfaceRow,
    "link": LinkRow,
    "service": ServiceRow,
}
