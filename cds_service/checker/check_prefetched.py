"""What a service makes of prefetched data: rows F."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.checker.check_requests import NONE_ANSWERED
from cds_service.checker.probe import cards_of, essence
from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, fine, judged, quoted, unseen
from cds_service.checker.subject import Subject
from cds_service.checker.synthetic import failed_query, first_page, nothing_found, patient, without_hits

_NO_SEARCH = "no service with a search in its prefetch answered 200"
_NOT_SEEN = "what is fetched is only seen by a FHIR server of the checker, see --fhir"
_KEYS = 3  # that get each odd answer: a service may publish a dozen
_ODD: Mapping[str, Any] = {
    "a string": "123",
    "a number": 7,
    "an array": [],
    "the old wrapper": {"response": "200", "resource": patient()},
    "a collection": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient()}]},
    "an empty object": {},
}


@check("F1")
def fetches_the_rest(subject: Subject) -> Iterator[Seen]:
    yield from _fetched(subject)


@check("F2")
def absent_is_fetched_or_412(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        refused = [key for key, exchange in probe.lacking.items() if exchange.answer.status == 412]
        yield from (fine(f"without {quoted(key)}: 412") for key in refused)
        if not refused and probe.prefetch:
            yield unseen(f"{probe.entry.id} answers 200 without any one key; what it needs is not seen from outside")
    yield unseen("no service with prefetch answered 200")


def _fetched(subject: Subject) -> Iterator[Seen]:
    if subject.fhir is None:
        yield unseen(_NOT_SEEN)
        return
    for visit in subject.fhir.visits:
        if visit.asked:
            yield fine(f"{visit.probe.entry.id} asked for {len(visit.asked)} of {len(visit.probe.prefetch)}")
        else:
            yield unseen("it asked for nothing; the FHIR server of the checker may not be on its list")


@check("F3")
def null_is_nothing(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        if probe.searches:
            exchange = probe.prefetching(dict.fromkeys(probe.searches))
            yield judged(exchange.answer.status == 200, f"every search null: {exchange.answer.said}")
    yield unseen(_NO_SEARCH)


@check("F4")
def three_kinds_of_nothing(subject: Subject) -> Iterator[Seen]:
    kinds = {"null": None, "entry []": {**nothing_found(), "entry": []}, "no total": _bare_bundle()}
    for probe in subject.tried:
        if not probe.searches:
            continue
        if not probe.is_stable:
            yield unseen("the same call is answered differently each time, so nothing can be compared")
            continue
        for name, kind in kinds.items():
            same = essence(probe.prefetching(dict.fromkeys(probe.searches, kind))) == essence(probe.empty)
            yield judged(same, f"{name}: " + ("as an empty Bundle" if same else "another answer than an empty Bundle"))
    yield unseen(_NO_SEARCH)


def _bare_bundle() -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset"}


@check("F5")
def failed_is_not_empty(subject: Subject) -> Iterator[Seen]:
    """A key without which the answer is 412 is needed: then a failed query must not be taken for an answer."""
    for probe in subject.tried:
        for key, without in probe.lacking.items():
            answer = probe.prefetching({key: failed_query()}).answer
            needed = without.answer.status == 412
            if needed or answer.status not in (200, 412):
                yield judged(answer.status == 412 or (not needed and answer.is_refusal), _failed(key, answer.said))
            else:
                yield unseen(f"{_failed(key, answer.said)}, and so it answers without that key")
    yield unseen("no service with prefetch answered 200")


def _failed(key: str, said: str) -> str:
    return f"{quoted(key)} failed: {said}"


@check("F6")
def nothing_found_with_a_remark(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        if probe.searches:
            exchange = probe.prefetching(dict.fromkeys(probe.searches, without_hits()))
            if not probe.is_stable:
                yield judged(exchange.answer.status == 200, f"every search so: {exchange.answer.said}")
                continue
            same = essence(exchange) == essence(probe.empty)
            yield judged(same, "as an empty Bundle" if same else f"another answer ({exchange.answer.said})")
    yield unseen(_NO_SEARCH)


@check("F7")
def next_page(subject: Subject) -> Iterator[Seen]:
    if subject.fhir is not None:
        for visit in subject.fhir.visits:
            if visit.paged:
                yield fine(f"{visit.probe.entry.id} followed the link")
    for probe in subject.tried:
        for key in probe.searches[:1]:
            answer = probe.prefetching({key: first_page("https://fhir.checker.invalid/r4?page=2")}).answer
            said = f"{quoted(key)} with a next page: {answer.said}"
            if answer.status == 412:
                yield fine(said)
            elif answer.status == 200 or answer.is_refusal:
                yield unseen(f"{said}; whether it counts as incomplete is not seen from outside")
            else:
                yield fault(said)
    yield unseen(_NO_SEARCH)


@check("F8")
def nothing_to_be_had(subject: Subject) -> Iterator[Seen]:
    """Of a service that publishes no template, or does not answer at all, nothing is known of what it needs."""
    telling = {entry.url for entry, exchange in subject.plain
               if entry.prefetch and exchange.answer.status in (200, 412)}  # fmt: skip
    for exchange in subject.bare:
        answer, name = exchange.answer, exchange.url.rpartition("/")[2]
        if exchange.url not in telling:
            yield unseen(f"{name} publishes no template, or answers no plain call")
            continue
        said = f"{name} without prefetch and FHIR server: {answer.said}"
        if answer.status == 412:
            yield fine(said)
        elif answer.status == 200:
            yield unseen(f"{said}, so that it seems to need none")
        elif answer.status in (401, 403):
            yield unseen(said)
        else:
            yield fault(said)


@check("F9")
def both_ways(subject: Subject) -> Iterator[Seen]:
    if subject.fhir is None:
        yield unseen(_NOT_SEEN)
        return
    for visit in subject.fhir.visits:
        if not visit.asked:
            yield unseen("it asked for nothing; the FHIR server of the checker may not be on its list")
        elif visit.probe.is_stable:
            same = essence(visit.exchange) == essence(visit.probe.exchange)
            yield judged(same, "the same cards" if same else f"another answer ({visit.exchange.answer.said})")


@check("F10")
def odd_answers(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        for name, odd in _ODD.items():
            for key in list(probe.prefetch)[:_KEYS]:
                answer = probe.prefetching({key: odd}).answer
                good = answer.status == 200 or answer.is_refusal
                yield fine(name) if good else fault(f"{quoted(key)} is {name}: {answer.said}")
    yield unseen("no service with prefetch answered 200")


@check("F11")
def another_patient(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried:
        keys = [key for key, one in probe.prefetch.items() if _is_patient(one)]
        if keys:
            other = patient("checker-another-patient")
            exchange = probe.prefetching(dict.fromkeys(keys, other))
            cards = len(cards_of(exchange))
            good = exchange.answer.is_refusal or (exchange.answer.status == 200 and not cards)
            if exchange.answer.status == 200 and not cards and not probe.cards:
                yield unseen("no cards, but there are none for the right patient either")
            else:
                yield judged(good, f"{probe.entry.id}: {exchange.answer.said}, {cards} cards")
    yield unseen("no service that prefetches the patient answered 200")


@check("C4.injected")
def html_in_a_name(subject: Subject) -> Iterator[Seen]:
    tag = "<img src=x onerror=alert(1)>"
    for probe in subject.tried:
        keys = [key for key, one in probe.prefetch.items() if _is_patient(one)]
        for key in keys:
            mine = dict(probe.prefetch[key])
            named = {**mine, "name": [{"family": tag, "given": [tag], "text": tag}]}
            texts = [str(card.get("detail", "")) for card in _objects(probe.prefetching({key: named}))]
            if any(tag in text for text in texts):
                yield fault(f"{probe.entry.id}: the tag stands in detail as it came")
            elif any("onerror" in text for text in texts):
                yield fine("escaped")
            else:
                yield unseen("no detail holds the name")
    yield unseen(NONE_ANSWERED)


def _objects(exchange: Any) -> list[dict[str, Any]]:
    return [card for card in cards_of(exchange) if isinstance(card, dict)]


def _is_patient(resource: Any) -> bool:
    return isinstance(resource, dict) and resource.get("resourceType") == "Patient"
