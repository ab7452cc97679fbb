"""A recurrent decoder that looks at the source at every step.

Bahdanau et al. (2015, A.2.2) ask before the step: the context is an input of the LSTM. Luong et al. (2015, sections 3.1
and 3.3) ask after it, and feed the attentional state into the next step. We differ: LSTM instead of the GRU of the
former, and a tanh layer instead of its maxout before the output; one attention, asked by the top layer, whatever the
number of layers; no dropout between layers.

B: batch, S: source length, T: target length, E: embedding width, H: `hidden_dim`.
"""

from typing import Any

import keras
from keras import ops

from models.layers.attention import ATTENTIONS, attend
from models.layers.scan import scan

# What the steps share: "hidden_states" (B, S, H), "keys" (B, S, H), "padding_mask" bool (B, S).
Memory = dict[str, keras.KerasTensor]
# What a step hands to the next: "feed" (B, H) and, for each layer i, "h_<i>" and "c_<i>", (B, H) each.
Cache = dict[str, keras.KerasTensor]


class AttentionDecoder(keras.layers.Layer):
    """Stacked LSTM cells with attention.

    Args:
        attention: "bahdanau", "luong" or "none".
        hidden_dim: units of each layer, and width of the encoder states.
        num_layers: number of LSTM cells.
    """

    def __init__(self, attention: str, hidden_dim: int, num_layers: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.attention = attention
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.cells = [keras.layers.LSTMCell(hidden_dim, name=f"lstm_{index}") for index in range(num_layers)]
        if attention != "none":
            self.scorer: Any = ATTENTIONS[attention](hidden_dim, name="attention")
            self.combination = keras.layers.Dense(hidden_dim, activation="tanh", name="combination")

    def build(self, embedded_shape: tuple[Any, Any, int]) -> None:
        """Builds cells and attention; embedded is float (B, T, E)."""
        embedding_dim, asked = embedded_shape[-1], self.attention != "none"
        width = embedding_dim + asked * self.hidden_dim
        for cell in self.cells:
            cell.build((None, width))
            width = self.hidden_dim
        if asked:
            self.scorer.build((None, self.hidden_dim))
            # What the combination sees besides state and context; see `step`.
            extra = embedding_dim if self.attention == "bahdanau" else 0
            self.combination.build((None, 2 * self.hidden_dim + extra))
        self.built = True

    def remember(self, hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> Memory:
        """Prepares the source for all steps: float (B, S, H) and bool (B, S), True = real token."""
        keys = hidden_states if self.attention == "none" else self.scorer.project_keys(hidden_states)
        return {"hidden_states": hidden_states, "keys": keys, "padding_mask": padding_mask}

    def start(self, states: list[list[keras.KerasTensor]]) -> Cache:
        """Makes the first cache from `[h, c]` of every layer, each float (B, H)."""
        cache = {"feed": ops.zeros_like(states[0][0])}
        for index, (h, c) in enumerate(states):
            cache |= {f"h_{index}": h, f"c_{index}": c}
        return cache

    def step(
        self, embedded: keras.KerasTensor, cache: Cache, memory: Memory
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """Decodes one token.

        Args:
            embedded: float (B, E), the previous token.
            cache: what the step before returned, or `start`.
            memory: what `remember` returned.

        Returns:
            float (B, H), ready for the output projection; the next cache; attention weights float32 (B, S), zeros for
            "none".
        """
        weights = ops.zeros_like(ops.cast(memory["padding_mask"], "float32"))
        if self.attention == "bahdanau":
            query = cache[f"h_{self.num_layers - 1}"]
            context, weights = attend(
                self.scorer(query, memory["keys"]), memory["hidden_states"], memory["padding_mask"]
            )
            top, cache = self._recur(ops.concatenate([embedded, context], -1), cache)
            return self.combination(ops.concatenate([top, context, embedded], -1)), cache, weights
        if self.attention == "luong":
            top, cache = self._recur(ops.concatenate([embedded, cache["feed"]], -1), cache)
            context, weights = attend(self.scorer(top, memory["keys"]), memory["hidden_states"], memory["padding_mask"])
            attentional = self.combination(ops.concatenate([context, top], -1))
            return attentional, cache | {"feed": attentional}, weights
        top, cache = self._recur(embedded, cache)
        return top, cache, weights

    def _recur(self, inputs: keras.KerasTensor, cache: Cache) -> tuple[keras.KerasTensor, Cache]:
        following = {"feed": cache["feed"]}
        for index, cell in enumerate(self.cells):
            inputs, (h, c) = cell(inputs, [cache[f"h_{index}"], cache[f"c_{index}"]])
            following |= {f"h_{index}": h, f"c_{index}": c}
        return inputs, following

    def call(
        self, embedded: keras.KerasTensor, cache: Cache, memory: Memory
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Decodes a whole target whose tokens are given (teacher forcing).

        Args:
            embedded: float (B, T, E), the target shifted right.
            cache: from `start`.
            memory: from `remember`.

        Returns:
            float (B, T, H), ready for the output projection, and attention weights float32 (B, T, S).
        """

        def one(carry: Cache, token: keras.KerasTensor) -> tuple[Cache, tuple[keras.KerasTensor, keras.KerasTensor]]:
            output, carry, weights = self.step(token, carry, memory)
            return carry, (output, weights)

        outputs, weights = scan(one, cache, embedded)
        return outputs, weights

    def get_config(self) -> dict[str, Any]:
        """Arguments that make an equal layer."""
        names = ("attention", "hidden_dim", "num_layers")
        return super().get_config() | {name: getattr(self, name) for name in names}
