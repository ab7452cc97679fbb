"""Google's neural machine translation system (Wu et al., 2016, section 3), for one machine.

The encoder's bottom layer reads from both ends, the others from one; from the third layer on there are residual
connections (eq. 5 and 6); the decoder is `GnmtDecoder`. We differ: the decoder starts from a learned reading of the
encoder's final states, of which the paper says nothing; dropout stands between layers as in Zaremba et al. (2014), by
whom the paper goes; weights begin as Keras's do, not evenly in [-0.04, 0.04]; no reinforcement learning (section 5), no
quantised inference (section 6).
"""

from typing import Any

import keras

from models.architectures.roles import FinalStates
from models.architectures.settings.gnmt import GnmtSettings
from models.layers.gnmt_decoder import GnmtDecoder
from models.layers.recurrent import RecurrentStack


class GnmtEncoder(keras.layers.Layer):
    """A bidirectional LSTM layer, unidirectional ones over it; plays the encoder.

    Args:
        settings: sizes.
    """

    def __init__(self, settings: GnmtSettings, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.bottom = RecurrentStack("lstm", settings.hidden_dim, 1, bidirectional=True, name="bottom")
        # Its own second layer is the third of all.
        self.above = RecurrentStack(
            "lstm",
            settings.hidden_dim,
            settings.num_layers - 1,
            bidirectional=False,
            connections="residual",
            dropout=settings.dropout,
            name="above",
        )
        self.dropout = keras.layers.Dropout(settings.dropout, name="dropout")

    def build(self, vectors_shape: tuple[int | None, ...]) -> None:
        """Builds both parts; vectors are float (B, T, E)."""
        self.bottom.build(vectors_shape)
        self.above.build((*vectors_shape[:-1], self.bottom.width))
        self.built = True

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: the mask is an argument of its own, here and above."""

    def call(
        self, vectors: keras.KerasTensor, padding_mask: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, FinalStates]:
        """Float (B, T, E) and bool (B, T), True = real, to float (B, T, hidden_dim) and the states of all layers."""
        bottom, bottom_states = self.bottom(vectors, padding_mask, training=training)
        top, states = self.above(self.dropout(bottom, training=training), padding_mask, training=training)
        return top, [*bottom_states, *states]


def encoder(settings: GnmtSettings) -> GnmtEncoder:
    """Plays the encoder."""
    return GnmtEncoder(settings, name="encoder")


def decoder(settings: GnmtSettings, has_source: bool = True) -> GnmtDecoder:
    """Plays the decoder; without a source what it would see of one is zero."""
    return GnmtDecoder(settings.hidden_dim, settings.num_layers, settings.dropout, has_source, name="decoder")
