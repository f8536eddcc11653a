"""Feedback, with the suggestions that were accepted and the reasons that were given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
# SQLite counts up an INTEGER by itself, and nothing else.
_NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", _NUMBER, primary_key=True),
        sa.Column("identity", sa.String(64), nullable=False, unique=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("client", sa.Text),
        sa.Column("card", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("outcome_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('accepted', 'overridden')", name="feedback_outcome"),
    )
    op.create_table(
        "feedback_suggestion",
        sa.Column("feedback_id", _NUMBER, sa.ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("suggestion", sa.Text, nullable=False),
    )
    op.create_table(
        "feedback_reason",
        sa.Column("feedback_id", _NUMBER, sa.ForeignKey("feedback.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("code", sa.Text),
        sa.Column("system", sa.Text),
        sa.Column("display", sa.Text),
        sa.Column("comment", sa.Text),
    )
