"""The position-wise networks of a Transformer.

H: width, F: width inside.
"""

from typing import Any

import keras

# Setting to Keras's name. GELU by its definition, not by the approximation with a tanh.
ACTIVATIONS = {"relu": "relu", "gelu": "gelu", "gated": "silu"}


class FeedForward(keras.layers.Layer):
    """Two layers over each position by itself.

    relu: max(0, x W_1 + b_1) W_2 + b_2 (Vaswani et al., 2017, eq. 2); gelu: the same with x P(X <= x), X normal
    (Hendrycks and Gimpel, 2016); gated: (silu(x W_1) * x V) W_2 (Shazeer, 2020, eq. 6), without biases as there.

    Args:
        hidden_dim: H.
        feed_forward_dim: F.
        activation: key of `ACTIVATIONS`.
    """

    def __init__(self, hidden_dim: int, feed_forward_dim: int, activation: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.hidden_dim, self.feed_forward_dim = hidden_dim, feed_forward_dim
        gated = activation == "gated"
        self.inner = keras.layers.Dense(feed_forward_dim, ACTIVATIONS[activation], use_bias=not gated, name="inner")
        self.gated = keras.layers.Dense(feed_forward_dim, use_bias=False, name="gated") if gated else None
        self.outer = keras.layers.Dense(hidden_dim, use_bias=not gated, name="outer")

    def build(self, shape: tuple[Any, ...]) -> None:
        """Makes the weights for float (N, T, H)."""
        for layer in (self.inner, self.gated):
            if layer:
                layer.build((None, None, self.hidden_dim))
        self.outer.build((None, None, self.feed_forward_dim))
        self.built = True

    def call(self, hidden_states: keras.KerasTensor) -> keras.KerasTensor:
        """Float (N, T, H) to float (N, T, H)."""
        inner = self.inner(hidden_states)
        return self.outer(inner if self.gated is None else inner * self.gated(hidden_states))
