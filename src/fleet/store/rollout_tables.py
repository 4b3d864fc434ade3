"""The tables of rollouts: plans that wait for answers, answers, runs, their journal, and locks."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Text
from sqlmodel import Field, SQLModel

from fleet.store.row import Row


class ProposalRow(Row, table=True):
    """A plan of a rollout as it was first made: what members answer to."""

    __tablename__ = "proposal"
    __table_args__ = (Index("uq_proposal_plan", "plan", unique=True),)
    plan: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    change_class: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    document: str = Field(sa_type=Text)


class AnswerRow(Row, table=True):
    """Append-only: what a member said, bound to its part of a plan."""

    __tablename__ = "answer"
    __table_args__ = (Index("ix_answer_slice", "slice"),)
    plan: str = Field(sa_type=Text)
    member: str = Field(sa_type=Text)
    say: str = Field(sa_type=Text)
    role: str = Field(sa_type=Text)
    reason: str | None = Field(sa_type=Text)
    slice: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    window_start_us: int | None = Field(sa_type=BigInteger)
    window_end_us: int | None = Field(sa_type=BigInteger)
    health: str = Field(sa_type=Text)
    signed: str | None = Field(sa_type=Text)


class RolloutRow(Row, table=True):
    """One run of a plan."""

    __tablename__ = "rollout"
    plan: str = Field(sa_type=Text)
    digest: str = Field(sa_type=Text)
    baselines: str = Field(sa_type=Text)
    actor: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger, index=True)
    finished_us: int | None = Field(sa_type=BigInteger)
    ended: str | None = Field(sa_type=Text)  # done, stopped, reverted


class OutcomeRow(Row, table=True):
    """What a rollout did to one device."""

    __tablename__ = "outcome"
    rollout: int = Field(
        sa_column=Column(Integer, ForeignKey("rollout.id"), nullable=False, index=True)
    )
    wave: int
    baseline: str = Field(sa_type=Text)
    device: str = Field(sa_type=Text, index=True)
    result: str = Field(sa_type=Text)
    message: str | None = Field(sa_type=Text)


class StepRow(Row, table=True):
    """Append-only: the journal of a run, device by device."""

    __tablename__ = "step"
    __table_args__ = (Index("ix_step_rollout", "rollout"),)
    rollout: int = Field(sa_column=Column(Integer, ForeignKey("rollout.id"), nullable=False))
    wave: int
    device: str = Field(sa_type=Text)
    stage: str = Field(sa_type=Text)
    at_us: int = Field(sa_type=BigInteger)
    message: str | None = Field(sa_type=Text)


class DriftRow(Row, table=True):
    """A device that differs from a baseline, and since when that is known."""

    __tablename__ = "drift"
    __table_args__ = (Index("uq_drift_device_baseline", "device", "baseline", unique=True),)
    device: str = Field(sa_type=Text)
    baseline: str = Field(sa_type=Text)
    since_us: int = Field(sa_type=BigInteger)
    seen_us: int = Field(sa_type=BigInteger)


class LeaseRow(SQLModel, table=True):
    """Who may touch a device until when."""

    __tablename__ = "lease"
    device: str = Field(sa_type=Text, primary_key=True)
    rollout: int
    owner: str = Field(sa_type=Text)
    host: str = Field(sa_type=Text)
    pid: int
    since_us: int = Field(sa_type=BigInteger)
    until_us: int = Field(sa_type=BigInteger)
