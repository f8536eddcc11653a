"""Whether a drug that was recorded was taken: R5's adherence, and what STU3 and DSTU2 said in its place."""

from __future__ import annotations

from cds_service.clinical.medications import Standing
from cds_service.fhir import elements as el

# What R5's codes take from a record, by the word they begin with; any other leaves it possible.
_AS_RECORDED = frozenset({"taking", "taking-as-directed"})
_INSTEAD = {"on-hold": Standing.HELD, "stopped": Standing.ENDED}


def adhered(record: el.MedicationStatement, standing: Standing | None) -> Standing | None:
    """The standing with what the record says of the taking. What cannot be understood leaves it possible."""
    code = _code(record.adherence)
    if record.taken == "n" or record.wasNotTaken or code == "not-taking":
        return Standing.NOT_TAKEN
    if standing is None or (code in _AS_RECORDED and record.taken != "unk"):
        return standing
    instead = next((one for word, one in _INSTEAD.items() if code.startswith(word)), None)
    if instead is not None:
        return instead if standing is Standing.TAKEN else standing
    return Standing.POSSIBLE if code or record.taken == "unk" or record.reasonNotTaken else standing


def _code(adherence: el.Adherence | None) -> str:
    """The code, or the words where there is none."""
    stated = adherence.code if adherence else None
    codes = [code for _, code in stated.pairs() if code] if stated else []
    return (codes or [stated.label() if stated else ""])[0].strip().lower()
