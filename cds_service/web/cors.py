"""Browsers: which pages from elsewhere may call the service."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import Flask
from flask_cors import CORS

from cds_service.settings import LOOPBACK

_PATHS = re.compile(r"/cds-services(/.*)?\Z")
_LOOPBACK = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?\Z")
_MAX_AGE = 3600  # seconds


def open_to_browsers(app: Flask, origins: Iterable[str]) -> None:
    """Lets pages of these origins call the CDS Hooks addresses and read the answers, errors included.

    A preflight needs no token. Cookies are never asked for. Without origins no header is sent.
    """
    patterns = [_LOOPBACK if one == LOOPBACK else re.compile(re.escape(one) + r"\Z") for one in origins]
    if patterns:
        CORS(
            app,
            resources=[_PATHS],
            # Whole and escaped: the library takes some texts for patterns, and matches their beginning only.
            origins=patterns,
            methods=["GET", "POST", "OPTIONS"],
            allow_headers=["Accept", "Authorization", "Content-Type"],
            expose_headers=["X-Request-Id"],
            max_age=_MAX_AGE,
            supports_credentials=False,
            send_wildcard=False,
            always_send=False,  # else whoever sends no Origin is told all of them
        )
