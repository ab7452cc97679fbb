"""A decoder without a source, with the embedding and the projection of a task around it.

B: batch, T: tokens, N: rows decoded together, V: vocabulary size.
"""

from collections.abc import Mapping

import keras
from keras import ops

from models.architectures.roles import Cache, Decoder
from models.layers.heads.token_embedding import TokenEmbedding, VocabularyProjection


class LanguageModel(keras.Model):
    """Scores the next token, whole (training) or token by token (decoding).

    Args:
        decoder: plays the decoder; built.
        embedding: of the tokens.
        projection: of the decoder's hidden states.
        dropout: share of values dropped before the projection.
        rows: rows of a batch that goes on where the one before ended; 0: batches have nothing to do with each other.
    """

    def __init__(
        self,
        decoder: Decoder,
        embedding: TokenEmbedding,
        projection: VocabularyProjection,
        dropout: float,
        rows: int = 0,
    ):
        super().__init__(name="language_model")
        self.embedding = embedding
        self.decoder = decoder
        self.output_dropout = keras.layers.Dropout(dropout, name="output_dropout")
        self.projection = projection
        self.rows = rows
        # Weights, so that a checkpoint has them; float32, since NumPy's files know no bfloat16.
        self.states = [
            self.add_weight(shape=tensor.shape, initializer="zeros", dtype="float32", trainable=False, autocast=False)
            for tensor in keras.tree.flatten(self.start(rows, 1) if rows else [])
        ]

    def call(self, inputs: Mapping[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Scores the token behind each one.

        Args:
            inputs: `token_ids` int (B, T), each row's past first; with `resets` int (B,), B being `rows`, the call goes
                on from where the last such call ended, but for rows in which it is 1: those begin anew.
            training: whether dropout is active.

        Returns:
            logits, float32 (B, T, V).
        """
        token_ids = inputs["token_ids"]
        vectors = self.embedding(token_ids, training=training)
        cache = self.start(ops.shape(token_ids)[0], ops.shape(token_ids)[1])
        if "resets" in inputs:
            hidden_states = self._go_on(vectors, self._carried(cache, inputs["resets"]), training)
        else:
            hidden_states, _ = self.decoder(vectors, cache, None, training=training)
        return self.projection(self.output_dropout(hidden_states, training=training))

    def _go_on(self, vectors: keras.KerasTensor, cache: Cache, training: bool) -> keras.KerasTensor:
        hidden_states, cache, _ = self.decoder.advance(vectors, cache, None, training=training)
        for state, tensor in zip(self.states, keras.tree.flatten(cache), strict=True):
            # No gradient reaches back beyond the window: an assigned value has none.
            state.assign(ops.cast(tensor, "float32"))
        return hidden_states

    def _carried(self, fresh: Cache, resets: keras.KerasTensor) -> Cache:
        """The cache in which the last batch ended, or a fresh one for the rows that begin anew."""

        def chosen(tensor: keras.KerasTensor, state: keras.Variable) -> keras.KerasTensor:
            anew = ops.reshape(resets > 0, (-1, *[1] * (len(tensor.shape) - 1)))
            return ops.where(anew, tensor, ops.cast(state, tensor.dtype))

        pairs = zip(keras.tree.flatten(fresh), self.states, strict=True)
        return keras.tree.pack_sequence_as(fresh, [chosen(tensor, state) for tensor, state in pairs])

    def start(self, batch_size: int | keras.KerasTensor, max_length: int | keras.KerasTensor) -> Cache:
        """The cache before the first of `max_length` tokens at most."""
        return self.decoder.start(batch_size, max_length)

    def next_token(self, token_ids: keras.KerasTensor, cache: Cache) -> tuple[keras.KerasTensor, Cache]:
        """One step of decoding: previous tokens int (N,); returns logits float32 (N, V) and the next cache."""
        hidden_states, cache, _ = self.decoder.step(self.embedding.one(token_ids), cache)
        return self.projection(hidden_states), cache


class Perplexity(keras.metrics.Mean):
    """exp of the mean cross-entropy of all predicted tokens in nats, however they came in batches."""

    def __init__(self) -> None:
        super().__init__(name="perplexity")

    def update_state(
        self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: keras.KerasTensor | None = None
    ) -> None:
        """Adds a batch: labels int (B, T), logits float (B, T, V), weights float (B, T)."""
        losses = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=True)
        # Flat, because Keras takes the mean of each row first, and then a row's padding counts in its weight.
        weights = None if sample_weight is None else ops.reshape(sample_weight, (-1,))
        super().update_state(ops.reshape(losses, (-1,)), weights)

    def result(self) -> keras.KerasTensor:
        """Float scalar; 1 is certainty."""
        return ops.exp(super().result())
