"""Gated convolutions (Dauphin et al., 2017) with residual connections, as an encoder.

We differ in seeing both sides of a position, since the whole text, or sound, is known.
"""

from typing import Any

import keras
from keras import ops

from models.architectures.roles import FinalStates
from models.architectures.settings.gated_conv import GatedConvSettings
from models.layers.gated_conv import GatedConv, SqueezeExcitation


class GatedConvStack(keras.layers.Layer):
    """Gated convolutions, each with a residual connection; padding is invisible to all of them.

    Args:
        settings: sizes.
    """

    def __init__(self, settings: GatedConvSettings, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.projection = keras.layers.Dense(settings.hidden_dim)
        self.convolutions = [
            GatedConv(settings.hidden_dim, settings.kernel_size, 2**depth if settings.dilation else 1, "same", "linear")
            for depth in range(settings.num_layers)
        ]
        ratio = settings.squeeze_excitation
        self.excitations = [SqueezeExcitation(settings.hidden_dim, ratio) for _ in self.convolutions if ratio]
        self.dropouts = [keras.layers.Dropout(settings.dropout) for _ in self.convolutions]

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: the mask is an argument of its own, here and above."""

    def call(
        self, vectors: keras.KerasTensor, padding_mask: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, FinalStates]:
        """Float (B, T, any) and bool (B, T), True = real, to float (B, T, hidden_dim), 0 where padded; no states."""
        real = ops.expand_dims(ops.cast(padding_mask, self.compute_dtype), -1)
        hidden_states = self.projection(vectors) * real
        for index, convolution in enumerate(self.convolutions):
            added = convolution(hidden_states)
            if self.excitations:
                added = self.excitations[index](added, padding_mask)
            # Zeros before the next layer looks: what is padded must look as if it were not there.
            hidden_states = (hidden_states + self.dropouts[index](added, training=training)) * real
        return hidden_states, []


def encoder(settings: GatedConvSettings) -> GatedConvStack:
    """Plays the encoder."""
    return GatedConvStack(settings, name="encoder")
