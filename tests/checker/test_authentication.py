"""Tokens: a service that checks them well fails nothing, and each weakness is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cds_service.checker.command import Unusable
from tests.checker.checking import failed, results_of, skipped
from tests.checker.small_service import Small, running

ROWS = ["X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X12", "K6"]
KEYS: dict[str, Any] = {
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "RS384": rsa.generate_private_key(65537, 2048),
}


def signing(folder: Path, algorithm: str = "ES384") -> dict[str, Any]:
    """The options of a client that the small service knows."""
    key = folder / "key.pem"
    key.write_bytes(KEYS[algorithm].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return {"token_key": key, "issuer": "https://ehr.example.org", "kid": "k1"}


def guarded(*faults: str, algorithm: str = "ES384") -> Small:
    return Small(frozenset(faults), key=KEYS[algorithm].public_key(), algorithm=algorithm)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_service_that_checks_its_callers_passes(tmp_path: Path, algorithm: str) -> None:
    with running(guarded(algorithm=algorithm)) as server:
        results = results_of(server.origin, feedback=True, only=ROWS, **signing(tmp_path, algorithm))
    assert not failed(results)
    assert not skipped(results)


def test_all_other_rows_are_the_same_with_a_token(tmp_path: Path) -> None:
    with running(guarded()) as server:
        assert not failed(results_of(server.origin, **signing(tmp_path)))


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("X3", "no-kid"),
        ("X4", "hmac"),
        ("X4", "none"),
        ("X5", "none"),
        ("X6", "any-claims"),
        ("X7", "any-audience"),
        ("X8", "long-lived"),
        ("X9", "replay"),
        ("X10", "any-issuer"),
        ("X10", "any-jku"),
        ("X12", "reasons"),
    ],
)
def test_one_weakness_is_seen(tmp_path: Path, row: str, fault: str) -> None:
    needed = [row, "X4", "X6"] if row == "X12" else [row]
    with running(guarded(fault)) as server:
        results = results_of(server.origin, only=needed, **signing(tmp_path))
    assert row in failed(results), results[row]


def test_an_unknown_issuer_proves_nothing(tmp_path: Path) -> None:
    """Where even the right token is refused, refusing the wrong ones is no pass."""
    strange = {**signing(tmp_path), "issuer": "https://unknown.example.org"}
    with running(guarded("open-discovery")) as server:
        results = results_of(server.origin, only=["X3", "X4", "X7", "X9"], **strange)
    assert set(skipped(results)) == {"X3", "X4", "X7", "X9"}


def test_a_discovery_that_refuses_the_token_leaves_nothing_to_check(tmp_path: Path) -> None:
    with running(guarded()) as server:
        with pytest.raises(Unusable, match="asks for a token"):
            results_of(server.origin)
        with pytest.raises(Unusable, match="answered 401 to a token"):
            results_of(server.origin, **{**signing(tmp_path), "kid": "k2"})
