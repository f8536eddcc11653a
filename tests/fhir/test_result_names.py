"""A code shown by the name of another result contradicts itself; its own names, and strange ones, do not."""

from __future__ import annotations

import pytest

from cds_service.fhir.result_names import names_another
from cds_service.terminology.codes import code_sets


@pytest.mark.parametrize(
    ("analyte", "text", "other"),
    [
        ("neutrophils", "Platelets [#/volume] in Blood", True),
        ("neutrophils", "Neutrophils [#/volume] in Blood by Automated count", False),
        ("neutrophils", "Absolute count", False),
        ("bilirubin-total", "Bilirubin, direct", True),
        ("bilirubin-total", "Bilirubin.total [Mass/volume] in Serum or Plasma", False),
        ("ecog", "Karnofsky performance status", True),
        ("ecog", "ECOG or Karnofsky score", False),
        ("alt", "AST (SGOT)", True),
        ("alt", "ALT/AST", False),
        ("weight", "Platelets", False),
        ("platelets", "血小板计数", False),
        ("platelets", "白细胞计数", True),
    ],
)
def test_a_name_is_this_results_own_or_another_ones(analyte: str, text: str, other: bool) -> None:
    assert names_another(analyte, [text]) is other


def test_no_display_of_ours_contradicts_its_own_code() -> None:
    rows = [(name, row["display"]) for name, one in code_sets().items() for row in one.rows if "display" in row]
    assert len(rows) > 1000
    assert [(name, display) for name, display in rows if names_another(name, [display])] == []
