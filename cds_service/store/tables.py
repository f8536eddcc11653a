"""The tables as the newest revision has them, and the revisions that lead there."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

# Oldest first. Known here so that a start can compare them without loading Alembic.
REVISIONS = ("0001", "0002")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no type for it and would drop the offset without a word."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment without an offset")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC))


METADATA = MetaData()
# SQLite counts up an INTEGER by itself, and nothing else.
_NUMBER = BigInteger().with_variant(Integer, "sqlite")

FEEDBACK = Table(
    "feedback",
    METADATA,
    Column("id", _NUMBER, primary_key=True),
    Column("identity", String(64), nullable=False, unique=True),
    Column("received_at", Moment, nullable=False, index=True),
    Column("service", Text, nullable=False),
    Column("client", Text),
    Column("card", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("outcome_at", Moment, nullable=False),
    CheckConstraint("outcome IN ('accepted', 'overridden')", name="feedback_outcome"),
)
_OF_FEEDBACK = "feedback.id"
SUGGESTION = Table(
    "feedback_suggestion",
    METADATA,
    Column("feedback_id", _NUMBER, ForeignKey(_OF_FEEDBACK, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("suggestion", Text, nullable=False),
)
REASON = Table(
    "feedback_reason",
    METADATA,
    Column("feedback_id", _NUMBER, ForeignKey(_OF_FEEDBACK, ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("code", Text),
    Column("system", Text),
    Column("display", Text),
    Column("comment", Text),
)
USED_TOKEN = Table(
    "used_token",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("until", Moment, nullable=False, index=True),
)
