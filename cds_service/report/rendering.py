"""The door to Jinja: templates of what is drawn and printed, every word of a record escaped."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

FOLDER = Path(__file__).parent / "templates"


@cache
def _environment() -> Environment:
    # Everything is escaped, whatever a template is called; a name that nobody gave is an error and never a hole.
    return Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip


def filled(template: str, **content: object) -> Markup:
    """The filled template: markup, so that another template may hold it."""
    return Markup(_environment().get_template(template).render(**content))
