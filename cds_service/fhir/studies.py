"""ResearchSubject resources as parts in studies, named by a ResearchStudy where it is there. States are those of R4."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Participation
from cds_service.fhir import elements as el
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.references import resolved
from cds_service.fhir.wire import Entry, decode

_TAKES_PART = frozenset({"on-study", "on-study-intervention", "on-study-observation", "follow-up"})
_TOOK_PART = frozenset({"off-study", "withdrawn"})
_NO_PART = frozenset({
    "candidate", "potential-candidate", "screening", "eligible", "ineligible", "not-registered", "pending-on-study",
})  # fmt: skip


class ParticipationReader:
    """Reads the studies that a patient took part in; knows the ResearchStudy resources of the record."""

    def __init__(self, ledger: Ledger, studies: Iterable[Entry], addresses: Mapping[str, str]) -> None:
        self._ledger = ledger
        self._studies = {entry.reference: entry for entry in studies}
        self._addresses = addresses

    def read(self, entries: Iterable[Entry]) -> Iterator[Participation]:
        """The studies that the patient took part in, or may have; candidates and future parts are left out."""
        for entry in entries:
            subject = entry.resource
            if entry.problem or not isinstance(subject, el.ResearchSubject):
                self._ledger.not_read(entry, lambda _: None)
            elif _status(subject) in _NO_PART:
                self._ledger.skip(entry, "status")
            elif not self._ledger.is_future(entry, _begins(subject)):
                yield self._participation(entry, subject)

    def _participation(self, entry: Entry, subject: el.ResearchSubject) -> Participation:
        begins, until = _begins(subject), DayRange.parse(subject.period.end if subject.period else None)
        status = _status(subject)
        backwards = begins is not None and until is not None and until.last < begins.first
        is_over = until is not None and until.first <= self._ledger.as_of
        sure = (status in _TAKES_PART and bool(begins or until)) or (status in _TOOK_PART and is_over)
        named = self._names(subject)
        names = tuple(dict.fromkeys(named or ()))
        return Participation(
            entry.reference, names[0] if names else "study-unnamed", names, begins, self._ledger.past(until),
            sure and not backwards and named is not None,
        )  # fmt: skip

    def _names(self, subject: el.ResearchSubject) -> list[str] | None:
        """All that the record calls the study; None where the study is there and cannot be read."""
        study = subject.study
        if study is None:
            return []
        number = study.identifier.value if study.identifier else None
        names = [name for name in (study.display, number, study.reference) if name]
        found = self._study(subject, study)
        if found is None:
            return names
        if found.problem or not isinstance(found.resource, el.ResearchStudy):
            return None
        return [*_titles(found.resource), *names]

    def _study(self, subject: el.ResearchSubject, reference: el.Reference) -> Entry | None:
        if not (reference.reference or "").startswith("#"):
            return self._studies.get(resolved(reference, self._addresses) or "")
        contained = [decode(raw, el.ResearchStudy) for raw in subject.contained or ()]
        meant = next((one for one in contained if one and f"#{one.id}" == reference.reference), None)
        return Entry("ResearchStudy", reference.reference or "", None, b"", meant) if meant else None


def _titles(study: el.ResearchStudy) -> Iterator[str]:
    yield from (name for name in (study.title, *(one.value for one in study.identifier or ())) if name)


def _status(subject: el.ResearchSubject) -> str:
    return (subject.status or "").strip().lower()


def _begins(subject: el.ResearchSubject) -> DayRange | None:
    return DayRange.parse(subject.period.start if subject.period else None)
