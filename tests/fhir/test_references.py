"""References: whichever way they are written, they mean one resource."""

from __future__ import annotations

import pytest

from cds_service.fhir import elements as el
from cds_service.fhir.references import leads_nowhere, local_name, resolved


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Patient/p1", "Patient/p1"),
        ("https://ehr.example/fhir/R4/Patient/p1", "Patient/p1"),
        ("Patient/p1/_history/3", "Patient/p1"),
        ("https://ehr.example/Patient/p1/_history/3", "Patient/p1"),
        ("Patient/p1/", "Patient/p1"),
        ("urn:uuid:1", "urn:uuid:1"),
        ("#m", "#m"),
        ("", None),
        (None, None),
    ],
)
def test_a_reference_means_type_and_id(written: str | None, meant: str | None) -> None:
    assert local_name(written) == meant


def test_an_address_of_the_bundle_means_its_entry() -> None:
    assert resolved(el.Reference(reference="urn:uuid:1"), {"urn:uuid:1": "Patient/p1"}) == "Patient/p1"


def test_a_reference_without_an_address_means_nothing() -> None:
    assert resolved(el.Reference(display="Prednisone"), {}) is None
    assert resolved(None, {}) is None


def test_only_an_address_that_no_entry_has_leads_nowhere() -> None:
    assert leads_nowhere("urn:uuid:2", {"urn:uuid:1": "Patient/p1"})
    assert not leads_nowhere("urn:uuid:1", {"urn:uuid:1": "urn:uuid:1"})
    assert not leads_nowhere("Patient/p9", {})
    assert not leads_nowhere(None, {})
