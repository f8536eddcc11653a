"""The subset of GitHub-flavoured Markdown that our cards use, as HTML that cannot carry anything else."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BOLD = re.compile(r"\*\*(.+?)\*\*")
_LINK = re.compile(r"\[([^\]]*)\]\((https?://[^\s()<>]+)\)")
_BULLET = re.compile(r"^[-*+] +")
# An escaped letter waits in a private-use area, where no pattern finds it, until all markup is made.
_PRIVATE = 0xE000


def render(text: str) -> Markup:
    """Paragraphs, bullets, bold and http links; all else is text, and HTML in it is escaped first."""
    blocks = re.split(r"\n[ \t]*\n", _ESCAPED.sub(_set_aside, text.replace("\r\n", "\n")))
    return Markup("\n".join(part for block in blocks for part in _block(block)))


def _set_aside(found: re.Match[str]) -> str:
    return chr(_PRIVATE + ord(found[1]))


def _block(block: str) -> Iterator[str]:
    """The HTML of one block; a list may follow a line of text without a blank line."""
    lines = [line.strip() for line in block.split("\n") if line.strip()]
    for is_list, group in groupby(lines, key=lambda line: _BULLET.match(line) is not None):
        if is_list:
            yield "<ul>" + "".join(f"<li>{_inline(_BULLET.sub('', item))}</li>" for item in group) + "</ul>"
        else:
            yield "<p>" + "\n".join(map(_inline, group)) + "</p>"


def _inline(text: str) -> str:
    # Entities are characters to GFM; made characters first, they are escaped once and not twice.
    safe = html.escape(html.unescape(text))
    safe = _BOLD.sub(r"<strong>\1</strong>", safe)
    safe = _LINK.sub(r'<a href="\2" rel="noreferrer">\1</a>', safe)
    return "".join(html.escape(chr(ord(c) - _PRIVATE)) if _PRIVATE < ord(c) < _PRIVATE + 128 else c for c in safe)
