"""Sound is generated sample by sample.

B: batch, N: samples, F: frames, M: mel bins.
"""

import math
from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from models.audio import mu_law_decode, mu_law_encode
from models.features import learned_features
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tasks.audio_generation_signatures import AudioGenerationSignatures
from models.tasks.code import TaskCode, Transformed
from models.tasks.inputs import all_of, first_values
from models.tasks.sound_inputs import frames_of, shifted_right
from models.tokenizers.vocabularies import Vocabularies


class AudioGeneration(TaskCode):
    """Past samples in, the next one out; every label feature of the task can steer the whole sound."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """The label features."""
        return learned_features(self.task.features, "categories")

    @property
    def transformed(self) -> Mapping[str, Transformed]:
        """Levels and the label features."""
        return {"audio_ids": Transformed(sequence=True)} | {
            f"{name}_id": Transformed(sequence=False) for name in self.conditions
        }

    def preprocess(self, inputs: dict[str, Any], vocabularies: Vocabularies) -> dict[str, Any]:
        """Quantizes `audio` and looks up the label features.

        Returns:
            `audio_ids` sparse int64 (B, N), mu-law levels; `<feature>_id` int64 (B,) for each label feature.
        """
        audio = all_of(inputs["audio"])
        levels = tf.cast(mu_law_encode(audio.values), tf.int64)
        ids = {f"{name}_id": vocabularies.label_ids(first_values(inputs[name]), name) for name in self.conditions}
        return {"audio_ids": tf.SparseTensor(audio.indices, levels, audio.dense_shape), **ids}

    def training_examples(self, features: tf.data.Dataset, settings: RunSettings) -> tf.data.Dataset:
        """Cuts recordings into chunks of `training.chunk_length` samples, each with its receptive field before it.

        Returns:
            dataset of inputs (`audio_ids` int32 (T,), the samples behind the one before each; `<feature>_id` int32 ();
            with local features `frames` float32 (F, M)), labels int32 (T,), and weights float32 (T,): 0 for what only
            gives context.
        """
        return features.flat_map(lambda recording: self._chunks(recording, settings))

    def _chunks(self, recording: dict[str, tf.Tensor], settings: RunSettings) -> tf.data.Dataset:
        levels = recording["audio_ids"]
        step = settings.model.frame_step if settings.model.local_features != "none" else 1
        shifted = shifted_right(levels[tf.newaxis])[0]
        frames = frames_of(mu_law_decode(levels)[tf.newaxis], settings)
        starts = tf.range(0, tf.size(levels), settings.training.chunk_length)

        def chunk(start: tf.Tensor) -> tuple[dict[str, tf.Tensor], tf.Tensor, tf.Tensor]:
            end = tf.minimum(start + settings.training.chunk_length, tf.size(levels))
            # A frame is whole or not there at all.
            begin = tf.maximum(start - settings.model.receptive_field + 1, 0) // step * step
            ids = {f"{name}_id": recording[f"{name}_id"] for name in self.conditions}
            inputs = {"audio_ids": shifted[begin:end], **ids}
            if frames is not None:
                inputs["frames"] = frames[0, begin // step : (end + step - 1) // step]
            weights = tf.cast(tf.range(begin, end) >= start, tf.float32)
            return inputs, levels[begin:end], weights

        return tf.data.Dataset.from_tensor_slices(starts).map(chunk)

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> keras.Model:
        """What plays the decoder of sound: it scores samples itself."""
        sizes = {name: len(vocabularies.categories[name]) for name in settings.model.condition_on}
        return self.play("sound_decoder", settings, condition_sizes=sizes)

    def bodies(self, model: keras.Model) -> dict[str, keras.layers.Layer]:
        """The whole model."""
        return {"sound_decoder": model}

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Cross-entropy, and the same in bits."""
        return {
            "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
            "weighted_metrics": [BitsPerSample()],
        }

    def signatures(
        self, model: keras.Model, vocabularies: Vocabularies, settings: RunSettings
    ) -> AudioGenerationSignatures:
        """Conditions in, sound out."""
        return AudioGenerationSignatures(model, vocabularies, settings, self.task.request_settings)


def bits_per_sample(y_true: tf.Tensor, y_pred: tf.Tensor) -> tf.Tensor:
    """Cross-entropy in bits: levels int (B, T) and logits float (B, T, 256) to float (B, T)."""
    return keras.ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True) / math.log(2)


class BitsPerSample(keras.metrics.Mean):
    """Mean of `bits_per_sample` over all samples with their weights, however they came in batches."""

    def __init__(self) -> None:
        super().__init__(name="bits_per_sample")

    def update_state(
        self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: keras.KerasTensor | None = None
    ) -> None:
        """Adds a batch; arguments as for `bits_per_sample`, weights float (B, T)."""
        # Flat, because Keras takes the mean of each row first, and then a row's padding counts in its weight.
        weights = None if sample_weight is None else keras.ops.reshape(sample_weight, (-1,))
        super().update_state(keras.ops.reshape(bits_per_sample(y_true, y_pred), (-1,)), weights)


CODE = AudioGeneration
