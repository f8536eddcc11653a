"""The clients file: read strictly at the start, and read again when it has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from cds_service.hooks.clients import EXAMPLES, FOLDER, Client, Clients, key_file
from cds_service.strict_yaml import MalformedFile, read_yaml

_LOG = logging.getLogger(__name__)
Stamps = dict[Path, tuple[int, ...]]
# Seconds between two looks at a version with a mistake.
_PATIENCE = 5.0
_MEANT = {
    "string_type": "expected text; write it in quotes where YAML would take it for a number",
    "string_too_short": "expected some text",
    "string_pattern_mismatch": "expected the address of a code system",
    "bool_type": "expected true or false",
    "int_type": "expected a whole number of seconds",
    "missing": "this key is missing",
    "extra_forbidden": "this key is not known",
    "model_type": "expected a map of keys",
    "tuple_type": "expected a list",
}


class ClientsFile:
    """The clients of a file, as it stands. Raises MalformedFile when it is malformed at the start.

    A change is noticed at the next call. A new version with a mistake is not used: the log says why, and the one
    before stays in force.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._mistake = ""
        self._tried = monotonic()
        self._clients, self._stamps = _read(path)

    def current(self) -> Clients:
        """The clients that are in force."""
        if self._is_due():
            with self._lock:
                if self._is_due():
                    self._read_again()
        return self._clients

    def _is_due(self) -> bool:
        # What was missing for a broken version may have come without a change of the files that are watched.
        again = bool(self._mistake) and monotonic() > self._tried + _PATIENCE
        return again or _stamps(self._stamps) != self._stamps

    def _read_again(self) -> None:
        self._tried, stamps = monotonic(), _stamps(self._stamps)
        try:
            self._clients, self._stamps = _read(self._path)
            self._mistake = ""
            _LOG.warning("the clients file was read again: %d clients", len(self._clients.entries))
        except Exception as error:  # whatever is in the file now, whoever calls is served as before
            self._stamps = stamps
            mistake = str(error) if isinstance(error, MalformedFile) else f"{self._path.name}: {type(error).__name__}"
            if mistake != self._mistake:
                self._mistake = mistake
                _LOG.error("the clients file has changed and is not used, what was before stays in force. %s", mistake)


def load_clients(path: Path) -> Clients:
    """The clients of a file. Raises MalformedFile with every mistake: its place, what was expected, what to write."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MalformedFile(f"{path}: cannot be read ({error.strerror}); expected the clients file") from None
    rows = _rows(path.name, read_yaml(path.name, content))
    mistakes: list[str] = []
    entries = []
    for number, row in enumerate(rows, 1):
        try:
            entries.append(Client.model_validate(row, context={FOLDER: path.parent}))
        except ValidationError as error:
            mistakes += [f"{path.name}, {_place(number, row)}, {one}" for one in _sentences(error)]
    mistakes += [f"{path.name}: {one}" for one in _conflicts(entries)]
    if mistakes:
        raise MalformedFile("\n".join(mistakes))
    return Clients(tuple(entries), (path, *_key_files(rows, path.parent)))


def _rows(name: str, content: object) -> list[Any]:
    rows = content.get("clients") if isinstance(content, Mapping) and set(content) == {"clients"} else None
    if not isinstance(rows, list) or not rows:
        lines = (EXAMPLES[key].partition(", or")[0] for key in ("name", "issuer", "keys", "fhir_servers"))
        example = "\n    ".join(lines)
        raise MalformedFile(
            f"{name}: expected one key, clients, with one entry per EHR. Write for example:\nclients:\n  - {example}"
        )
    return rows


def _place(number: int, row: object) -> str:
    name = row.get("name") if isinstance(row, Mapping) else None
    return f"client {number} ({name})" if isinstance(name, str) else f"client {number}"


def _sentences(error: ValidationError) -> Iterator[str]:
    """Each mistake with its place in the entry and, where there is one, an example."""
    for one in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part) for part in one["loc"])
        example = EXAMPLES.get(str(one["loc"][0])) if one["loc"] else None
        yield (f"{place}: " if place else "") + _words(one) + (f". Write for example {example}" if example else "")


def _words(one: ErrorDetails) -> str:
    known = _known(str(one["loc"][0])) if one["type"] == "extra_forbidden" and len(one["loc"]) == 1 else ""
    words = one["msg"].removeprefix("Value error, ").replace("Input should be", "expected")
    return _MEANT.get(one["type"], words) + known


def _known(key: str) -> str:
    """The key that was meant, or all of them."""
    near = get_close_matches(key, EXAMPLES, n=1)
    return f"; did you mean {EXAMPLES[near[0]]}" if near else f"; known are {', '.join(EXAMPLES)}"


def _conflicts(entries: Iterable[Client]) -> Iterator[str]:
    """Entries of which nobody could tell which one is meant."""
    before: list[Client] = []
    for client in entries:
        for other in before:
            if client.name == other.name:
                yield f"two clients have the name {client.name!r}; expected a name of its own for each"
            if client.issuer == other.issuer and not _are_apart(client, other):
                yield (
                    f"{other.name} and {client.name} have the same issuer; expected tenants in both, and none of them "
                    f"twice. Write for example {EXAMPLES['tenants']}"
                )
        before.append(client)


def _are_apart(one: Client, other: Client) -> bool:
    return bool(one.tenants and other.tenants) and not set(one.tenants) & set(other.tenants)


def _key_files(rows: Iterable[Mapping[str, Any]], folder: Path) -> Iterator[Path]:
    for row in rows:
        if written := row["keys"].get("file"):
            yield key_file(written, folder)


def _read(path: Path) -> tuple[Clients, Stamps]:
    """The clients and the stamps of their files, taken before they were read: what is written meanwhile counts."""
    stamps = _stamps([path])
    while set(stamps) != set((clients := load_clients(path)).files):
        stamps = _stamps(clients.files)
    return clients, stamps


def _stamps(files: Iterable[Path]) -> Stamps:
    """What changes with a file: its time, its size and its place; nothing where it is not there."""
    return {path: _stamp(path) for path in files}


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
