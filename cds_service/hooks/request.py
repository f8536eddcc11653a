"""The request of a CDS client, read tolerantly: unknown fields are ignored, required ones are not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from cds_service.errors import MalformedBody, NotConformant
from cds_service.strict_json import NotJson, check_json

_UNDECODED = msgspec.Raw()


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a hook. `prefetch` holds each answer undecoded, as it came.

    `fhir_server` is None when the call names none; `token` when it gives no access that can be used. `draft_orders`
    are all orders that are not signed yet, undecoded; None for a hook without them, or when none was sent.
    """

    hook: str
    hook_instance: str
    patient_id: str
    prefetch: Mapping[str, msgspec.Raw] = field(default_factory=dict)
    fhir_server: str | None = None
    token: str | None = field(default=None, repr=False)
    draft_orders: msgspec.Raw | None = None


class _Context(msgspec.Struct):
    """What we read of a context.

    The hooks require userId as well; nothing here depends on the user, so a client that omits it is served. Of
    order-select nothing depends on `selections`, which only name the drafts that were chosen last: see `_drafts`.
    """

    patientId: str | None = None  # noqa: N815 - the name in the message
    draftOrders: msgspec.Raw = _UNDECODED  # noqa: N815


class _Body(msgspec.Struct):
    hook: str | None = None
    hookInstance: str | None = None  # noqa: N815
    context: _Context | None = None
    prefetch: msgspec.Raw = _UNDECODED
    fhirServer: msgspec.Raw = _UNDECODED  # noqa: N815
    fhirAuthorization: msgspec.Raw = _UNDECODED  # noqa: N815


class _Access(msgspec.Struct):
    patient: object = None


class _Token(msgspec.Struct):
    access_token: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,16384}$")]
    token_type: Annotated[str, msgspec.Meta(pattern=r"^(?i:bearer)$")]
    expires_in: Annotated[int, msgspec.Meta(gt=0)]


def read_request(body: bytes, hook: str, trust_null: bool = True) -> HookRequest:
    """The request for a hook. Where null is not trusted, a query that came as null did not come.

    Raises MalformedBody when the body is no JSON, NotConformant when a required field is missing or of the
    wrong type, when it is a call of another hook, or when its access token is for another patient.
    """
    message = _decoded(_json(body))
    instance, patient = _stripped(message.hookInstance), _patient(message.context)
    present = {"hook": _stripped(message.hook), "hookInstance": instance, "context": message.context}
    missing = [name for name, value in present.items() if not value]
    if missing:
        raise NotConformant(f"Required by CDS Hooks and missing: {', '.join(missing)}.")
    if message.hook != hook:
        raise NotConformant(f"This service answers the hook {hook}; the request names another.", "not-supported")
    if not patient:
        raise NotConformant('context.patientId is required, for example "context": {"patientId": "p1"}.')
    _refuse_token_of_another(message.fhirAuthorization, patient)
    server, token = _fhir_server(message.fhirServer), _token(message.fhirAuthorization)
    prefetch = _prefetch(message.prefetch)
    if not trust_null:
        prefetch = {key: answer for key, answer in prefetch.items() if bytes(answer).strip() != b"null"}
    return HookRequest(hook, instance, patient, prefetch, server, token, _drafts(message.context))


def _json(body: bytes) -> bytes:
    """The body, proven to be one JSON value in UTF-8.

    A decoder that looks for fields would call a body non-conformant that is no JSON further on, and leaves
    undecoded what it skips.
    """
    try:
        return check_json(body)
    except NotJson as error:
        raise MalformedBody(f"The body is not JSON: {error}. Send one CDS Hooks request as JSON in UTF-8.") from None


def _decoded(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except msgspec.ValidationError as error:
        raise NotConformant(f"The body is JSON, but no CDS Hooks request: {error}.", "structure") from None


def _stripped(text: str | None) -> str:
    return (text or "").strip()


def _patient(context: _Context | None) -> str:
    """The bare id of the patient in context; some clients send a reference instead."""
    return _bare_id(context.patientId or "") if context else ""


def _drafts(context: _Context | None) -> msgspec.Raw | None:
    """The drafts of order-select and order-sign; None where the client sends none, as long as nothing is chosen.

    The hooks require them, but the public Sandbox leaves the whole context out when a tab is clicked again. Nothing is
    drafted then, and to answer so serves the person there better than an error would. What cannot be the Bundle of the
    specification is refused, since an order may stand in it.

    All drafts count, not only the `selections` of order-select: draftOrders holds "all unsigned orders", they will be
    signed together, and what an order that was chosen earlier means for a trial is no less true when the next one is
    chosen. A client that calls again with a draft more gets one card with both.
    """
    drafts = context.draftOrders if context else _UNDECODED
    if bytes(drafts).strip() in (b"", b"null"):
        return None
    if not bytes(drafts).strip().startswith(b"{"):
        raise NotConformant("context.draftOrders must be a Bundle of orders.", "structure")
    return drafts


def _bare_id(reference: str) -> str:
    return reference.strip().rpartition("/")[2]


def _refuse_token_of_another(authorization: msgspec.Raw, patient: str) -> None:
    """An authorization of any other odd shape gives no access and does no harm."""
    try:
        access = msgspec.json.decode(authorization or b"null", type=_Access | None)
    except msgspec.ValidationError:
        return
    if access and access.patient and _bare_id(str(access.patient)) != patient:
        raise NotConformant("fhirAuthorization.patient is not the patient in context.", "conflict")


def _fhir_server(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw or b"null", type=str | None)
    except msgspec.ValidationError:
        return None


def _token(authorization: msgspec.Raw) -> str | None:
    """The token of an authorization that is as CDS Hooks wants it and has not run out.

    The scope is free text in some EHRs: what the token may read is for the FHIR server to say.
    """
    try:
        return msgspec.json.decode(authorization or b"null", type=_Token).access_token
    except msgspec.ValidationError:
        return None


def _prefetch(raw: msgspec.Raw) -> Mapping[str, msgspec.Raw]:
    """The prefetched answers by key; none when absent or null."""
    try:
        answers = msgspec.json.decode(raw or b"null", type=dict[str, msgspec.Raw] | None)
    except msgspec.ValidationError:
        raise NotConformant("prefetch must be an object of keys and resources.", "structure") from None
    came = {key: _unquoted(raw) for key, raw in (answers or {}).items()}
    return {key: raw for key, raw in came.items() if raw is not None}


def _unquoted(raw: msgspec.Raw) -> msgspec.Raw | None:
    """The answer; of a string the JSON that it holds, and None for one that holds none, such as a bare reference.

    Then the client did not bring what was asked for, as if the key were not there.
    """
    if not bytes(raw).strip().startswith(b'"'):
        return raw
    try:
        text = check_json(msgspec.json.decode(raw, type=str).strip().encode())
    except (NotJson, msgspec.DecodeError, UnicodeEncodeError):
        return None
    return msgspec.Raw(text) if text.startswith(b"{") else None
