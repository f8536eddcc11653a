"""The calls that the checker makes, and all that came back: later checks look at every answer once more."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from cds_service.net.calls import Guard
from cds_service.net.failures import CallFailed
from cds_service.net.servers import Server

# In bytes; no card is larger.
_LARGEST_ANSWER = 8_000_000
# An audience -> a token for one call.
MakeToken = Callable[[str], str]


class NotStrict(ValueError):
    """Bytes that are no JSON, or JSON that two readers read differently."""


@dataclass(frozen=True)
class Answer:
    """What came back. `status` is 0 when nothing came whole, and `problem` says why; `headers` by lower-case name."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0
    problem: str = ""

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def is_refusal(self) -> bool:
        return 400 <= self.status < 500

    @property
    def said(self) -> str:
        """The status in words."""
        return str(self.status) if self.status else f"no answer ({self.problem})"


@dataclass(frozen=True)
class Exchange:
    """One request and its answer. `sent` is the JSON of the request, where it was JSON."""

    method: str
    url: str
    answer: Answer
    sent: Any = None


def strict(body: bytes) -> Any:
    """The JSON value of the bytes. Raises NotStrict also for NaN and for a key that stands twice."""
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
    except NotStrict:
        raise
    except (ValueError, RecursionError) as error:
        raise NotStrict(f"no JSON: {type(error).__name__}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise NotStrict("a key stands twice in an object")
    return dict(pairs)


def _no_number(constant: str) -> None:
    raise NotStrict(f"{constant} is no JSON")


class Conversation:
    """Calls to one server, each within so many seconds, with a new token for each where tokens can be made."""

    def __init__(self, origin: str, seconds: float, make_token: MakeToken | None, ca_file: Path | None = None) -> None:
        self.exchanges: list[Exchange] = []
        self.make_token = make_token
        self._seconds = seconds
        self._server = Server(origin, private=True)
        self._guard = Guard([self._server], ca_file=ca_file)

    def get(self, url: str) -> Exchange:
        return self.call("GET", url)

    def post(self, url: str, sent: Any, **headers: str) -> Exchange:
        """The exchange about a JSON body. A header's name has _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = json.dumps(sent, ensure_ascii=False).encode()
        return self.call("POST", url, body, {"Content-Type": "application/json"} | named, sent)

    def call(
        self,
        method: str,
        url: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        sent: Any = None,
    ) -> Exchange:
        """One exchange. Without a header Authorization the call gets a token of its own; an empty one sends none."""
        named = {"Accept": "application/json", "User-Agent": "trialhook-check", **(headers or {})}
        if "Authorization" not in named and self.make_token is not None:
            named["Authorization"] = f"Bearer {self.make_token(url)}"
        named = {name: value for name, value in named.items() if value}
        exchange = Exchange(method, url, self._answer(method, url, named, body), sent)
        self.exchanges.append(exchange)
        return exchange

    def _answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        start = monotonic()
        try:
            with self._guard.line(self._server, self._seconds) as line:
                start = monotonic()
                came = line.exchange(method, url, headers, body, _LARGEST_ANSWER)
        except CallFailed as failure:
            return Answer(0, seconds=monotonic() - start, problem=f"the call {failure}")
        lower = {name.lower(): value for name, value in came.headers.items()}
        return Answer(came.status, lower, came.body, monotonic() - start)


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
