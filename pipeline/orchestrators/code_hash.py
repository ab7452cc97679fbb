"""Digests of the code that a stage uses: TFX's cache sees the arguments of a stage, not the code that they name.

Files are found by their imports, those inside functions too. What a table names by a string, such as the module of a
task, is not followed: whoever asks gives it as one more root.
"""

import ast
import functools
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from components.files_hash import hash_files

ROOMS = ("models", "components", "serving", "pipeline")
SOURCE = Path(__file__).parents[2]
# Tables of what there is. A stage uses a few of their rows: the code behind those is among its roots, what they say
# among its arguments. Of the table itself only the classes and functions count, else each new task or architecture
# would train every model anew.
TABLES = ("models.registry",)


def hash_modules(*roots: str, source: Path = SOURCE) -> str:
    """Digest of every file of ours that modules use, files beside the modules of a package (templates) included.

    Args:
        roots: dotted names of modules; a package stands for all modules in it.
        source: folder of the rooms.

    Raises:
        ModuleNotFoundError: there is no such module.
    """
    files = sorted({file for module in _reached(roots, source) for file in _files(module, source)})
    tables = {str(_file(table, source)) for table in TABLES}

    def open_code(path: str) -> BinaryIO:
        return io.BytesIO(_table_code(path)) if path in tables else open(path, "rb")

    return hash_files(((str(file.relative_to(source)), file) for file in files), open_code)[:16]


def _reached(roots: Iterable[str], source: Path) -> set[str]:
    """The modules that are run when the roots are imported and their functions called."""
    waiting = [module for root in roots for module in _modules(root, source)]
    reached: set[str] = set()
    while waiting:
        module = waiting.pop()
        file = _file(module, source)
        if file is None or module in reached:
            continue
        reached.add(module)
        # Importing a module runs its packages first.
        waiting.append(module.rpartition(".")[0])
        if module not in TABLES:
            package = module if file.name == "__init__.py" else module.rpartition(".")[0]
            waiting += [name for name in _imports(file.read_bytes(), package) if name.partition(".")[0] in ROOMS]
    return reached


def _modules(root: str, source: Path) -> list[str]:
    file = _file(root, source)
    if file is None:
        raise ModuleNotFoundError(f"{root} is no module of {source}")
    if file.name != "__init__.py":
        return [root]
    names = (path.relative_to(source).with_suffix("") for path in file.parent.rglob("*.py"))
    return [".".join(name.parts).removesuffix(".__init__") for name in names]


def _file(module: str, source: Path) -> Path | None:
    path = source.joinpath(*module.split(".")) if module else source
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _files(module: str, source: Path) -> Iterator[Path]:
    file = _file(module, source)
    if file is None:
        return
    yield file
    if file.name == "__init__.py":
        yield from _data_files(file.parent)


def _data_files(folder: Path) -> Iterator[Path]:
    """What stands in a package and is no Python; folders in it that are packages have their own."""
    for path in folder.iterdir():
        if path.is_dir() and path.name != "__pycache__" and not (path / "__init__.py").exists():
            yield from _data_files(path)
        elif path.is_file() and path.suffix != ".py" and not path.name.startswith("."):
            yield path


@functools.lru_cache(maxsize=1024)
def _imports(code: bytes, package: str) -> tuple[str, ...]:
    """Dotted names that may be modules; those that are none have no file."""
    names: list[str] = []
    for node in _statements(ast.parse(code)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            names += [origin, *(f"{origin}.{alias.name}" for alias in node.names)]
    return tuple(names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """All of a tree but what stands under `if TYPE_CHECKING`, which never runs."""
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children = iter(node.orelse)
    for child in children:
        yield child
        yield from _statements(child)


def _table_code(path: str) -> bytes:
    kept = (ast.ClassDef, ast.FunctionDef)
    tree = ast.parse(Path(path).read_bytes())
    return "\n".join(ast.unparse(node) for node in tree.body if isinstance(node, kept)).encode()
