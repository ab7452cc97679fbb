"""Training states that unfinished runs have left: those that nothing will resume go, so that they do not pile up."""

import json
import pathlib
import shutil
from collections.abc import Mapping

from models.checkpointing import STATE_FILE

_FILE = "origin.json"
# Kept beside that of the training at work: a person tries other settings, and then goes on with what was interrupted.
_KEPT = 3


def note_origin(folder: pathlib.Path, origin: Mapping[str, str]) -> None:
    """Writes into the folder of a state what it is bound to.

    Args:
        folder: of the state; made if it is not there.
        origin: `task`, `architecture` and `code_hash`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_text(json.dumps(dict(origin)), encoding="utf-8")


def remove_old_states(current: pathlib.Path, origin: Mapping[str, str]) -> list[pathlib.Path]:
    """Removes states beside the current one.

    One of the same task and architecture by other code can never be resumed, nor can one that was not saved yet or does
    not say where it comes from. Of the others, which settings or data that come back would resume, the newest stay.

    Args:
        current: folder of the state of the training that begins; it stays.
        origin: what that one is bound to.

    Returns:
        the folders that were removed.
    """
    others = [folder for folder in current.parent.iterdir() if folder.is_dir() and folder != current]
    usable = [folder for folder in others if _may_come_back(folder, origin)]
    usable.sort(key=lambda folder: folder.stat().st_mtime, reverse=True)
    removed = [folder for folder in others if folder not in usable[:_KEPT]]
    for folder in removed:
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def _may_come_back(folder: pathlib.Path, origin: Mapping[str, str]) -> bool:
    if not (folder / STATE_FILE).exists():
        return False
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    same_program = all(found.get(key) == origin[key] for key in ("task", "architecture"))
    return not same_program or found.get("code_hash") == origin["code_hash"]
