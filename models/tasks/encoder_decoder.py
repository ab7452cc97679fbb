"""An encoder and a decoder with the embeddings and the projection of a task around them.

B: batch, S: source length, T: target length, N: rows decoded together, V: size of the target vocabulary.
"""

from typing import Any

import keras
from keras import ops

from models.architectures.roles import Cache, Decoder, Encoder, Memory
from models.layers.heads.token_embedding import TokenEmbedding, VocabularyProjection
from models.layers.masks import padding_mask as find_padding


class EncoderDecoder(keras.Model):
    """Maps a source to the logits of its target, whole (training) or token by token (decoding).

    Args:
        encoder: plays the encoder.
        decoder: plays the decoder.
        source_embedding: of the source's tokens.
        target_embedding: of the target's tokens.
        projection: of the decoder's hidden states.
        dropout: share of values dropped before the projection.
    """

    def __init__(
        self,
        encoder: Encoder,
        decoder: Decoder,
        source_embedding: TokenEmbedding,
        target_embedding: TokenEmbedding,
        projection: VocabularyProjection,
        dropout: float,
    ):
        super().__init__(name="encoder_decoder")
        self.source_embedding = source_embedding
        self.encoder = encoder
        self.target_embedding = target_embedding
        self.decoder = decoder
        self.output_dropout = keras.layers.Dropout(dropout, name="output_dropout")
        self.projection = projection

    def call(self, inputs: dict[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Teacher forcing.

        Args:
            inputs: `source_token_ids` int (B, S) and `decoder_token_ids` int (B, T), the target shifted right;
                0 = padding.
            training: whether dropout is active.

        Returns:
            logits, float32 (B, T, V).
        """
        return self.align(inputs, training)[0]

    def align(
        self, inputs: dict[str, keras.KerasTensor], training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """As `call`, with the attention weights, float32 (B, T, S)."""
        decoder_token_ids = inputs["decoder_token_ids"]
        memory, cache = self.encode(inputs["source_token_ids"], ops.shape(decoder_token_ids)[1], training)
        vectors = self.target_embedding(decoder_token_ids, training=training)
        hidden_states, weights = self.decoder(vectors, cache, memory, training=training)
        return self.projection(self.output_dropout(hidden_states, training=training)), weights

    def encode(
        self, source_token_ids: keras.KerasTensor, max_length: Any, training: bool = False
    ) -> tuple[Memory, Cache]:
        """Reads the source.

        Args:
            source_token_ids: int (B, S), 0 = padding.
            max_length: steps that will be decoded at most.
            training: whether dropout is active.

        Returns:
            what `next_token` needs at every step and at the first.
        """
        padding_mask = find_padding(source_token_ids)
        vectors = self.source_embedding(source_token_ids, training=training)
        hidden_states, final_states = self.encoder(vectors, padding_mask, training=training)
        cache = self.decoder.start(ops.shape(source_token_ids)[0], max_length, final_states)
        return self.decoder.remember(hidden_states, padding_mask), cache

    def next_token(
        self, token_ids: keras.KerasTensor, cache: Cache, memory: Memory
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """One step of decoding: previous tokens int (N,); returns logits float32 (N, V), next cache, weights (N, S)."""
        hidden_states, cache, weights = self.decoder.step(self.target_embedding.one(token_ids), cache, memory)
        return self.projection(hidden_states), cache, weights
