"""Asks the exported model for clips, as a client would."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.errors import EvaluationError
from components.review.clips.recordings import HeldOut, Recording, padded
from components.review.settings import ClipReviewSettings
from models.description import ModelDescription
from models.features import learned_features
from models.registry import TASKS

# Clips of one request. Local features take memory by the sample and layer, so there are fewer.
_BATCH, _REVOICED_BATCH = 32, 4
_SCORE_BATCH = 8


@dataclasses.dataclass(frozen=True)
class Request:
    """A clip to generate.

    Attributes:
        values: what is asked for, by label feature, in the order of the task; "" where that is left open.
        seed: decides the clip.
        num_samples: its length.
        source: the recording that is spoken again, for a model with local features.
    """

    values: dict[str, str]
    seed: int
    num_samples: int
    source: Recording | None = None


class Generator:
    """An exported model that makes sound.

    Args:
        model: folder of the SavedModel.

    Attributes:
        name: of the model.
        sample_rate: in hertz.
        label_features: of its task, in their order.
        label_key: the one that says what is heard.
        labels: its values for which clips can be asked; none where nothing decides what is heard.
        revoices: whether it has local features, and so speaks a recording again.
    """

    def __init__(self, model: Path) -> None:
        described = ModelDescription.read(model)
        task, settings = TASKS[described.task], described.settings
        self.name = described.name
        self.sample_rate: int = settings["audio"]["sample_rate"]
        self.label_features = learned_features(task.features, "categories")
        self.label_key = task.judging.label_key
        self._categories = described.categories
        self._conditions: list[str] = list(settings["model"]["condition_on"])
        self.revoices = settings["model"]["local_features"] != "none"
        steered = self.revoices or self.label_key in self._conditions
        self.labels: list[str] = self._known(self.label_key) if steered else []
        self._signatures = tf.saved_model.load(str(model)).signatures

    def group_of(self, values: dict[str, str]) -> str | None:
        """Under which label a recording is shown; None for one with a value that the model, asked for it, never met."""
        if any(values[name] not in self._categories[name] for name in self._conditions):
            return None
        if not self.labels:
            return ""
        label = values[self.label_key]
        return label if label in self.labels else None

    def plan(self, settings: ClipReviewSettings, held_out: HeldOut) -> list[Request]:
        """What to ask for: label by label, the other conditions' values in turn, each clip with a seed of its own.

        A model with local features speaks held-out recordings again; a label without any gets no clips.

        Raises:
            EvaluationError: nothing says how long the clips should be.
        """
        asked = round(settings.seconds * self.sample_rate) if settings.seconds else 0
        length = asked or held_out.median_length
        if not length:
            raise EvaluationError(
                "clips.seconds must be set where there are no held-out recordings to take the length of clips from. "
                f"Received: clips.seconds {settings.seconds} and an empty split. Set it, or mend data.split."
            )
        requests: list[Request] = []
        for label in self.labels or [""]:
            sources = held_out.groups.get(label, [])
            for index in range(settings.per_label if sources or not self.revoices else 0):
                number = len(requests)
                seed = settings.seed + number
                if self.revoices:
                    source = sources[index % len(sources)]
                    samples = min(asked or len(source.samples), len(source.samples))
                    requests.append(Request({**source.values, self.label_key: label}, seed, samples, source))
                else:
                    requests.append(Request(self._values(label, number), seed, length))
        return requests

    def _values(self, label: str, number: int) -> dict[str, str]:
        """What is asked for in a clip: its label, and of each other condition the next value."""
        values = dict.fromkeys(self.label_features, "")
        for name in self._conditions:
            known = self._known(name) or [""]
            values[name] = known[number % len(known)]
        return values | {self.label_key: label}

    def _known(self, name: str) -> list[str]:
        return [value for value in self._categories[name] if value]

    def generate(
        self, requests: Sequence[Request], temperature: float, on_progress: Callable[[int], None]
    ) -> list[np.ndarray]:
        """The clips, float32 (N,) each.

        Args:
            requests: from `plan`.
            temperature: of all of them.
            on_progress: is told how many are done.
        """
        size = _REVOICED_BATCH if self.revoices else _BATCH
        clips: list[np.ndarray] = []
        for start in range(0, len(requests), size):
            batch = requests[start : start + size]
            inputs = {
                "num_samples": tf.constant([one.num_samples for one in batch], tf.int32),
                "temperature": tf.fill([len(batch)], tf.constant(temperature, tf.float32)),
                "seed": tf.constant([one.seed for one in batch], tf.int32),
                **self._condition_inputs(batch),
            }
            if self.revoices:
                inputs["audio"], _ = padded([one.source.samples[: one.num_samples] for one in batch if one.source])
            audio = self._signatures["serving_default"](**inputs)["audio"].numpy()
            clips += [row[: one.num_samples] for row, one in zip(audio, batch, strict=True)]
            on_progress(len(clips))
        return clips

    def score(self, recordings: Sequence[Recording]) -> list[float]:
        """Bits per sample that the model needs for each recording or clip."""
        bits: list[float] = []
        for start in range(0, len(recordings), _SCORE_BATCH):
            batch = recordings[start : start + _SCORE_BATCH]
            audio, lengths = padded([one.samples for one in batch])
            answer = self._signatures["score"](audio=audio, num_samples=lengths, **self._condition_inputs(batch))
            bits += answer["bits_per_sample"].numpy().tolist()
        return bits

    def _condition_inputs(self, batch: Sequence[Request | Recording]) -> dict[str, tf.Tensor]:
        return {name: tf.constant([one.values[name] for one in batch]) for name in self._conditions}
