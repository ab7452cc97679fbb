"""Tones, and models of known behaviour that speak and hear them: the oracles of a review of clips."""

import itertools
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.example_gen.executor import encode
from components.example_gen.records import Record
from models.description import ModelDescription

RATE = 1000
TONES = {"high": 100, "low": 40}

# Label, speaker, samples.
Spoken = tuple[str, str, np.ndarray]


def tone(label: str, num_samples: int = 400, phase: float = 0.0) -> np.ndarray:
    time = np.arange(num_samples) / RATE
    return (0.8 * np.sin(2 * np.pi * TONES[label] * time + phase)).astype(np.float32)


def pitch(audio: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(audio))) * RATE / len(audio))


def tones(count: int, seed: int = 1) -> list[Spoken]:
    rng = np.random.default_rng(seed)
    labels = itertools.islice(itertools.cycle(TONES), count)
    return [(label, "", tone(label, phase=rng.uniform(0, 6))) for label in labels]


def write_raw(recordings: list[Spoken], folder: Path) -> Path:
    """A split as ExampleGen writes it."""
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
        for label, speaker, audio in recordings:
            writer.write(encode(Record({"audio": audio, "label": label, "speaker": speaker}, "", 1)))
    return folder


class ToneSpeaker(tf.Module):
    """Speaks the tone of a label, begun where the seed says, the hoarser the higher the temperature.

    Args:
        conditions: values of each feature for which it can be asked.
        revoices: whether it gives back the recording that it hears.
    """

    def __init__(self, conditions: dict[str, list[str]], revoices: bool) -> None:
        super().__init__()
        self.conditions = conditions
        self.revoices = revoices

    def speak(
        self,
        num_samples: tf.Tensor,
        temperature: tf.Tensor,
        seed: tf.Tensor,
        audio: tf.Tensor | None = None,
        **conditions: tf.Tensor,
    ) -> dict[str, tf.Tensor]:
        self._check(conditions)
        longest = tf.reduce_max(num_samples)
        real = tf.sequence_mask(num_samples, longest, tf.float32)
        rows = tf.shape(num_samples)[0]
        if audio is None:
            audio = tf.map_fn(
                lambda row: self._tone(*row, longest),
                (conditions.get("label", tf.fill([rows], "low")), seed, temperature),
                fn_output_signature=tf.float32,
            )
        return {"audio": audio * real, "sample_rate": tf.fill([rows], RATE)}

    def score(self, audio: tf.Tensor, num_samples: tf.Tensor, **conditions: tf.Tensor) -> dict[str, tf.Tensor]:
        self._check(conditions)
        return {"bits_per_sample": tf.reduce_sum(tf.square(audio), axis=1) / tf.cast(num_samples, tf.float32)}

    def save(self, folder: Path) -> None:
        """Exports both signatures as the Trainer does."""
        sound = {"audio": tf.TensorSpec([None, None], tf.float32)}
        asked = {name: tf.TensorSpec([None], tf.string) for name in self.conditions}
        length = {"num_samples": tf.TensorSpec([None], tf.int32)}
        drawn = {"temperature": tf.TensorSpec([None], tf.float32), "seed": tf.TensorSpec([None], tf.int32)}
        default = {**length, **drawn, **asked, **(sound if self.revoices else {})}
        signatures = {
            "serving_default": _signature(self.speak, default),
            "score": _signature(self.score, {**sound, **length, **asked}),
        }
        tf.saved_model.save(self, str(folder), signatures=signatures)

    def _tone(self, label: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor, longest: tf.Tensor) -> tf.Tensor:
        hertz = tf.where(label == "high", float(TONES["high"]), float(TONES["low"]))
        time = tf.cast(tf.range(longest), tf.float32) / RATE
        noise = tf.random.stateless_normal([longest], tf.stack([seed, 0]))
        return 0.8 * tf.sin(2 * np.pi * hertz * time + tf.cast(seed, tf.float32)) + 0.05 * temperature * noise

    def _check(self, conditions: dict[str, tf.Tensor]) -> None:
        for name, values in conditions.items():
            known = tf.reduce_any(values[:, tf.newaxis] == tf.constant(self.conditions[name]), axis=1)
            tf.debugging.assert_equal(known, True, f"{name} must be one of {self.conditions[name]}")


def _signature(function, specs: dict[str, tf.TensorSpec]):
    named = {name: tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()}
    return tf.function(lambda **inputs: function(**inputs)).get_concrete_function(**named)


def speaker(
    folder: Path,
    condition_on: tuple[str, ...] = ("label",),
    labels: tuple[str, ...] = ("high", "low"),
    speakers: tuple[str, ...] = ("",),
    revoices: bool = False,
) -> Path:
    """An exported `ToneSpeaker`."""
    categories = {"label": list(labels), "speaker": list(speakers)}
    ToneSpeaker({name: categories[name] for name in condition_on}, revoices).save(folder)
    ModelDescription(
        name="toy",
        task="audio_generation",
        architecture="wavenet",
        settings={
            "audio": {"sample_rate": RATE},
            "model": {"condition_on": list(condition_on), "local_features": "log_mel" if revoices else "none"},
        },
        labels=list(labels),
        categories=categories,
    ).write(folder)
    return folder


class PitchRecognizer(tf.Module):
    """Hears by the number of zero crossings: the oracle for tones."""

    def __init__(self, labels: list[str]) -> None:
        super().__init__()
        # The first is the low one.
        self.labels = tf.constant(labels)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None], tf.float32, "audio"),
            tf.TensorSpec([None], tf.int32, "num_samples"),
        ]
    )
    def hear(self, audio: tf.Tensor, num_samples: tf.Tensor) -> dict[str, tf.Tensor]:
        crossings = tf.reduce_sum(tf.cast(audio[:, 1:] * audio[:, :-1] < 0, tf.float32), axis=1)
        high = tf.cast(crossings / tf.cast(num_samples, tf.float32) * RATE / 2 > 70, tf.int32)
        scores = tf.where(tf.one_hot(high, 2) > 0, 0.9, 0.1)
        return {"label": tf.gather(self.labels, high), "scores": scores}


def pushed(folder: Path, low: str = "low", high: str = "high", version: int = 1, **described) -> Path:
    """A version of a recognizer by pitch, with its names for the two tones; returns the folder of its versions."""
    target = folder / str(version)
    module = PitchRecognizer([low, high])
    tf.saved_model.save(module, str(target), signatures={"serving_default": module.hear})
    description = {
        "name": "ears",
        "task": "audio_classification",
        "architecture": "gated_conv",
        "labels": ["high", "low"],
        "settings": {"audio": {"sample_rate": RATE}},
        **described,
    }
    ModelDescription.model_validate(description).write(target)
    return folder
