"""The walls of the house: who may import whom, which library has which door, how long code may get."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# From the roof down; a part may import what stands further down, never a sibling or what stands above.
LAYERS = (
    {"app", "benchmarks"},
    {"cds_service.__main__", "cds_service.assembly"},
    {"cds_service.web", "cds_service.cli"},
    {"cds_service.review"},
    {"cds_service.pipeline", "cds_service.token_commands", "cards"},
    {"cds_service.report"},
    {"cds_service.store"},
    {"cds_service.hooks", "cds_service.trials", "cds_service.fhir", "cds_service.checker"},
    {"cds_service.settings", "cds_service.errors", "cds_service.strict_json", "fhir_fixtures"},
    {"cds_service.terminology", "cds_service.net"},
    {"cds_service.clinical"},
    {"cds_service.strict_yaml"},
)
# A library and the only parts of ours that may import it.
DOORS = {
    "flask": {"app", "benchmarks", "cds_service.web"},
    "requests": {"cds_service.net"},
    "urllib3": {"cds_service.net"},
    "sqlalchemy": {"cds_service.store"},
    "alembic": {"cds_service.store"},
    "psycopg": {"cds_service.store"},
    "sqlite3": {"cds_service.store"},
    "flask_cors": {"cds_service.web"},
    "jwt": {"cds_service.hooks", "cds_service.checker"},
    "cryptography": {"cds_service.hooks", "cds_service.checker", "cds_service.store"},
    "prometheus_client": {"cds_service.web"},
    "click": {"cds_service.cli", "cds_service.token_commands", "cds_service.checker"},
    "jinja2": {"cds_service.report"},
    "markupsafe": {"cds_service.report", "cds_service.web"},
    "fhir": {"cds_service.fhir", "cards", "cds_service.report", "cds_service.web", "cds_service.checker"},
    "fhir_core": {"cds_service.fhir"},
}
BANNED = {"data", "info", "manager", "helper", "helpers", "utils", "util", "process", "handle", "handler"}
# Methods that a library calls by these names.
DICTATED = {"process_bind_param", "process_result_value"}
LONGEST_FILE = 300
LONGEST_FUNCTION = 40


def sources() -> list[Path]:
    packages = [
        path for name in ("benchmarks", "cds_service", "cards", "fhir_fixtures") for path in (ROOT / name).rglob("*.py")
    ]
    return sorted([ROOT / "app.py", ROOT / "run.py", *packages])


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def part_of(module: str) -> str | None:
    """The part of the house that a module belongs to; None for other people's modules."""
    named = [part for layer in LAYERS for part in layer if module == part or module.startswith(f"{part}.")]
    return max(named, key=len, default=None)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def height(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_imports_go_strictly_down(path: Path) -> None:
    """A module imports only its own part and parts below it."""
    mine = part_of(module_of(path))
    for imported in imports(path):
        other = part_of(imported)
        if mine and other and other != mine:
            assert height(other) > height(mine), f"{module_of(path)} imports {imported}"


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_each_library_has_one_door(path: Path) -> None:
    """A library is imported only by the part that is its door."""
    mine = part_of(module_of(path))
    for imported in imports(path):
        allowed = DOORS.get(imported.split(".")[0])
        assert allowed is None or mine in allowed, f"{module_of(path)} imports {imported}"


def test_the_checker_does_not_judge_by_our_own_service() -> None:
    """It has the way out and the reader of its list, and nothing that a defect of ours could excuse itself by."""
    allowed = {"cds_service.checker", "cds_service.net", "cds_service.strict_yaml"}
    for path in (ROOT / "cds_service" / "checker").rglob("*.py"):
        ours = {part_of(imported) for imported in imports(path)} - {None}
        assert ours <= allowed, module_of(path)


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_the_core_never_asks_the_clock(path: Path) -> None:
    """Only the roof reads the clock; everything below is told the day."""
    clocks = {"app", "benchmarks", "cds_service.cli", "cds_service.token_commands", "cds_service.web",
              "cds_service.checker", None}  # fmt: skip
    if part_of(module_of(path)) in clocks:
        return
    calls = {node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Attribute)}  # fmt: skip
    assert not calls & {"today", "now", "utcnow"}


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_files_and_functions_stay_small(path: Path) -> None:
    """A file has at most 300 lines, a function at most 40."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_names_come_from_the_domain(path: Path) -> None:
    """No module, class or function is called by a word that says nothing."""
    names = {path.stem} | {
        node.name
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    words = {word for name in names - DICTATED for word in name.lower().strip("_").split("_")}
    assert not words & BANNED


@pytest.mark.parametrize("path", sources(), ids=module_of)
def test_every_module_says_what_it_is(path: Path) -> None:
    """A module begins with a docstring."""
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_number_of_the_protocol_stands_in_python() -> None:
    """The rule kinds hold no number beyond those that every program has."""
    harmless = {0, 1, 2, 3, 4, 100}
    for path in (ROOT / "cds_service" / "trials").rglob("*.py"):
        numbers = {
            node.value
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and type(node.value) in (int, float)
        }
        assert numbers <= harmless, f"{module_of(path)}: {sorted(map(str, numbers - harmless))}"


def test_the_program_never_says_eligible_of_a_patient() -> None:
    """Eligible is what a person says: the catalogues only say that no decision about eligibility is made."""
    for path in (ROOT / "cds_service" / "report" / "catalogues").glob("*.yaml"):
        text = path.read_text(encoding="utf-8").lower().replace("no decision about eligibility", "")
        text = text.replace("patient-ineligible:", "")  # HL7's code for "I know that the patient is not"
        assert "eligib" not in text


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even for types: what two need stands in a third."""
    known = {module_of(path): path for path in sources()}
    needs = {name: {one for imported in imports(path) if (one := _ours(imported, known))} - {name}
             for name, path in known.items()}  # fmt: skip
    while settled := {name for name, others in needs.items() if not others & needs.keys()}:
        needs = {name: others for name, others in needs.items() if name not in settled}
    assert set(needs) == set()


def _ours(imported: str, known: Collection[str]) -> str | None:
    """The module of ours that an import names, itself or by something in it."""
    return next((name for name in (imported, imported.rpartition(".")[0]) if name in known), None)
