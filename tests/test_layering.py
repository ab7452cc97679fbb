"""What may import what: models works in a notebook, serving on a small machine, neither brings the rest along."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_IMPORT = {
    "models": {"models"},
    "serving": {"serving"},
    "components": {"components", "models", "serving"},
    "pipeline": {"pipeline", "components", "models", "serving"},
}
BANNED = {
    "models": {"tfx", "apache_beam", "grpc"},
    "serving": {"tfx", "apache_beam", "keras"},
    "components": set(),
    "pipeline": {"grpc"},
}


def strays(root: Path) -> list[str]:
    """Each import that a room may not make, as "file:line imports name"."""
    found = []
    for room in MAY_IMPORT:
        forbidden = (set(MAY_IMPORT) - MAY_IMPORT[room]) | BANNED[room]
        for path in sorted((root / room).rglob("*.py")):
            for line, name in _imports(ast.parse(path.read_text(encoding="utf-8"))):
                if name.partition(".")[0] in forbidden:
                    found.append(f"{path.relative_to(root)}:{line} imports {name}")
    return found


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
        # importlib.import_module("tfx") and __import__("tfx").
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = ast.unparse(node.func)
            if called.endswith("import_module") or called == "__import__":
                yield node.lineno, str(node.args[0].value)


def test_no_room_imports_what_it_may_not() -> None:
    assert strays(ROOT) == []


def test_every_room_is_looked_at() -> None:
    for room in MAY_IMPORT:
        assert len(list((ROOT / room).rglob("*.py"))) > 3, room


@pytest.mark.parametrize(
    ("room", "line", "name"),
    [
        ("models", "from tfx import v1 as tfx", "tfx"),
        ("models", "import components.errors", "components.errors"),
        ("serving", "def f():\n    import keras", "keras"),
        ("serving", "from models.errors import SeqlineError", "models.errors"),
        ("components", "from pipeline import config", "pipeline"),
        ("pipeline", "import importlib\nimportlib.import_module('grpc')", "grpc"),
    ],
)
def test_the_straying_file_is_named(tmp_path: Path, room: str, line: str, name: str) -> None:
    (tmp_path / room).mkdir()
    (tmp_path / room / "stray.py").write_text(line)
    assert strays(tmp_path) == [f"{room}/stray.py:{len(line.splitlines())} imports {name}"]
