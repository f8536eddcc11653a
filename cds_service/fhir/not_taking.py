"""Words of a medication record that contradict its status: the drug is called active, and is not taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from cds_service.fhir import elements as el
from cds_service.terminology.words import plain

_NOT_TAKING = (
    r"\b(?:not|no longer|never) (?:currently |been )?(?:taking|taken)\b|\bstopped taking\b|\bno longer takes\b"
    r"|未服用|未服药|没有服用|不再服用"
)
# Of a text that speaks of this drug alone; a note may say it of another. "Until discontinued" is no end.
_STOPPED = (
    r"(?<!until )(?<!unless )(?<!if )(?<!when )(?<!be )(?<!not )\bdiscontinued\b|\bon hold\b"
    r"|(?<![然之随])(?<![后勿自行要可突然能免不再])停用|已停药|暂停使用"
)
_IN_NOTES = re.compile(_NOT_TAKING)
_IN_TEXTS = re.compile(f"{_NOT_TAKING}|{_STOPPED}")


def says_not_taking(record: el.MedicationRecord, dosages: Sequence[el.Dosage]) -> bool:
    """True where an instruction, the reason of the status or a note says that the drug is not taken."""
    texts = [text for one in dosages for text in (one.text, one.patientInstruction) if text]
    texts += _reasons(record)
    return _is_said(_IN_TEXTS, texts) or _is_said(_IN_NOTES, _notes(record))


def _is_said(words: re.Pattern[str], texts: Iterable[str]) -> bool:
    return any(words.search(plain(text)) for text in texts)


def _reasons(record: el.MedicationRecord) -> Iterator[str]:
    stated = record.statusReason or []
    for reason in [stated] if isinstance(stated, el.CodeableConcept) else stated:
        yield from reason.texts()


def _notes(record: el.MedicationRecord) -> Iterator[str]:
    stated = record.note or []
    notes = [el.Annotation(text=stated)] if isinstance(stated, str) else stated
    yield from (note.text for note in notes if note.text)
