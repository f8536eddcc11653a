"""Who is let in: the clients of the clients file by their tokens and, where it is switched on, everybody."""

from __future__ import annotations

import logging

from flask import Flask, g, request

from cds_service.errors import Unauthenticated
from cds_service.hooks.clients import Client
from cds_service.hooks.trust import Claims, Trust, Untrusted
from cds_service.web.bodies import discard_body

_LOG = logging.getLogger(__name__)
_BEHIND = "/cds-services/"
_FEEDBACK = "/feedback"
_MOST_LOGGED = 200  # characters


class Gate:
    """Lets in whoever has a token that is trusted for the address called; with open access others as well.

    With both, a token of an issuer that is in the clients file must be right: an EHR whose token is refused is told
    so, and not served as a stranger. Without both nobody is let in.
    """

    def __init__(self, trust: Trust | None = None, open_access: bool = False, public_url: str = "") -> None:
        self._trust = trust
        self._open = open_access
        self._public_url = public_url

    def admitted(self, authorization: str | None, path: str) -> Client | None:
        """The client that calls the path; None for open access. Raises Unauthenticated, without a reason."""
        try:
            return self._client(authorization, self._audiences(path))
        except Untrusted as refusal:
            if self._open and not refusal.issuer_is_known:
                if refusal.claims and self._trust:  # an EHR whose issuer is misspelt in the file would wonder
                    _LOG.warning("served as open access: %s%s", refusal, _of(refusal.claims))
                return None
            _LOG.warning("401: %s%s", refusal, _of(refusal.claims))
            raise Unauthenticated from None

    def _client(self, authorization: str | None, audiences: list[str]) -> Client:
        if self._trust is None:
            raise Untrusted("there is no clients file")
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            raise Untrusted("no Bearer token came")
        return self._trust.client(token.strip(), audiences)

    def _audiences(self, path: str) -> list[str]:
        """The addresses for which a token is good here. For feedback some clients name the service."""
        called = self._public_url + path.rstrip("/")
        return list(dict.fromkeys([called, called.removesuffix(_FEEDBACK)]))


def guard(app: Flask, gate: Gate, largest_body: int) -> None:
    """Puts every address of CDS Hooks behind the gate, whoever serves it, also one that is not there.

    A browser's preflight, which carries no token, passes.
    """

    @app.before_request
    def admit() -> None:
        if request.method == "OPTIONS" or not f"{request.path}/".startswith(_BEHIND):
            return
        try:
            g.client = gate.admitted(request.headers.get("Authorization"), request.path)
        except Unauthenticated:
            discard_body(request, largest_body)
            raise


def caller() -> Client | None:
    """The client whose request this is; None for open access."""
    client: Client | None = g.get("client")
    return client


def caller_name() -> str | None:
    """The name of the client in the clients file; None for open access."""
    client = caller()
    return client.name if client else None


def _of(claims: Claims | None) -> str:
    """Who made the token, as far as it says; it is not proven, and written by anybody."""
    if claims is None:
        return ""
    said = {"iss": claims.iss, "tenant": claims.tenant, "jti": claims.jti}
    return " (" + ", ".join(f"{name} {value[:_MOST_LOGGED]!a}" for name, value in said.items() if value) + ")"
