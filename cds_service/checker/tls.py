"""Which versions of TLS a server speaks. No certificate is looked at here: the calls themselves do that."""

from __future__ import annotations

import socket
import ssl
import warnings

_SECONDS = 5.0


def speaks(host: str, port: int) -> bool:
    """True when TLS 1.2 or later is spoken."""
    context = _context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return _connects(context, host, port)


def refuses_old_versions(host: str, port: int) -> bool:
    """True when neither TLS 1.0 nor TLS 1.1 is spoken."""
    context = _context()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are old is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")  # else our own library refuses before the server can
    return not _connects(context, host, port)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connects(context: ssl.SSLContext, host: str, port: int) -> bool:
    try:
        with (
            socket.create_connection((host, port), timeout=_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False
