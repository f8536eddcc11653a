"""Pages for people: no script, nothing from elsewhere, nothing that a cache may keep."""

from __future__ import annotations

from flask import Response, render_template

_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = {
    "Content-Security-Policy": f"{_NOTHING}; style-src 'self'; img-src 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


def page(template: str, **content: object) -> Response:
    """The filled template as HTML."""
    return html_answer(render_template(template, **content))


def html_answer(html: str) -> Response:
    """A finished page, with the headers that every page has."""
    return Response(html, headers=_HEADERS, mimetype="text/html")
