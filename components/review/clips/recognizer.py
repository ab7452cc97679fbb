"""The independent judge of the clips: a classifier of recordings that was pushed before."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.errors import EvaluationError
from components.other_models import read_model, way_out
from components.review.clips.pushed_recognizer import SETTING, TASK, check_rate
from components.review.clips.recordings import padded

_BATCH = 32


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
        self._described = read_model(version, SETTING, TASK).description
        self.name = f"{self._described.name}, version {version.name}"
        try:
            self._signature = tf.saved_model.load(str(version)).signatures["serving_default"]
        except Exception as error:
            raise EvaluationError(
                f"{SETTING} must be a model that TensorFlow can load. Received: {version}: {error}. {way_out(SETTING)}"
            ) from error

    def check_fits(self, sample_rate: int, labels: Sequence[str]) -> None:
        """Raises EvaluationError where it hears at another rate or does not know one of the labels."""
        check_rate(self._described, sample_rate)
        known = self._described.labels
        missing = [label for label in labels if label not in known]
        if missing:
            raise EvaluationError(
                "clips.recognizer must know every label of the model. "
                f"Received: {self._described.name}, which lacks {', '.join(missing)}; it knows {', '.join(known)}. "
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
