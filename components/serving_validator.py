"""Proves that the server can serve the exported model. TFX's InfraValidator needs Docker or Kubernetes for that.

Blesses as InfraValidator does with `make_warmup`: the blessing holds the model together with warm-up requests, for
Pusher to push.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
from tfx.components.infra_validator import executor as infra_validator
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils
from tfx.types.standard_artifacts import Examples, InfraBlessing, Model
from tfx.utils import path_utils

import serving
from serving.client import Client
from serving.errors import ServingError
from serving.settings import ServingSettings

DEFAULT_SIGNATURE = "serving_default"
# Inputs that take a whole serialized tf.Example instead of one of its features.
_SERIALIZED_INPUTS = ("examples", "inputs")
_TOLERANCE = 1e-4
_NUM_EXAMPLES = 16
_WARMUP_BATCH_SIZES = (1, 4, 16)
_LOAD_SECONDS = 300.0
_STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1
_REASON_FILE = "reason.txt"
_LOG_TAIL = 1500

# Input or output name -> values, batch first.
Tensors = dict[str, np.ndarray]


class NotServableError(Exception):
    """The model must not be pushed; the message is the reason that the user reads."""


@component
def ServingValidator(  # noqa: N802
    model: InputArtifact[Model],
    examples: InputArtifact[Examples],
    blessing: OutputArtifact[InfraBlessing],
    name: Parameter[str],
    task: Parameter[str],
    settings_json: Parameter[str],
    code_hash: Parameter[str] = "",
) -> None:
    """Serves the model, compares its answers with those it gives in process, and blesses it with warm-up requests.

    Args:
        model: the exported model.
        examples: raw, to ask about; those of the eval split where there is one.
        blessing: the verdict; with it the model and its warm-up requests, or the reason.
        name: name of the model.
        task: name of the task.
        settings_json: `ServingSettings` as JSON.
        code_hash: hash of the server's code; not read here, it makes the cache notice edited code.
    """
    splits = artifact_utils.decode_split_names(examples.split_names)
    split = "eval" if "eval" in splits else splits[0]
    reason = validate(
        Path(path_utils.serving_model_path(model.uri)),
        read_examples(Path(artifact_utils.get_split_uri([examples], split)), _NUM_EXAMPLES),
        Path(blessing.uri),
        name,
        ServingSettings.model_validate_json(settings_json),
    )
    if reason:
        blessing.set_string_custom_property("reason", f"{task} model {name}: {reason}")
        infra_validator._mark_not_blessed(blessing)
    else:
        blessing.set_int_custom_property("has_model", 1)
        infra_validator._mark_blessed(blessing)


def validate(model: Path, examples: Sequence[bytes], blessing: Path, name: str, settings: ServingSettings) -> str:
    """Validates a SavedModel.

    1. Forms requests from the examples, for every signature whose inputs the examples can fill.
    2. Copies the model and writes the requests beside it as warm-up.
    3. Serves the copy in another process, asks it, and compares.

    Args:
        model: folder of the SavedModel.
        examples: serialized raw tf.Examples.
        blessing: folder that gets the copy of a good model, or `reason.txt`.
        name: name of the model.
        settings: of the server.

    Returns:
        Why the model cannot be served; empty when it can.
    """
    staging = blessing / "staging"
    served = staging / "1"
    try:
        requests, expected = _requests_and_answers(model, examples)
        shutil.copytree(model, served)
        write_warmup(served, name, requests)
        with _server(name, staging, settings, blessing / "server.log") as client:
            for signature in requests:
                _compare_served(client, signature, requests[signature], expected[signature])
    except NotServableError as error:
        (blessing / _REASON_FILE).write_text(f"{error}\n", encoding="utf-8")
        return str(error)
    else:
        os.rename(served, path_utils.stamped_model_path(str(blessing)))
        return ""
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def read_examples(folder: Path, limit: int) -> list[bytes]:
    """The first serialized examples of a split."""
    files = sorted(str(path) for path in folder.iterdir() if path.is_file())
    compression = "GZIP" if files and files[0].endswith(".gz") else ""
    return list(tf.data.TFRecordDataset(files, compression_type=compression).take(limit).as_numpy_iterator())


# === Requests ===


def form_inputs(
    inputs: Mapping[str, tf.TensorSpec], examples: Sequence[bytes], defaults: Mapping[str, float] | None = None
) -> Tensors | None:
    """Fills the inputs of a signature from examples.

    Args:
        inputs: input name to spec.
        examples: serialized raw tf.Examples.
        defaults: values of inputs that no example has: the settings of a request.

    Returns:
        Input name to values (B,), for recordings (B, N), or None when an input is neither a batch of strings or
        recordings that the examples have nor one of the defaults.
    """
    parsed = [tf.train.Example.FromString(example).features.feature for example in examples]
    filled = {name: _fill_input(name, spec, parsed, examples, defaults or {}) for name, spec in inputs.items()}
    result = {name: values for name, values in filled.items() if values is not None}
    return result if result and len(result) == len(filled) else None


def _fill_input(
    name: str,
    spec: tf.TensorSpec,
    parsed: Sequence[Mapping[str, Any]],
    examples: Sequence[bytes],
    defaults: Mapping[str, float],
) -> np.ndarray | None:
    rows = [row[name] for row in parsed if name in row]
    if spec.shape.rank == 2 and spec.dtype == tf.float32 and len(rows) == len(parsed):
        return _padded([row.float_list.value for row in rows])
    if spec.shape.rank != 1:
        return None
    if name in defaults:
        return np.full(len(examples), defaults[name], spec.dtype.as_numpy_dtype)
    if name == "num_samples" and all("audio" in row for row in parsed):
        return np.array([len(row["audio"].float_list.value) for row in parsed], spec.dtype.as_numpy_dtype)
    if spec.dtype != tf.string:
        return None
    if len(rows) == len(parsed) and all(len(row.bytes_list.value) == 1 for row in rows):
        return np.array([row.bytes_list.value[0] for row in rows], dtype=object)
    return np.array(list(examples), dtype=object) if name in _SERIALIZED_INPUTS else None


def _padded(rows: Sequence[Sequence[float]]) -> np.ndarray:
    padded = np.zeros((len(rows), max(map(len, rows))), np.float32)
    for values, row in zip(padded, rows, strict=True):
        values[: len(row)] = row
    return padded


def _requests_and_answers(model: Path, examples: Sequence[bytes]) -> tuple[dict[str, Tensors], dict[str, Tensors]]:
    if not examples:
        raise NotServableError("there are no examples to ask it about; the evaluation split is empty")
    # The server runs on the processor alone, because this process may hold all memory of the GPU; so both do.
    with tf.device("/CPU:0"):
        try:
            loaded = tf.saved_model.load(str(model))
        except Exception as error:
            raise NotServableError(f"TensorFlow cannot load it: {error}") from error
        signatures, defaults = loaded.signatures, _request_defaults(model)
        requests = {}
        for signature in sorted(signatures):
            inputs = form_inputs(signatures[signature].structured_input_signature[1], examples, defaults)
            if inputs:
                requests[signature] = inputs
        if DEFAULT_SIGNATURE not in requests:
            raise NotServableError(_no_default_request(signatures, examples))
        return requests, {name: _run(signatures[name], inputs, name) for name, inputs in requests.items()}


def _request_defaults(model: Path) -> dict[str, float]:
    """What the model says of the settings of a request; nothing for a model of another maker."""
    try:
        return json.loads((model / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))["request_defaults"]
    except (OSError, ValueError, KeyError):
        return {}


def _no_default_request(signatures: Mapping[str, Any], examples: Sequence[bytes]) -> str:
    if DEFAULT_SIGNATURE not in signatures:
        return f"it has no signature {DEFAULT_SIGNATURE}; its signatures: {', '.join(sorted(signatures)) or 'none'}"
    specs = signatures[DEFAULT_SIGNATURE].structured_input_signature[1]
    inputs = ", ".join(f"{name} {spec.dtype.name} {spec.shape}" for name, spec in specs.items())
    return (
        f"the inputs of {DEFAULT_SIGNATURE} must be batches of strings named as the features of the examples "
        f"({', '.join(_string_features(examples[0]))}); they are: {inputs or 'none'}"
    )


def _string_features(serialized: bytes) -> list[str]:
    features = tf.train.Example.FromString(serialized).features.feature
    return sorted(name for name, feature in features.items() if len(feature.bytes_list.value) == 1)


def _run(signature: Any, inputs: Tensors, name: str) -> Tensors:
    try:
        outputs = signature(**{key: _tensor(values) for key, values in inputs.items()})
    except tf.errors.OpError as error:
        raise NotServableError(f"signature {name} fails on raw examples: {error.message}") from error
    return {key: value.numpy() for key, value in outputs.items()}


def _tensor(values: np.ndarray) -> tf.Tensor:
    return tf.constant(values.tolist() if values.dtype == object else values)


def write_warmup(model: Path, name: str, requests: Mapping[str, Tensors]) -> None:
    """Writes requests for a server to run before the model becomes available, for several batch sizes.

    Args:
        model: folder of the SavedModel.
        name: name of the model.
        requests: inputs by signature.
    """
    path = Path(path_utils.warmup_file_path(str(model)))
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            for size in _WARMUP_BATCH_SIZES:
                request = predict_pb2.PredictRequest()
                request.model_spec.name = name
                request.model_spec.signature_name = signature
                for key, values in inputs.items():
                    # Few examples are repeated: the size is what warms up.
                    rows = values[np.arange(size) % len(values)]
                    request.inputs[key].CopyFrom(tf.make_tensor_proto(_tensor(rows)))
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                writer.write(log.SerializeToString())


# === The server ===


@contextlib.contextmanager
def _server(name: str, base_path: Path, settings: ServingSettings, log: Path) -> Iterator[Client]:
    """Runs the real server on the model, with nothing of ours in its process but the server, and ends it."""
    port = _free_port()
    arguments = [
        f"--port={port}",
        "--host=127.0.0.1",
        f"--model_name={name}",
        f"--model_base_path={base_path}",
        f"--enable_batching={str(settings.batching.enabled).lower()}",
        # The port tells a failed load at once; else the server would stay silent through minutes of retries.
        "--ports_open_at_once",
        "--retry_for_ever",
    ]
    packages = str(Path(serving.__file__).parents[1])
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, [packages, os.environ.get("PYTHONPATH", "")])),
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "serving", *arguments], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        with Client(f"127.0.0.1:{port}", name, timeout=60.0, retry_seconds=0.0) as client:
            _wait_until_available(client, process, log)
            yield client
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_available(client: Client, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _LOAD_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotServableError(f"the server ended with status {process.returncode}: {_tail(log)}")
        # Before the port is open, or before the first look into the folder.
        with contextlib.suppress(ServingError):
            for version in client.status(timeout=5.0):
                if version.state == "AVAILABLE":
                    return
                if version.error:
                    raise NotServableError(f"the server cannot load it: {version.error}")
        time.sleep(_POLL_SECONDS)
    raise NotServableError(f"the server did not load it within {_LOAD_SECONDS:g} seconds: {_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


# === Comparison ===


@dataclasses.dataclass(frozen=True)
class _Question:
    """A request, and where its rows stand among the examples."""

    rows: slice
    label: str


def _compare_served(client: Client, signature: str, inputs: Tensors, expected: Tensors) -> None:
    """Asks for all examples in one request, then for each alone, all at the same time as clients do."""
    size = len(next(iter(inputs.values())))
    questions = [_Question(slice(0, size), f"{size} examples together")]
    questions += [_Question(slice(i, i + 1), f"example {i} alone") for i in range(size)]

    def ask(question: _Question) -> Tensors:
        return client.predict({name: values[question.rows] for name, values in inputs.items()}, signature)

    with futures.ThreadPoolExecutor(max_workers=8) as pool:
        answers = [pool.submit(ask, question) for question in questions]
    for question, answer in zip(questions, answers, strict=True):
        where = f"signature {signature}, {question.label}"
        try:
            received = answer.result()
        except ServingError as error:
            raise NotServableError(f"{where}: the server refused the request: {error}") from error
        wanted = {name: values[question.rows] for name, values in expected.items()}
        if difference := find_difference(wanted, received):
            raise NotServableError(f"{where}: {difference}")


def find_difference(expected: Tensors, received: Tensors) -> str:
    """Compares answers: strings and whole numbers exactly, floats to 1e-4.

    A request of one row may come back less padded than a batch; what is cut off must then be padding: "" or 0.
    Of texts with the same `score` rounding chooses one, and their order.

    Args:
        expected: outputs in process.
        received: outputs over gRPC.

    Returns:
        What differs; empty when nothing does.
    """
    if set(expected) != set(received):
        return f"outputs {sorted(received)} over gRPC, {sorted(expected)} in process"
    for name, wanted in expected.items():
        found = received[name]
        if wanted.ndim != found.ndim or len(wanted) != len(found):
            return f'output "{name}" has shape {found.shape} over gRPC, {wanted.shape} in process'
        shape = tuple(max(sizes) for sizes in zip(wanted.shape, found.shape, strict=True))
        wanted, found = _pad(wanted, shape), _pad(found, shape)
        same = (
            np.isclose(found, wanted, rtol=_TOLERANCE, atol=_TOLERANCE, equal_nan=True)
            if wanted.dtype.kind == "f"
            else found == wanted
        )
        if not np.all(same) and not _are_ties(same, expected.get("score"), received.get("score")):
            first = tuple(int(i) for i in np.argwhere(~np.asarray(same))[0])
            return (
                f'output "{name}"{list(first)} is {_shown(found[first])} over gRPC, {_shown(wanted[first])} in process'
            )
    return ""


def _are_ties(same: np.ndarray, expected: np.ndarray | None, received: np.ndarray | None) -> bool:
    """Whether rounding alone may have chosen among the texts that differ.

    Each must have the score of the one in its place. Beams of a row that have the same score may stand in any order;
    beyond them fewer than half may differ, since a beam just outside the answer may tie with the last one in it.
    """
    if expected is None or received is None or not expected.shape == received.shape == same.shape:
        return False
    equal = np.isclose(received, expected, rtol=_TOLERANCE, atol=_TOLERANCE)
    return bool(np.all(same | equal) and np.mean(same | _tied(expected)) > 0.5)


def _tied(scores: np.ndarray) -> np.ndarray:
    """Where a row, whose best comes first, holds the same score right before or after."""
    tied = np.zeros(scores.shape, bool)
    if scores.ndim == 2:
        pairs = np.isclose(scores[:, 1:], scores[:, :-1], rtol=_TOLERANCE, atol=_TOLERANCE)
        tied[:, 1:] |= pairs
        tied[:, :-1] |= pairs
    return tied


def _shown(value: Any) -> str:
    return repr(value.decode("utf-8", "replace")) if isinstance(value, bytes) else f"{value:g}"


def _pad(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    padded = np.full(shape, b"" if values.dtype == object else 0, dtype=values.dtype)
    padded[tuple(slice(size) for size in values.shape)] = values
    return padded
