"""How a request is taken: rows R, and the invariants of requests."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.checker.conversation import Exchange
from cds_service.checker.probe import Probe, cards_of, essence, new_instance
from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, fine, judged, unseen
from cds_service.checker.subject import Subject
from cds_service.checker.synthetic import USER, old_draft_order
from cds_service.checker.visits import ACCESS

NONE_ANSWERED = "no service answered 200; hand in a request that it answers with --request"
_CALLS = 5
_SLOW = 0.5  # seconds
_JUNK: Mapping[str, Mapping[str, Any]] = {
    "an unknown field": {"x-checker": {"any": [1, "two", None]}},
    "extension as an object": {"extension": {"com.epic.cdshooks.request.bpa-trigger-action": "23"}},
    "extension as an array": {"extension": [{"url": "http://example.org/x", "valueString": "y"}]},
    "extension as a string": {"extension": "x"},
}
# The name is reserved for never being there.
NO_SERVER = "https://fhir.checker.invalid/r4"


@check("R1")
def only_post(subject: Subject) -> Iterator[Seen]:
    for entry in subject.entries[:1]:
        answer = subject.conversation.get(entry.url).answer
        yield judged(answer.status == 405, f"GET …/{entry.id}: {answer.said}")


@check("R2")
def required_fields(subject: Subject) -> Iterator[Seen]:
    for exchange in subject.malformed:
        lacking = next(key for key in ("hook", "hookInstance", "context") if key not in exchange.sent)
        yield judged(exchange.answer.is_refusal, f"without {lacking}: {exchange.answer.said}")


@check("R3")
@check("cds-r-1")
def access_without_server(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        yield _unharmed(probe.changed(fhirAuthorization=dict(ACCESS)), "without fhirServer")
    yield unseen(NONE_ANSWERED)


@check("cds-r-2")
def scope_without_patient(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        access = {**ACCESS, "scope": "patient/*.read"}
        yield _unharmed(probe.changed(fhirServer=NO_SERVER, fhirAuthorization=access), "without patient")
    yield unseen(NONE_ANSWERED)


@check("R4")
def nothing_optional(subject: Subject) -> Iterator[Seen]:
    for exchange in subject.bare:
        yield _unharmed(exchange, "with neither")
    for probe in subject.tried:
        exchange = subject.call(probe.entry, {**probe.body, "fhirAuthorization": None})
        yield _unharmed(exchange, "fhirAuthorization null")


@check("R5")
def junk_changes_nothing(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        for name, junk in _JUNK.items():
            yield _same(probe, probe.changed(**junk), name)
        context = {**probe.body.get("context", {}), "x-checker": {"any": None}}
        yield _same(probe, probe.changed(context=context), "an unknown field of the context")
    yield unseen(NONE_ANSWERED)


@check("R6")
def refusals(subject: Subject) -> Iterator[Seen]:
    for entry, exchange in subject.plain[:1]:
        other = subject.call(entry, {**exchange.sent, "hook": "org.example.checker.other-hook"}).answer
        yield judged(other.status in (400, 422), f"another hook: {other.said}")
        unknown = subject.conversation.post(f"{subject.base}/checker-no-such-service", exchange.sent).answer
        yield judged(unknown.status == 404, f"an unknown id: {unknown.said}")
        broken = subject.conversation.call("POST", entry.url, b"{", {"Content-Type": "application/json"}).answer
        yield judged(broken.status == 400, f"broken JSON: {broken.said}")


@check("R8")
def old_drafts(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        context = copy.deepcopy(probe.body.get("context", {}))
        if "draftOrders" in context:
            context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": old_draft_order()}]}
            yield _unharmed(probe.changed(context=context), f"{probe.entry.hook} with a MedicationOrder of DSTU2")
    yield unseen("no service of an order hook answered 200")


@check("R9")
def long_and_absolute(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        context = {**probe.body.get("context", {}), "userId": f"https://ehr.example.org/fhir/{USER}"}
        yield _unharmed(probe.changed(context=context), "userId as an absolute address")
        context = {**context, "encounterId": "e" * 80}
        yield _unharmed(probe.changed(context=context), "an id of 80 letters")
    yield unseen(NONE_ANSWERED)


@check("R10", last=True)
def soon_enough(subject: Subject) -> Iterator[Seen]:
    """Each answer at 200, after a few more calls, so that the first call is not the only one."""
    for probe in subject.tried:
        for _ in range(_CALLS):
            probe.changed(hookInstance=new_instance())
    times = sorted(one.answer.seconds for one, _ in subject.answers)
    if times:
        slow = times[int(len(times) * 0.9)]
        middle = statistics.median(times)
        yield judged(slow <= _SLOW, f"{len(times)} calls: half within {middle * 1000:.0f} ms, nine of ten within "
                     f"{slow * 1000:.0f} ms")  # fmt: skip
    yield unseen(NONE_ANSWERED)


@check("R11")
def repeats(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        said = probe.again.answer.said
        yield judged(probe.is_stable, f"{probe.entry.id}: the same answer" if probe.is_stable
                     else f"{probe.entry.id}: another answer ({said})")  # fmt: skip
    yield unseen(NONE_ANSWERED)


def _unharmed(exchange: Exchange, name: str) -> Seen:
    """Cards or a refusal, but no failure."""
    answer = exchange.answer
    good = answer.is_refusal or (answer.status == 200 and isinstance(answer.json, dict))
    return judged(good, f"{name}: {answer.said}")


def _same(probe: Probe, exchange: Exchange, name: str) -> Seen:
    """The same answer as without the change."""
    if exchange.answer.status != 200:
        return fault(f"{name}: {exchange.answer.said}")
    if not probe.is_stable:
        return unseen("the same call is answered differently each time, so nothing can be compared")
    same = essence(exchange) == essence(probe.exchange)
    return fine(f"{name}: the same cards") if same else fault(f"{name}: other cards ({len(cards_of(exchange))})")
