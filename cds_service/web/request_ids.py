"""One id for each request: on its answer, and in every line of the log that is written meanwhile."""

from __future__ import annotations

import logging
import os
from contextvars import ContextVar

from flask import Flask, Response

# Made here and never taken from the caller: an id that an EHR makes up may name a patient.
_ID: ContextVar[str] = ContextVar("request_id", default="-")
_HEADER = "X-Request-Id"
_FORM = "%(asctime)s %(levelname)s %(name)s, request %(request_id)s: %(message)s"
_OURS = ("app", "cards", "cds_service")


def request_id() -> str:
    """The id of the request that is answered here; - outside of one."""
    return _ID.get()


def register_request_ids(app: Flask) -> None:
    """Gives each request an id, and each answer the header that names it."""

    @app.before_request
    def begin() -> None:
        _ID.set(os.urandom(16).hex())

    @app.after_request
    def name(answer: Response) -> Response:
        answer.headers[_HEADER] = _ID.get()
        return answer


def log_with_request_ids() -> None:
    """Our own log to standard error, from INFO on, with the id in each line. Called twice it does nothing more."""
    for name in _OURS:
        logger = logging.getLogger(name)
        if any(isinstance(one, _Lines) for one in logger.handlers):
            continue
        logger.addHandler(_Lines())
        logger.setLevel(logging.INFO)


class _Lines(logging.StreamHandler):  # type: ignore[type-arg]
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter(_FORM))

    def emit(self, record: logging.LogRecord) -> None:
        record.request_id = _ID.get()
        super().emit(record)
