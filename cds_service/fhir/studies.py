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
        elif _status(subject) in _NO_PART:
            ledger.skip(entry, "status")
        elif not ledger.is_future(entry, _begins(subject)):
            yield _participation(entry, subject, ledger)


def _participation(entry: Entry, subject: el.ResearchSubject, ledger: Ledger) -> Participation:
    begins, until = _begins(subject), DayRange.parse(subject.period.end if subject.period else None)
    status = _status(subject)
    backwards = begins is not None and until is not None and until.last < begins.first
    is_over = until is not None and until.first <= ledger.as_of
    sure = (status in _TAKES_PART and bool(begins or until)) or (status in _TOOK_PART and is_over)
    names = tuple(_names(subject.study))
    label = names[0] if names else "study-unnamed"
    return Participation(entry.reference, label, names, begins, ledger.past(until), sure and not backwards)


def _status(subject: el.ResearchSubject) -> str:
    return (subject.status or "").strip().lower()


def _begins(subject: el.ResearchSubject) -> DayRange | None:
    return DayRange.parse(subject.period.start if subject.period else None)


def _names(study: el.Reference | None) -> Iterator[str]:
    if study is not None:
        number = study.identifier.value if study.identifier else None
        yield from (name for name in (study.display, number, study.reference) if name)
