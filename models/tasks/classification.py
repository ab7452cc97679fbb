"""A sequence gets one of several labels: the part that is the same for texts and sounds.

B: batch, T: positions, E: width of the vectors, C: labels.
"""

import abc
from typing import Any

import keras
import tensorflow as tf

from models.layers.heads.pooling import Pooling
from models.losses import SmoothedCrossEntropy
from models.run_settings import RunSettings
from models.tasks.code import TaskCode
from models.tasks.signatures import Signatures
from models.tokenizers.vocabularies import Vocabularies


class Classification(TaskCode):
    """Vectors, an encoder, one vector of the whole sequence, logits."""

    @abc.abstractmethod
    def front(
        self, settings: RunSettings, vocabularies: Vocabularies
    ) -> tuple[Any, keras.KerasTensor, keras.KerasTensor]:
        """Model inputs, and what the encoder reads of them: vectors float (B, T, E) and padding mask bool (B, T)."""

    def build(self, settings: RunSettings, vocabularies: Vocabularies) -> keras.Model:
        """A model from the inputs of `front` to logits, float32 (B, C)."""
        inputs, vectors, padding_mask = self.front(settings, vocabularies)
        # === Layers ===
        encoder = self.play("encoder", settings)
        pooling = Pooling(settings.model.pooling, name="pooling")
        dropout = keras.layers.Dropout(settings.model.dropout, name="output_dropout")
        output = keras.layers.Dense(len(vocabularies.labels), dtype="float32", name="logits")

        # === Functional Model ===
        hidden_states, final_states = encoder(vectors, padding_mask)
        pooled = pooling(hidden_states, padding_mask, final_states)
        return keras.Model(inputs, output(dropout(pooled)), name="classifier")

    def compile_arguments(self, settings: RunSettings) -> dict[str, Any]:
        """Cross-entropy and accuracy."""
        return {
            "loss": SmoothedCrossEntropy(settings.training.label_smoothing),
            "weighted_metrics": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
        }


class ClassifierSignatures(Signatures):
    """Scores as labels with names."""

    def classified(self, logits: tf.Tensor) -> dict[str, tf.Tensor]:
        """Float (B, C) to `label` string (B,), `scores` float32 (B, C) that sum to 1, `classes` string (B, C)."""
        scores = tf.nn.softmax(tf.cast(logits, tf.float32))
        labels = tf.constant(self.vocabularies.labels)
        classes = tf.tile(labels[tf.newaxis], [tf.shape(scores)[0], 1])
        return {"label": tf.gather(labels, tf.argmax(scores, axis=-1)), "scores": scores, "classes": classes}
