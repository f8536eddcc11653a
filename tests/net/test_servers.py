"""The allow-list: what an entry may say, and which addresses belong to a server."""

from __future__ import annotations

import socket

import pytest

from cds_service.net.addresses import is_allowed
from cds_service.net.calls import Guard
from cds_service.net.failures import CallFailed
from cds_service.net.servers import Server

BASE = "https://ehr.example.org/fhir/R4"
SERVER = Server.parse(BASE)


@pytest.mark.parametrize(
    ("text", "base", "private"),
    [
        ("https://ehr.example.org/fhir/R4", BASE, False),
        ("  https://ehr.example.org/fhir/R4/  ", BASE, False),
        ("https://ehr.example.org/fhir/R4 private", BASE, True),
        ("http://127.0.0.1:8000/fhir private insecure", "http://127.0.0.1:8000/fhir", True),
        ("http://ehr.lan/fhir insecure private", "http://ehr.lan/fhir", True),
    ],
)
def test_an_entry_is_an_address_and_at_most_two_words(text: str, base: str, private: bool) -> None:
    assert Server.parse(text) == Server(base, private)


@pytest.mark.parametrize(
    "text",
    [
        "", "ehr.example.org", "ftp://ehr.example.org", "https://", "https:///fhir", "https://user:word@ehr.example.org",
        "https://ehr.example.org/fhir?x=1", "https://ehr.example.org/#a", "https://ehr.example.org/a/../b",
        "https://ehr.example.org/fhir internal", "https://ehr.example.org:99999/fhir", "https://ehr.example.org:0/fhir",
        "https://[::1/fhir",
    ],
)  # fmt: skip
def test_an_entry_that_cannot_be_read_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r"for example https://ehr\.example\.org/fhir/R4 private"):
        Server.parse(text)


def test_http_wants_a_word_of_its_own() -> None:
    with pytest.raises(ValueError, match=r"expected https.*insecure"):
        Server.parse("http://ehr.example.org/fhir private")


@pytest.mark.parametrize("address", [BASE, f"{BASE}/", "HTTPS://EHR.example.org:443/fhir/R4", f"{BASE}//"])
def test_a_server_is_known_by_its_base_address(address: str) -> None:
    assert Guard([SERVER]).server_at(address) == SERVER


NOT_HERE = [
    "https://evil.example/fhir/R4", "http://ehr.example.org/fhir/R4", "https://ehr.example.org:8443/fhir/R4",
    "https://ehr.example.org.evil.example/fhir/R4", "https://ehr.example.org@evil.example/fhir/R4",
    "https://evil.example\\@ehr.example.org/fhir/R4", "https://evil.example#@ehr.example.org/fhir/R4",
    "https://ehr.example.org/fhir/R40", "https://ehr.example.org/fhir/R4/../../admin",
    "https://ehr.example.org/fhir/R4/%2e%2e/admin", "https://ehr.example.org/fhir/R4/..%2fadmin",
    "https://ehr.example.org/fhir/R4/..%5cadmin", "https://ehr.example.org/fhir", "//ehr.example.org/fhir/R4",
    "file:///etc/passwd", "gopher://ehr.example.org/fhir/R4", "https://ehr.example.org/fhir/R4\r\nX: y",
    " https://ehr.example.org/fhir/R4", "https://ehr.exämple.org/fhir/R4", "https://ehr.example.org:x/fhir/R4",
    "https://[::1", "", "x",
]  # fmt: skip


@pytest.mark.parametrize("address", NOT_HERE)
def test_nothing_else_is_at_the_server_or_below_it(address: str) -> None:
    assert Guard([SERVER]).server_at(address) is None
    assert not SERVER.covers(address)


@pytest.mark.parametrize(
    "end", ["", "/", "?_getpages=1", "/Patient/p1", "/Observation?code=http://loinc.org|1,2&x=%2e"]
)
def test_what_is_below_the_base_belongs_to_the_server(end: str) -> None:
    assert SERVER.covers(BASE + end)


@pytest.mark.parametrize("end", ["/Patient/p1", "?x=1"])
def test_only_the_base_itself_names_the_server(end: str) -> None:
    assert Guard([SERVER]).server_at(BASE + end) is None


def test_a_server_that_is_not_on_the_list_gets_no_line() -> None:
    with pytest.raises(CallFailed, match="allow-list"):
        Guard([SERVER]).line(Server("https://ehr.example.org/fhir/R5"), 1.0)


PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "127.1.2.3", "::1", "fd12::1",
           "::ffff:127.0.0.1", "::ffff:10.0.0.1"]  # fmt: skip
NEVER = [
    "169.254.169.254", "169.254.1.1", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "100.100.100.200", "192.0.0.192", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255",
    "192.0.2.1", "198.18.0.1", "2001:db8::1", "64:ff9b::7f00:1", "64:ff9b::5db8:d822", "64:ff9b:1::1", "2002:7f00:1::",
    "2001::7f00:1", "::127.0.0.1", "fec0::1", "100::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_called(address: str) -> None:
    assert is_allowed((address, 443), private=False)


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_may_be_called_where_the_entry_says_so(address: str) -> None:
    assert is_allowed((address, 443), private=True)
    assert not is_allowed((address, 443), private=False)


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called(address: str) -> None:
    assert not is_allowed((address, 443), private=False)
    assert not is_allowed((address, 443), private=True)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "[::1]",
             "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"],
)  # fmt: skip
def test_every_spelling_of_this_machine_is_refused_where_the_entry_is_public(host: str) -> None:
    """The address that a name leads to is checked, and not the name."""
    server = Server.parse(f"https://{host}/fhir")
    with pytest.raises(CallFailed, match=r"address that is not allowed|not known"):
        Guard([server]).line(server, 5.0)


def test_one_forbidden_address_among_several_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, 443)) for one in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: rows)
    with pytest.raises(CallFailed, match="address that is not allowed"):
        Guard([SERVER]).line(SERVER, 5.0)
