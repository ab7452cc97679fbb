"""Fingerprints of our own source code: TFX's cache sees the arguments of a stage, not the code that they name."""

import hashlib
import importlib.util
from pathlib import Path

ROOMS = ("models", "components", "serving", "pipeline")


def hash_room(room: str) -> str:
    """Hash of every Python file of a room, names included."""
    return _hash_files(Path(__file__).parents[2] / room)


def hash_module(module: str) -> str:
    """Hash of a module, or of the whole package that it stands in when that is not a room itself."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    path = Path(spec.origin)
    package = path.parent
    return _hash_files(path if package.name in ROOMS else package)


def _hash_files(path: Path) -> str:
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path.parent)}\0{file.stat().st_size}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
