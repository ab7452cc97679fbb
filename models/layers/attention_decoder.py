"""A recurrent decoder that looks at the source at every step, or not at all.

Bahdanau et al. (2015, A.2.2) ask before the step: the context is an input of the cell. Luong et al. (2015, sections 3.1
and 3.3) ask after it, and feed the attentional state into the next step. We differ: LSTM instead of the GRU of the
former, and a tanh layer instead of its maxout before the output; one attention, asked by the top layer, whatever the
number of layers; no dropout between layers.

B: batch, S: source length, T: target length, N: rows decoded together, E: embedding width, H: `hidden_dim`.
"""

from typing import Any

import keras
from keras import ops

from models.architectures.roles import FinalStates
from models.layers.attention import ATTENTIONS, attend
from models.layers.recurrent import CELLS, STATES
from models.layers.scan import scan_on

# What the steps share: "hidden_states" (B, S, H), "keys" (B, S, H), "padding_mask" bool (B, S).
Memory = dict[str, keras.KerasTensor]
# What a step hands to the next: "feed" (N, H) and, for state j of layer i, "state_<i>_<j>" (N, H).
Cache = dict[str, keras.KerasTensor]


class AttentionDecoder(keras.layers.Layer):
    """Stacked recurrent cells with attention; plays the decoder.

    Args:
        attention: "bahdanau", "luong" or "none".
        hidden_dim: units of each layer; with attention also the width of the encoder's states.
        num_layers: number of cells.
        cell: "lstm", "gru" or "simple".
        residual: add the input of each layer but the first to its output (Wu et al., 2016, eq. 6).
    """

    def __init__(
        self,
        attention: str,
        hidden_dim: int,
        num_layers: int,
        cell: str = "lstm",
        residual: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.attention = attention
        self.hidden_dim = hidden_dim
        self.num_layers = num_layers
        self.cell = cell
        self.residual = residual
        self.cells = [CELLS[cell](hidden_dim, name=f"{cell}_{index}") for index in range(num_layers)]
        # Bahdanau et al. (2015, A.2.2): the decoder starts from a learned reading of the encoder's end.
        self.bridges = [
            [keras.layers.Dense(hidden_dim, "tanh" if state == "h" else None) for state in STATES[cell]]
            for _ in range(num_layers)
        ]
        if attention != "none":
            self.scorer: Any = ATTENTIONS[attention](hidden_dim, name="attention")
            self.combination = keras.layers.Dense(hidden_dim, activation="tanh", name="combination")

    def build(self, vectors_shape: tuple[Any, Any, int]) -> None:
        """Builds cells and attention; vectors are float (B, T, E)."""
        embedding_dim, asked = vectors_shape[-1], self.attention != "none"
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

    def start(self, batch_size: Any, max_length: Any, final_states: FinalStates | None = None) -> Cache:
        """Makes the first cache from the encoder's final states, float (N, any) each; without them of zeros.

        Args:
            batch_size: N.
            max_length: of no effect, since the states are as large after any number of steps.
            final_states: `[h, c]`, or `[h]`, of every layer.
        """
        zeros = ops.zeros((batch_size, self.hidden_dim), self.compute_dtype)
        cache = {"feed": zeros}
        for layer, bridges in enumerate(self.bridges):
            for state, bridge in enumerate(bridges):
                cache[f"state_{layer}_{state}"] = bridge(final_states[layer][state]) if final_states else zeros
        return cache

    def step(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """Decodes one token.

        Args:
            vectors: float (N, E), the previous token.
            cache: what the step before returned, or `start`.
            memory: what `remember` returned; None without a source: then the context is zero.

        Returns:
            float (N, H), ready for the output projection; the next cache; attention weights float32 (N, S), zeros for
            "none".
        """
        if self.attention == "none":
            top, cache = self._recur(vectors, cache)
            source = vectors[:, :0] if memory is None else memory["padding_mask"]
            return top, cache, ops.zeros_like(ops.cast(source, "float32"))
        ask = self._ask_before if self.attention == "bahdanau" else self._ask_after
        return ask(vectors, cache, memory)

    def _ask_before(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        context, weights = self._look(cache[f"state_{self.num_layers - 1}_0"], memory)
        top, cache = self._recur(ops.concatenate([vectors, context], -1), cache)
        return self.combination(ops.concatenate([top, context, vectors], -1)), cache, weights

    def _ask_after(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        top, cache = self._recur(ops.concatenate([vectors, cache["feed"]], -1), cache)
        context, weights = self._look(top, memory)
        attentional = self.combination(ops.concatenate([context, top], -1))
        return attentional, cache | {"feed": attentional}, weights

    def _look(self, query: keras.KerasTensor, memory: Memory | None) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Context (N, H) and weights (N, S) of a query (N, H)."""
        if memory is None:
            return ops.zeros_like(query), ops.cast(query[:, :0], "float32")
        return attend(self.scorer(query, memory["keys"]), memory["hidden_states"], memory["padding_mask"])

    def _recur(self, inputs: keras.KerasTensor, cache: Cache) -> tuple[keras.KerasTensor, Cache]:
        following = {"feed": cache["feed"]}
        for layer, cell in enumerate(self.cells):
            names = [f"state_{layer}_{state}" for state in range(len(STATES[self.cell]))]
            outputs, states = cell(inputs, [cache[name] for name in names])
            following |= dict(zip(names, states, strict=True))
            inputs = outputs + inputs if self.residual and layer else outputs
        return inputs, following

    def call(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Decodes a whole target whose tokens are given (teacher forcing).

        Args:
            vectors: float (B, T, E), the target shifted right.
            cache: from `start`.
            memory: from `remember`; None without a source.
            training: without effect.

        Returns:
            float (B, T, H), ready for the output projection, and attention weights float32 (B, T, S).
        """
        hidden_states, _, weights = self.advance(vectors, cache, memory, training)
        return hidden_states, weights

    def advance(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """As `call`, with the cache behind the last position, from which `step` or another call goes on."""

        def one(carry: Cache, token: keras.KerasTensor) -> tuple[Cache, tuple[keras.KerasTensor, keras.KerasTensor]]:
            hidden_states, carry, weights = self.step(token, carry, memory)
            return carry, (hidden_states, weights)

        cache, (hidden_states, weights) = scan_on(one, cache, vectors)
        return hidden_states, cache, weights
