"""An app around a stub composer, and its client."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from cds_service.trials.protocol import Protocol, load_protocol
from tests.web.calls import app_of, wiring


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return load_protocol("nct06920199")


@pytest.fixture
def client(protocol: Protocol) -> FlaskClient:
    return app_of(wiring(protocol)).test_client()
