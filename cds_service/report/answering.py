"""A screening as a page that people answer: the printed page with a choice at every open criterion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from cds_service.report.page import review
from cds_service.report.rendering import FOLDER
from cds_service.report.wording import Wording
from cds_service.trials.finding import Finding, Status
from cds_service.trials.screening import Screening


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be answered to an open criterion, in words, and what was."""

    met: str
    against: str
    given: bool | None
    by: str | None
    at: str | None


def answering_html(
    screening: Screening,
    words: Wording,
    places: Mapping[str, str],
    problem: str | None = None,
    switches: Iterable[tuple[str, str]] = (),
) -> Markup:
    """The page with its form. `places` are the addresses of its style, icon and export in FHIR; `problem` names what is
    wrong with what was sent; `switches` are other languages, each with its own name.
    """
    choices = {finding.id: _choice(finding, words) for finding in screening.findings if finding.is_open}
    asked = words.terms("answering")
    return review(screening, words, "answering.html", choices=choices, asked=asked, places=places,
                  problem=asked[problem] if problem else None, switches=switches,
                  languages=words.term("pages", "languages"))  # fmt: skip


def answering_style() -> str:
    """The style sheet of the page: that of the printed one, and what the form needs."""
    return "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("page.css", "answering.css"))


def _choice(finding: Finding, words: Wording) -> Choice:
    answer = finding.answer
    return Choice(
        words.status(finding, Status.PASS), words.status(finding, Status.FAIL),
        answer.met if answer else None, answer.by if answer else None,
        answer.at.strftime("%Y-%m-%d %H:%M UTC") if answer else None,
    )  # fmt: skip
