"""The allow-list: which servers may be called, and what counts as an address of theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:[0-9]+)?")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Server:
    """One entry of an allow-list: a base address, and whether its name may lead to a private address."""

    base: str
    private: bool = False

    @classmethod
    def parse(cls, text: str) -> Server:
        """The server that an entry names. Raises ValueError that says what is expected."""
        base, *words = text.split() or [""]
        place = plain_address(base)
        if place is None or place.query or set(words) - {"private", "insecure"}:
            raise ValueError(
                "expected base addresses with commas between them, each followed by the word private where its name "
                "leads to a private address, for example https://ehr.example.org/fhir/R4 private"
            )
        if place.scheme == "http" and "insecure" not in words:
            raise ValueError(
                "expected https: over http anybody on the way reads the access token and the record. "
                "Where that is meant, in a demonstration on one machine, add the word insecure"
            )
        return cls(base.rstrip("/"), "private" in words)

    def is_at(self, address: str) -> bool:
        """True when the address is this server's base, a slash at its end or not."""
        place = plain_address(address)
        return place is not None and not place.query and place_of(place) == place_of(urlsplit(self.base))

    def covers(self, address: str) -> bool:
        """True when the address has the base's origin and is the base or below it."""
        place = plain_address(address)
        if place is None:
            return False
        *origin, path = place_of(place)
        *own, base = place_of(urlsplit(self.base))
        return origin == own and (path == base or path.startswith(f"{base}/"))


def plain_address(address: str) -> SplitResult | None:
    """The parts of an http(s) address; None for what two readers could take for two different places."""
    try:
        place = urlsplit(address)
        port = place.port
    except ValueError:
        return None
    odd = any(letter <= " " or letter in "\\#" or not letter.isascii() for letter in address)
    climbs = not {".", ".."}.isdisjoint(unquote(place.path).replace("\\", "/").split("/"))
    if odd or climbs or place.scheme not in _PORTS or not place.hostname or "@" in place.netloc or port == 0:
        return None
    return place


def place_of(place: SplitResult) -> tuple[str, str, int, str]:
    """Scheme, host, port and path, spelt in one way."""
    return place.scheme, place.hostname or "", place.port or _PORTS[place.scheme], place.path.rstrip("/")


def is_proxy(address: str) -> bool:
    """True for the address of a proxy that is spoken to in plain HTTP; it may hold a name and a password."""
    try:
        place = urlsplit(address)
        return place.scheme == "http" and bool(place.hostname) and place.port != 0 and place.path in ("", "/")
    except ValueError:
        return False


def is_origin(text: str) -> bool:
    """True for an origin as a browser sends it: scheme, host and, unless it is the usual one, port."""
    return plain_address(text) is not None and _ORIGIN.fullmatch(text) is not None
