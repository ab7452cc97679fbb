"""TFX's Pusher with a push that is atomic and never repeated.

TFX copies straight into the version folder: a server that looks there in the middle of it, or after a push that was
killed, finds half a model. Here the copy has another name until it is complete and on disk.

TFX also pushes the same model again whenever it is judged again, so that servers reload what they have. Here a model
that is already the newest version stays as it is.
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tfx.components.pusher import component as tfx_component
from tfx.components.pusher import executor as tfx_executor
from tfx.dsl.components.base import executor_spec
from tfx.proto import pusher_pb2
from tfx.types import Artifact, BaseChannel, artifact_utils
from tfx.utils import io_utils, proto_utils

from components.paths import local_copy
from components.versions import newest_in, versions_in

# Not a number, so no server takes it for a version.
_INCOMING = ".incoming-"
_LAST_VERSION = ".last_version"
_BLOCK_BYTES = 1 << 20


def push(model: Path, base_directory: Path, clock: Callable[[], float] = time.time) -> Path:
    """Makes a model the newest version of a serving folder, all at once.

    1. Removes what an interrupted push left.
    2. Copies the model under a name that servers ignore, and waits until it is on disk.
    3. Renames it to its version, which a server sees whole or not at all.

    Args:
        model: folder of the SavedModel.
        base_directory: folder of the versions; made if it does not exist.
        clock: seconds since 1970, from which version numbers are made.

    Returns:
        The folder of the new version.
    """
    base_directory.mkdir(parents=True, exist_ok=True)
    for leftover in base_directory.glob(f"{_INCOMING}*"):
        shutil.rmtree(leftover)

    version = next_version(base_directory, clock)
    incoming = base_directory / f"{_INCOMING}{version}"
    # Symbolic links are followed: a served version must not change when an artifact does.
    shutil.copytree(model, incoming)
    _write_to_disk(incoming)

    _remember_version(base_directory, version)
    pushed = base_directory / str(version)
    os.rename(incoming, pushed)
    _sync(base_directory)
    return pushed


def already_pushed(model: Path, base_directory: Path) -> Path | None:
    """The newest version of a serving folder, if it is this very model."""
    newest = newest_in(base_directory)
    return newest if newest and _same_files(model, newest) else None


def _same_files(left: Path, right: Path) -> bool:
    names = [sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_file()) for top in (left, right)]
    return names[0] == names[1] and all(_same_bytes(left / name, right / name) for name in names[0])


def _same_bytes(left: Path, right: Path) -> bool:
    """Compares two files. Python's `filecmp` answers from a cache that sizes and times alone decide on."""
    if left.stat().st_size != right.stat().st_size:
        return False
    with left.open("rb") as one, right.open("rb") as other:
        while block := one.read(_BLOCK_BYTES):
            if block != other.read(_BLOCK_BYTES):
                return False
    return True


def next_version(base_directory: Path, clock: Callable[[], float] = time.time) -> int:
    """The time in seconds, or one more than the greatest version ever pushed here if the clock is behind that."""
    versions = list(versions_in(base_directory))
    # A version that was rolled back and deleted counts too: its number must not come to mean another model.
    last = base_directory / _LAST_VERSION
    if last.exists() and last.read_text().strip().isdecimal():
        versions.append(int(last.read_text()))
    return max([int(clock()), *(version + 1 for version in versions)])


def _remember_version(base_directory: Path, version: int) -> None:
    written = base_directory / f"{_LAST_VERSION}.new"
    written.write_text(f"{version}\n")
    _sync(written)
    os.replace(written, base_directory / _LAST_VERSION)


def _write_to_disk(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class AtomicExecutor(tfx_executor.Executor):
    """TFX's executor, but for the copy into the serving folder."""

    def Do(  # noqa: N802
        self,
        input_dict: dict[str, list[Any]],
        output_dict: dict[str, list[Any]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if both blessings say so."""
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties["push_destination"], destination)
        base_directory = destination.filesystem.base_directory
        if "://" in base_directory:
            # Object stores have no rename; TFX writes saved_model.pb last there, which is the best they allow.
            super().Do(input_dict, output_dict, exec_properties)
            return

        pushed_model = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed_model)
            return
        with local_copy(self.GetModelPath(input_dict)) as model:
            pushed = already_pushed(model, Path(base_directory)) or push(model, Path(base_directory))
            io_utils.copy_dir(str(model), pushed_model.uri)
        self._MarkPushed(pushed_model, pushed_destination=str(pushed), pushed_version=pushed.name)


class Pusher(tfx_component.Pusher):
    """TFX's Pusher with `AtomicExecutor`; pushes the model that both validators blessed."""

    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(AtomicExecutor)

    def __init__(self, model_blessing: BaseChannel, infra_blessing: BaseChannel, base_directory: str) -> None:
        """Wires the component, with output `pushed_model`.

        Args:
            model_blessing: of the last judge.
            infra_blessing: of ServingValidator; it holds the model with the warm-up requests, which is what is pushed.
            base_directory: folder that gets one sub-folder for each version.
        """
        destination = pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=base_directory)
        )
        super().__init__(model_blessing=model_blessing, infra_blessing=infra_blessing, push_destination=destination)


def is_push_current(outputs: Mapping[str, list[Artifact]]) -> bool:
    """Whether a cached push is still what the server would serve.

    It is not when the folder of its version is gone, or when another model was pushed after it.
    """
    [pushed] = outputs["pushed_model"]
    if pushed.get_int_custom_property("pushed") != 1:
        return True
    version = Path(pushed.get_string_custom_property("pushed_destination"))
    versions = versions_in(version.parent)
    return bool(versions) and max(versions) == int(version.name)
