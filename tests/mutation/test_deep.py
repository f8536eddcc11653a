"""What mutmut leaves behind is read, and only what is listed with a reason may be alive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.mutation.deep import Change, change_of, complaints, listed, survivors

SIDE_BY_SIDE = '''
def x_sum__mutmut_orig(one: int, other: int) -> int:
    """Both."""
    return one + other
def x_sum__mutmut_1(one: int, other: int) -> int:
    """Both."""
    return one - other
class Span:
    def xǁSpanǁends__mutmut_orig(self) -> int:
        return 1
    def xǁSpanǁends__mutmut_1(self) -> int:
        return 2
'''
MINUS = Change("cds_service/clinical/sums.py sum", "return one + other", "return one - other")
TWO = Change("cds_service/clinical/sums.py Span.ends", "return 1", "return 2")


def leave(folder: Path, codes: Mapping[str, int | None]) -> None:
    place = folder / "cds_service" / "clinical"
    place.mkdir(parents=True, exist_ok=True)
    (place / "sums.py").write_text(SIDE_BY_SIDE, encoding="utf-8")
    kept = {f"cds_service.clinical.sums.{name}": code for name, code in codes.items()}
    (place / "sums.py.meta").write_text(json.dumps({"exit_code_by_key": kept}), encoding="utf-8")


@pytest.mark.parametrize(("name", "change"), [("x_sum__mutmut_1", MINUS), ("xǁSpanǁends__mutmut_1", TWO)])
def test_a_change_is_its_function_and_the_lines_before_and_after(tmp_path: Path, name: str, change: Change) -> None:
    leave(tmp_path, {name: 0})
    path = tmp_path / "cds_service" / "clinical" / "sums.py"
    assert change_of(path, f"cds_service.clinical.sums.{name}", tmp_path) == change


@pytest.mark.parametrize(("code", "alive"), [(0, True), (5, True), (33, True), (1, False), (36, False), (37, False)])
def test_alive_is_what_no_test_fails_on_or_comes_by(tmp_path: Path, code: int, alive: bool) -> None:
    leave(tmp_path, {"x_sum__mutmut_1": code})
    assert (MINUS in survivors(tmp_path)) is alive


def test_what_is_alive_and_not_listed_is_named_with_both_lines(tmp_path: Path) -> None:
    leave(tmp_path, {"x_sum__mutmut_1": 0, "xǁSpanǁends__mutmut_1": 1})
    (found,) = complaints(tmp_path, {})
    assert all(part in found for part in ("sums.py sum", "- return one + other", "+ return one - other"))


def test_what_is_alive_and_listed_is_no_complaint(tmp_path: Path) -> None:
    leave(tmp_path, {"x_sum__mutmut_1": 0, "xǁSpanǁends__mutmut_1": 1})
    assert list(complaints(tmp_path, {MINUS: "the other number is always zero"})) == []


def test_what_is_listed_and_noticed_is_to_be_taken_off(tmp_path: Path) -> None:
    leave(tmp_path, {"x_sum__mutmut_1": 1, "xǁSpanǁends__mutmut_1": 1})
    (found,) = complaints(tmp_path, {MINUS: "the other number is always zero"})
    assert "take it off" in found


@pytest.mark.parametrize("codes", [{}, {"x_sum__mutmut_1": None}])
def test_a_run_that_was_cut_short_proves_nothing(tmp_path: Path, codes: Mapping[str, int | None]) -> None:
    leave(tmp_path, codes)
    assert any("not tried" in found for found in complaints(tmp_path, {}))


def test_every_listed_survivor_has_a_reason() -> None:
    assert all(len(reason.split()) >= 6 for reason in listed().values())
