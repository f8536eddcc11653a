"""Every number and operator of the protocol stands for something: changed by one step, a case notices.

A mutant that the loader refuses is dead. One that no case can notice stands in equivalent.yaml with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.strict_yaml import MalformedFile, read_yaml
from cds_service.trials import protocol as loader
from cds_service.trials.protocol import Protocol, protocol_in
from tests.mutation.case_law import first_dissent, law
from tests.mutation.mutator import Mutant, mutants

FOLDER = Path(loader.__file__).parent / "nct06920199"
OF_CRITERIA = ("inclusion.yaml", "donor.yaml", "exclusion.yaml")
OF_THE_TRIAL = ("readings.yaml", "trial.yaml")
EQUIVALENT = Path(__file__).parent / "equivalent.yaml"


@cache
def documents() -> dict[str, Any]:
    return {name: read_yaml(name, (FOLDER / name).read_bytes()) for name in (*OF_CRITERIA, *OF_THE_TRIAL)}


def mutants_of(files: tuple[str, ...]) -> list[Mutant]:
    return [mutant for name in files for mutant in mutants(name, documents()[name])]


def equivalent() -> dict[str, str]:
    """The mutants that no case can notice, as they are printed, with the reason."""
    rows: list[Mapping[str, str]] = yaml.safe_load(EQUIVALENT.read_text(encoding="utf-8"))
    return {row["mutant"]: row["because"] for row in rows}


def loaded(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> Protocol | None:
    """The protocol with the change, by the strict loader; None when it refuses it."""
    changed = {**documents(), mutant.file: mutant.applied_to(documents()[mutant.file])}
    monkeypatch.setattr(loader, "read_yaml", lambda name, content: changed.get(name) or read_yaml(name, content))
    try:
        return protocol_in(FOLDER)
    except MalformedFile:
        return None


def is_noticed(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> bool:
    protocol = loaded(mutant, monkeypatch)
    if protocol is None:
        return True
    if mutant.file in OF_CRITERIA:
        return first_dissent(protocol, (mutant.owner,)) is not None
    return first_dissent(protocol, law(), anew=True) is not None


@pytest.mark.parametrize("mutant", mutants_of((*OF_CRITERIA, *OF_THE_TRIAL)), ids=str)
def test_a_case_notices(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    noticed = is_noticed(mutant, monkeypatch)
    if reason := equivalent().get(str(mutant)):
        assert not noticed, f"{mutant} is noticed; take it off equivalent.yaml, which says: {reason}"
        return
    where = f"tests/criteria/{mutant.owner}.yaml" if mutant.file in OF_CRITERIA else "any table of tests/criteria"
    assert noticed, f"{mutant}: no case of {where} notices; add one at this bound, or say why none can"


def test_what_is_listed_as_equivalent_exists() -> None:
    known = {str(mutant) for mutant in mutants_of((*OF_CRITERIA, *OF_THE_TRIAL))}
    assert set(equivalent()) - known == set()


def test_every_equivalent_mutant_has_a_reason() -> None:
    assert all(len(reason.split()) >= 6 for reason in equivalent().values())


def criteria_with_numbers() -> Iterator[str]:
    return iter(dict.fromkeys(mutant.owner for mutant in mutants_of(OF_CRITERIA)))


@pytest.mark.parametrize("criterion", list(criteria_with_numbers()))
def test_a_criterion_with_something_to_get_wrong_has_a_case_table(criterion: str) -> None:
    assert criterion in law(), f"tests/criteria/{criterion}.yaml: expected cases for every bound of {criterion}"
