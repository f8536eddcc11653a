"""What a worker loads before its first request: what the requests need, and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import run
from cds_service.store.database import Database

# Whoever needs one of these loads it then: other versions of FHIR when a record is one, the rest never in a request.
ON_DEMAND = (
    "alembic", "fhir.resources.STU3", "fhir.resources.observation", "fhir.resources.condition", "hypothesis",
    "playwright", "psycopg", "pytest", "schemathesis", "fhir_fixtures", "benchmarks", "tests",
)  # fmt: skip
_STARTED = """
import json, sys
import app
app.create_app()
print(json.dumps(sorted(sys.modules)))
"""


def test_a_worker_loads_what_requests_need_and_nothing_else(tmp_path: Path) -> None:
    """The models of what findings print are ready, or the first requests would pay for them."""
    url = f"sqlite:///{tmp_path / 'migrated.sqlite'}"
    Database(url).prepare()  # the tables are made once, and not with every start
    environment = {**os.environ, "TRIALHOOK_OPEN_ACCESS": "true", "TRIALHOOK_DATABASE_URL": url}
    command = [sys.executable, "-c", _STARTED]
    started = subprocess.run(command, cwd=run.ROOT, env=environment, capture_output=True, check=True, text=True)
    printed = started.stdout
    modules: list[str] = json.loads(printed)
    found = {name for name in modules for one in ON_DEMAND if name == one or name.startswith(f"{one}.")}
    assert found == set()
    assert {f"fhir.resources.R4B.{name}" for name in ("condition", "observation", "procedure")} <= set(modules)
