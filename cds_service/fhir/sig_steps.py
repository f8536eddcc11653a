"""A text of doses that follow each other ("60 mg x 7 days, then 40 mg x 7 days, then stop") as one text for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from cds_service.fhir import elements as el
from cds_service.fhir.sig import Sig, read_sig

_THEN = re.compile(
    r"\s*[,;.]?\s*(?:\band\s+)?\b(?:then|followed by|thereafter)\b\s*[,:]?\s*"
    r"|\s*[,;，；。、]?\s*(?:然后|之后|随后|改为)",
    re.IGNORECASE,
)
_PAUSE = re.compile(r"\s*[,;，；、]\s*")
_HEADING = re.compile(r"\s*taper\s*:\s*", re.IGNORECASE)
_STOP = re.compile(r"(?:and\s+)?(?:stop|off|discontinue|停药|停用|停)\s*[.。]?", re.IGNORECASE)


def one_after_another(dosages: Sequence[el.Dosage]) -> Sequence[el.Dosage]:
    """The only instruction of a record as the sequence that its text is; any others as they are.

    A coded dose, or a second text beside it, would have to be held against one of the doses, nobody knows which.
    """
    if len(dosages) != 1 or not dosages[0].text or not _is_text_alone(dosages[0]):
        return dosages
    first = dosages[0]
    texts = _steps(dosages[0].text)
    found = [
        msgspec.structs.replace(first, text=text, sequence=place, timing=first.timing if place == 1 else None)
        for place, text in enumerate(texts, 1)
    ]
    return found or dosages


def _is_text_alone(dosage: el.Dosage) -> bool:
    repeat = (dosage.timing and dosage.timing.repeat) or el.Repeat()
    period = repeat.boundsPeriod or el.Period()
    paced = bool(dosage.timing and (dosage.timing.code or dosage.timing.event)) or repeat.frequency or repeat.period
    bounded = period.end or repeat.boundsDuration or repeat.boundsRange or repeat.count
    coded = dosage.doseAndRate or dosage.doseQuantity or dosage.doseRange or dosage.patientInstruction
    return not (paced or bounded or coded)


def _steps(text: str) -> list[str]:
    """The texts of the steps; none where the text is no sequence, or a part of it cannot be read."""
    parts = [part for part in _THEN.split(_HEADING.sub("", text, count=1)) if part.strip(" .。")]
    stops = bool(parts) and _STOP.fullmatch(parts[-1].strip()) is not None
    parts = parts[:-1] if stops else parts
    whole = [_whole(part) for part in parts]
    steps = [step for part, one in zip(parts, whole, strict=True) for step in ([one] if one else _listed(part))]
    if not steps or None in steps or (len(steps) == 1 and not stops):
        return []
    known = [step for step in steps if step]
    lasting = known if stops else known[:-1]
    return known if all(_lasts(step) for step in lasting) else []


def _listed(part: str) -> Iterable[str | None]:
    """The steps of a list without "then": each must say how long it lasts."""
    steps = [_whole(one) for one in _PAUSE.split(part)]
    return steps if all(step and _lasts(step) for step in steps) else [None]


def _whole(part: str) -> str | None:
    """The text of one dose, daily where it names so many days and nothing else; None for any other text."""
    for text in (part, f"{part.rstrip(' .。')} daily"):
        sig = read_sig(text)
        if not isinstance(sig, Sig) or sig.amount is None or sig.unit is None:
            return None
        if sig.as_needed or sig.added_to or sig.once:
            return None
        if sig.per_day is not None:
            return text
        if sig.days is None:
            return None
    return None


def _lasts(text: str) -> bool:
    sig = read_sig(text)
    return isinstance(sig, Sig) and sig.days is not None
