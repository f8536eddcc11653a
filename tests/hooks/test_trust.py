"""Tokens signed by hand: which are believed, and that every broken one is refused and never a failure of ours."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from cds_service.errors import ServiceError
from cds_service.hooks.clients import FOLDER, Client, Clients
from cds_service.hooks.key_locations import KeyLocation
from cds_service.hooks.public_keys import PublicKey
from cds_service.hooks.signing import half_of, new_key, public_half, signed
from cds_service.hooks.trust import LEEWAY, SeenHere, Trust, Untrusted

NOW = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
ISSUER = "https://ehr.example.org/api/FHIR/R4"
CALLED = "https://trialhook.example.org/cds-services/nct06920199-patient-view"
LOCATION = "https://ehr.example.org/jwks.json"
ES = new_key("ES384", "es")
RS = new_key("RS384", "rs+2026=")
PUBLISHED = new_key("ES384", "published")
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": CALLED, "iat": AT, "exp": AT + 300, "jti": "j1"}


@dataclass
class Locations:
    """A key source that counts what it is asked for."""

    keys: tuple[PublicKey, ...] = ()
    asked: list[str] = field(default_factory=list)

    def find(self, issuer: str, locations: Iterable[KeyLocation], kid: str, algorithm: str) -> PublicKey | None:
        self.asked += [one.address for one in locations]
        return next((key for key in self.keys if (key.kid, key.algorithm) == (kid, algorithm)), None)


def client(**changes: Any) -> Client:
    row = {
        "name": "Example Hospital",
        "issuer": ISSUER,
        "keys": {"jwks": {"keys": [public_half(ES), public_half(RS)]}, "jku": LOCATION},
    }
    return Client.model_validate(row | changes, context={FOLDER: None})


@dataclass
class Door:
    """A trust with a clock that stands still, and what it fetched."""

    clients: tuple[Client, ...] = field(default_factory=lambda: (client(),))
    now: datetime = NOW
    locations: Locations = field(default_factory=lambda: Locations((half_of(PUBLISHED),)))

    def __post_init__(self) -> None:
        self.trust = Trust(lambda: Clients(self.clients), self.locations, SeenHere(lambda: self.now), lambda: self.now)

    def client(self, token: str, *audiences: str) -> Client:
        return self.trust.client(token, audiences or [CALLED])

    def takes(self, token: str, *audiences: str) -> bool:
        return self.client(token, *audiences) in self.clients

    def refusal(self, token: str, *audiences: str) -> str:
        with pytest.raises(Untrusted) as refused:
            self.client(token, *audiences)
        return str(refused.value)


def claims(**changes: Any) -> dict[str, Any]:
    """Claims that are right, with changes; a claim of None is left out."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


def by_hand(header: Mapping[str, Any], payload: object, sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token put together without a library that would refuse to."""

    def part(content: bytes) -> str:
        return base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    start = f"{part(json.dumps(header).encode())}.{part(body)}"
    return f"{start}.{part(sign(start.encode()))}"


def es_signature(message: bytes) -> bytes:
    return bytes(ECAlgorithm(ECAlgorithm.SHA384).sign(message, jwt.PyJWK(dict(ES), "ES384").key))


ES_HEADER = {"alg": "ES384", "kid": "es", "typ": "JWT"}


@pytest.mark.parametrize("key", [ES, RS, PUBLISHED], ids=["ES384", "RS384", "a key that is published"])
def test_a_right_token_is_its_client(key: Mapping[str, Any]) -> None:
    assert Door().client(signed(key, CLAIMS)).name == "Example Hospital"


def test_the_token_of_epic_is_taken() -> None:
    """It has sub, nbf five minutes back, fifteen minutes of life, and signs of Base64 in its kid."""
    epic = claims(sub="trialhook", nbf=AT - 300, exp=AT + 900, aud=[CALLED])
    assert Door().takes(signed(RS, epic, jku=LOCATION))


def test_the_example_of_the_specification_is_taken_in_its_time_and_not_today() -> None:
    example = (
        "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNv"
        "bS9qd2tfdXJpIn0.eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wbGUub3JnL"
        "2Nkcy1zZXJ2aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy"
        "00NjExLWJhNWItOGVlYzZhMzNhYzFlIiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0.d1WfLjGRKlc"
        "WB94l9do4cM8REXeYJLL6SGUBO8VHZhfM8mwKYP70EMxJ67War4TQblEpaQrp11wx5p7oPFm2ETYgCicS84vXWEIYTdjooZdooCSDf2L8-i4a"
        "wdoUwiEb"
    )
    jwk = {
        "kty": "EC",
        "use": "sig",
        "crv": "P-384",
        "kid": "example-kid",
        "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
        "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
        "alg": "ES384",
    }
    keys = {"jwks": {"keys": [jwk]}, "jku": "https://fhir-ehr.example.com/jwk_uri"}
    theirs = client(issuer="https://fhir-ehr.example.com/", keys=keys, tenants=["2ddd6c3a-8e9a-44c6-a305-52111ad302a2"])
    patient = theirs.model_copy(update={"token_seconds": 1422568860 - 1311280970})  # three and a half years
    then, called = datetime(2012, 1, 1, tzinfo=UTC), "https://cds.example.org/cds-services/some-service"
    assert Door((patient,), then).client(example, called) is patient
    assert "life" in Door((theirs,), then).refusal(example, called)
    assert "expired" in Door((patient,)).refusal(example, called)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
def test_a_token_without_signature_is_refused(alg: str) -> None:
    assert "alg" in Door().refusal(by_hand(ES_HEADER | {"alg": alg}, CLAIMS))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_hmac_with_the_public_key_is_refused(alg: str) -> None:
    secret = json.dumps(public_half(RS)).encode()
    hashed = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    header = {"alg": alg, "kid": RS["kid"], "typ": "JWT"}
    assert "alg" in Door().refusal(by_hand(header, CLAIMS, lambda m: hmac.new(secret, m, hashed).digest()))


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS384", "ES256", "EdDSA", "es384"])
def test_other_algorithms_are_refused(alg: str) -> None:
    assert "alg" in Door().refusal(by_hand(ES_HEADER | {"alg": alg}, CLAIMS, es_signature))


def test_the_algorithm_belongs_to_the_key() -> None:
    """The header cannot choose another: ES384 for an RSA key, or RS384 for an EC key."""
    for alg, kid in (("ES384", RS["kid"]), ("RS384", "es")):
        assert "no key" in Door().refusal(by_hand({"alg": alg, "kid": kid, "typ": "JWT"}, CLAIMS, es_signature))


def test_a_token_signed_by_another_key_of_that_name_is_refused() -> None:
    assert "signature" in Door().refusal(signed(new_key("ES384", "es"), CLAIMS))


def test_an_unknown_key_is_looked_for_once_and_refused() -> None:
    door = Door()
    assert "no key" in door.refusal(signed(new_key("ES384", "new"), CLAIMS))
    assert door.locations.asked == [LOCATION]


def test_a_key_at_hand_is_not_looked_for_elsewhere() -> None:
    door = Door()
    door.client(signed(ES, CLAIMS))
    assert not door.locations.asked


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://evil.example.org"}, {"iss": ISSUER + "/"}, {"iss": ISSUER.upper()}],
    ids=str,
)
def test_an_unknown_issuer_is_refused_and_nothing_is_fetched(changes: dict[str, Any]) -> None:
    door = Door()
    assert "issuer" in door.refusal(signed(PUBLISHED, claims(**changes), jku=LOCATION))
    assert not door.locations.asked


@pytest.mark.parametrize("key", [ES, PUBLISHED], ids=["a key at hand", "a published key"])
def test_another_jwks_location_is_refused_and_not_called(key: Mapping[str, Any]) -> None:
    door = Door()
    for jku in ("https://evil.example.org/jwks.json", LOCATION + "/", LOCATION + "?", LOCATION.upper()):
        assert "jku" in door.refusal(signed(key, CLAIMS, jku=jku))
    assert not door.locations.asked


def test_nothing_is_fetched_for_a_token_that_is_wrong_anyway() -> None:
    door = Door()
    for wrong in ({"aud": "https://other.example.org"}, {"exp": AT - 120, "iat": AT - 400}, {"exp": AT + 10**9}):
        door.refusal(signed(PUBLISHED, claims(**wrong)))
    assert not door.locations.asked


@pytest.mark.parametrize(
    "audience",
    [
        "https://trialhook.example.org",
        "https://trialhook.example.org/cds-services",
        "https://trialhook.example.org/cds-services/another",
        CALLED + "/",
        CALLED + "/feedback",
        CALLED.replace("https", "http"),
        CALLED.upper(),
        "",
        [],
        ["https://trialhook.example.org/cds-services"],
    ],
    ids=str,
)
def test_the_audience_is_exactly_the_address_that_is_called(audience: object) -> None:
    assert "audience" in Door().refusal(signed(ES, claims(aud=audience)))


def test_an_audience_may_stand_among_others() -> None:
    assert Door().takes(signed(ES, claims(aud=["https://other.example.org", CALLED])))


def test_for_feedback_two_addresses_are_right() -> None:
    door = Door()
    feedback = [CALLED + "/feedback", CALLED]
    assert door.takes(signed(ES, claims(aud=CALLED + "/feedback", jti="1")), *feedback)
    assert door.takes(signed(ES, claims(aud=CALLED, jti="2")), *feedback)


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "jti"])
def test_each_claim_is_required(claim: str) -> None:
    assert "claims" in Door().refusal(signed(ES, claims(**{claim: None})))


@pytest.mark.parametrize("part", ["alg", "kid", "typ"])
def test_each_part_of_the_header_is_required(part: str) -> None:
    header = {name: value for name, value in ES_HEADER.items() if name != part}
    assert "header" in Door().refusal(by_hand(header, CLAIMS, es_signature))


@pytest.mark.parametrize(
    "header",
    [{"typ": "at+jwt"}, {"crit": ["exp"]}, {"crit": None}, {"crit": ["b64"], "b64": False}, {"crit": []}],
    ids=str,
)
def test_what_nobody_here_understands_in_the_header_is_refused(header: dict[str, Any]) -> None:
    assert "crit" in Door().refusal(by_hand(ES_HEADER | header, CLAIMS, es_signature))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": str(AT + 300)},
        {"iat": str(AT)},
        {"exp": True},
        {"exp": {}},
        {"nbf": "now"},
        {"iss": 1},
        {"aud": 1},
        {"aud": [1]},
        {"aud": {CALLED: CALLED}},
        {"jti": 5},
        {"tenant": 5},
    ],
    ids=str,
)
def test_a_claim_of_another_type_is_refused(changes: dict[str, Any]) -> None:
    assert "claims" in Door().refusal(by_hand(ES_HEADER, claims(**changes), es_signature))


@pytest.mark.parametrize("jti", ["", "a\x00b", "x" * 513], ids=["empty", "with a control character", "too long"])
def test_an_id_that_cannot_be_remembered_is_refused(jti: str) -> None:
    assert "jti" in Door().refusal(signed(ES, claims(jti=jti)))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"exp": AT + 10 * 365 * 86400}, "life"),
        ({"exp": AT + 901}, "life"),
        ({"exp": AT}, "life"),
        ({"exp": AT - 1}, "life"),
        ({"iat": AT - 300 - LEEWAY, "exp": AT - LEEWAY}, "expired"),
        ({"iat": AT + LEEWAY + 1, "exp": AT + LEEWAY + 300}, "future"),
        ({"nbf": AT + LEEWAY + 1}, "future"),
        ({"iat": 2**70, "exp": 2**70 + 100}, "future"),
        ({"iat": -(2**40), "exp": 100 - 2**40}, "expired"),
    ],
    ids=str,
)
def test_a_token_out_of_its_time_is_refused(changes: dict[str, Any], why: str) -> None:
    assert why in Door().refusal(signed(ES, claims(**changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": AT + 900},
        {"iat": AT - 300 - LEEWAY, "exp": AT - LEEWAY + 1},
        {"iat": AT + LEEWAY, "exp": AT + LEEWAY + 300},
        {"nbf": AT + LEEWAY},
        {"exp": AT + 300.5},
        {"nbf": AT - 10**6},
    ],
    ids=str,
)
def test_a_token_at_the_edge_of_its_time_is_taken(changes: dict[str, Any]) -> None:
    assert Door().takes(signed(ES, claims(**changes)))


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b"1e308", b"-1e308", b"1" + b"0" * 400, b"null"])
@pytest.mark.parametrize("claim", ["exp", "iat"])
def test_a_number_that_is_no_moment_is_refused(claim: str, number: bytes) -> None:
    value = str(CLAIMS[claim]).encode()
    payload = json.dumps(CLAIMS).encode().replace(b": " + value, b": " + number)
    assert Door().refusal(by_hand(ES_HEADER, payload, es_signature))


def test_a_token_is_taken_once() -> None:
    door = Door()
    door.client(signed(ES, CLAIMS))
    assert "before" in door.refusal(signed(ES, CLAIMS))
    assert "before" in door.refusal(signed(RS, CLAIMS))
    assert door.takes(signed(ES, claims(jti="j2")))


def test_where_the_entry_allows_it_a_token_is_taken_again() -> None:
    """Inferno sends one token with all the bodies of a test."""
    door = Door((client(tokens_once=False),))
    assert all(door.takes(signed(ES, CLAIMS)) for _ in range(3))


def test_a_refused_token_does_not_use_up_its_id() -> None:
    """Else anybody who knows the id of a token could make it unusable."""
    door = Door()
    door.refusal(signed(new_key("ES384", "es"), CLAIMS))
    assert door.takes(signed(ES, CLAIMS))


def test_two_issuers_may_use_the_same_id() -> None:
    other = client(name="Other", issuer="https://other.example.org")
    door = Door((client(), other))
    door.client(signed(ES, CLAIMS))
    assert door.client(signed(ES, claims(iss=other.issuer))) is other


def test_an_id_is_remembered_for_as_long_as_its_token_is_good() -> None:
    now = [NOW]
    seen = SeenHere(lambda: now[0])
    until = NOW + timedelta(seconds=300)
    assert seen.first_use(ISSUER, "j", until)
    now[0] = until - timedelta(seconds=1)
    assert not seen.first_use(ISSUER, "j", until)
    now[0] = until
    assert seen.first_use(ISSUER, "j", until)


def test_a_store_that_fails_is_no_fault_of_the_token() -> None:
    class Broken:
        def first_use(self, issuer: str, token_id: str, until: datetime) -> bool:
            raise OSError

    trust = Trust(lambda: Clients((client(),)), Locations(), Broken(), lambda: NOW)
    with pytest.raises(ServiceError) as failed:
        trust.client(signed(ES, CLAIMS), [CALLED])
    assert failed.value.status == 503


def test_a_tenant_chooses_among_the_entries_of_an_issuer() -> None:
    north, south = client(name="North", tenants=["n", "n2"]), client(name="South", tenants=["s"])
    door = Door((north, south))
    assert door.client(signed(ES, claims(tenant="s"))) is south
    assert door.client(signed(ES, claims(tenant="n2", jti="2"))) is north
    for wrong in ({"tenant": "w"}, {}):
        assert "tenant" in door.refusal(signed(ES, claims(jti="3", **wrong)))


def test_an_entry_without_tenants_is_for_all_of_them() -> None:
    assert Door().takes(signed(ES, claims(tenant="anyone")))


@pytest.mark.filterwarnings("ignore:The RSA key")
def test_a_short_rsa_key_is_refused_wherever_it_comes_from() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    jwk = {**RSAAlgorithm.to_jwk(short, as_dict=True), "kid": "short", "alg": "RS384"}
    key = PublicKey("short", "RS384", tuple((name, jwk[name]) for name in ("kty", "n", "e")))
    assert "signature" in Door(locations=Locations((key,))).refusal(signed(jwk, CLAIMS))


TOKEN = signed(ES, CLAIMS)
HEAD, BODY, SIGNATURE = TOKEN.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "{}",
        HEAD,
        f"{HEAD}.{BODY}",
        f"{HEAD}.{BODY}.",
        f"{HEAD}.{BODY}.{SIGNATURE}.{SIGNATURE}",
        f"{HEAD}.{BODY}.{SIGNATURE[:-4]}",
        f"{HEAD}.{BODY}.{SIGNATURE}AAAA",
        f"{HEAD}.{BODY}.AAAA",
        f"{HEAD}..{SIGNATURE}",
        f".{BODY}.{SIGNATURE}",
        f"{HEAD}.{BODY[:-3]}.{SIGNATURE}",
        f"{HEAD}. {BODY}.{SIGNATURE}",
        f"{HEAD}.{BODY}\n.{SIGNATURE}",
        f"{HEAD}é.{BODY}.{SIGNATURE}",
        TOKEN[:100] + "\x00" + TOKEN[101:],
        by_hand(ES_HEADER, b"[" * 3000, es_signature),
        by_hand(ES_HEADER, b"[]", es_signature),
        by_hand(ES_HEADER, b"\xff\xfe", es_signature),
        by_hand(ES_HEADER, b'"' + TOKEN.encode() + b'"', es_signature),
        by_hand({"alg": ["ES384"], "kid": "es", "typ": "JWT"}, CLAIMS, es_signature),
        by_hand({"alg": "ES384", "kid": None, "typ": "JWT"}, CLAIMS, es_signature),
        by_hand({"alg": "ES384", "kid": "../../etc/passwd", "typ": "JWT"}, CLAIMS, es_signature),
        by_hand({"alg": "ES384", "kid": "es", "typ": "JWT", "jwk": public_half(ES)}, CLAIMS, lambda _: b"x" * 96),
        by_hand(ES_HEADER, CLAIMS, lambda _: b"\x00" * 96),
        "e" * 1_000_000,
        by_hand(ES_HEADER, {**CLAIMS, "more": "x" * 1_000_000}, es_signature),
    ],
    ids=lambda token: token[:20],
)
def test_whatever_is_broken_is_refused(token: str) -> None:
    assert Door().refusal(token)


def test_every_changed_letter_breaks_a_token() -> None:
    for at in range(0, len(TOKEN), 7):
        if TOKEN[at] != ".":
            other = "A" if TOKEN[at] != "A" else "B"
            assert Door().refusal(TOKEN[:at] + other + TOKEN[at + 1 :])


_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(CALLED)
_ANY_JSON = _SCALAR | st.lists(_SCALAR, max_size=2) | st.dictionaries(st.just("a"), _SCALAR, max_size=1)
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_PATIENT
@given(st.text(max_size=300) | st.text("abcDEF123-_.", max_size=300))
def test_no_text_is_a_failure_of_ours(text: str) -> None:
    assert Door().refusal(text)


@_PATIENT
@given(
    st.dictionaries(st.sampled_from(["alg", "kid", "typ", "jku", "crit", "b64"]), _ANY_JSON),
    st.dictionaries(st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "tenant"]), _ANY_JSON),
)
def test_no_header_and_no_claim_is_a_failure_of_ours(header: dict[str, Any], changed: dict[str, Any]) -> None:
    """What is signed with the right key and wrong in any other way is refused, or it is right."""
    door = Door()
    token = by_hand(ES_HEADER | header, CLAIMS | changed, es_signature)
    with contextlib.suppress(Untrusted):
        assert door.takes(token)
