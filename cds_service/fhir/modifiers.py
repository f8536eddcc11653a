"""What may turn the meaning of a resource round in a way that we do not know."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from cds_service.fhir import elements as el

Modified = Literal["implicit-rules", "modifier-extension"]


def modified(resource: el.Resource, raw: bytes | None = None) -> Modified | None:
    """How the resource is modified; None when it means what its elements say.

    An extension in an element that we do not read modifies nothing that we do. `raw` are the bytes of the resource,
    which spare the search where they do not even have the word.
    """
    if resource.implicitRules:
        return "implicit-rules"
    may_be = raw is None or b"modifierExtension" in raw or b"\\u" in raw
    return "modifier-extension" if may_be and _is_modified(resource) else None


def _is_modified(part: object) -> bool:
    """True where an element or one inside it is modified; a dosage by itself costs only its own dose."""
    if isinstance(part, list):
        return any(map(_is_modified, part))
    if not isinstance(part, Struct):
        return False
    own = bool(getattr(part, "modifierExtension", None)) and not isinstance(part, el.Dosage)
    return own or any(_is_modified(getattr(part, name)) for name in part.__struct_fields__)
