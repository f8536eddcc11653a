"""Why a call brought nothing, without address, token or content."""

from __future__ import annotations


class CallFailed(Exception):
    """No usable answer. The message says why, in words without address, token or content."""

    status: int | None = None


class TookTooLong(CallFailed):
    """The time for all of it was over."""

    def __init__(self) -> None:
        super().__init__("did not arrive in time")


class Refused(CallFailed):
    """An answer of another status than 200."""

    def __init__(self, status: int) -> None:
        super().__init__(f"was answered with status {status}")
        self.status = status
