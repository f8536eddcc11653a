"""The commands for whoever connects an EHR: a key pair, a token, and what a clients file says."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from cds_service.hooks.clients import Client
from cds_service.hooks.clients_file import load_clients
from cds_service.hooks.signing import NoSigningKey, claims_of, new_key, public_half, signed, signing_key
from cds_service.strict_yaml import MalformedFile


class Refused(click.ClickException):
    """What was asked for cannot be done: exit code 2, the message on standard error."""

    exit_code = 2


@click.command()
@click.option("--key", "path", type=click.Path(path_type=Path), default="client-key.json", show_default=True)
@click.option("--jwks", type=click.Path(path_type=Path), default="client.jwks.json", show_default=True)
@click.option("--algorithm", type=click.Choice(["ES384", "RS384"]), default="ES384", show_default=True)
@click.option("--kid", help="The name of the key; a new UUID when left out.")
def keys(path: Path, jwks: Path, algorithm: str, kid: str | None) -> None:
    """Make a key pair, as a CDS client has one.

    The private key is written to --key, for its owner only, and the JWK set with the public one to --jwks. A file that
    is there is not overwritten.
    """
    key = new_key(algorithm, kid)
    _write(path, {**key}, 0o600)
    _write(jwks, {"keys": [{**public_half(key)}]}, 0o644)
    click.echo(f"Private key, to make tokens with: {path}\nPublic key, for the clients file:  {jwks}")
    click.echo(f"In the client's entry write:       keys: {{file: {jwks}}}")


def _write(path: Path, content: object, mode: int) -> None:
    """A new file that nobody else could read for a moment either."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}. Name another file, or move this one away.") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=2) + "\n")


@click.command()
@click.option("--key", "path", type=click.Path(path_type=Path), required=True, help="The private key: JWK, or PEM.")
@click.option("--issuer", required=True, help="iss: the issuer of the client's entry.")
@click.option("--audience", required=True, help="aud: the address to be called, exactly.")
@click.option("--tenant", help="The hospital, where an issuer has several.")
@click.option("--seconds", type=click.IntRange(1), default=300, show_default=True, help="How long it is good.")
@click.option("--jku", help="Where the client publishes its JWK set.")
@click.option("--kid", help="The name of the key, where it is PEM.")
def token(  # noqa: PLR0913, PLR0917 - one for each option
    path: Path, issuer: str, audience: str, tenant: str | None, seconds: int, jku: str | None, kid: str | None
) -> None:
    """Print a token that is good once, from now on, for one address."""
    try:
        key = signing_key(path.read_bytes(), kid)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    except NoSigningKey as problem:
        raise Refused(f"{path}: {problem}") from None
    click.echo(signed(key, claims_of(issuer, audience, datetime.now(UTC), seconds, tenant), jku))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def clients(file: Path) -> None:
    """Read a clients file as the service does, and print each entry in words."""
    try:
        known = load_clients(file)
    except MalformedFile as mistake:
        raise Refused(str(mistake)) from None
    for client in known.entries:
        click.echo("\n".join([client.name, *(f"  {line}" for line in _lines(client))]))


def _lines(client: Client) -> list[str]:
    names = [f"{key.kid} ({key.algorithm})" for key in client.keys.held]
    servers = [f"{one.base}{' (private)' if one.private else ''}" for one in client.fhir_servers]
    once = "taken once" if client.tokens_once else "taken again and again"
    return [
        f"tokens of {client.issuer}, for {client.token_seconds} seconds at most, {once}",
        *([f"of the tenants {', '.join(client.tenants)} only"] if client.tenants else []),
        *([f"signed with {', '.join(names)}"] if names else []),
        *(f"keys at {one.address}" for one in client.keys.jku),
        f"records at {', '.join(servers)}" if servers else "nothing is fetched: no fhir_servers",
        f"cards in the dialect {client.dialect}, {'with' if client.evidence else 'without'} evidence",
    ]
