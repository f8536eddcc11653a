"""How a service calls the client's FHIR server: rows A."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.checker.check_requests import NO_SERVER, NONE_ANSWERED
from cds_service.checker.fhir_server import fhir_server
from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, fine, judged, unseen
from cds_service.checker.subject import Subject
from cds_service.checker.visits import ACCESS, MALFORMED, SCOPES, TOKEN, is_local

_NOT_OPENED = "no FHIR server was opened, see --fhir"
_NOT_CALLED = "the checker's FHIR server was not called; it may not be on the service's list"
_LONGEST = 5.0  # seconds; what a clinician is let wait at most


@check("A1")
def server_is_used(subject: Subject) -> Iterator[Seen]:
    if subject.fhir is None:
        yield unseen(_NOT_OPENED)
    elif subject.fhir.asked:
        yield fine(f"{len(subject.fhir.asked)} queries came")
    yield unseen(_NOT_CALLED)


@check("A2")
def bearer(subject: Subject) -> Iterator[Seen]:
    if subject.fhir is None:
        yield unseen(_NOT_OPENED)
        return
    for asked in subject.fhir.asked:
        right = asked.authorization == f"Bearer {TOKEN}"
        yield fine(f"{len(subject.fhir.asked)} calls carried it") if right else fault("a call came without it")
    yield unseen(_NOT_CALLED)


@check("A3", last=True)
def token_is_not_repeated(subject: Subject) -> Iterator[Seen]:
    """Only half of it is seen from outside, and half is no pass."""
    for probe in subject.tried:
        probe.changed(fhirServer=NO_SERVER, fhirAuthorization=dict(ACCESS))
    for exchange in subject.conversation.exchanges:
        if TOKEN.encode() in exchange.answer.body:
            yield fault(f"an answer of …/{exchange.url.rpartition('/')[2]} repeats it")
    yield unseen("no answer repeats it; logs and stores are not seen from outside")


@check("A4")
def malformed_access(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried[:1]:
        for name, access in MALFORMED.items():
            answer = probe.changed(fhirServer=NO_SERVER, fhirAuthorization=access).answer
            good = answer.is_refusal or answer.status == 200
            yield judged(good, f"{name}: {answer.said}")
    for name, (_, asked) in subject.fhir.malformed.items() if subject.fhir else ():
        yield judged(not asked, f"{name}: {asked} calls")
    yield unseen(NONE_ANSWERED)


@check("A5")
def any_scope(subject: Subject) -> Iterator[Seen]:
    for probe in subject.tried[:1]:
        for name, scope in SCOPES.items():
            access = {**ACCESS, "scope": scope}
            answer = probe.changed(fhirServer=NO_SERVER, fhirAuthorization=access).answer
            yield judged(answer.status == probe.exchange.answer.status, f"{name}: {answer.said}")
    for name, asked in subject.fhir.scopes.items() if subject.fhir else ():
        yield judged(asked > 0, f"{name}: {asked} calls")
    yield unseen(NONE_ANSWERED)


@check("A7")
def strangers_are_not_called(subject: Subject) -> Iterator[Seen]:
    """A server that nobody can have allowed, because its port was picked just now."""
    if subject.fhir is not None and subject.fhir.leaked is not None:
        leaked = subject.fhir.leaked
        yield judged(not leaked, "a redirect to another place was followed" if leaked else "no redirect followed")
    if not is_local(subject.base):
        yield unseen("a server that is opened here cannot be reached from there")
        return
    with fhir_server("http://127.0.0.1:0/fhir") as stranger:
        for probe in subject.tried[:1]:
            stranger.asked.clear()
            probe.changed(prefetch=None, fhirServer=stranger.base, fhirAuthorization=dict(ACCESS))
            came = len(stranger.asked)
            yield judged(not came, f"an unknown port of this machine was called {came} times" if came else "no call")
    yield unseen(NONE_ANSWERED)


@check("A8")
def bounds(subject: Subject) -> Iterator[Seen]:
    if subject.fhir is None:
        yield unseen(_NOT_OPENED)
        return
    for asked in subject.fhir.asked:
        yield fine("FHIR JSON") if "json" in asked.accept else fault(f"Accept is {asked.accept[:40]!r}")
    if subject.fhir.hung is not None:
        answer = subject.fhir.hung.answer
        good = answer.seconds < _LONGEST and answer.status in (200, 412)
        yield judged(good, f"a server that hangs: {answer.said} after {answer.seconds:.0f} s")
    yield unseen(_NOT_CALLED)
