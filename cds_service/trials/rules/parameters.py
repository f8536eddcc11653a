"""What a criterion may state: typed parameters, each refused with what was expected when it is something else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.fields import FieldInfo

from cds_service.clinical.dates import Span
from cds_service.clinical.interval import Limit
from cds_service.clinical.quantity import analyte_units
from cds_service.terminology.codes import classes, code_sets, members
from cds_service.trials.case import SOURCES, Needs

_SHARE = re.compile(r"(\d+(?:\.\d+)?) %", re.ASCII)
# What a bound may be written in besides the units of the analytes.
_UNITS = frozenset({"mg/kg/d", "mg/d", "mg/kg", "d", "{ULN}", "{score}", "kg/m2"})


def known_units() -> frozenset[str]:
    """Every unit in which a bound can be written."""
    return _UNITS | {code for one in analyte_units().values() for code in (one.unit, *one.factors)}


def _limit(text: Any) -> Limit:
    limit = Limit.parse(str(text))
    if limit.unit not in known_units():
        raise ValueError(f'the unit {limit.unit!r} is not known; expected a bound such as "> 0.25 mg/kg/d"')
    return limit


def _span(text: Any) -> Span:
    span = Span.parse(str(text))
    if not span.count:
        raise ValueError(f'expected a span such as "28 d" that is longer than nothing, found {text!r}')
    return span


def _in_days(span: Span) -> Span:
    if span.unit not in ("d", "wk"):
        raise ValueError(f'expected a span in days or weeks such as "28 d", found {str(span)!r}')
    return span


def _in_years(span: Span) -> Span:
    if span.unit != "a":
        raise ValueError(f'expected an age in years such as "18 a", found {str(span)!r}')
    return span


def _share(text: Any) -> Fraction:
    """A share written as a percentage, such as "5 %"."""
    if isinstance(text, Fraction):
        return text
    match = _SHARE.fullmatch(str(text))
    if match is None:
        raise ValueError(f'expected a share such as "5 %", found {text!r}')
    return Fraction(match[1]) / 100


def _list(names: Any) -> list[str]:
    """The names of a list that names something, each once."""
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"expected a list of names such as [conditions], found {names!r}")
    if not names:
        raise ValueError("expected at least one name, found an empty list")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected each name once, found {twice[0]} twice")
    return list(names)


def _needs(sources: Any) -> Needs:
    """Each item one source, or alternatives joined by " or "."""
    needs = tuple(tuple(one.split(" or ")) for one in _list(sources))
    unknown = sorted({name for alternatives in needs for name in alternatives} - set(SOURCES))
    if unknown:
        raise ValueError(f"no source is called {', '.join(unknown)}; expected some of {', '.join(SOURCES)}")
    return needs


def _concepts(names: Any) -> tuple[str, ...]:
    known = members(_list(names))
    unknown = [name for name in known if name not in code_sets()]
    if unknown:
        raise ValueError(f"no code set is called {', '.join(unknown)}")
    return known


def _analytes(names: tuple[str, ...]) -> tuple[str, ...]:
    unknown = [name for name in names if name not in analyte_units()]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} cannot be measured; expected some of {', '.join(analyte_units())}")
    return names


def _one(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(names) != 1:
        raise ValueError(f"expected one name only, found {', '.join(names)}")
    return names


def _drugs(names: tuple[str, ...]) -> tuple[str, ...]:
    known = {drug for drugs in classes().values() for drug in drugs}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{', '.join(unknown)} is no drug; expected drugs or some of {', '.join(classes())}")
    return names


# More than blanks.
Words = Annotated[str, Field(pattern=r"\S")]
Bound = Annotated[Limit, BeforeValidator(_limit)]
Length = Annotated[Span, BeforeValidator(_span)]
Days = Annotated[Length, AfterValidator(_in_days)]
Years = Annotated[Length, AfterValidator(_in_years)]
Share = Annotated[Fraction, BeforeValidator(_share)]
Sources = Annotated[Needs, BeforeValidator(_needs)]
Concepts = Annotated[tuple[str, ...], BeforeValidator(_concepts)]
Analytes = Annotated[Concepts, AfterValidator(_analytes)]
Analyte = Annotated[Analytes, AfterValidator(_one)]
Drugs = Annotated[Concepts, AfterValidator(_drugs)]


def in_unit(limit: Limit, unit: str) -> None:
    """Raises ValueError unless the limit is written in the unit in which the rule reads values."""
    if limit.unit != unit:
        raise ValueError(f"expected a limit in {unit}, found {str(limit)!r}")


class Parameters(BaseModel):
    """A part of the protocol's YAML: every key is known, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


@dataclass(frozen=True, slots=True)
class Stated:
    """One parameter: its key, its value, whether it names concepts, and whether the YAML writes it."""

    key: str
    value: Any
    names_concepts: bool
    is_written: bool


def stated(part: Parameters) -> Iterator[Stated]:
    """Every parameter of a part in the order of its kind, whether the YAML writes it or it is the default."""
    for key, field in type(part).model_fields.items():
        yield Stated(field.alias or key, getattr(part, key), _names_concepts(field), key in part.model_fields_set)


def _names_concepts(field: FieldInfo) -> bool:
    marks = (*field.metadata, *_marks(field.annotation))
    return any(isinstance(mark, BeforeValidator) and mark.func is _concepts for mark in marks)


def _marks(annotation: Any) -> Iterator[Any]:
    """What a type is annotated with, also inside of what it is made of."""
    yield from getattr(annotation, "__metadata__", ())
    for inner in get_args(annotation):
        yield from _marks(inner)


def concepts_in(part: Parameters) -> frozenset[str]:
    """Every code set, drug and analyte that a part names, also inside of its parts."""
    return frozenset(name for one in stated(part) for name in _named(one.value, one.names_concepts))


def _named(value: Any, names_concepts: bool) -> Iterator[str]:
    if isinstance(value, Parameters):
        yield from concepts_in(value)
    elif isinstance(value, Mapping):
        yield from (name for one in value.values() for name in _named(one, names_concepts))
    elif isinstance(value, tuple | list):
        yield from (name for one in value for name in _named(one, names_concepts))
    elif names_concepts and isinstance(value, str):
        yield value
