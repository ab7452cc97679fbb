"""Gated convolutions: WaveNet's and those for text.

B: batch, T: positions, D: channels.
"""

from typing import Literal

import keras
from keras import ops

from models.layers.masks import masked_mean


class GatedConv(keras.layers.Layer):
    """A convolution whose one half opens and shuts the other.

    `tanh`: tanh(W x + c) * sigmoid(V x + d), van den Oord et al. (2016), eq. 2, and with conditions c and d eq. 3.
    `linear`: (W x + c) * sigmoid(V x + d), Dauphin et al. (2017), eq. 1.

    Args:
        units: channels that come out.
        kernel_size: positions seen.
        dilation: distance between them.
        padding: "causal" sees the present and the past, "same" both sides.
        activation: of the half that passes through the gate.
    """

    def __init__(
        self,
        units: int,
        kernel_size: int,
        dilation: int = 1,
        padding: Literal["causal", "same"] = "causal",
        activation: Literal["tanh", "linear"] = "tanh",
        name: str | None = None,
    ):
        super().__init__(name=name)
        # One convolution for both halves: one pass over the input.
        self.convolution = keras.layers.Conv1D(2 * units, kernel_size, padding=padding, dilation_rate=dilation)
        self.activation = keras.activations.get(activation)

    def call(self, hidden_states: keras.KerasTensor, condition: keras.KerasTensor | None = None) -> keras.KerasTensor:
        """Float (B, T, D) to float (B, T, units); `condition`, (B, 1 or T, 2 * units), is added before the gate."""
        both = self.convolution(hidden_states)
        return self.gate(both if condition is None else both + condition)

    def gate(self, both: keras.KerasTensor) -> keras.KerasTensor:
        """Lets the first half of the channels through as far as the second says: (..., 2 * units) to (..., units)."""
        passing, gate = ops.split(both, 2, axis=-1)
        return self.activation(passing) * ops.sigmoid(gate)


class SqueezeExcitation(keras.layers.Layer):
    """Weighs channels by what the whole sequence holds (Hu et al., 2018, eq. 2 and 3; the mean is over real positions).

    Args:
        units: channels.
        ratio: by which the hidden layer is narrower.
    """

    def __init__(self, units: int, ratio: int, name: str | None = None):
        super().__init__(name=name)
        self.squeeze = keras.layers.Dense(max(1, units // ratio), "relu")
        self.excite = keras.layers.Dense(units, "sigmoid")

    def call(self, hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """Float (B, T, D) and bool (B, T), True = real, to float (B, T, D)."""
        weights = self.excite(self.squeeze(masked_mean(hidden_states, padding_mask)))
        return hidden_states * ops.expand_dims(weights, 1)
