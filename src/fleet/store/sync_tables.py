"""The tables of reconciling: what was agreed with whom, conflicts, plans and operations."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text
from sqlmodel import Field

from fleet.store.row import Row


class AgreedRow(Row, table=True):
    """A thing that a source shares with the inventory, and its fields as last agreed."""

    __tablename__ = "agreed"
    __table_args__ = (Index("uq_agreed_source_kind_key", "source", "kind", "key", unique=True),)
    source: str = Field(sa_type=Text)
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    fields: str = Field(sa_type=Text)
    remote: int | None = Field(sa_type=BigInteger)  # its number in the source
    marked_us: int | None = Field(sa_type=BigInteger)  # when it was marked there to be removed


class ConflictRow(Row, table=True):
    """What a person has to decide, as the last sync found it."""

    __tablename__ = "conflict"
    __table_args__ = (
        Index("uq_conflict_kind_key_field", "kind", "key", "field", "is_finding", unique=True),
    )
    kind: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    field: str = Field(sa_type=Text)
    base: str = Field(sa_type=Text)
    ours: str = Field(sa_type=Text)
    says: str = Field(sa_type=Text)
    is_finding: bool
    evidence: str | None = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)


class PlanRow(Row, table=True):
    """A plan that was applied, or begun."""

    __tablename__ = "plan"
    digest: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    finished_us: int | None = Field(sa_type=BigInteger)


class OperationRow(Row, table=True):
    """One thing to do in a source, and how far it has come."""

    __tablename__ = "operation"
    __table_args__ = (
        Index("uq_operation_plan_number", "plan", "number", unique=True),
        Index("ix_operation_state", "state"),
    )
    plan: int = Field(sa_column=Column(Integer, ForeignKey("plan.id"), nullable=False))
    number: int
    source: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    type: str = Field(sa_type=Text)
    symbol: str = Field(sa_type=Text)
    remote: int | None = Field(sa_type=BigInteger)
    body: str = Field(sa_type=Text)
    seen: str = Field(sa_type=Text)
    kind: str | None = Field(sa_type=Text)
    key: str | None = Field(sa_type=Text)
    agreed: str = Field(sa_type=Text)
    is_part: bool
    state: str = Field(sa_type=Text)
    message: str | None = Field(sa_type=Text)
