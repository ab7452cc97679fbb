"""Asks the exported model for clips, as a client would."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.clip_review.recordings import HeldOut, Recording, padded
from components.clip_review.settings import ClipReviewSettings
from components.errors import EvaluationError

# Clips of one request. Local features take memory by the sample and layer, so there are fewer.
_BATCH, _COPIES_BATCH = 32, 4
_SCORE_BATCH = 8


@dataclasses.dataclass(frozen=True)
class Request:
    """A clip to generate.

    Attributes:
        label: what is asked for; "" where that is left open.
        speaker: who speaks; "" where that is left open.
        seed: decides the clip.
        num_samples: its length.
        source: the recording that is spoken again, for a model with local features.
    """

    label: str
    speaker: str
    seed: int
    num_samples: int
    source: Recording | None = None


class Generator:
    """An exported model of task audio_generation.

    Args:
        model: folder of the SavedModel.

    Attributes:
        name: of the model.
        sample_rate: in hertz.
        labels: for which clips can be asked; none where nothing decides what is heard.
        copies: whether it has local features, and so speaks a recording again.
    """

    def __init__(self, model: Path) -> None:
        described = json.loads((model / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))
        settings, self._categories = described["settings"], described["categories"]
        self.name: str = described["name"]
        self.sample_rate: int = settings["audio"]["sample_rate"]
        self._conditions: list[str] = list(settings["model"]["condition_on"])
        self.copies = settings["model"]["local_features"] != "none"
        steered = self.copies or "label" in self._conditions
        self.labels: list[str] = [label for label in self._categories["label"] if label and steered]
        self._speakers: list[str] = [one for one in self._categories["speaker"] if one] or [""]
        self._signatures = tf.saved_model.load(str(model)).signatures

    def group_of(self, label: str, speaker: str) -> str | None:
        """Under which label a recording is shown; None for one with a label or speaker that the model never met."""
        values = {"label": label, "speaker": speaker}
        if any(values[name] not in self._categories[name] for name in self._conditions):
            return None
        if not self.labels:
            return ""
        return label if label in self.labels else None

    def plan(self, settings: ClipReviewSettings, held_out: HeldOut) -> list[Request]:
        """What to ask for: label by label, speakers in turn, each clip with a seed of its own.

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
            for index in range(settings.per_label if sources or not self.copies else 0):
                number = len(requests)
                seed, speaker = settings.seed + number, self._speakers[number % len(self._speakers)]
                if self.copies:
                    source = sources[index % len(sources)]
                    samples = min(asked or len(source.samples), len(source.samples))
                    requests.append(Request(label, source.speaker, seed, samples, source))
                else:
                    speaker = speaker if "speaker" in self._conditions else ""
                    requests.append(Request(label, speaker, seed, length))
        return requests

    def generate(
        self, requests: Sequence[Request], temperature: float, on_progress: Callable[[int], None]
    ) -> list[np.ndarray]:
        """The clips, float32 (N,) each.

        Args:
            requests: from `plan`.
            temperature: of all of them.
            on_progress: is told how many are done.
        """
        size = _COPIES_BATCH if self.copies else _BATCH
        clips: list[np.ndarray] = []
        for start in range(0, len(requests), size):
            batch = requests[start : start + size]
            inputs = {
                "num_samples": tf.constant([one.num_samples for one in batch], tf.int32),
                "temperature": tf.fill([len(batch)], tf.constant(temperature, tf.float32)),
                "seed": tf.constant([one.seed for one in batch], tf.int32),
                **self._condition_inputs(batch),
            }
            if self.copies:
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
        return {name: tf.constant([getattr(one, name) for one in batch]) for name in self._conditions}
