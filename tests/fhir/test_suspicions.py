"""Doubt in the words of a diagnosis."""

import pytest

from cds_service.fhir.suspicions import is_suspected_in_words


@pytest.mark.parametrize("text", [
    "Suspected chronic GVHD", "suspected chronic GVHD", "Chronic GVHD, suspected", "Chronic GVHD (suspected)",
    "cGVHD ?", "?cGVHD", "R/O TMA", "V.a. cGVHD", "疑似慢性移植物抗宿主病",
    "慢性移植物抗宿主病可能", "Possible cGVHD of the skin",
    "(probable) cGVHD", "Chronic GVHD？",
])  # fmt: skip
def test_doubt_stands_at_the_start_or_at_the_end(text: str) -> None:
    assert is_suspected_in_words(["Chronic graft-versus-host disease", text])


@pytest.mark.parametrize("text", [
    "", "Chronic GVHD", "Chronic GVHD, possible liver involvement", "Chronic GVHD, lung not likely involved",
    "Unsuspected chronic GVHD", "Queryable chronic GVHD", "慢性移植物抗宿主病（皮肤，肝脏可能受累）",
])  # fmt: skip
def test_doubt_elsewhere_is_about_something_else(text: str) -> None:
    assert not is_suspected_in_words([text])


def test_no_words_are_no_doubt() -> None:
    assert not is_suspected_in_words([])
