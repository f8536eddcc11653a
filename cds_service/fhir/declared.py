"""What fhir.resources declares of the elements that we read, held against a resource without building its models.

A model of fhir.resources is built in Python, part by part, and costs ten times what its declarations cost by
themselves: the type of each element, which of them must be there, and which of a choice. These are taken from the
models once; the types are checked by pydantic's core.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Any

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, create_model
from pydantic.fields import FieldInfo

# A refused value must not stand in an error.
_CONFIG = ConfigDict(extra="ignore", hide_input_in_errors=True)


@dataclass(frozen=True, slots=True)
class Declared:
    """The declarations of one model, for the elements that a type of ours reads.

    `elements` checks the types, `required` are what must be there beside what it asks for, `choices` the names of each
    choice, with whether one of them must be there; `parts` the declarations of what lies inside.
    """

    elements: type[BaseModel]
    required: tuple[str, ...]
    choices: tuple[tuple[tuple[str, ...], bool], ...]
    parts: Mapping[str, Declared]

    def refuse(self, resource: Mapping[str, Any]) -> None:
        """Raises ValueError where the elements, as JSON, are not as they are declared."""
        self.elements.model_validate(resource)
        self._refuse_missing(resource)

    def _refuse_missing(self, value: Mapping[str, Any]) -> None:
        if any(value.get(name) is None for name in self.required):
            raise ValueError("a required element is missing")
        for names, is_required in self.choices:
            there = sum(value.get(name) is not None for name in names)
            if there > 1 or there < is_required:
                raise ValueError("not one element of a choice")
        for name, part in self.parts.items():
            if inside := value.get(name):
                for one in inside if isinstance(inside, list) else (inside,):
                    part._refuse_missing(one)

    @property
    def asks(self) -> bool:
        """True where anything is asked for, here or further inside, beside the types."""
        return bool(self.required or self.choices or self.parts)


@cache
def declared(model: Any, kind: type[Struct]) -> Declared:
    """The declarations of a model of fhir.resources for the elements of a type of ours."""
    fields: Mapping[str, FieldInfo] = {field.alias or name: field for name, field in model.model_fields.items()}
    parts: dict[str, Declared] = {}
    elements: dict[str, Any] = {}
    for element in msgspec.structs.fields(kind):
        if (field := fields.get(element.name)) is None:
            continue  # it is another version's
        inside, inner = _model_in(field.annotation), _struct_in(element.type)
        if inside is not None and inner is not None:
            parts[element.name] = declared(inside, inner)
        annotation = _with(field.annotation, parts.get(element.name))
        elements[element.name] = (annotation, ... if field.is_required() else None)
    choices = model.get_one_of_many_fields(model).values()
    return Declared(
        create_model(model.__name__, __config__=_CONFIG, **elements),
        tuple(name for name, _ in model.get_required_fields(model)),
        tuple((tuple(names), _must_be_there(names[0], fields)) for names in choices),
        {name: part for name, part in parts.items() if part.asks},
    )


def _must_be_there(name: str, fields: Mapping[str, FieldInfo]) -> bool:
    extra = fields[name].json_schema_extra
    return isinstance(extra, dict) and extra.get("one_of_many_required") is True


def _model_in(annotation: Any) -> Any:
    """The model that an element holds, alone or in a list; None for a primitive."""
    if hasattr(annotation, "get_model_klass"):
        return annotation.get_model_klass()
    found = (_model_in(one) for one in typing.get_args(annotation))
    return next((one for one in found if one is not None), None)


def _struct_in(kind: Any) -> type[Struct] | None:
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    return next((one for one in map(_struct_in, typing.get_args(kind)) if one is not None), None)


def _with(annotation: Any, part: Declared | None) -> Any:
    """The type of an element, with the declarations instead of the model inside it."""
    if part is None:
        return annotation
    if hasattr(annotation, "get_model_klass"):
        return part.elements
    arguments = tuple(_with(one, part) for one in typing.get_args(annotation))
    if not arguments:
        return annotation
    is_choice = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return reduce(or_, arguments) if is_choice else types.GenericAlias(list, arguments)
