"""Whether bytes are JSON at all: asked once, of whatever comes in from outside."""

from __future__ import annotations

import msgspec

BOM = b"\xef\xbb\xbf"
_DECODER = msgspec.json.Decoder(msgspec.Raw)


class NotJson(ValueError):
    """The bytes are not JSON. The message names the place and never repeats the content."""


def check_json(body: bytes) -> bytes:
    """The same bytes without a byte-order mark, proven to be one JSON value in UTF-8.

    Raises NotJson otherwise; NaN, Infinity and nesting deeper than the interpreter's limit are refused.
    """
    body = body.removeprefix(BOM)
    check_utf8(body)
    try:
        _DECODER.decode(body)
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except msgspec.DecodeError as error:
        raise NotJson(str(error)) from None
    return body


def check_utf8(body: bytes) -> None:
    """Raises NotJson, with the place counted after a byte-order mark, for bytes that are not UTF-8."""
    try:
        body.removeprefix(BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start}") from None
