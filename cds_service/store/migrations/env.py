"""What Alembic runs: the steps, on the connection and in the transaction that it was handed."""

from __future__ import annotations

from alembic import context

from cds_service.store.tables import METADATA

# SQLite changes tables by copying them (render_as_batch), and can take a change back, whatever Alembic supposes.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
