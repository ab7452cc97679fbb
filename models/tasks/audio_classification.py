"""A recording gets one of several labels.

B: batch, N: samples, F: frames, M: mel bins, C: labels.
"""

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.audio import NUM_MEL_BINS, log_mel
from models.layers.masks import SequenceMask
from models.layers.noise import NoiseFloor
from models.run_settings import RunSettings
from models.tasks.classification import Classification, ClassifierSignatures
from models.tasks.code import Example, Transformed
from models.tasks.inputs import all_of, at_least_one_position, first_values
from models.tasks.signatures import Endpoints, spec
from models.tokenizers.vocabularies import Vocabularies

_FRAMES_A_SECOND = 100


class AudioClassification(Classification):
    """Frames of ten milliseconds in."""

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Samples and the label."""
        return {"audio": Transformed(sequence=True, dtype=tf.float32), "label_id": Transformed(sequence=False)}

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Looks up `label`, and leaves `audio` as it is: sparse float32 (B, N), `label_id` int64 (B,)."""
        return {"audio": all_of(inputs["audio"]), "label_id": vocabularies.label_ids(first_values(inputs["label"]))}

    def training_example(self, features: dict[str, tf.Tensor], settings: RunSettings) -> Example:
        """Inputs of `frames_of` without batch, label id int32 (), weight 1.0."""
        audio = features["audio"]
        inputs = frames_of(audio[tf.newaxis], tf.size(audio)[tf.newaxis], settings)
        return {name: value[0] for name, value in inputs.items()}, features["label_id"], tf.constant(1.0)

    def front(
        self, settings: RunSettings, vocabularies: Vocabularies
    ) -> tuple[Any, keras.KerasTensor, keras.KerasTensor]:
        """Frames, float (B, F, M), and how many of each row are real, int (B,); both as `frames_of` makes them."""
        frames = keras.Input((None, NUM_MEL_BINS), name="frames")
        num_frames = keras.Input((), dtype="int32", name="num_frames")
        padding_mask = SequenceMask(name="padding_mask")(num_frames, frames)
        noise, dropout = settings.model.noise_snr_db, settings.model.token_dropout
        heard = frames if noise is None else NoiseFloor(noise, name="noise")(frames, padding_mask)
        # Levels and their spread differ from band to band. Those that serving uses must be learned in a short training
        # too: Keras's own momentum, 0.99, would have forgotten only a fifth of the zero that it begins with after 24
        # steps.
        normalization = keras.layers.BatchNormalization(momentum=0.9, name="normalization")
        frame_dropout = keras.layers.Dropout(dropout, noise_shape=(None, None, 1), name="frame_dropout")
        vectors = frame_dropout(normalization(heard, mask=padding_mask))
        return {"frames": frames, "num_frames": num_frames}, vectors, padding_mask

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> "AudioClassificationSignatures":
        """Sound in, label and scores out."""
        return AudioClassificationSignatures(model, vocabularies, settings, self.task.request_settings)


def frames_of(audio: tf.Tensor, num_samples: tf.Tensor, settings: RunSettings) -> dict[str, tf.Tensor]:
    """What the model reads: `frames` float32 (B, F, M) of ten milliseconds, and `num_frames` int32 (B,), the real ones.

    Args:
        audio: float (B, N), 0 behind a clip's own end.
        num_samples: int (B,), the real ones.
        settings: of the run.
    """
    step = max(1, settings.audio.sample_rate // _FRAMES_A_SECOND)
    frames = log_mel(at_least_one_position(audio), settings.audio.sample_rate, NUM_MEL_BINS, step)
    return {"frames": frames, "num_frames": -(-tf.cast(num_samples, tf.int32) // step)}


class AudioClassificationSignatures(ClassifierSignatures):
    """Sound in, label and scores out."""

    def endpoints(self) -> Endpoints:
        """Recordings, and recordings in serialized examples."""
        audio = tf.TensorSpec([None, None], tf.float32, name="audio")
        return {
            "serving_default": (self.predict, [audio, spec("num_samples", tf.int32)]),
            "examples": (self.examples, [spec("examples")]),
        }

    def predict(self, audio: tf.Tensor, num_samples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Float (B, N), of which `num_samples` int (B,) are real, to `label`, `scores` and `classes` as for texts."""
        # A client may promise more samples than it sends, or fewer than none.
        num_samples = tf.clip_by_value(num_samples, 0, tf.shape(audio)[1])
        real = tf.sequence_mask(num_samples, tf.shape(audio)[1], tf.float32)
        heard = tf.clip_by_value(audio, -1.0, 1.0) * real
        return self.classified(self.model(frames_of(heard, num_samples, self.settings)))

    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what `predict` returns."""
        audio = tf.io.parse_example(examples, {"audio": tf.io.RaggedFeature(tf.float32)})["audio"]
        return self.predict(audio.to_tensor(), tf.cast(audio.row_lengths(), tf.int32))


CODE = AudioClassification
