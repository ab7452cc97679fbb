"""Settings of batching from TensorFlow Serving's BatchingParameters files."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from serving.core.config_messages import BatchingParameters
from serving.core.text_form import read_text_proto
from serving.errors import InvalidRequestError
from serving.settings import BatchingSettings

PER_MODEL_FILE = "batching_params.pbtxt"


def read_batching_parameters(path: str | Path, settings: BatchingSettings) -> BatchingSettings:
    """Reads a file; what it does not name stays as it is in the settings.

    Raises:
        InvalidRequestError: It cannot be read, is no BatchingParameters, or its values cannot be.
    """
    parameters = BatchingParameters()
    read_text_proto(str(path), parameters)
    given: dict[str, Any] = {field.name: _plain(value) for field, value in parameters.ListFields()}
    given.pop("thread_pool_name", None)  # one pool serves all models
    if given.get("num_batch_threads", 1) < 1:  # 0 means something in our settings alone
        raise InvalidRequestError(f"{path}: num_batch_threads must be at least 1, got {given['num_batch_threads']}")
    if given.get("max_enqueued_batches") == 0:
        given["max_enqueued_batches"] = 1  # as TensorFlow does
    try:
        return BatchingSettings(**{**settings.model_dump(), **given})
    except ValidationError as error:
        problems = "; ".join(_explain(problem) for problem in error.errors())
        raise InvalidRequestError(f"{path}: {problems}") from error


def read_model_parameters(folder: Path, settings: BatchingSettings) -> BatchingSettings:
    """The settings of the version in a folder, by the file in it; without that file, it is not batched.

    Raises:
        InvalidRequestError: As above.
    """
    path = folder / PER_MODEL_FILE
    if not path.is_file():
        return settings.model_copy(update={"enabled": False})
    return read_batching_parameters(path, settings)


def _plain(value: Any) -> Any:
    if hasattr(value, "DESCRIPTOR"):
        return value.value
    return value if isinstance(value, bool | int) else tuple(value)


def _explain(problem: Any) -> str:
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {problem['msg']}, got {problem['input']}" if where else problem["msg"]
