"""Tiny models of sound, exported as the Trainer exports them."""

import itertools
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.example_gen.executor import encode
from components.example_gen.records import Record
from models.audio import mu_law_encode
from models.export import export
from models.registry import TASKS
from models.tokenizers.vocabularies import Vocabularies
from models.training import build_model, train
from tests.models.conftest import run_settings

RATE = 1000
TONES = {"high": 100, "low": 40}
WAVENET = {"architecture": "wavenet", "hidden_dim": 16, "skip_dim": 32, "dilation_depth": 5, "num_stacks": 1}
CONV = {"architecture": "gated_conv", "hidden_dim": 16, "num_layers": 1, "dropout": 0.0}

# Label, speaker, samples.
Clip = tuple[str, str, np.ndarray]


def tone(label: str, num_samples: int = 400, phase: float = 0.0) -> np.ndarray:
    time = np.arange(num_samples) / RATE
    return (0.8 * np.sin(2 * np.pi * TONES[label] * time + phase)).astype(np.float32)


def pitch(audio: np.ndarray) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(audio))) * RATE / len(audio))


def tones(count: int, seed: int = 1) -> list[Clip]:
    rng = np.random.default_rng(seed)
    labels = itertools.islice(itertools.cycle(TONES), count)
    return [(label, "", tone(label, phase=rng.uniform(0, 6))) for label in labels]


def write_raw(clips: list[Clip], folder: Path) -> Path:
    """A split as ExampleGen writes it."""
    folder.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(folder / "data.gz"), "GZIP") as writer:
        for label, speaker, audio in clips:
            writer.write(encode(Record({"audio": audio, "label": label, "speaker": speaker}, "", 1)))
    return folder


def settings_of(task: str, model: dict, **training):
    audio = {"sample_rate": RATE}
    return run_settings(task, model, training={"batch_size": 8, "chunk_length": 256, **training}, audio=audio)


def vocabularies_of(settings, speakers=("",), labels=("high", "low")) -> Vocabularies:
    return Vocabularies(settings.tokenizer, {}, {"label": list(labels), "speaker": list(speakers)})


def trained(settings, folder: Path, count: int = 32) -> Path:
    """A model that learned the tones, exported."""
    vocabularies = vocabularies_of(settings)
    clips = tones(count)
    files = [_write_transformed(part, settings, vocabularies, folder / name) for name, part in _halves(clips)]
    model, _ = train(settings, vocabularies, files[:1], files[1:], str(folder / "checkpoints"))
    return exported(model, settings, vocabularies, folder / "model")


def untrained(settings, folder: Path, **categories) -> Path:
    vocabularies = vocabularies_of(settings, **categories)
    return exported(build_model(settings, vocabularies), settings, vocabularies, folder)


def exported(model, settings, vocabularies: Vocabularies, folder: Path) -> Path:
    features = {"audio_ids": mu_law_encode(tf.constant(tone("high")[:80])), "label_id": 0, "speaker_id": 0}
    requests = TASKS[settings.task].load().sample_requests([features], vocabularies, settings)
    if "audio" not in requests and getattr(settings.model, "local_features", "none") != "none":
        requests["audio"] = [tone("high")[: requests["num_samples"][0]].tolist()]
    export(model, settings, vocabularies, str(folder), {"code_version": "0", "metrics": {}}, requests)
    return folder


def _halves(clips: list[Clip]) -> list[tuple[str, list[Clip]]]:
    return [("train.gz", clips), ("eval.gz", clips[:8])]


def _write_transformed(clips: list[Clip], settings, vocabularies: Vocabularies, file: Path) -> str:
    with tf.io.TFRecordWriter(str(file), "GZIP") as writer:
        for label, speaker, audio in clips:
            raw = {"audio": tf.constant([audio]), "label": tf.constant([[label]]), "speaker": tf.constant([[speaker]])}
            example = tf.train.Example()
            for name, value in TASKS[settings.task].preprocess(raw, vocabularies).items():
                numbers = value.values if isinstance(value, tf.SparseTensor) else value
                example.features.feature[name].int64_list.value.extend(numbers.numpy().tolist())
            writer.write(example.SerializeToString())
    return str(file)


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
        "labels": ["high", "low"],
        "settings": {"audio": {"sample_rate": RATE}},
        **described,
    }
    (target / "assets.extra").mkdir()
    (target / "assets.extra" / "seqline.json").write_text(json.dumps(description), encoding="utf-8")
    return folder
