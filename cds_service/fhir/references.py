"""Which resource a reference means: relative, absolute, versioned, by urn: or contained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import parse_qs

from cds_service.fhir import elements as el
from cds_service.fhir.entries import Entry

# What is left of a conditional reference, as Bundles to be stored have them: whom it means, a search would tell.
SEARCHED_FOR = "Patient"


def local_name(reference: str | None) -> str | None:
    """Type/id of a relative or absolute reference, without its version; other forms as they are."""
    if not reference or reference.startswith(("urn:", "#")):
        return reference or None
    parts = reference.split("?")[0].rstrip("/").split("/")
    if "_history" in parts:
        parts = parts[: parts.index("_history")]
    return SEARCHED_FOR if parts[-1] == SEARCHED_FOR and "?" in reference else "/".join(parts[-2:])


def patient_reference(patient_id: str) -> str | None:
    """The reference of the patient in context, which some EHRs give for the id."""
    return local_name(patient_id) if "/" in patient_id else f"Patient/{patient_id}"


def full_urls(entries: Iterable[Entry]) -> Mapping[str, str]:
    """The addresses under which entries of a Bundle are known -> their references."""
    found: dict[str, str] = {}
    for entry in entries:
        if entry.full_url:  # of several that claim an address always the same one has it
            found[entry.full_url] = max(entry.reference, found.get(entry.full_url, ""))
    return found


def resolved(reference: el.Reference | None, addresses: Mapping[str, str]) -> str | None:
    """Type/id of the resource that is meant; None when the reference holds no address."""
    if reference is None or not reference.reference:
        return None
    return addresses.get(reference.reference) or local_name(reference.reference)


def leads_nowhere(reference: str | None, addresses: Mapping[str, str]) -> bool:
    """True for the address of a Bundle's entry that no entry has, and for a search that nobody has made."""
    if reference == SEARCHED_FOR:
        return True
    return bool(reference and reference.startswith("urn:") and reference not in addresses.values())


def identifier_searched_for(reference: str | None) -> tuple[str, str] | None:
    """System and value of a conditional reference such as Patient?identifier=http://mrn|123; None for any other."""
    kind, _, query = (reference or "").partition("?")
    stated = parse_qs(query).get("identifier", []) if kind.rpartition("/")[2] == SEARCHED_FOR else []
    if len(stated) != 1:
        return None
    system, bar, value = stated[0].partition("|")
    return (system, value) if bar else ("", system)
