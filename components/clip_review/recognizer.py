"""The independent judge of the clips: a classifier of recordings that was pushed before."""

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.clip_review.recordings import padded
from components.errors import EvaluationError

_TASK = "audio_classification"
_BATCH = 32
_RULE = f"clips.recognizer must be the folder of a pushed model of task {_TASK}"
_WAY_OUT = "Train and push one by a configuration of its own, or leave clips.recognizer empty."


def find_recognizer(folder: str, sample_rate: int) -> Path:
    """The newest version of a pushed recognizer; without loading it, so that a mistake shows before a run starts.

    Args:
        folder: with one sub-folder for each version.
        sample_rate: of the clips, in hertz.

    Raises:
        EvaluationError: there is none, it solves another task, or it hears at another rate.
    """
    if not Path(folder).is_dir():
        raise EvaluationError(f"{_RULE}. Received: {folder}, which does not exist. {_WAY_OUT}")
    versions = [path for path in Path(folder).iterdir() if path.name.isdecimal() and path.is_dir()]
    if not versions:
        raise EvaluationError(
            f"{_RULE}. Received: {folder}, which holds no version (a folder whose name is a number). {_WAY_OUT}"
        )
    newest = max(versions, key=lambda path: int(path.name)).resolve()
    _check_rate(read_description(newest), sample_rate)
    return newest


def fingerprint(version: Path) -> str:
    """Digest of all files of a version, for the cache."""
    digest = hashlib.sha256()
    for path in sorted(path for path in version.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(version)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def read_description(version: Path) -> dict[str, Any]:
    """What a recognizer says of itself.

    Raises:
        EvaluationError: it says nothing, or solves another task.
    """
    try:
        described = json.loads((version / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))
        task = described["task"]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(
            f"{_RULE}. Received: {version}, whose assets.extra/seqline.json cannot be read. {_WAY_OUT}"
        ) from error
    if task != _TASK:
        raise EvaluationError(f"{_RULE}. Received: {version}, of task {task}. {_WAY_OUT}")
    return described


def _check_rate(described: dict[str, Any], sample_rate: int) -> None:
    rate = described["settings"]["audio"]["sample_rate"]
    if rate != sample_rate:
        raise EvaluationError(
            "clips.recognizer must hear at the rate of the clips (audio.sample_rate). "
            f"Received: {described['name']}, for {rate} Hz, and clips of {sample_rate} Hz. "
            "Train both with the same audio.sample_rate."
        )


@dataclasses.dataclass(frozen=True)
class Heard:
    """What the recognizer hears in a clip.

    Attributes:
        label: the most probable one.
        probability: of that label, 0 to 1.
    """

    label: str
    probability: float


class Recognizer:
    """A loaded recognizer.

    Args:
        version: folder of its SavedModel.

    Raises:
        EvaluationError: it cannot be loaded, or solves another task.
    """

    def __init__(self, version: Path) -> None:
        self._described = read_description(version)
        self.name = f"{self._described['name']}, version {version.name}"
        try:
            self._signature = tf.saved_model.load(str(version)).signatures["serving_default"]
        except Exception as error:
            raise EvaluationError(
                f"clips.recognizer must be a model that TensorFlow can load. Received: {version}: {error}. {_WAY_OUT}"
            ) from error

    def check_fits(self, sample_rate: int, labels: Sequence[str]) -> None:
        """Raises EvaluationError where it hears at another rate or does not know one of the labels."""
        _check_rate(self._described, sample_rate)
        known = self._described["labels"]
        missing = [label for label in labels if label not in known]
        if missing:
            raise EvaluationError(
                "clips.recognizer must know every label of the model. "
                f"Received: {self._described['name']}, which lacks {', '.join(missing)}; it knows {', '.join(known)}. "
                "Train it on recordings of all labels."
            )

    def hear(self, clips: Sequence[np.ndarray]) -> list[Heard]:
        """Says what it hears in each clip, float (N,)."""
        heard: list[Heard] = []
        for start in range(0, len(clips), _BATCH):
            audio, lengths = padded(list(clips[start : start + _BATCH]))
            answer = self._signature(audio=audio, num_samples=lengths)
            labels, scores = answer["label"].numpy(), answer["scores"].numpy().max(axis=1)
            heard += [Heard(label.decode(), float(score)) for label, score in zip(labels, scores, strict=True)]
        return heard
