"""The case tables by the short way on which mutants are judged; `run.py test --deep` judges by it, too."""

from __future__ import annotations

import pytest

from tests.mutation.case_law import dissenting, forget, law
from tests.trials.record_of import PROTOCOL


@pytest.mark.parametrize("criterion", list(law()))
def test_every_case_agrees_before_anything_is_changed(criterion: str) -> None:
    """Otherwise a mutant would seem to be noticed by a case that always dissents."""
    forget()
    assert [str(ruling) for ruling in dissenting(PROTOCOL, criterion)] == []
