"""One recurrent layer over a whole sequence: Keras's own where it can be, since that has a fast kernel on a GPU.

Without a GPU, Keras's LSTM under TensorFlow trains through a loop of ours, which does so half as fast again.

B: batch, T: time, D: input width, H: `hidden_dim`.
"""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from models.layers.cells import CELLS
from models.layers.lstm_loop import lstm_loop
from models.layers.masks import dropout_mask
from models.layers.scan import scan


@keras.saving.register_keras_serializable("seqline")  # so that `Bidirectional` can copy it
class LSTM(keras.layers.LSTM):
    """Keras's, trained by `lstm_loop` where there is no GPU; the name is part of the layout of saved weights."""

    def inner_loop(
        self, sequences: keras.KerasTensor, initial_state: Any, mask: keras.KerasTensor | None, training: bool = False
    ) -> Any:
        """Keras asks for the last output, all outputs and the last states; those of a layer backwards as it reads."""
        by_hand = keras.backend.backend() == "tensorflow" and not tf.config.list_logical_devices("GPU")
        # A SavedModel would keep a gradient made by hand, and cannot.
        if not (training and by_hand):
            return super().inner_loop(sequences, initial_state, mask, training)
        turn = (lambda tensor: ops.flip(tensor, 1)) if self.go_backwards else (lambda tensor: tensor)
        below = turn(ops.matmul(sequences, self.cell.kernel) + self.cell.bias)
        kernel = ops.convert_to_tensor(self.cell.recurrent_kernel)
        first_h, first_c = initial_state
        outputs, h, c = lstm_loop(below, kernel, first_h, first_c, None if mask is None else turn(mask))
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(ops.expand_dims(turn(mask), -1), outputs, ops.zeros_like(outputs))
        return h, outputs, [h, c]


_KERAS = {"lstm": LSTM, "gru": keras.layers.GRU, "simple": keras.layers.SimpleRNN}


def recurrent_layer(
    cell: str,
    hidden_dim: int,
    bidirectional: bool,
    layer_normalization: bool = False,
    recurrent_dropout: float = 0.0,
    name: str | None = None,
) -> keras.layers.Layer:
    """A layer from sequence float (B, T, D) and mask bool (B, T) to what `RecurrentLayer` gives; arguments as there."""
    if layer_normalization or recurrent_dropout:
        return RecurrentLayer(cell, hidden_dim, bidirectional, layer_normalization, recurrent_dropout, name)
    layer = _KERAS[cell](hidden_dim, return_sequences=True, return_state=True, name=name)
    return keras.layers.Bidirectional(layer, name=f"bidirectional_{name}") if bidirectional else layer


class RecurrentLayer(keras.layers.Layer):
    """Cells over a sequence, from one end or from both (Schuster and Paliwal, 1997), the two in one loop.

    Masking: padded positions leave the states as they are, and repeat the output before them.

    Args:
        cell: key of `CELLS`.
        hidden_dim: units of each direction.
        bidirectional: read from both ends.
        layer_normalization: normalise the summed inputs of the cells.
        recurrent_dropout: share of the state dropped where gates read it, the same at every step of a sequence.
    """

    def __init__(
        self,
        cell: str,
        hidden_dim: int,
        bidirectional: bool,
        layer_normalization: bool = False,
        recurrent_dropout: float = 0.0,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.supports_masking = True
        self.hidden_dim = hidden_dim
        self.recurrent_dropout = recurrent_dropout
        directions = ("forward", "backward") if bidirectional else ("forward",)
        self.cells = [CELLS[cell](hidden_dim, layer_normalization, name=direction) for direction in directions]
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, sequence_shape: tuple[Any, ...]) -> None:
        """Builds the cells for a sequence float (B, T, D)."""
        for cell in self.cells:
            cell.build(sequence_shape)
        self.built = True

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: the mask is an argument of its own, here and above."""

    def call(
        self, sequence: keras.KerasTensor, mask: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, ...]:
        """Reads.

        Args:
            sequence: float (B, T, D).
            mask: bool (B, T), True = real.
            training: whether dropout is active.

        Returns:
            outputs, float (B, T, H), the two directions side by side if there are two; then the final states, float
            (B, H) each: h and where there is one c, first those of the direction forward.
        """
        rows = ops.shape(sequence)[0]
        turns = [lambda tensor: tensor, lambda tensor: ops.flip(tensor, 1)][: len(self.cells)]
        projected = [turn(cell.input_projection(sequence)) for cell, turn in zip(self.cells, turns, strict=True)]
        real = [turn(ops.expand_dims(mask, -1)) for turn in turns]
        dropped = [self._dropped(rows, training) for _ in self.cells]
        zeros = ops.zeros((rows, self.hidden_dim), self.compute_dtype)

        def one(carry: list[Any], at: tuple[list[Any], list[Any]]) -> tuple[list[Any], list[Any]]:
            following = []
            for cell, states, below, is_real, mask in zip(self.cells, carry, *at, dropped, strict=True):
                _, found = cell(below, states, mask)
                following.append([ops.where(is_real, *pair) for pair in zip(found, states, strict=True)])
            return following, [states[0] for states in following]

        starts = [[zeros] * len(cell.states) for cell in self.cells]
        final_states, outputs = scan(one, starts, (projected, real))
        outputs = [turn(output) for turn, output in zip(turns, outputs, strict=True)]
        return ops.concatenate(outputs, -1), *(state for states in final_states for state in states)

    def _dropped(self, rows: Any, training: bool) -> keras.KerasTensor | None:
        if not (training and self.recurrent_dropout):
            return None
        return dropout_mask((rows, self.hidden_dim), self.recurrent_dropout, self.seed_generator, self.compute_dtype)
