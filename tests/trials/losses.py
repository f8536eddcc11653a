"""Ways in which a part of a record is lost so that the loss shows, and what must hold of every one of them.

An entry becomes unreadable in place, or a query fails, is cut short or is left out. An entry that is not there any
more, and an element that FHIR lets a record leave out, are no such losses: nobody can see them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field

from cds_service.fhir.queries import ANALYTES_OF, QUERIES
from cds_service.trials.finding import Flag, Status
from cds_service.trials.screening import Screening, Verdict
from tests.trials.record_of import PROTOCOL, Answers
from tests.trials.resources_of import Resource


@dataclass(frozen=True)
class Loss:
    """What became of a record: the answers to its queries, and the state of those that were not answered whole.

    `beside` are criteria on which the loss may have any effect, `assumed` those that may pass when they say so.
    """

    what: str
    answers: Answers
    states: Mapping[str, str] = field(default_factory=dict)
    beside: Set[str] = frozenset()
    assumed: Set[str] = frozenset()


# The exceptions, all of them the contract's own words.
# "Where only an also read source is missing it is `pass`, flagged `assumed`". What would speak against a clearance,
# dialysis and the laboratory's own, is only also read, too.
ALSO_READ = {
    key: frozenset(one.id for one in PROTOCOL.criteria if any(key in names for names in one.rule.also_reads))
    | ({"I06a"} if key in ("conditions", "procedures", "labs") else set())
    for key in QUERIES
}
# Administrations are never required: without them the dose timeline rests on statements and orders.
BY_ADMINISTRATIONS = frozenset({"I03a", "I03b", "E02"})
# One of the two is enough, so that leaving one out is like a site that has only the other; failing is not.
MEDICATIONS = ("medicationStatements", "medicationRequests")

_CODES = ("code", "medicationCodeableConcept")
_STATUSES = ("status", "clinicalStatus", "verificationStatus")
_DAYS = ("birthDate", "effectiveDateTime", "performedDateTime", "onsetDateTime", "recordedDate", "authoredOn",
         "dateAsserted")  # fmt: skip
_PERIODS = ("effectivePeriod", "performedPeriod", "period")
_VALUES = ("valueQuantity", "valueRange", "valueInteger", "valueString", "valueCodeableConcept")
_DOSES = ("dosage", "dosageInstruction")
# Of the right shape, and still nothing that anybody understands.
_MEANINGLESS = {"coding": [{"code": "~"}]}
_NO_DAY = "in the spring"


def entries_lost(answers: Answers) -> list[Loss]:
    """The record with each entry made unreadable in each way."""
    return [
        Loss(f"{resource['resourceType']}/{resource['id']}: {how}", {**answers, key: _with(resources, place, changed)})
        for key, resources in answers.items()
        for place, resource in enumerate(resources)
        for how, changed in unreadable(resource)
    ]


def _with(resources: list[Resource], place: int, changed: Resource) -> list[Resource]:
    return [*resources[:place], changed, *resources[place + 1 :]]


def unreadable(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """The resource with something in it that nobody can read any more, and what that is."""
    for name, value in resource.items():
        if name in _CODES:
            yield f"no {name}", {key: one for key, one in resource.items() if key != name}
            yield f"{name} without system and words", resource | {name: _MEANINGLESS}
        if name == "status":
            yield f"no {name}", {key: one for key, one in resource.items() if key != name}
        if name in _STATUSES:
            yield f"{name} that is none", resource | {name: _MEANINGLESS if isinstance(value, dict) else "~"}
        if name in _DAYS:
            yield f"no day in {name}", resource | {name: _NO_DAY}
        if name in _PERIODS:
            yield from ((f"no day in {name}.{end}", resource | {name: value | {end: _NO_DAY}}) for end in value)
        if name in _VALUES:
            yield "no value", {key: one for key, one in resource.items() if key != name}
        if name in (*_CODES, *_STATUSES, *_VALUES, *_DOSES):
            yield f"{name} of another shape", resource | {name: [7]}
    if resource["resourceType"] != "Patient":
        yield "an extension that may change its meaning", resource | {"modifierExtension": [{"url": "http://e.org/x"}]}
        yield "nothing but its name", {name: resource[name] for name in ("resourceType", "id")}
        yield "nothing but its type", {"resourceType": resource["resourceType"]}


def queries_lost(answers: Answers) -> list[Loss]:
    """The record with each query failed, left out, and cut short after each of its entries."""
    return [
        *(loss for key in answers if key != "patient" for loss in _query_lost(answers, key)),
        Loss("medications left out", answers, dict.fromkeys(MEDICATIONS, "absent"), assumed=ALSO_READ[MEDICATIONS[0]]),
    ]


def _query_lost(answers: Answers, key: str) -> Iterator[Loss]:
    beside = BY_ADMINISTRATIONS if key == "medicationAdministrations" else frozenset[str]()
    beside |= {criterion for one in answers[key] if (criterion := _read_though_unasked(one))}
    yield Loss(f"{key} failed", answers, {key: "failed"}, beside, ALSO_READ[key])
    if key not in MEDICATIONS:
        yield Loss(f"{key} left out", answers, {key: "absent"}, beside, ALSO_READ[key])
    newest_first = sorted(answers[key], key=_stamp, reverse=True)
    for kept in range(len(newest_first)):
        if kept and QUERIES[key].sorted and _stamp(newest_first[kept - 1])[:10] == _stamp(newest_first[kept])[:10]:
            continue  # by the contract it is complete back to its oldest entry, and we count in days
        cut = {**answers, key: newest_first[:kept]}
        yield Loss(f"{key} cut short after {kept}", cut, {key: "truncated"}, beside, ALSO_READ[key])


def _read_though_unasked(resource: Resource) -> str | None:
    """The criterion of which a resource speaks that only came along with a query for something else.

    It is lost with that query unnoticed: without its study a part in this very trial is one in some study, which fails
    by the contract, and no query asks for a blood pressure.
    """
    if resource["resourceType"] == "ResearchStudy":
        return "E15"
    asked = {analyte for analytes in ANALYTES_OF.values() for analyte in analytes}
    is_asked_for = not asked.isdisjoint(PROTOCOL.index.recognise(_pairs(resource.get("code")), ()).concepts)
    return "E05c" if resource["resourceType"] == "Observation" and not is_asked_for else None


def _pairs(code: object) -> list[tuple[str, str]]:
    """The codings of a code, of whatever shape it is."""
    codings = code.get("coding") if isinstance(code, dict) else None
    listed = [one for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
    pairs = [(one.get("system"), one.get("code")) for one in listed]
    return [(system, value) for system, value in pairs if isinstance(system, str) and isinstance(value, str)]


def _stamp(resource: Resource) -> str:
    return str(resource.get("effectiveDateTime", ""))


def assert_not_helped(before: Screening, after: Screening, loss: Loss) -> None:
    """Nothing passes that did not, nothing fails that did not, and the patient does not get out of sight."""
    for old, new in zip(before.findings, after.findings, strict=True):
        if old.id in loss.beside:
            continue
        if new.status is Status.PASS and not (old.id in loss.assumed and Flag.ASSUMED in new.flags):
            assert old.status is Status.PASS, f"{old.id} profits from the loss: {loss.what}"
        if new.status is Status.FAIL:
            assert old.status is Status.FAIL, f"{old.id} fails on what cannot be seen: {loss.what}"
            assert old.is_hard_fail or not new.is_hard_fail, f"{old.id} fails more surely by the loss: {loss.what}"
    for best in (Verdict.CANDIDATE, Verdict.NOT_APPLICABLE):
        assert after.verdict is not best or before.verdict is best, f"{best} by the loss: {loss.what}"
