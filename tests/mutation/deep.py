"""What mutmut changed in the code and no test noticed, held against survivors.yaml.

`python3 run.py test --deep` runs this module: mutmut from the start, then the comparison (which alone runs with
`python -m tests.mutation.deep compare`). A change that is still alive must stand in survivors.yaml with the reason why
no input can tell; one that stands there and is noticed, or does not exist any more, is to be taken off.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
WORK = ROOT / "mutants"
LISTED = Path(__file__).parent / "survivors.yaml"
# mutmut's exit codes: no test failed, and no test came by. Whatever else is there was noticed, if only by hanging.
ALIVE = {0: "no test fails", 5: "no test comes by", 33: "no test comes by"}
BY_TYPES = 37
BY_HANGING = (24, -24, 36, 152, 255)
_MARK = "__mutmut_"


@dataclass(frozen=True, order=True)
class Change:
    """A change of the code: the function, its lines before and after."""

    place: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.place}\n    - {self.before}\n    + {self.after}"


def codes(folder: Path) -> Iterator[tuple[Path, str, int | None]]:
    """Each mutant's file, name and exit code, as mutmut keeps them."""
    for meta in sorted(folder.rglob("*.py.meta")):
        kept: Mapping[str, int | None] = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        yield from ((meta.with_suffix(""), name, code) for name, code in kept.items())


def change_of(path: Path, name: str, folder: Path) -> Change:
    """What a mutant changes, read from the file in which all of them stand side by side."""
    mangled = name.rpartition(".")[2]
    original = mangled.rpartition(_MARK)[0] + f"{_MARK}orig"
    functions = {n.name: n for n in ast.walk(_parsed(path)) if isinstance(n, ast.FunctionDef)}
    lines = ndiff(_lines(functions[original]), _lines(functions[mangled]))
    differences = [line for line in lines if line[:2] in ("- ", "+ ")]
    before, after = ("\n".join(line[2:].strip() for line in differences if line[0] == sign) for sign in "-+")
    where = mangled.rpartition(_MARK)[0].removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return Change(f"{path.relative_to(folder).as_posix()} {where}", before, after)


_TREES: dict[Path, ast.Module] = {}


def _parsed(path: Path) -> ast.Module:
    if path not in _TREES:
        _TREES[path] = ast.parse(path.read_text(encoding="utf-8"))
    return _TREES[path]


def _lines(function: ast.FunctionDef) -> list[str]:
    plain = ast.FunctionDef("it", function.args, function.body, [], function.returns, lineno=0, col_offset=0)
    return ast.unparse(ast.fix_missing_locations(plain)).splitlines()


def survivors(folder: Path) -> dict[Change, str]:
    """What is still alive, and why mutmut thinks so."""
    return {change_of(path, name, folder): ALIVE[code] for path, name, code in codes(folder) if code in ALIVE}


def listed(path: Path = LISTED) -> dict[Change, str]:
    rows: Iterable[Mapping[str, str]] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {Change(row["in"], row["from"], row["to"]): row["because"] for row in rows}


def complaints(folder: Path, reasons: Mapping[Change, str]) -> Iterator[str]:
    """Everything that must be put right; none when all that is alive is listed, and all that is listed is alive."""
    counted = Counter(code for _, _, code in codes(folder))
    if not counted or counted[None]:
        yield f"{counted[None]} of {counted.total()} changes were not tried; mutmut must run to its end"
    alive = survivors(folder)
    for change in sorted(set(alive) - set(reasons)):
        yield f"{alive[change]}: {change}\n  add a test that notices, or list it with the reason why none can"
    for change in sorted(set(reasons) - set(alive)):
        yield f"listed as alive, but noticed or gone: {change}\n  take it off {LISTED.name}"


def tried() -> bool:
    """Lets mutmut change everything from the start: verdicts of older code and older tests prove nothing."""
    if os.name == "nt":
        print("mutmut does not run on Windows; it does in WSL.", file=sys.stderr)
        return False
    shutil.rmtree(WORK, ignore_errors=True)
    # mutmut calls mypy and must find the one of this environment.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "mutmut", "run"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=False).returncode == 0


def compared(folder: Path) -> bool:
    found = list(complaints(folder, listed()))
    counted = Counter(code for _, _, code in codes(folder))
    alive, hanging = (sum(counted[code] for code in some) for some in (ALIVE, BY_HANGING))
    noticed = counted.total() - counted[BY_TYPES] - alive
    print("\n".join(found), file=sys.stderr)
    print(
        f"{counted.total()} changes of the code: {counted[BY_TYPES]} refused by mypy, {noticed} noticed by a test"
        f" ({hanging} of them by hanging), {alive} alive"
    )
    return not found


if __name__ == "__main__":
    sys.exit(0 if ("compare" in sys.argv[1:] or tried()) and compared(WORK) else 1)
