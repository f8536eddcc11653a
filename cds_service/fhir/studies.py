"""ResearchSubject resources as parts in studies, named by a ResearchStudy where it is there.

States are those of R4. R5 has the same, each with its days, in the subject's progress; its `status` tells nothing of
the subject. STU3 knew fewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cds_service.clinical.dates import DayRange
from cds_service.clinical.facts import Participation
from cds_service.fhir import elements as el
from cds_service.fhir.decoding import decode
from cds_service.fhir.entries import Entry
from cds_service.fhir.ledger import Ledger
from cds_service.fhir.modifiers import modified
from cds_service.fhir.problems import status_of
from cds_service.fhir.references import resolved

_TAKES_PART = frozenset({"on-study", "on-study-intervention", "on-study-observation", "follow-up"})
_TOOK_PART = frozenset({"off-study", "withdrawn"})
_OF_THE_RECORD = frozenset({"draft", "active", "retired", "unknown"})
_IN_STU3 = {"active": "on-study", "completed": "off-study"}
_NO_PART = frozenset({
    "candidate", "potential-candidate", "screening", "eligible", "ineligible", "not-registered", "pending-on-study",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class SubjectState:
    """The state of a subject in a study now, and the days of its part in it."""

    status: str
    begins: DayRange | None = None
    until: DayRange | None = None
    took_no_part: bool = False


def state_of(subject: el.ResearchSubject) -> SubjectState:
    """The state that the record tells; an empty one where it tells none that we know."""
    period = subject.period or el.Period()
    begins, until = DayRange.parse(period.start), DayRange.parse(period.end)
    stated = (subject.status or "").strip().lower()
    if subject.individual is None and (subject.progress or stated in _OF_THE_RECORD):
        return _progressed(subject.progress or [], begins, until)
    status = _IN_STU3.get(stated, stated)
    return SubjectState(status, begins, until, status in _NO_PART)


def _progressed(progress: Sequence[el.Progress], begins: DayRange | None, until: DayRange | None) -> SubjectState:
    """The state that was reached last. Without the days of the part those of its states count."""
    reached = [(status_of(one.subjectState), one) for one in progress if one.subjectState]
    if not reached:
        return SubjectState("", begins, until)
    starts = [DayRange.parse(one.startDate) for _, one in reached]
    if len(reached) > 1 and None in starts:
        return SubjectState("", begins, until)
    status, last = max(reached, key=lambda one: (one[1].startDate or "", one[1].endDate is None))
    taking = [
        (DayRange.parse(one.startDate), DayRange.parse(one.endDate)) for state, one in reached if state in _TAKES_PART
    ]
    begins = begins or min((start for start, _ in taking if start), key=lambda day: day.first, default=None)
    if until is None:
        until = DayRange.parse(last.startDate) if status in _TOOK_PART else DayRange.parse(last.endDate)
    no_part = all(state in _NO_PART for state, _ in reached)
    return SubjectState(status, begins, until, no_part)


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
            elif (state := state_of(subject)).took_no_part:
                self._ledger.skip(entry, "status")
            elif not self._ledger.is_future(entry, state.begins):
                yield self._participation(entry, subject, state)

    def _participation(self, entry: Entry, subject: el.ResearchSubject, state: SubjectState) -> Participation:
        begins, until, status = state.begins, state.until, state.status
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
        return Entry("ResearchStudy", reference.reference or "", None, b"", meant, modified(meant)) if meant else None


def _titles(study: el.ResearchStudy) -> Iterator[str]:
    yield from (name for name in (study.title, *(one.value for one in study.identifier or ())) if name)
