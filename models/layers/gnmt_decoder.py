"""The decoder of Google's translation system (Wu et al., 2016, section 3).

1. The context is asked for before the step (eq. 4), by what the bottom layer gave in the step before.
2. Every layer reads it, beside what stands below: the bottom one the token's vector, the others the layer under them.
3. From the third layer on, what a layer reads is added to what it gives (eq. 6).

N: rows decoded together, E: embedding width, H: `hidden_dim`.
"""

from typing import Any

import keras

from models.layers.attention import BahdanauAttention
from models.layers.cell_stack import CellStack, Masks, States
from models.layers.recurrent_decoder import Memory, RecurrentDecoder

# Of the layers counted from 0: the first over which there is a residual connection.
FIRST_RESIDUAL = 2


class GnmtDecoder(RecurrentDecoder):
    """Stacked LSTM cells that all read one context; plays the decoder.

    The attention is that of Bahdanau et al. (2015): "a feed forward network with one hidden layer" in the paper.

    Args:
        hidden_dim: H, also the width of the encoder's states.
        num_layers: layers.
        dropout: rate applied to what every layer but the first reads.
        has_source: whether there is something to look at; if not, the context is zero.
    """

    def __init__(self, hidden_dim: int, num_layers: int, dropout: float = 0.0, has_source: bool = True, **kwargs: Any):
        stack = CellStack("lstm", hidden_dim, num_layers, "residual", FIRST_RESIDUAL, dropout, name="stack")
        super().__init__(stack, BahdanauAttention(hidden_dim, name="attention") if has_source else None, **kwargs)

    def build(self, vectors_shape: tuple[Any, Any, int]) -> None:
        """Builds cells and attention; vectors are float (B, T, E)."""
        self.stack.build((None, vectors_shape[-1]), context_dim=self.hidden_dim)
        if self.scorer is not None:
            self.scorer.build((None, self.hidden_dim))
        self.built = True

    def decode(
        self, vectors: keras.KerasTensor, states: States, memory: Memory | None, masks: Masks
    ) -> tuple[keras.KerasTensor, States, keras.KerasTensor]:
        """A step, as `RecurrentDecoder` says."""
        context, weights = self.look(states[0][0], memory)
        top, states = self.stack.step(vectors, states, context, masks)
        return top, states, weights
