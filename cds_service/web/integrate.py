"""The page for whoever connects an EHR: everything that is typed into it, to be copied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from flask import Blueprint, Response, request, url_for

from cds_service.fhir.queries import QUERIES
from cds_service.web.cds_hooks import Wiring
from cds_service.web.languages import reading
from cds_service.web.pages import page

_FOLDER = Path(__file__).parent / "templates" / "integrate"


def integration_page(wiring: Wiring) -> Blueprint:
    """GET /integrate. It says nothing of any patient or client."""
    door = Blueprint("integrate", __name__, template_folder="templates", static_folder="static",
                     static_url_path="/integrate/static")  # fmt: skip
    entry = (_FOLDER / "clients.yaml").read_text(encoding="utf-8")
    conformance = _Conformance((_FOLDER / "conformance.md").read_text(encoding="utf-8").splitlines())

    @door.get("/integrate")
    def show() -> Response:
        base = wiring.settings.public_url or request.url_root.rstrip("/")
        reader = reading(request, wiring.settings.language)
        words, pages = reader.words.terms("integrate"), reader.words.terms("pages")
        return page(
            "integrate/integrate.html", services=wiring.services, trial=wiring.protocol.trial,
            discovery=base + url_for("cds_hooks.discover"), prefetch=_as_typed(wiring.services[0].prefetch),
            scopes=_scopes(), entry=entry, words=words, reader=reader, pages=pages,
            conformance=conformance,
            is_open=wiring.settings.open_access,
        )  # fmt: skip

    return door


class _Conformance:
    """The report of the checker: a table with its heads, and what was not tried, in Markdown."""

    def __init__(self, lines: Sequence[str]) -> None:
        rows = [line.strip("|").split("|") for line in lines if line.startswith("|")]
        self.heads, _, *self.rows = [[cell.strip() for cell in row] for row in rows]
        self.skipped = [line.removeprefix("- ") for line in lines if line.startswith("- ")]


def _as_typed(prefetch: Mapping[str, str]) -> str:
    """One query on each line, as key and template: what an analyst types into an EHR that reads no discovery."""
    return "\n".join(f"{key}\n    {template}" for key, template in prefetch.items())


def _scopes() -> list[tuple[str, str]]:
    """The scopes to read each type, as SMART App Launch 1 and 2 write them, once for a patient's token."""
    types = list(dict.fromkeys([*(query.type for query in QUERIES.values()), "Medication"]))
    older = " ".join(f"patient/{name}.read" for name in types)
    newer = " ".join(f"patient/{name}.rs" for name in types)
    return [("SMART 1", older), ("SMART 2", newer)]
