"""The worked vignettes of the clinical reference (its chapter 7), by the contract's statuses, flags and verdicts.

vignettes.yaml holds them and says how they are written. Nothing slips by: a criterion that a vignette does not
mention must be a `pass` or `human` without a flag.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.trials.record_of import CaseLoader, printed, screened

TABLE: dict[str, Any] = yaml.load((Path(__file__).parent / "vignettes.yaml").read_bytes(), Loader=CaseLoader)
VIGNETTES: list[dict[str, Any]] = TABLE["vignettes"]
PLAIN = ({"pass"}, {"human"})


def _name(vignette: dict[str, Any]) -> str:
    return str(vignette["vignette"])


@cache
def _screening(name: str) -> dict[str, Any]:
    return printed(screened(next(v["facts"] for v in VIGNETTES if _name(v) == name)))


def _answer(row: dict[str, Any]) -> set[str]:
    return {word for word in (row["status"], *row["flags"], row["curable"], row["recheckOn"]) if word}


@pytest.mark.parametrize("vignette", VIGNETTES, ids=_name)
def test_every_criterion_of_a_vignette_answers_as_worked_out(vignette: dict[str, Any]) -> None:
    expected = {**TABLE["everywhere"], **vignette["answers"]}
    rows = {row["id"]: row for row in _screening(_name(vignette))["criteria"]}
    found = {one: _answer(row) for one, row in rows.items() if one in expected or _answer(row) not in PLAIN}
    assert found == {one: set(words.split()) for one, words in expected.items()}


@pytest.mark.parametrize("vignette", VIGNETTES, ids=_name)
def test_a_vignette_has_the_verdict_of_the_contract(vignette: dict[str, Any]) -> None:
    screening = _screening(_name(vignette))
    assert " ".join(filter(None, (screening["verdict"], screening["recheckOn"]))) == vignette["verdict"]


@pytest.mark.parametrize("vignette", [v for v in VIGNETTES if "dose" in v], ids=_name)
def test_the_dose_of_today_in_a_vignette(vignette: dict[str, Any]) -> None:
    today = _screening(_name(vignette))["steroids"]["asOf"]
    expected = [one if isinstance(one, list) else [one, one] for one in vignette["dose"]]
    assert [today["mgPerDay"], today["mgPerKgPerDay"]] == expected


@pytest.mark.parametrize("vignette", [v for v in VIGNETTES if "flares" in v], ids=_name)
def test_the_failed_tapers_of_a_vignette(vignette: dict[str, Any]) -> None:
    found = [
        f"{flare['date']} {flare['nadirMgPerDay']} -> {flare['toMgPerDay']}{' documented' * flare['documented']}"
        for flare in _screening(_name(vignette))["steroids"]["flares"]
    ]
    assert found == vignette["flares"]


def test_all_twenty_five_vignettes_are_there_and_their_names_tell_them_apart() -> None:
    names = [_name(v) for v in VIGNETTES]
    assert len(set(names)) == len(names)
    numbers = {int(found[0]) for name in names if (found := re.match(r"\d+", name))}
    assert numbers == set(range(26))
