"""Another run's model: looked at without TensorFlow, so that a mistake shows before a run starts."""

import dataclasses
from pathlib import Path

from components.errors import EvaluationError
from components.files_hash import hash_files, hash_folder
from components.versions import newest_in
from models.description import ModelDescription
from models.errors import SeqlineError

_PUSHED = "the folder of a pushed model"


@dataclasses.dataclass(frozen=True)
class OtherModel:
    """A version of a pushed model, or a file that stands for one.

    Attributes:
        folder: of the SavedModel, or the file; absolute.
        description: what it says of itself.
    """

    folder: Path
    description: ModelDescription

    @property
    def fingerprint(self) -> str:
        """Digest of all its files, for the cache."""
        if self.folder.is_file():
            return hash_files([("", self.folder)])[:16]
        return hash_folder(self.folder)[:16]


def find_model(folder: str, setting: str, task: str) -> OtherModel:
    """The newest version of a pushed model.

    Args:
        folder: with one sub-folder for each version.
        setting: which names it, for the messages.
        task: which it must solve.

    Raises:
        EvaluationError: there is none, or it solves another task.
    """
    if not Path(folder).is_dir():
        raise _refusal(setting, task, f"{folder}, which does not exist")
    newest = newest_in(Path(folder))
    if newest is None:
        raise _refusal(setting, task, f"{folder}, which holds no version (a folder whose name is a number)")
    return read_model(newest.resolve(), setting, task)


def read_model(version: Path, setting: str, task: str, kind: str = _PUSHED) -> OtherModel:
    """One version of a pushed model, or what else `kind` says; arguments and errors as of `find_model`."""
    try:
        description = ModelDescription.read(version)
    except SeqlineError as error:
        raise _refusal(setting, task, f"{version}, whose assets.extra/seqline.json cannot be read", kind) from error
    if description.task != task:
        raise _refusal(setting, task, f"{version}, of task {description.task}", kind)
    return OtherModel(version, description)


def way_out(setting: str) -> str:
    """What a user whose setting names no fitting model can do."""
    return f"Train and push one by a configuration of its own, or leave {setting} empty."


def _refusal(setting: str, task: str, received: str, kind: str = _PUSHED) -> EvaluationError:
    rule = f"{setting} must be {kind} of task {task}"
    return EvaluationError(f"{rule}. Received: {received}. {way_out(setting)}")
