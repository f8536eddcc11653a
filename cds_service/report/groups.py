"""The groups in which the criteria of a screening are counted and printed, by the status that the record gives them."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.trials.finding import Status

# In the order in which they are printed; a person's answer stands beside the finding and moves it nowhere.
GROUPS: Mapping[str, frozenset[Status]] = {
    "against": frozenset({Status.FAIL}),
    "confirm": frozenset({Status.REVIEW, Status.UNKNOWN}),
    "met": frozenset({Status.PASS}),
    "ask": frozenset({Status.HUMAN}),
}
