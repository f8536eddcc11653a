"""How much of a drug one tablet or millilitre holds: by product code, by the Medication, by its name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import Unusable, exact
from cds_service.fhir import elements as el
from cds_service.terminology.codes import Product
from cds_service.terminology.words import plain

_SOLID_FORMS = frozenset({"tablet", "capsule"})
_SOLID = re.compile(
    r"\btab(?:let)?s?\b|\bcap(?:sule)?s?\b|\bcomp(?:rim(?:e|ido)s?)?\b|\bcompress[ae]\b"
    r"|tabletten?\b|kapseln?\b|\bgelules?\b|\bcapsul(?:as?|e)\b|片|胶囊|錠|カプセル"
)
_LIQUID = re.compile(
    r"\bsolution\b|\bsuspension\b|\bsyrup\b|\belixir\b|\binject(?:ion|able)\b|口服液|溶液|注射|シロップ"
    r"|losung\b|saft\b|tropfen\b|\binjektion|\bsirop\b|\bjarabe\b|\bsciroppo\b|\bxarope\b|\bsolucion\b|\bsoluzione\b"
    r"|\bsolucao\b|\binyectable\b|\biniettabile\b|\binjetavel\b"
)
_PACK = re.compile(r"\bpack\b|\bdose ?pak\b|\bdosepak\b")
# "2,5 mg" is two and a half; "1,000 mg" may be a thousand or one, so it is not read.
_NUMBER = r"(?<![\d.,])(\d+(?:\.\d+|,\d{1,2})?)"
_PER_ML = re.compile(_NUMBER + r"\s*mg\s*/\s*(\d+(?:\.\d+)?)?\s*ml\b")
_MG = re.compile(_NUMBER + r"\s*mg\b(?!\s*/\s*(?:\d|m?l\b|m?g\b|kg\b|m2|h|actuat|day|dose))")


@dataclass(frozen=True, slots=True)
class Strength:
    """What one unit of a product holds, in mg; None where it is not known.

    `solid` says that it is counted in tablets or capsules, `liquid` that it is measured. `conflict` says that
    two places name different strengths.
    """

    solid: bool = False
    per_unit: Interval | None = None
    per_ml: Interval | None = None
    conflict: bool = False
    liquid: bool = False


def strength_of(
    products: Sequence[Product],
    names: Sequence[str],
    medication: el.Medication | None,
    parts: Sequence[el.Ingredient] | None = None,
) -> Strength:
    """The strength of a product, from every place that may state it; `parts` are the ingredients that count."""
    stated_forms = (medication.form, medication.doseForm) if medication else ()
    forms = [plain(text) for form in stated_forms if form for text in form.texts()]
    names = [plain(name) for name in names]
    words = [*names, *forms]
    per_ml, ml_differ = _agreed([*(one.mg_per_ml for one in products), *_named_per_ml(names)])
    liquid = per_ml is not None or any(map(_LIQUID.search, words))
    is_pack = any(one.form == "pack" for one in products) or any(map(_PACK.search, words))
    solid = any(one.form in _SOLID_FORMS for one in products) or any(map(_SOLID.search, words))
    stated = [
        *(one.mg for one in products),
        _ingredient_mg(parts if parts is not None else (medication and medication.ingredient) or ()),
    ]
    per_unit, units_differ = _agreed([*stated, *([] if liquid else _named_mg(names))])
    return Strength(solid and not liquid and not is_pack, per_unit, per_ml, ml_differ or units_differ, liquid)


def named_mg(name: str) -> Fraction | None:
    """The strength in mg that a product's name states; None for none, and for several."""
    amounts = {_fraction(amount) for amount in _MG.findall(plain(name))}
    return amounts.pop() if len(amounts) == 1 else None


def _agreed(amounts: Iterable[Fraction | None]) -> tuple[Interval | None, bool]:
    """The one amount that is stated, or the span of those that contradict each other."""
    known = {amount for amount in amounts if amount is not None}
    if not known:
        return None, False
    return Interval(min(known), max(known)), len(known) > 1


def _named_mg(names: Iterable[str]) -> list[Fraction]:
    return [amount for name in names if (amount := named_mg(name)) is not None]


def _named_per_ml(names: Iterable[str]) -> list[Fraction]:
    """The concentrations in product names; a name with several is not understood."""
    found = [{_concentration(*match) for match in _PER_ML.findall(name)} for name in names]
    return [amount for amounts in found if len(amounts) == 1 for amount in amounts if amount is not None]


def _concentration(milligrams: str, millilitres: str) -> Fraction | None:
    volume = Fraction(millilitres or 1)
    return _fraction(milligrams) / volume if volume > 0 else None


def _fraction(number: str) -> Fraction:
    return Fraction(number.replace(",", "."))


def _ingredient_mg(parts: Sequence[el.Ingredient]) -> Fraction | None:
    """The strength of a product with one ingredient, stated in mg per one unit."""
    if len(parts) != 1:
        return None
    ratio = parts[0].strength or parts[0].strengthRatio or parts[0].amount
    top, bottom = (ratio.numerator, ratio.denominator) if ratio else (parts[0].strengthQuantity, None)
    if top is None or top.comparator or {plain(one) for one in (top.code, top.unit) if one} != {"mg"}:
        return None
    units = exact(bottom.value) if bottom and bottom.value is not None else Fraction(1)
    amount = exact(top.value)
    if isinstance(amount, Unusable) or isinstance(units, Unusable) or units <= 0 or _is_measured(bottom):
        return None
    return amount / units


def _is_measured(quantity: el.Quantity | None) -> bool:
    """True for a volume or a mass: the strength is then no strength of one tablet."""
    units = {plain(one) for one in (quantity.code, quantity.unit) if one} if quantity else set()
    return not units.isdisjoint({"ml", "l", "g", "mg", "kg"})
