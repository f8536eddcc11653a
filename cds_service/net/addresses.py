"""Where a name leads, and whether that place may be called."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from concurrent.futures import Future
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from typing import Any

from cds_service.net.failures import CallFailed, TookTooLong

_PRIVATE = [
    ip_network(one)
    for one in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "::1/128", "fc00::/7")
]
# Where clouds tell a machine its secrets; the others of the kind are link-local, which is never allowed.
_METADATA = [ip_address(one) for one in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192")]
# Of IPv6 only this part is in public use, less the parts that lead on to any IPv4 address: Teredo and 6to4.
_PUBLIC_V6 = ip_network("2000::/3")
_LEADS_ON = [ip_network("2001::/32"), ip_network("2002::/16")]

# Family, kind, protocol and socket address, as the socket wants them.
Address = tuple[int, int, int, Any]


def looked_up(host: str, port: int, seconds: float) -> Sequence[Address]:
    """The addresses of a name. The system's resolver knows no time limit, so a thread waits for it."""
    found: Future[Sequence[Address]] = Future()

    def look() -> None:
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.set_result([(family, kind, protocol, at) for family, kind, protocol, _, at in rows])
        except (OSError, UnicodeError):
            found.set_exception(CallFailed("has a name that is not known"))

    Thread(target=look, daemon=True).start()
    try:
        return found.result(seconds)
    except TimeoutError:
        raise TookTooLong from None


def is_allowed(socket_address: Any, private: bool) -> bool:
    """True for a public address, and where `private` says so for one of a private network or of this machine."""
    address = ip_address(str(socket_address[0]).partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address in _METADATA:
        return False
    return _is_public(address) or (private and any(address in network for network in _PRIVATE))


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and (
        address not in _PUBLIC_V6 or any(address in network for network in _LEADS_ON)
    ):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)
