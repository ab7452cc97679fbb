"""A stack of recurrent layers with explicit masks (Hochreiter and Schmidhuber, 1997; Schuster and Paliwal, 1997)."""

from typing import Any

import keras

from models.layers.cells import CELLS
from models.layers.connections import CONNECTIONS
from models.layers.recurrent_layer import recurrent_layer


class RecurrentStack(keras.layers.Layer):
    """Recurrent layers one over the other, each over the whole sequence.

    B: batch, T: time, D: input width, H: `hidden_dim`, twice that if bidirectional.

    Masking: the mask is an argument of its own and goes to every layer; padded positions leave states unchanged.

    Dropout: of what every layer but the first reads, never of what a connection carries past it; what comes in from
    outside is the task's. Plain, it is drawn for each position (Zaremba et al., 2014); variational, once for all
    positions of a sequence (Gal and Ghahramani, 2016, section 4.1), as that of the states always is.

    Args:
        cell: "lstm", "gru" or "simple".
        hidden_dim: units of each direction.
        num_layers: number of layers.
        bidirectional: read from both ends.
        connections: key of `CONNECTIONS`, what joins the layers from the second one on.
        dropout: rate applied to what every layer but the first reads.
        variational_dropout: draw it once for all positions.
        recurrent_dropout: rate applied to the states where gates read them.
        layer_normalization: normalise the summed inputs of the cells.
    """

    def __init__(
        self,
        cell: str,
        hidden_dim: int,
        num_layers: int,
        bidirectional: bool = True,
        connections: str = "none",
        dropout: float = 0.0,
        variational_dropout: bool = False,
        recurrent_dropout: float = 0.0,
        layer_normalization: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.hidden_dim = hidden_dim
        self.bidirectional = bidirectional
        self.num_states = len(CELLS[cell].states)
        self.layers = [
            recurrent_layer(
                cell, hidden_dim, bidirectional, layer_normalization, recurrent_dropout, name=f"{cell}_{index}"
            )
            for index in range(num_layers)
        ]
        noise_shape = (None, 1, None) if variational_dropout else None
        above = range(1, num_layers)
        self.dropouts = [keras.layers.Dropout(dropout, noise_shape, name=f"dropout_{index}") for index in above]
        joins = CONNECTIONS[connections]
        self.connections = [joins(self.width, name=f"{connections}_{index}") for index in above]

    @property
    def width(self) -> int:
        """H."""
        return self.hidden_dim * (2 if self.bidirectional else 1)

    def build(self, inputs_shape: tuple[Any, ...]) -> None:
        """Builds every layer for the width of what it reads; inputs are float (B, T, D)."""
        self.layers[0].build(inputs_shape)
        widths: list[Any] = [inputs_shape[-1], self.width]
        shape = (*inputs_shape[:-1], self.width)
        for layer, connection in zip(self.layers[1:], self.connections, strict=True):
            layer.build((*inputs_shape[:-1], connection.width(widths)))
            connection.build(shape, shape)
            widths.append(self.width)
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
            float (B, T, H), the top layer's outputs; and for each layer its final states, each (B, H), the two
            directions side by side: `[h, c]` for lstm, `[h]` otherwise.
        """
        first, *above = self.layers
        outputs, *states = first(inputs, mask=padding_mask, training=training)
        below, final_states = [inputs, outputs], [self._side_by_side(states)]
        for layer, dropout, connection in zip(above, self.dropouts, self.connections, strict=True):
            read = dropout(connection.read(below), training=training)
            outputs, *states = layer(read, mask=padding_mask, training=training)
            below.append(connection(below[-1], outputs))
            final_states.append(self._side_by_side(states))
        return below[-1], final_states

    def _side_by_side(self, states: list[keras.KerasTensor]) -> list[keras.KerasTensor]:
        if not self.bidirectional:
            return states
        half = len(states) // 2
        pairs = zip(states[:half], states[half:], strict=True)
        return [keras.ops.concatenate(pair, axis=-1) for pair in pairs]

    def compute_output_shape(self, inputs_shape: tuple[int | None, ...], **kwargs: Any) -> tuple[Any, Any]:
        """Shapes of what `call` returns."""
        states = [(inputs_shape[0], self.width)] * self.num_states
        return (*inputs_shape[:-1], self.width), [states] * len(self.layers)
