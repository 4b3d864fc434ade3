"""Root causes, parts of devices, events, maintenance, corrections, kept reports"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = ("correction", "revision")


def upgrade() -> None:
    with op.batch_alter_table("state") as batch:
        batch.add_column(sa.Column("root", sa.Text(), nullable=True))
    with op.batch_alter_table("track") as batch:
        batch.drop_column("uptime_us")
        batch.add_column(sa.Column("root", sa.Text(), nullable=True))
        batch.add_column(sa.Column("booted_us", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("boots", sa.Integer(), nullable=True))
        batch.add_column(sa.Column("other", sa.Text(), nullable=True))
        batch.add_column(sa.Column("other_since_us", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("others", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("fact") as batch:
        batch.add_column(sa.Column("tried_us", sa.BigInteger(), nullable=True))
    with op.batch_alter_table("round") as batch:
        batch.add_column(sa.Column("seen", sa.LargeBinary(), nullable=True))
    _parts()
    _people()
    for table in _APPEND_ONLY:
        _make_append_only(table)


def _parts() -> None:
    is_open = sa.text("until_us IS NULL")
    op.create_table(
        "condition",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("last_at_us", sa.BigInteger(), nullable=False),
    )
    columns = ["device", "subject", "since_us"]
    op.create_index("uq_condition_since_us", "condition", columns, unique=True)
    op.create_index(
        "uq_condition_open",
        "condition",
        ["device", "subject"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )
    op.create_table(
        "followed",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
    )
    columns = ["device", "subject"]
    op.create_index("uq_followed_device_subject", "followed", columns, unique=True)
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
    )
    columns = ["device", "kind", "at_us"]
    op.create_index("uq_event_device_kind_at_us", "event", columns, unique=True)


def _people() -> None:
    op.create_table(
        "maintenance",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=False),
        sa.Column("announced_us", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("start_us", sa.BigInteger(), nullable=False),
        sa.Column("end_us", sa.BigInteger(), nullable=True),
        sa.Column("reading", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
    )
    op.create_index("uq_revision_name_number", "revision", ["name", "number"], unique=True)


def _make_append_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{event.lower()} BEFORE {event} ON {table}"
            f" BEGIN SELECT RAISE(ABORT, 'what is kept in {table} is append-only'); END"
        )
