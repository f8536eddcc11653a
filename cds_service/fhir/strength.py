"""How much of a drug one tablet or millilitre holds: by product code, by the Medication resource, by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.terminology.codes import Product, plain

_SOLID_FORMS = frozenset({"tablet", "capsule"})
_SOLID = re.compile(r"\btab(?:let)?s?\b|\bcap(?:sule)?s?\b|\bcomp(?:rim[eé]s?)?\b|tablette|片|胶囊|錠|カプセル")
_LIQUID = re.compile(r"\bsolution\b|\bsuspension\b|\bsyrup\b|\belixir\b|口服液|溶液")
_PER_ML = re.compile(r"(\d+(?:\.\d+)?)\s*mg\s*/\s*(\d+(?:\.\d+)?)?\s*ml\b")
_MG = re.compile(r"(?<![\d.])(\d+(?:\.\d+)?)\s*mg\b(?!\s*/)")


@dataclass(frozen=True, slots=True)
class Strength:
    """What one unit of a product holds, in mg; None where it is not known.

    `conflict` says that the code and the words beside it name different strengths.
    """

    solid: bool = False
    per_unit: Interval | None = None
    per_ml: Interval | None = None
    conflict: bool = False


def strength_of(product: Product | None, names: Sequence[str], medication: el.Medication | None) -> Strength:
    """The strength of a product, from every place that may state it."""
    forms = [plain(t) for t in (medication.form.texts() if medication and medication.form else ())]
    words = [plain(name) for name in names]
    solid = (product is not None and product.form in _SOLID_FORMS) or any(map(_SOLID.search, [*words, *forms]))
    per_ml = _agreed([product.mg_per_ml if product else None, *_named_per_ml(words)])
    stated = [product.mg if product else None, _ingredient_mg(medication)]
    liquid = per_ml[0] is not None or any(map(_LIQUID.search, [*words, *forms]))
    per_unit = _agreed([*stated, *([] if liquid else _named_mg(words))])
    return Strength(solid and not liquid, per_unit[0], per_ml[0], per_unit[1] or per_ml[1])


def _agreed(amounts: Iterable[Fraction | None]) -> tuple[Interval | None, bool]:
    """The one amount that is stated, or the span of those that contradict each other."""
    known = {amount for amount in amounts if amount is not None}
    if not known:
        return None, False
    return Interval(min(known), max(known)), len(known) > 1


def _named_mg(words: Iterable[str]) -> list[Fraction]:
    """The strengths in product names; a name with several is not understood."""
    found = [_MG.findall(name) for name in words]
    return [Fraction(amounts[0]) for amounts in found if len(set(amounts)) == 1]


def _named_per_ml(words: Iterable[str]) -> list[Fraction]:
    found = [_PER_ML.search(name) for name in words]
    return [Fraction(m[1]) / Fraction(m[2] or 1) for m in found if m and Fraction(m[2] or 1) > 0]


def _ingredient_mg(medication: el.Medication | None) -> Fraction | None:
    """The strength of a product with one ingredient, stated in mg per one unit."""
    parts = (medication.ingredient or []) if medication else []
    if len(parts) != 1:
        return None
    ratio = parts[0].strength or parts[0].strengthRatio
    top, bottom = (ratio.numerator, ratio.denominator) if ratio else (None, None)
    if top is None or top.value is None or "mg" not in (top.code, top.unit):
        return None
    units = exact(bottom.value) if bottom and bottom.value is not None else Fraction(1)
    amount = exact(top.value)
    if isinstance(amount, Unusable) or isinstance(units, Unusable) or units <= 0 or _is_volume(bottom):
        return None
    return amount / units


def _is_volume(quantity: el.Quantity | None) -> bool:
    return quantity is not None and "ml" in {(quantity.code or "").lower(), (quantity.unit or "").lower()}
