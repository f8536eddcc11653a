"""What may turn the meaning of a resource round in a way that we do not know."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from cds_service.fhir import elements as el

Modified = Literal["implicit-rules", "modifier-extension"]


def may_be_modified(raw: bytes | Raw) -> bool:
    """False for JSON that does not even have the word; it may be spelled with escapes."""
    text = bytes(raw)
    # The search for one byte is a hundred times as fast, and nearly nothing has any escapes.
    return b"modifierExtension" in text or (b"\\" in text and b"\\u" in text)


def modified(resource: el.Resource, may_be: bool = True) -> Modified | None:
    """How the resource is modified; None when it means what its elements say.

    An extension in an element that we do not read modifies nothing that we do. `may_be` is False where the bytes do not
    even have the word, which spares the search.
    """
    if resource.implicitRules:
        return "implicit-rules"
    return "modifier-extension" if may_be and _is_modified(resource) else None


def _is_modified(part: object) -> bool:
    """True where an element or one inside it is modified; a dosage by itself costs only its own dose."""
    if isinstance(part, list):
        return any(map(_is_modified, part))
    if not isinstance(part, Struct):
        return False
    own = bool(getattr(part, "modifierExtension", None)) and not isinstance(part, el.Dosage)
    return own or any(_is_modified(getattr(part, name)) for name in part.__struct_fields__)
