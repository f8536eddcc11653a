"""Pages for people: no script unless it is allowed, nothing from elsewhere, nothing that a cache may keep."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, render_template

_POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
}
_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}


def page(template: str, **content: object) -> Response:
    """The filled template as HTML."""
    return html_answer(render_template(template, **content))


def html_answer(html: str, allowing: Mapping[str, str] | None = None) -> Response:
    """A finished page, with the headers that every page has; `allowing` is what its security policy has otherwise."""
    policy = "; ".join(f"{name} {sources}" for name, sources in {**_POLICY, **(allowing or {})}.items())
    return Response(html, headers={**_HEADERS, "Content-Security-Policy": policy}, mimetype="text/html")
