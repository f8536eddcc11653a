"""Calls from a web page: row O1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.checker.registry import check
from cds_service.checker.result import Seen, fault, judged, unseen
from cds_service.checker.subject import Subject

_STRANGER = "https://stranger.checker.invalid"


@check("O1")
def cors(subject: Subject) -> Iterator[Seen]:
    origin = subject.options.origin
    if origin is None:
        yield unseen("no web page's origin was named, see --origin")
        return
    places = {subject.base: ("GET", "authorization")}
    for entry in subject.entries[:1]:
        places |= dict.fromkeys((entry.url, f"{entry.url}/feedback"), ("POST", "authorization,content-type"))
    for url, (method, headers) in places.items():
        yield from _preflight(subject, url, origin, method, headers)
    yield from _errors(subject, origin)


def _preflight(subject: Subject, url: str, origin: str, method: str, headers: str) -> Iterator[Seen]:
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers,
             "Authorization": ""}  # fmt: skip
    answer = subject.conversation.call("OPTIONS", url, headers=asked).answer
    named = f"preflight of …/{url.rpartition('/')[2]}"
    lacking = _lacking(answer.headers, method, headers.split(","))
    good = answer.status in range(200, 300) and _allows(answer.headers, origin) and not lacking
    yield judged(good, f"{named}: {answer.said}" + (f", {', '.join(lacking)} not allowed" if lacking else ""))
    if answer.headers.get("access-control-allow-origin") == "*" and _with_credentials(answer.headers):
        yield fault(f"{named}: any origin with credentials")


def _errors(subject: Subject, origin: str) -> Iterator[Seen]:
    for entry in subject.entries[:1]:
        unknown = f"{subject.base}/checker-no-such-service"
        for url in (entry.url, unknown):
            answer = subject.conversation.post(url, {}, Origin=origin).answer
            said = f"the error {answer.said} " + ("carries" if _allows(answer.headers, origin) else "lacks")
            yield judged(_allows(answer.headers, origin), f"{said} Access-Control-Allow-Origin")
        stranger = subject.conversation.post(entry.url, {}, Origin=_STRANGER).answer
        reflected = stranger.headers.get("access-control-allow-origin") == _STRANGER
        if reflected and _with_credentials(stranger.headers):
            yield fault("any origin is let in with credentials")


def _allows(headers: Mapping[str, str], origin: str) -> bool:
    return headers.get("access-control-allow-origin") in (origin, "*")


def _with_credentials(headers: Mapping[str, str]) -> bool:
    return headers.get("access-control-allow-credentials", "").lower() == "true"


def _lacking(headers: Mapping[str, str], method: str, wanted: list[str]) -> list[str]:
    methods = headers.get("access-control-allow-methods", "").upper()
    allowed = headers.get("access-control-allow-headers", "").lower()
    lacking = [one for one in wanted if one not in allowed and allowed != "*"]
    return lacking + ([] if method in methods or methods == "*" or (method in ("GET", "POST") and not methods)
                      else [method])  # fmt: skip
