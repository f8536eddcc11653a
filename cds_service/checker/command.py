"""The command `check`. What it needs is only loaded when it runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cds_service.checker.result import Result
    from cds_service.checker.signing import Signer

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class Unusable(click.ClickException):
    """Nothing could be checked: exit code 2."""

    exit_code = 2


@click.command()
@click.argument("url")
@click.option("--request", "requests", type=_FILE, multiple=True, help="A hook request of your own (JSON), for the "
              "services of its hook; several times for several. Else requests are made up.")  # fmt: skip
@click.option("--hook", "hooks", multiple=True, help="Only services of this hook; several times for several.")
@click.option("--only", multiple=True, metavar="ID", help="Only this requirement; several times for several.")
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option("--timeout", type=click.FloatRange(0.1, 120), default=10.0, show_default=True, help="Seconds of a call.")
@click.option("--ca-file", type=_FILE, help="PEM file of certificate authorities, trusted besides the public ones.")
@click.option("--feedback", is_flag=True, help="Also send made-up feedback. The other side may store it.")
@click.option("--origin", help="The origin of a web page that may call, to check CORS: https://ehr.example.org")
@click.option("--fhir", metavar="ADDRESS", help="Open a FHIR server at this address of this machine, to see what is "
              "fetched: http://127.0.0.1:8099/fhir. It must be on the service's list.")  # fmt: skip
@click.option("--token-key", type=_FILE, help="Private key (PEM or JWK, P-384 or RSA): sign a token for each call.")
@click.option("--issuer", help="The iss of the tokens.")
@click.option("--kid", help="The kid of the tokens; else that of the JWK.")
@click.option("--jku", help="The jku of the tokens.")
@click.option("--tenant", help="The tenant of the tokens.")
@click.option("--public-url", help="The base address by which clients know the service, for the aud of the tokens.")
def check(url: str, form: str, **options: Any) -> None:
    """Check any CDS Hooks service against the specification.

    URL is its base address or that of its discovery. One line is printed for each requirement. Exit code 0: no SHALL
    failed. 1: one did. 2: nothing could be checked.
    """
    results = checked(url, options)
    from cds_service.checker import report  # noqa: PLC0415

    printed = {"text": report.as_text, "json": report.as_json, "markdown": report.as_markdown}[form]
    click.echo(printed(url, results), nl=False)
    raise SystemExit(1 if report.violations(results) else 0)


def checked(url: str, options: dict[str, Any]) -> list[Result]:
    """The results for a service. Raises Unusable with what to do."""
    from cds_service.checker.conversation import Conversation, origin_of  # noqa: PLC0415
    from cds_service.checker.requirement import requirements  # noqa: PLC0415
    from cds_service.checker.run import run  # noqa: PLC0415
    from cds_service.checker.subject import Nothing, Options, Subject  # noqa: PLC0415
    from cds_service.net.servers import plain_address  # noqa: PLC0415

    if plain_address(url) is None:
        raise Unusable(f"{url!r} is no address; write for example https://cds.example.org/cds-services")
    _require_local(options["fhir"])
    if unknown := set(options["only"]) - set(requirements()):
        raise Unusable(f"--only {min(unknown)}: no such requirement; the ids are those that a whole run prints")
    signer = _signer(url, options)
    chosen = Options(_bodies(options["requests"]), options["hooks"], options["origin"], options["feedback"],
                     options["fhir"], signer)  # fmt: skip
    conversation = Conversation(
        origin_of(url), options["timeout"], signer.token if signer else None, options["ca_file"]
    )
    try:
        return run(Subject(url, conversation, chosen), options["only"])
    except Nothing as nothing:
        raise Unusable(str(nothing)) from None
    except OSError as error:  # the port of --fhir, the file of --ca-file
        raise Unusable(f"{error.strerror or error}") from None


def _require_local(fhir: str | None) -> None:
    from cds_service.checker.visits import is_local  # noqa: PLC0415

    if fhir is not None and not (fhir.startswith("http://") and is_local(fhir)):
        raise Unusable("--fhir takes an address of this machine, for example http://127.0.0.1:8099/fhir")


def _bodies(paths: Sequence[Path]) -> list[dict[str, Any]]:
    found = []
    for path in paths:
        try:
            body = json.loads(path.read_bytes())
        except ValueError:
            raise Unusable(f"{path}: expected a hook request in JSON") from None
        if not isinstance(body, dict) or not isinstance(body.get("hook"), str):
            raise Unusable(f'{path}: expected a hook request, an object with "hook", "hookInstance" and "context"')
        found.append(body)
    return found


def _signer(url: str, options: dict[str, Any]) -> Signer | None:
    named = [name for name in ("issuer", "kid", "jku", "tenant", "public_url") if options[name]]
    if options["token_key"] is None:
        if named:
            raise Unusable(f"--{named[0].replace('_', '-')} says nothing without --token-key")
        return None
    from cds_service.checker.signing import Signer, UnusableKey, read_key  # noqa: PLC0415

    try:
        key, algorithm, kid = read_key(options["token_key"])
    except UnusableKey as error:
        raise Unusable(str(error)) from None
    kid = options["kid"] or kid
    if not options["issuer"] or not kid:
        raise Unusable("--token-key needs --issuer, and --kid where the key file names none")
    base = url.rstrip("/").removesuffix("/cds-services")
    public = (base, options["public_url"].rstrip("/").removesuffix("/cds-services")) if options["public_url"] else None
    return Signer(key, algorithm, options["issuer"], kid, options["jku"], options["tenant"], public)
