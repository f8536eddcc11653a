"""What is kept of a patient is sealed: encrypted, and refused when a byte of it was changed."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class UnusableKey(ValueError):
    """What was given is no key for sealing."""


class Seal:
    """Seals under the first of some keys, and opens what was sealed under any of them.

    A key is 32 random bytes in URL-safe base64; `new_key` makes one. Raises UnusableKey for anything else.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError:
            raise UnusableKey from None
        self._keys = [key.encode("ascii") for key in keys]

    def seal(self, content: bytes) -> bytes:
        return self._fernet.encrypt(content)

    def opened(self, sealed: bytes) -> bytes | None:
        """The content; None when it was sealed under another key, or changed since."""
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken:
            return None

    def pseudonyms(self, name: str) -> list[str]:
        """What stands for a name in the database, by each key, the newest first: without the key nobody can tell whose
        it is, or whether two databases speak of the same."""
        return [hmac.new(key, name.encode(), sha256).hexdigest() for key in self._keys]


def new_key() -> str:
    """A new key for sealing."""
    return Fernet.generate_key().decode("ascii")
