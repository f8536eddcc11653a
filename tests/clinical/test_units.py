"""The table of units against itself, against a UCUM library, and against what public FHIR data hold."""

from __future__ import annotations

import csv
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import Converted, RawQuantity, Unusable, analyte_units, convert
from cds_service.clinical.spelling import folded
from tests.clinical.builders import exactly, raw


@pytest.mark.parametrize("analyte", analyte_units())
def test_every_spelling_means_a_listed_unit(analyte: str) -> None:
    units = analyte_units()[analyte]
    assert units.factors[units.unit] == 1
    assert set(units.spellings.values()) <= set(units.factors)
    typed = {folded(code) for code in units.factors}
    assert not {text for text in units.spellings if folded(text) in typed}, "folding alone understands these"


@pytest.mark.parametrize("analyte", analyte_units())
def test_units_that_fold_to_one_spelling_are_one_unit(analyte: str) -> None:
    units = analyte_units()[analyte]
    stated = {**{code: code for code in units.factors}, **units.spellings}
    meant = {(folded(text), units.factors[code]) for text, code in stated.items()}
    assert len(meant) == len({spelling for spelling, _ in meant})
    assert all(folded(spelling) == spelling for spelling, _ in meant)
    assert {unit for _, unit in units.unitless} <= set(units.factors)
    assert all(codes <= set(units.factors) for codes in units.properties.values())


def _factors() -> list[tuple[str, str]]:
    """The units of each analyte, but for the molar ones: UCUM knows no substance."""
    return [(name, code) for name, units in analyte_units().items() for code in units.factors
            if "mol" not in code and "{score}" not in (code, units.unit)]  # fmt: skip


@pytest.fixture(scope="module")
def ucum() -> object:
    ucumvert = pytest.importorskip("ucumvert", reason="ucumvert, a dev dependency, is not installed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ucumvert.PintUcumRegistry()


@pytest.mark.parametrize(("analyte", "code"), _factors())
def test_each_factor_agrees_with_ucumvert_where_it_knows_both_units(ucum: object, analyte: str, code: str) -> None:
    units = analyte_units()[analyte]
    factor = _second_opinion(ucum, code, units.unit)
    if factor is None:
        assert code[0] == "{" or code[:2] in ("[I", "[i") or code in ("U/L", "mU/mL"), "not known for another reason"
        return
    assert float(units.factors[code]) == pytest.approx(factor, rel=1e-9)


def _second_opinion(ucum: object, code: str, target: str) -> float | None:
    """None for an annotation, which is no unit, and where international units and enzyme units meet."""
    parsed, wanted = (ucum.from_ucum(one) for one in (code, target))  # type: ignore[attr-defined]
    if isinstance(parsed, str) or (1 * parsed).dimensionality != (1 * wanted).dimensionality:
        return None
    return float((1 * parsed).to(wanted).magnitude)


SEEN = Path(__file__).parents[3] / "shared" / "data" / "lab-units.tsv"
ANALYTES = {"ALT": "alt", "AST": "ast", "ECOG": "ecog", "FEV1": "fev1-percent-predicted", "LVEF": "lvef",
            "GFR": "creatinine-clearance-reported", "WBC": "wbc", "bilirubin": "bilirubin-total"}  # fmt: skip
PERCENTAGES = {"26511-6", "770-8"}
KARNOFSKY = "89243-0"
TO_OURS = {"[lb_av]": Fraction("0.45359237"), "lbs": Fraction("0.45359237"), "in": Fraction("2.54"),
           "mmol/L": Fraction(10000, 884), "/uL": Fraction(1, 1000)}  # fmt: skip
MICROMOLAR = {"bilirubin": Fraction(10, 171), "creatinine": Fraction(10, 884)}
REFUSED = ("unusable", "typo unit", "malformed unit")


def _seen() -> list[dict[str, str]]:
    """How public FHIR data write the results of interest, one row per way, by code only.

    What was found there by words alone is left out: words never name an analyte.
    """
    if not SEEN.exists():
        return []
    with SEEN.open(encoding="utf-8") as lines:
        return [row for row in csv.DictReader(lines, delimiter="\t") if not row["matched_by"].startswith("text")]


def _values(row: dict[str, str]) -> list[str]:
    return [value.strip() for value in row["example_values"].split(";") if value.strip()] or ["5"]


def _analyte(row: dict[str, str]) -> str:
    if row["loinc_or_local"] in PERCENTAGES:
        return "neutrophils-percent"
    return "karnofsky" if row["loinc_or_local"] == KARNOFSKY else ANALYTES.get(row["analyte"], row["analyte"])


def _found(row: dict[str, str], value: str) -> Interval | str:
    number = Decimal(value.lstrip("<>")) if "Quantity" in row["value_kind"] or "Integer" in row["value_kind"] else None
    found = convert(
        _analyte(row),
        RawQuantity(number, row["unit"] or None, row["unit_system"] or None, row["unit_code"] or None),
    )
    return found.interval if isinstance(found, Converted) else found.fault


@pytest.mark.skipif(not SEEN.exists(), reason="../shared/data/lab-units.tsv is not beside the repository")
@pytest.mark.parametrize("row", _seen(), ids=lambda row: f"{row['analyte']}-{row['unit'] or row['unit_code']}")
def test_each_way_seen_in_public_data_converts_or_is_refused_as_noted(row: dict[str, str]) -> None:
    for value in _values(row):
        assert _found(row, value) == _expected(row, value)


def _expected(row: dict[str, str], value: str) -> Interval | str:
    if "Quantity" not in row["value_kind"] and "Integer" not in row["value_kind"]:
        return "no-value"
    if row["analyte"] == "GFR" or any(word in row["note"] for word in REFUSED):
        return "unit-not-understood"
    factor = TO_OURS.get(row["unit"], Fraction(1))
    if row["unit"] == "umol/L":
        factor = MICROMOLAR[row["analyte"]]
    converted = exactly(Fraction(value) * factor)
    return "implausible" if row["analyte"] == "weight" and converted.low < 30 else converted


@pytest.mark.skipif(not SEEN.exists(), reason="../shared/data/lab-units.tsv is not beside the repository")
def test_a_percentage_is_never_a_count() -> None:
    percentages = [row for row in _seen() if row["loinc_or_local"] in PERCENTAGES]
    assert percentages
    for row in percentages:
        assert convert("neutrophils", raw(_values(row)[0], row["unit"])) == Unusable("unit-not-understood")
