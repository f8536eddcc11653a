"""Records drawn at random: what several cases of the tables state, put together as the record of one patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hypothesis import strategies as st

from cds_service.pipeline import screen_records
from cds_service.trials.screening import Screening
from tests.trials.losses import Loss, entries_lost, queries_lost
from tests.trials.record_of import PROTOCOL, Answers, answers_of, records_of
from tests.trials.resources_of import Resource
from tests.trials.test_criteria import rulings

CASES = list(rulings())
_COMMON = answers_of({})


@dataclass(frozen=True)
class Drawn:
    """A record, whole, with the days of one of its cases. `own` are the entries that its cases add to the patient."""

    cases: tuple[str, ...]
    answers: Answers
    own: frozenset[str]
    as_of: date
    infusion_on: date | None

    def screened(self, answers: Answers, states: Mapping[str, str] | None = None) -> Screening:
        return screen_records(records_of(answers, states), PROTOCOL, self.as_of, self.infusion_on)

    def __repr__(self) -> str:
        return " + ".join(self.cases)


@st.composite
def drawn_records(draw: st.DrawFn) -> Drawn:
    """The patient of one case, with what up to three other cases add to theirs, and without up to two things."""
    first, *others = draw(st.lists(st.sampled_from(CASES), min_size=1, max_size=4))
    answers = {key: list(resources) for key, resources in answers_of(first.facts).items()}
    own = {_name(r) for resources in _added(answers).values() for r in resources}
    for letter, case in zip("bcd", others, strict=False):
        for key, resources in _renamed(_added(answers_of(case.facts)), letter).items():
            answers[key] += resources
            own |= {_name(resource) for resource in resources}
    for name in draw(st.lists(st.sampled_from(_names(_COMMON)), max_size=2)):
        answers = {key: [r for r in resources if _name(r) != name] for key, resources in answers.items()}
    return Drawn((str(first), *map(str, others)), answers, frozenset(own), first.asOf, first.infusionOn)


def losses_of(record: Drawn) -> st.SearchStrategy[Loss]:
    """A loss of the record; half of them of what its cases are about."""
    entries = entries_lost(record.answers)
    own = [loss for loss in entries if loss.what.partition(": ")[0] in record.own]
    queries = queries_lost(record.answers)
    return st.sampled_from([*own, *queries]) | st.sampled_from(entries)


def as_others(answers: Answers, letter: str) -> Answers:
    """The same as another patient's; of the Patient nothing."""
    mine = {key: resources for key, resources in _renamed(answers, letter).items() if key != "patient"}
    return {key: [_of_another(resource) for resource in resources] for key, resources in mine.items()}


def _of_another(resource: Resource) -> Resource:
    (whose,) = {"subject", "patient", "individual"} & set(resource)
    return resource | {whose: {"reference": "Patient/p2"}}


def _added(answers: Answers) -> Answers:
    """What the record holds besides that which the patient of every case has."""
    common = [_nameless(r) for resources in _COMMON.values() for r in resources]
    found = {key: [r for r in resources if _nameless(r) not in common] for key, resources in answers.items()}
    return {key: resources for key, resources in found.items() if key != "patient"}


def _renamed(answers: Answers, letter: str) -> Answers:
    """The same with an id of its own for every entry, and with the references that lead from one to another."""
    names = set(_names(answers))
    renamed: Answers = {}
    for key, resources in answers.items():
        followed = [_followed(resource, names, letter) for resource in resources]
        renamed[key] = [resource | {"id": f"{resource['id']}{letter}"} for resource in followed]
    return renamed


def _followed(value: Any, names: set[str], letter: str) -> Any:
    if isinstance(value, dict):
        return {key: _followed(one, names, letter) for key, one in value.items()}
    if isinstance(value, list):
        return [_followed(one, names, letter) for one in value]
    return f"{value}{letter}" if isinstance(value, str) and value in names else value


def _names(answers: Answers) -> list[str]:
    return [_name(r) for key, resources in answers.items() for r in resources if key != "patient"]


def _name(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _nameless(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if key != "id"}
