"""The clients file: what may stand in it, and what is said of a mistake."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.hooks import clients_file
from cds_service.hooks.clients import EXAMPLES, Client, Clients
from cds_service.hooks.clients_file import ClientsFile, load_clients
from cds_service.hooks.signing import new_key, public_half
from cds_service.net.servers import Server
from cds_service.strict_yaml import MalformedFile

KEY = new_key("ES384", "a")
OTHER = new_key("RS384", "b")
ENTRY: dict[str, Any] = {
    "name": "Example Hospital",
    "issuer": "https://ehr.example.org",
    "keys": {"jku": "https://ehr.example.org/jwks.json"},
}


def written(folder: Path, *entries: Any, text: str | None = None) -> Path:
    path = folder / "clients.yaml"
    path.write_text(yaml.safe_dump({"clients": list(entries)}) if text is None else text, encoding="utf-8")
    return path


def entry(folder: Path, **changes: Any) -> Client:
    (client,) = load_clients(written(folder, ENTRY | changes)).entries
    return client


def mistake(folder: Path, *entries: Any, text: str | None = None) -> str:
    with pytest.raises(MalformedFile) as malformed:
        load_clients(written(folder, *entries, text=text))
    return str(malformed.value)


def test_little_is_needed(tmp_path: Path) -> None:
    client = entry(tmp_path)
    assert (client.dialect, client.token_seconds, client.tokens_once, client.evidence) == ("2.0", 900, True, False)
    assert client.settings == {"fhir_servers": ()}


def test_everything_can_be_said(tmp_path: Path) -> None:
    client = entry(
        tmp_path,
        tenants=["t1"],
        fhir_servers=["https://ehr.example.org/fhir", "http://ehr.lan/fhir private insecure"],
        dialect="epic",
        referral={"system": "urn:oid:1.2", "code": "R1", "display": "Referral"},
        language="en",
        trust_null=False,
        evidence=True,
        token_seconds=300,
        tokens_once=False,
    )
    assert client.settings == {
        "fhir_servers": (Server("https://ehr.example.org/fhir"), Server("http://ehr.lan/fhir", private=True)),
        "referral_code_system": "urn:oid:1.2",
        "referral_code": "R1",
        "referral_display": "Referral",
        "language": "en",
        "trust_null": False,
    }


def test_every_key_has_an_example_that_is_right(tmp_path: Path) -> None:
    """The examples of the messages can be copied."""
    assert set(EXAMPLES) == set(Client.model_fields)
    for key, example in EXAMPLES.items():
        row = yaml.safe_load(example.partition(", or ")[0])
        assert set(row) == {key}
        assert entry(tmp_path, **row).name


@pytest.mark.parametrize(
    ("written_as", "dialect"), [("1.0", "1.0"), ("2.0", "2.0"), ("3", "3.0"), ('"2.0"', "2.0"), ("epic", "epic")]
)
def test_a_dialect_needs_no_quotes(tmp_path: Path, written_as: str, dialect: str) -> None:
    text = yaml.safe_dump({"clients": [ENTRY]}).rstrip() + f"\n  dialect: {written_as}\n"
    (client,) = load_clients(written(tmp_path, text=text)).entries
    assert client.dialect == dialect


def test_keys_may_stand_in_the_entry_in_a_file_and_at_addresses(tmp_path: Path) -> None:
    (tmp_path / "hospital.jwks.json").write_text(json.dumps({"keys": [public_half(OTHER)]}))
    keys = {
        "jwks": {"keys": [public_half(KEY)]},
        "file": "hospital.jwks.json",
        "jku": ["https://a.example.org/jwks?p=1", "https://b.lan/jwks/ private"],
    }
    client = entry(tmp_path, keys=keys)
    assert [(key.kid, key.algorithm) for key in client.keys.held] == [("a", "ES384"), ("b", "RS384")]
    assert [(one.address, one.server) for one in client.keys.jku] == [
        ("https://a.example.org/jwks?p=1", Server("https://a.example.org/jwks")),
        ("https://b.lan/jwks/", Server("https://b.lan/jwks", private=True)),
    ]


PRIVATE = {**KEY}
SHORT = {"kty": "RSA", "kid": "s", "n": "u" * 172, "e": "AQAB"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x": "x"}, "x: this key is not known; known are name, issuer, keys"),
        ({"trust_nul": True}, "trust_nul: this key is not known; did you mean trust_null: false"),
        ({"name": ""}, "name: expected some text. Write for example name: Example Hospital"),
        ({"name": 7}, "name: expected text; write it in quotes"),
        ({"issuer": "Example Hospital"}, "issuer: expected the iss of its tokens, a URI"),
        ({"issuer": None}, "issuer: expected text"),
        ({"keys": {}}, "keys: expected at least one of jku, file and jwks. Write for example keys: {jku: https://"),
        ({"keys": []}, "keys: "),
        ({"keys": {"jku": "http://ehr.example.org/jwks"}}, "keys.jku: expected the https address of a JWK set"),
        ({"keys": {"jku": "ehr.example.org"}}, "keys.jku: expected the https address"),
        ({"keys": {"jku": ["https://a.example.org", 5]}}, "keys.jku: expected a list of addresses"),
        ({"keys": {"file": "none.json"}}, "none.json cannot be read (No such file or directory)"),
        ({"keys": {"file": 5}}, "keys.file: expected the name of a file"),
        ({"keys": {"jwks": {}}}, "keys.jwks: expected a JWK set, for example"),
        ({"keys": {"jwks": {"keys": []}}}, "keys.jwks: expected a JWK set, for example"),
        ({"keys": {"jwks": {"keys": [PRIVATE]}}}, "keys.jwks: key 1 of the set is private: only its public half"),
        ({"keys": {"jwks": {"keys": [SHORT]}}}, "key 1 of the set has 1032 bits; expected an RSA key of 2048"),
        ({"keys": {"jwks": {"keys": [{"kty": "oct", "kid": "x"}]}}}, "is of a kind that is not used here"),
        ({"keys": {"jwks": {"keys": ["x"]}}}, "key 1 of the set is no object"),
        ({"keys": {"jwks": {"keys": [{**public_half(KEY), "kid": ""}]}}}, "key 1 of the set has no kid"),
        ({"keys": {"jwks": {"keys": [{**public_half(KEY), "alg": "ES256"}]}}}, "expected ES384, or no alg"),
        ({"keys": {"jwks": {"keys": [{**public_half(KEY), "use": "enc"}]}}}, 'expected "use": "sig"'),
        ({"keys": {"jwks": {"keys": [{**public_half(KEY), "x": "AAAA"}]}}}, "its numbers make no key"),
        ({"keys": {"jwks": {"keys": [public_half(KEY)] * 2}}}, "two keys have the kid 'a'"),
        ({"tenants": "t1"}, "tenants: expected a list"),
        ({"tenants": [5]}, "tenants.0: expected text; write it in quotes"),
        ({"fhir_servers": ["ehr.example.org"]}, "fhir_servers: expected base addresses"),
        ({"fhir_servers": ["http://ehr.example.org/fhir"]}, "add the word insecure"),
        ({"dialect": "4.0"}, "dialect: expected one of epic, 1.0, 2.0, 3.0"),
        ({"referral": {"system": "SNOMED CT", "code": "x"}}, "referral.system: expected the address of a code system"),
        ({"referral": {"code": "x"}}, "referral.system: this key is missing. Write for example referral: {system"),
        ({"language": "fr"}, "language: expected"),
        ({"trust_null": "perhaps"}, "trust_null: expected true or false"),
        ({"evidence": 1}, "evidence: expected true or false"),
        ({"evidence": True, "dialect": "1.0"}, "evidence: a client of strict 1.0 gets no extension"),
        ({"token_seconds": 10}, "token_seconds: expected greater than or equal to 60"),
        ({"token_seconds": 86400}, "token_seconds: expected less than or equal to 3600"),
        ({"token_seconds": "15 min"}, "token_seconds: expected a whole number of seconds"),
        ({"tokens_once": "no!"}, "tokens_once: expected true or false"),
    ],
    ids=str,
)
def test_a_mistake_is_said_with_its_place_and_what_to_write(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    message = mistake(tmp_path, ENTRY | changes)
    assert message.startswith("clients.yaml, client 1")
    assert said in message
    assert not any(key in message for key in (KEY["d"], "input_value"))


def test_all_mistakes_are_said_at_once(tmp_path: Path) -> None:
    lines = mistake(tmp_path, ENTRY | {"dialect": "x", "evidence": "y"}, {"name": "Two"}, []).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "clients.yaml, client 1 (Example Hospital), dialect",
        "clients.yaml, client 1 (Example Hospital), evidence",
        "clients.yaml, client 2 (Two), issuer",
        "clients.yaml, client 2 (Two), keys",
        "clients.yaml, client 3, expected a map of keys",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "clients:", "clients: []", "clients: {}", "- x", "client: [x]", "clients: [x]\nmore: 1", "x"],
)
def test_a_file_without_clients_says_how_one_begins(tmp_path: Path, text: str) -> None:
    message = mistake(tmp_path, text=text)
    example = message.partition("Write for example:\n")[2]
    if text.startswith("clients: [x]\n") or not text.startswith("clients: [x]"):
        assert load_clients(written(tmp_path, text=example)).entries


def test_what_is_no_yaml_or_says_a_key_twice_is_refused(tmp_path: Path) -> None:
    assert "clients.yaml: expected YAML" in mistake(tmp_path, text="clients: [")
    assert "stands twice" in mistake(tmp_path, text="clients: []\nclients: []")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MalformedFile, match=r"nowhere.yaml: cannot be read \(No such file"):
        load_clients(tmp_path / "nowhere.yaml")


def test_two_entries_must_be_told_apart(tmp_path: Path) -> None:
    other = ENTRY | {"issuer": "https://other.example.org"}
    assert "two clients have the name 'Example Hospital'" in mistake(tmp_path, ENTRY, other)
    south = ENTRY | {"name": "South"}
    for tenants in (({}, {}), ({"tenants": ["n"]}, {}), ({"tenants": ["n"]}, {"tenants": ["s", "n"]})):
        said = mistake(tmp_path, ENTRY | tenants[0], south | tenants[1])
        assert "Example Hospital and South have the same issuer; expected tenants in both" in said
    both = load_clients(written(tmp_path, ENTRY | {"tenants": ["n"]}, south | {"tenants": ["s"]}))
    found = both.of("https://ehr.example.org", "s")
    assert found and found.name == "South"


def test_a_change_is_noticed(tmp_path: Path) -> None:
    file = ClientsFile(written(tmp_path, ENTRY))
    assert file.current() is file.current()
    written(tmp_path, ENTRY, ENTRY | {"name": "Two", "issuer": "https://two.example.org"})
    assert [client.name for client in file.current().entries] == ["Example Hospital", "Two"]


def test_a_change_of_a_key_file_is_noticed(tmp_path: Path) -> None:
    jwks = tmp_path / "k.json"
    jwks.write_text(json.dumps({"keys": [public_half(KEY)]}))
    file = ClientsFile(written(tmp_path, ENTRY | {"keys": {"file": "k.json"}}))
    jwks.write_text(json.dumps({"keys": [public_half(OTHER)]}))
    assert [key.kid for key in file.current().entries[0].keys.held] == ["b"]


def test_a_broken_version_is_not_used_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = ClientsFile(written(tmp_path, ENTRY))
    before = file.current()
    written(tmp_path, ENTRY | {"dialect": "4"})
    assert file.current() is before
    assert file.current() is before
    assert len(caplog.records) == 1
    assert "what was before stays in force. clients.yaml, client 1 (Example Hospital), dialect" in caplog.text
    written(tmp_path, ENTRY | {"dialect": "epic"})
    assert file.current().entries[0].dialect == "epic"
    assert caplog.records[-1].levelno == logging.WARNING


def test_a_version_that_breaks_the_reader_changes_nothing_either(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Path) -> Clients:
        raise RecursionError

    file = ClientsFile(written(tmp_path, ENTRY))
    written(tmp_path, ENTRY | {"dialect": "epic"})
    monkeypatch.setattr(clients_file, "load_clients", broken)
    assert file.current().entries
    assert "stays in force. clients.yaml: RecursionError" in caplog.text


def test_a_file_that_goes_away_changes_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, ENTRY)
    file = ClientsFile(path)
    path.unlink()
    assert file.current().entries


def test_what_a_broken_version_lacked_is_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key file is copied after the clients file that names it."""
    file = ClientsFile(written(tmp_path, ENTRY))
    written(tmp_path, ENTRY | {"keys": {"file": "late.json"}})
    assert not file.current().entries[0].keys.held
    (tmp_path / "late.json").write_text(json.dumps({"keys": [public_half(KEY)]}))
    monkeypatch.setattr(clients_file, "_PATIENCE", -1.0)
    assert file.current().entries[0].keys.held
