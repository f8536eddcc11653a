"""Which tokens were used: each counts once, whichever worker it reaches, until it runs out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta

from cds_service.store.database import Database
from cds_service.store.inserting import insertion
from cds_service.store.tables import USED_TOKEN
from cds_service.store.tidying import Tidying

# Clocks of several machines differ, and a token may run out between its check and its use.
_GRACE = timedelta(minutes=5)


class UsedTokens:
    """The tokens of all issuers that have been used. `clock` tells the moment of a use."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._tidying = Tidying(database, USED_TOKEN, _GRACE)

    def first_use(self, issuer: str, token_id: str, until: datetime) -> bool:
        """True exactly once for a token of an issuer, for all workers and all processes together.

        `until` is the moment, with an offset, from which the token is refused anyhow: it is forgotten soon after.
        Raises StoreUnavailable.
        """
        at = self._clock()
        row = {"digest": _digest(issuer, token_id), "until": until}
        with self._database.writing() as connection:
            made = insertion(connection, USED_TOKEN, row)
            ran_out = USED_TOKEN.c.until <= at - _GRACE
            # One statement: between a look and an insertion another worker would fit.
            once = made.on_conflict_do_update(index_elements=["digest"], set_={"until": until}, where=ran_out)
            is_first = connection.scalar(once.returning(USED_TOKEN.c.digest)) is not None
        self._tidying.after_writing(at)
        return is_first

    def forget_expired(self) -> int:
        """Removes the tokens that have run out, and returns how many they were. Raises StoreUnavailable."""
        return self._tidying.remove_expired(self._clock())


def _digest(issuer: str, token_id: str) -> str:
    """As long for every token; an id of any length, with any character, fits."""
    return hashlib.sha256(json.dumps([issuer, token_id]).encode("ascii")).hexdigest()
