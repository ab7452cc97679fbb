from pathlib import Path

import pytest

from pipeline.orchestrators.code_hash import hash_modules

FILES = {
    "models/__init__.py": "",
    "models/registry.py": "from models.unused import Unused\nROWS = {'a': Unused}\n\n\ndef load():\n    return 1\n",
    "models/unused.py": "",
    "models/tasks/__init__.py": "",
    "models/tasks/toy.py": "import models.registry\n",
    "models/tasks/rules.txt": "be short",
    "models/lazy.py": "",
    "models/typed.py": "",
    "models/sibling.py": "",
    "components/__init__.py": "",
    "components/stage.py": (
        "from typing import TYPE_CHECKING\n"
        "import os\n"
        "from models.tasks import toy\n"
        "if TYPE_CHECKING:\n    from models.typed import Typed\n"
        "def run():\n    from models import lazy\n    from . import near\n"
    ),
    "components/near.py": "",
    "components/far/__init__.py": "",
    "components/far/one.py": "",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    for name, code in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(code)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("components/stage.py", True),
        ("models/tasks/toy.py", True),
        ("models/tasks/__init__.py", True),
        ("models/tasks/rules.txt", True),
        ("models/lazy.py", True),
        ("components/near.py", True),
        ("models/typed.py", False),
        ("models/sibling.py", False),
        ("models/unused.py", False),
        ("components/far/one.py", False),
    ],
)
def test_what_a_module_imports_counts_and_nothing_else(source: Path, file: str, counts: bool) -> None:
    before = hash_modules("components.stage", source=source)
    with (source / file).open("a") as stream:
        stream.write("# edited\n")
    assert (hash_modules("components.stage", source=source) != before) == counts


def test_of_a_table_the_functions_count_and_the_rows_do_not(source: Path) -> None:
    before = hash_modules("components.stage", source=source)
    table = source / "models" / "registry.py"
    table.write_text(table.read_text().replace("ROWS = {", "ROWS = {'b': 2, "))
    assert hash_modules("components.stage", source=source) == before
    table.write_text(table.read_text().replace("return 1", "return 2"))
    assert hash_modules("components.stage", source=source) != before


def test_a_package_stands_for_all_its_modules(source: Path) -> None:
    before = hash_modules("components.far", source=source)
    (source / "components" / "far" / "two.py").write_text("")
    assert hash_modules("components.far", source=source) != before


def test_a_new_import_brings_its_module_along(source: Path) -> None:
    (source / "models" / "lazy.py").write_text("import models.sibling\n")
    before = hash_modules("components.stage", source=source)
    (source / "models" / "sibling.py").write_text("x = 1\n")
    assert hash_modules("components.stage", source=source) != before


def test_a_module_that_is_not_there_is_told(source: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="models.gone is no module"):
        hash_modules("models.gone", source=source)
