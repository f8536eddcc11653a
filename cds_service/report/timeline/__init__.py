"""The steroid timeline: one picture, and the table that holds its numbers."""

from __future__ import annotations

from markupsafe import Markup

from cds_service.report.rendering import filled
from cds_service.report.timeline.words import drawn
from cds_service.report.wording import Wording
from cds_service.trials.screening import Screening


def timeline_svg(screening: Screening, words: Wording, name: str = "timeline") -> Markup:
    """The picture as SVG; `name` keeps its ids apart from those of another picture on one page."""
    return filled("timeline.svg", drawn=drawn(screening, words), name=name)
