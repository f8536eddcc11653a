"""A small CDS Hooks service that does everything right, and one thing wrong where a test says so."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests

from tests.fake_server import Asked, FakeServer, Reply, serving

ORIGIN = "https://ehr.example.org"
VIEW, SIGN = "small-view", "small-sign"
UUIDS = [f"7a2f7a1e-8f2b-4c55-9a55-0f4e0c3f5a{number}" for number in range(10, 20)]
CORS = {
    "Access-Control-Allow-Origin": ORIGIN,
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type",
}


class Refusal(Exception):
    def __init__(self, status: int, code: str = "invalid") -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class Small:
    """How the service behaves. `faults` names what it does wrong; the two functions spoil what it says.

    With a `key` (public, PyJWT's) it takes calls with a token only; `fhir` is the one server that it calls.
    """

    faults: frozenset[str] = frozenset()
    discovery: Callable[[dict[str, Any]], Any] = lambda body: body
    response: Callable[[dict[str, Any]], Any] = lambda body: body
    key: Any = None
    algorithm: str = "ES384"
    fhir: str | None = None
    used: set[str] = field(default_factory=set)

    def __call__(self, reply: Reply, asked: Asked) -> None:
        headers = {} if "no-cors" in self.faults else dict(CORS)
        try:
            status, body = self.answer(asked)
        except Refusal as refusal:
            issue = {"severity": "error", "code": refusal.code, "diagnostics": "refused"}
            status, body = refusal.status, {"resourceType": "OperationOutcome", "issue": [issue]}
            if "plain-errors" in self.faults:
                body = {"error": "refused"}
            if "inner-details" in self.faults:
                body["issue"][0]["diagnostics"] = 'Traceback (most recent call last): File "x.py", line 1'
            if "no-cors-on-errors" in self.faults:
                headers = {}
        except Exception:
            status, body = 500, {"error": "defect"}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = "text/html" if "html-type" in self.faults else "application/json"
        reply.send(content, status, **{"Content_Type": kind} | {k.replace("-", "_"): v for k, v in headers.items()})

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.method == "OPTIONS":
            return 200, b""
        self.authenticate(asked)
        path = asked.path.removeprefix("/base")
        published = "/cds-discovery" if "other-discovery" in self.faults else "/cds-services"
        if path == published:
            return self.status("discovery", 200), self.discovery(discovered())
        service, _, rest = path.removeprefix("/cds-services/").partition("/")
        if service not in (VIEW, SIGN):
            raise Refusal(400 if "unknown-400" in self.faults else 404)
        if asked.method != "POST":
            raise Refusal(404 if "get-404" in self.faults else 405)
        if rest == "feedback":
            return self.feedback(body_of(asked))
        return self.call(service, asked)

    def status(self, name: str, usual: int) -> int:
        return next((int(f.rpartition(":")[2]) for f in self.faults if f.startswith(f"{name}:")), usual)

    def call(self, service: str, asked: Asked) -> tuple[int, Any]:
        body = body_of(asked, "lenient-json" in self.faults)
        hook = "patient-view" if service == VIEW else "order-sign"
        lacking = [name for name in ("hook", "hookInstance", "context") if name not in body]
        if lacking and "takes-incomplete" not in self.faults:
            raise Refusal(412 if "412-for-form" in self.faults else 422)
        if body.get("hook") != hook and "any-hook" not in self.faults and not lacking:
            raise Refusal(422)
        if "extension-fails" in self.faults and isinstance(body.get("extension"), list):
            raise ValueError
        patient, found = self.record(body)
        if patient["id"] != (body.get("context") or {}).get("patientId") and "any-patient" not in self.faults:
            raise Refusal(422)
        if "silent" in self.faults:
            return 200, {}
        if "unstable" in self.faults:
            self.used.add(str(len(self.used)))
        if "chatty" in self.faults:
            return 200, {"cards": [], "extension": {"org.example": body.get("fhirAuthorization")}}
        return self.status("call", 200), self.response(cards(drafts_of(body), patient, found, self))

    def record(self, body: Mapping[str, Any]) -> tuple[Any, int]:
        """The patient, and how many conditions there are."""
        prefetch = body.get("prefetch") or {}
        server, access = body.get("fhirServer"), body.get("fhirAuthorization")
        if "needs-server" in self.faults and not server:
            raise ValueError
        patient_id = (body.get("context") or {}).get("patientId")
        answers = dict(prefetch)
        for key, query in {"patient": f"Patient/{patient_id}", "conditions": f"Condition?patient={patient_id}"}.items():
            if key not in answers and self.may_fetch(server, access):
                answers[key] = self.fetched(f"{server}/{query}", access)
        next_page = [link for link in _of(answers.get("conditions"), "link") or [] if link["relation"] == "next"]
        if next_page and self.may_fetch(server, access):
            self.fetched(next_page[0]["url"], access)
        patient, conditions = answers.get("patient"), answers.get("conditions", "absent")
        if "absent-500" in self.faults and (patient is None or conditions == "absent"):
            raise ValueError
        if not isinstance(patient, dict) or patient.get("resourceType") != "Patient":
            raise Refusal(self.status("no-data", 412), "incomplete")
        if _of(conditions, "resourceType") == "OperationOutcome" and "failed-is-empty" not in self.faults:
            raise Refusal(412, "incomplete")
        if conditions == "absent":
            raise Refusal(412, "incomplete")
        if conditions is None and "null-412" in self.faults:
            raise Refusal(412, "incomplete")
        if not isinstance(conditions, dict | None) and "odd-fails" in self.faults:
            raise TypeError
        entries = _of(conditions, "entry") or []
        if "remark-is-data" not in self.faults:
            entries = [one for one in entries if one["resource"]["resourceType"] == "Condition"]
        return patient, len(entries)

    def may_fetch(self, server: Any, access: Any) -> bool:
        if "calls-anybody" in self.faults:
            return isinstance(server, str) and ".invalid" not in server
        if self.fhir is None or server != self.fhir:
            return False
        if "any-access" in self.faults:
            return True
        whole = isinstance(access, dict) and isinstance(access.get("access_token"), str)
        right = whole and access["token_type"] == "Bearer" and isinstance(access.get("expires_in"), int)
        return bool(
            right and access["expires_in"] > 0 and ("strict-scope" not in self.faults or ".read" in access["scope"])
        )

    def fetched(self, address: str, access: Any) -> Any:
        token = access.get("access_token") if isinstance(access, dict) else ""
        scheme = "token" if "other-scheme" in self.faults else "Bearer"
        headers = {"Authorization": f"{scheme} {token}", "Accept": "text/html" if "asks-html" in self.faults
                   else "application/fhir+json"}  # fmt: skip
        redirects = "follows-redirects" in self.faults
        try:
            limit = 30 if "waits" in self.faults else 1
            came = requests.get(
                address, headers=headers, timeout=limit, allow_redirects=redirects, proxies={"http": ""}
            )
        except requests.RequestException:
            return None if "Condition" in address else {}
        return came.json() if came.status_code == 200 else {}

    def feedback(self, body: Any) -> tuple[int, Any]:
        if "no-feedback" in self.faults:
            raise Refusal(404)
        for one in body.get("feedback", [{}]):
            accepted = one.get("outcome") == "accepted"
            whole = bool(one.get("card")) and "outcomeTimestamp" in one and (accepted == ("acceptedSuggestions" in one))
            if not (whole and one["outcome"] in ("accepted", "overridden")) and "takes-any-feedback" not in self.faults:
                raise Refusal(400)
            reason = one.get("overrideReason", {})
            if "reason-needed" in self.faults and not accepted and not reason:
                raise Refusal(400)
            if "strict-dialect" in self.faults and (set(reason) - {"reason", "userComment"}):
                raise Refusal(400)
            if "long-fails" in self.faults and len(reason.get("userComment", "")) > 1000:
                raise ValueError
            if "known-cards-only" in self.faults:
                raise Refusal(422)
            if "no-repeats" in self.faults and one["card"] in self.used:
                raise Refusal(404)
            self.used.add(one.get("card", ""))
        return 200, {}

    def authenticate(self, asked: Asked) -> None:
        if self.key is None or ("open-discovery" in self.faults and asked.path == "/cds-services"):
            return
        scheme, _, token = asked.headers.get("Authorization", "").partition(" ")
        try:
            if scheme == "Bearer":
                self.verify(token, f"http://{asked.headers['Host']}{asked.path}")
                return
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            if "reasons" in self.faults:
                raise Refusal(401, type(error).__name__.lower()) from None
        raise Refusal(401, "login")

    def verify(self, token: str, url: str) -> None:
        header = jwt.get_unverified_header(token)
        known = jwt.decode(token, options={"verify_signature": False, "verify_aud": False})
        loose = self.faults
        if header["alg"] != self.algorithm and not (
            ("hmac" in loose and header["alg"].startswith("HS")) or ("none" in loose and header["alg"] == "none")
        ):
            raise ValueError
        if header["kid"] != "k1" if "no-kid" not in loose else False:
            raise ValueError
        if header.get("jku") is not None and "any-jku" not in loose:
            raise ValueError
        if header["alg"] == self.algorithm:
            jwt.decode(token, self.key, [self.algorithm], audience=None if "any-audience" in loose else url,
                       issuer="https://ehr.example.org" if "any-issuer" not in loose else None,
                       options={"require": [] if "any-claims" in loose else ["iss", "aud", "exp", "iat", "jti"],
                                "verify_aud": "any-audience" not in loose})  # fmt: skip
        if "long-lived" not in loose and known["exp"] - known["iat"] > 3600:
            raise ValueError
        if known.get("jti") in self.used and "replay" not in loose:
            raise ValueError
        self.used.add(known.get("jti", ""))


def _of(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def body_of(asked: Asked, lenient: bool = False) -> dict[str, Any]:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        body = json.loads(asked.body, parse_constant=None if lenient else refuse)
    except (ValueError, RecursionError):
        raise Refusal(400, "structure") from None
    if not isinstance(body, dict):
        raise Refusal(422)
    return body


def drafts_of(body: Mapping[str, Any]) -> list[Any]:
    entries = _of((body.get("context") or {}).get("draftOrders"), "entry") or []
    return [one["resource"] for one in entries]


def discovered() -> dict[str, Any]:
    entry = {
        "hook": "patient-view",
        "id": VIEW,
        "title": "A small service",
        "description": "It greets.",
        "usageRequirements": "none",
        "prefetch": {
            "patient": "Patient/{{context.patientId}}",
            "conditions": "Condition?patient={{context.patientId}}",
        },
    }
    return {"services": [entry, {**entry, "hook": "order-sign", "id": SIGN}]}


def cards(drafts: Sequence[Any], patient: Mapping[str, Any], found: int, small: Small) -> dict[str, Any]:
    name = patient.get("name", [{}])[0].get("family", "")
    name = name if "raw-html" in small.faults else html.escape(name)
    repeated = f" ({len(small.used)})" if "unstable" in small.faults else ""
    order = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal",
             "code": {"text": "A test"}, "subject": {"reference": f"Patient/{patient['id']}"}}  # fmt: skip
    actions: list[dict[str, Any]] = [{"type": "create", "description": "Order a test", "resource": order}]
    for draft in drafts:
        if draft["resourceType"] == "MedicationRequest":
            reference = f"MedicationRequest/{draft['id']}"
            actions.append({"type": "update", "description": "Change the order", "resource": draft})
            actions.append({"type": "delete", "description": "Drop it", "resourceId": reference})
    suggestions = [
        {"label": "Do it", "uuid": UUIDS[1], "isRecommended": True, "actions": actions},
        {"label": "Leave it", "uuid": UUIDS[2], "isRecommended": False},
    ]
    card = {
        "uuid": UUIDS[0],
        "summary": "Hello" + repeated,
        "detail": f"**{name}** has {found} conditions, `<b>` is no tag here",
        "indicator": "info",
        "source": {
            "label": "Small",
            "url": "https://example.org",
            "topic": {"system": "http://example.org", "code": "1"},
        },
        "suggestions": suggestions,
        "selectionBehavior": "at-most-one",
        "overrideReasons": [{"code": "a", "system": "http://example.org", "display": "A"}],
        "links": [{"label": "More", "url": "https://example.org/more", "type": "absolute", "autolaunchable": False}],
        "extension": {"org.example": {"x": 1}},
    }
    return {"cards": [card]}


@contextmanager
def running(small: Small) -> Iterator[FakeServer]:
    with serving(small) as server:
        yield server
