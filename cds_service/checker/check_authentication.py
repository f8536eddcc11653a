"""Who may call: rows X. A token with one thing wrong is only telling where a right one is taken."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.checker.conversation import Exchange
from cds_service.checker.probe import Entry
from cds_service.checker.registry import Check, check
from cds_service.checker.result import Seen, fault, judged, unseen
from cds_service.checker.signing import Signer
from cds_service.checker.subject import Subject

_OPEN = "calls are answered without a token, so nothing is refused"
_NO_KEY = "a right token is needed to compare with, see --token-key and --issuer"
_DAY = 86_400
_MINUTES = 600


@check("X1")
def without_a_token(subject: Subject) -> Iterator[Seen]:
    for exchange in subject.without_token:
        yield judged(exchange.answer.status == 401, f"without: {exchange.answer.said}")
        garbage = subject.call(_entry(subject), exchange.sent, Authorization="Bearer garbage").answer
        yield judged(garbage.status == 401, f"a token that is none: {garbage.said}")


@check("X2")
def every_address(subject: Subject) -> Iterator[Seen]:
    if subject.options.signer is None:
        yield unseen(_OPEN if subject.is_open else _NO_KEY)
        return
    yield judged(subject.discovery.answer.status == 200, f"discovery: {subject.discovery.answer.said}")
    for entry, exchange in subject.plain:
        yield judged(exchange.answer.status not in (401, 403), f"{entry.id}: {exchange.answer.said}")


def _refusing(name: str, wrong: Any) -> None:
    """Registers a check that every token of `wrong` is answered with 401."""

    def look(subject: Subject) -> Iterator[Seen]:
        signer = _telling_signer(subject)
        if isinstance(signer, str):
            yield unseen(signer)
            return
        for what, token in wrong(signer, _entry(subject).url).items():
            answer = _with(subject, token).answer
            yield judged(answer.status == 401, f"{what}: {answer.said}")

    register: Check = look
    check(name)(register)


def _without_kid(signer: Signer, url: str) -> Mapping[str, str]:
    return {"no kid": signer.token(url, headers={"kid": None})}


def _symmetric(signer: Signer, url: str) -> Mapping[str, str]:
    by_hand = {f"{one} with the public key": signer.signed_with_public_key(url, one)
               for one in ("HS256", "HS384", "HS512")}  # fmt: skip
    return {"alg none": signer.unsigned(url), **by_hand}


def _mismatch(signer: Signer, url: str) -> Mapping[str, str]:
    other = {"ES384": "RS384", "RS384": "ES384"}[signer.algorithm]
    return {f"alg {one} in the header": signer.with_algorithm(url, one) for one in (other, "none", "RS256")}


def _unlisted(signer: Signer, url: str) -> Mapping[str, str]:
    return {
        "an unknown issuer": signer.token(url, {"iss": "https://unknown.checker.invalid"}),
        "an unknown jku": signer.token(url, headers={"jku": "https://unknown.checker.invalid/jwks.json"}),
        "an unknown kid": signer.token(url, headers={"kid": "checker-unknown"}),
    }


def _times(signer: Signer, url: str) -> Mapping[str, str]:
    now = int(time.time())
    return {
        "expired": signer.token(url, {"iat": now - 2 * _MINUTES, "exp": now - _MINUTES}),
        "iat in the future": signer.token(url, {"iat": now + _MINUTES, "exp": now + 2 * _MINUTES}),
        "nbf in the future": signer.token(url, {"nbf": now + _MINUTES, "exp": now + 2 * _MINUTES}),
        "valid for ten years": signer.token(url, {"exp": now + 3650 * _DAY}),
    }


def _audiences(signer: Signer, url: str) -> Mapping[str, str]:
    right = signer.audience(url)
    scheme, _, rest = right.partition(":")
    wrong = {
        "the discovery address": right.rpartition("/")[0],
        "another id": f"{right}-2",
        "a slash at the end": f"{right}/",
        "the other scheme": f"{'http' if scheme == 'https' else 'https'}:{rest}",
        "an empty list": [],
    }
    return {name: signer.token(url, {"aud": aud}) for name, aud in wrong.items()}


for _name, _wrong in {"X3": _without_kid, "X4": _symmetric, "X5": _mismatch, "X8": _times, "X10": _unlisted}.items():
    _refusing(_name, _wrong)


@check("X6")
def claims(subject: Subject) -> Iterator[Seen]:
    yield from _each(
        subject,
        lambda signer, url: {
            f"no {claim}": signer.token(url, {claim: None}) for claim in ("iss", "aud", "exp", "iat", "jti")
        },
        lambda signer, url: {"more claims": signer.token(url, {"sub": "checker", "nbf": int(time.time()) - 60})},
    )


@check("X7")
def exact_audience(subject: Subject) -> Iterator[Seen]:
    yield from _each(
        subject,
        _audiences,
        lambda signer, url: {
            "in a list": signer.token(url, {"aud": ["https://checker.invalid", signer.audience(url)]})
        },
    )


@check("X9")
def once(subject: Subject) -> Iterator[Seen]:
    signer = _telling_signer(subject)
    if isinstance(signer, str):
        yield unseen(signer)
        return
    token = signer.token(_entry(subject).url)
    _with(subject, token)
    answer = _with(subject, token).answer
    yield judged(answer.status == 401, f"the second time: {answer.said}")


@check("X12", last=True)
def no_reason(subject: Subject) -> Iterator[Seen]:
    """All 401 say the same: nobody learns from them what was wrong."""
    bodies = {one.answer.body for one in subject.conversation.exchanges if one.answer.status == 401}
    if len(bodies) > 1:
        yield fault(f"{len(bodies)} different bodies of 401, so each tells something")
    elif bodies:
        yield judged(b"Traceback" not in next(iter(bodies)), "one body for every 401")
    yield unseen("there was no 401")


def _each(subject: Subject, refused: Any, taken: Any) -> Iterator[Seen]:
    signer = _telling_signer(subject)
    if isinstance(signer, str):
        yield unseen(signer)
        return
    url = _entry(subject).url
    for what, token in refused(signer, url).items():
        answer = _with(subject, token).answer
        yield judged(answer.status == 401, f"{what}: {answer.said}")
    for what, token in taken(signer, url).items():
        answer = _with(subject, token).answer
        yield judged(answer.status not in (401, 403), f"{what}: {answer.said}")


def _telling_signer(subject: Subject) -> Signer | str:
    """Who can sign a token that is taken, so that a refusal tells something; else why there is none."""
    signer = subject.options.signer
    if not subject.entries:
        return "there is no service to be called"
    if subject.is_open:
        return _OPEN
    if signer is None:
        return _NO_KEY
    taken = _with(subject, signer.token(_entry(subject).url)).answer.status not in (401, 403)
    return signer if taken else "the right token is not taken either; is the issuer known there?"


def _entry(subject: Subject) -> Entry:
    return subject.entries[0]


def _with(subject: Subject, token: str) -> Exchange:
    entry = _entry(subject)
    return subject.call(entry, subject.bodies(entry)[0], Authorization=f"Bearer {token}")
