"""Values and evidence of the findings are what tests/findings says, proof-read by a person."""

from __future__ import annotations

import pytest
import yaml

from tests.mutation.case_law import forget, law
from tests.trials.findings import FOLDER, rows_of, written

REWRITE = "write it with `python -m tests.trials.findings` and read the difference"


@pytest.mark.parametrize("criterion", list(law()))
def test_what_the_findings_of_a_criterion_rest_on_is_as_written_down(criterion: str) -> None:
    forget()
    path = written(criterion)
    assert path.exists(), f"tests/findings/{path.name} is missing; {REWRITE}"
    assert rows_of(criterion) == yaml.safe_load(path.read_text(encoding="utf-8")), f"{criterion}: {REWRITE}"


def test_nothing_is_written_down_of_a_criterion_without_cases() -> None:
    assert {path.stem for path in FOLDER.glob("*.yaml")} <= set(law())
