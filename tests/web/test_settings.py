"""What a site can set, and what happens when it is set wrongly."""

import os
from pathlib import Path

import pytest

import app
from cds_service.net.servers import Server
from cds_service.settings import PREFIX, Settings, WrongSetting, load_settings

AUTHORITY = Path(__file__).parent.parent / "net" / "certificates" / "authority.pem"


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)


def loaded(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"TRIALHOOK_{name}", value)
    return load_settings()


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(WrongSetting) as refused:
        loaded(monkeypatch, **values)
    return str(refused.value)


def test_with_nothing_set_every_default_holds() -> None:
    assert load_settings().model_dump() == {
        "site_timezone": "UTC",
        "coordinator_contact": None,
        "suggest_tests": True,
        "show_not_yet": False,
        "largest_body": 64_000_000,
        "referral_code_system": None,
        "referral_code": None,
        "referral_display": None,
        "language": "en",
        "trust_null": True,
        "fhir_servers": (),
        "fetch_seconds": 1.5,
        "fetch_pages": 20,
        "fetch_bytes": 8_000_000,
        "search_by_post": False,
        "outbound_proxy": None,
        "outbound_ca_file": None,
        "database_url": None,
        "clients_file": None,
        "public_url": None,
        "open_access": False,
        "cors_origins": (),
        "metrics": False,
    }


def test_every_setting_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    site = loaded(
        monkeypatch,
        SITE_TIMEZONE="Asia/Shanghai",
        COORDINATOR_CONTACT=" Trial office, ext 4711 ",
        SUGGEST_TESTS="false",
        SHOW_NOT_YET="1",
        LARGEST_BODY="1024",
        REFERRAL_CODE_SYSTEM="http://snomed.info/sct",
        REFERRAL_CODE="103697008",
        REFERRAL_DISPLAY="Patient referral",
        LANGUAGE="en",
        TRUST_NULL="false",
        FHIR_SERVERS="https://ehr.example.org/fhir/R4, https://ehr.lan/fhir private,",
        FETCH_SECONDS="2.5",
        FETCH_PAGES="3",
        FETCH_BYTES="1 MB",
        SEARCH_BY_POST="true",
        CLIENTS_FILE="/etc/trialhook/clients.yaml",
        PUBLIC_URL="https://trialhook.example.org/",
        OPEN_ACCESS="true",
        CORS_ORIGINS="https://ehr.example.org, loopback",
        OUTBOUND_PROXY="http://user:word@proxy.lan:3128",
        OUTBOUND_CA_FILE=str(AUTHORITY),
        DATABASE_URL="postgresql://trialhook:word@db.lan/trialhook",
    )
    assert site.database_in(Path("x")) == "postgresql://trialhook:word@db.lan/trialhook"
    assert site.fhir_servers == (
        Server("https://ehr.example.org/fhir/R4"),
        Server("https://ehr.lan/fhir", private=True),
    )
    assert (site.fetch_seconds, site.fetch_pages, site.fetch_bytes, site.search_by_post) == (2.5, 3, 1_000_000, True)
    assert site.trust_null is False
    assert (site.clients_file, site.public_url) == (
        Path("/etc/trialhook/clients.yaml"),
        "https://trialhook.example.org",
    )
    assert (site.open_access, site.cors_origins) == (True, ("https://ehr.example.org", "loopback"))
    assert (site.outbound_proxy, site.outbound_ca_file) == ("http://user:word@proxy.lan:3128", AUTHORITY)
    assert "word" not in repr(site)
    assert (site.site_timezone, site.coordinator_contact) == ("Asia/Shanghai", "Trial office, ext 4711")
    assert (site.suggest_tests, site.show_not_yet, site.largest_body) == (False, True, 1024)
    coding = {"system": "http://snomed.info/sct", "code": "103697008", "display": "Patient referral"}
    assert site.referral_coding == coding


def test_without_a_database_a_file_is_made_in_the_folder() -> None:
    assert Settings().database_in(Path("/srv/trialhook")) == "sqlite:////srv/trialhook/trialhook.sqlite"
    assert Settings().database_in(Path("/srv/a?b")) == "sqlite:////srv/a%3Fb/trialhook.sqlite"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://a.example.org/trials/", "https://a.example.org/trials"),
        ("https://a.example.org/cds-services", "https://a.example.org"),
        ("http://a.lan insecure", "http://a.lan"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_the_public_address_is_kept_without_an_end(monkeypatch: pytest.MonkeyPatch, written: str, kept: str) -> None:
    assert loaded(monkeypatch, PUBLIC_URL=written).public_url == kept


def test_a_size_may_have_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, LARGEST_BODY="8 MB").largest_body == 8_000_000


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    site = loaded(monkeypatch, COORDINATOR_CONTACT="", SUGGEST_TESTS="", SITE_TIMEZONE="")
    assert site == Settings()


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("SITE_TIME_ZONE", "TRIALHOOK_SITE_TIMEZONE"),
        ("SUGGEST_TEST", "TRIALHOOK_SUGGEST_TESTS"),
        ("COORDINATOR", "TRIALHOOK_COORDINATOR_CONTACT"),
        ("LARGEST_BODY_SIZE", "TRIALHOOK_LARGEST_BODY"),
    ],
)
def test_a_misspelt_name_is_named_with_the_nearest(monkeypatch: pytest.MonkeyPatch, misspelt: str, meant: str) -> None:
    assert refusal(monkeypatch, **{misspelt: "x"}) == f"TRIALHOOK_{misspelt} is no setting; did you mean {meant}?"


def test_a_misspelt_empty_variable_is_refused_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "TRIALHOOK_SUGGEST_TEST is no setting" in refusal(monkeypatch, SUGGEST_TEST="")


def test_a_name_like_no_other_lists_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "TRIALHOOK_SITE_TIMEZONE, " in refusal(monkeypatch, QQQQQQ="x")


def test_variables_of_others_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIALHOOKS_X", "1")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SITE_TIMEZONE", "Shanghai", "Asia/Shanghai"),
        ("SITE_TIMEZONE", "Europe", "IANA"),
        ("SITE_TIMEZONE", "../etc/passwd", "IANA"),
        ("SITE_TIMEZONE", "CET+1", "IANA"),
        ("SUGGEST_TESTS", "perhaps", "boolean"),
        ("LARGEST_BODY", "0", "greater than 0"),
        ("LARGEST_BODY", "-1", "64 MB"),
        ("LARGEST_BODY", "large", "64 MB"),
        ("LANGUAGE", "fr", "'en'"),
        ("COORDINATOR_CONTACT", "x" * 201, "200"),
        ("REFERRAL_CODE_SYSTEM", "SNOMED CT", "http://snomed.info/sct"),
        ("FHIR_SERVERS", "ehr.example.org", "https://ehr.example.org/fhir/R4 private"),
        ("FHIR_SERVERS", "https://ehr.example.org/fhir, http://ehr.lan/fhir", "insecure"),
        ("FETCH_SECONDS", "0", "greater than 0"),
        ("FETCH_SECONDS", "60", "20"),
        ("FETCH_PAGES", "0", "1"),
        ("FETCH_BYTES", "many", "64 MB"),
        ("SEARCH_BY_POST", "perhaps", "boolean"),
        ("PUBLIC_URL", "trialhook.example.org", "https://trialhook.example.org"),
        ("PUBLIC_URL", "https://trialhook.example.org?x=1", "https://trialhook.example.org"),
        ("PUBLIC_URL", "http://trialhook.example.org", "insecure"),
        ("PUBLIC_URL", "https://trialhook.example.org private", "https://trialhook.example.org"),
        ("OPEN_ACCESS", "perhaps", "boolean"),
        ("CORS_ORIGINS", "*", "https://sandbox.example.org"),
        ("OUTBOUND_PROXY", "proxy.lan:3128", "http://proxy.example.org:3128"),
        ("OUTBOUND_PROXY", "socks5://proxy.lan", "http://proxy.example.org:3128"),
        ("OUTBOUND_CA_FILE", "/nowhere/ca.pem", "PEM"),
        ("OUTBOUND_CA_FILE", __file__, "PEM"),
        ("DATABASE_URL", "/var/lib/trialhook.sqlite", "sqlite:////var/lib/trialhook/trialhook.sqlite"),
        ("DATABASE_URL", "sqlite://", "sqlite:////var/lib/trialhook/trialhook.sqlite"),
        ("DATABASE_URL", "sqlite:///:memory:", "sqlite:////var/lib/trialhook/trialhook.sqlite"),
        ("DATABASE_URL", "mysql://db.lan/trialhook", "postgresql://trialhook@db.lan/trialhook"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: str
) -> None:
    message = refusal(monkeypatch, **{name: value})
    assert message.startswith(f"TRIALHOOK_{name}: ")
    assert expected in message
    assert "\n" not in message


@pytest.mark.parametrize(
    "values",
    [
        {"REFERRAL_CODE": "1"},
        {"REFERRAL_CODE_SYSTEM": "urn:oid:1.2"},
        {"REFERRAL_DISPLAY": "Referral"},
    ],
    ids=str,
)
def test_half_a_coding_is_refused(monkeypatch: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    assert refusal(monkeypatch, **values).startswith("TRIALHOOK_REFERRAL_")


def test_a_coding_needs_no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    site = loaded(monkeypatch, REFERRAL_CODE="1", REFERRAL_CODE_SYSTEM="urn:oid:1.2")
    assert site.referral_coding == {"system": "urn:oid:1.2", "code": "1"}


def test_all_wrong_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    message = refusal(monkeypatch, SUGGEST_TESTS="perhaps", LARGEST_BODY="0")
    assert len(message.splitlines()) == 2


def test_the_start_is_stopped_with_the_message_and_an_exit_that_gunicorn_does_not_repeat(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRIALHOOK_SITE_TIME_ZONE", "UTC")
    with pytest.raises(SystemExit) as stopped:
        app.create_app()
    assert stopped.value.code == 3
    assert "did you mean TRIALHOOK_SITE_TIMEZONE?" in capsys.readouterr().err


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Kiritimati", "2026-03-17"), ("Pacific/Pago_Pago", "2026-03-16")])
def test_today_is_the_day_at_the_site(monkeypatch: pytest.MonkeyPatch, zone: str, day: str) -> None:
    """At 10:30 UTC it is tomorrow on Kiritimati (+14) and still yesterday's night on Pago Pago (-11)."""
    from datetime import UTC, datetime, tzinfo  # noqa: PLC0415

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Clock":
            return cls(2026, 3, 16, 11, 30, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(app, "datetime", Clock)
    assert app.wire(Settings(site_timezone=zone, open_access=True)).today().isoformat() == day
