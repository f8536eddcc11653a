"""Whether the case tables notice that something was changed: each case judged again, its record read only once.

Only the one criterion of a case is judged, by the same `screen` as ever. What is compared is what the tables state:
status, flags, cure, date, and the reason where a case names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache

from cds_service.clinical.facts import PatientFacts
from cds_service.fhir.reading import read_facts
from cds_service.trials.case import Case
from cds_service.trials.finding import Judgement
from cds_service.trials.protocol import Protocol
from cds_service.trials.screening import case_of, screen
from tests.trials.record_of import PROTOCOL, answers_of, records_of
from tests.trials.test_criteria import Ruling, rulings


@cache
def law() -> dict[str, tuple[Ruling, ...]]:
    """The cases of every criterion that has a table."""
    found: dict[str, list[Ruling]] = {}
    for ruling in rulings():
        found.setdefault(ruling.criterion, []).append(ruling)
    return {name: tuple(cases) for name, cases in found.items()}


@cache
def _facts(criterion: str, number: int) -> PatientFacts:
    ruling = law()[criterion][number]
    records = records_of(answers_of(ruling.facts), ruling.facts.get("sources"))
    return read_facts(records, PROTOCOL.index, ruling.asOf)


@cache
def _case(criterion: str, number: int) -> Case:
    """The case with what it has worked out so far: only for a protocol whose readings and tables are the usual ones."""
    return case_under(PROTOCOL, criterion, number)


def case_under(protocol: Protocol, criterion: str, number: int) -> Case:
    ruling = law()[criterion][number]
    return case_of(_facts(criterion, number), protocol, ruling.asOf, ruling.infusionOn)


def forget() -> None:
    """Every record is read again: the code that read it may have changed since."""
    _facts.cache_clear()
    _case.cache_clear()


def agrees(ruling: Ruling, judged: Judgement) -> bool:
    """True when the judgement is what the case states."""
    stated = (ruling.status, set(ruling.flags), ruling.curable, ruling.recheckOn)
    answer = (judged.status, set(judged.flags), judged.curable, judged.recheck_on)
    return answer == stated and ruling.reason in (None, judged.reason.code)


def only(protocol: Protocol, criterion: str) -> Protocol:
    """The protocol with one criterion, whose judging is then all that a screening costs."""
    return replace(protocol, criteria=tuple(c for c in protocol.criteria if c.id == criterion))


def dissenting(protocol: Protocol, criterion: str, anew: bool = False) -> Iterator[Ruling]:
    """The cases of a criterion that are judged otherwise than they state.

    `anew` where more than the criterion was changed, so that nothing worked out before may be used.
    """
    narrowed = only(protocol, criterion)
    narrowed.__dict__["ruleset"] = "mutant"  # else every file would be hashed for each of them
    for number, ruling in enumerate(law().get(criterion, ())):
        case = case_under(protocol, criterion, number) if anew else _case(criterion, number)
        try:
            (finding,) = screen(case, narrowed).findings
        except Exception:  # a rule that breaks is noticed, whatever it breaks with
            yield ruling
        else:
            if not agrees(ruling, finding.judgement):
                yield ruling


def first_dissent(protocol: Protocol, criteria: Iterable[str], anew: bool = False) -> Ruling | None:
    """The first case that notices; None when no table does."""
    return next((ruling for one in criteria for ruling in dissenting(protocol, one, anew)), None)
