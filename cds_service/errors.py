"""Errors as callers of the service see them: status, issue code and what to do, never patient content."""

from __future__ import annotations

from collections.abc import Mapping


class ServiceError(Exception):
    """A request that cannot be answered with cards.

    `status` is the HTTP status, `code` the FHIR issue type; the message says what was expected and what
    to do.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class Unauthenticated(ServiceError):
    """401: whoever calls did not prove who they are. It gives no reason: that would help the wrong people."""

    def __init__(self) -> None:
        super().__init__(401, "login", "Authentication is required.")


class MalformedBody(ServiceError):
    """400: the body is not JSON."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "structure", message)


class NotConformant(ServiceError):
    """422: JSON, but not a request that the service can take."""

    def __init__(self, message: str, code: str = "required") -> None:
        super().__init__(422, code, message)


class MissingRecord(ServiceError):
    """412: required parts of the record were not sent and cannot be had; `why` says so of those that were fetched."""

    def __init__(self, keys: tuple[str, ...], why: Mapping[str, str] | None = None) -> None:
        self.keys = keys
        reasons = why or {}
        named = [f"{key} ({reasons[key]})" if key in reasons else key for key in keys]
        super().__init__(
            412,
            "incomplete",
            f"These queries are needed to screen and brought no usable answer: {', '.join(named)}. "
            "Send them as prefetch under these keys; the templates are published at /cds-services.",
        )


class StoreUnavailable(ServiceError):
    """503: the database cannot be used, and nobody can tell that anything was stored; the same call may come again."""

    def __init__(self) -> None:
        super().__init__(
            503,
            "transient",
            "What was sent cannot be stored at the moment. Send it again later: nothing is stored twice. "
            "The operator finds the cause in the log.",
        )


class WrongDatabase(Exception):
    """A database that answers and cannot be used as it is. The message says what to do."""
