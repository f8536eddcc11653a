"""The subset of GitHub-flavoured Markdown that our cards use, as HTML that cannot carry anything else."""

from __future__ import annotations

import html
import re

from markupsafe import Markup

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\]]*)\]\((https?://[^\s()<>]+)\)")
_BULLET = re.compile(r"\s*[-*+] +")
# An escaped letter waits in a private-use area, where no pattern finds it, until all markup is made.
_PRIVATE = 0xE000


def render(text: str) -> Markup:
    """Paragraphs, bullets, bold and http links; all else is text, and HTML in it is escaped first."""
    blocks = re.split(r"\n[ \t]*\n", _ESCAPED.sub(_set_aside, text.replace("\r\n", "\n")))
    return Markup("\n".join(part for block in blocks for part in _block(block)))


def _set_aside(found: re.Match[str]) -> str:
    return chr(_PRIVATE + ord(found[1]))


def _block(block: str) -> list[str]:
    """The HTML of one block; a list may follow a line of text without a blank line."""
    parts: list[str] = []
    for line in block.strip("\n").split("\n"):
        if _BULLET.match(line):
            item = f"<li>{_inline(_BULLET.sub('', line, count=1))}</li>"
            parts = (
                [*parts[:-1], parts[-1][:-5] + item + "</ul>"]
                if _is(parts, "ul")
                else [*parts, f"<ul>{item}</ul>"]
            )
        elif line.strip():
            words = _inline(line.strip())
            parts = (
                [*parts[:-1], parts[-1][:-4] + f"<br>{words}</p>"]
                if _is(parts, "p")
                else [*parts, f"<p>{words}</p>"]
            )
    return parts


def _is(parts: list[str], tag: str) -> bool:
    return bool(parts) and parts[-1].startswith(f"<{tag}>")


def _inline(text: str) -> str:
    # Entities are characters to GFM; made characters first, they are escaped once and not twice.
    safe = html.escape(html.unescape(text))
    safe = _BOLD.sub(r"<strong>\1</strong>", safe)
    safe = _LINK.sub(r'<a href="\2" rel="noreferrer">\1</a>', safe)
    return "".join(
        html.escape(chr(ord(c) - _PRIVATE)) if _PRIVATE < ord(c) < _PRIVATE + 128 else c for c in safe
    )
