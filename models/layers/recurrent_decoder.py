"""What the recurrent decoders have in common: stacked cells, a step at a time or over a whole target.

B: batch, S: source length, T: target length, N: rows decoded together, E: embedding width, H: `hidden_dim`.
"""

import abc
from typing import Any

import keras
from keras import ops

from models.architectures.roles import FinalStates
from models.layers.attention import attend
from models.layers.cell_stack import NOTHING_DROPPED, CellStack, Masks, States
from models.layers.scan import scan

# What the steps share: "hidden_states" (B, S, K), "keys" (B, S, any), "padding_mask" bool (B, S).
Memory = dict[str, keras.KerasTensor]
# What a step hands to the next: "state_<i>_<j>" (N, H) for state j of layer i and, where it is fed, "feed" (N, H), what
# the step gave.
Cache = dict[str, keras.KerasTensor]
# Hidden states (N, H), next cache, attention weights float32 (N, S).
Stepped = tuple[keras.KerasTensor, Cache, keras.KerasTensor]


class RecurrentDecoder(keras.layers.Layer, abc.ABC):
    """Stacked cells that look at a source, or not; plays the decoder.

    Args:
        stack: the cells.
        scorer: scores the source positions; None without attention.
        squash: "softmax", or "sigmoid" for weights that do not share out a whole.
        feeds: whether a step reads what the step before gave, beside its token.
    """

    def __init__(
        self, stack: CellStack, scorer: Any = None, squash: str = "softmax", feeds: bool = False, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.stack = stack
        self.scorer = scorer
        self.squash = squash
        self.feeds = feeds

    @property
    def hidden_dim(self) -> int:
        """H."""
        return self.stack.hidden_dim

    def remember(self, hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> Memory:
        """Prepares the source for all steps: float (B, S, K) and bool (B, S), True = real token."""
        keys = hidden_states if self.scorer is None else self.scorer.project_keys(hidden_states)
        return {"hidden_states": hidden_states, "keys": keys, "padding_mask": padding_mask}

    def start(self, batch_size: Any, max_length: Any, final_states: FinalStates | None = None) -> Cache:
        """Makes the first cache from the encoder's final states, float (N, any) each; without them of zeros.

        Args:
            batch_size: N.
            max_length: of no effect, since the states are as large after any number of steps.
            final_states: `[h, c]`, or `[h]`, of every layer.
        """
        cache = named(self.stack.start(batch_size, final_states))
        if self.feeds:
            cache["feed"] = ops.zeros((batch_size, self.hidden_dim), self.compute_dtype)
        return cache

    def step(
        self,
        vectors: keras.KerasTensor,
        cache: Cache,
        memory: Memory | None = None,
        masks: Masks = NOTHING_DROPPED,
    ) -> Stepped:
        """Decodes one token.

        Args:
            vectors: float (N, E), the previous token.
            cache: what the step before returned, or `start`.
            memory: what `remember` returned; None without a source: then the context is zero.
            masks: of dropout, in training.

        Returns:
            float (N, H), ready for the output projection; the next cache; attention weights float32 (N, S), zeros
            without attention.
        """
        found, following, weights = self._unfinished(vectors, cache, memory, masks)
        return self.finish(found, vectors), following, weights

    def _unfinished(self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None, masks: Masks) -> Stepped:
        read = ops.concatenate([vectors, cache["feed"]], -1) if self.feeds else vectors
        found, states, weights = self.decode(read, self.states_of(cache), memory, masks)
        return found, named(states) | ({"feed": found} if self.feeds else {}), weights

    def finish(self, found: keras.KerasTensor, vectors: keras.KerasTensor) -> keras.KerasTensor:
        """The part of a step that no later one waits for, so that it can be computed for all steps at once.

        Args:
            found: what `decode` gave, float (..., any).
            vectors: what `step` was given, float (..., E).

        Returns:
            hidden states, float (..., H).
        """
        return found

    def states_of(self, cache: Cache) -> States:
        """Undoes `named`."""
        return [
            [cache[f"state_{layer}_{state}"] for state in range(len(cell.states))]
            for layer, cell in enumerate(self.stack.cells)
        ]

    @abc.abstractmethod
    def decode(
        self, vectors: keras.KerasTensor, states: States, memory: Memory | None, masks: Masks
    ) -> tuple[keras.KerasTensor, States, keras.KerasTensor]:
        """A step, as `step` but for `finish`; what is fed is a part of the vectors, float (N, any)."""

    def look(self, query: keras.KerasTensor, memory: Memory | None) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Context (N, H) and weights (N, S) of a query (N, H)."""
        if memory is None:
            return ops.zeros_like(query), ops.cast(query[:, :0], "float32")
        scores = self.scorer(query, memory["keys"])
        return attend(scores, memory["hidden_states"], memory["padding_mask"], self.squash)

    def call(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Decodes a whole target whose tokens are given (teacher forcing).

        Args:
            vectors: float (B, T, E), the target shifted right.
            cache: from `start`.
            memory: from `remember`; None without a source.
            training: whether dropout is active.

        Returns:
            float (B, T, H), ready for the output projection, and attention weights float32 (B, T, S).
        """
        hidden_states, _, weights = self.advance(vectors, cache, memory, training)
        return hidden_states, weights

    def advance(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> Stepped:
        """As `call`, with the cache behind the last position, from which `step` or another call goes on."""
        rows, steps = ops.shape(vectors)[0], ops.shape(vectors)[1]
        changing, constant = self.stack.draw(rows, steps, training)

        def one(carry: Cache, at: tuple[keras.KerasTensor, Masks]) -> tuple[Cache, tuple[Any, Any]]:
            token, (reads, states) = at
            masks = reads or constant[0], states or constant[1]
            found, carry, weights = self._unfinished(token, carry, memory, masks)
            return carry, (found, weights)

        cache, (found, weights) = scan(one, cache, (vectors, changing))
        return self.finish(found, vectors), cache, weights


def named(states: States) -> Cache:
    """The states as parts of a cache."""
    return {
        f"state_{layer}_{index}": state for layer, of_layer in enumerate(states) for index, state in enumerate(of_layer)
    }
