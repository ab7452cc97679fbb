"""A toy architecture: its settings and its code, as a new one would bring them."""

from typing import Literal

import keras

from models.architectures.settings.sequence import SequenceSettings


class MeanSettings(SequenceSettings):
    """No layer at all between the embeddings and the pooling."""

    architecture: Literal["mean"] = "mean"
    """Which architecture this section describes."""


class Nothing(keras.layers.Layer):
    """Hands on what it reads."""

    def call(self, vectors, padding_mask, training=False):
        return vectors, []

    def compute_mask(self, *arguments, **keywords):
        return None


def encoder(settings: MeanSettings) -> Nothing:
    return Nothing(name="encoder")
