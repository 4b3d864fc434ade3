"""Behind which port a MAC address was seen, since when and until when"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


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
