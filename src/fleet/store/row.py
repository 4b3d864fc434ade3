"""What all tables have in common."""

from sqlalchemy import Table
from sqlmodel import Field, SQLModel

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Row(SQLModel):
    """A row with a number of its own."""

    id: int | None = Field(default=None, primary_key=True)


def table_of(row: type[SQLModel]) -> Table:
    """SQLAlchemy's table of a row's class."""
    table: Table = row.__table__  # type: ignore[attr-defined]  # SQLModel sets it with table=True
    return table
