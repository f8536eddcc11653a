"""The value of an Observation, and the upper limit that it states, in the unit of the analyte."""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.clinical.quantity import Converted, RawQuantity, Unusable, convert
from cds_service.fhir import elements as el
from cds_service.terminology.answers import Outcome, outcomes
from cds_service.terminology.words import plain

SCORES = frozenset({"ecog", "karnofsky"})
_COMPARATORS = frozenset({"<", "<=", ">", ">="})
_TO = r"\s*%?\s*(?:[-–~]|to\b|至|到)\s*"
WRITTEN = re.compile(
    rf"(?P<sign><=|>=|<|>)?\s*(?P<low>\d+(?:\.\d+)?)(?:{_TO}(?P<high>\d+(?:\.\d+)?))?\s*(?P<unit>\S.*)?"
)
# A grade and what it means in words, such as "1 - restricted in strenuous activity"; never "1-2" or "2/4".
_EXPLAINED = re.compile(r"(?P<grade>\d+)\s*[-:=.,;(]\s*[^\W\d_].*")
_LONGEST = 60
SIGNS = str.maketrans({"≤": "<=", "≥": ">=", "＜": "<", "＞": ">"})
_SCORE_WORDS = re.compile(
    r"^(?:\s*(?:ecog|kps|karnofsky|zubrod|ps|performance status|score|grade|评分|体力状态|[:=]))*\s*"
)


# The answers of a test, as they are written whole; a longer text may say the opposite.
_ANSWERS: dict[str, Outcome] = {
    "positive": "positive", "pos": "positive", "detected": "positive", "reactive": "positive", "present": "positive",
    "阳性": "positive", "negative": "negative", "neg": "negative", "not detected": "negative", "absent": "negative",
    "non-reactive": "negative", "nonreactive": "negative", "阴性": "negative", "equivocal": "equivocal",
    "indeterminate": "equivocal", "borderline": "equivocal", "可疑": "equivocal", "弱阳性": "equivocal",
}  # fmt: skip


def answer_of(part: el.Observation, analyte: str) -> Outcome | None:
    """What a result says by an answer code or in words; equivocal where these contradict each other.

    None where nothing is understood.
    """
    if part.dataAbsentReason is not None:
        return None
    concept = part.valueCodeableConcept or el.CodeableConcept()
    in_words = {_ANSWERS.get(plain(text)) for text in (part.valueString or "", *concept.texts())}
    found = {*outcomes(analyte, concept.pairs()), *in_words} - {None}
    return found.pop() if len(found) == 1 else "equivocal" if found else None


def value_of(part: el.Observation, analyte: str) -> tuple[Converted | Unusable, bool]:
    """The value, and whether it had to be read from words. A value that is declared absent is none."""
    if part.dataAbsentReason is None:
        if part.valueCodeableConcept is not None:
            return read_words(part.valueCodeableConcept.label(), analyte), True
        if part.valueString and part.valueString.strip():
            return read_words(part.valueString, analyte), True
    return _measured(part, analyte), False


def _measured(part: el.Observation, analyte: str) -> Converted | Unusable:
    if part.dataAbsentReason is not None:
        return Unusable("said-to-be-absent")
    if part.valueQuantity is not None:
        return converted(analyte, part.valueQuantity)
    if part.valueRange is not None:
        return _range(part.valueRange, analyte)
    return convert(analyte, RawQuantity(part.valueInteger))


def converted(analyte: str, quantity: el.Quantity) -> Converted | Unusable:
    """A quantity in the analyte's unit. A comparator that we do not know makes any number of it."""
    comparator = (quantity.comparator or "").strip()
    if comparator and comparator not in _COMPARATORS:
        return Unusable("not-a-number")
    raw = RawQuantity(quantity.value, worded(quantity.unit), quantity.system, worded(quantity.code), comparator)
    return convert(analyte, raw)


def worded(unit: str | None) -> str | None:
    return (unit or "").strip() or None


def _range(stated: el.Range, analyte: str) -> Converted | Unusable:
    ends = [converted(analyte, end) for end in (stated.low, stated.high) if end is not None]
    return _joined(ends) if len(ends) == 2 else Unusable("no-value")


def _joined(ends: list[Converted | Unusable]) -> Converted | Unusable:
    """The span of one or two readable ends; the reason where one of them cannot be read."""
    readable = [end for end in ends if isinstance(end, Converted)]
    unusable = [end for end in ends if isinstance(end, Unusable)]
    if unusable or not readable:
        return unusable[0] if unusable else Unusable("no-value")
    span = readable[0].interval.hull(readable[-1].interval)
    return Converted(span, readable[0].written_in, any(end.unit_was_assumed for end in readable))


def as_written(part: el.Observation) -> str | None:
    """The value in the record's own words, cut short; both units where two differ. None without any."""
    if part.dataAbsentReason is not None:
        return None
    concept = part.valueCodeableConcept.label() if part.valueCodeableConcept else ""
    span = [_as_words(end) for end in (part.valueRange.low, part.valueRange.high)] if part.valueRange else []
    integer = "" if part.valueInteger is None else str(part.valueInteger)
    words = " - ".join(span) or _as_words(part.valueQuantity) or integer or (part.valueString or "").strip() or concept
    return words[:_LONGEST] or None


def _as_words(quantity: el.Quantity | None) -> str:
    if quantity is None:
        return ""
    unit, code = worded(quantity.unit), worded(quantity.code)
    both = f"{unit} ({code})" if unit and code and unit != code else unit or code
    return str(RawQuantity(quantity.value, both, comparator=quantity.comparator))


def read_words(text: str, analyte: str) -> Converted | Unusable:
    """A value written in words: a number or a range, with a unit that the table knows."""
    folded = text.translate(SIGNS).strip()
    if analyte in SCORES:
        folded = _SCORE_WORDS.sub("", plain(folded))
        explained = _EXPLAINED.fullmatch(folded)
        folded = explained["grade"] if explained else folded
    match = WRITTEN.fullmatch(folded)
    if match is None:
        return Unusable("not-a-number")
    numbers = [match[name] for name in ("low", "high") if match[name]]
    return _joined([
        convert(analyte, RawQuantity(Decimal(number), match["unit"], comparator=match["sign"]))
        for number in numbers
    ])  # fmt: skip
