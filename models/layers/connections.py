"""What joins the layers of a stack, from the second one on.

x: the stack's input, y_l: what layer l gives to those above, f_l: the layer, all of the same width but x.
"""

from typing import Any

import keras
from keras import ops


class Plain(keras.layers.Layer):
    """y_l = f_l(y_(l-1)); the base of the others.

    Args:
        hidden_dim: width of what a layer gives.
    """

    def __init__(self, hidden_dim: int, name: str | None = None):
        super().__init__(name=name)
        self.supports_masking = True
        self.hidden_dim = hidden_dim

    def build(self, below_shape: tuple[Any, ...], found_shape: tuple[Any, ...]) -> None:
        """Makes the weights, if there are any, for float (..., hidden_dim)."""
        self.built = True

    def compute_mask(self, *arguments: Any, **keywords: Any) -> None:
        """None: masks are arguments of their own in the layers around."""

    def width(self, below: list[int]) -> int:
        """Of what the layer reads, by the widths of what stands below: x first."""
        return below[-1]

    def read(self, below: list[keras.KerasTensor]) -> keras.KerasTensor:
        """What the layer reads of x and all that the layers below gave, float (..., any) each."""
        return below[-1]

    def call(self, below: keras.KerasTensor, found: keras.KerasTensor) -> keras.KerasTensor:
        """What y_(l-1) and f_l make together, float (..., hidden_dim) all three."""
        return found


class Residual(Plain):
    """y_l = f_l(y_(l-1)) + y_(l-1) (He et al., 2016, eq. 1; Wu et al., 2016, eq. 6)."""

    def call(self, below: keras.KerasTensor, found: keras.KerasTensor) -> keras.KerasTensor:
        """As `Plain` says."""
        return found + below


class Highway(Plain):
    """y_l = t * f_l(y_(l-1)) + (1 - t) * y_(l-1), t = sigmoid(W y_(l-1) + b) (Srivastava et al., 2015, eq. 3).

    b begins at -2, so that at first a layer hands on most of what it is given (section 2.2 there: -1 or less, lower
    for deeper ones).
    """

    def __init__(self, hidden_dim: int, name: str | None = None):
        super().__init__(hidden_dim, name)
        bias = keras.initializers.Constant(-2.0)
        self.gate = keras.layers.Dense(hidden_dim, activation="sigmoid", bias_initializer=bias, name="gate")

    def build(self, below_shape: tuple[Any, ...], found_shape: tuple[Any, ...]) -> None:
        """Makes the gate."""
        self.gate.build(below_shape)
        super().build(below_shape, found_shape)

    def call(self, below: keras.KerasTensor, found: keras.KerasTensor) -> keras.KerasTensor:
        """As `Plain` says."""
        transform = self.gate(below)
        return transform * found + (1 - transform) * below


class DenselyConnected(Plain):
    """y_l = f_l([x, y_1, ..., y_(l-1)]) (Huang et al., 2017, eq. 2).

    We differ in giving what the last layer gives, not all side by side, so that a stack is as wide whatever its depth.
    """

    def width(self, below: list[int]) -> int:
        """As `Plain` says."""
        return sum(below)

    def read(self, below: list[keras.KerasTensor]) -> keras.KerasTensor:
        """As `Plain` says."""
        return ops.concatenate(below, -1)


CONNECTIONS: dict[str, type[Plain]] = {
    "none": Plain,
    "residual": Residual,
    "highway": Highway,
    "dense": DenselyConnected,
}
