"""Alembic's entry point: fleet hands it the connection and the transaction."""

from alembic import context
from sqlmodel import SQLModel

import fleet.store.tables  # registers the tables

assert fleet.store.tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # one transaction is open already
)
context.run_migrations()
