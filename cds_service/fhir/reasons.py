"""Why a drug was given: the reasons and notes of a record, recognised clause by clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from cds_service.clinical.dates import DayRange
from cds_service.clinical.medications import Clause, StatedReason
from cds_service.fhir import elements as el
from cds_service.fhir.references import resolved
from cds_service.strict_yaml import read_yaml
from cds_service.terminology.codes import ConceptIndex
from cds_service.terminology.words import any_word, plain

# What one clause denies ("no sign of infection") must not take the next one's word away.
_CLAUSES = re.compile(r"[.;,\n。；，、]|\bbut\b")
_WORDS = Path(__file__).parent / "remarks.yaml"
_LATIN_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*")
_STRANGE_SIGN = re.compile(r"[?!]")


def stated_reasons(
    record: el.MedicationRecord, index: ConceptIndex, addresses: Mapping[str, str]
) -> tuple[StatedReason, ...]:
    """Every reason and note of the record."""
    return (*_reasons(record, index, addresses), *remarks_in(record.note, index))


def _reasons(record: el.MedicationRecord, index: ConceptIndex, addresses: Mapping[str, str]) -> Iterator[StatedReason]:
    either = [
        *(record.reason or ()),
        el.CodeableReference(record.reasonForUseCodeableConcept, record.reasonForUseReference),
    ]
    for concept in (*(record.reasonCode or ()), *(one.concept for one in either if one.concept)):
        yield StatedReason(tuple(_clauses(concept, index)))
    for reference in (*(record.reasonReference or ()), *(one.reference for one in either if one.reference)):
        said = el.CodeableConcept(text=reference.display)
        yield StatedReason(tuple(_clauses(said, index)), reference=resolved(reference, addresses))


def remarks_in(stated: list[el.Annotation] | str | None, index: ConceptIndex) -> Iterator[StatedReason]:
    """Every note, clause by clause, with the day on which it was written."""
    notes = [el.Annotation(text=stated)] if isinstance(stated, str) else stated
    for note in notes or ():
        if note.text:
            said = el.CodeableConcept(text=note.text)
            yield StatedReason(tuple(_clauses(said, index)), is_note=True, when=DayRange.parse(note.time))


def _clauses(concept: el.CodeableConcept, index: ConceptIndex) -> Iterator[Clause]:
    """What the codes stand for, and what the words say: a reason's words may say more than its code."""
    coded = frozenset(index.recognise(concept.pairs(), ()).concepts)
    if coded:
        yield Clause(coded)
    for text in concept.texts():
        for clause in _CLAUSES.split(text):
            if clause.strip():
                yield _clause(clause, index)


def _clause(words: str, index: ConceptIndex) -> Clause:
    folded = plain(words)
    denied = _is_denied(folded)
    denies = index.mentioned(words) if denied else frozenset[str]()
    return Clause(frozenset(index.in_words(words)), _is_understood(folded), denied, denies)


def _is_understood(clause: str) -> bool:
    """True for a clause without a word or sign that the list of remarks.yaml does not have; numbers say nothing."""
    if not clause.isascii() and _has_strange_letters(clause):
        return False
    return not _STRANGE_SIGN.search(clause) and set(_LATIN_WORD.findall(clause)) <= _known()


def _has_strange_letters(clause: str) -> bool:
    """True where letters of other scripts are left when the known words are taken away, the longest first."""
    for word in sorted((one for one in _known() if not one.isascii()), key=len, reverse=True):
        clause = clause.replace(word, "")
    return any(not letter.isascii() and letter.isalpha() for letter in clause)


def _is_denied(clause: str) -> bool:
    """True for a clause with a word that denies something, whatever it is that it denies."""
    return bool(_denials().search(_negative_phrases().sub(" ", clause)))


@cache
def _known() -> frozenset[str]:
    return frozenset(_words("known"))


@cache
def _denials() -> re.Pattern[str]:
    return any_word(_words("denials"))


@cache
def _negative_phrases() -> re.Pattern[str]:
    return any_word(_words("negative_phrases"))


def _words(part: str) -> list[str]:
    """The words of one part of remarks.yaml in all languages."""
    by_language: Mapping[str, list[str]] = read_yaml(_WORDS.name, _WORDS.read_bytes())[part]
    return [plain(word) for words in by_language.values() for word in words]
