"""A stack of recurrent layers with explicit masks (Hochreiter and Schmidhuber, 1997; Schuster and Paliwal, 1997)."""

from typing import Any

import keras

CELLS = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "simple": keras.layers.SimpleRNNCell}
LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple": keras.layers.SimpleRNN}
# What a cell hands from step to step, by the letters of its equations.
STATES = {"lstm": "hc", "gru": "h", "simple": "h"}


class RecurrentStack(keras.layers.Layer):
    """Recurrent layers one over the other, each over the whole sequence.

    B: batch, T: time, D: input width, H: `hidden_dim`, twice that if bidirectional.

    Masking: the mask is an argument of its own and goes to every layer; padded positions leave states unchanged.

    Args:
        cell: "lstm", "gru" or "simple".
        hidden_dim: units of each direction.
        num_layers: number of layers.
        bidirectional: read from both ends.
        residual: add the input of each layer but the first to its output (Wu et al., 2016, eq. 6).
        dropout: rate applied to the input of every layer but the first; what comes in from outside is the task's.
    """

    def __init__(
        self,
        cell: str,
        hidden_dim: int,
        num_layers: int,
        bidirectional: bool = True,
        residual: bool = False,
        dropout: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.cell = cell
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.residual = residual
        self.dropout = dropout
        self.layers = [self._layer(index) for index in range(num_layers)]
        self.dropouts = [keras.layers.Dropout(dropout, name=f"dropout_{index}") for index in range(1, num_layers)]

    def _layer(self, index: int) -> keras.layers.Layer:
        name = f"{self.cell}_{index}"
        layer = LAYERS[self.cell](self.hidden_dim, return_sequences=True, return_state=True, name=name)
        return keras.layers.Bidirectional(layer, name=f"bidirectional_{index}") if self.bidirectional else layer

    def build(self, inputs_shape: tuple[int | None, ...]) -> None:
        """Builds every layer for the width of the one below; float (B, T, D)."""
        width = inputs_shape[-1]
        for layer in self.layers:
            layer.build((*inputs_shape[:-1], width))
            width = self.hidden_dim * (2 if self.bidirectional else 1)
        self.built = True

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: the mask is an argument of its own, here and above."""

    def call(
        self, inputs: keras.KerasTensor, padding_mask: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, list[list[keras.KerasTensor]]]:
        """Runs the stack.

        Args:
            inputs: float (B, T, D).
            padding_mask: bool (B, T), True = real token.
            training: whether dropout is active.

        Returns:
            float (B, T, H), the top layer's states; and for each layer its final states, each (B, H), the two
            directions side by side: `[h, c]` for lstm, `[h]` otherwise.
        """
        hidden_states, final_states = inputs, []
        for index, layer in enumerate(self.layers):
            below = self.dropouts[index - 1](hidden_states, training=training) if index else hidden_states
            hidden_states, *states = layer(below, mask=padding_mask, training=training)
            if self.residual and index:
                hidden_states = hidden_states + below
            final_states.append(self._side_by_side(states))
        return hidden_states, final_states

    def _side_by_side(self, states: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
        if not self.bidirectional:
            return states
        half = len(states) // 2
        pairs = zip(states[:half], states[half:], strict=True)
        return [keras.ops.concatenate(pair, axis=-1) for pair in pairs]

    def compute_output_shape(self, inputs_shape: tuple[int | None, ...], **kwargs: Any) -> tuple[Any, Any]:
        """Shapes of what `call` returns."""
        width = self.hidden_dim * (2 if self.bidirectional else 1)
        states = [(inputs_shape[0], width)] * len(STATES[self.cell])
        return (*inputs_shape[:-1], width), [states] * self.num_layers
