"""The command line: the same screening as the service, over files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from cds_service.checker.command import check
from cds_service.errors import StoreUnavailable, WrongDatabase
from cds_service.fhir.records import NoPatient, Records, SeveralPatients, UnreadableRecord, from_files
from cds_service.pipeline import screen_records
from cds_service.report.page import screening_html
from cds_service.report.protocol_outline import outline
from cds_service.report.protocol_text import protocol_text
from cds_service.report.protocol_words import ProtocolWords
from cds_service.report.screening_json import screening_json
from cds_service.report.text import screening_text
from cds_service.report.wording import LANGUAGES, wording
from cds_service.strict_json import NotJson, check_json
from cds_service.strict_yaml import MalformedFile
from cds_service.token_commands import clients, keys, token
from cds_service.trials.protocol import SERVED, Protocol, load_protocol, package_version
from cds_service.trials.screening import Screening
from cds_service.trials.spoken import protocol_in_language

if TYPE_CHECKING:
    from cds_service.settings import Settings
    from cds_service.store.database import Database

ROOT = Path(__file__).parents[1]


class Unreadable(click.ClickException):
    """Input that cannot be screened: exit code 2, the message on standard error, nothing on standard output."""

    exit_code = 2


class Day(click.ParamType[date]):
    """A calendar day."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-03-16", param, ctx)


@click.group()
def main() -> None:
    """Screens records for a trial, prints its protocol, lists what became of cards, helps to connect and check."""


for command in (check, clients, keys, token):
    main.add_command(command)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--as-of", type=Day(), help="The day of screening; today when left out.")
@click.option("--infusion-on", type=Day(), help="The planned day of the first infusion.")
@click.option("--patient", metavar="ID", help="Which patient, when the files hold several.")
@click.option("--format", "form", type=click.Choice(["text", "json", "html"]), default="text", show_default=True)
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def screen(
    files: Sequence[str], as_of: date | None, infusion_on: date | None, patient: str | None, form: str, language: str
) -> None:
    """Screen one patient's record.

    FILE is a FHIR Bundle of any type, a single resource, NDJSON, or - for standard input; several files are one
    record. What is not in them was searched and none was recorded.
    """
    screening = screened(files, known_protocol(), as_of or today(), infusion_on, patient)
    words = wording(language)
    if form == "json":
        click.echo(json.dumps(screening_json(screening, words), ensure_ascii=False, indent=2))
    elif form == "html":
        click.echo(screening_html(screening, words), nl=False)
    else:
        click.echo(screening_text(screening, words), nl=False)


@main.command("protocol")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def print_protocol(language: str) -> None:
    """Print the protocol to be proofread: every criterion with its reading, numbers, sources and codes."""
    laid_out = outline(protocol_in_language(known_protocol(), language), package_version())
    click.echo(protocol_text(laid_out, ProtocolWords(wording(language))), nl=False)


@main.command()
def migrate() -> None:
    """Bring the tables of the database to this version: once before PostgreSQL is used, and after an update."""
    with kept() as database:
        before, after = database.migrate()
        click.echo(f"{database.name} is at revision {after} (before: {before or 'no tables'}).")


@main.command("feedback")
@click.option("--since", type=Day(), help="Only what was received on or after this day; everything when left out.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text", show_default=True)
@click.option("--comments", is_flag=True, help="Show what users wrote; it may speak of a patient.")
@click.option("--language", type=click.Choice(LANGUAGES), default="en", show_default=True)
def list_feedback(since: date | None, form: str, comments: bool, language: str) -> None:
    """List the feedback that was received: what became of cards, and why they were overridden."""
    from cds_service.report.feedback_list import feedback_csv, feedback_json, feedback_text  # noqa: PLC0415
    from cds_service.store.feedback import FeedbackBook  # noqa: PLC0415

    with kept() as database:
        if database.file and not database.file.exists():
            raise Unreadable(f"{database.name} is not there. TRIALHOOK_DATABASE_URL says where the service stores.")
        database.prepare()
        moment = datetime.combine(since, time(), ZoneInfo(site().site_timezone)) if since else None
        found = FeedbackBook(database, lambda: datetime.now(UTC)).since(moment)
    if form == "text":
        click.echo(feedback_text(found, since, comments, language), nl=False)
    else:
        click.echo((feedback_json if form == "json" else feedback_csv)(found, since, comments), nl=False)


@contextmanager
def kept() -> Iterator[Database]:
    """The database that the settings name. Raises Unreadable, with what to do, when it cannot be used."""
    from cds_service.store.database import Database  # noqa: PLC0415 - a screening does not wait for what it loads

    try:
        yield Database(site().database_in(ROOT))
    except WrongDatabase as error:
        raise Unreadable(str(error)) from None
    except StoreUnavailable:
        raise Unreadable("The database cannot be used; the cause is above.") from None


def known_protocol() -> Protocol:
    """The protocol. Raises Unreadable with file, place and what was expected when it is malformed."""
    try:
        return load_protocol(SERVED)
    except MalformedFile as error:
        raise Unreadable(str(error)) from None


def today() -> date:
    """Today at the site. Raises Unreadable when a setting is wrong."""
    return datetime.now(ZoneInfo(site().site_timezone)).date()


def site() -> Settings:
    """The settings of the site. Raises Unreadable when one is wrong."""
    from cds_service.settings import WrongSetting, load_settings  # noqa: PLC0415 - only read where they are needed

    try:
        return load_settings()
    except WrongSetting as error:
        raise Unreadable(str(error)) from None


def screened(
    files: Sequence[str],
    protocol: Protocol,
    as_of: date,
    infusion_on: date | None = None,
    patient: str | None = None,
) -> Screening:
    """The screening of the record that the files hold. Raises Unreadable with a message that names the place."""
    records = _record(files, protocol, patient)
    try:
        return screen_records(records, protocol, as_of, infusion_on)
    except NoPatient:
        raise Unreadable("The Patient resource cannot be read, so that nothing can be screened.") from None


def _record(files: Sequence[str], protocol: Protocol, patient: str | None) -> Records:
    documents = {name: _documents(name) for name in files}
    try:
        return from_files(documents, protocol.index, patient)
    except NoPatient as error:
        wanted = f"Patient/{patient}" if patient else "Patient resource"
        held = f" {', '.join(error.failed)}: the server answered with an error." if error.failed else ""
        raise Unreadable(f"No {wanted} in {', '.join(files)}.{held} Add the Patient to the record.") from None
    except SeveralPatients as error:
        known = ", ".join(reference.removeprefix("Patient/") for reference in error.references)
        raise Unreadable(f"Several patients: choose one of {known} with --patient.") from None
    except UnreadableRecord as error:
        raise Unreadable(f"{error}: not a FHIR resource; expected a JSON object with resourceType.") from None


def _documents(name: str) -> list[bytes]:
    """The JSON documents of a file: one, or one a line."""
    try:
        content = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise Unreadable(f"{name}: {error.strerror}") from None
    try:
        return [check_json(content)]
    except NotJson as error:
        lines = [line for line in content.splitlines() if line.strip()]
        if len(lines) < 2 or not all(line.lstrip().startswith(b"{") for line in lines):
            raise Unreadable(f"{name}: not JSON: {error}") from None
    return [_line(name, number, line) for number, line in enumerate(lines, 1)]


def _line(name: str, number: int, line: bytes) -> bytes:
    try:
        return check_json(line)
    except NotJson as error:
        raise Unreadable(f"{name}, line {number}: not JSON: {error}") from None


@main.command("review-key")
def review_key() -> None:
    """Print a new key for TRIALHOOK_REVIEW_KEYS: under it the records behind cards are kept sealed."""
    from cds_service.store.sealing import new_key  # noqa: PLC0415 - nobody else waits for what it loads

    click.echo(new_key())
