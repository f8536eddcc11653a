"""Words of a record made safe for GitHub-flavoured Markdown: they stay words."""

from __future__ import annotations

import re

# What is markup in the middle of a line: emphasis, code, links, tables, strikethrough, and the addresses that
# GitHub-flavoured Markdown makes links of by itself. Marks that only count at the start of a line stay readable.
_SPECIAL = re.compile(r"[\\`*_\[\]|~@]|(?<=www)\.|:(?=//)", re.IGNORECASE)
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
LONGEST = 80


def escaped(text: str) -> str:
    """The text with every character escaped that could become markup, a link or a table, cut to 80 characters.

    It must stand inside a line. Control and direction-changing characters become spaces.
    """
    printable = "".join(c if c.isprintable() else " " for c in text)
    words = " ".join(printable.split())
    cut = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    marked = _SPECIAL.sub(lambda found: f"\\{found[0]}", cut)
    return "".join(_ENTITIES.get(c, c) for c in marked)


def bullets(title: str, items: list[str]) -> list[str]:
    """A bold heading and a bullet list; nothing where there are no items."""
    return [f"**{title}**", "", *(f"- {item}" for item in items), ""] if items else []
