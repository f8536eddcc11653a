"""The request of a CDS client, read tolerantly: unknown fields are ignored, required ones are not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from cds_service.errors import MalformedBody, NotConformant

_UNDECODED = msgspec.Raw()


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a hook. `prefetch` holds each answer undecoded, as it came."""

    hook: str
    hook_instance: str
    patient_id: str
    prefetch: Mapping[str, msgspec.Raw] = field(default_factory=dict)


class _Context(msgspec.Struct):
    patientId: str | None = None


class _Body(msgspec.Struct):
    hook: str | None = None
    hookInstance: str | None = None
    context: _Context | None = None
    prefetch: msgspec.Raw = _UNDECODED
    fhirServer: str | None = None
    fhirAuthorization: msgspec.Raw = _UNDECODED


class _Access(msgspec.Struct):
    patient: str | None = None


def read_request(body: bytes, hook: str) -> HookRequest:
    """The request for a hook.

    Raises MalformedBody when the body is no JSON, NotConformant when a required field is missing or of the wrong
    type, when it is a call of another hook, or when its access token is for another patient.
    """
    message = _decoded(body)
    missing = [name for name in ("hook", "hookInstance", "context") if not getattr(message, name)]
    if missing:
        raise NotConformant(f"Required by CDS Hooks and missing: {', '.join(missing)}.")
    if message.hook != hook:
        raise NotConformant(f"This service answers the hook {hook}; the request names another.", "not-supported")
    patient = message.context.patientId if message.context else None
    if not patient or not patient.strip():
        raise NotConformant("context.patientId is required, for example \"context\": {\"patientId\": \"p1\"}.")
    patient = patient.strip().removeprefix("Patient/")
    _refuse_token_of_another(message, patient)
    return HookRequest(hook, message.hookInstance or "", patient, _prefetch(message.prefetch))


def _decoded(body: bytes) -> _Body:
    try:
        return msgspec.json.decode(body, type=_Body)
    except msgspec.ValidationError as error:
        raise NotConformant(f"Not a CDS Hooks request: {error}", "structure") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "not JSON in UTF-8"
        place = str(error) if isinstance(error, msgspec.DecodeError) else ""
        raise MalformedBody(f"The body is {reason}. {place}".strip()) from None


def _refuse_token_of_another(message: _Body, patient: str) -> None:
    raw = bytes(message.fhirAuthorization)
    if not raw or raw == b"null":
        return
    try:
        access = msgspec.json.decode(raw, type=_Access)
    except msgspec.DecodeError:
        return
    if access.patient and access.patient.removeprefix("Patient/") != patient:
        raise NotConformant("fhirAuthorization.patient is not the patient in context.", "conflict")


def _prefetch(raw: msgspec.Raw) -> Mapping[str, msgspec.Raw]:
    """The prefetched answers by key; none when absent or null."""
    if not bytes(raw) or bytes(raw) == b"null":
        return {}
    try:
        return msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        raise NotConformant("prefetch must be an object of keys and resources.", "structure") from None
