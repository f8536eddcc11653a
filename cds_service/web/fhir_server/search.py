"""A search as FHIR writes it: what is asked, what of it is understood, and what it finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from cds_service.errors import ServiceError
from cds_service.web.fhir_server.archive import Filed
from cds_service.web.fhir_server.parameters import Parameter, parameters_of

USUAL_COUNT = 50
LARGEST_COUNT = 200
# How JSON is asked for; the second last is the name that DSTU2 had for it. A "+" may arrive as a blank.
_JSON = frozenset({"json", "application/json", "text/json", "application/json+fhir", "application/fhir+json"})
Pair = tuple[str, str]


class UnusableSearch(ServiceError):
    """A search that would be answered wrongly. The message says what is taken, and never what was sent."""

    def __init__(self, message: str, code: str = "invalid", status: int = 400) -> None:
        super().__init__(status, code, message)


@dataclass(frozen=True, slots=True)
class Search:
    """A search for resources of one type.

    Every filter must be met, by one of its values. `order` is of parameter and whether it descends. `understood`
    are the parameters that had an effect: what is not among them was ignored.
    """

    type: str
    filters: tuple[tuple[Parameter, tuple[str, ...]], ...]
    order: tuple[tuple[Parameter, bool], ...]
    count: int
    understood: tuple[Pair, ...]

    def among(self, filed: Iterable[Filed]) -> Sequence[Filed]:
        """What is found, in the order asked for; where that says nothing, in the order of the record."""
        found = [one for one in filed if self._finds(one)]
        for parameter, descends in reversed(self.order):
            found = _sorted(found, parameter, descends)
        return found

    def _finds(self, filed: Filed) -> bool:
        return all(any(parameter.finds(filed, value) for value in values) for parameter, values in self.filters)


def read_search(type_name: str, pairs: Iterable[Pair], base: str, strict: bool = False) -> Search:
    """The search that the parameters describe; `base` is the address of the server.

    A parameter that the server does not know is ignored, as FHIR wants it, or refused when the client asked for
    strictness. Raises UnusableSearch for that, and for a value or modifier that cannot be understood.
    """
    filters: list[tuple[Parameter, tuple[str, ...]]] = []
    order: tuple[tuple[Parameter, bool], ...] = ()
    count = USUAL_COUNT
    understood: list[Pair] = []
    for name, value in pairs:
        if not value.strip():
            continue
        if name == "_count":
            count = _count(value)
        elif name == "_sort":
            order = _order(type_name, value, strict)
        elif name == "_format":
            _require_json(value)
        elif (parameter := _parameter(type_name, name, strict)) and (values := _values(parameter, value, base)):
            filters.append((parameter, values))
            understood.append((name, value))
    if order:
        understood.append(("_sort", ",".join(f"{'-' * descends}{one.name}" for one, descends in order)))
    return Search(type_name, tuple(filters), order, count, (*understood, ("_count", str(count))))


def _parameter(type_name: str, name: str, strict: bool) -> Parameter | None:
    """The parameter of that name; None for one that is ignored."""
    known = parameters_of(type_name)
    base = name.partition(":")[0].partition(".")[0]
    parameter = known.get(base)
    if parameter and name != base and not (parameter.kind == "reference" and name == f"{base}:Patient"):
        # Ignored, a modifier or a chain would find what was not asked for.
        raise UnusableSearch("Modifiers and chains are not supported, except :Patient.", "not-supported")
    if parameter is None and strict:
        raise UnusableSearch(
            f"A parameter is not supported here. Supported are {', '.join(known)}, _sort, _count.", "not-supported"
        )
    return parameter


def _values(parameter: Parameter, text: str, base: str) -> tuple[str, ...]:
    try:
        values = parameter.alternatives(text)
    except ValueError as error:
        raise UnusableSearch(f"A value cannot be understood: {error}.", "value") from None
    # A reference to this server may be written as a whole address; one to another server finds nothing here.
    return tuple(one.removeprefix(f"{base}/") if parameter.kind == "reference" else one for one in values)


def _count(value: str) -> int:
    if not (value.isascii() and value.isdigit()):
        raise UnusableSearch("_count takes a whole number, for example 50.", "value")
    return min(int(value[:9]), LARGEST_COUNT)


def _order(type_name: str, value: str, strict: bool) -> tuple[tuple[Parameter, bool], ...]:
    """The keys of the order that are known: dates and _id. Others are ignored, or refused when that is wished."""
    known = {name: one for name, one in parameters_of(type_name).items() if one.kind == "date" or name == "_id"}
    keys = [(known.get(key.removeprefix("-")), key.startswith("-")) for key in value.split(",")]
    if strict and any(parameter is None for parameter, _ in keys):
        raise UnusableSearch(f"_sort takes {', '.join(known)}, with - in front for the latest first.", "not-supported")
    return tuple((parameter, descends) for parameter, descends in keys if parameter)


def _require_json(value: str) -> None:
    if value.strip().replace(" ", "+").partition(";")[0].lower() not in _JSON:
        raise UnusableSearch("Only JSON is served: _format=json.", "not-supported", 406)


def _sorted(found: Sequence[Filed], parameter: Parameter, descends: bool) -> list[Filed]:
    """In order of the parameter, otherwise as they were; what has no value comes last either way."""
    keys = [_key(parameter, one) for one in found]
    valued = [(key, one) for key, one in zip(keys, found, strict=True) if key is not None]
    valued.sort(key=lambda pair: pair[0], reverse=descends)
    return [one for _, one in valued] + [one for key, one in zip(keys, found, strict=True) if key is None]


def _key(parameter: Parameter, filed: Filed) -> tuple[datetime, str] | None:
    """What the order goes by: the first moment, or the id."""
    if parameter.kind != "date":
        return datetime.min, filed.id
    return min(((moments.universal[0], "") for moments in parameter.moments(filed)), default=None)
