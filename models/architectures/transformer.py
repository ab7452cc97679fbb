"""The Transformer (Vaswani et al., 2017): layers of attention, as an encoder and as a decoder.

Its decoder alone is GPT (Radford et al., 2019), its encoder alone BERT's (Devlin et al., 2019), by their settings.
Equations stand with the layers. We differ from all of them: weights begin as Keras's do (Glorot and Bengio, 2010);
sequences longer than a window are read in several (`models.layers.windows`).
"""

from typing import Any

import keras
from keras import ops

from models.architectures.roles import FinalStates
from models.architectures.settings.transformer import TransformerSettings
from models.layers.masks import real_visible
from models.layers.positions import POSITIONS, Entrance
from models.layers.transformer_block import BlockSizes, TransformerBlock, layer_norm
from models.layers.transformer_decoder import TransformerDecoder
from models.layers.windows import Windows


class TransformerEncoder(keras.layers.Layer):
    """Layers that see both sides; plays the encoder.

    Args:
        settings: sizes.
    """

    def __init__(self, settings: TransformerSettings, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.context_length = settings.context_length
        sizes = sizes_of(settings)
        self.entrance = Entrance(
            sizes.hidden_dim, settings.positions, settings.context_length, sizes.norm, name="entrance"
        )
        self.blocks = [
            TransformerBlock(sizes, has_source=False, name=f"layer_{index}") for index in range(settings.num_layers)
        ]
        self.norm = layer_norm("norm") if settings.norm == "before" else None

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: the mask is an argument of its own, here and above."""

    def call(
        self, vectors: keras.KerasTensor, padding_mask: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, FinalStates]:
        """Float (B, T, any) and bool (B, T), True = real, to float (B, T, hidden_dim); no states."""
        windows = Windows(ops.shape(vectors)[1], self.context_length)
        hidden_states = self.entrance(windows.cut(vectors), positions := ops.arange(2 * windows.half))
        visible = real_visible(windows.cut(padding_mask))
        for block in self.blocks:
            hidden_states, _, _ = block(hidden_states, visible, positions, training=training)
        return windows.join(self.norm(hidden_states) if self.norm else hidden_states), []


def sizes_of(settings: TransformerSettings) -> BlockSizes:
    """What all layers have in common."""
    return BlockSizes(
        settings.hidden_dim,
        settings.num_heads,
        settings.feed_forward_dim,
        settings.activation,
        settings.norm,
        POSITIONS[settings.positions].rotary,
        settings.dropout,
        settings.attention_dropout,
    )


def encoder(settings: TransformerSettings) -> TransformerEncoder:
    """Plays the encoder."""
    return TransformerEncoder(settings, name="encoder")


def decoder(settings: TransformerSettings, has_source: bool = True) -> TransformerDecoder:
    """Plays the decoder; without a source no layer attends to one."""
    return TransformerDecoder(
        sizes_of(settings),
        settings.num_layers,
        settings.positions,
        settings.context_length,
        has_source,
        name="decoder",
    )
