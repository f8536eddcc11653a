"""Every refusal and every failure as an OperationOutcome that says what to do, without patient content."""

from __future__ import annotations

import logging
import traceback
from types import TracebackType

from flask import Flask, Response
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds_service.errors import ServiceError
from cds_service.web.answers import json_answer
from cds_service.web.request_ids import request_id

_LOG = logging.getLogger(__name__)
_OURS = ("app", "cards", "cds_service", "fhir_fixtures")
# Status -> FHIR issue type and what to do, for the errors that Flask raises by itself.
_ADVICE = {
    400: ("structure", "The HTTP request could not be read. Send one JSON body with POST."),
    404: ("not-found", "There is nothing at this address. GET /cds-services lists the services."),
}


def operation_outcome(code: str, diagnostics: str) -> dict[str, object]:
    """An OperationOutcome with one issue of severity error; `code` is a FHIR issue type."""
    issue = {"severity": "error", "code": code, "diagnostics": diagnostics}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def register_errors(app: Flask) -> None:
    """Makes every 4xx and 5xx of the app an OperationOutcome."""
    app.register_error_handler(ServiceError, _refusal)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _failure)


def _refusal(error: ServiceError) -> Response:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return json_answer(operation_outcome(error.code, error.message), error.status, headers)


def _http_error(error: HTTPException) -> Response:
    """An error that Flask raised: its own description may quote the request, so it is never passed on."""
    status = error.code or 500
    if isinstance(error, MethodNotAllowed):
        methods = ", ".join(sorted(error.valid_methods or ()))
        advice = f"This address takes {methods}. Services are called with POST, discovery with GET."
        return json_answer(operation_outcome("not-supported", advice), status, {"Allow": methods})
    code, advice = _ADVICE.get(status, ("processing", "The request was refused. See /cds-services for what is served."))
    return json_answer(operation_outcome(code, advice), status)


def _failure(error: Exception) -> Response:
    """A defect. The log gets its kind and place, never its message: that may quote the record."""
    correlation = request_id()
    place = _place(error.__traceback__)
    _LOG.error("correlation %s: %s in %s", correlation, type(error).__qualname__, place)
    advice = (
        "The service failed and nothing was screened. Ask its operator to look for this "
        f"correlation id in the log: {correlation}"
    )
    return json_answer(operation_outcome("exception", advice), 500)


def _place(trace: TracebackType | None) -> str:
    """Module and line where our own code failed; where it called a library, the line of the call."""
    frames = [(frame.f_globals.get("__name__", "?"), line) for frame, line in traceback.walk_tb(trace)]
    ours = [frame for frame in frames if frame[0].partition(".")[0] in _OURS]
    module, line = (ours or frames or [("?", 0)])[-1]
    return f"{module}, line {line}"
