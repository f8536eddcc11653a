"""How a drug reaches the body: as the record states it, else as the product or the dose proves."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cds_service.clinical.medications import DoseStep, Route
from cds_service.fhir import elements as el
from cds_service.fhir.naming import Named
from cds_service.terminology.codes import ConceptIndex
from cds_service.terminology.words import plain

_LOCAL_FORMS = frozenset({"rinse", "paste"})
# How EHRs abbreviate routes: the whole text, since inside a sentence such short words mean other things.
_SHORT: dict[str, Route] = {
    "po": "systemic", "p.o.": "systemic", "by mouth": "systemic", "iv": "systemic", "i.v.": "systemic",
    "iv push": "systemic", "ivpb": "systemic", "ng": "systemic", "ngt": "systemic", "peg": "systemic",
    "g-tube": "systemic", "sc": "systemic", "subq": "systemic", "im": "depot", "i.m.": "depot",
}  # fmt: skip
# Those that are no word of any language, also inside a text.
_SHORT_IN_TEXT = {"route-systemic": re.compile(r"\b(?:iv|ivpb|ivgtt)\b"), "route-intramuscular": re.compile(r"\bim\b")}
# The oral solution of these is a mouth rinse as often as it is swallowed.
_ALSO_RINSES = frozenset({"dexamethasone"})
_IN_MILLILITRES = re.compile(r"\d\s*(?:mls?\b|cc\b|毫升)")
# "Swish and swallow" may count or not.
_SWALLOWED = re.compile(r"(?<!not )(?<!n't )\bswallow|(?<!不)(?<!勿)(?:咽下|吞服|吞下)")


def route_of(
    index: ConceptIndex, named: Named, drug: str, dosages: Sequence[el.Dosage], steps: Sequence[DoseStep]
) -> Route:
    """The route of a medication record; unknown wherever a local one is as likely."""
    stated = _stated(index, dosages)
    by_name = index.in_words(" ".join((*named.names, *named.forms)))
    texts = " ".join(_texts(dosages))
    by_text = [*index.in_words(texts), *(name for name, short in _SHORT_IN_TEXT.items() if short.search(texts))]
    form = named.found.product.form if named.found.product else None
    if "local" in stated or "route-local" in by_name or form in _LOCAL_FORMS:
        return "local"
    if "depot" in stated or form == "depot" or "route-intramuscular" in by_name:
        return "depot"
    if "route-local" in by_text:
        swallowed = any(map(_SWALLOWED.search, _texts(dosages)))
        return "local" if _is_liquid(named, dosages) and not swallowed else "unknown"
    if "systemic" in stated or named.strength.solid:
        return "systemic"
    if "unknown" in stated or "route-intramuscular" in by_text:
        return "unknown"
    return _unstated(named, drug, by_name + by_text, dosages, steps)


def _texts(dosages: Sequence[el.Dosage]) -> list[str]:
    return [plain(text) for one in dosages for text in (one.text, one.patientInstruction) if text]


def _is_liquid(named: Named, dosages: Sequence[el.Dosage]) -> bool:
    """True for a product that is one, and for an amount in millilitres of what nobody calls a tablet."""
    views = (view.doseQuantity for one in dosages for view in one.doseAndRate or ())
    measured = any(quantity and "ml" in (plain(quantity.code or ""), plain(quantity.unit or "")) for quantity in views)
    measured = measured or any(map(_IN_MILLILITRES.search, _texts(dosages)))
    return named.strength.liquid or (measured and not named.strength.solid)


def _stated(index: ConceptIndex, dosages: Sequence[el.Dosage]) -> set[Route]:
    """What the instructions say of the route; unknown for one that is not understood."""
    return {_one_route(index, one.route) for one in dosages if one.route} | {
        route for one in dosages if one.method and (route := _one_route(index, one.method)) == "local"
    }


def _one_route(index: ConceptIndex, stated: el.CodeableConcept) -> Route:
    found = index.recognise(stated.pairs(), stated.texts())
    routes: dict[str, Route] = {
        "route-local": "local", "route-intramuscular": "depot", "route-systemic": "systemic"
    }  # fmt: skip
    short = next((_SHORT[word] for text in stated.texts() if (word := plain(text)) in _SHORT), None)
    return next((route for name, route in routes.items() if name in found), short or "unknown")


def _unstated(
    named: Named, drug: str, words: Sequence[str], dosages: Sequence[el.Dosage], steps: Sequence[DoseStep]
) -> Route:
    """The route of a record that states none, of a product that is not counted in tablets."""
    if named.strength.liquid and (drug in _ALSO_RINSES or "route-systemic" not in words):
        return "unknown"
    in_milligrams = any(step.fault is None and step.per_dose for step in steps)
    silent = not any(one.doseAndRate or one.doseQuantity or one.doseRange for one in dosages)
    return "systemic" if "route-systemic" in words or in_milligrams or silent else "unknown"
