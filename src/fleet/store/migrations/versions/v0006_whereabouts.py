"""Where MAC addresses were seen; what is append-only is not replaced either"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


_APPEND_ONLY = ("change", "correction", "revision", "answer", "step", "audit")


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
    if op.get_bind().dialect.name == "postgresql":
        return
    for table in _APPEND_ONLY:  # SQLite's REPLACE deletes rows without any trigger for that
        op.execute(
            f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE id = new.id)"
            f" BEGIN SELECT RAISE(ABORT, 'what is kept in {table} is append-only'); END"
        )
