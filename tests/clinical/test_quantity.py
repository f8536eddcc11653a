"""Values with units, in every way in which records were seen to write them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.clinical.interval import Interval
from cds_service.clinical.quantity import (
    UCUM,
    AnalyteUnits,
    Converted,
    RawQuantity,
    Unusable,
    analyte_units,
    convert,
    units_of,
)
from cds_service.clinical.spelling import folded
from tests.clinical.builders import exactly, raw, span

SNOMED = "http://snomed.info/sct"
MICRO, MU = "µ", "μ"  # the micro sign and the Greek letter look alike and are not the same


def read(analyte: str, value: str, unit: str | None = None, **parts: str) -> Interval | str:
    """The interval that a written value comes to, or the fault."""
    found = convert(analyte, raw(value, unit, **parts))
    return found.interval if isinstance(found, Converted) else found.fault


# 4.5 of the target unit, as clinical laboratories of several countries write it.
COUNT_UNITS = {
    "4.5": ["10*3/uL", "10*9/L", "K/uL", f"k/{MICRO}L", f"k/{MU}L", "x10E3/uL", "10^3/uL", f"10³/{MICRO}L",
            f"10³/{MU}L", "thou/uL", "Thousand/uL", "10*3/mm3", "G/L", "K/ul", "x10*9/L", "billion per liter",
            "10⁹/L", "×10^9/L", "× 10⁹/L", "10*9/l", "10^9 / L", "10E9/L", "10e9/l", "10E+09/L", "10**9/L", "x10\\^9/L",
            "G/l", "Gpt/L", "Gpt/l", "Giga/L", "10*9 cells/L", "x 10^9", "*10^9/L", "K/MM3", "k/mm³", "K/cmm",
            "X10(3)/uL", "10*3/UL", f"k/{MICRO}l", "THOU/UL", "Th/mcL", "thous/mm3", f"Tsd./{MICRO}l", "1000/uL",
            "K/cu mm", "10*3 cells/uL", "/nL", "/nl", "×10^9个/L",
            "10^9/升"],
    "4500": ["/uL", "cells/uL", "/mm3", "/cumm", "cells/mcL", "10*6/L", "M/L", "{cells}/uL", f"/{MICRO}L", "/cmm",
             "/cu.mm", "/mm³", "/mm^3", "#/uL", "cell/ul", f"per {MICRO}L", "per mm3", "10^6/l"],
    "0.45": [f"万/{MICRO}L", f"万/{MU}L", f"10⁴/{MICRO}L", "10*4/uL"],
}  # fmt: skip


@pytest.mark.parametrize("analyte", ["neutrophils", "platelets", "wbc"])
@pytest.mark.parametrize(("value", "unit"), [(v, unit) for v, units in COUNT_UNITS.items() for unit in units])
def test_a_count_is_read_in_every_spelling(analyte: str, value: str, unit: str) -> None:
    assert read(analyte, value, unit) == exactly("4.5")


@pytest.mark.parametrize(
    "unit",
    [
        "uL",
        "g",
        "K",
        "L",
        "mg/dL",
        "10*3/u",
        "10*3",
        "%",
        "G",
        "kL",
        "fL",
        "m/L",
        "g/L",
        "10*8/L",
        "x10 9/L",
        "10*9/dL",
        "mm3",
        "cells",
    ],
)
def test_a_count_in_a_unit_that_is_no_count_is_not_used(unit: str) -> None:
    assert read("platelets", "200", unit) == "unit-not-understood"


@pytest.mark.parametrize(
    ("analyte", "value", "unit", "expected"),
    [
        ("creatinine", "1.5", "mg/dL", "1.5"),
        ("creatinine", "88.4", "umol/L", "1"),
        ("creatinine", "88.4", f"{MICRO}mol/l", "1"),
        ("creatinine", "88.4", f"{MU}mol/L", "1"),
        ("creatinine", "0.0884", "mmol/L", "1"),
        ("creatinine", "88.4", "mcmol/L", "1"),
        ("creatinine", "88.4", "UMOL/L", "1"),
        ("creatinine", "1.5", "MG/DL", "1.5"),
        ("creatinine", "1.5", "mg / dl", "1.5"),
        ("creatinine", "1.5", "mg/100 mL", "1.5"),
        ("alt", "30", "mU/mL", "30"),
        ("alt", "30", "Units/l", "30"),
        ("lvef", "60", "％", "60"),
        ("fev1-volume", "1.6", "Litre", "1.6"),
        ("creatinine", "15", "mg/L", "1.5"),
        ("creatinine", "0.84", "mmol/L", Fraction(8400, 884)),
        ("bilirubin-total", "17.1", "umol/L", "1"),
        ("bilirubin-total", "41", f"{MICRO}mol/L", Fraction(410, 171)),
        ("bilirubin-total", "2.4", "mg/dL", "2.4"),
        ("alt", "2.1", f"{MICRO}kat/L", "126"),
        ("alt", "60", "IU/L", "60"),
        ("ast", "35", "U/L", "35"),
        ("ast", "1000", "nkat/L", "60"),
        ("weight", "75000", "g", "75"),
        ("weight", "154", "lb", Fraction("69.85322498")),
        ("weight", "154", "lbs", Fraction("69.85322498")),
        ("weight", "154", "[lb_av]", Fraction("69.85322498")),
        ("height", "170", "cm", "170"),
        ("height", "1.7", "m", "170"),
        ("height", "67", "in", "170.18"),
        ("height", "67", "inch", "170.18"),
        ("height", "67", "[in_i]", "170.18"),
        ("lvef", "55", "%", "55"),
        ("lvef", "0.58", "1", "58"),
        ("lvef", "0.58", "{ratio}", "58"),
        ("fev1-percent-predicted", "50", "%{predicted}", "50"),
        ("fev1-volume", "1600", "mL", "1.6"),
        ("neutrophils-percent", "45", "%", "45"),
        ("ecog", "1", "{score}", "1"),
        ("creatinine-clearance-reported", "62", "mL/min", "62"),
    ],
)
def test_a_value_is_converted_exactly(analyte: str, value: str, unit: str, expected: str | Fraction) -> None:
    assert read(analyte, value, unit) == exactly(expected)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [("ast", "mmol/L"), ("alt", "g/L"), ("neutrophils", "%"), ("creatinine", "g"), ("lvef", "mL"),
     ("weight", "cm"), ("creatinine", "mgs/dL"), ("fev1-volume", "%"), ("fev1-percent-predicted", "L"),
     ("bilirubin-total", "umol"), ("creatinine-clearance-reported", "mL/min/{1.73_m2}"),
     ("creatinine-clearance-reported", "mL/min/1.73m2")],
)  # fmt: skip
def test_a_unit_that_the_table_does_not_list_is_not_guessed(analyte: str, unit: str) -> None:
    assert read(analyte, "50", unit) == "unit-not-understood"


@pytest.mark.parametrize("analyte", ["creatinine", "bilirubin-total", "alt", "neutrophils", "weight", "height", "lvef"])
def test_a_missing_unit_is_never_taken_for_the_expected_one(analyte: str) -> None:
    assert read(analyte, "1.5") == "no-unit"
    assert read(analyte, "1.5", "") == "no-unit"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("11.9", "no-unit"), ("12", exactly(12)), ("900", exactly(900)), ("901", "no-unit"), ("2000", "no-unit"),
     ("2001", exactly("2.001")), ("150000", exactly(150))],
)  # fmt: skip
def test_bare_platelets_are_read_where_only_one_unit_explains_them(value: str, expected: Interval | str) -> None:
    assert read("platelets", value) == expected


def test_an_inferred_unit_is_marked_and_a_written_one_is_not() -> None:
    for quantity, assumed in ((raw("150"), True), (raw("150", "K/uL"), False)):
        found = convert("platelets", quantity)
        assert isinstance(found, Converted)
        assert found.unit_was_assumed is assumed


@pytest.mark.parametrize(("analyte", "value"), [("ecog", "1"), ("karnofsky", "90")])
def test_a_score_needs_no_unit(analyte: str, value: str) -> None:
    found = convert(analyte, raw(value))
    assert found == Converted(exactly(value), "{score}")


@pytest.mark.parametrize(
    ("analyte", "unit", "inside", "outside"),
    [
        ("creatinine", "umol/L", "15", "14.9"), ("creatinine", "umol/L", "1800", "1801"),
        ("creatinine", "mmol/L", "0.015", "0.0149"), ("creatinine", "mmol/L", "1.8", "1.81"),
        ("creatinine", "mg/dL", "0.2", "0.199"), ("creatinine", "mg/dL", "20", "20.01"),
        ("bilirubin-total", "mg/dL", "0.05", "0.049"), ("bilirubin-total", "mg/dL", "50", "50.1"),
        ("neutrophils", "10*3/uL", "200", "200.1"), ("neutrophils", "10*3/uL", "0", "-1"),
        ("neutrophils", "/uL", "10", "9.9"), ("neutrophils", "/uL", "0", "3.1"), ("wbc", "/uL", "10", "4.5"),
        ("platelets", "/uL", "1000", "999"), ("platelets", "10*9/L", "0", "0.15"),
        ("platelets", "10*9/L", "3000", "3001"), ("wbc", "10*9/L", "500", "501"),
        ("weight", "kg", "30", "29.9"), ("weight", "kg", "200", "200.1"),
        ("height", "cm", "100", "99"), ("height", "cm", "250", "251"),
        ("lvef", "%", "3", "2.9"), ("lvef", "%", "95", "95.1"),
        ("fev1-percent-predicted", "%", "5", "4.9"), ("fev1-percent-predicted", "%", "200", "201"),
        ("fev1-volume", "L", "10", "10.1"), ("neutrophils-percent", "%", "100", "100.1"),
        ("ecog", "{score}", "4", "5"), ("ecog", "{score}", "3", "2.5"),
        ("karnofsky", "{score}", "100", "110"), ("karnofsky", "{score}", "10", "0"),
        ("karnofsky", "{score}", "70", "69"),
        ("creatinine-clearance-reported", "mL/min", "400", "401"),
    ],
)  # fmt: skip
def test_a_value_outside_what_is_plausible_is_a_unit_error(analyte: str, unit: str, inside: str, outside: str) -> None:
    assert read(analyte, inside, unit) == exactly(Fraction(inside) * analyte_units()[analyte].factors[unit])
    assert read(analyte, outside, unit) == "implausible"


@pytest.mark.parametrize(
    ("analyte", "value", "unit"),
    [("neutrophils", "3000", "10*3/uL"), ("creatinine", "88", "mg/dL"), ("height", "5.6", "inch"),
     ("weight", "7.9", "kg"), ("lvef", "0.55", "%")],
)  # fmt: skip
def test_a_published_unit_error_is_not_used(analyte: str, value: str, unit: str) -> None:
    assert read(analyte, value, unit) == "implausible"


@pytest.mark.parametrize(
    ("written", "code", "system", "expected"),
    [
        ("mg/dL", "mg/dL", UCUM, exactly("1.2")),
        (None, "mg/dL", UCUM, exactly("1.2")),
        ("mg/dL", None, UCUM, exactly("1.2")),
        ("mg/dL", "mg/dL", None, exactly("1.2")),
        ("milligrams", "mg/dL", UCUM, exactly("1.2")),
        (" mg/dL ", None, None, exactly("1.2")),
        ("mg/dl", "mg/dL", UCUM, exactly("1.2")),
        ("mg/dL", "258797006", SNOMED, exactly("1.2")),
        (None, "258797006", SNOMED, "unit-not-understood"),
        (None, "mg/dL", SNOMED, "unit-not-understood"),
        ("mg/dL", "furlong", UCUM, "unit-not-understood"),
        ("umol/L", "mg/dL", UCUM, "units-disagree"),
        (" ", None, None, "unit-not-understood"),
    ],
)
def test_code_and_words_of_a_unit_must_not_contradict_each_other(
    written: str | None, code: str | None, system: str | None, expected: Interval | str
) -> None:
    parts = {"code": code, "system": system}
    assert read("creatinine", "1.2", written, **{k: v for k, v in parts.items() if v}) == expected


def test_a_molar_unit_coded_in_another_system_is_read_by_its_words() -> None:
    assert read("creatinine", "122", "umol/L", code="258814008", system=SNOMED) == exactly(Fraction(1220, 884))


@pytest.mark.parametrize(
    ("comparator", "expected"),
    [
        ("<", Interval(Fraction(0), Fraction(1, 2), high_open=True)),
        ("<=", Interval(Fraction(0), Fraction(1, 2))),
        (">", Interval(Fraction(1, 2), None, low_open=True)),
        (">=", Interval(Fraction(1, 2), None)),
        (None, exactly("0.5")),
    ],
)
def test_a_comparator_opens_the_interval_in_the_converted_unit(comparator: str | None, expected: Interval) -> None:
    found = convert("neutrophils", RawQuantity(Decimal(500), "/uL", comparator=comparator))
    assert isinstance(found, Converted)
    assert found.interval == expected


def test_a_sign_that_is_not_known_makes_the_value_unusable() -> None:
    assert read("neutrophils", "5", "10*9/L", comparator="ad") == "not-a-number"


def test_less_than_nothing_is_no_value() -> None:
    assert read("neutrophils", "0", "10*9/L", comparator="<") == "implausible"
    assert read("neutrophils", "0", "10*9/L", comparator="<=") == exactly(0)


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+16", "1E-16", "1E+999999"])
def test_what_is_no_measurable_number_is_refused(value: str) -> None:
    assert read("platelets", value, "10*9/L") == "not-a-number"


@pytest.mark.parametrize("value", ["0.0000001E+8", "10", "1E+1"])
def test_a_number_counts_however_it_is_written(value: str) -> None:
    assert read("platelets", value, "10*9/L") == exactly(10)


def test_a_missing_value_is_no_value() -> None:
    assert convert("platelets", RawQuantity(None, "10*9/L")) == Unusable("no-value")


def test_a_raw_value_is_shown_as_the_record_writes_it() -> None:
    assert str(raw("1.50", "mg/dL", comparator="<")) == "<1.50 mg/dL"
    assert str(raw("2", None, code="mg/dL")) == "2 mg/dL"
    assert str(raw(None, "mg/dL")) == "mg/dL"


@given(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.text(max_size=8),
    st.sampled_from([None, "<", ">", "x"]),
)
def test_no_value_and_no_unit_raise_an_error(value: Decimal, unit: str, comparator: str | None) -> None:
    for analyte in analyte_units():
        convert(analyte, RawQuantity(value, unit, UCUM, unit, comparator))


@pytest.mark.parametrize("value", ["1E+15", "1E-15"])
def test_a_number_of_fifteen_digits_is_still_one(value: str) -> None:
    assert read("platelets", value, "10*9/L") in ("implausible", exactly(Fraction(1, 10**15)))


FULL_ROW = {
    "unit": "g/L", "units": {"g/L": 1, "mg/dL": "1/100"}, "spellings": {"grams per litre": "g/L"},
    "plausible": [1, 400], "unitless": [{"from": 3, "to": 30, "unit": "g/L"}], "properties": {"MCnc": ["g/L", "mg/dL"]},
    "bare": True, "step": "0.5", "least": 2, "plausible_as": {"mg/dL": [200, 3000]},
}  # fmt: skip


def test_a_row_of_the_unit_table_is_read_whole() -> None:
    assert units_of(FULL_ROW) == AnalyteUnits(
        unit="g/L", factors={"g/L": Fraction(1), "mg/dL": Fraction(1, 100)},
        spellings={"grams per litre": "g/L"},
        folded={folded("g/L"): "g/L", folded("mg/dL"): "mg/dL", folded("grams per litre"): "g/L"},
        plausible=span(1, 400), unitless=((span(3, 30), "g/L"),), properties={"MCnc": frozenset({"g/L", "mg/dL"})},
        bare=True, step=Fraction(1, 2), least=Fraction(2), plausible_as={"mg/dL": span(2, 30)},
    )  # fmt: skip


def test_what_a_row_leaves_out_is_empty() -> None:
    assert units_of({"unit": "kg", "units": {"kg": 1}, "plausible": [30, 200]}) == AnalyteUnits(
        unit="kg", factors={"kg": Fraction(1)}, spellings={}, folded={"kg": "kg"}, plausible=span(30, 200), unitless=(),
        properties={}, bare=False, step=None, least=Fraction(0), plausible_as={},
    )  # fmt: skip


@pytest.mark.parametrize(("analyte", "written"), [("alt", "[IU]/L"), ("alt", "[iU]/L"), ("wbc", "/uL")])
def test_a_unit_of_the_table_is_kept_as_it_is_written(analyte: str, written: str) -> None:
    found = convert(analyte, raw("30", written))
    assert isinstance(found, Converted)
    assert found.written_in == written
