"""In which language a page is written: the reader's choice, else what the browser asks for, else the site's."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Request

from cds_service.report.wording import LANGUAGES, Wording, wording

PARAMETER = "lang"


@dataclass(frozen=True, slots=True)
class Reading:
    """The language of a page; `chosen` where the address names it, so that links can carry it on."""

    language: str
    chosen: str | None

    @property
    def words(self) -> Wording:
        return wording(self.language)

    @property
    def switches(self) -> tuple[tuple[str, str], ...]:
        """The other languages, each with what it calls itself."""
        return tuple((one, wording(one).term("pages", "language")) for one in LANGUAGES if one != self.language)


def reading(request: Request, site: str) -> Reading:
    """How a request wants to be read at a site; a language that nobody here speaks counts as not named."""
    named = request.args.get(PARAMETER)
    if named in LANGUAGES:
        return Reading(named, named)
    return Reading(request.accept_languages.best_match(LANGUAGES) or site, None)
