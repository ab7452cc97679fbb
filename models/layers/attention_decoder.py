"""A recurrent decoder that looks at the source at every step, or not at all.

Bahdanau et al. (2015, A.2.2) ask before the step: the context is an input of the cell. Luong et al. (2015, sections 3.1
and 3.3) ask after it, and feed the attentional state into the next step. We differ: any cell instead of the GRU of the
former, and a tanh layer instead of its maxout before the output; one attention, asked by the top layer, whatever the
number of layers.

E: embedding width, H: `hidden_dim`; N and S as in `recurrent_decoder`.
"""

from typing import Any

import keras
from keras import ops

from models.layers.attention import ATTENTIONS
from models.layers.cell_stack import CellStack, Masks, States
from models.layers.recurrent_decoder import Cache, Memory, RecurrentDecoder, Stepped, named


class AttentionDecoder(RecurrentDecoder):
    """Stacked recurrent cells with attention; plays the decoder.

    Args:
        attention: key of `ATTENTIONS`, or "none".
        stack: the cells; with attention their width is also that of the encoder's states.
        input_feeding: let a step read what the step before gave, where attention is asked after the step.
    """

    def __init__(self, attention: str, stack: CellStack, input_feeding: bool = True, **kwargs: Any):
        kind = ATTENTIONS.get(attention)
        after = kind is not None and kind.asked == "after"
        scorer = kind.scorer(stack.hidden_dim, name="attention") if kind else None
        super().__init__(stack, scorer, kind.squash if kind else "softmax", after and input_feeding, **kwargs)
        self.asked = kind.asked if kind else "never"
        if kind:
            self.combination = keras.layers.Dense(stack.hidden_dim, activation="tanh", name="combination")

    def build(self, vectors_shape: tuple[Any, Any, int]) -> None:
        """Builds cells and attention; vectors are float (B, T, E)."""
        embedding_dim, reads_more = vectors_shape[-1], self.feeds or self.asked == "before"
        self.stack.build((None, embedding_dim + reads_more * self.hidden_dim))
        if self.scorer:
            self.scorer.build((None, self.hidden_dim))
            # What the combination sees besides state and context; see `finish`.
            extra = embedding_dim if self.asked == "before" else 0
            self.combination.build((None, 2 * self.hidden_dim + extra))
        self.built = True

    def advance(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> Stepped:
        """As `RecurrentDecoder` says; a decoder that never asks trains layer by layer."""
        if self.asked != "never" or not training:
            return super().advance(vectors, cache, memory, training)
        rows, steps = ops.shape(vectors)[0], ops.shape(vectors)[1]
        (changing, _), (reads, dropped) = self.stack.draw(rows, steps, training)
        masks = changing or [ops.expand_dims(mask, 1) for mask in reads], dropped
        hidden_states, states = self.stack.read(vectors, self.states_of(cache), masks)
        source = vectors[:, 0, :0] if memory is None else memory["padding_mask"]
        nowhere = ops.zeros_like(ops.cast(source, "float32"))
        return hidden_states, named(states), ops.repeat(ops.expand_dims(nowhere, 1), steps, axis=1)

    def decode(
        self, vectors: keras.KerasTensor, states: States, memory: Memory | None, masks: Masks
    ) -> tuple[keras.KerasTensor, States, keras.KerasTensor]:
        """A step, as `RecurrentDecoder` says."""
        if self.asked == "never":
            top, states = self.stack.step(vectors, states, masks=masks)
            source = vectors[:, :0] if memory is None else memory["padding_mask"]
            return top, states, ops.zeros_like(ops.cast(source, "float32"))
        if self.asked == "before":
            context, weights = self.look(states[-1][0], memory)
            top, states = self.stack.step(ops.concatenate([vectors, context], -1), states, masks=masks)
            return ops.concatenate([top, context], -1), states, weights
        top, states = self.stack.step(vectors, states, masks=masks)
        context, weights = self.look(top, memory)
        found = ops.concatenate([context, top], -1)
        return self.combination(found) if self.feeds else found, states, weights

    def finish(self, found: keras.KerasTensor, vectors: keras.KerasTensor) -> keras.KerasTensor:
        """As `RecurrentDecoder` says."""
        if self.asked == "never" or self.feeds:
            return found
        return self.combination(ops.concatenate([found, vectors], -1) if self.asked == "before" else found)
