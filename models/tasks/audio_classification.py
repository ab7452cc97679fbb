"""A recording gets one of several labels: features, loss, metrics and signatures.

B: batch, N: samples, F: frames, M: mel bins, C: labels.
"""

from typing import Any

import keras
import tensorflow as tf

from models.audio import NUM_MEL_BINS, log_mel, mu_law_decode, mu_law_encode
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tasks import audio_generation
from models.tokenizers.vocabularies import Vocabularies

SEQUENCE_FEATURES = ("audio_ids",)
SCALAR_FEATURES = ("label_id",)
_FRAMES_A_SECOND = 100


def preprocess(inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
    """Quantizes `audio`, float (B, N), and looks up `label`, string (B, 1).

    Returns:
        `audio_ids` sparse int64 (B, N), mu-law levels, and `label_id` int64 (B,).
    """
    features = audio_generation.preprocess(inputs, vocabularies)
    return {name: features[name] for name in (*SEQUENCE_FEATURES, *SCALAR_FEATURES)}


def training_examples(features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
    """Transformed examples to (inputs of `frames_of` without batch, label id int32 (), weight 1.0)."""

    def example(clip: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
        levels = clip["audio_ids"]
        inputs = frames_of(mu_law_decode(levels)[tf.newaxis], tf.size(levels)[tf.newaxis], settings)
        return {name: value[0] for name, value in inputs.items()}, clip["label_id"], tf.constant(1.0)

    return features.map(example, num_parallel_calls=tf.data.AUTOTUNE)


def frames_of(audio: tf.Tensor, num_samples: tf.Tensor, settings: RunSettings) -> dict[str, tf.Tensor]:
    """What the model reads: `frames` float32 (B, F, M) of ten milliseconds, and `num_frames` int32 (B,), the real ones.

    Args:
        audio: float (B, N), 0 behind a clip's own end.
        num_samples: int (B,), the real ones.
        settings: of the run.
    """
    step = max(1, settings.audio.sample_rate // _FRAMES_A_SECOND)
    frames = log_mel(audio, settings.audio.sample_rate, NUM_MEL_BINS, step)
    return {"frames": frames, "num_frames": -(-tf.cast(num_samples, tf.int32) // step)}


def sample_requests(
    features: list[dict[str, tf.Tensor]], vocabularies: Vocabularies, settings: RunSettings
) -> dict[str, list[Any]]:
    """Inputs of `serving_default` from transformed examples: the recordings, padded to one length."""
    levels = [example["audio_ids"] for example in features]
    audio = tf.ragged.stack([mu_law_decode(one) for one in levels]).to_tensor()
    return {"audio": audio.numpy().tolist(), "num_samples": [int(tf.size(one)) for one in levels]}


def compile_arguments(settings: RunSettings) -> dict[str, Any]:
    """Loss and metrics for `keras.Model.compile`."""
    return {
        "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
        "weighted_metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    }


class Signatures(tf.Module):
    """Sound in, label and scores out.

    Args:
        model: from what `frames_of` gives to logits float32 (B, C).
        vocabularies: with the labels.
        settings: of the run.
    """

    def __init__(self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings):
        super().__init__(name="signatures")
        self.model = model
        self.labels = list(vocabularies.labels)
        self.settings = settings

    def request_defaults(self) -> dict[str, float]:
        """Values for inputs of the signatures that no example fills: here there are none."""
        return {}

    def endpoints(self) -> dict[str, tuple[Any, list[tf.TensorSpec]]]:
        """Signature name to its function and the specification of its inputs."""
        audio = tf.TensorSpec([None, None], tf.float32, name="audio")
        examples = tf.TensorSpec([None], tf.string, name="examples")
        return {
            "serving_default": (self.predict, [audio, tf.TensorSpec([None], tf.int32, name="num_samples")]),
            "examples": (self.examples, [examples]),
        }

    def predict(self, audio: tf.Tensor, num_samples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Float (B, N), of which `num_samples` int (B,) are real, to `label`, `scores` and `classes` as for texts."""
        real = tf.sequence_mask(num_samples, tf.shape(audio)[1], tf.float32)
        # Through the levels, as in training.
        heard = mu_law_decode(mu_law_encode(audio)) * real
        scores = tf.nn.softmax(tf.cast(self.model(frames_of(heard, num_samples, self.settings)), tf.float32))
        labels = tf.constant(self.labels)
        classes = tf.tile(labels[tf.newaxis], [tf.shape(scores)[0], 1])
        return {"label": tf.gather(labels, tf.argmax(scores, axis=-1)), "scores": scores, "classes": classes}

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict` returns."""
        audio = tf.io.parse_example(examples, {"audio": tf.io.RaggedFeature(tf.float32)})["audio"]
        return self.predict(audio.to_tensor(), tf.cast(audio.row_lengths(), tf.int32))
