"""What pharmacies handed out, put together with the orders that it fills."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from cds_service.clinical.medications import MedicationUse, Standing


def with_dispenses(uses: Iterable[MedicationUse]) -> tuple[MedicationUse, ...]:
    """The records with each order bounded by what was handed out for it, and the dispenses that tell more than it.

    An order that states its own end keeps it. A dispense without a dose, of a drug that another record covers on
    that day, tells nothing more.
    """
    every = list(uses)
    dispensed = [use for use in every if use.kind == "dispense"]
    others = [_filled(use, dispensed) for use in every if use.kind != "dispense"]
    return (*others, *(one for one in dispensed if not _tells_nothing_more(one, others)))


def _filled(use: MedicationUse, dispensed: Sequence[MedicationUse]) -> MedicationUse:
    """The order with the days for which supplies of it were handed out."""
    supplied = [days for one in dispensed if _fills(one, use) and (days := _days_of(one))]
    if not supplied or use.kind != "request" or _is_bounded(use):
        return use
    if use.begins and use.supply_ends:
        supplied.append((use.begins.last, max(use.supply_ends, use.begins.last)))
    last = max(last for _, last in supplied)
    stated = use.supply_ends is not None or use.standing is Standing.ENDED
    return replace(use, supplied=tuple(sorted(supplied)), supply_ends=last if stated else None)


def _fills(dispense: MedicationUse, use: MedicationUse) -> bool:
    """True for a supply of this very order that was handed out."""
    return use.reference in dispense.links and use.drug == dispense.drug and dispense.standing is Standing.TAKEN


def _days_of(dispense: MedicationUse) -> tuple[date, date] | None:
    if dispense.begins is None or dispense.supply_ends is None:
        return None
    return dispense.begins.last, max(dispense.supply_ends, dispense.begins.last)


def _is_bounded(use: MedicationUse) -> bool:
    return bool(use.ends) or any(step.last or step.length_days for step in use.steps)


def _tells_nothing_more(dispense: MedicationUse, others: Iterable[MedicationUse]) -> bool:
    is_silent = all(step.fault == "dose-not-stated" for step in dispense.steps)
    doses = tuple(step.daily for step in dispense.steps)
    for use in others:
        if use.drug != dispense.drug or use.standing is Standing.NOT_TAKEN:
            continue
        linked = use.kind == "request" and use.reference in dispense.links
        said = _is_bounded(use) or tuple(step.daily for step in use.steps) == doses
        if (linked and said) or (is_silent and _covers(use, dispense)):
            return True
    return False


def _covers(use: MedicationUse, dispense: MedicationUse) -> bool:
    """True where the other record may be in force when the supply was handed out."""
    if dispense.begins is None or use.begins is None:
        return True
    return use.begins.first <= dispense.begins.last and not (use.ends and use.ends.last < dispense.begins.first)
