"""What a part of the protocol's YAML may state, and what of it is a name of something in the record."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import pytest
from pydantic import Field, ValidationError

from cds_service.clinical.dates import Span
from cds_service.trials.rules.parameters import (
    Analyte,
    Bound,
    Concepts,
    Days,
    Drugs,
    Length,
    Parameters,
    Share,
    Sources,
    Stated,
    Words,
    Years,
    concepts_in,
    stated,
)


class Inner(Parameters):
    shows: Concepts = ()


class Part(Parameters):
    """A part with a parameter of every shape that can hold names, and some that hold none."""

    question: Words = "chronic-gvhd"
    within: Days = Span(28, "d")
    codes: Concepts
    lab: Analyte | None = None
    groups: tuple[Concepts, ...] = ()
    by_grade: Mapping[str, Concepts] = {}
    inner: Inner | None = None
    limit_: Bound | None = Field(default=None, alias="limit")


FULL = {
    "codes": ["chronic-gvhd"], "lab": ["platelets"], "groups": [["dli"], ["car-t"]], "limit": "> 25 10*9/L",
    "by_grade": {"mild": ["chronic-gvhd-mild"]}, "inner": {"shows": ["hemodialysis"]},
}  # fmt: skip


def part() -> Part:
    return Part.model_validate(FULL)


def test_every_name_is_found_however_deep_it_stands_and_no_other_word() -> None:
    expected = {"chronic-gvhd", "platelets", "dli", "car-t", "chronic-gvhd-mild", "hemodialysis"}
    assert concepts_in(part()) == expected
    assert concepts_in(Part(codes=("dli",))) == {"dli"}


def test_every_parameter_is_stated_with_its_value_and_whether_it_is_written() -> None:
    found = {one.key: one for one in stated(part())}
    assert list(found) == ["question", "within", "codes", "lab", "groups", "by_grade", "inner", "limit"]
    assert found["codes"] == Stated("codes", ("chronic-gvhd",), names_concepts=True, is_written=True)
    assert found["question"] == Stated("question", "chronic-gvhd", names_concepts=False, is_written=False)
    assert [one.key for one in found.values() if one.names_concepts] == ["codes", "lab", "groups", "by_grade"]
    assert [one.key for one in found.values() if not one.is_written] == ["question", "within"]


class Times(Parameters):
    length: Length = Span(1, "d")
    days: Days = Span(1, "d")
    years: Years = Span(1, "a")
    share: Share = Fraction(0)


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("length", "3 mo", Span(3, "mo")),
        ("days", "28 d", Span(28, "d")),
        ("days", "4 wk", Span(4, "wk")),
        ("years", "18 a", Span(18, "a")),
        ("share", "5 %", Fraction(1, 20)),
        ("share", "12.5 %", Fraction(1, 8)),
    ],
)
def test_a_time_and_a_share_mean_what_is_written(key: str, written: str, value: object) -> None:
    assert getattr(Times.model_validate({key: written}), key) == value


@pytest.mark.parametrize(("key", "written"), [("days", "3 mo"), ("days", "0 d"), ("years", "18 d"), ("share", "0.05")])
def test_another_unit_or_none_is_refused(key: str, written: str) -> None:
    with pytest.raises(ValidationError, match="expected"):
        Times.model_validate({key: written})


class Names(Parameters):
    codes: Concepts = ()
    lab: Analyte = ()
    drugs: Drugs = ()
    needs: Sources = ()


@pytest.mark.parametrize(
    ("key", "written", "said"),
    [
        ("codes", ["dli", "dli"], "dli twice"),
        ("codes", ["nowhere"], "nowhere"),
        ("codes", "dli", "list of names"),
        ("codes", 5, "list of names"),
        ("codes", [1], "list of names"),
        ("codes", [], "at least one"),
        ("lab", ["dli"], "cannot be measured"),
        ("lab", ["platelets", "neutrophils"], "one name only"),
        ("drugs", ["dli"], "no drug"),
        ("needs", ["nowhere"], "no source is called nowhere"),
        ("needs", ["conditions or nowhere"], "no source is called nowhere"),
    ],
)
def test_a_name_of_nothing_is_refused(key: str, written: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Names.model_validate({key: written})


def test_names_are_taken_as_they_are_and_a_class_as_its_drugs() -> None:
    names = Names.model_validate({"codes": ["dli"], "lab": ["platelets"], "needs": ["labs or body", "conditions"]})
    assert (names.codes, names.lab, names.needs) == (("dli",), ("platelets",), (("labs", "body"), ("conditions",)))
    assert "prednisone" in Names.model_validate({"drugs": ["corticosteroids"]}).drugs
