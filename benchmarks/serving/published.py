"""Model folders that change while they are served: versions come, go, and break."""

import shutil
from pathlib import Path

from tensorflow.core.protobuf import saved_model_pb2

from serving.client import Client, ModelVersion
from serving.errors import ServingError

STAGING = ".staging"


def publish(source: Path, base: Path, number: int) -> Path:
    """Puts a version in place at one stroke: copied under another name, then renamed."""
    staging = base / STAGING
    shutil.copytree(source, staging)
    return staging.rename(base / str(number))


def publish_broken(source: Path, base: Path, number: int, breaking: str) -> Path:
    """The same with a fault of `FAULTS`, made before the rename."""
    staging = base / STAGING
    shutil.copytree(source, staging)
    FAULTS[breaking](staging)
    return staging.rename(base / str(number))


def versions(client: Client) -> list[ModelVersion]:
    """What GetModelStatus tells; nothing for a model that the server does not know."""
    try:
        return client.status()
    except ServingError:
        return []


def states(client: Client) -> dict[int, str]:
    """Version to the name of its state."""
    return {one.version: one.state for one in versions(client)}


def _truncate(version: Path) -> None:
    (data,) = (version / "variables").glob("variables.data-*")
    with data.open("r+b") as file:
        file.truncate(data.stat().st_size // 2)


def _use_unknown_op(version: Path) -> None:
    path = version / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    node = saved.meta_graphs[0].graph_def.node.add()
    node.name, node.op = "no_such_op", "NoSuchOp"
    _write(path, saved)


def _misname_tensors(version: Path) -> None:
    path = version / "saved_model.pb"
    saved = saved_model_pb2.SavedModel.FromString(path.read_bytes())
    for name, signature in saved.meta_graphs[0].signature_def.items():
        if name.startswith("__"):  # the initialiser, without which it would not even load
            continue
        for tensor in signature.outputs.values():
            tensor.name = "no_such_tensor:0"
    _write(path, saved)


def _write(path: Path, saved: saved_model_pb2.SavedModel) -> None:
    # A new file: the old one may be a link to that of the source.
    path.unlink()
    path.write_bytes(saved.SerializeToString())


FAULTS = {"truncated": _truncate, "unknown op": _use_unknown_op, "wrong signature": _misname_tensors}
