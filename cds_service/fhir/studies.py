"""ResearchSubject resources as parts in studies. The names of states are those of R4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Participation
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.wire import Entry

_TAKES_PART = frozenset({"on-study", "on-study-intervention", "on-study-observation", "follow-up"})
_TOOK_PART = frozenset({"off-study", "withdrawn"})
_NO_PART = frozenset({
    "candidate", "potential-candidate", "screening", "eligible", "ineligible", "not-registered", "pending-on-study",
})  # fmt: skip


def read_participations(entries: Iterable[Entry], ledger: Ledger) -> Iterator[Participation]:
    """The studies that the patient took part in, or may have; candidates and future parts are listed and left out."""
    for entry in entries:
        subject = entry.resource
        if entry.problem or not isinstance(subject, el.ResearchSubject):
            ledger.not_read(entry, lambda _: None)
            continue
        status = (subject.status or "").strip().lower()
        if status in _NO_PART:
            ledger.skip(entry, "status")
            continue
        period = subject.period or el.Period()
        begins, until = DayRange.parse(period.start), DayRange.parse(period.end)
        if not ledger.is_future(entry, begins):
            goes_on = status in _TAKES_PART and until is None and begins is not None
            sure = goes_on or (status in _TAKES_PART | _TOOK_PART and until is not None)
            names = tuple(_names(subject.study))
            yield Participation(entry.reference, names[0] if names else "", names, begins, ledger.past(until), sure)


def _names(study: el.Reference | None) -> Iterator[str]:
    identifier = study.identifier if study else None
    stated = (study.display, identifier.value if identifier else None, study.reference) if study else ()
    yield from (name for name in stated if name)
