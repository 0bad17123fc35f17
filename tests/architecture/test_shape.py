"""What a reader may rely on: short files and functions, no floats or clocks in the domain, nothing of a developer's machine."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator

from domain.catalogue import FUNCTIONS, MODULES
from tests.architecture.source import ROOT, Source, sources

LONGEST_FILE = 400
LONGEST_FUNCTION = 70


def functions(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def test_files_are_short() -> None:
    long = {
        source.name: lines
        for source in sources()
        if "versions" not in source.path.parts and (lines := source.text.count("\n")) > LONGEST_FILE
    }
    assert long == {}


def test_functions_fit_a_screen() -> None:
    long = [
        f"{source.name}.{node.name}: {node.end_lineno - node.lineno + 1}"
        for source in sources()
        if "versions" not in source.path.parts
        for node in functions(source)
        if node.end_lineno and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_every_file_says_what_it_is() -> None:
    empty_is_fine = {"__init__.py"}
    silent = [s.name for s in sources() if s.path.name not in empty_is_fine and not ast.get_docstring(s.tree)]
    assert silent == []


def test_the_domain_has_no_floats() -> None:
    floats = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        if source.package == "domain"
        for node in ast.walk(source.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float" and not _refuses_floats(source, node.lineno))
    ]
    assert floats == []


def _refuses_floats(source: Source, line: int) -> bool:
    return "isinstance" in source.text.splitlines()[line - 1]


def test_the_domain_asks_only_the_lenders_clock() -> None:
    asked = re.compile(r"\b(date\.today|datetime\.now|datetime\.utcnow|time\.time)\(")
    wrong = [
        f"{source.name}: {match.group()}"
        for source in sources()
        if source.package == "domain" and source.name != "domain.kernel.clock"
        for match in asked.finditer(source.text)
    ]
    assert wrong == []


def test_search_path_is_only_ever_local() -> None:
    wrong = [
        source.name
        for source in sources()
        if re.search(r"\bSET\s+(?!LOCAL\b)(SESSION\s+)?search_path", source.text, re.IGNORECASE)
    ]
    assert wrong == []


def test_functions_live_at_their_address() -> None:
    """A function that exists in one layer exists in the other two under the same name (its English name in one docstring)."""
    wrong = []
    for function in FUNCTIONS:
        assert function.module in MODULES
        here = ROOT / "domain" / function.module / f"{function.name}.py"
        if here.exists() and f"({function.code})" not in here.read_text("utf-8").split('"""')[1].splitlines()[0]:
            wrong.append(f"{function.code}: the first docstring line of {here.name} does not name it")
    assert wrong == []


def test_nothing_of_a_developers_machine_is_in_the_files() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    forbidden = re.compile(r"/work/(main|shared)|\.\./shared|/root/|/home/[a-z]+/")
    wrong = []
    for name in tracked:
        path = ROOT / name
        if name == "tests/architecture/test_shape.py" or not path.is_file() or path.suffix in {".png", ".lock"}:
            continue
        try:
            if forbidden.search(path.read_text("utf-8")):
                wrong.append(name)
        except UnicodeDecodeError:
            continue
    assert wrong == []
