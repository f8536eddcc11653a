"""Words of a record made safe for GitHub-flavoured Markdown: they stay words."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&^$:@=-])")
LONGEST = 80


def escaped(text: str) -> str:
    """The text with every character escaped that could become markup, a link or a table, cut to 80 characters.

    Control and direction-changing characters become spaces.
    """
    printable = "".join(c if c.isprintable() else " " for c in text)
    words = " ".join(printable.split())
    cut = words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"
    entities = cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(_escape, entities)


def _escape(match: re.Match[str]) -> str:
    """A backslash before punctuation; the entities just made stay as they are."""
    character = match[1]
    after = match.string[match.end() :]
    is_entity = character == "&" and re.match(r"(?:amp|lt|gt);", after)
    return character if is_entity else f"\\{character}"


def bullets(title: str, items: list[str]) -> list[str]:
    """A bold heading and a bullet list; nothing where there are no items."""
    return [f"**{title}**", "", *(f"- {item}" for item in items), ""] if items else []
