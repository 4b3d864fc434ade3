"""Where MAC addresses were seen; who was told what; no replacing of what is append-only"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_APPEND_ONLY = ("change", "correction", "revision", "answer", "step", "audit", "alert")


def upgrade() -> None:
    op.create_table(
        "whereabouts",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("mac", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("port", sa.Text(), nullable=False),
        sa.Column("vlan", sa.Integer(), nullable=True),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
    )
    op.create_index("ix_whereabouts_mac", "whereabouts", ["mac"])
    op.create_index("ix_whereabouts_device_port", "whereabouts", ["device", "port"])
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_index("ix_alert_channel_key", "alert", ["channel", "key"])
    _keep_alerts()
    if op.get_bind().dialect.name == "postgresql":
        return
    for table in _APPEND_ONLY:  # SQLite's REPLACE deletes rows without any trigger for that
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = new.id)"
            f" BEGIN SELECT RAISE(ABORT, 'what is kept in {table} is append-only'); END"
        )


def _keep_alerts() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE TRIGGER alert_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON alert"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER alert_no_{event.lower()} BEFORE {event} ON alert"
            " BEGIN SELECT RAISE(ABORT, 'what is kept in alert is append-only'); END"
        )
