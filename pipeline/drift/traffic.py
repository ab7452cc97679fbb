"""What a served model was asked and what it answered, from the request log (`serving.request_log`)."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf import message
from tensorflow_serving.apis import prediction_log_pb2

from components.requests import row_of
from models.errors import SeqlineError
from models.features import Feature
from models.tasks.task import Task
from serving.errors import ServingError
from serving.wire.tensors import decode_tensor

# Outputs that say how sure the model is: of one answer, or of each of several.
_SCORES = ("score", "scores")


class DriftError(SeqlineError):
    """There is no traffic to look at, or nothing to compare it with."""


@dataclass
class Traffic:
    """What was seen of the log.

    Attributes:
        requests: how many were read.
        begin: when the first was answered.
        end: when the last was.
        texts: by feature, what was asked, and what was answered in its place.
        in_parts: features of which texts are asked in another form than they are learned in, such as their beginnings:
            their lengths mean nothing.
        answers: the labels that were answered.
        scores: how sure the model was of each answer: the greatest of its scores.
        damaged: files that end in the middle of a record, as where a server was killed.
        other_versions: requests that another version of the model answered than the one that is asked about; their
            texts count, and their answers do not.
    """

    requests: int = 0
    begin: datetime.datetime | None = None
    end: datetime.datetime | None = None
    texts: dict[str, list[str]] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    in_parts: set[str] = field(default_factory=set)
    other_versions: int = 0


def read_traffic(paths: Sequence[Path], task: Task, version: str | None = None) -> Traffic:
    """Reads request logs.

    Args:
        paths: files, or folders of them.
        task: says what the inputs and outputs are.
        version: whose answers count; None for those of all.

    Raises:
        DriftError: there are no files, one cannot be read, or none has a request with a text.
    """
    traffic = Traffic()
    found = {path: _files(path) for path in paths}
    if missing := [str(path) for path, files in found.items() if not files]:
        raise DriftError(
            f"Request logs are files *.tfrecord, or folders of them. Received: {', '.join(missing)}, where there are "
            "none. Set serving.request_log.folder, so that the server writes some"
        )
    for log in _logs([file for files in found.values() for file in files], traffic):
        traffic.requests += 1
        _note_time(log, traffic)
        _note_texts(log, task, traffic)
        _note_answers(log, task, traffic, version)
    if not any(traffic.texts.values()) and not traffic.answers:
        raise DriftError(
            f"Drift is seen in texts that are asked and labels that are answered. Received: {traffic.requests} "
            f"requests without any, in {', '.join(map(str, paths))}{_no_log(traffic)}. Name the log of a model of the "
            f"task {task.name}"
        )
    return traffic


def _no_log(traffic: Traffic) -> str:
    return f" ({', '.join(traffic.damaged)}: not TFRecords of PredictionLog)" if traffic.damaged else ""


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.tfrecord*")) if path.is_dir() else [path] if path.exists() else []


def _logs(files: Sequence[Path], traffic: Traffic) -> Iterator[prediction_log_pb2.PredictionLog]:
    for file in files:
        before = traffic.requests
        try:
            for raw in tf.data.TFRecordDataset(str(file)):
                yield prediction_log_pb2.PredictionLog.FromString(raw.numpy())
        except (tf.errors.DataLossError, message.DecodeError):  # what was read before is whole
            traffic.damaged.append(str(file))
        except tf.errors.NotFoundError:
            # The server has completed it meanwhile, or removed it as the oldest.
            if (complete := file.with_suffix("")).exists() and file.suffix == ".partial":
                yield from _logs([complete], traffic)
        except tf.errors.OpError as error:
            raise DriftError(
                f"{file} cannot be read: {error.message}. Name another file, or mend its rights"
            ) from error
        else:
            # A few bytes pass for the end of a file.
            if traffic.requests == before and file.exists() and file.stat().st_size:
                traffic.damaged.append(str(file))


def _note_time(log: prediction_log_pb2.PredictionLog, traffic: Traffic) -> None:
    if seconds := log.log_metadata.timestamp_secs:
        time = datetime.datetime.fromtimestamp(seconds).astimezone()
        traffic.begin = min(time, traffic.begin or time)
        traffic.end = max(time, traffic.end or time)


def _note_texts(log: prediction_log_pb2.PredictionLog, task: Task, traffic: Traffic) -> None:
    inputs, key = _inputs(log), task.judging.prediction_key
    for feature in task.features:
        if feature.facts.learned in ("pieces", "words"):
            names = [name for name in (feature.name, feature.facts.joined, feature.prompt) if name in inputs]
            if names:
                texts = [_joined(value) for value in inputs[names[0]]]
            else:
                # An answer stands where a text of this kind does.
                texts = [_best(value) for value in _outputs(log).get(key, [])] if feature.name == key else []
            traffic.texts.setdefault(feature.name, []).extend(texts)
            if names[:1] not in ([], [feature.name]):
                traffic.in_parts.add(feature.name)


def _note_answers(log: prediction_log_pb2.PredictionLog, task: Task, traffic: Traffic, version: str | None) -> None:
    outputs, key = _outputs(log), task.judging.prediction_key
    answered = str(_response(log).model_spec.version.value or "")
    if version and answered and answered != version:
        traffic.other_versions += 1
        return
    if _is_label(key, task.features):
        traffic.answers += [_best(value) for value in outputs.get(key, [])]
    scores = next((outputs[name] for name in _SCORES if name in outputs), [])
    traffic.scores += [float(np.max(score)) for score in scores if np.size(score)]


def _response(log: prediction_log_pb2.PredictionLog) -> Any:
    kinds = (name for name in ("predict_log", "classify_log", "regress_log") if log.HasField(name))
    return getattr(log, next(kinds, "predict_log")).response


def _is_label(name: str, features: Sequence[Feature]) -> bool:
    return any(one.name == name and one.facts.learned == "categories" and not one.facts.many for one in features)


def _inputs(log: prediction_log_pb2.PredictionLog) -> dict[str, list[Any]]:
    """Values of each row, by input."""
    if log.HasField("predict_log"):
        inputs = _decoded(log.predict_log.request.inputs)
        serialized = [row for name in ("examples", "inputs") for row in inputs.pop(name, []) if isinstance(row, bytes)]
    else:
        part = log.classify_log if log.HasField("classify_log") else log.regress_log
        inputs, serialized = {}, [one.SerializeToString() for one in part.request.input.example_list.examples]
    for example in serialized:
        for name, value in row_of(example).items():
            inputs.setdefault(name, []).append(value)
    return inputs


def _outputs(log: prediction_log_pb2.PredictionLog) -> dict[str, list[Any]]:
    if log.HasField("predict_log"):
        return _decoded(log.predict_log.response.outputs)
    rows = log.classify_log.response.result.classifications
    best = [max(row.classes, key=lambda one: one.score) for row in rows if row.classes]
    return {"label": [one.label for one in best], "scores": [one.score for one in best]}


def _decoded(tensors: Mapping[str, Any]) -> dict[str, list[Any]]:
    decoded = {}
    for name, proto in tensors.items():
        try:
            array = decode_tensor(proto)
        except ServingError:  # of a type that no text or score has
            continue
        decoded[name] = list(array) if array.ndim else [array[()]]
    return decoded


def _joined(value: Any) -> str:
    """The text of a row; of a row of several, such as tokens, all with blanks between."""
    return " ".join(map(_text, np.ravel(np.asarray(value, dtype=object))))


def _best(value: Any) -> str:
    """The answer to a row: of several, such as the beams of a search, the first."""
    return next(map(_text, np.ravel(np.asarray(value, dtype=object))), "")


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
