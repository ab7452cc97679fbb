"""Recurrent cells, a step at a time: what enters from below, what comes from the step before, and how they meet.

N: rows, D: input width, H: `hidden_dim`, G: gates of the cell. x: input, h and c: states of the step before; W, U, b:
weights of the input, of the state, and biases, those of all gates side by side, in Keras's order.

Dropout of the state (Gal and Ghahramani, 2016, eq. 7): a mask z, the same at all steps of a sequence, on h where the
gates read it, the same for all of them ("tied weights"). What a cell remembers, c, or z * h of a GRU, is never dropped.

Layer normalisation (Ba et al., 2016): LN(a) = g * (a - mean) / deviation + b over the summed inputs of a layer.
"""

from typing import Any, ClassVar

import keras
from keras import ops

from models.layers.lstm_loop import lstm_loop
from models.layers.scan import scan

_EPSILON = 1e-5


class Projection(keras.layers.Layer):
    """A matrix product, W x + b, normalised where wanted: LN(W x) with b for its bias.

    Args:
        parts: widths of what is normalised by itself; the product is as wide as all of them.
        layer_normalization: whether it is.
        use_bias: whether there is a b.
        kernel_initializer: of W.
        bias_initializer: of b.
    """

    def __init__(
        self,
        parts: tuple[int, ...],
        layer_normalization: bool = False,
        use_bias: bool = True,
        kernel_initializer: str = "glorot_uniform",
        bias_initializer: Any = "zeros",
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.parts = parts
        self.product = keras.layers.Dense(
            sum(parts),
            use_bias=use_bias and not layer_normalization,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            name="product",
        )
        self.normalizations = [
            keras.layers.LayerNormalization(
                epsilon=_EPSILON, center=use_bias, beta_initializer=bias_initializer, name=f"normalization_{index}"
            )
            for index, _ in enumerate(parts if layer_normalization else ())
        ]

    def build(self, inputs_shape: tuple[Any, ...]) -> None:
        """Builds for inputs float (..., D)."""
        self.product.build(inputs_shape)
        for part, normalization in zip(self.parts, self.normalizations, strict=False):
            normalization.build((None, part))
        self.built = True

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Float (..., D) to float (..., sum of the parts)."""
        product = self.product(inputs)
        if not self.normalizations:
            return product
        ends = [sum(self.parts[: index + 1]) for index in range(len(self.parts))]
        normalized = [
            normalize(product[..., end - width : end])
            for normalize, width, end in zip(self.normalizations, self.parts, ends, strict=True)
        ]
        return ops.concatenate(normalized, -1)


class Cell(keras.layers.Layer):
    """The base of all cells.

    Args:
        hidden_dim: H.
        layer_normalization: normalise the summed inputs.

    Attributes:
        states: what it hands from step to step, by the letters of its equations; h is also its output.
        input_projection: what enters from below, float (..., D) to float (..., G * H); it needs no state, so that it
            can be computed for all steps at once.
        state_projection: what comes from the step before.
    """

    states: ClassVar[str] = "h"
    input_projection: Projection
    state_projection: Projection

    def __init__(self, hidden_dim: int, layer_normalization: bool = False, name: str | None = None):
        super().__init__(name=name)
        self.hidden_dim = hidden_dim
        self.layer_normalization = layer_normalization

    def build(self, inputs_shape: tuple[Any, ...]) -> None:
        """Builds for inputs float (..., D)."""
        self.input_projection.build(inputs_shape)
        self.state_projection.build((None, self.hidden_dim))
        self.built = True

    def call(
        self, projected: keras.KerasTensor, states: list[keras.KerasTensor], mask: keras.KerasTensor | None = None
    ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
        """One step.

        Args:
            projected: what `input_projection` gave, float (N, G * H).
            states: of the step before, float (N, H) each.
            mask: by which h is multiplied where gates read it, float (N, H): 0 where dropped, else 1 / (1 - rate).

        Returns:
            h, float (N, H), and the next states.
        """
        h = states[0] if mask is None else states[0] * mask
        following = self.meet(projected, self.state_projection(h), states)
        return following[0], following

    def read(
        self, projected: keras.KerasTensor, states: list[keras.KerasTensor], mask: keras.KerasTensor | None = None
    ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
        """All steps of a sequence, for training: as `call`; what is projected and h have a time, float (N, T, any)."""

        def one(states: Any, below: keras.KerasTensor) -> tuple[Any, keras.KerasTensor]:
            h, following = self(below, states, mask)
            return following, h

        states, outputs = scan(one, states, projected)
        return outputs, states

    def meet(
        self, below: keras.KerasTensor, before: keras.KerasTensor, states: list[keras.KerasTensor]
    ) -> list[keras.KerasTensor]:
        """Both projections, float (N, G * H) each, and the states of the step before, to the next states."""
        raise NotImplementedError


class SimpleCell(Cell):
    """h' = tanh(W x + U h + b) (Elman, 1990); normalised, h' = tanh(LN(W x + U h)) (Ba et al., 2016, eq. 4)."""

    def __init__(self, hidden_dim: int, layer_normalization: bool = False, name: str | None = None):
        super().__init__(hidden_dim, layer_normalization, name)
        self.input_projection = Projection((hidden_dim,), use_bias=not layer_normalization, name="input")
        self.state_projection = Projection((hidden_dim,), False, False, "orthogonal", name="state")
        self.normalization = keras.layers.LayerNormalization(epsilon=_EPSILON, name="normalization")

    def build(self, inputs_shape: tuple[Any, ...]) -> None:
        """Builds for inputs float (..., D)."""
        if self.layer_normalization:
            self.normalization.build((None, self.hidden_dim))
        super().build(inputs_shape)

    def meet(
        self, below: keras.KerasTensor, before: keras.KerasTensor, states: list[keras.KerasTensor]
    ) -> list[keras.KerasTensor]:
        """As `Cell` says."""
        summed = below + before
        return [ops.tanh(self.normalization(summed) if self.layer_normalization else summed)]


class LstmCell(Cell):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997) with a forget gate (Gers et al., 2000).

    Input gate i, forget gate f, candidate g, output gate o: (i; f; g; o) = W x + U h + b, then

        c' = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h' = sigmoid(o) * tanh(c')

    Normalised (Ba et al., 2016, supplementary material): LN(W x) + LN(U h) for the gates, tanh(LN(c')) for the output.
    We differ in one bias for the three that the gates would have there. The forget gate's begins at 1 (Jozefowicz et
    al., 2015).
    """

    states: ClassVar[str] = "hc"

    def __init__(self, hidden_dim: int, layer_normalization: bool = False, name: str | None = None):
        super().__init__(hidden_dim, layer_normalization, name)
        gates = (4 * hidden_dim,)
        self.input_projection = Projection(gates, layer_normalization, bias_initializer=_ones_of_forget, name="input")
        self.state_projection = Projection(gates, layer_normalization, False, "orthogonal", name="state")
        self.normalization = keras.layers.LayerNormalization(epsilon=_EPSILON, name="normalization")

    def build(self, inputs_shape: tuple[Any, ...]) -> None:
        """Builds for inputs float (..., D)."""
        if self.layer_normalization:
            self.normalization.build((None, self.hidden_dim))
        super().build(inputs_shape)

    def read(
        self, projected: keras.KerasTensor, states: list[keras.KerasTensor], mask: keras.KerasTensor | None = None
    ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
        """As `Cell` says."""
        if keras.backend.backend() != "tensorflow" or self.layer_normalization or mask is not None:
            return super().read(projected, states, mask)
        kernel = ops.cast(self.state_projection.product.kernel, projected.dtype)
        outputs, *following = lstm_loop(projected, kernel, *states)
        return outputs, following

    def meet(
        self, below: keras.KerasTensor, before: keras.KerasTensor, states: list[keras.KerasTensor]
    ) -> list[keras.KerasTensor]:
        """As `Cell` says."""
        i, f, g, o = ops.split(below + before, 4, axis=-1)
        c = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * ops.tanh(g)
        shown = self.normalization(c) if self.layer_normalization else c
        return [ops.sigmoid(o) * ops.tanh(shown), c]


class GruCell(Cell):
    """Gated recurrent unit (Cho et al., 2014, eq. 5 to 8).

    Update gate z, reset gate r, candidate g: (z; r; g) from below is W x + b, from before U h + d, then

        z = sigmoid(z_below + z_before),  r = sigmoid(r_below + r_before)
        g = tanh(g_below + r * g_before)
        h' = z * h + (1 - z) * g

    We differ as cuDNN does: the reset gate is applied to the product U h + d, not to h. Normalised (Ba et al., 2016,
    supplementary material): the two gates by themselves and the candidate by itself, on both sides.
    """

    def __init__(self, hidden_dim: int, layer_normalization: bool = False, name: str | None = None):
        super().__init__(hidden_dim, layer_normalization, name)
        parts = 2 * hidden_dim, hidden_dim
        self.input_projection = Projection(parts, layer_normalization, name="input")
        self.state_projection = Projection(parts, layer_normalization, True, "orthogonal", name="state")

    def meet(
        self, below: keras.KerasTensor, before: keras.KerasTensor, states: list[keras.KerasTensor]
    ) -> list[keras.KerasTensor]:
        """As `Cell` says."""
        z_below, r_below, g_below = ops.split(below, 3, axis=-1)
        z_before, r_before, g_before = ops.split(before, 3, axis=-1)
        z = ops.sigmoid(z_below + z_before)
        g = ops.tanh(g_below + ops.sigmoid(r_below + r_before) * g_before)
        return [z * states[0] + (1 - z) * g]


def _ones_of_forget(shape: tuple[int, ...], dtype: Any = None) -> keras.KerasTensor:
    """Biases of an LSTM's gates: 1 for the forget gate, 0 for the others."""
    width = shape[0] // 4
    return ops.concatenate([ops.zeros(width, dtype), ops.ones(width, dtype), ops.zeros(2 * width, dtype)])


CELLS: dict[str, type[Cell]] = {"simple": SimpleCell, "lstm": LstmCell, "gru": GruCell}
