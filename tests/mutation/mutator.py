"""Small lies in YAML: every number one step up and down, every operator and every answering word turned into others.

A step is one unit of the last digit that is written: `28 d` becomes `27 d` and `29 d`, `0.25` becomes `0.24` and
`0.26`. Keys stay as they are, and so do the sentences that people read.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Path = tuple[str | int, ...]
# Words of a protocol that change no answer: who a criterion is, what it says, what it is called.
PROSE = frozenset(
    {"id", "text", "name", "question", "reading", "alternative", "test"}
    | {"title", "short_title", "version", "url", "topic", "sponsor", "source"}
)
OPERATORS = (">=", "<=", ">", "<")
# What an answer can be called, and what can cure a failure; a word becomes each of the others of its kind.
WORDS: tuple[tuple[str | None, ...], ...] = (("pass", "fail", "review", "unknown", "human"), ("date", "event", None))
# A number of its own, not one inside of a name or a unit such as `il2-axis` or `10*9/L`.
_NUMBER = re.compile(r"(?<![\w.*^-])\d+(?:\.\d+)?(?![\w.*^])")
_OPERATOR = re.compile("|".join(map(re.escape, OPERATORS)))


@dataclass(frozen=True)
class Mutant:
    """One value of a document, changed. `owner` is the id of the criterion, or the document's name without one."""

    file: str
    owner: str
    path: Path
    old: Any
    new: Any

    @property
    def key(self) -> str:
        """The place inside of the owner, such as `fresh.use`."""
        inside = self.path[1:] if isinstance(self.path[0], int) else self.path
        return ".".join(str(part) for part in inside)

    def __str__(self) -> str:
        return f"{self.file} {self.owner} {self.key}: {_plain(self.old)} -> {_plain(self.new)}"

    def applied_to(self, document: Any) -> Any:
        """A copy of the document with the one value changed."""
        changed = copy.deepcopy(document)
        place = changed
        for part in self.path[:-1]:
            place = place[part]
        assert place[self.path[-1]] == self.old, f"{self}: found {place[self.path[-1]]!r}"
        place[self.path[-1]] = self.new
        return changed


def _plain(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def mutants(file: str, document: Any) -> Iterator[Mutant]:
    """Every mutant of a document, in its order."""
    rows = document if isinstance(document, list) else []
    for path, value in leaves(document):
        owner = str(rows[int(path[0])]["id"]) if rows else file.removesuffix(".yaml")
        yield from (Mutant(file, owner, path, value, new) for new in variants(value))


def leaves(document: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every single value with the keys and positions that lead to it, without the prose."""
    if isinstance(document, Mapping):
        for key, value in document.items():
            if key not in PROSE:
                yield from leaves(value, (*path, key))
    elif isinstance(document, list):
        for position, value in enumerate(document):
            yield from leaves(value, (*path, position))
    else:
        yield path, document


def variants(value: Any) -> Iterator[Any]:
    """What a single value is changed into; nothing where it holds neither number, operator nor answering word."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (type(value)(one) for one in _steps(str(value)))
    elif isinstance(value, date):
        yield from (value + timedelta(days=step) for step in (-1, 1))
    elif isinstance(value, str):
        yield from _other_words(value)
        yield from _at_each(_OPERATOR, value, lambda found: (one for one in OPERATORS if one != found))
        yield from _at_each(_NUMBER, value, _steps)


def _other_words(value: str) -> Iterator[str | None]:
    for words in WORDS:
        if value in words:
            yield from (word for word in words if word != value)


def _at_each(pattern: re.Pattern[str], text: str, changed: Any) -> Iterator[str]:
    for match in pattern.finditer(text):
        for new in changed(match[0]):
            yield text[: match.start()] + new + text[match.end() :]


def _steps(number: str) -> Iterator[str]:
    """The number one unit of its last digit lower and higher; never below zero."""
    exact = Decimal(number)
    step = Decimal(1).scaleb(int(exact.as_tuple().exponent))
    yield from (str(one) for one in (exact - step, exact + step) if one >= 0)
