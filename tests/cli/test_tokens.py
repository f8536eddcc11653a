"""The commands for whoever connects an EHR: a key pair, a token that the service takes, a clients file in words."""

from __future__ import annotations

import json
import stat
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from cds_service.cli import main
from cds_service.hooks.clients_file import ClientsFile
from cds_service.hooks.key_locations import PublishedKeys
from cds_service.hooks.signing import new_key
from cds_service.hooks.trust import SeenHere, Trust, Untrusted

ISSUER = "https://ehr.example.org"
CALLED = "https://trialhook.example.org/cds-services"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


def made(folder: Path, algorithm: str = "ES384") -> Path:
    """A private key, with its public half beside it and in a clients file."""
    key = folder / "key.json"
    assert run("keys", "--key", key, "--jwks", folder / "jwks.json", "--algorithm", algorithm).exit_code == 0
    (folder / "clients.yaml").write_text(
        f"clients:\n  - name: A\n    issuer: {ISSUER}\n    keys: {{file: jwks.json}}\n"
    )
    return key


def takes(folder: Path, token: str) -> bool:
    """What the service would say of a token now."""

    def now() -> datetime:
        return datetime.now(UTC)

    trust = Trust(ClientsFile(folder / "clients.yaml").current, PublishedKeys(), SeenHere(now), now)
    try:
        return trust.client(token.strip(), [CALLED]).name == "A"
    except Untrusted:
        return False


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_a_token_of_a_new_key_is_taken(tmp_path: Path, algorithm: str) -> None:
    key = made(tmp_path, algorithm)
    printed = run("token", "--key", key, "--issuer", ISSUER, "--audience", CALLED)
    assert printed.exit_code == 0
    assert takes(tmp_path, printed.stdout)
    assert printed.stdout.count("\n") == 1  # nothing else, so that a shell can put it into a header


def test_each_token_has_an_id_of_its_own(tmp_path: Path) -> None:
    key = made(tmp_path)
    tokens = {run("token", "--key", key, "--issuer", ISSUER, "--audience", CALLED).stdout for _ in range(3)}
    assert len(tokens) == 3


def test_tokens_that_are_to_be_refused_can_be_made_as_well(tmp_path: Path) -> None:
    key = made(tmp_path)
    for wrong in (["--seconds", "315360000"], ["--jku", "https://evil.example.org/jwks"]):
        printed = run("token", "--key", key, "--issuer", ISSUER, "--audience", CALLED, *wrong)
        assert printed.exit_code == 0
        assert not takes(tmp_path, printed.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_the_private_key_is_for_its_owner_only(tmp_path: Path) -> None:
    key = made(tmp_path)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    private, public = json.loads(key.read_text()), json.loads((tmp_path / "jwks.json").read_text())
    assert public == {"keys": [{name: one for name, one in private.items() if name != "d"}]}
    assert private["kid"] and private["d"]


def test_a_key_is_not_overwritten(tmp_path: Path) -> None:
    key = made(tmp_path)
    before = key.read_bytes()
    again = run("keys", "--key", key, "--jwks", tmp_path / "other.json")
    assert again.exit_code == 2
    assert "File exists. Name another file, or move this one away." in again.stderr
    assert key.read_bytes() == before


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_key_may_be_pem_with_its_name_beside_it(tmp_path: Path, kind: str) -> None:
    made_by_others: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        ec.generate_private_key(ec.SECP384R1())
        if kind == "EC"
        else rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    path = tmp_path / "key.pem"
    path.write_bytes(made_by_others.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    wanted = ("token", "--key", path, "--issuer", ISSUER, "--audience", CALLED)
    assert run(*wanted, "--kid", "2026-a").exit_code == 0
    without = run(*wanted)
    assert without.exit_code == 2
    assert "the key has no kid" in without.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "expected a private key as JWK"),
        ("[]", "expected a private key as JWK"),
        ("-----BEGIN NONSENSE-----", "expected a private key as JWK"),
        ('{"kty": "EC", "crv": "P-384", "kid": "a", "x": "AA", "y": "AA"}', "it is the public half"),
        (json.dumps({**new_key("ES384", "a"), "d": "AA"}), "its numbers make no private key"),
        ('{"kty": "oct", "kid": "a", "d": "AA"}', "of a kind that is not used here"),
    ],
)
def test_what_is_no_private_key_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "key.json"
    path.write_text(content)
    refused = run("token", "--key", path, "--issuer", ISSUER, "--audience", CALLED)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert not refused.stdout


def test_a_key_that_is_not_there_is_named(tmp_path: Path) -> None:
    refused = run("token", "--key", tmp_path / "none.json", "--issuer", ISSUER, "--audience", CALLED)
    assert (refused.exit_code, "none.json: No such file" in refused.stderr) == (2, True)


def test_a_clients_file_is_printed_in_words(tmp_path: Path) -> None:
    made(tmp_path)
    printed = run("clients", tmp_path / "clients.yaml")
    assert printed.exit_code == 0
    assert printed.stdout.startswith(f"A\n  tokens of {ISSUER}, for 900 seconds at most, taken once\n  signed with ")
    assert "nothing is fetched: no fhir_servers" in printed.stdout


def test_a_mistake_in_a_clients_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "clients.yaml"
    path.write_text("clients:\n  - name: A\n")
    refused = run("clients", path)
    assert refused.exit_code == 2
    assert "clients.yaml, client 1 (A), issuer: this key is missing" in refused.stderr
